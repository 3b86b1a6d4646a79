"""CVSS base scores from their vectors, all versions. Source: FIRST: CVSS v2 guide §3.2.1, v3.1 specification §7.1."""

import math
from collections.abc import Iterable

from seawall.intel import cvss4

_WEIGHTS: dict[str, dict[str, float]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}
_LOSS2 = {"N": 0.0, "P": 0.275, "C": 0.66}
_WEIGHTS2: dict[str, dict[str, float]] = {
    "AV": {"L": 0.395, "A": 0.646, "N": 1.0},
    "AC": {"H": 0.35, "M": 0.61, "L": 0.71},
    "Au": {"M": 0.45, "S": 0.56, "N": 0.704},
    "C": _LOSS2,
    "I": _LOSS2,
    "A": _LOSS2,
}
MAX_VECTOR = 400
_NEWEST = ("CVSS:4.0", "CVSS:3.1", "CVSS:3.0", "")
"""Which vector is believed where a source gives several: that of the newest version; v2 names none."""


def base_score(vector: str) -> float | None:
    """0.0 to 10.0, or None for a vector that is not whole."""
    if len(vector) > MAX_VECTOR:
        return None
    if vector.startswith("CVSS:4.0/"):
        return cvss4.base_score(vector)
    if vector.startswith(("CVSS:3.0/", "CVSS:3.1/")):
        return _third(metrics(vector), tidy=vector.startswith("CVSS:3.1"))
    return _second(metrics(vector.strip("()"))) if not vector.startswith("CVSS:") else None


def choose(vectors: Iterable[str]) -> tuple[str, float | None]:
    """The vector of the newest version of CVSS with the highest score, and the score; ("", None) if none has one."""
    scored = [(vector, score) for vector in vectors if (score := base_score(vector)) is not None]
    for version in _NEWEST:
        of_it = [one for one in scored if one[0].startswith(version) and (version or not one[0].startswith("CVSS:"))]
        if of_it:
            return max(of_it, key=lambda one: one[1])
    return "", None


def metrics(vector: str) -> dict[str, str]:
    """The parts of a vector, by their names."""
    return dict(part.split(":", 1) for part in vector.split("/") if ":" in part and not part.startswith("CVSS:"))


def _third(given: dict[str, str], *, tidy: bool) -> float | None:
    try:
        changed = {"U": False, "C": True}[given["S"]]
        weight = {name: values[given[name]] for name, values in _WEIGHTS.items()}
        privileges = _PRIVILEGES[given["S"]][given["PR"]]
    except KeyError:
        return None
    loss = 1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"])
    impact = 7.52 * (loss - 0.029) - 3.25 * (loss - 0.02) ** 15 if changed else 6.42 * loss
    if impact <= 0:
        return 0.0
    exploitability = 8.22 * weight["AV"] * weight["AC"] * privileges * weight["UI"]
    total = min((1.08 if changed else 1.0) * (impact + exploitability), 10.0)
    return _roundup(total) if tidy else math.ceil(round(total * 10, 6)) / 10


def _roundup(value: float) -> float:
    """Up to one decimal, safe from floating point dust (specification, appendix A)."""
    whole = round(value * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (math.floor(whole / 10_000) + 1) / 10


def _second(given: dict[str, str]) -> float | None:
    try:
        weight = {name: values[given[name]] for name, values in _WEIGHTS2.items()}
    except KeyError:
        return None
    impact = 10.41 * (1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"]))
    exploitability = 20 * weight["AV"] * weight["AC"] * weight["Au"]
    total = (0.6 * impact + 0.4 * exploitability - 1.5) * (1.176 if impact else 0.0)
    return math.floor(total * 10 + 0.5 + 1e-9) / 10
