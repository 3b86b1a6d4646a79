"""Lists of names in the form of hosts(5): every line sends a name to nowhere (0.0.0.0, 127.0.0.1, ::)."""

from collections.abc import Iterator

from seawall.intel.collect.documents import Document
from seawall.intel.collect.observables import kind_in, may_be_list, observable, origin, unique
from seawall.intel.collect.parsed import Parsed
from seawall.intel.model import Indicator

NOWHERE = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1", "0"})
LOOKED_AT = 50


def recognise(document: Document) -> bool:
    """Lines of an address of nowhere and names."""
    if not may_be_list(document):
        return False
    lines = list(_lines(document.data[:8192].decode("utf-8", "replace")))[:LOOKED_AT]
    return len(lines) > 1 and sum(words[0] in NOWHERE for words in lines[:-1]) >= 0.8 * (len(lines) - 1)


def read(document: Document) -> list[Parsed]:
    """All names."""
    text = document.data.decode("utf-8", "replace")
    head = " ".join(line.lstrip("# ") for line in text.splitlines()[:20] if line.startswith("#"))
    kind = kind_in(f"{origin(document)} {head[:500]}")
    found, unread = unique(
        _indicator(name, kind)
        for words in _lines(text)
        if words[0] in NOWHERE
        for name in words[1:]
        if "." in name and name not in NOWHERE
    )
    return [Parsed(f"hosts {origin(document)}", origin(document), indicators=found, unread=unread)]


def _lines(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if len(words) > 1:
            yield words


def _indicator(name: str, kind: str) -> Indicator | None:
    found = observable(name)
    return Indicator(*found, kind) if found is not None and found[0] == "domain" else None
