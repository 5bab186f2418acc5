"""Run the cells of one notebook, shut in: the program that `tradebook.coursework.containment` starts.

It reads one job (JSON) from standard input, gives up what a submission must not have (files outside its folder,
network, other programs), runs the cells in one namespace and writes what they leave behind, one JSON object a line, to
standard output. Only the standard library is used until the walls stand, and nothing here knows an answer.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import numbers
import os
import signal
import sys
import sysconfig
from pathlib import Path

LONGEST_TEXT = 500
LONGEST_LIST = 200
GREATEST_WHOLE = 10**18
_MOST_REFUSALS = 20


class TimeUp(BaseException):
    """A cell has used up its time."""


# --- what the process gives up -----------------------------------------------------------------------


def readable_folders() -> list[str]:
    """Folders of Python, its packages and the system's libraries: what any program must be able to read."""
    found = [sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values()]
    found += [entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    if sys.platform == "win32":
        found.append(os.environ.get("SYSTEMROOT", r"C:\Windows"))
    else:
        found += ["/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/nix/store"]
        found += ["/System", "/Library", "/dev/urandom", "/dev/random", "/dev/zero", "/dev/null"]
        found += [f"/proc/{os.getpid()}", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu"]
        found += ["/sys/fs/cgroup", "/proc/sys/vm/overcommit_memory", "/etc/ssl/openssl.cnf"]
    real = {os.path.realpath(path) for path in found if os.path.exists(path)}
    return sorted(path for path in real if path != os.path.dirname(path))


def limit(limits: dict) -> None:
    """Set the limits of memory, file size, open files and processes that the system offers (not on Windows)."""
    try:
        import resource
    except ImportError:
        return
    wanted = {
        "RLIMIT_AS": limits["memory"], "RLIMIT_FSIZE": limits["file"], "RLIMIT_CORE": 0, "RLIMIT_NOFILE": 256,
        "RLIMIT_CPU": limits["seconds"],
    }  # fmt: skip
    if sys.platform != "linux":  # Linux counts threads as well, which packages need
        wanted["RLIMIT_NPROC"] = 0
    for name, value in wanted.items():
        with contextlib.suppress(ValueError, OSError, AttributeError):  # a system may know or allow less
            resource.setrlimit(getattr(resource, name), (int(value), int(value)))
    if hasattr(signal, "SIGXFSZ"):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file that is too large is an error, not the end


def watch_python(readable: list[str], writable: list[str], system: bool, refused: list[str]) -> None:
    """Refuse, in Python's own functions, what leads out of the folder; the only wall outside Linux.

    A hook cannot be taken away again, but it sees only what Python reports, and nothing of what compiled code does.
    With `system` the operating system stands behind it. Without, calls to compiled libraries are refused as well, and
    so is what Python does not report: handles of folders, to which a path can be relative, and `_UNREPORTED`.
    """
    inside = tuple(path.rstrip(os.sep) + os.sep for path in writable)
    known = tuple(path.rstrip(os.sep) + os.sep for path in [*readable, *writable])
    real, is_folder, separator = os.path.realpath, os.path.isdir, os.sep
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    harmless = {"/dev/null", os.devnull}
    paths_written = {
        "os.remove": 1, "os.rename": 2, "os.rmdir": 1, "os.mkdir": 1, "os.link": 2, "os.symlink": 2, "os.truncate": 1,
        "os.chmod": 1, "os.chown": 1, "os.utime": 1, "os.setxattr": 1, "os.removexattr": 1, "os.chflags": 1,
        "shutil.rmtree": 1, "shutil.move": 2, "sqlite3.connect": 1, "_winapi.CopyFile2": 2,
    }  # fmt: skip
    # How many handles of folders stand at the end of what is reported; -1 is the working folder.
    handles_at_end = {
        "os.remove": 1, "os.rename": 2, "os.rmdir": 1, "os.mkdir": 1, "os.link": 2, "os.symlink": 1, "os.chmod": 1,
        "os.chown": 1, "os.utime": 1, "shutil.rmtree": 1,
    }  # fmt: skip
    paths_read = {"os.listdir", "os.scandir", "os.listxattr", "os.getxattr", "os.chdir"}
    never = (
        "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.kill",
        "pty.spawn", "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostby", "socket.sendto",
        "socket.sendmsg", "winreg.", "_winapi.Create", "webbrowser.", "syslog.", "ftplib.", "smtplib.",
        "urllib.Request",
    )  # fmt: skip
    # What threadpoolctl, which keeps linear algebra in one thread, asks of compiled libraries.
    symbols = ("openblas", "scipy_openblas", "MKL", "bli_", "omp_", "flexiblas", "dl_iterate_phdr", "dyld_")
    windows_symbols = {
        "EnumProcessModulesEx",
        "GetModuleFileNameExW",
        "OpenProcess",
        "CloseHandle",
        "GetCurrentProcess",
    }

    def within(path: object, folders: tuple[str, ...]) -> bool:
        if isinstance(path, int) or path is None:
            return True
        try:
            text = real(os.fsdecode(path))
        except (TypeError, ValueError):
            return False
        return text in harmless or (text + separator).startswith(folders)

    def refuse(what: str) -> None:
        if len(refused) < _MOST_REFUSALS:
            refused.append(what[:LONGEST_TEXT])
        raise PermissionError(f"not allowed in a marked notebook: {what}")

    def hook(event: str, arguments: tuple) -> None:
        if event == "open":
            path, mode, flags = arguments
            if not system and mode is None and not isinstance(path, int) and is_folder(path):
                refuse(f"a handle of the folder {path!r}")
            wants = (isinstance(mode, str) and any(c in mode for c in "wax+")) or bool((flags or 0) & writing)
            if not within(path, inside if wants else known):
                refuse(f"{'writing' if wants else 'reading'} {path!r}")
        elif event in paths_written:
            for path in arguments[: paths_written[event]]:
                if not (path == ":memory:" or within(path, inside)):
                    refuse(f"{event} {path!r}")
            handles = arguments[-handles_at_end[event] :] if not system and event in handles_at_end else ()
            if any(handle not in (-1, None) for handle in handles):
                refuse(f"{event} in a folder named by its handle")
        elif event in paths_read:
            if not within(arguments[0] if arguments and arguments[0] is not None else ".", known):
                refuse(f"{event} {arguments[0]!r}")
        elif event.startswith(never):
            refuse(event)
        elif not system and event == "ctypes.dlopen" and not (arguments[0] is None or within(arguments[0], known)):
            if os.path.basename(str(arguments[0])).lower() not in ("psapi.dll", "kernel32.dll"):
                refuse(f"loading {arguments[0]!r}")
        elif not system and event == "ctypes.dlsym":
            symbol = str(arguments[1])
            if not (symbol.lstrip("_").startswith(symbols) or symbol in windows_symbols):
                refuse(f"calling the compiled function {symbol}")

    if not system:
        _take_away_unreported(refuse)
    sys.addaudithook(hook)


# Functions that lead out and that Python reports to no hook.
_UNREPORTED = {"_posixsubprocess": ("fork_exec",), "posix": ("mkfifo", "mknod")}


def _take_away_unreported(refuse) -> None:
    """Put a function that refuses in the place of each of `_UNREPORTED`, wherever a module holds it."""
    import shutil

    shutil._use_fd_functions = False  # without handles of folders it removes by path

    def refusing(name: str):
        return lambda *args, **kwargs: refuse(name)

    for owner, names in _UNREPORTED.items():
        with contextlib.suppress(ImportError):
            importlib.import_module(owner)
        for name in names:
            original = getattr(sys.modules.get(owner), name, None)
            for module in list(sys.modules.values()) if original is not None else ():
                for key, value in list(getattr(module, "__dict__", {}).items()):
                    if value is original:
                        setattr(module, key, refusing(name))


# --- the walls of Linux: Landlock for files, a system-call filter for the rest -------------------------

_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# Numbers of system calls: x86-64, then 64-bit ARM (None: that machine has no such call).
_FORBIDDEN = {
    "socket": (41, 198), "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "tkill": (200, 130),
    "setsid": (112, 157), "setpgid": (109, 154), "setpriority": (141, 140),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "mount_setattr": (442, 442), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "msgget": (68, 186),
    "semget": (64, 190), "mq_open": (240, 180), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "iopl": (172, None), "ioperm": (173, None), "reboot": (169, 142),
    "sethostname": (170, 161), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "swapon": (167, 224), "acct": (163, 89), "quotactl": (179, 60), "truncate": (76, 45),
}  # fmt: skip
_ONLY_TO_ITSELF = {
    "kill": (62, 129),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
}
_CLONE, _CLONE3, _PRLIMIT = (56, 220), (435, 435), (302, 261)
_CLONE_THREAD = 0x10000
_SECCOMP, _NO_NEW_PRIVILEGES = (317, 277), 38
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
# From here on all calls are shut, so that those of later kernels are: the first, setxattrat, opens files to others.
_FIRST_UNKNOWN = 463


def shut_files(readable: list[str], writable: list[str]) -> bool:
    """Landlock: from here on the kernel opens nothing but these folders for this process; True if it can.

    Before version 3 (Linux 6.2) it lets a file that may be read be emptied: it is set up, and False is returned.
    """
    if sys.platform != "linux":
        return False
    import ctypes
    import struct

    libc = _libc()
    version = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    every = (1 << (13 + (version >= 2) + (version >= 3))) - 1 | ((1 << 15) if version >= 5 else 0)
    # Since version 4 TCP, since version 6 signals to others and abstract sockets are shut as well.
    rules = struct.pack("QQQ", every, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0)
    rules = rules[: 24 if version >= 6 else 16 if version >= 4 else 8]
    ruleset = libc.syscall(_LANDLOCK_CREATE, rules, ctypes.c_size_t(len(rules)), 0)
    if ruleset < 0:
        return False
    read_file, read_folder, write_file, truncate = 1 << 2, 1 << 3, 1 << 1, (1 << 14) if version >= 3 else 0
    # In its own folders all but running programs and making devices or sockets.
    own = every & ~(1 << 0 | 1 << 6 | 1 << 9 | 1 << 11 | 1 << 15)
    for folders, rights in (
        (readable, read_file | read_folder),
        (writable, own),
        (["/dev/null"], read_file | write_file),
    ):
        for path in folders:
            handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
            allowed = rights if os.path.isdir(path) else rights & (read_file | write_file | truncate)
            done = libc.syscall(_LANDLOCK_ADD, ruleset, 1, struct.pack("=Qi", allowed, handle), 0)
            os.close(handle)
            if done != 0:
                return False
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    done = libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0)
    os.close(ruleset)
    return done == 0 and version >= 3


def shut_calls() -> bool:
    """A filter of system calls: no network, no other program or process, no signal to others; True if it is set."""
    if sys.platform != "linux" or os.uname().machine not in _MACHINES or sys.maxsize < 2**32:
        return False
    import ctypes
    import struct

    machine = list(_MACHINES).index(os.uname().machine)
    # EPERM, and ENOSYS, upon which libraries fall back to an older call.
    allow, no, absent = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 38
    load, equal, at_least, any_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    number_at, machine_at, first_low, first_high = 0, 4, 16, 20

    def step(code: int, value: int, yes: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("HBBI", code, yes, otherwise, value)

    program = [step(load, machine_at), step(equal, _MACHINES[os.uname().machine], 1), step(answer, no)]
    program += [step(load, number_at), step(at_least, 0x40000000, 0, 1), step(answer, no)]  # the x32 calls
    program += [step(at_least, _FIRST_UNKNOWN, 0, 1), step(answer, absent)]
    for on_machines in _FORBIDDEN.values():
        if on_machines[machine] is not None:
            program += [step(equal, on_machines[machine], 0, 1), step(answer, no)]
    program += [step(equal, _CLONE3[machine], 0, 1), step(answer, absent)]
    program += [step(equal, _CLONE[machine], 0, 4), step(load, first_low)]  # threads yes, processes no
    program += [step(any_bit, _CLONE_THREAD, 0, 1), step(answer, allow), step(answer, no)]
    own = {**{name: os.getpid() for name in _ONLY_TO_ITSELF}, "prlimit64": 0}
    for name, on_machines in {**_ONLY_TO_ITSELF, "prlimit64": _PRLIMIT}.items():
        program += [step(equal, on_machines[machine], 0, 6), step(load, first_low), step(equal, own[name], 0, 3)]
        program += [step(load, first_high), step(equal, 0, 0, 1), step(answer, allow), step(answer, no)]
    program.append(step(answer, allow))
    code = b"".join(program)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))

    libc = _libc()
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    holder = Program(len(program), code)
    return libc.syscall(_SECCOMP[machine], 1, 1, ctypes.byref(holder)) == 0  # for all threads


def _libc():
    """The C library, for calls that Python does not offer."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    libc.syscall.restype = ctypes.c_long
    return libc


# --- running cells ---------------------------------------------------------------------------------


def encode(value: object, depth: int = 0) -> list:
    """A value as plain data with its kind; what is no number, text or short list is only named."""
    if value is None:
        return ["none"]
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if isinstance(value, bool):
        return ["truth", value]
    if isinstance(value, numbers.Integral):
        return ["number", int(value)] if abs(value) < GREATEST_WHOLE else ["other", "a whole number of absurd size"]
    if isinstance(value, numbers.Real):
        return ["number", float(value)] if math.isfinite(value) else ["other", "not a finite number"]
    if isinstance(value, str):
        return ["text", str(value)] if len(value) <= LONGEST_TEXT else ["other", "a text of absurd length"]
    if isinstance(value, dict):
        return ["other", "a dictionary"]
    if depth == 0 and (hasattr(value, "tolist") or isinstance(value, list | tuple | set | frozenset | range)):
        if getattr(value, "ndim", 1) != 1:
            return ["other", "a table"]
        if len(value) > LONGEST_LIST:
            return ["other", "a list of more than two hundred entries"]
        members = value.tolist() if hasattr(value, "tolist") else value
        members = sorted(members, key=str) if isinstance(members, set | frozenset) else list(members)
        return ["list", [encode(member, 1) for member in members]]
    return ["other", f"of type {type(value).__name__}"[:80]]


def clean(error: BaseException | None) -> str:
    """An error as one short line."""
    if error is None:
        return ""
    if isinstance(error, TimeUp):
        return "took too long"
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:LONGEST_TEXT] if text else type(error).__name__


class Runner:
    """One namespace, as in a notebook, and the steps of a job run in it."""

    def __init__(self, say, seconds_a_cell: float, refused: list[str]) -> None:
        from IPython.core.displaypub import DisplayPublisher
        from IPython.core.history import HistoryManager
        from IPython.core.interactiveshell import InteractiveShell

        glued: dict[str, str] = {}

        class Glued(DisplayPublisher):
            """Keeps what a chapter glues into its text, and drops everything else that is shown."""

            def publish(self, data, metadata=None, **options):
                name = ((metadata or {}).get("scrapbook") or {}).get("name")
                text = next(iter(data.values()), None)
                if isinstance(name, str) and isinstance(text, str):
                    glued[name] = text

        HistoryManager.enabled = False
        self.shell = InteractiveShell.instance(colors="nocolor")
        self.shell.display_pub = Glued()
        self.shell.showtraceback = self.shell.showsyntaxerror = lambda *args, **kwargs: None
        self.shell.display_formatter.active_types = ["text/plain"]
        self.glued, self.say, self.seconds, self.refused = glued, say, seconds_a_cell, refused

    def run(self, source: str) -> BaseException | None:
        """Run a cell; its error, if it ends with one."""
        timed = hasattr(signal, "SIGALRM")
        if timed:
            signal.signal(signal.SIGALRM, _time_is_up)
            signal.setitimer(signal.ITIMER_REAL, self.seconds)
        try:
            result = self.shell.run_cell(source, store_history=False, silent=True)
            return result.error_before_exec or result.error_in_exec
        except BaseException as error:
            return error
        finally:
            if timed:
                signal.setitimer(signal.ITIMER_REAL, 0)
            if "matplotlib.pyplot" in sys.modules:
                with contextlib.suppress(Exception):
                    sys.modules["matplotlib.pyplot"].close("all")

    def step(self, step: dict) -> None:
        """One step of a job: a cell, or a solution with the expressions to evaluate after it."""
        self.say({"begin": step["id"]})
        if "solve" in step:
            self.solve(step)
            return
        self.refused.clear()
        error = self.run(step["source"])
        message = {"end": step["id"], "error": clean(error), "refused": list(self.refused)}
        names = step.get("report")
        if names is not None:
            message["exercise"] = step.get("exercise")
            message["values"] = {name: _encoded(self.shell.user_ns.get(name)) for name in names}
        self.say(message)

    def solve(self, step: dict) -> None:
        """Run a solution and evaluate its expressions; the namespace of the notebook stays as it is."""
        self.say({"end": step["id"], "solved": evaluate(dict(self.shell.user_ns), step["solve"], step["cases"])})


def evaluate(space: dict, solution: str, cases: list[dict]) -> list[dict[str, list]]:
    """Run a solution in `space`, then for each case its expressions, each seeing those before it.

    Parameters
    ----------
    space : dict
        The names that the solution starts from; they are changed.
    solution : str
        Code of the solution.
    cases : list of dict
        ``bind``: names to set first; ``evaluate``: name → expression.
    """
    error: Exception | None = None
    try:
        exec(compile(solution, "solution", "exec"), space)
    except Exception as failure:
        error = failure
    results = []
    for case in cases:
        here, values = {**space, **case["bind"]}, {}
        for name, expression in case["evaluate"].items():
            try:
                if error:
                    raise error
                here[name] = eval(compile(expression, name, "eval"), here)
                values[name] = encode(here[name])
            except Exception as failure:
                values[name] = ["other", clean(failure)]
        results.append(values)
    return results


def _encoded(value: object) -> list:
    try:
        return encode(value)
    except BaseException:  # an object of the submission's own may do anything when it is looked at
        return ["other", "a value that cannot be read"]


def _time_is_up(number, frame):
    raise TimeUp


def main() -> None:
    """Read the job, put up the walls, run its steps, report each."""
    channel = os.dup(1)
    job = json.loads(sys.stdin.buffer.read())
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)

    def say(message: dict) -> None:
        rest = json.dumps(message).encode() + b"\n"
        while rest:
            rest = rest[os.write(channel, rest) :]

    try:
        readable = [*readable_folders(), os.path.realpath(__file__)]
        writable = [os.path.realpath(path) for path in job["writable"]]
        os.chdir(job["folder"])
        sys.path.insert(0, os.getcwd())
        limit(job["limits"])
        files = job["system"] and shut_files(readable, writable)
        refused: list[str] = []
        runner = Runner(say, job["limits"]["cell_seconds"], refused)  # sets up files of its own, so before the rest
        calls = job["system"] and shut_calls()
        watch_python(readable, writable, bool(files and calls), refused)
        say({"walls": {"files": bool(files), "calls": bool(calls)}})
        for step in job["steps"]:
            runner.step(step)
        say(
            {
                "done": True,
                "glued": runner.glued if job["glued"] else {},
                "names": sorted(runner.shell.user_ns)[:2000] if job["glued"] else [],
            }
        )
    except BaseException as error:
        say({"failed": clean(error)})
    finally:
        os._exit(0)  # no cleaning up by what a notebook has registered for the end


if __name__ == "__main__":
    main()
