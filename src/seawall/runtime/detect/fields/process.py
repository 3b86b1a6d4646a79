"""proc.*, user.*, group.* and thread.*: who did it."""

from seawall.runtime.detect import names
from seawall.runtime.detect.fields.form import Field, basename, of, of_ancestors, of_nth, of_parent
from seawall.runtime.model import Process


def _name(process: Process) -> str:
    return process.comm or basename(process.exe)[:15]


def _exepath(process: Process) -> str:
    return process.exe


def _cmdline(process: Process) -> str:
    return " ".join((_name(process), *process.args[1:]))


def _first_argument(process: Process) -> str:
    return process.args[0] if process.args else process.exe


def _upper(process: Process) -> bool:
    return process.file is not None and process.file.upper


def _memfd(process: Process) -> bool:
    return process.file is not None and process.file.memfd


def _deleted(process: Process) -> bool:
    return process.file is not None and process.file.deleted


ALL = (
    Field("proc.name", "text", of(_name), "the task's name, at most 15 characters"),
    Field("proc.exe", "text", of(_first_argument), "argument 0"),
    Field("proc.exepath", "text", of(_exepath), "the running file, resolved"),
    Field("proc.exename", "text", of(lambda p: basename(p.exe)), "last component of the running file"),
    Field("proc.args", "text", of(lambda p: " ".join(p.args[1:])), "arguments after the first, joined by blanks"),
    Field("proc.nargs", "number", of(lambda p: max(0, len(p.args) - 1)), "number of arguments after the first"),
    Field("proc.cmdline", "text", of(_cmdline), "name and arguments"),
    Field("proc.cwd", "text", of(lambda p: p.cwd), "working directory"),
    Field("proc.pid", "number", of(lambda p: p.pid), "process id on the host"),
    Field("proc.vpid", "number", of(lambda p: p.vpid), "process id inside its pid namespace"),
    Field("proc.ppid", "number", of(lambda p: p.ppid), "the parent's process id on the host"),
    Field("proc.sid", "number", of(lambda p: p.sid), "session id"),
    Field("proc.has_tty", "flag", of(lambda p: bool(p.tty)), "has a controlling terminal"),
    Field("proc.is_exe_upper_layer", "flag", of(_upper), "the running file was written after the container's start"),
    Field("proc.is_exe_from_memfd", "flag", of(_memfd), "the running file exists in memory only"),
    Field("proc.is_exe_deleted", "flag", of(_deleted), "the running file was unlinked"),
    Field("proc.by_exec", "flag", of(lambda p: p.by_exec), "entered by docker exec or kubectl exec"),
    Field("proc.pname", "text", of_parent(_name), "the parent's name"),
    Field("proc.pexe", "text", of_parent(_first_argument), "the parent's argument 0"),
    Field("proc.pexepath", "text", of_parent(_exepath), "the parent's running file"),
    Field("proc.pcmdline", "text", of_parent(_cmdline), "the parent's name and arguments"),
    Field("proc.aname", "many", of_ancestors(_name), "names of all ancestors, or of the nth", nth=of_nth(_name)),
    Field(
        "proc.aexepath",
        "many",
        of_ancestors(_exepath),
        "running files of all ancestors, or of the nth",
        nth=of_nth(_exepath),
    ),
    Field(
        "proc.aexe",
        "many",
        of_ancestors(_first_argument),
        "arguments 0 of all ancestors, or of the nth",
        nth=of_nth(_first_argument),
    ),
    Field("user.uid", "number", of(lambda p: p.uid), "real user id"),
    Field("user.euid", "number", of(lambda p: p.euid), "effective user id"),
    Field("user.loginuid", "number", of(lambda p: p.loginuid), "login user id, -1 when never set"),
    Field("group.gid", "number", of(lambda p: p.gid), "real group id"),
    Field("thread.cap_effective", "text", of(lambda p: names.capabilities(p.caps)), "effective capabilities"),
)
