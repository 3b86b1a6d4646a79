"""What counts as a shell, under whatever name it runs, and whether it was told what to do."""

from seawall.runtime.detect.fields.form import basename
from seawall.runtime.model import Process

_NAMES = (
    "sh bash dash ash zsh ksh mksh csh tcsh fish rbash ksh93 rksh lksh pdksh oksh posh yash es rc sash hush osh elvish "
    "zsh5 zsh-static bash-static bash4 bash5 pwsh xonsh"
)
SHELLS = frozenset(_NAMES.split())


def is_shell(process: Process) -> bool:
    """By its file, its task or what it calls itself, as a static copy under another name must."""
    if basename(process.exe) in SHELLS or process.comm in SHELLS:
        return True
    args = process.args
    if not args:
        return False
    called = basename(args[0]).removeprefix("-")
    return called in SHELLS or (called == "busybox" and len(args) > 1 and args[1] in SHELLS)


def is_bare_shell(process: Process) -> bool:
    """A shell between pipes or socket pairs without a command (-c) or a script: somebody types into it."""
    ends = {found.type for found in process.stdio if found.number < 2}
    return bool(ends) and ends <= {"pipe", "unix"} and is_shell(process) and not has_command(process)


def has_command(process: Process) -> bool:
    """Whether a shell was given a command (-c) or a script: it does that and nothing else."""
    options = process.args[1:]
    if process.args and basename(process.args[0]) == "busybox":
        options = process.args[2:]
    return not all(option.startswith("-") and not ("c" in option and option[1:2] != "-") for option in options)
