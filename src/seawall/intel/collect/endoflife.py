"""When the support of products ends, Markdown with a head in YAML. Format: https://github.com/endoflife-date/endoflife.date"""

import re
from typing import Any

from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, day, text, value
from seawall.intel.model import Cycle

_HEAD = re.compile(r"---\s*\n(.*?)\n---\s*(?:\n|$)", re.DOTALL)


def recognise(document: Document) -> bool:
    """A head in YAML with releases that have cycles."""
    return document.data[:4].rstrip() == b"---" and b"releaseCycle:" in document.data


def read(document: Document) -> list[Parsed]:
    """The releases of one product. Raises ValueError, KeyError or TypeError when it is broken."""
    head = _HEAD.match(document.data.decode("utf-8"))
    if not head:
        raise ValueError("its head does not end")
    found = value(head[1].encode())
    link = text(found.get("permalink")).strip("/")
    product = link or document.name.rpartition("/")[2].removesuffix(".md")
    cycles = tuple(_cycle(product, item) for item in found.get("releases") or [])
    return [Parsed("endoflife", product, cycles=cycles)]


def _cycle(product: str, item: dict[str, Any]) -> Cycle:
    return Cycle(
        product=product,
        name=text(item["releaseCycle"]),
        codename=text(item.get("codename")),
        released=day(item.get("releaseDate")),
        support=day(item.get("eoas")) or day(item.get("support")),
        end=day(item.get("eol")),
        extended=day(item.get("eoes")) or day(item.get("extendedSupport")),
        ended=item.get("eol") is True,
        latest=text(item.get("latest")),
    )
