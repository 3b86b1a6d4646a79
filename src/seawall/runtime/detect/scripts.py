"""Which script an interpreter was given: the file that matters when the running program is only its reader."""

import posixpath

from seawall.runtime.detect.fields import basename
from seawall.runtime.detect.shells import is_shell
from seawall.runtime.model import Process

_INTERPRETERS = (
    "sh bash dash ash zsh ksh mksh csh tcsh fish rbash busybox perl ruby node nodejs php lua tclsh awk gawk mawk"
)
INTERPRETERS = frozenset(_INTERPRETERS.split())
_FAMILIES = ("python", "pypy", "php", "perl5", "ruby", "ld-linux", "ld-musl", "ld.so")
"""The dynamic loader too: it runs what it is given."""
_NO_FILE = ("-c", "-e", "-E", "-m", "-r", "-n", "--eval", "--command")
"""Options after which the program is on the command line, in a module, or nowhere."""


def is_interpreter(process: Process) -> bool:
    """By the name of the running file: a shell, Python, Perl, Ruby, Node, PHP …"""
    name = basename(process.exe)
    return name in INTERPRETERS or name.startswith(_FAMILIES)


def script_of(process: Process) -> str:
    """The absolute path of the script that the process interprets, as far as its arguments tell, or ""."""
    if not is_interpreter(process) or (basename(process.exe) == "busybox" and not is_shell(process)):
        return ""
    options = process.args[1:]
    if basename(process.exe) == "busybox" and process.args and basename(process.args[0]) == "busybox":
        options = process.args[2:]
    for option in options:
        if option.startswith(_NO_FILE) or (option.startswith("-") and option.endswith("c") and option[1:2] != "-"):
            return ""
        if not option.startswith("-"):
            return _absolute(option, process.cwd)
    return ""


def _absolute(path: str, cwd: str) -> str:
    if path.startswith("/"):
        return "" if path.startswith(("/dev/", "/proc/")) and not path.startswith("/dev/shm/") else path  # noqa: S108
    return posixpath.normpath(posixpath.join(cwd, path)) if cwd.startswith("/") else ""
