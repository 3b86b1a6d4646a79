"""What a check of an image's configuration is, and what it looks at. Pure: an image and its Dockerfile come in as values."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from seawall.core.severity import Severity
from seawall.images.detect.shell import Command, commands
from seawall.images.detect.steps import Step
from seawall.images.model import ImageConfig, Inventory, Package

MAX_SEEN = 20
"""Places that one check tells of."""
MAX_EVIDENCE = 200
_PASSWORDS = re.compile(
    r"(?i)(\b[\w-]*(?:pass|passwd|password|pwd|token|secret|key|auth)[\w-]*[=:]\s?)(\"[^\"]*\"|'[^']*'|[^\s;&|]+)"
)
_APART = re.compile(
    r"(?i)(^(?:ENV|ARG|LABEL) \S*(?:pass|pwd|token|secret|key|auth)\S* +|\s(?:-p|--pass\w*|--token)[ =]+)(?!\S*=)\S+"
)
_IN_URL = re.compile(r"(://)[^/\s:@]*:?[^/\s@]*@")
_USER = re.compile(r"((?:^|\s)(?:-u|--user)[ =]?\S{0,60}?:)\S+")


class Outcome(StrEnum):
    """The three answers."""

    PASS = "pass"  # noqa: S105 - an answer
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Seen:
    """One place where it is not as it should be."""

    evidence: str
    layer: int = -1
    line: int = 0


@dataclass(frozen=True)
class Subject:
    """An image, or a Dockerfile with the image that it would make."""

    config: ImageConfig
    steps: tuple[Step, ...]
    """All of them, those of the base image too. Empty: nobody tells."""
    image: Inventory | None = None
    """None: there is only a Dockerfile."""
    now: float = 0.0
    """Seconds since the epoch."""

    @cached_property
    def own(self) -> tuple[Step, ...]:
        """Without the base image's: what its builder can mend."""
        return tuple(step for step in self.steps if not step.base)

    @cached_property
    def runs(self) -> tuple[tuple[Step, tuple[Command, ...]], ...]:
        """Each RUN with its commands."""
        return tuple(
            (step, commands(" ".join(step.listed) if step.listed else step.text))
            for step in self.own
            if step.word == "RUN"
        )

    @cached_property
    def packages(self) -> tuple[Package, ...]:
        """Those of the distribution, which alone have names that say what they do."""
        return (
            tuple(one for one in self.image.packages if one.kind in ("deb", "apk", "rpm", "alpm")) if self.image else ()
        )

    @cached_property
    def env(self) -> tuple[tuple[str, str], ...]:
        """Names and values."""
        return tuple((name, value) for name, _, value in (one.partition("=") for one in self.config.env))

    def every(self) -> Iterator[tuple[Step, Command]]:
        """Each command of each RUN."""
        for step, found in self.runs:
            for command in found:
                yield step, command

    def of(self, *words: str) -> tuple[Step, ...]:
        """The own steps of these words."""
        return tuple(step for step in self.own if step.word in words)


Judge = Callable[[Subject], Iterable[Seen] | None]
"""The places where it is wrong; none: it is right. None: it cannot be asked of this subject."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question to an image."""

    id: str
    severity: Severity
    judge: Judge
    en: tuple[str, str, str]
    """Title (what is wrong), why that matters, how to mend it."""
    zh: tuple[str, str, str]
    refs: tuple[str, ...] = ()
    """What others call it: "CIS 4.1" (CIS Docker benchmark), "DL3002" (hadolint), "CIS-DI-0001" and "DKL-…" (Dockle)."""


def shown(text: str) -> str:
    """One line without control characters and without what looks like a password."""
    text = _USER.sub(r"\1***", _IN_URL.sub(r"\1***@", _APART.sub(r"\1***", _PASSWORDS.sub(r"\1***", text[:4000]))))
    line = "".join(char if char.isprintable() else " " for char in text).strip()
    return line if len(line) <= MAX_EVIDENCE else f"{line[: MAX_EVIDENCE - 1]}…"


def at(step: Step, text: str = "") -> Seen:
    """A step as the evidence; `text`: the part of it that matters."""
    return Seen(shown(f"{step.word} {text or step.text}"), step.layer, step.line)


def in_command(step: Step, command: Command) -> Seen:
    """A command of a RUN as the evidence."""
    chain = [command]
    while chain[0].source is not None and len(chain) < 4:
        chain.insert(0, chain[0].source)
    return at(step, " | ".join(" ".join((*one.before, *one.words)) for one in chain))


def any_command(test: Callable[[Command], bool]) -> Judge:
    """A check that asks every command of every RUN."""

    def judge(subject: Subject) -> Iterable[Seen] | None:
        if not subject.runs:
            return None
        return [in_command(step, one) for step, one in subject.every() if test(one)]

    return judge


def installed(*names: str) -> Judge:
    """A check that some packages of the distribution are not there."""
    wanted = frozenset(names)

    def judge(subject: Subject) -> Iterable[Seen] | None:
        if not subject.packages:
            return None
        return [
            Seen(shown(f"{one.name} {one.version}"), one.locations[0].layer if one.locations else -1)
            for one in subject.packages
            if one.name in wanted
        ]

    return judge
