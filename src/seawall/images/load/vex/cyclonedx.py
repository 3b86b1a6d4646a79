"""VEX in CycloneDX: vulnerabilities with an analysis. Source: https://cyclonedx.org/docs/1.6/json/#vulnerabilities"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from seawall.images.model import Statement

_STATES = {
    "resolved": "fixed", "resolved_with_pedigree": "fixed", "exploitable": "affected",
    "in_triage": "under_investigation",
    "false_positive": "not_affected", "not_affected": "not_affected",
}  # fmt: skip
_JUSTIFICATIONS = {
    "code_not_present": "vulnerable_code_not_present",
    "code_not_reachable": "vulnerable_code_not_in_execute_path",
    "requires_configuration": "vulnerable_code_cannot_be_controlled_by_adversary",
    "requires_dependency": "component_not_present",
    "requires_environment": "vulnerable_code_cannot_be_controlled_by_adversary",
    "protected_by_compiler": "inline_mitigations_already_exist",
    "protected_at_runtime": "inline_mitigations_already_exist",
    "protected_at_perimeter": "inline_mitigations_already_exist",
    "protected_by_mitigating_control": "inline_mitigations_already_exist",
}
"""CycloneDX's words for the reason → OpenVEX's."""
MAX_DEPTH = 50


def recognise(content: dict[str, Any]) -> bool:
    """A bill of materials that speaks of vulnerabilities."""
    return content.get("bomFormat") == "CycloneDX" and isinstance(content.get("vulnerabilities"), list)


def read(content: dict[str, Any], source: str) -> Iterator[Statement]:
    """One decision for each vulnerability that somebody has analysed."""
    root = (content.get("metadata") or {}).get("component") or {}
    purls = dict(_purls([root, *(content.get("components") or [])], 0))
    for one in content["vulnerabilities"]:
        analysis = one.get("analysis") or {}
        status = _STATES.get(str(analysis.get("state") or ""))
        if status is None:
            continue
        ids = [str(one.get("id") or "")[:200]]
        ids += [str(item.get("id") or "")[:200] for item in one.get("references") or [] if isinstance(item, dict)]
        refs = [str(item.get("ref") or "") for item in one.get("affects") or [] if isinstance(item, dict)]
        names = [name for ref in refs if (name := _named(ref, purls))]
        if not names or not ids[0]:
            continue
        images = tuple(name for name in names if name.startswith(("pkg:oci/", "pkg:docker/", "sha256:")))
        packages = tuple(name for name in names if name not in images)
        yield Statement(
            tuple(filter(None, ids)), status, str(analysis.get("detail") or "")[:2000], source, packages, images,
            justification=_JUSTIFICATIONS.get(str(analysis.get("justification") or ""), ""),
        )  # fmt: skip


def _purls(components: list[Any], depth: int) -> Iterator[tuple[str, str]]:
    if depth > MAX_DEPTH:
        raise ValueError("components nested too deeply")
    for one in components:
        if not isinstance(one, dict):
            continue
        if one.get("bom-ref") and one.get("purl"):
            yield str(one["bom-ref"]), str(one["purl"])
        elif one.get("bom-ref") and str(one.get("version") or "").startswith("sha256:"):
            yield str(one["bom-ref"]), str(one["version"])
        yield from _purls(one.get("components") or [], depth + 1)


def _named(ref: str, purls: dict[str, str]) -> str:
    """A component of this document, of another one (urn:cdx:SERIAL/VERSION#REF), or a purl itself."""
    if ref in purls:
        return purls[ref]
    inner = unquote(ref.partition("#")[2]) if ref.startswith("urn:cdx:") else ref
    return purls.get(inner) or (inner if inner.startswith("pkg:") else "")
