"""CSAF 2.0, profile VEX, of what was decided. Source: https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html"""

from typing import Any, TextIO

from seawall import __version__
from seawall.images.model import Scan, Vulnerability
from seawall.images.statements import AUTHOR, decided, id_of, name_of, number_of, written

_PRODUCTS = {"not_affected": "known_not_affected", "fixed": "fixed", "accepted": "known_affected"}


def write(scan: Scan, out: TextIO) -> None:
    """One CSAF document of the profile VEX."""
    found = list(decided(scan))
    products = {purl: f"SW-{number}" for number, purl in enumerate(dict.fromkeys(one.purl for one in found), 1)}
    named = {one.purl: f"{one.package} {one.installed}" for one in found}
    by_id: dict[str, list[Vulnerability]] = {}
    for one in found:
        by_id.setdefault(one.id, []).append(one)
    written(
        {
            "document": _csaf_head(scan),
            "product_tree": {
                "full_product_names": [
                    {"name": named[purl], "product_id": number, "product_identification_helper": {"purl": purl}}
                    for purl, number in products.items()
                ]
            },
            "vulnerabilities": [_csaf_one(name, group, products) for name, group in by_id.items()],
        },
        out,
    )


def _csaf_head(scan: Scan) -> dict[str, Any]:
    return {
        "category": "csaf_vex",
        "csaf_version": "2.0",
        "title": f"Decisions on vulnerabilities of {name_of(scan)}",
        "publisher": {"category": "user", "name": AUTHOR, "namespace": "https://example.org"},
        "notes": [{"category": "general", "text": f"The image is {id_of(scan)}.", "title": "Image"}],
        "tracking": {
            "current_release_date": scan.scanned_at,
            "initial_release_date": scan.scanned_at,
            "id": str(number_of(scan)),
            "status": "final",
            "version": "1",
            "revision_history": [{"date": scan.scanned_at, "number": "1", "summary": "written by a scan"}],
            "generator": {"engine": {"name": "Seawall", "version": __version__}},
        },
    }


def _csaf_one(name: str, group: list[Vulnerability], products: dict[str, str]) -> dict[str, Any]:
    states: dict[str, list[str]] = {}
    threats, remedies = [], []
    for one in group:
        number = products[one.purl]
        states.setdefault(_PRODUCTS[one.decided], []).append(number)
        if one.decided == "accepted":
            remedies.append({"category": "none_available", "details": one.suppressed, "product_ids": [number]})
        else:
            threats.append({"category": "impact", "details": one.suppressed, "product_ids": [number]})
    named = {"cve": name} if name.startswith("CVE-") else {"ids": [{"system_name": group[0].source, "text": name}]}
    return {
        **named,
        "notes": [{"category": "description", "text": group[0].title or name}],
        "product_status": states,
        **({"threats": threats} if threats else {}),
        **({"remediations": remedies} if remedies else {}),
    }
