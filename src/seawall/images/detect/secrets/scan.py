"""A buffer, and where a quick search has hit, become findings: exact match, entropy, placeholders, place, merging."""

import hashlib
import mmap
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from seawall.core.severity import Severity
from seawall.images.detect.secrets import passwords, places, shown
from seawall.images.detect.secrets.placeholders import is_placeholder, is_trivial, is_variable
from seawall.images.detect.secrets.rule import KEY, PASSWORD, SPAN, Rule, entropy
from seawall.images.model import Secret

Buffer = bytes | mmap.mmap
MAX_FINDINGS = 200
"""Of one file."""
MAX_MATCHES = 5_000
"""Of one rule in one file that are judged."""
MAX_WINDOWS = 16 << 20
"""Bytes of one file in which one rule is looked for exactly; a file with more is said to be passed over."""
MAX_PLACED = 8 << 20
"""Bytes of a file that rules of its own run over."""
FRAGMENT = 100_000
"""Bytes of a file that rules of others look at together."""
NEAR = 400
"""Bytes between two findings that belong together."""
LINE = 300
"""Bytes of a line, before and after, that are looked at."""
SCORED = "assignment"
"""Category of rules whose matches are weighed: see passwords."""
_REMARK = re.compile(rb"\s*(?:#|;|//|\*|--|<!--|[Rr][Ee][Mm] |%|dnl )")
"""How a line begins that is for people."""
_SAMPLES = frozenset({"c1d3a2f7a5b0"})
"""Beginnings of the sha256 of secrets that documentation shows all over the world."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where a buffer comes from."""

    path: str
    place: str = "file"
    encoding: str = ""
    lines: bool = True
    """It has lines, and they can be numbered."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    rule: Rule
    begin: int
    end: int
    secret: bytes
    confidence: str
    severity: Severity


class Judge:
    """Knows the rules; `key` makes fingerprints."""

    def __init__(self, rules: Sequence[Rule], key: bytes) -> None:
        self.rules = rules
        self._key = key
        self._order = {rule.id: number for number, rule in enumerate(rules)}
        self._placed = [number for number, rule in enumerate(rules) if rule.place and not rule.keywords]
        paths = "|".join(f"(?:{rules[number].path.removeprefix('(?i)')})" for number in self._placed)
        self._places = re.compile(paths or "(?!)", re.IGNORECASE)

    def is_special(self, path: str) -> bool:
        """Whether there are rules for just such a file, which run without a hit."""
        return bool(self._places.search(path.rpartition("/")[2]))

    def findings(self, data: Buffer, hits: Mapping[int, Iterable[int]], where: Where) -> list[Secret]:
        """From rule number → positions at or shortly after which it may match."""
        candidates = [
            one for number, at in hits.items() for one in self._candidates(self.rules[number], data, at, where)
        ]
        if self.is_special(where.path):
            everywhere = range(0, min(len(data), MAX_PLACED), SPAN)
            for number in self._placed:
                candidates += self._candidates(self.rules[number], data, everywhere, where)
        chosen = _joined(self._apart(candidates))[:MAX_FINDINGS]
        return list(self._told(data, chosen, where))

    def _candidates(self, rule: Rule, data: Buffer, at: Iterable[int], where: Where) -> Iterator[_Candidate]:
        if rule.place is not None and not rule.place.search(where.path):
            return
        left = MAX_MATCHES
        mentioned: dict[int, bool] = {}
        room = MAX_WINDOWS
        for begin, end in _windows(at, rule.span, len(data)):
            room -= end - begin
            if room < 0:
                raise ValueError(f"secrets: more than {MAX_WINDOWS} bytes look like {rule.id}")
            for match in rule.found.finditer(data, begin, end):
                left -= 1
                if left < 0:
                    return
                if match.end() == end and end < len(data):
                    continue  # cut off by the window: too long for this rule
                if rule.source and not _mentioned(rule, data, match.start() // FRAGMENT, mentioned):
                    continue
                first, last = rule.secret(match)
                confidence = _judged(rule, match, bytes(data[first:last]), where)
                if confidence and not _let_pass(rule, match, data, where.path):
                    yield _Candidate(rule, first, last, bytes(data[first:last]), confidence, rule.severity)

    def _apart(self, candidates: list[_Candidate]) -> list[_Candidate]:
        """Where two rules see the same, the more particular one, which stands first, has it."""
        chosen: list[_Candidate] = []
        taken: list[tuple[int, int]] = []
        for one in sorted(candidates, key=lambda one: (self._order[one.rule.id], one.begin)):
            if any(one.begin < end and begin < one.end for begin, end in taken):
                continue
            taken.append((one.begin, one.end))
            chosen.append(one)
        return sorted(chosen, key=lambda one: one.begin)

    def _told(self, data: Buffer, chosen: Sequence[_Candidate], where: Where) -> Iterator[Secret]:
        """Each secret once a file, with its line."""
        told: set[tuple[str, str]] = set()
        hidden = [(one.begin, one.end, shown.shown(one.secret, one.rule.kind)) for one in chosen]
        number, counted = 1, 0
        for one in chosen:
            print_ = shown.fingerprint(one.secret, self._key)
            if (one.rule.id, print_) in told:
                continue
            told.add((one.rule.id, print_))
            if where.lines:
                number += _newlines(data, counted, one.begin)
                counted = one.begin
            yield Secret(
                rule=one.rule.id,
                title=one.rule.title["en"],
                severity=one.severity,
                confidence=one.confidence,
                shown=shown.shown(one.secret, one.rule.kind),
                fingerprint=print_,
                category=one.rule.category,
                line=number if where.lines else 0,
                place=where.place,
                encoding=where.encoding,
                context=_context(data, one, hidden) if where.lines and one.rule.kind != KEY else "",
            )


def _mentioned(rule: Rule, data: Buffer, fragment: int, known: dict[int, bool]) -> bool:
    """Rules of others want one of their keywords in the same part of the file, not in the match."""
    if fragment not in known:
        part = data[max(fragment * FRAGMENT - SPAN, 0) : (fragment + 1) * FRAGMENT + SPAN].lower()
        known[fragment] = not rule.keywords or any(word.encode() in part for word in rule.keywords)
    return known[fragment]


def _windows(at: Iterable[int], span: int, size: int) -> Iterator[tuple[int, int]]:
    begin = end = -1
    for position in sorted(at):
        low, high = max(position - span, 0), min(position + span, size)
        if end < 0:
            begin, end = low, high
        elif low <= end:
            end = max(end, high)
        else:
            yield begin, end
            begin, end = low, high
    if end >= 0:
        yield begin, end


def _judged(rule: Rule, match: re.Match[bytes], secret: bytes, where: Where) -> str:
    """The confidence; "" when it is none."""
    if rule.entropy and entropy(secret) < rule.entropy:
        return ""
    if rule.category == SCORED:
        return _scored(match, secret, where.path)
    if rule.kind == KEY and not where.lines and places.distance(where.path):
        return ""  # a library's keys to test itself with
    if rule.kind != KEY and (is_placeholder(secret) if not rule.source else is_variable(secret)):
        return ""
    if rule.kind == PASSWORD and is_trivial(secret):
        return ""
    if hashlib.sha256(secret).hexdigest()[:12] in _SAMPLES:
        return ""
    return places.confidence(rule.confidence, where.path, rule.strong)


def _scored(match: re.Match[bytes], secret: bytes, path: str) -> str:
    groups = match.groupdict()
    one = passwords.Assignment(
        key=(groups.get("name") or b"").decode("ascii", "replace"),
        value=secret,
        quoted=bool(groups.get("quote")),
        path=path,
        remark=bool(
            _REMARK.match(
                match.string[max(match.string.rfind(b"\n", 0, match.start()) + 1, match.start() - LINE) : match.start()]
            )
        ),
        spaced=groups.get("sep") is not None and not groups["sep"].strip(),
    )
    return passwords.level(passwords.weigh(one))


def _let_pass(rule: Rule, match: re.Match[bytes], data: Buffer, path: str) -> bool:
    if not rule.allows:
        return False
    first, last = rule.secret(match)
    begin, end = _line(data, match.start(), match.end())
    line = bytes(data[begin:end])
    return any(one.lets_pass(path, match[0], bytes(data[first:last]), line) for one in rule.allows)


def _joined(found: list[_Candidate]) -> list[_Candidate]:
    """An account's name and its key are one door: told once, at the place of the name, with the worse severity."""
    gone: set[int] = set()
    chosen = list(found)
    for number, one in enumerate(found):
        if not one.rule.joins:
            continue
        near = [
            (abs(other.begin - one.begin), at)
            for at, other in enumerate(found)
            if other.rule.id == one.rule.joins and abs(other.begin - one.begin) <= NEAR
        ]
        if near:
            at = min(near)[1]
            worse = min(chosen[at].severity, one.severity, key=lambda severity: -severity.rank)
            chosen[at] = replace(chosen[at], severity=worse)
            gone.add(number)
    return [one for number, one in enumerate(chosen) if number not in gone]


def _newlines(data: Buffer, begin: int, end: int) -> int:
    return sum(data[at : min(at + (1 << 20), end)].count(b"\n") for at in range(begin, end, 1 << 20))


def _line(data: Buffer, begin: int, end: int) -> tuple[int, int]:
    """Where the line around it begins and ends, as far as it is looked at."""
    low, high = max(begin - LINE, 0), min(end + LINE, len(data))
    first = data.rfind(b"\n", low, begin)
    last = data.find(b"\n", end, high)
    return (first + 1 if first >= 0 else low), (last if last >= 0 else high)


def _context(data: Buffer, one: _Candidate, hidden: Sequence[tuple[int, int, str]]) -> str:
    begin, end = _line(data, one.begin, one.end)
    inside = [(max(first, begin) - begin, min(last, end) - begin, what) for first, last, what in hidden]
    return shown.context(bytes(data[begin:end]), [one for one in inside if one[0] < one[1]], one.begin - begin)
