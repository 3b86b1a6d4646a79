"""The security databases of Wolfi and Chainguard: Alpine's form without releases. JSON.

Format: https://packages.wolfi.dev/os/security.json, https://packages.cgr.dev/chainguard/security.json
"""

import re

from seawall.intel.collect.alpine import package
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, value

_OWNERS = {b"wolfi.dev": "Wolfi", b"cgr.dev": "Chainguard"}
_PREFIX = re.compile(rb'"urlprefix"\s*:\s*"https?://[\w.-]*?(wolfi\.dev|cgr\.dev)')


def recognise(document: Document) -> bool:
    """A database whose packages lie at one of the two."""
    head = document.data[:4096]
    return b'"reponame"' in head and b'"distroversion"' not in head and bool(_PREFIX.search(head))


def read(document: Document) -> list[Parsed]:
    """All fixes. Raises ValueError, KeyError or TypeError when it is broken."""
    found = _PREFIX.search(document.data[:4096])
    ecosystem = _OWNERS[found[1]] if found else ""
    content = value(document.data)
    fixes = tuple(
        one for item in content.get("packages") or [] for one in package(item["pkg"], ecosystem, "chainguard")
    )
    return [Parsed(f"{ecosystem.lower()} secdb", ecosystem, fixes)]
