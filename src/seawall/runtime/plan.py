"""The compiled plan as plain JSON: how it travels from the server to the node and lies on the node's disk.

Standard library only: the agent reads plans, it never compiles them (load.py does, from YAML).
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from seawall.core import pieces
from seawall.core.errors import Hostile, SeawallError
from seawall.core.ids import content_hash
from seawall.core.plain import to_plain
from seawall.core.severity import Severity
from seawall.runtime.detect import indicators
from seawall.runtime.model import Category, Kind, Plan, Profile, Rule, Waiver
from seawall.runtime.parts import Unfolded, fold

FORM = 2
"""Of the encoded plan; a node refuses a form it does not know."""
MAX_BYTES = 4 << 20
MAX_RULES = 5000
MAX_WAIVERS, MAX_PROFILES, MAX_PROGRAMS = 1000, 1000, 5000
LONG = ("parts", "rules")
"""Arrays of an encoded plan that are better read item by item (core/pieces.py); `decode` takes them so."""
MODES = ("discover", "monitor", "protect")
_ALWAYS = ("id", "action", "kinds", "merge_by")
_DEFAULTS: Mapping[str, Any] = {
    name: list(field.default) if isinstance(field.default, tuple) else field.default
    for name, field in Rule.__dataclass_fields__.items()
}
_MERGE_BY: tuple[str, ...] = tuple(_DEFAULTS["merge_by"])
PACKAGED = Path(__file__).parent / "rules" / "plan.json"
"""The plan of the packaged rules, written at build time: the node works by it until the server sends another."""


def encode(plan: Plan) -> dict[str, Any]:
    """The plan as a JSON object; `decode` is the inverse. What rules leave as it is, and share, is not repeated."""
    parts, conditions = fold(rule.when for rule in plan.rules)
    return {
        "form": FORM,
        "version": plan.version,
        "parts": parts,
        "rules": [_bare(rule, when) for rule, when in zip(plan.rules, conditions, strict=True)],
        "lists": {name: list(items) for name, items in plan.lists.items()},
        "filters": to_plain(dict(plan.filters)),
        "waivers": [to_plain(waiver) for waiver in plan.waivers],
        "profiles": {
            image: {"mode": profile.mode, "programs": sorted(profile.programs)}
            for image, profile in plan.profiles.items()
        },
        "indicators": indicators.encode(plan.indicators),
    }


def decode(value: Mapping[str, Any]) -> Plan:
    """The plan in a JSON object. Raises Hostile naming the first thing that is wrong with it."""
    try:
        if value["form"] != FORM:
            raise Hostile(f"plan of form {value['form']!r}, this node reads {FORM}", "upgrade the agent")
        if len(value["rules"]) > MAX_RULES:
            raise Hostile(f"plan of {len(value['rules'])} rules, the limit is {MAX_RULES}")
        parts = Unfolded(value.get("parts", ()))
        rules = tuple(_rule(rule, parts) for rule in value["rules"])
        lists = {str(name): tuple(parts.shared(items)) for name, items in value["lists"].items()}
        for name, limit in (("waivers", MAX_WAIVERS), ("profiles", MAX_PROFILES)):
            if len(value[name]) > limit:
                raise Hostile(f"plan of {len(value[name])} {name}, the limit is {limit}")
        waivers = tuple(_waiver(waiver) for waiver in value["waivers"])
        profiles = {str(image): _profile(profile) for image, profile in value["profiles"].items()}
        listed = indicators.decode(value.get("indicators", {}))
        return Plan(str(value["version"]), rules, lists, dict(value["filters"]), waivers, profiles, listed)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Hostile(f"not a runtime plan: {error!r}") from error


def seal(
    rules: tuple[Rule, ...],
    lists: Mapping[str, tuple[str, ...]],
    filters: Mapping[str, Any],
    waivers: tuple[Waiver, ...] = (),
    profiles: Mapping[str, Profile] | None = None,
    *,
    listed: Mapping[str, Any] | None = None,
) -> Plan:
    """A plan whose version is the hash of what it holds; `listed` are packed indicators."""
    bare = Plan("", rules, lists, filters, waivers, profiles or {}, listed or {})
    return replace(bare, version=content_hash(encode(bare)))


def read(path: Path = PACKAGED) -> Plan:
    """The plan in a file. Raises SeawallError with the way out when it is missing or broken."""
    try:
        with path.open("rb") as file:
            body = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SeawallError(f"cannot read the runtime plan: {error}", "make build writes it") from error
    if len(body) > MAX_BYTES:
        raise Hostile(f"{path} is larger than {MAX_BYTES} bytes")
    try:
        value = pieces.loads(body.decode(), (), LONG)
    except ValueError as error:
        raise Hostile(f"{path} is not JSON: {error}", "make build writes it anew") from error
    return decode(value)


def _bare(rule: Rule, when: Any) -> dict[str, Any]:
    """A rule without what it leaves at its default."""
    plain: dict[str, Any] = to_plain(replace(rule, when=[]))
    return {name: found for name, found in plain.items() if name in _ALWAYS or found != _DEFAULTS.get(name)} | {
        "when": when
    }


def _rule(value: Mapping[str, Any], parts: Unfolded) -> Rule:
    known = {name: value[name] for name in Rule.__dataclass_fields__ if name in value}
    if known["action"] not in ("alert", "block", "allow"):
        raise ValueError(f"action {known['action']!r} of rule {known['id']!r}")
    return Rule(
        **known
        | {
            "category": Category(known["category"]),
            "severity": Severity(known["severity"]),
            "when": parts.condition(known["when"]),
            "kinds": tuple(Kind(kind) for kind in known["kinds"]),
            "mitre": tuple(parts.shared(known.get("mitre", ()))),
            "merge_by": tuple(parts.shared(known["merge_by"])) if "merge_by" in known else _MERGE_BY,
            "tags": tuple(parts.shared(known.get("tags", ()))),
        }
    )


def _waiver(value: Mapping[str, Any]) -> Waiver:
    return Waiver(str(value["id"]), tuple(value["rules"]), value["when"], float(value["expires"]))


def _profile(value: Mapping[str, Any]) -> Profile:
    if value["mode"] not in MODES:
        raise ValueError(f"mode {value['mode']!r} of a profile")
    if len(value["programs"]) > MAX_PROGRAMS:
        raise ValueError(f"a profile of {len(value['programs'])} programs, the limit is {MAX_PROGRAMS}")
    return Profile(value["mode"], frozenset(str(program) for program in value["programs"]))
