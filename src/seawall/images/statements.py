"""Statements on an image's vulnerabilities (VEX), as all the forms in which they are written need them."""

import json
import uuid
from collections.abc import Iterator
from typing import Any, TextIO

from seawall.images.model import Scan, Vulnerability

AUTHOR = "Seawall user"
_SPACE = uuid.UUID("0a9f5c52-6a1c-5a3f-9b5e-2f1f3f0f5c11")


def decided(scan: Scan) -> Iterator[Vulnerability]:
    """Those that somebody has decided on: what does not count for another reason (the distribution answers for it,
    nothing of it runs) is no statement on the vulnerability."""
    for one in scan.judgement.suppressed if scan.judgement else ():
        if one.decided:
            yield one


def product(scan: Scan) -> dict[str, Any]:
    """The image: by the purl of its digest in a registry where it has one, else by the digest of its configuration."""
    name, at, digest = (scan.inventory.digests[0] if scan.inventory.digests else "").partition("@")
    if not at:
        digest = id_of(scan)
        return {"@id": digest, "hashes": {"sha-256": digest.removeprefix("sha256:")}}
    short = name.rpartition("/")[2].lower()
    return {"@id": f"pkg:oci/{short}@{digest.replace(':', '%3A')}?repository_url={name.lower()}"}


def name_of(scan: Scan) -> str:
    """By which people know the image."""
    return scan.inventory.name or scan.inventory.target


def id_of(scan: Scan) -> str:
    """The digest of its configuration."""
    return scan.inventory.config.id


def number_of(scan: Scan) -> uuid.UUID:
    """Of a document: the same scan writes the same one."""
    return uuid.uuid5(_SPACE, id_of(scan) + scan.scanned_at)


def written(document: dict[str, Any], out: TextIO) -> None:
    """One object."""
    json.dump(document, out, indent=2, ensure_ascii=False)
    out.write("\n")
