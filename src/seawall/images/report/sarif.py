"""SARIF 2.1.0, as code hosts show it. Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"""

import hashlib
import json
from typing import Any, TextIO
from urllib.parse import quote

from seawall import __version__
from seawall.core.plain import to_plain
from seawall.core.severity import Severity
from seawall.images.lines import Finding, findings, gaps
from seawall.images.model import Scan

_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning"}
_SCORES = {
    Severity.CRITICAL: 9.5, Severity.HIGH: 8.0, Severity.MEDIUM: 5.5, Severity.LOW: 2.0, Severity.UNKNOWN: 0.0,
    Severity.INFO: 0.0,
}  # fmt: skip
"""Code hosts sort by a number; it stands for the severity where nobody has scored the finding."""
_NAMES = {"vuln": "Vulnerability", "secret": "Secret", "malware": "Malware", "config": "Configuration"}


def write(scan: Scan, out: TextIO) -> None:
    """One run. What could not be checked is a notification, and the run did not succeed then."""
    json.dump(to_plain(_document(scan)), out, indent=2, ensure_ascii=False)
    out.write("\n")


def _document(scan: Scan) -> dict[str, Any]:
    rules: dict[str, dict[str, Any]] = {}
    results = []
    for one in findings(scan):
        rules.setdefault(one.rule, _rule(one))
        results.append(_result(one))
    number = {rule: place for place, rule in enumerate(rules)}
    results = [{**one, "ruleIndex": number[one["ruleId"]]} for one in results]
    left = gaps(scan)
    driver = {
        "name": "Seawall",
        "version": __version__,
        "rules": list(rules.values()),
    }
    invocation = {
        "executionSuccessful": not left,
        "endTimeUtc": scan.scanned_at,
        "toolExecutionNotifications": [
            {"level": "warning", "message": {"text": f"NOT CHECKED: {one}"}, "descriptor": {"id": "not-checked"}}
            for one in left
        ],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "results": results,
        "columnKind": "unicodeCodePoints",
        "properties": {"image": scan.inventory.name or scan.inventory.target, "imageId": scan.inventory.config.id},
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }


def _result(one: Finding) -> dict[str, Any]:
    text = f"{one.title}\n{one.detail}".strip()
    place: dict[str, Any] = {
        "artifactLocation": {"uri": quote(one.path, safe="/-_.~", errors="surrogateescape") or "image"}
    }
    if one.line or one.kind == "vuln":
        place["region"] = {"startLine": max(one.line, 1)}
    key = hashlib.sha256(f"{one.kind}\0{one.rule}\0{one.path}\0{one.identity}".encode("utf-8", "replace")).hexdigest()
    return {
        "ruleId": one.rule,
        "level": _LEVELS.get(one.severity, "note"),
        "message": {"text": text},
        "locations": [{"physicalLocation": place, "message": {"text": f"layer {one.layer}"}}],
        "partialFingerprints": {"seawall/v1": key},
        "properties": {"severity": one.severity.value, "kind": one.kind},
    }


def _rule(one: Finding) -> dict[str, Any]:
    score = one.score if one.score is not None else _SCORES[one.severity]
    return {
        "id": one.rule,
        "name": _NAMES[one.kind],
        "shortDescription": {"text": one.title[:300] or one.rule},
        "fullDescription": {"text": one.title or one.rule},
        **({"helpUri": one.url} if one.url.startswith("https://") else {}),
        "properties": {"tags": ["security", one.kind], "security-severity": f"{score:.1f}"},
    }
