"""OpenVEX 0.2.0 of what was decided. Source: https://github.com/openvex/spec

What is accepted is there all the same: `affected`, and the reason is what is done about it.
"""

from typing import TextIO

from seawall import __version__
from seawall.images.model import Scan
from seawall.images.statements import AUTHOR, decided, number_of, product, written

_STATES = {"not_affected": "not_affected", "fixed": "fixed", "accepted": "affected"}


def write(scan: Scan, out: TextIO) -> None:
    """One OpenVEX document."""
    statements = [
        {
            "vulnerability": {"name": one.id, **({"aliases": list(one.aliases)} if one.aliases else {})},
            "products": [{**product(scan), "subcomponents": [{"@id": one.purl, "identifiers": {"purl": one.purl}}]}],
            "status": _STATES[one.decided],
            ("action_statement" if one.decided == "accepted" else "impact_statement"): one.suppressed,
        }
        for one in decided(scan)
    ]
    written(
        {
            "@context": "https://openvex.dev/ns/v0.2.0",
            "@id": f"urn:uuid:{number_of(scan)}",
            "author": AUTHOR,
            "timestamp": scan.scanned_at,
            "version": 1,
            "tooling": f"Seawall {__version__}",
            "statements": statements,
        },
        out,
    )
