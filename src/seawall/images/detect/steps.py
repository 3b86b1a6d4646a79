"""The steps by which an image is built, from a Dockerfile or from an image's history. Pure, and nothing is executed.

Source of the forms: https://docs.docker.com/reference/dockerfile/; history as the classic builder writes it
("/bin/sh -c #(nop) …"), and as BuildKit does ("RUN … # buildkit").
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seawall.core.errors import Hostile
from seawall.images.model import Layer

MAX_BYTES = 1 << 20
MAX_STEPS = 5000
WORDS = frozenset({
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD",
    "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
})  # fmt: skip
_DIRECTIVE = re.compile(r"#\s*(\w+)\s*=\s*(\S+)\s*$")
_HEREDOC = re.compile(r"<<(-?)([\"']?)(\w+)\2")
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=(\"[^\"]*\"|'[^']*'|\S*))?(?:\s+|$)")
_NOP = re.compile(r"^/bin/sh -c #\(nop\)\s+")
_ARGS = re.compile(r"^\|(\d+) ")
_SHELL = re.compile(r"^(?:/usr)?/bin/(?:(?:ba|a|da)?sh|busybox sh)(?: -o \w+| -[a-z]+)* ")
_MARK = re.compile(r"\s*# buildkit$")
_FILES = re.compile(r"^(?:file|dir|multi):[0-9a-f]{64} in ")


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction."""

    word: str
    """RUN, FROM …; as written when it is none of WORDS."""
    text: str
    """What follows, its lines joined, without flags."""
    flags: tuple[tuple[str, str], ...] = ()
    line: int = 0
    """Of a Dockerfile, from 1."""
    layer: int = -1
    """Index of an image's layer."""
    stage: int = 0
    base: bool = False
    """Of the image that this one is built on."""
    arguments: tuple[str, ...] = ()
    """Names and values of build arguments, which the history of RUN tells."""

    @property
    def listed(self) -> tuple[str, ...] | None:
        """The words, when they are a JSON list: started without a shell."""
        if not self.text.startswith("["):
            return None
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError):
            return None
        return tuple(found) if isinstance(found, list) and all(isinstance(one, str) for one in found) else None


def dockerfile(data: bytes) -> tuple[Step, ...]:
    """All steps of a Dockerfile, in order. Raises Hostile on what is none."""
    if len(data) > MAX_BYTES:
        raise Hostile(f"{len(data)} bytes, a Dockerfile may have {MAX_BYTES}")
    lines = data.decode("utf-8-sig", "replace").splitlines()
    steps: list[Step] = []
    stage = -1
    for number, text in _instructions(lines, _escape(lines)):
        word, _, rest = text.partition(" ")
        stage += word.upper() == "FROM"
        flags, rest = _flags(rest.strip())
        steps.append(Step(_word(word), rest, flags, number, stage=max(stage, 0)))
        if len(steps) > MAX_STEPS:
            raise Hostile(f"more than {MAX_STEPS} instructions")
    if not any(one.word in WORDS for one in steps):
        raise Hostile("this is no Dockerfile: it has no instruction")
    return tuple(steps)


def history(layers: Sequence[Layer]) -> tuple[Step, ...]:
    """The steps that an image's history tells; a layer without a word is none."""
    found = []
    for layer in layers:
        step = _told(layer.created_by.strip())
        if step is not None:
            word, text, flags, arguments = step
            found.append(Step(word, text, flags, 0, layer.index, 0, layer.base, arguments))
    return tuple(found)


def _word(word: str) -> str:
    return word.upper() if word.upper() in WORDS else word


def _escape(lines: Sequence[str]) -> str:
    for line in lines:
        directive = _DIRECTIVE.match(line.strip())
        if directive is None:
            break
        if directive[1].lower() == "escape" and directive[2] in ("`", "\\"):
            return directive[2]
    return "\\"


def _instructions(lines: Sequence[str], escape: str) -> Iterator[tuple[int, str]]:
    """Each with the number of its first line; comments and empty lines between its lines are no part of it."""
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        at += 1
        if not line or line.startswith("#"):
            continue
        first, parts = at, [line]
        while parts[-1].endswith(escape) and at < len(lines):
            parts[-1] = parts[-1][:-1].rstrip()
            while at < len(lines) and (not lines[at].strip() or lines[at].strip().startswith("#")):
                at += 1
            if at < len(lines):
                parts.append(lines[at].strip())
                at += 1
        text = re.sub(r"^(\S+)\s+", r"\1 ", " ".join(parts))
        if text.partition(" ")[0].upper() in ("RUN", "COPY", "ADD"):
            bodies, at = _heredocs(text, lines, at)
            text = "\n".join([text, *bodies])
        yield first, text


def _heredocs(text: str, lines: Sequence[str], at: int) -> tuple[list[str], int]:
    bodies = []
    for found in _HEREDOC.finditer(text):
        while at < len(lines):
            line = lines[at].lstrip("\t") if found[1] else lines[at]
            at += 1
            if line == found[3]:
                break
            bodies.append(line)
    return bodies, at


def _flags(text: str) -> tuple[tuple[tuple[str, str], ...], str]:
    flags: list[tuple[str, str]] = []
    at = 0
    while (found := _FLAG.match(text, at)) is not None and len(flags) < 50:
        flags.append((found[1], (found[2] or "").strip("\"'")))
        at = found.end()
    return tuple(flags), text[at:]


def _told(text: str) -> tuple[str, str, tuple[tuple[str, str], ...], tuple[str, ...]] | None:
    """Word, text, flags and build arguments of one line of a history."""
    if _NOP.match(text):
        word, _, rest = _NOP.sub("", text).partition(" ")
        rest = _FILES.sub("", rest.strip())
    else:
        text = _MARK.sub("", text)
        word, _, rest = text.partition(" ")
        if word.upper() not in WORDS:
            if not _ARGS.match(text) and not _SHELL.match(text):
                return None  # other builders' own words
            word, rest = "RUN", text
    if not rest.strip():
        return None
    word, rest = word.upper(), rest.strip()
    arguments: tuple[str, ...] = ()
    if word == "RUN":
        arguments, rest = _arguments(rest)
        rest = _SHELL.sub("", rest)
    flags, rest = _flags(rest)
    return (word, rest, flags, arguments) if word in WORDS else None


def _arguments(text: str) -> tuple[tuple[str, ...], str]:
    """`|2 A=b C=d /bin/sh -c …`: how many arguments, then these. A value may hold blanks: up to the shell it is cut."""
    counted = _ARGS.match(text)
    if counted is None:
        return (), text
    head, shell, behind = text[counted.end() :].partition(" /bin/")
    if not shell:
        return (), text
    values = re.split(r" (?=[A-Za-z_]\w*=)", head)
    return tuple(values[: int(counted[1][:3])]), f"/bin/{behind}"
