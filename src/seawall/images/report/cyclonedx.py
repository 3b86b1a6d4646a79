"""CycloneDX 1.6: what is inside, and what is known of it. Source: https://cyclonedx.org/docs/1.6/json/

The serial number follows from the image and the moment of the scan, so the same scan writes the same document.
"""

import json
import uuid
from collections.abc import Iterator
from typing import Any, TextIO

from seawall import __version__
from seawall.core.plain import to_plain
from seawall.core.severity import Severity
from seawall.images.lines import gaps
from seawall.images.model import OperatingSystem, Package, Scan, Vulnerability

ROOT = "image"
MAX_OCCURRENCES = 20
_SPACE = uuid.UUID("6f1b5f0e-9d5c-5b53-9f0c-5ea3a11ca11d")


def write(scan: Scan, out: TextIO) -> None:
    """One document."""
    json.dump(to_plain(document(scan)), out, indent=2, ensure_ascii=False)
    out.write("\n")


def document(scan: Scan) -> dict[str, Any]:
    """The report as plain values."""
    packages = list(_numbered(scan))
    refs = {package.purl: ref for ref, package in reversed(packages)}
    system = [_system(scan.inventory.os)] if scan.inventory.os else []
    found = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, scan.inventory.config.id + scan.scanned_at)}",
        "version": 1,
        "metadata": _metadata(scan),
        "components": [*system, *(_component(ref, package) for ref, package in packages)],
        "dependencies": [{"ref": ROOT, "dependsOn": [*(["os"] if system else []), *(ref for ref, _ in packages)]}],
    }
    if scan.judgement is not None:
        found["vulnerabilities"] = _vulnerabilities(scan.judgement.vulnerabilities, refs)
    return found


def _numbered(scan: Scan) -> Iterator[tuple[str, Package]]:
    for number, package in enumerate(scan.inventory.packages):
        yield f"package-{number}", package


def _metadata(scan: Scan) -> dict[str, Any]:
    inventory = scan.inventory
    image: dict[str, Any] = {"type": "container", "bom-ref": ROOT, "name": inventory.name or inventory.target}
    name, at, digest = (inventory.digests[0] if inventory.digests else "").partition("@")
    if at:
        short = name.rpartition("/")[2].lower()
        image["purl"] = f"pkg:oci/{short}@{digest.replace(':', '%3A')}?repository_url={name.lower()}"
    image["version"] = inventory.config.id
    image["properties"] = [
        {"name": "seawall:image:id", "value": inventory.config.id},
        *({"name": "seawall:image:layer", "value": layer.diff_id} for layer in inventory.layers if layer.diff_id),
    ]
    return {
        "timestamp": scan.scanned_at,
        "tools": {"components": [{"type": "application", "name": "seawall", "version": __version__}]},
        "component": image,
        "properties": [{"name": "seawall:not-checked", "value": gap} for gap in gaps(scan)],
    }


def _system(system: OperatingSystem) -> dict[str, Any]:
    return {
        "type": "operating-system",
        "bom-ref": "os",
        "name": system.id or "unknown",
        "version": system.version,
        "description": system.name,
    }


def _component(ref: str, package: Package) -> dict[str, Any]:
    group, slash, name = package.name.rpartition("/") if package.kind in ("npm", "golang", "composer") else ("", "", "")
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": ref,
        **({"group": group} if slash and group else {}),
        "name": name if slash and name else package.name,
        "version": package.version,
        "purl": package.purl,
    }
    if package.license:
        found["licenses"] = [{"license": {"name": package.license}}]
    if package.locations:
        places = [{"location": one.path or "/"} for one in package.locations[:MAX_OCCURRENCES]]
        found["evidence"] = {"occurrences": places}
    told = {"layer": str(package.locations[0].layer) if package.locations else "", "kind": package.kind}
    if package.source_name and (package.source_name, package.source_version) != (package.name, package.version):
        told["source"] = f"{package.source_name} {package.source_version}".strip()
    found["properties"] = [{"name": f"seawall:{name}", "value": value} for name, value in told.items() if value]
    return found


def _vulnerabilities(found: Any, refs: dict[str, str]) -> list[dict[str, Any]]:
    """One entry a vulnerability, with all packages that it is in."""
    grouped: dict[str, list[Vulnerability]] = {}
    for one in found:
        grouped.setdefault(one.id, []).append(one)
    return [_vulnerability(same, refs) for same in grouped.values()]


def _vulnerability(same: list[Vulnerability], refs: dict[str, str]) -> dict[str, Any]:
    first = same[0]
    entry: dict[str, Any] = {
        "bom-ref": f"vulnerability-{first.id}",
        "id": first.id,
        "source": {"name": first.source, **({"url": first.url} if first.url else {})},
        "references": [{"id": alias, "source": {"name": "alias"}} for alias in dict.fromkeys(first.aliases)],
        "ratings": [_rating(first)],
        "description": first.title,
        "affects": [_affects(one, refs) for one in same if one.purl in refs],
    }
    mends = sorted({f"update {one.package} to {one.fixed}" for one in same if one.fixed})
    if mends:
        entry["recommendation"] = "; ".join(mends)
    if first.kev:
        entry["properties"] = [{"name": "seawall:kev", "value": "known to be exploited"}]
    return {name: value for name, value in entry.items() if value != []}


def _rating(one: Vulnerability) -> dict[str, Any]:
    rating: dict[str, Any] = {"severity": one.severity.value if one.severity is not Severity.UNKNOWN else "unknown"}
    if one.score is not None:
        rating["score"] = one.score
    if one.cvss:
        rating["method"] = _method(one.cvss)
        rating["vector"] = one.cvss
    return rating


def _method(vector: str) -> str:
    known = {"CVSS:4.0": "CVSSv4", "CVSS:3.1": "CVSSv31", "CVSS:3.0": "CVSSv3"}
    return known.get(vector[:8], "CVSSv2")


def _affects(one: Vulnerability, refs: dict[str, str]) -> dict[str, Any]:
    return {"ref": refs[one.purl], "versions": [{"version": one.installed, "status": "affected"}]}
