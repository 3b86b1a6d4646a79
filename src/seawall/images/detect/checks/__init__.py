"""Checks of an image's configuration, one file a group. A new group is a file and a line in GROUPS."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from seawall.images.detect import shell
from seawall.images.detect.checks import (
    contents,
    downloads,
    environment,
    instructions,
    metadata,
    network,
    packaging,
    start,
    user,
)
from seawall.images.detect.checks.check import MAX_SEEN, Check, Outcome, Seen, Subject
from seawall.images.detect.steps import WORDS, Step, history
from seawall.images.model import ImageConfig, Inventory, Risk

GROUPS: Mapping[str, tuple[Check, ...]] = {
    "user": user.CHECKS,
    "environment": environment.CHECKS,
    "network": network.CHECKS,
    "start": start.CHECKS,
    "packaging": packaging.CHECKS,
    "downloads": downloads.CHECKS,
    "instructions": instructions.CHECKS,
    "metadata": metadata.CHECKS,
    "contents": contents.CHECKS,
}
"""The name of a group is its findings' category."""
CHECKS: Mapping[str, Check] = {check.id: check for group in GROUPS.values() for check in group}
VERSION = hashlib.sha256("".join(f"{one.id}{one.severity}{one.en}" for one in CHECKS.values()).encode()).hexdigest()[
    :12
]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one check."""

    check: str
    category: str
    outcome: Outcome
    seen: tuple[Seen, ...] = ()


def results(subject: Subject) -> tuple[Result, ...]:
    """Every check's answer, in the order of the groups."""
    return tuple(_ask(name, check, subject) for name, group in GROUPS.items() for check in group)


def risks(answers: Iterable[Result], path: str = "") -> tuple[Risk, ...]:
    """What failed, as findings, the worst first."""
    found = [
        Risk(
            one.check,
            CHECKS[one.check].en[0],
            CHECKS[one.check].severity,
            one.category,
            seen.evidence,
            path,
            seen.layer,
            seen.line,
        )
        for one in answers
        for seen in one.seen
    ]
    return tuple(sorted(found, key=lambda one: -one.severity.rank))


def of_image(inventory: Inventory, now: float) -> Subject:
    """What checks see of an image."""
    return Subject(inventory.config, history(inventory.layers), inventory, now)


def of_dockerfile(steps: tuple[Step, ...]) -> Subject:
    """What checks see of a Dockerfile: the image that its last stage would make, as far as the file tells."""
    config = ImageConfig("")
    stages: dict[str, ImageConfig] = {}
    name = ""
    for step in steps:
        if step.word == "FROM":
            stages[name] = config
            words = step.text.split()
            config = stages.get(words[0].lower(), ImageConfig("")) if words else ImageConfig("")
            name = words[2].lower() if len(words) > 2 else ""
        else:
            config = _applied(config, step)
    return Subject(config, steps)


def _ask(group: str, check: Check, subject: Subject) -> Result:
    found = check.judge(subject)
    if found is None:
        return Result(check.id, group, Outcome.NOT_APPLICABLE)
    seen = tuple(_placed(subject, one) for one in dict.fromkeys(found))[:MAX_SEEN]
    return Result(check.id, group, Outcome.FAIL if seen else Outcome.PASS, seen)


def _placed(subject: Subject, seen: Seen) -> Seen:
    """What was seen in the configuration has its place where a step says so."""
    if seen.layer >= 0 or seen.line:
        return seen
    word, _, rest = seen.evidence.partition(" ")
    token = rest.partition("=")[0].split(" ")[0]
    if word in WORDS and token:
        for step in reversed(subject.steps):
            if step.word == word and token in step.text:
                return replace(seen, layer=step.layer, line=step.line)
    return seen


def _applied(config: ImageConfig, step: Step) -> ImageConfig:
    text = step.text.strip()
    match step.word:
        case "USER":
            return replace(config, user=text)
        case "WORKDIR":
            return replace(config, workdir=text)
        case "STOPSIGNAL":
            return replace(config, stop_signal=text)
        case "EXPOSE":
            return replace(config, exposed=(*config.exposed, *text.split()))
        case "VOLUME":
            return replace(config, volumes=(*config.volumes, *(step.listed or text.split())))
        case "ONBUILD":
            return replace(config, on_build=(*config.on_build, text))
        case _:
            return _started(config, step, text)


def _started(config: ImageConfig, step: Step, text: str) -> ImageConfig:
    words = step.listed if step.listed is not None else ("/bin/sh", "-c", text)
    match step.word:
        case "SHELL":
            return replace(config, shell=step.listed or ())
        case "ENTRYPOINT":
            return replace(config, entrypoint=words)
        case "CMD":
            return replace(config, cmd=words)
        case "HEALTHCHECK":
            return replace(config, healthcheck=tuple(text.split()))
        case "ENV":
            return replace(config, env=(*config.env, *(f"{name}={value}" for name, value in pairs(text))))
        case "LABEL":
            return replace(config, labels={**config.labels, **dict(pairs(text))})
        case _:
            return config


def pairs(text: str) -> list[tuple[str, str]]:
    """`A=b C="d e"`, and the older `A b c`."""
    words = shell.words(text)
    if words and "=" not in words[0]:
        name, _, value = text.partition(" ")
        return [(name, value.strip())]
    return [(name, value) for name, equals, value in (one.partition("=") for one in words) if equals]
