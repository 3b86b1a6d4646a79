"""The language of `expect` and `applies_if`: closed, pure, and honest about what is not known.

`{all: […]}`, `{any: […]}`, `{not: …}` join; a leaf is `{fact: NAME, OPERATOR: operand}` with one operator of OPERATORS.
`{fact: NAME, none: {field: F, OPERATOR: operand}}` looks at each object of a list. Answers are True, False or None (not
known, because a fact could not be read): what is not known never makes a check pass.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from seawall.baseline.model import Fact

Judge = Callable[[Any, Any], bool]
MAX_DEPTH = 8


def holds(expression: Mapping[str, Any], facts: Mapping[str, Fact]) -> bool | None:
    """Whether it holds; None when that hangs on a fact that is not there."""
    if "all" in expression:
        return _all(holds(part, facts) for part in expression["all"])
    if "any" in expression:
        found = _all(_inverted(holds(part, facts)) for part in expression["any"])
        return _inverted(found)
    if "not" in expression:
        return _inverted(holds(expression["not"], facts))
    fact = facts.get(expression["fact"])
    if fact is None or fact.error or fact.value is None:
        return None
    return _leaf(expression, fact.value)


def offenders(expression: Mapping[str, Any], facts: Mapping[str, Fact]) -> list[Any]:
    """Of the leaves that do not hold: the objects of a list that break them, each once however many it breaks."""
    found: dict[tuple[str, int], Any] = {}
    for leaf in leaves(expression):
        fact = facts.get(leaf["fact"])
        if fact is not None and not fact.error and "none" in leaf and isinstance(fact.value, list):
            broken = ((place, item) for place, item in enumerate(fact.value) if _meets(leaf["none"], item))
            found |= {(leaf["fact"], place): item for place, item in broken}
    return list(found.values())


def leaves(expression: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All leaves, left to right."""
    if "fact" in expression:
        yield expression
    for part in (*expression.get("all", ()), *expression.get("any", ())):
        yield from leaves(part)
    if "not" in expression:
        yield from leaves(expression["not"])


def check(expression: Any, depth: int = 0) -> None:
    """Raises ValueError naming what is wrong; afterwards `holds` cannot fail for the expression's form."""
    if not isinstance(expression, dict) or depth > MAX_DEPTH:
        raise ValueError(f"an expression is an object at most {MAX_DEPTH} deep, not {expression!r}")
    joins = [word for word in ("all", "any", "not") if word in expression]
    if joins:
        if len(expression) != 1:
            raise ValueError(f"`{joins[0]}` stands alone, not beside {', '.join(set(expression) - set(joins[:1]))}")
        parts = [expression["not"]] if joins == ["not"] else expression[joins[0]]
        if not isinstance(parts, list) or not parts:
            raise ValueError(f"`{joins[0]}` takes a list of expressions")
        for part in parts:
            check(part, depth + 1)
        return
    if not isinstance(expression.get("fact"), str):
        raise ValueError(f"an expression names a `fact`, or joins others by all, any or not: {expression!r}")
    _check_leaf({key: value for key, value in expression.items() if key != "fact"}, "fact")


def _check_leaf(rest: Mapping[str, Any], what: str) -> None:
    if len(rest) != 1:
        raise ValueError(f"a {what} takes one operator, not {', '.join(sorted(rest)) or 'none'}")
    operator, operand = next(iter(rest.items()))
    if operator == "none" and what == "fact":
        if not isinstance(operand, dict) or not isinstance(operand.get("field"), str):
            raise ValueError("`none` takes an object with a `field` and an operator")
        _check_leaf({key: value for key, value in operand.items() if key != "field"}, "field")
    elif operator not in OPERATORS:
        raise ValueError(f"there is no operator {operator!r}: use one of {', '.join(OPERATORS)}")
    elif operator in _LISTS and not isinstance(operand, list):
        raise ValueError(f"`{operator}` takes a list, not {operand!r}")
    elif operator in _FLAGS and not isinstance(operand, bool):
        raise ValueError(f"`{operator}` takes true or false, not {operand!r}")
    elif operator in _NUMBERS and (isinstance(operand, bool) or not isinstance(operand, int | float)):
        raise ValueError(f"`{operator}` takes a number, not {operand!r}")


def _leaf(expression: Mapping[str, Any], value: Any) -> bool:
    if "none" in expression:
        return not any(_meets(expression["none"], item) for item in _list(value))
    operator = next(key for key in expression if key != "fact")
    return OPERATORS[operator](value, expression[operator])


def _meets(condition: Mapping[str, Any], item: Any) -> bool:
    operator = next(key for key in condition if key != "field")
    value = item.get(condition["field"]) if isinstance(item, Mapping) else item
    return OPERATORS[operator](value, condition[operator])


def _all(parts: Iterator[bool | None]) -> bool | None:
    known: bool | None = True
    for part in parts:
        if part is False:
            return False
        if part is None:
            known = None
    return known


def _inverted(value: bool | None) -> bool | None:
    return None if value is None else not value


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [] if value is None else [value]


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _reaches(source: Any, paths: Sequence[str]) -> bool:
    """Whether mounting `source` shows one of the paths: it is the path, or a folder above it."""
    if not source:  # a volume, not a folder of the host
        return False
    place = "/" + str(source).strip("/")
    return any(path == place or path.startswith(place.rstrip("/") + "/") for path in paths)


def _lies_in(source: Any, paths: Sequence[str]) -> bool:
    """Whether `source` is one of the paths or below one."""
    place = "/" + str(source or "").strip("/")
    return any(place == path or place.startswith(path.rstrip("/") + "/") for path in paths)


OPERATORS: dict[str, Judge] = {
    "is": lambda value, operand: bool(value == operand),
    "in": lambda value, operand: value in operand,
    "empty": lambda value, operand: (not value) is operand,
    "at_least": lambda value, operand: _number(value) >= operand,
    "at_most": lambda value, operand: _number(value) <= operand,
    "below": lambda value, operand: _number(value) < operand,
    "contains": lambda value, operand: operand in _list(value),
    "has_any": lambda value, operand: any(item in _list(value) for item in operand),
    "only": lambda value, operand: all(item in operand for item in _list(value)),
    "begins": lambda value, operand: str(value or "").startswith(tuple(operand)),
    "reaches": _reaches,
    "lies_in": _lies_in,
}
"""Name → (what was read, operand of the check) → whether it holds."""
_LISTS = frozenset(["in", "has_any", "only", "begins", "reaches", "lies_in"])
_FLAGS = frozenset(["empty"])
_NUMBERS = frozenset(["at_least", "at_most", "below"])
