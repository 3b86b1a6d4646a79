"""Facts as plain JSON and back. What comes from an agent is hostile: the form is checked, sizes are limited."""

from collections.abc import Mapping
from typing import Any

from seawall.baseline.model import Asset, Fact, Facts
from seawall.core.errors import Hostile

MAX_FACTS = 200
MAX_TEXT = 1000
MAX_ITEMS = 500
"""Members of one list or object of a fact."""
MAX_DEPTH = 6
KINDS = ("docker_host", "container")


def clean(value: Any, depth: int = 0) -> Any:
    """A value that JSON, databases and terminals all take: names in images and paths may hold any byte."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "?")[:MAX_TEXT]
    if isinstance(value, list | tuple):
        return [clean(one, depth + 1) for one in value[:MAX_ITEMS]] if depth < MAX_DEPTH else "…"
    if isinstance(value, dict):
        items = list(value.items())[:MAX_ITEMS] if depth < MAX_DEPTH else []
        return {clean(str(key)): clean(one, depth + 1) for key, one in items}
    return value if value is None or isinstance(value, bool | int | float) else clean(str(value))


def plain(facts: Facts) -> dict[str, Any]:
    """As it goes over the wire and into the database."""
    asset = facts.asset
    return {
        "asset": {"kind": asset.kind, "id": asset.id, "name": asset.name, "host": asset.host},
        "facts": {
            name: {"value": fact.value, "where": fact.where, "error": fact.error} for name, fact in facts.facts.items()
        },
        "collected_at": facts.collected_at,
    }


def parse(value: Mapping[str, Any]) -> Facts:
    """The other way. Raises Hostile when it is no such thing."""
    asset, facts = value.get("asset"), value.get("facts")
    if not isinstance(asset, dict) or not isinstance(facts, dict) or len(facts) > MAX_FACTS:
        raise Hostile(f"facts are an asset and at most {MAX_FACTS} facts")
    texts = [str(text) for key in ("kind", "id", "name", "host") if isinstance(text := asset.get(key), str)]
    if len(texts) != 4 or any(len(text) > MAX_TEXT for text in texts) or texts[0] not in KINDS:
        raise Hostile("an asset has kind, id, name and host")
    found = {str(name)[:64]: _fact(fact) for name, fact in facts.items()}
    return Facts(Asset(*texts), found, str(value.get("collected_at") or "")[:32])


def _fact(value: Any) -> Fact:
    if not isinstance(value, dict) or "value" not in value:
        raise Hostile("a fact has a value and where it was read")
    return Fact(
        clean(value["value"]), str(value.get("where") or "")[:MAX_TEXT], str(value.get("error") or "")[:MAX_TEXT]
    )
