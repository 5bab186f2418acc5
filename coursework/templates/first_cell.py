# Does nothing where the folder `tradebook` lies beside this notebook. On Colab it does not: write the address of your
# repository between the quotes, and this cell fetches the folder.
REPOSITORY = ""

import importlib.util

if importlib.util.find_spec("tradebook") is None:
    import os
    import subprocess
    import sys

    if not REPOSITORY:
        raise RuntimeError(
            "This notebook needs the folder that it came in. Run it there, or write the address of your repository "
            "(https://github.com/you/your-project) into REPOSITORY above and run this cell again."
        )
    subprocess.run(["git", "clone", "--depth", "1", REPOSITORY, "project"], check=True)
    os.chdir("project")
    sys.path.insert(0, os.getcwd())
    packages = <<packages>>
    missing = [pin for module, pin in packages.items() if importlib.util.find_spec(module) is None]
    if missing:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *missing], check=True)
