"""The simulations' image: this host's bash and a few programs, this interpreter and the modules inside.py loads."""

import json
import subprocess
import sys
from pathlib import Path

from seawall.core.errors import SeawallError
from seawall.node import rootfs
from seawall.node.docker import Docker

NAME = "seawall-simulate:latest"
SCRIPT, MORE = "/opt/inside.py", "/opt/tricks.py"
INSIDE = Path(__file__).with_name("inside.py")
TRICKS = Path(__file__).with_name("tricks.py")
PYTHON = "/usr/bin/python3"
PROGRAMS = ("bash", "sh", "cat", "sleep", "true", "id", "mkfifo", "rm", "ls", "mkdir", "touch", "cp", "env")

_LIST = """
import runpy, sys, json, encodings.idna, encodings.ascii, encodings.latin_1, select, selectors
sys.argv = ["inside.py", "none"]
for script in SCRIPTS:
    runpy.run_path(script, run_name="loaded")
found = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
print(json.dumps({"prefix": sys.base_prefix, "program": PROGRAM, "files": sorted(set(found))}))
"""


def build(docker: Docker) -> str:
    """Make the image and import it; its name. Takes about two seconds."""
    docker.import_image(NAME, rootfs.build([*PROGRAMS], _files()))
    return NAME


def environment() -> list[str]:
    """Variables that a container of the image needs."""
    return [f"PYTHONHOME={sys.base_prefix}", "PYTHONDONTWRITEBYTECODE=1", "PATH=/usr/bin:/bin"]


def _files() -> dict[str, bytes]:
    """The interpreter under a plain name, its modules where it looks for them, and the libraries of both."""
    program = str(Path(sys.executable).resolve())
    code = f"SCRIPTS = {[str(INSIDE), str(TRICKS)]!r}\nPROGRAM = {program!r}\n{_LIST}"
    done = subprocess.run([program, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        raise SeawallError(f"cannot list the modules of {program}: {done.stderr.strip()[-300:]}")
    modules = [path for path in json.loads(done.stdout)["files"] if path and path not in (str(INSIDE), str(TRICKS))]
    files = {path: Path(path).read_bytes() for path in modules if Path(path).is_file()}
    files |= {PYTHON: Path(program).read_bytes(), SCRIPT: INSIDE.read_bytes(), MORE: TRICKS.read_bytes()}
    for path in (program, *(path for path in modules if path.endswith(".so"))):
        files |= {library: Path(library).read_bytes() for library in rootfs.libraries(path)}
    return files
