"""An image's configuration: what runs, as whom, with what history. Source: OCI image specification, config.md.

Whoever built the image wrote it, so every value may be of any kind.
"""

import json
from typing import Any

from seawall.core.errors import Hostile
from seawall.images.model import ImageConfig, Layer

MAX_TEXTS = 100_000
"""Characters of all texts of a configuration, and of all steps of its history; honest ones have a tenth."""
MAX_STEPS = 1000
MAX_LAYERS = 1000


def parse(data: bytes) -> dict[str, Any]:
    """The object that the bytes hold. Raises Hostile when they hold none."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Hostile(f"it is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Hostile("it is no JSON object")
    return found


class Texts:
    """Takes texts from values of any kind, cut where the room ends."""

    def __init__(self) -> None:
        self._left = MAX_TEXTS

    def one(self, found: dict[str, Any], key: str) -> str:
        """A text, else nothing."""
        value = found.get(key)
        return self._cut(value) if isinstance(value, str) else ""

    def many(self, value: Any) -> tuple[str, ...]:
        """Those of a list, or the names of an object."""
        values = value if isinstance(value, list | dict) else []
        return tuple(self._cut(one) for one in values if isinstance(one, str) and self._left > 0)

    def pairs(self, found: dict[str, Any]) -> dict[str, str]:
        """Names and values."""
        return {self._cut(key): self._cut(str(value)) for key, value in found.items() if self._left > 0}

    def _cut(self, text: str) -> str:
        text = text[: max(self._left, 0)]
        self._left -= len(text) + 10
        return text


def config(found: dict[str, Any], id: str) -> ImageConfig:
    """The part that people and checks look at."""
    run = _object(found, "config")
    health = _object(run, "Healthcheck")
    texts = Texts()
    return ImageConfig(
        id=id,
        created=texts.one(found, "created"),
        architecture=texts.one(found, "architecture"),
        os=texts.one(found, "os"),
        user=texts.one(run, "User"),
        workdir=texts.one(run, "WorkingDir"),
        entrypoint=texts.many(run.get("Entrypoint")),
        cmd=texts.many(run.get("Cmd")),
        healthcheck=texts.many(health["Test"]) if "Test" in health else None,
        shell=texts.many(run.get("Shell")),
        stop_signal=texts.one(run, "StopSignal"),
        on_build=texts.many(run.get("OnBuild")),
        exposed=tuple(sorted(texts.many(run.get("ExposedPorts")))),
        volumes=tuple(sorted(texts.many(run.get("Volumes")))),
        env=texts.many(run.get("Env")),
        author=texts.one(found, "author"),
        labels=texts.pairs(_object(run, "Labels")),
    )


def layers(found: dict[str, Any]) -> tuple[Layer, ...]:
    """As the history tells them, the empty ones too; without a history that fits just the real ones. Raises Hostile."""
    ids = _object(found, "rootfs").get("diff_ids")
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise Hostile("the configuration names no layers")
    if len(ids) > MAX_LAYERS:
        raise Hostile(f"{len(ids)} layers, the limit is {MAX_LAYERS}")
    history = found.get("history")
    steps = [step for step in history[:MAX_STEPS] if isinstance(step, dict)] if isinstance(history, list) else []
    if sum(not _empty(step) for step in steps) != len(ids):
        steps = [{} for _ in ids]
    rest = iter(ids)
    texts = Texts()
    return tuple(
        Layer(index, "" if _empty(step) else next(rest)[:80], 0, texts.one(step, "created_by"), _empty(step))
        for index, step in enumerate(steps)
    )


def _empty(step: dict[str, Any]) -> bool:
    return step.get("empty_layer") is True


def _object(found: dict[str, Any], key: str) -> dict[str, Any]:
    value = found.get(key)
    return value if isinstance(value, dict) else {}
