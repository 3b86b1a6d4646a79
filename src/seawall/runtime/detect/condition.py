"""Compiled conditions (`Rule.when`) as Python closures: what the node runs for each event.

The form, made by parse.py and plain enough for JSON:

    ["and", x, y, …]  ["or", x, y, …]  ["not", x]
    ["exists", FORM]
    [OPERATOR, FORM, value]            = != < <= > >= contains icontains bcontains startswith bstartswith endswith
                                       glob iglob regex
    [OPERATOR, FORM, [value, …]]       in intersects pmatch; a text in place of the list names one of Plan.lists
    ["OPERATOR anyof", FORM, [value, …]]   oneof and anyof: for some of the values; allof: for all
    [OPERATOR, FORM, {"of": FORM}]     compared with another field: val()

FORM is a field's name or a transformer (transform.py). A check on an absent field is false, whatever the operator; so
its `not` is true.
"""

import fnmatch
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from seawall.runtime.detect import networks, transform
from seawall.runtime.detect.fields import Getter
from seawall.runtime.model import Event

Check = Callable[[Event], bool]
Lists = Mapping[str, Sequence[str]]

MAX_DEPTH = 60
"""Nesting of one condition, after macros are put in."""

FEW = 4
TEXT_OPERATORS = ("=", "!=", "contains", "icontains", "startswith", "endswith", "glob", "iglob", "regex")
BYTE_OPERATORS = ("bcontains", "bstartswith")
NUMBER_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
LIST_OPERATORS = ("in", "intersects", "pmatch")
QUANTIFIERS = ("oneof", "anyof", "allof")
OPERATORS = {
    "text": (*TEXT_OPERATORS, *BYTE_OPERATORS, *LIST_OPERATORS),
    "many": (*TEXT_OPERATORS, *LIST_OPERATORS),
    "bytes": (*TEXT_OPERATORS, *BYTE_OPERATORS),
    "number": (*NUMBER_OPERATORS, "in", "intersects"),
    "ports": (*NUMBER_OPERATORS, "in", "intersects"),
    "flag": ("=", "!="),
    "net": ("=", "!=", "in", "intersects"),
}
"""What may be asked of a field of each type."""


def compile_condition(when: Sequence[Any], lists: Lists, depth: int = 0) -> Check:
    """The closure of a condition. Raises ValueError or KeyError on a form that parse.py would not have made."""
    if depth > MAX_DEPTH:
        raise ValueError(f"condition is nested deeper than {MAX_DEPTH}")
    operator = when[0]
    if operator in ("and", "or"):
        parts = [compile_condition(part, lists, depth + 1) for part in when[1:]]
        return every(parts) if operator == "and" else some(parts)
    if operator == "not":
        inner = compile_condition(when[1], lists, depth + 1)
        return lambda event: not inner(event)
    return compile_check(when, lists)


def members(values: Sequence[Any]) -> Collection[Any]:
    """What is asked whether it holds a value: of a few a row is as quick as a set, and a third of its size."""
    found = frozenset(values)
    return tuple(found) if len(found) <= FEW else found


def compile_check(
    when: Sequence[Any],
    lists: Lists,
    source: Callable[[Any], transform.Source] = transform.source,
    held: Callable[[Sequence[Any]], Collection[Any]] = members,
) -> Check:
    """The closure of one check, the leaf of a condition. `source` may know a quicker way to a field's value, `held` a
    set that is there already."""
    found = source(when[1])
    if when[0] == "exists":
        return _exists(found.get)
    operator, quantifier, value = _read(when, lists, found)
    if isinstance(value, dict):
        return _compared(found, operator, source(value["of"]))
    plain = found.type in ("text", "number", "flag")
    if quantifier in ("oneof", "anyof") and operator in ("startswith", "endswith") and plain:
        value, quantifier = tuple(value), ""
    if quantifier in ("oneof", "anyof") and operator == "contains" and plain:
        return _contains(found.get, tuple(value))
    if quantifier:
        tests = [_test(found.type, operator, one) for one in value]
        return _checked(found, _quantified(tests, quantifier))
    if operator == "!=" and found.type in ("net", "ports"):
        return _neither(found.get, _test(found.type, "=", value))
    if plain:
        quick = _quick(operator, found.get, held(value) if operator == "in" else value)
        if quick is not None:
            return quick
    return _checked(found, _test(found.type, operator, value))


def verify(when: Sequence[Any], lists: Lists) -> None:
    """Whether a check can be made, without making it where that is certain. Raises ValueError or KeyError."""
    found = transform.source(when[1])
    if when[0] == "exists":
        return
    operator, quantifier, value = _read(when, lists, found)
    if quantifier or isinstance(value, dict) or operator in ("regex", *BYTE_OPERATORS) or found.type == "net":
        compile_check(when, lists)


def _read(when: Sequence[Any], lists: Lists, found: transform.Source) -> tuple[str, str, Any]:
    """Operator, quantifier and value; of a list its items."""
    operator, _, quantifier = str(when[0]).partition(" ")
    if operator not in OPERATORS[found.type]:
        raise ValueError(f"{operator} cannot be asked of {when[1]}, a {found.type} field")
    value = when[2]
    if isinstance(value, dict) or not (operator in LIST_OPERATORS or quantifier):
        return operator, quantifier, value
    if isinstance(value, str):
        value = lists[value]
    if found.type in ("number", "ports"):
        value = [int(item, 0) if isinstance(item, str) else item for item in value]
    return operator, quantifier, value


def fields_of(when: Sequence[Any]) -> Iterator[str]:
    """Names of all fields a condition looks at, with repeats, in its order."""
    if when[0] in ("and", "or", "not"):
        for part in when[1:]:
            yield from fields_of(part)
        return
    yield from transform.names(when[1])
    if len(when) > 2 and isinstance(when[2], dict):
        yield from transform.names(when[2]["of"])


def every(parts: Sequence[Check]) -> Check:
    """Whether all hold, asked in their order."""
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda event: first(event) and second(event)
    if len(parts) == 3:
        first, second, third = parts
        return lambda event: first(event) and second(event) and third(event)
    several = tuple(parts)

    def check(event: Event) -> bool:
        for part in several:  # noqa: SIM110 - a generator is slower, and this runs for each event
            if not part(event):
                return False
        return True

    return check


def some(parts: Sequence[Check]) -> Check:
    """Whether one of them holds, asked in their order."""
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda event: first(event) or second(event)
    if len(parts) == 3:
        first, second, third = parts
        return lambda event: first(event) or second(event) or third(event)
    several = tuple(parts)

    def check(event: Event) -> bool:
        for part in several:  # noqa: SIM110
            if part(event):
                return True
        return False

    return check


def _quick(operator: str, get: Getter, value: Any) -> Check | None:
    """The most frequent checks of one value in one call; None for others. An absent field is equal to nothing."""
    if operator == "=":
        return lambda event: bool(get(event) == value)
    if operator == "in":
        return lambda event: get(event) in value
    if operator == "startswith":
        return lambda event: (found := get(event)) is not None and found.startswith(value)
    if operator == "endswith":
        return lambda event: (found := get(event)) is not None and found.endswith(value)
    if operator == "contains":
        return lambda event: (found := get(event)) is not None and value in found
    return None


def _contains(get: Getter, values: tuple[str, ...]) -> Check:
    """Some of them, in a plain loop: it runs for each program that starts."""

    def check(event: Event) -> bool:
        found = get(event)
        if found is None:
            return False
        for value in values:  # noqa: SIM110
            if value in found:
                return True
        return False

    return check


def _exists(get: Getter) -> Check:
    return lambda event: get(event) not in (None, "", ())


def _checked(found: transform.Source, test: Callable[[Any], bool]) -> Check:
    get = found.get
    if found.type == "many":
        return lambda event: any(map(test, get(event) or ()))
    if found.type in ("net", "ports"):
        return _some_end(get, test)

    def check(event: Event) -> bool:
        value = get(event)
        return value is not None and test(value)

    return check


def _some_end(get: Getter, test: Callable[[Any], bool]) -> Check:
    """A field of net or ports has the value of one end or of both."""

    def check(event: Event) -> bool:
        value = get(event)
        if value is None:
            return False
        return any(map(test, value)) if isinstance(value, tuple) else test(value)

    return check


def _neither(get: Getter, test: Callable[[Any], bool]) -> Check:
    """!= of both ends: none of them is it."""

    def check(event: Event) -> bool:
        value = get(event)
        if value is None:
            return False
        return not any(map(test, value)) if isinstance(value, tuple) else not test(value)

    return check


def _compared(left: transform.Source, operator: str, right: transform.Source) -> Check:
    """With another field's value: false while either is absent."""
    if operator in ("glob", "iglob", "regex", "pmatch"):
        raise ValueError(f"{operator} needs a written pattern, not another field")
    kinds = {"text": "text", "many": "text", "constant": "text", "net": "text", "bytes": "text"}
    if kinds.get(left.type, left.type) != kinds.get(right.type, right.type):
        raise ValueError(f"a {left.type} cannot be compared with a {right.type}")

    def check(event: Event) -> bool:
        have, other = left.get(event), right.get(event)
        if have is None or other is None:
            return False
        haves = have if isinstance(have, tuple) else (have,)
        others = other if isinstance(other, tuple) else (other,)
        if operator in LIST_OPERATORS:
            return not set(haves).isdisjoint(others)
        return any(_TESTS[operator](value)(found) for found in haves for value in others)

    return check


def _quantified(tests: list[Callable[[Any], bool]], quantifier: str) -> Callable[[Any], bool]:
    if quantifier not in QUANTIFIERS:
        raise ValueError(f"{quantifier} is none of {QUANTIFIERS}")
    if quantifier == "allof":
        return lambda found: all(test(found) for test in tests)
    return lambda found: any(test(found) for test in tests)


def _test(type: str, operator: str, value: Any) -> Callable[[Any], bool]:
    """The test of one present value."""
    if type == "net":
        return networks.within([value] if isinstance(value, str) else value)
    if operator in BYTE_OPERATORS:
        return _bytes(value, str.startswith if operator == "bstartswith" else str.__contains__, type == "bytes")
    if type == "bytes" and isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape").decode("latin-1")  # the form in which bytes are kept
    if operator == "pmatch":
        return _under(value)
    if operator in LIST_OPERATORS:
        return frozenset(value).__contains__
    return _TESTS[operator](value)


def _icontains(value: str) -> Callable[[Any], bool]:
    return lambda found: value in found.lower()


def _bytes(value: str, test: Callable[[str, str], bool], kept: bool) -> Callable[[Any], bool]:
    """`value` is hexadecimal. Of a bytes field each character is a byte (`kept`); a text is its UTF-8."""
    wanted = bytes.fromhex(value).decode("latin-1")
    if kept:
        return lambda found: test(found, wanted)
    return lambda found: test(found.encode("utf-8", "surrogateescape").decode("latin-1"), wanted)


def _regex(value: str) -> Callable[[Any], bool]:
    from seawall.runtime.detect import pattern  # most plans have no use for it

    return pattern.fullmatch(value)


def _glob(pattern: str, flags: int) -> Callable[[Any], bool]:
    match = re.compile(fnmatch.translate(pattern), flags | re.DOTALL).match
    return lambda found: match(found) is not None


def _under(prefixes: Sequence[str]) -> Callable[[Any], bool]:
    """pmatch: the path is one of these or lies below one of them."""
    exact = frozenset(prefix.rstrip("/") or "/" for prefix in prefixes)
    below = tuple(prefix.rstrip("/") + "/" for prefix in prefixes)
    return lambda found: found in exact or found.startswith(below)


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
    "regex": _regex,
}
