"""proc.*, user.*, group.* and thread.*: who did it."""

from typing import Any

from seawall.runtime.detect import names
from seawall.runtime.detect.fields.form import Field, Getter, ancestors, basename, of, of_ancestors, of_nth, of_parent
from seawall.runtime.model import Event, Process

_UP_TO = "a number: 1 is the parent, at most 32"


def _name(process: Process) -> str:
    return process.comm or basename(process.exe)[:15]


def _exepath(process: Process) -> str:
    return process.exe


def _cmdline(process: Process) -> str:
    return " ".join((_name(process), *process.args[1:]))


def _args(process: Process) -> str:
    return " ".join(process.args[1:])


def _first_argument(process: Process) -> str:
    return process.args[0] if process.args else process.exe


def _upper(process: Process) -> bool:
    return process.file is not None and process.file.upper


def _memfd(process: Process) -> bool:
    return process.file is not None and process.file.memfd


def _deleted(process: Process) -> bool:
    return process.file is not None and process.file.deleted


def _leader(process: Process) -> bool | None:
    return process.pgid == process.pid if process.pgid else None


def _session(process: Process) -> Process | None:
    """Who leads its session, if that is still known."""
    if process.sid == process.pid:
        return process
    return next((parent for parent in ancestors(process) if parent.pid == process.sid), None)


def _session_name(process: Process) -> str | None:
    leader = _session(process)
    return None if leader is None else _name(leader)


def _duration(event: Event) -> int | None:
    """Zero uptime is that of an event whose sensor did not tell."""
    return event.uptime - event.process.start if event.uptime else None


def _changed(event: Event) -> int | None:
    return (event.process.file.ctime or None) if event.process.file else None


def _modified(event: Event) -> int | None:
    return (event.process.file.mtime or None) if event.process.file else None


def _changed_before(event: Event) -> int | None:
    changed, duration = _changed(event), _duration(event)
    if changed is None or duration is None:
        return None
    return int(event.time * 1e9) - duration - changed


def _environment(process: Process) -> str | None:
    return None if process.env is None else " ".join(process.env)


def _variable(name: str) -> Getter:
    start = name + "="

    def get(event: Event) -> str | None:
        found = next((one for one in event.process.env or () if one.startswith(start)), None)
        return None if found is None else found[len(start) :]

    return get


def _user(process: Process) -> str | None:
    return process.user or ("root" if process.uid == 0 else None)


def _group(process: Process) -> str | None:
    return process.group or ("root" if process.gid == 0 else None)


def _login(process: Process) -> str | None:
    return process.login or ("root" if process.loginuid == 0 else None)


def _up(name: str, read: Any, about: str) -> Field:
    """A field of all ancestors, or with a number of the nth."""
    return Field(name, "many", of_ancestors(read), about, bind=of_nth(read), takes=_UP_TO)


ALL = (
    Field("proc.name", "text", of(_name), "the task's name, at most 15 characters"),
    Field("proc.exe", "text", of(_first_argument), "argument 0"),
    Field("proc.exepath", "text", of(_exepath), "the running file, resolved"),
    Field("proc.exename", "text", of(lambda p: basename(p.exe)), "last component of the running file"),
    Field("proc.args", "text", of(_args), "arguments after the first, joined by blanks"),
    Field("proc.nargs", "number", of(lambda p: max(0, len(p.args) - 1)), "number of arguments after the first"),
    Field("proc.cmdline", "text", of(_cmdline), "name and arguments"),
    Field("proc.cwd", "text", of(lambda p: p.cwd), "working directory"),
    Field(
        "proc.env",
        "text",
        of(_environment),
        "the environment's head, at most 1 KB, joined by blanks, or one variable; absent where it was not read",
        bind=_variable,
        takes="a variable's name",
    ),
    Field("proc.pid", "number", of(lambda p: p.pid), "process id on the host"),
    Field("proc.vpid", "number", of(lambda p: p.vpid), "process id inside its pid namespace"),
    Field("proc.ppid", "number", of(lambda p: p.ppid), "the parent's process id on the host"),
    Field("proc.sid", "number", of(lambda p: p.sid), "session id"),
    Field("proc.sname", "text", of(_session_name), "name of the session's leader, if it is among the ancestors"),
    Field("proc.is_vpgid_leader", "flag", of(_leader), "leads its process group; absent where that is not known"),
    Field("proc.tty", "number", of(lambda p: names.terminal(p.tty)), "device number of its terminal, 0 without"),
    Field("proc.has_tty", "flag", of(lambda p: bool(p.tty)), "has a controlling terminal"),
    Field("proc.duration", "number", _duration, "nanoseconds since its start"),
    Field("proc.is_exe_upper_layer", "flag", of(_upper), "the running file was written after the container's start"),
    Field("proc.is_exe_from_memfd", "flag", of(_memfd), "the running file exists in memory only"),
    Field("proc.is_exe_deleted", "flag", of(_deleted), "the running file was unlinked"),
    Field("proc.exe_ino.ctime", "number", _changed, "when the running file's inode last changed, in nanoseconds"),
    Field("proc.exe_ino.mtime", "number", _modified, "when the running file was last written, in nanoseconds"),
    Field(
        "proc.exe_ino.ctime_duration_proc_start",
        "number",
        _changed_before,
        "nanoseconds from the running file's last change to the process's start",
    ),
    Field("proc.by_exec", "flag", of(lambda p: p.by_exec), "entered by docker exec or kubectl exec"),
    Field("proc.pname", "text", of_parent(_name), "the parent's name"),
    Field("proc.pexe", "text", of_parent(_first_argument), "the parent's argument 0"),
    Field("proc.pexepath", "text", of_parent(_exepath), "the parent's running file"),
    Field("proc.pcmdline", "text", of_parent(_cmdline), "the parent's name and arguments"),
    _up("proc.aname", _name, "names of all ancestors, or of the nth"),
    _up("proc.aexepath", _exepath, "running files of all ancestors, or of the nth"),
    _up("proc.aexe", _first_argument, "arguments 0 of all ancestors, or of the nth"),
    Field("user.uid", "number", of(lambda p: p.uid), "real user id"),
    Field("user.euid", "number", of(lambda p: p.euid), "effective user id"),
    Field("user.name", "text", of(_user), "name of the real user; absent where it was not looked up"),
    Field("user.loginuid", "number", of(lambda p: p.loginuid), "login user id, -1 when never set"),
    Field("user.loginname", "text", of(_login), "name of the login user; absent where it was not looked up"),
    Field("group.gid", "number", of(lambda p: p.gid), "real group id"),
    Field("group.name", "text", of(_group), "name of the real group; absent where it was not looked up"),
    Field("thread.cap_effective", "text", of(lambda p: names.capabilities(p.caps)), "effective capabilities"),
    Field("thread.cap_permitted", "text", of(lambda p: names.capabilities(p.permitted)), "permitted capabilities"),
)
