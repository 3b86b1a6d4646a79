"""What the resident agent has loaded, exactly: every module costs memory on every node, so each is a decision."""

import os
import subprocess
import sys
from pathlib import Path

from seawall.agent import resident

FORBIDDEN = {
    "ast", "asyncio", "concurrent.futures", "ctypes", "datetime", "dis", "email", "http.client", "inspect",
    "ipaddress", "logging", "multiprocessing", "random", "sqlite3", "subprocess", "tarfile", "tempfile",
    "traceback", "unittest", "urllib.parse", "urllib.request", "xml", "yaml",
}  # fmt: skip
STANDARD = {
    "__main__", "abc", "array", "base64", "binascii", "builtins", "bz2", "codecs", "collections", "collections.abc",
    "contextlib", "copy", "copyreg", "dataclasses", "encodings", "encodings.aliases", "encodings.ascii",
    "encodings.latin_1", "encodings.utf_8", "enum", "errno", "fcntl", "fnmatch", "functools", "gc", "genericpath",
    "hashlib", "importlib", "importlib._abc", "importlib._bootstrap", "importlib._bootstrap_external",
    "importlib.abc", "importlib.machinery", "importlib.util", "io", "itertools", "json", "json.decoder",
    "json.encoder", "json.scanner", "keyword", "marshal", "math", "mmap", "ntpath", "opcode", "operator", "os",
    "os.path", "pathlib", "pkgutil", "posix", "posixpath", "re", "re._casefix", "re._compiler", "re._constants",
    "re._parser", "reprlib", "runpy", "select", "selectors", "signal", "socket", "ssl", "stat", "struct", "sys",
    "syslog", "threading", "time", "types", "typing", "typing.io", "typing.re", "urllib", "warnings", "weakref",
    "zipimport", "zlib",
}  # fmt: skip
"""Names with a leading underscore are the insides of these and are not listed."""
HOUSE = ("agent", "core", "node", "assets.model", "assets.normalise", "assets.collect", "runtime.model")
RUNTIME = (
    "runtime.normalise",
    "runtime.parts",
    "runtime.plan",
    "runtime.syscalls",
    "runtime.collect",
    "runtime.detect",
    "runtime.respond",
)


def loaded(tmp_path: Path) -> set[str]:
    """Modules after the resident's own start, with everything imported that its threads import."""
    code = (
        "from seawall.agent.resident import spare; spare()\n"
        "import seawall.agent.run, sys\n"
        "import seawall.runtime.collect.sensor, seawall.runtime.respond\n"
        "print(*sorted(sys.modules), sep='\\n')\n"
    )
    command = [sys.executable, *resident.command(tmp_path)[1:-3], "-c", code]
    out = subprocess.run(
        command, env=resident.environment(tmp_path), capture_output=True, text=True, timeout=30, check=True
    )
    return set(out.stdout.split())


def test_nothing_heavy_is_loaded(tmp_path):
    assert not loaded(tmp_path) & FORBIDDEN


def test_only_what_is_on_the_list(tmp_path):
    found = {name for name in loaded(tmp_path) if not name.split(".")[-1].startswith("_") or name == "__main__"}
    outside = {name for name in found if not name.startswith("seawall")}
    assert outside <= STANDARD, f"new modules: {sorted(outside - STANDARD)}; are they worth their memory?"
    rooms = {name.removeprefix("seawall.") for name in found if name.count(".") > 1}
    assert not {name for name in rooms if not name.startswith(HOUSE + RUNTIME)}


def test_nothing_comes_from_outside_the_standard_library(tmp_path):
    names = {name.split(".")[0] for name in loaded(tmp_path)}
    assert names - {"seawall"} <= set(sys.stdlib_module_names) | {"__main__"}


def test_environment_gives_memory_back(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    found = resident.environment(tmp_path)
    assert found["MALLOC_ARENA_MAX"] == "1"
    assert "PYTHONDONTWRITEBYTECODE" not in found
    assert found["PATH"] == os.environ["PATH"]
