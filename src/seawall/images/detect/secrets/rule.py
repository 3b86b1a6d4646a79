"""One kind of secret. Rules are data: see images/rules/secrets and docs/reference/secrets.md."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from seawall.core.severity import Severity

TOKEN, PASSWORD, KEY = "token", "password", "key"
"""What a secret is, which decides how much of it may be shown."""
FIRST, LAST = -1, -2
"""Groups of patterns with alternatives."""
SPAN = 512
"""Bytes around a hit in which a match is looked for, unless the rule says more."""
MAX_SPAN = 16 << 10


@dataclass(frozen=True, slots=True)
class Allow:
    """What a rule lets pass, as imported rule files have it."""

    paths: tuple[re.Pattern[str], ...] = ()
    secrets: tuple[re.Pattern[bytes], ...] = ()
    matches: tuple[re.Pattern[bytes], ...] = ()
    lines: tuple[re.Pattern[bytes], ...] = ()
    words: tuple[bytes, ...] = ()
    """Lower case, anywhere in the secret."""
    all_of: bool = False
    """All that is named must hold, not just one of it."""

    def lets_pass(self, path: str, match: bytes, secret: bytes, line: bytes) -> bool:
        """Whether it is none."""
        lower = secret.lower()
        said = [
            any(one.search(text) for one in patterns)
            for patterns, text in ((self.secrets, secret), (self.matches, match), (self.lines, line))
            if patterns
        ]
        if self.paths:
            said.append(any(one.search(path) for one in self.paths))
        if self.words:
            said.append(any(word in lower for word in self.words))
        return bool(said) and (all(said) if self.all_of else any(said))


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind is known."""

    id: str
    title: dict[str, str]
    """en and zh."""
    category: str
    severity: Severity
    pattern: str
    """Decides, within a window around a hit."""
    quick: str
    """Finds the hits: the pattern without looking around; matches wherever the pattern does."""
    keywords: tuple[str, ...] = ()
    """Lower case; one of them is in every match. Empty: the pattern runs over the whole of each file in its path."""
    entropy: float = 0.0
    """Bits a character that a secret has at least."""
    group: int = 0
    """Of the pattern, that holds the secret; FIRST or LAST that is not empty."""
    kind: str = TOKEN
    confidence: str = "high"
    """In a place where secrets are used."""
    strong: bool = True
    """So particular that it is looked for in binaries too."""
    path: str = ""
    """Only in files whose path this finds."""
    joins: str = ""
    """A rule whose finding nearby is the same door: both become that one finding, the worse of the two."""
    span: int = SPAN
    allows: tuple[Allow, ...] = ()
    advice: dict[str, str] = field(default_factory=dict)
    source: str = ""
    """The file of a rule that is not Seawall's."""
    found: re.Pattern[bytes] = field(init=False, repr=False, compare=False)
    place: re.Pattern[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "found", re.compile(self.pattern.encode()))
        object.__setattr__(self, "place", re.compile(self.path) if self.path else None)

    def secret(self, match: re.Match[bytes]) -> tuple[int, int]:
        """Where the secret begins and ends."""
        if self.group >= 0:
            return match.span(self.group)
        numbers = range(1, match.re.groups + 1)
        for number in numbers if self.group == FIRST else reversed(numbers):
            if match.group(number):
                return match.span(number)
        return match.span()


def from_plain(plain: dict[str, Any]) -> Rule:
    """A rule as the compiled file has it. Raises ValueError, KeyError or re.error on what is none."""
    return Rule(
        id=plain["id"],
        title=plain["title"],
        category=plain["category"],
        severity=Severity(plain["severity"]),
        pattern=plain["pattern"],
        quick=plain["quick"],
        keywords=tuple(plain["keywords"]),
        entropy=float(plain.get("entropy", 0)),
        group=int(plain.get("group", 0)),
        kind=plain.get("kind", TOKEN),
        confidence=plain.get("confidence", "high"),
        strong=bool(plain.get("strong", True)),
        path=plain.get("path", ""),
        joins=plain.get("joins", ""),
        span=min(int(plain.get("span", SPAN)), MAX_SPAN),
        advice=plain.get("advice", {}),
    )


def entropy(secret: bytes) -> float:
    """Shannon's, in bits a byte: 0 for one repeated character, about 4.3 for 32 random letters and digits."""
    if not secret:
        return 0.0
    size = len(secret)
    return -sum(count / size * math.log2(count / size) for count in Counter(secret).values())


def by_id(rules: Sequence[Rule]) -> dict[str, Rule]:
    """For looking rules up."""
    return {rule.id: rule for rule in rules}
