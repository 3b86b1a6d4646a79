"""Secrets on command lines: they must not leave the node inside an alert."""

import re
from collections.abc import Iterator, Sequence

HIDDEN = "***"
MAX_ARGUMENT = 1024
MAX_ARGUMENTS = 64

_WORD = r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credentials?)"
_ASSIGNED = re.compile(rf"(?i)((?:^|[\s;&\"'])-{{0,2}}[\w.-]*{_WORD}[\w-]*\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s;&\"']+)")
_OPTION = re.compile(rf"(?i)^--?[\w-]*{_WORD}[\w-]*$")
_SPACED = re.compile(rf"(?i)((?:^|\s)--?[\w-]*{_WORD}[\w-]*\s+)([^\s-]\S*)")
_URL = re.compile(r"([a-zA-Z][\w+.-]*://[^\s/:@]*:)([^\s/@]+)@")
_HEADER = re.compile(r"(?i)((?:authorization|x-[\w-]*(?:token|key))\s*:\s*(?:bearer |basic )?)([^\s\"']+)")
_SHORT = {"mysql": "-p", "mysqldump": "-p", "mysqladmin": "-p", "mariadb": "-p", "sshpass": "-p", "redis-cli": "-a"}
"""Programs whose short option carries a password, attached or as the next argument."""


def arguments(values: Sequence[str]) -> list[str]:
    """The arguments of a process with what looks like a password replaced by `***`, and cut to a sane size."""
    return list(_hide(values[:MAX_ARGUMENTS]))


def text(value: str) -> str:
    """One string, for instance a whole command line."""
    value = value[: MAX_ARGUMENT * 4]
    value = _URL.sub(rf"\1{HIDDEN}@", value)
    value = _HEADER.sub(rf"\1{HIDDEN}", value)
    value = _ASSIGNED.sub(rf"\1{HIDDEN}", value)
    return _SPACED.sub(rf"\1{HIDDEN}", value)


def _hide(values: Sequence[str]) -> Iterator[str]:
    short = _SHORT.get(values[0].rpartition("/")[2]) if values else None
    next_is_secret = False
    for place, value in enumerate(values):
        cut = value[:MAX_ARGUMENT]
        if next_is_secret and not cut.startswith("-"):
            yield HIDDEN
            next_is_secret = False
        elif short and place and cut.startswith(short):
            next_is_secret = cut == short and short != "-p"
            yield cut if cut == short else short + HIDDEN
        else:
            next_is_secret = bool(_OPTION.match(cut))
            yield text(cut)
