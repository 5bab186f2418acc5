"""A Spark cluster on this machine: a master and workers as processes of their own, on the loopback address.

It is what a cluster of several machines is, only smaller: the driver sends its tasks to executors that the workers
start. It needs Java (17 or 21) and the package pyspark.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

__all__ = ["java", "missing", "start"]

LOOPBACK = "127.0.0.1"
_OPENED = "java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent"


def java() -> str | None:
    """Path of Java: in ``$JAVA_HOME``, else on the path."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=str(Path(home, "bin"))) if home else shutil.which("java")


def missing() -> str | None:
    """What a cluster lacks here, as a sentence; None if nothing."""
    if find_spec("pyspark") is None:
        return "There is no pyspark: `pip install --no-build-isolation -r requirements-spark.txt`."
    if java() is None:
        return "There is no Java: install version 17 or 21 (Debian: apt-get install default-jre-headless)."
    return None


@contextmanager
def start(folder: Path, workers: int = 2, cores: int = 1, memory: str = "512m", wait: float = 60) -> Iterator[str]:
    """Start a master and workers, give the master's address, and stop them at the end.

    Parameters
    ----------
    folder : Path
        For the processes' logs and scratch files.
    workers, cores, memory : int, int, str
        Number of workers; cores and memory that each lends to an application.
    wait : float
        Seconds after which a cluster that is not ready is an error.
    """
    folder.mkdir(parents=True, exist_ok=True)
    running: list[subprocess.Popen] = []
    try:
        port = _free_port()
        address = f"spark://{LOOPBACK}:{port}"
        running.append(_run(folder, "master", "master.Master", "--port", str(port), "--webui-port", "0"))
        _await(lambda: _listens(port), running, folder, wait)
        for number in range(workers):
            options = ["--cores", str(cores), "--memory", memory, "--webui-port", "0"]
            options += ["--work-dir", str(folder / f"work-{number}")]
            running.append(_run(folder, f"worker-{number}", "worker.Worker", *options, address))
        log = folder / "master.log"
        _await(lambda: log.read_text("utf-8", "replace").count("Registering worker") >= workers, running, folder, wait)
        yield address
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            if process.poll() is None:
                process.kill()
                process.wait()


def _run(folder: Path, name: str, role: str, *arguments: str) -> subprocess.Popen:
    import pyspark

    jars = Path(pyspark.__file__).parent / "jars"
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED.split()]
    command = [java(), "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *opened, "-cp", f"{jars}{os.sep}*"]
    command += [f"org.apache.spark.deploy.{role}", "--host", LOOPBACK, *arguments]
    # Executors are started by the worker with what it finds here; the machine's own name may not resolve.
    env = {**os.environ, "SPARK_LOCAL_IP": LOOPBACK, "SPARK_LOCAL_HOSTNAME": LOOPBACK}
    env["SPARK_LOCAL_DIRS"] = str(folder / "scratch")
    env["SPARK_HOME"] = str(jars.parent)
    env["SPARK_SCALA_VERSION"] = re.search(r"spark-core_([\d.]+)-", next(jars.glob("spark-core_*.jar")).name)[1]
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, env=env)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return listener.getsockname()[1]


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
        return True
    return False


def _await(ready, running: list[subprocess.Popen], folder: Path, wait: float) -> None:
    end = time.monotonic() + wait
    while not ready():
        dead = [process for process in running if process.poll() is not None]
        if dead or time.monotonic() > end:
            logs = "\n".join(path.read_text("utf-8", "replace")[-800:] for path in sorted(folder.glob("*.log")))
            raise RuntimeError(f"The Spark cluster did not start; its logs end with:\n{logs}")
        time.sleep(0.1)
