"""Compiled conditions (`Rule.when`) as Python closures: what the node runs for each event.

The form, made by parse.py and plain enough for JSON:

    ["and", x, y, …]  ["or", x, y, …]  ["not", x]
    ["exists", FIELD]
    [OPERATOR, FIELD, value]           = != < <= > >= contains icontains startswith endswith glob iglob
    [OPERATOR, FIELD, [value, …]]      in intersects pmatch; a text in place of the list names one of Plan.lists

A check on an absent field is false, whatever the operator; so its `not` is true.
"""

import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from seawall.runtime.detect.fields import Field, Getter, resolve
from seawall.runtime.model import Event

Check = Callable[[Event], bool]
Lists = Mapping[str, Sequence[str]]

MAX_DEPTH = 60
"""Nesting of one condition, after macros are put in."""

TEXT_OPERATORS = ("=", "!=", "contains", "icontains", "startswith", "endswith", "glob", "iglob")
NUMBER_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
LIST_OPERATORS = ("in", "intersects", "pmatch")
OPERATORS = {
    "text": (*TEXT_OPERATORS, *LIST_OPERATORS),
    "many": (*TEXT_OPERATORS, *LIST_OPERATORS),
    "number": (*NUMBER_OPERATORS, "in", "intersects"),
    "flag": ("=", "!="),
    "net": ("=", "!=", "in"),
}
"""What may be asked of a field of each type."""


def compile_condition(when: Sequence[Any], lists: Lists, depth: int = 0) -> Check:
    """The closure of a condition. Raises ValueError or KeyError on a form that parse.py would not have made."""
    if depth > MAX_DEPTH:
        raise ValueError(f"condition is nested deeper than {MAX_DEPTH}")
    operator = when[0]
    if operator in ("and", "or"):
        parts = [compile_condition(part, lists, depth + 1) for part in when[1:]]
        return _all(parts) if operator == "and" else _any(parts)
    if operator == "not":
        inner = compile_condition(when[1], lists, depth + 1)
        return lambda event: not inner(event)
    field = resolve(when[1])
    if operator == "exists":
        return _exists(field.get)
    if operator not in OPERATORS[field.type]:
        raise ValueError(f"{operator} cannot be asked of {field.name}")
    value = lists[when[2]] if operator in LIST_OPERATORS and isinstance(when[2], str) else when[2]
    if operator in LIST_OPERATORS and field.type == "number":
        value = [int(item, 0) if isinstance(item, str) else item for item in value]
    return _checked(field, _test(field.type, operator, value))


def fields_of(when: Sequence[Any]) -> Iterator[str]:
    """Names of all fields a condition looks at, with repeats, in its order."""
    if when[0] in ("and", "or", "not"):
        for part in when[1:]:
            yield from fields_of(part)
    else:
        yield when[1]


def _all(parts: list[Check]) -> Check:
    """Pairs of pairs: closures that call two others are quicker than a loop over many."""
    if len(parts) == 1:
        return parts[0]
    half = (len(parts) + 1) // 2
    first, rest = _all(parts[:half]), _all(parts[half:])
    return lambda event: first(event) and rest(event)


def _any(parts: list[Check]) -> Check:
    if len(parts) == 1:
        return parts[0]
    half = (len(parts) + 1) // 2
    first, rest = _any(parts[:half]), _any(parts[half:])
    return lambda event: first(event) or rest(event)


def _exists(get: Getter) -> Check:
    return lambda event: get(event) not in (None, "", ())


def _checked(field: Field, test: Callable[[Any], bool]) -> Check:
    get = field.get
    if field.type == "many":
        return lambda event: any(map(test, get(event) or ()))

    def check(event: Event) -> bool:
        found = get(event)
        return found is not None and test(found)

    return check


def _test(type: str, operator: str, value: Any) -> Callable[[Any], bool]:
    """The test of one present value."""
    if type == "net":
        inside = _networks([value] if isinstance(value, str) else value)
        return (lambda found: not inside(found)) if operator == "!=" else inside
    if operator == "pmatch":
        return _under(value)
    if operator in LIST_OPERATORS:
        return frozenset(value).__contains__
    return _TESTS[operator](value)


_TESTS: dict[str, Callable[[Any], Callable[[Any], bool]]] = {
    "=": lambda value: lambda found: found == value,
    "!=": lambda value: lambda found: found != value,
    "<": lambda value: lambda found: found < value,
    "<=": lambda value: lambda found: found <= value,
    ">": lambda value: lambda found: found > value,
    ">=": lambda value: lambda found: found >= value,
    "contains": lambda value: lambda found: value in found,
    "icontains": lambda value: _icontains(value.lower()),
    "startswith": lambda value: lambda found: found.startswith(value),
    "endswith": lambda value: lambda found: found.endswith(value),
    "glob": lambda value: _glob(value, 0),
    "iglob": lambda value: _glob(value, re.IGNORECASE),
}


def _icontains(value: str) -> Callable[[Any], bool]:
    return lambda found: value in found.lower()


def _glob(pattern: str, flags: int) -> Callable[[Any], bool]:
    match = re.compile(fnmatch.translate(pattern), flags | re.DOTALL).match
    return lambda found: match(found) is not None


def _under(prefixes: Sequence[str]) -> Callable[[Any], bool]:
    """pmatch: the path is one of these or lies below one of them."""
    exact = frozenset(prefix.rstrip("/") or "/" for prefix in prefixes)
    below = tuple(prefix.rstrip("/") + "/" for prefix in prefixes)
    return lambda found: found in exact or found.startswith(below)


def _networks(values: Sequence[str]) -> Callable[[Any], bool]:
    import ipaddress  # only plans that compare networks pay for it

    networks = [ipaddress.ip_network(value, strict=False) for value in values]

    def inside(found: str) -> bool:
        try:
            address = ipaddress.ip_address(found)
        except ValueError:
            return False
        return any(address in network for network in networks)

    return inside
