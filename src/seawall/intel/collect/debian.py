"""Debian's security advisories as the tracker lists them: `data/DSA/list` and `data/DLA/list`.

A line without indent starts an advisory, `{CVE…}` names what it is about, `[release] - source version` what fixes it.
Format: https://security-team.debian.org/security_tracker.html
"""

import re
from collections.abc import Iterator

from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed
from seawall.intel.model import Advisory, Affected, Range

RELEASES = {
    "potato": "2.2", "woody": "3.0", "sarge": "3.1", "etch": "4", "lenny": "5", "squeeze": "6", "wheezy": "7",
    "jessie": "8", "stretch": "9", "buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14",
}  # fmt: skip
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_HEAD = re.compile(r"\[(\d{1,2} \w{3} \d{4})\] (D[SL]A-\d+(?:-\d+)?)\s+(.*)")
_FIX = re.compile(r"\s+\[(\w+)\] - (\S+) (\S+)")
_IDS = re.compile(r"\s+\{([^}]*)\}")


def recognise(document: Document) -> bool:
    """The first line is an advisory's head."""
    return bool(_HEAD.match(document.data[:300].decode("utf-8", "replace")))


def read(document: Document) -> list[Parsed]:
    """The list's advisories, each split by CVE, so that a finding has the id that people look for."""
    lines = document.data.decode("utf-8", "replace").splitlines()
    return [parsed for block in _blocks(lines) if (parsed := _advisory(block))]


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in lines:
        if line.startswith("[") and block:
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def _advisory(block: list[str]) -> Parsed | None:
    head = _HEAD.match(block[0])
    if not head:
        return None
    date, advisory, title = head.groups()
    ids: list[str] = []
    affected = []
    for line in block[1:]:
        if names := _IDS.match(line):
            ids += [word for word in names[1].split() if word.startswith("CVE-")]
        elif fix := _FIX.match(line):
            release = RELEASES.get(fix[1])
            if release and not fix[3].startswith(
                "<"
            ):  # <not-affected>, <end-of-life>, <unfixed>: no version to compare
                affected.append(Affected(f"Debian:{release}", fix[2], (Range(fixed=fix[3]),)))
    if not affected or (not ids and "regression" in title):  # a repair of an earlier fix is no weakness
        return None
    found = tuple(
        Advisory(
            id=name,
            source="debian",
            aliases=(advisory,) if ids else (),
            title=title.strip(),
            urls=(f"https://security-tracker.debian.org/tracker/{name}",),
            published=_date(date),
            affected=tuple(affected),
        )
        for name in ids or [advisory]
    )
    return Parsed(f"debian {advisory[:3]}", advisory, found)


def _date(text: str) -> str:
    day, month, year = text.split()
    return f"{year}-{_MONTHS.index(month) // 3 + 1:02}-{int(day):02}" if month in _MONTHS else ""
