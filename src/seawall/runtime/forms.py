"""Rules that people fill in as a form, written out as a native rule file of one rule, so that they can be seen."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seawall.core.errors import SeawallError
from seawall.runtime.model import Category, Kind
from seawall.runtime.scope import one_of, quoted

SYSCALLS: Mapping[str, Kind] = {
    "connect": Kind.CONNECT,
    "setns": Kind.SETNS,
    "unshare": Kind.UNSHARE,
    "ptrace": Kind.PTRACE,
    "mount": Kind.MOUNT,
}
"""System calls with an event of their own; all others come as `call`."""
NOT_HERE = {
    **dict.fromkeys(("execve", "execveat"), "name the program in its place"),
    **dict.fromkeys(("open", "openat", "openat2", "creat"), "name the file in its place"),
    **dict.fromkeys(("read", "write", "pread64", "pwrite64", "futex", "close"), "it happens too often to be watched"),
}


@dataclass(frozen=True, slots=True)
class Form:
    """What somebody filled in. Every list means "one of"; everything that is given must fit."""

    process: tuple[str, ...] = ()
    """Names or paths of the program, `*` and `?` for anything."""
    arguments: tuple[str, ...] = ()
    """Texts (or patterns) that the arguments hold."""
    parent: tuple[str, ...] = ()
    file: tuple[str, ...] = ()
    """Paths; a folder ends in `/`."""
    access: str = "write"
    """write, read or any: what is done to the file."""
    syscall: tuple[str, ...] = ()
    where: str = "container"
    """container, host or all."""
    category: str = ""
    """What it is about; "" for what is filled in: processes, files or system calls."""


def kinds(form: Form) -> tuple[Kind, ...]:
    """The events that such a rule is judged on. Raises SeawallError on a call that cannot be watched."""
    if form.syscall:
        for name in form.syscall:
            if name in NOT_HERE:
                raise SeawallError(f"{name} cannot be the system call of a rule", NOT_HERE[name])
        return tuple(dict.fromkeys(SYSCALLS.get(name, Kind.CALL) for name in form.syscall))
    if form.file:
        return {"write": (Kind.OPEN,), "read": (Kind.READ,), "any": (Kind.OPEN, Kind.READ)}[form.access]
    return (Kind.EXEC,)


def condition(form: Form) -> str:
    """The form as a condition. Raises SeawallError when nothing is filled in."""
    parts = []
    if form.syscall:
        parts.append(one_of("evt.type", form.syscall))
    if form.process:
        parts.append(_program(form.process, "proc.exepath", "proc.exename", "proc.name"))
    if form.arguments:
        parts.append(" or ".join(_argument(text) for text in form.arguments))
    if form.parent:
        parts.append(_program(form.parent, "proc.pexepath", "", "proc.pname"))
    if form.file:
        parts.append(" or ".join(_file(path) for path in form.file))
    if not parts:
        raise SeawallError("the rule is empty", "fill in a process, arguments, a parent, a file or a system call")
    places = {"container": ["container.id != host"], "host": ["container.id = host"], "all": []}
    return " and ".join(_bracketed([*places[form.where], *parts]))


def native(id: str, title: str, action: str, severity: str, form: Form) -> str:
    """The rule file of one rule. Raises SeawallError as `condition` and `kinds` do."""
    lines = [
        f"- rule: {id}",
        f"  title: {json.dumps(title, ensure_ascii=False)}",
        f"  category: {form.category or _category(form).value}",
        f"  severity: {severity}",
        f"  action: {action}",
        f"  kinds: [{', '.join(kind.value for kind in kinds(form))}]",
        f"  condition: {json.dumps(condition(form), ensure_ascii=False)}",
    ]
    return "\n".join(lines) + "\n"


def _category(form: Form) -> Category:
    if form.syscall:
        return Category.RISKY_SYSCALL
    return Category.FILE_TAMPERING if form.file else Category.ABNORMAL_PROCESS


def _bracketed(parts: Sequence[str]) -> list[str]:
    return [f"({part})" if " or " in part else part for part in parts]


def _program(values: Sequence[str], path: str, file: str, name: str) -> str:
    found = []
    paths = [value for value in values if "/" in value]
    bare = [value for value in values if "/" not in value]
    if paths:
        found.append(one_of(path, paths))
    if bare:
        found += [one_of(file, bare)] if file else []
        found.append(one_of(name, [value if "*" in value else value[:15] for value in bare]))
    return " or ".join(found)


def _argument(text: str) -> str:
    return f"proc.args glob {quoted(text)}" if set("*?") & set(text) else f"proc.args contains {quoted(text)}"


def _file(path: str) -> str:
    if not path.startswith("/"):
        return one_of("fd.filename", [path])
    return f"fd.name startswith {quoted(path)}" if path.endswith("/") else one_of("fd.name", [path])
