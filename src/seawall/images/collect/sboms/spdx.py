"""SPDX 2.2 and 2.3 in JSON. Source: https://spdx.github.io/spdx-spec/v2.3/"""

import re
from typing import Any

from seawall.images.collect.packages.format import clean
from seawall.images.collect.sboms.bill import Bill, objects, text
from seawall.images.model import OperatingSystem

_BUILT = re.compile(r"built (?:from|package from): ?|built from ")
_UNKNOWN = {"NOASSERTION", "NONE", ""}


def knows(found: dict[str, Any]) -> bool:
    """By what it calls itself."""
    return text(found, "spdxVersion").startswith("SPDX-2.")


def read(found: dict[str, Any]) -> Bill:
    """Packages by their purls; files are no packages."""
    bill = Bill("SPDX")
    bill.name = clean(text(found, "name"))
    for one in objects(found, "packages"):
        purl = next((text(ref, "referenceLocator") for ref in objects(one, "externalRefs")
                     if text(ref, "referenceType") == "purl"), "")  # fmt: skip
        purpose = text(one, "primaryPackagePurpose")
        name, version = text(one, "name"), text(one, "versionInfo")
        if purpose == "OPERATING-SYSTEM":
            bill.os = OperatingSystem(clean(name).lower(), clean(version))
        elif purpose not in ("CONTAINER", "FILE") and (purl or purpose != "SOURCE"):
            concluded = text(one, "licenseConcluded")
            declared = text(one, "licenseDeclared") if concluded in _UNKNOWN else concluded
            source, source_version = _source(text(one, "sourceInfo"))
            bill.add(
                purl,
                name,
                version,
                license="" if declared in _UNKNOWN else clean(declared),
                source_name=source,
                source_version=source_version,
            )
    return bill


def _source(told: str) -> tuple[str, str]:
    """`built from openssl 1.1.1w-0+deb11u1; …` and `built package from: openssl 1.1.1w-0+deb11u1`."""
    match = _BUILT.match(told)
    if match is None:
        return "", ""
    name, _, version = told[match.end() :].partition(";")[0].strip().partition(" ")
    return clean(name), clean(version)
