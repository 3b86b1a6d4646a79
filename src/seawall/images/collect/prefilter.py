"""Where in a buffer a rule may match: all patterns at once by hyperscan, or keyword by keyword without it.

Either may say too much, neither too little; the judge looks at each place, so that both lead to the same findings.
"""

import contextlib
import hashlib
import os
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from seawall.images.collect.files import Buffer
from seawall.images.detect.secrets.rule import Rule

MAX_HITS = 200_000
"""In one buffer; what lies behind is not looked at, which is said."""
STRING = re.compile(rb"[\t\r\n -~]{12,}")
"""What no rule of a token is shorter than."""
RUN = re.compile(rb"[A-Za-z0-9+/_-]{16,}")


class TooMany(ValueError):
    """A file has more places than are looked at."""


Hits = dict[int, list[int]]
"""Number of the rule → positions. -1 stands for base64 that may hold something."""
PACKED = -1


class Prefilter(Protocol):
    """Finds candidates."""

    limit: int
    """The most bytes of one file that it takes in reasonable time."""

    def hits(self, data: Buffer, text: bool) -> Hits:
        """In text all rules are looked for, in binaries the strong ones. Raises TooMany."""
        ...


class Keywords:
    """With the standard library: each keyword is looked for. Slower by far."""

    limit = 32 << 20

    def __init__(self, rules: Sequence[Rule], literals: Sequence[bytes]) -> None:
        self._words: dict[bytes, list[int]] = defaultdict(list)
        self._strong: dict[bytes, list[int]] = defaultdict(list)
        self._without: list[tuple[int, Rule]] = []
        for number, rule in enumerate(rules):
            if rule.source or (not rule.keywords and not rule.path):
                self._without.append((number, rule))
                continue
            for word in rule.keywords:
                self._words[word.encode()].append(number)
                if rule.strong:
                    self._strong[word.encode()].append(number)
        self._literals = re.compile(b"|".join(map(re.escape, literals)) or rb"(?!)")

    def hits(self, data: Buffer, text: bool) -> Hits:
        """As Prefilter says."""
        if not text:
            return self._strings(data)
        found: Hits = defaultdict(list)
        lower = bytes(data).lower()
        count = 0
        for word, numbers in self._words.items():
            at = lower.find(word)
            while at >= 0:
                count += 1
                if count > MAX_HITS:
                    raise TooMany(_SAID)
                for number in numbers:
                    found[number].append(at)
                at = lower.find(word, at + len(word))
        for number, rule in self._without:
            if not rule.keywords or any(word.encode() in lower for word in rule.keywords):
                found[number] += [match.end() for match in rule.found.finditer(data)]
        found[PACKED] = [
            inside.start() + run.start()
            for run in RUN.finditer(data)
            for inside in [self._literals.search(run[0])]
            if inside
        ]
        return found

    def _strings(self, data: Buffer) -> Hits:
        """Tokens are of printable characters: a tenth of a program is searched, not the whole."""
        found: Hits = defaultdict(list)
        begins, lengths, parts, size = [], [], [], 0
        for run in STRING.finditer(data):
            begins.append(run.start())
            lengths.append(size)
            parts.append(run[0])
            size += len(run[0]) + 1
        lower = b"\0".join(parts).lower()
        count = 0
        for word, numbers in self._strong.items():
            at = lower.find(word)
            while at >= 0:
                count += 1
                if count > MAX_HITS:
                    raise TooMany(_SAID)
                part = bisect_right(lengths, at) - 1
                for number in numbers:
                    found[number].append(begins[part] + at - lengths[part])
                at = lower.find(word, at + len(word))
        return found


class Hyperscan:
    """One database of all patterns for text, one of the strong ones for binaries."""

    limit = 512 << 20

    def __init__(self, rules: Sequence[Rule], literals: Sequence[bytes], cache: Path | None) -> None:
        import hyperscan

        self._library: Any = hyperscan
        quick = [(number, rule.quick.encode()) for number, rule in enumerate(rules) if _quick(rule)]
        packed = [(len(rules), re.escape(literal)) for literal in literals]
        self._packed = len(rules)
        self._beyond: list[tuple[int, re.Pattern[bytes]]] = []
        try:
            self._text = self._database([*quick, *packed], cache)
        except hyperscan.HyperscanError:
            beyond = self._beyond_it(quick, rules)
            self._beyond = [(number, rules[number].found) for number in sorted(beyond)]
            quick = [one for one in quick if one[0] not in beyond]
            self._text = self._database([*quick, *packed], cache)
        self._binary = self._database([one for one in quick if rules[one[0]].strong], cache)

    def hits(self, data: Buffer, text: bool) -> Hits:
        """As Prefilter says."""
        found: Hits = defaultdict(list)
        left = MAX_HITS

        def hit(number: int, _begin: int, end: int, _flags: int, _context: object) -> bool | None:
            nonlocal left
            found[number].append(end)
            left -= 1
            return True if left < 0 else None

        try:
            (self._text if text else self._binary).scan(data, match_event_handler=hit)
        except self._library.HyperscanError:
            if left >= 0:
                raise
        if left < 0:
            raise TooMany(_SAID)
        if text:
            for number, pattern in self._beyond:
                found[number] += [match.end() for match in pattern.finditer(data)]
        if self._packed in found:
            found[PACKED] = found.pop(self._packed)
        return found

    def _beyond_it(self, quick: Sequence[tuple[int, bytes]], rules: Sequence[Rule]) -> set[int]:
        """Rules of users that need what hyperscan has not: they run by themselves, over everything."""
        beyond = set()
        for number, pattern in quick:
            if rules[number].source:
                try:
                    self._database([(0, pattern)], None)
                except self._library.HyperscanError:
                    beyond.add(number)
        return beyond

    def _database(self, patterns: Sequence[tuple[int, bytes]], cache: Path | None) -> Any:
        """From the cache when the same patterns were compiled by the same library on such a machine."""
        library = self._library
        patterns = patterns or [(0, rb"\A\z")]
        name = hashlib.sha256(repr((patterns, library.__version__, os.uname().machine)).encode()).hexdigest()[:32]
        path = cache / f"secrets-{name}.hs" if cache else None
        if path is not None:
            with contextlib.suppress(OSError, library.HyperscanError):
                return self._ready(library.loadb(path.read_bytes(), library.HS_MODE_BLOCK))
        made = library.Database(mode=library.HS_MODE_BLOCK)
        made.compile(
            expressions=[pattern for _, pattern in patterns],
            ids=[number for number, _ in patterns],
            elements=len(patterns),
        )
        if path is not None:
            with contextlib.suppress(OSError, library.HyperscanError):
                _keep(path, library.dumpb(made))
        return made

    def _ready(self, database: Any) -> Any:
        database.scratch = self._library.Scratch(database)
        return database


def opened(rules: Sequence[Rule], literals: Sequence[bytes], cache: Path | None) -> Prefilter:
    """The quickest that works here."""
    try:
        return Hyperscan(rules, literals, cache)
    except ImportError:
        return Keywords(rules, literals)


def _quick(rule: Rule) -> bool:
    """Rules for certain files alone run over the whole of them."""
    return bool(rule.keywords or not rule.path)


_SAID = f"more than {MAX_HITS} places that look like secrets"


def _keep(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(data)
    fresh.replace(path)
