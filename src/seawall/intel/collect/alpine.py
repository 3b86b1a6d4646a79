"""Alpine's security database: which version fixes which CVEs; YAML or JSON, one document a branch and repository.

Format: https://gitlab.alpinelinux.org/alpine/infra/docker/secdb
"""

import re
from collections.abc import Iterator
from typing import Any

from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, text, value
from seawall.intel.model import Advisory, Affected, Range

_MARK = re.compile(rb'"?distroversion"?\s*:')
_NOT_AFFECTED = "0"
"""The version that says: this package never had the weakness."""


def recognise(document: Document) -> bool:
    """A document that names its release and repository first."""
    head = document.data[:4096]
    return bool(_MARK.search(head)) and b"reponame" in head


def read(document: Document) -> list[Parsed]:
    """All fixes of one repository. Raises ValueError, KeyError or TypeError when it is broken."""
    content = value(document.data)
    release, repository = text(content["distroversion"]), text(content["reponame"])
    found = tuple(
        advisory for item in content.get("packages") or [] for advisory in package(item["pkg"], f"Alpine:{release}")
    )
    return [Parsed(f"alpine {release} {repository}", f"{release}/{repository}", found)]


def package(found: dict[str, Any], ecosystem: str, source: str = "alpine") -> Iterator[Advisory]:
    """The fixes of one package."""
    name = text(found["name"])
    url = (
        "https://security.alpinelinux.org/vuln/{}"
        if source == "alpine"
        else "https://images.chainguard.dev/security/{}"
    )
    for version, ids in (found.get("secfixes") or {}).items():
        fixed = text(version)
        if fixed == _NOT_AFFECTED:
            continue
        for line in ids or []:
            words = [word for word in re.split(r"[\s,]+", text(line)) if word]
            if not words:
                continue
            cve = next((word for word in words if word.startswith("CVE-")), words[0])
            yield Advisory(
                id=cve,
                source=source,
                aliases=tuple(word for word in words if word != cve),
                urls=(url.format(cve),),
                affected=(Affected(ecosystem, name, (Range(fixed=fixed),)),),
            )
