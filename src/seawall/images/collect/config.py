"""An image's configuration: what runs, as whom, with what history. Source: OCI image specification, config.md.

Whoever built the image wrote it, so every value may be of any kind.
"""

import json
from typing import Any

from seawall.core.errors import Hostile
from seawall.images.model import ImageConfig, Layer

MAX_TEXT = 4096
MAX_VALUES = 2000
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


def config(found: dict[str, Any], id: str) -> ImageConfig:
    """The part that people and checks look at."""
    run = _object(found, "config")
    health = _object(run, "Healthcheck")
    return ImageConfig(
        id=id,
        created=_text(found, "created"),
        architecture=_text(found, "architecture"),
        os=_text(found, "os"),
        author=_text(found, "author"),
        user=_text(run, "User"),
        workdir=_text(run, "WorkingDir"),
        env=_texts(run.get("Env")),
        entrypoint=_texts(run.get("Entrypoint")),
        cmd=_texts(run.get("Cmd")),
        exposed=tuple(sorted(_texts(run.get("ExposedPorts")))),
        volumes=tuple(sorted(_texts(run.get("Volumes")))),
        labels={key[:MAX_TEXT]: str(value)[:MAX_TEXT] for key, value in list(_object(run, "Labels").items())[:200]},
        healthcheck=_texts(health["Test"]) if "Test" in health else None,
    )


def layers(found: dict[str, Any]) -> tuple[Layer, ...]:
    """As the history tells them, the empty ones too; without a history that fits just the real ones. Raises Hostile."""
    ids = _object(found, "rootfs").get("diff_ids")
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise Hostile("the configuration names no layers")
    if len(ids) > MAX_LAYERS:
        raise Hostile(f"{len(ids)} layers, the limit is {MAX_LAYERS}")
    history = found.get("history")
    steps = [step for step in history[:MAX_VALUES] if isinstance(step, dict)] if isinstance(history, list) else []
    if sum(not _empty(step) for step in steps) != len(ids):
        steps = [{} for _ in ids]
    rest = iter(ids)
    return tuple(
        Layer(index, "" if _empty(step) else next(rest)[:200], 0, _text(step, "created_by"), _empty(step))
        for index, step in enumerate(steps)
    )


def _empty(step: dict[str, Any]) -> bool:
    return step.get("empty_layer") is True


def _object(found: dict[str, Any], key: str) -> dict[str, Any]:
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    """Of a list, or of the names of an object."""
    values = list(value)[:MAX_VALUES] if isinstance(value, list | dict) else []
    return tuple(one[:MAX_TEXT] for one in values if isinstance(one, str))
