"""`seawall.scan/1`, see docs/reference/schemas/scan.json. What was not checked is null, never an empty list."""

import json
from collections.abc import Sequence
from typing import Any, TextIO

from seawall.core.plain import to_plain
from seawall.images.model import SCHEMA, Malware, Package, Risk, Scan, Secret


def write(scan: Scan, out: TextIO) -> None:
    """One object."""
    json.dump(document(scan), out, indent=2, ensure_ascii=False)
    out.write("\n")


def document(scan: Scan) -> dict[str, Any]:
    """The report as plain values."""
    inventory = scan.inventory
    config = to_plain(inventory.config)
    found = to_plain(scan.judgement.vulnerabilities) if scan.judgement else None
    return {
        "schema": SCHEMA,
        "target": inventory.target,
        "name": inventory.name,
        "scanned_at": scan.scanned_at,
        "scanners": list(scan.scanners),
        "image": {**config, "tags": to_plain(inventory.tags), "digests": to_plain(inventory.digests)},
        "os": to_plain(inventory.os),
        "layers": to_plain(inventory.layers),
        "packages": [_package(scan, one) for one in inventory.packages] if "package" in scan.scanners else None,
        "vulnerabilities": found,
        "suppressed": to_plain(scan.judgement.suppressed) if scan.judgement else None,
        "end_of_life": to_plain(scan.judgement.ended) if scan.judgement and scan.judgement.ended else None,
        "reasons": dict(scan.judgement.reasons) if scan.judgement else {},
        "told": list(scan.judgement.told) if scan.judgement else [],
        "not_checked": scan.not_checked,
        "unchecked": _unchecked(scan),
        "secrets": _seen(scan, "secret", inventory.secrets),
        "malware": _seen(scan, "malware", inventory.malware),
        "config": _seen(scan, "config", inventory.risks),
        "checked": {name: inventory.checked[name] for name in scan.scanners if name in inventory.checked},
        "skipped": to_plain(inventory.skipped),
        "policy": to_plain(scan.decision) if scan.decision else None,
        "knowledge": scan.knowledge or None,
        "stats": {"packages": len(inventory.packages), **inventory.stats},
    }


def _seen(scan: Scan, scanner: str, found: Sequence[Secret | Malware | Risk]) -> Any:
    """What was not asked for, or could not be looked for, is no empty list."""
    return to_plain(found) if found or scan.inventory.checked.get(scanner) == "" else None


def _unchecked(scan: Scan) -> int | None:
    if scan.judgement is None:
        return None
    return sum(one.purl in scan.judgement.unchecked for one in scan.inventory.packages)


def _package(scan: Scan, package: Package) -> dict[str, Any]:
    checked = package.purl not in scan.judgement.unchecked if scan.judgement else None
    return {**to_plain(package), "layer": package.locations[0].layer if package.locations else -1, "checked": checked}
