"""SPDX 2.3 as JSON: what is inside. Source: https://spdx.github.io/spdx-spec/v2.3/

Findings have no place in this version of SPDX; what could not be read is told in the document's comment.
"""

import json
import re
import uuid
from typing import Any, TextIO

from seawall import __version__
from seawall.core.plain import to_plain
from seawall.images.lines import gaps
from seawall.images.model import Package, Scan

IMAGE = "SPDXRef-Image"
_SPACE = uuid.UUID("0c8f4a57-5a0f-5d07-8f0b-5ea3a11ca12d")
_ODD = re.compile(r"[^A-Za-z0-9.-]+")
_LICENSE = re.compile(r"[A-Za-z0-9.+-]+(?:\s+(?:AND|OR|WITH)\s+[A-Za-z0-9.+-]+)*")


def write(scan: Scan, out: TextIO) -> None:
    """One document."""
    json.dump(to_plain(document(scan)), out, indent=2, ensure_ascii=False)
    out.write("\n")


def document(scan: Scan) -> dict[str, Any]:
    """The report as plain values."""
    inventory = scan.inventory
    ids = [f"SPDXRef-Package-{number}-{_word(one.name)}" for number, one in enumerate(inventory.packages)]
    number = uuid.uuid5(_SPACE, inventory.config.id + scan.scanned_at)
    left = gaps(scan)
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": inventory.name or inventory.target,
        "documentNamespace": f"urn:uuid:{number}",
        "creationInfo": {"created": f"{scan.scanned_at[:19]}Z", "creators": [f"Tool: seawall-{__version__}"]},
        **({"comment": "NOT CHECKED: " + "; ".join(left)} if left else {}),
        "packages": [_image(scan), *(_package(ref, one) for ref, one in zip(ids, inventory.packages, strict=True))],
        "relationships": [
            _relation("SPDXRef-DOCUMENT", "DESCRIBES", IMAGE),
            *(_relation(IMAGE, "CONTAINS", ref) for ref in ids),
        ],
    }


def _image(scan: Scan) -> dict[str, Any]:
    inventory = scan.inventory
    digest = inventory.config.id.partition(":")[2]
    return {
        "SPDXID": IMAGE,
        "name": inventory.name or inventory.target,
        "versionInfo": inventory.config.id,
        "primaryPackagePurpose": "CONTAINER",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "checksums": [{"algorithm": "SHA256", "checksumValue": digest}] if digest else [],
    }


def _package(ref: str, package: Package) -> dict[str, Any]:
    refs = [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": package.purl}]
    places = ", ".join(f"layer {one.layer}: /{one.path}" for one in package.locations[:20])
    found = {
        "SPDXID": ref,
        "name": package.name,
        "versionInfo": package.version,
        "primaryPackagePurpose": "LIBRARY",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        # Only what is a license expression by its form may stand here; others' words go to the comment.
        "licenseDeclared": package.license if _LICENSE.fullmatch(package.license) else "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "externalRefs": refs,
    }
    if package.license and found["licenseDeclared"] == "NOASSERTION":
        found["licenseComments"] = package.license
    if package.source_name and (package.source_name, package.source_version) != (package.name, package.version):
        found["sourceInfo"] = f"built from {package.source_name} {package.source_version}; {places}".rstrip("; ")
    elif places:
        found["sourceInfo"] = places
    return found


def _relation(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _word(name: str) -> str:
    return _ODD.sub("-", name)[:60].strip("-") or "x"
