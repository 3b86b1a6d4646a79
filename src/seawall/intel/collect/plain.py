"""Lists of indicators, one a line: addresses, networks, names, URLs or hashes; comments after # or ;.

What kind they are is told by the file's name or the comments at its head (`tor-exit-nodes.txt`, `# Botnet C2 …`).
"""

import re
from collections.abc import Iterator

from seawall.intel.collect.documents import Document
from seawall.intel.collect.observables import LEAST, kind_in, may_be_list, observable, origin, unique
from seawall.intel.collect.parsed import Parsed
from seawall.intel.model import Indicator

ENOUGH = 0.8
"""Share of the first lines that must be indicators for a text to be a list of them."""
LOOKED_AT = 50
_COMMENT = re.compile(r"(?:^|\s)\s*(?:[#;]|//).*$")
_HEAD = re.compile(r"^\s*(?:[#;!]|//)\s*(.*)$")


def recognise(document: Document) -> bool:
    """Text whose lines are, but for comments, single indicators."""
    if not may_be_list(document):
        return False
    lines = list(_lines(document.data[:8192].decode("utf-8", "replace")))[:LOOKED_AT]
    known = sum(_word(line) is not None for line in lines)
    return known >= LEAST and known >= ENOUGH * len(lines)


def read(document: Document) -> list[Parsed]:
    """The whole list."""
    text = document.data.decode("utf-8", "replace")
    head = " ".join(said.group(1) for line in text.splitlines()[:20] if (said := _HEAD.match(line)))
    kind = kind_in(f"{origin(document)} {head[:500]}")
    found, unread = unique(_indicator(line, kind) for line in _lines(text))
    return [Parsed(f"list {origin(document)}", origin(document), indicators=found, unread=unread)]


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        bare = "" if line.lstrip().startswith(("!", "[")) else _COMMENT.sub("", line).strip()
        if bare:
            yield bare


def _indicator(line: str, kind: str) -> Indicator | None:
    found = _word(line)
    return None if found is None else Indicator(*found, kind)


def _word(line: str) -> tuple[str, str] | None:
    """A line is one word; DROP lists have a second one, after the network."""
    words = line.split()
    return observable(words[0]) if len(words) <= 2 else None
