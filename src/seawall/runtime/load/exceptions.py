"""`exceptions` of Falco's rules: the cases in which a rule does not hold, as the end of its condition."""

from collections.abc import Iterator
from typing import Any

from seawall.runtime.load.items import Wrong

_HINT = "write exceptions: [{name: x, fields: [proc.name], comps: [in], values: [[[a, b]]]}]"
_LISTS = ("in", "intersects", "pmatch")


def excepted(found: Any) -> str:
    """` and not (…)`, or nothing when there are no values."""
    cases = [case for one in _checked(found) for case in _cases(one)]
    return f" and not ({' or '.join(cases)})" if cases else ""


def joined_exceptions(old: Any, new: Any) -> list[dict[str, Any]]:
    """Those of a name are one: its values are joined, what else is given newly holds."""
    total = {one["name"]: dict(one) for one in _checked(old)}
    for one in _checked(new):
        before = total.get(one["name"], {})
        values = [*(before.get("values") or ()), *(one.get("values") or ())]
        total[one["name"]] = {**before, **one, "values": values}
    return list(total.values())


def _checked(found: Any) -> list[dict[str, Any]]:
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) and one.get("name") for one in found):
        raise Wrong("exceptions is not a list of named exceptions", _HINT)
    return found


def _cases(one: dict[str, Any]) -> Iterator[str]:
    name, fields, values = one["name"], one.get("fields"), one.get("values") or []
    if not values:
        return
    if not fields:
        raise Wrong(f"exception {name} names no fields", _HINT)
    if isinstance(fields, str):
        yield f"({fields} {one.get('comps', 'in')} {_value(_flat(values), one.get('comps', 'in'))})"
        return
    comps = one.get("comps") or ["="] * len(fields)
    if not isinstance(comps, list) or len(comps) != len(fields):
        raise Wrong(f"exception {name} has {len(fields)} fields and other comps", "give one comparison for each field")
    for row in values:
        if not isinstance(row, list) or len(row) != len(fields):
            raise Wrong(f"exception {name}: {row!r} does not give one value for each of {len(fields)} fields", _HINT)
        checks = zip(fields, comps, row, strict=True)
        yield "(" + " and ".join(f"{field} {comp} {_value(value, comp)}" for field, comp, value in checks) + ")"


def _flat(values: list[Any]) -> list[Any]:
    return [item for value in values for item in (value if isinstance(value, list) else [value])]


def _value(value: Any, comparison: str) -> str:
    if isinstance(value, list):
        return "(" + ", ".join(_quoted(item) for item in value) + ")"
    return f"({_quoted(value)})" if comparison in _LISTS else _quoted(value)


def _quoted(value: Any) -> str:
    """A bare word stays one, so that it may name a list; what holds blanks or signs is quoted."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text
    if text and not set(text) & set("()\"'=, \t\n"):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
