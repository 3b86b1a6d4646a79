"""CVSS version 4.0 scores. Source: FIRST, CVSS v4.0 specification §8: a table of macro vectors, and how far a vector
lies below the worst one of its macro vector."""

import math
from collections.abc import Iterator
from itertools import product

_SCORES = """
100 99 98 95 95 92 100 96 93 87 91 81 93 90 89 80 81 68 98 95 95 92 90 84 93 92 89 81 81 65 88 80 78 70 69 48 92 82 72
79 69 50 69 55 27 99 97 95 92 92 85 95 91 90 83 84 71 92 81 82 71 72 53 95 93 92 85 85 73 92 82 80 72 70 59 84 70 71 52
50 30 86 75 52 71 52 29 63 29 17 98 95 94 87 91 81 94 89 86 74 77 64 87 75 74 63 63 49 94 89 88 77 76 67 86 76 74 58 59
50 72 57 57 52 52 25 83 70 54 65 58 26 53 21 13 95 90 88 76 76 70 90 77 75 62 61 53 77 66 68 59 52 30 89 78 76 67 62 58
74 59 57 57 47 23 61 52 57 29 24 16 71 59 30 58 26 15 23 13 6 93 87 86 72 75 58 86 74 74 61 56 34 70 54 52 40 40 22 85
75 74 55 62 51 72 57 55 41 46 19 53 36 34 19 19 8 64 51 20 47 21 11 24 9 4 88 75 73 53 60 50 73 55 59 40 41 20 54 43 45
22 20 11 75 55 58 45 40 21 61 51 48 18 20 9 46 18 17 7 8 2 53 24 14 24 12 5 10 3 1
"""
"""Tenths, of all macro vectors in order; the third equivalence class cannot be 2 where the sixth is 0."""
_Macro = tuple[int, int, int, int, int, int]
_TABLE: dict[_Macro, int] = dict(
    zip(
        (
            (one, two, three, four, five, six)
            for one, two, three, four, five, six in product(range(3), range(2), range(3), range(3), range(3), range(2))
            if (three, six) != (2, 0)
        ),
        map(int, _SCORES.split()),
        strict=True,
    )
)
_LEVELS: dict[str, str] = {
    "AV": "NALP", "PR": "NLH", "UI": "NPA", "AC": "LH", "AT": "NP", "VC": "HLN", "VI": "HLN", "VA": "HLN",
    "SC": "SHLN", "SI": "SHLN", "SA": "SHLN", "CR": "HML", "IR": "HML", "AR": "HML",
}  # fmt: skip
"""Values of each metric, the worst first: a step down is one level."""
_BASE = ("AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA")
_WORST: tuple[dict[tuple[int, ...], tuple[str, ...]], ...] = (
    {(0,): ("AV:N/PR:N/UI:N",), (1,): ("AV:A/PR:N/UI:N", "AV:N/PR:L/UI:N", "AV:N/PR:N/UI:P"),
     (2,): ("AV:P/PR:N/UI:N", "AV:A/PR:L/UI:P")},
    {(0,): ("AC:L/AT:N",), (1,): ("AC:H/AT:N", "AC:L/AT:P")},
    {(0, 0): ("VC:H/VI:H/VA:H/CR:H/IR:H/AR:H",),
     (0, 1): ("VC:H/VI:H/VA:L/CR:M/IR:M/AR:H", "VC:H/VI:H/VA:H/CR:M/IR:M/AR:M"),
     (1, 0): ("VC:L/VI:H/VA:H/CR:H/IR:H/AR:H", "VC:H/VI:L/VA:H/CR:H/IR:H/AR:H"),
     (1, 1): ("VC:L/VI:H/VA:L/CR:H/IR:M/AR:H", "VC:L/VI:H/VA:H/CR:H/IR:M/AR:M", "VC:H/VI:L/VA:H/CR:M/IR:H/AR:M",
              "VC:H/VI:L/VA:L/CR:M/IR:H/AR:H", "VC:L/VI:L/VA:H/CR:H/IR:H/AR:M"),
     (2, 1): ("VC:L/VI:L/VA:L/CR:H/IR:H/AR:H",)},
    {(0,): ("SC:H/SI:S/SA:S",), (1,): ("SC:H/SI:H/SA:H",), (2,): ("SC:L/SI:L/SA:L",)},
)  # fmt: skip
"""The worst vectors of the classes 1, 2, 3 with 6, and 4, by their level."""
_DEPTH: tuple[dict[tuple[int, ...], int], ...] = (
    {(0,): 1, (1,): 4, (2,): 5},
    {(0,): 1, (1,): 2},
    {(0, 0): 7, (0, 1): 6, (1, 0): 8, (1, 1): 8, (2, 1): 10},
    {(0,): 6, (1,): 5, (2,): 4},
)
"""How many levels lie in each."""


def base_score(vector: str) -> float | None:
    """0.0 to 10.0 with what the vector says of threat and environment, or None if it is not whole."""
    given = dict(part.split(":", 1) for part in vector.split("/")[1:] if ":" in part)
    values = {name: _value(given, name) for name in (*_BASE, "CR", "IR", "AR", "E")}
    if any(values[name] not in _LEVELS[name] for name in _LEVELS) or values["E"] not in ("A", "P", "U"):
        return None
    if all(values[name] == "N" for name in ("VC", "VI", "VA", "SC", "SI", "SA")):
        return 0.0
    macro = _macro(values)
    score = _TABLE[macro]
    lower = list(_steps(values, macro, score))
    mean = sum(lower) / len(lower) if lower else 0.0
    return math.floor(max(0.0, min(score - mean, 100.0)) + 0.5 + 1e-6) / 10


def _value(given: dict[str, str], name: str) -> str:
    """The environment's word before the base's; what is not defined counts as the worst."""
    own = given.get(f"M{name}", "X")
    if name in ("CR", "IR", "AR", "E"):
        found = given.get(name, "X")
        return ("A" if name == "E" else "H") if found == "X" else found
    return (given.get(name, "") if own == "X" else own) or "?"


def _macro(v: dict[str, str]) -> _Macro:
    open_, low, user = v["AV"] == "N", v["PR"] == "N", v["UI"] == "N"
    one = 0 if open_ and low and user else 1 if (open_ or low or user) and v["AV"] != "P" else 2
    two = 0 if v["AC"] == "L" and v["AT"] == "N" else 1
    secret, whole, there = v["VC"] == "H", v["VI"] == "H", v["VA"] == "H"
    three = 0 if secret and whole else 1 if secret or whole or there else 2
    four = 0 if "S" in (v["SI"], v["SA"]) else 1 if "H" in (v["SC"], v["SI"], v["SA"]) else 2
    five = "APU".index(v["E"])
    wanted = any(v[need] == "H" and v[loss] == "H" for need, loss in (("CR", "VC"), ("IR", "VI"), ("AR", "VA")))
    return one, two, three, four, five, 0 if wanted else 1


def _steps(values: dict[str, str], macro: _Macro, score: int) -> Iterator[float]:
    """For each class: the share of the way down to its next macro vector that the vector lies below the worst one."""
    one, two, three, four, five, six = macro
    places: tuple[tuple[int, ...], ...] = ((one,), (two,), (three, six), (four,))
    nexts = (
        [(one + 1, two, three, four, five, six)],
        [(one, two + 1, three, four, five, six)],
        _below(macro),
        [(one, two, three, four + 1, five, six)],
    )
    far = _distances(values, places)
    for kind, (place, following) in enumerate(zip(places, nexts, strict=True)):
        reached = [_TABLE[macro_] for macro_ in following if macro_ in _TABLE]
        if reached:
            yield (score - max(reached)) * far[kind] / _DEPTH[kind][place]
    if (one, two, three, four, five + 1, six) in _TABLE:
        yield 0.0


def _below(macro: _Macro) -> list[_Macro]:
    one, two, three, four, five, six = macro
    if (three, six) == (0, 0):
        return [(one, two, 0, four, five, 1), (one, two, 1, four, five, 0)]
    if (three, six) == (1, 0):
        return [(one, two, 1, four, five, 1)]
    return [(one, two, three + 1, four, five, six)]


def _distances(values: dict[str, str], places: tuple[tuple[int, ...], ...]) -> list[int]:
    """Levels below the first worst vector that is nowhere better than this one."""
    for parts in product(*(_WORST[kind][place] for kind, place in enumerate(places))):
        steps = [
            [_LEVELS[name].index(values[name]) - _LEVELS[name].index(worst) for name, worst in _pairs(part)]
            for part in parts
        ]
        if all(step >= 0 for part in steps for step in part):
            return [sum(part) for part in steps]
    return [0, 0, 0, 0]


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(part[: part.index(":")], part[part.index(":") + 1 :]) for part in text.split("/")]
