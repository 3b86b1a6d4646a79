"""CycloneDX 1.6 of what was decided: packages with their vulnerabilities' analyses. Source: https://cyclonedx.org/docs/1.6/json/"""

from typing import TextIO

from seawall import __version__
from seawall.images.model import Scan
from seawall.images.statements import decided, id_of, name_of, number_of, written

_ANALYSES = {"not_affected": "not_affected", "fixed": "resolved", "accepted": "exploitable"}


def write(scan: Scan, out: TextIO) -> None:
    """One CycloneDX document with the packages it speaks of."""
    found = list(decided(scan))
    refs = {purl: f"package-{number}" for number, purl in enumerate(dict.fromkeys(one.purl for one in found))}
    named = {one.purl: one for one in found}
    written(
        {
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": f"urn:uuid:{number_of(scan)}",
            "version": 1,
            "metadata": {
                "timestamp": scan.scanned_at,
                "tools": {"components": [{"type": "application", "name": "seawall", "version": __version__}]},
                "component": {"type": "container", "bom-ref": "image", "name": name_of(scan), "version": id_of(scan)},
            },
            "components": [
                {
                    "type": "library",
                    "bom-ref": ref,
                    "name": named[purl].package,
                    "version": named[purl].installed,
                    "purl": purl,
                }
                for purl, ref in refs.items()
            ],
            "vulnerabilities": [
                {
                    "id": one.id,
                    "analysis": {
                        "state": _ANALYSES[one.decided],
                        "detail": one.suppressed,
                        **({"response": ["will_not_fix"]} if one.decided == "accepted" else {}),
                    },
                    "affects": [{"ref": refs[one.purl]}],
                }
                for one in found
            ],
        },
        out,
    )
