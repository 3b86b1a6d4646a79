"""Feeds, one a file: `recognise(document)` by content, `read(document)`. The first that knows a document reads it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from seawall.core.errors import Hostile
from seawall.intel.collect import alpine, debian, hosts, kev, misp, osv, plain, stix, table
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed


@dataclass(frozen=True, slots=True)
class Feed:
    """One format of a feed."""

    recognise: Callable[[Document], bool]
    read: Callable[[Document], Iterable[Parsed]]


FEEDS = {
    "kev": Feed(kev.recognise, kev.read),
    "alpine": Feed(alpine.recognise, alpine.read),
    "debian": Feed(debian.recognise, debian.read),
    "stix": Feed(stix.recognise, stix.read),
    "misp": Feed(misp.recognise, misp.read),
    "osv": Feed(osv.recognise, osv.read),
    "hosts": Feed(hosts.recognise, hosts.read),
    "table": Feed(table.recognise, table.read),
    "plain": Feed(plain.recognise, plain.read),
}
"""Special formats before general ones."""


def parse(document: Document) -> Iterator[Parsed] | None:
    """The document's records as they are read, or None when no feed knows it. Reading them raises ValueError where the
    feed cannot."""
    for feed in FEEDS.values():
        if feed.recognise(document):
            return _checked(feed, document)
    return None


def _checked(feed: Feed, document: Document) -> Iterator[Parsed]:
    try:
        yield from feed.read(document)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError, Hostile) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
