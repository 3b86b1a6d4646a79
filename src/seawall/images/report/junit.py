"""JUnit XML, as every build server shows it: a suite a scanner, a failed case a finding, an error what was not checked.

Source: the schema of Jenkins' xUnit plugin, which others follow.
"""

import re
from collections.abc import Iterator
from typing import TextIO
from xml.etree import ElementTree as Tree

from seawall.core.plain import printable
from seawall.images.lines import Finding, findings, gaps
from seawall.images.model import Scan

_SUITES = {"vuln": "vulnerabilities", "secret": "secrets", "malware": "malware", "config": "configuration"}
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML may hold, escaped or not."""


def write(scan: Scan, out: TextIO) -> None:
    """One document; a suite without a finding has one case that passed."""
    root = Tree.Element("testsuites", name=f"seawall {_clean(scan.inventory.name or scan.inventory.target)}")
    found = list(findings(scan))
    for kind, name in _SUITES.items():
        if kind in scan.scanners:
            _suite(root, name, [one for one in found if one.kind == kind], scan)
    left = gaps(scan)
    if left:
        suite = Tree.SubElement(root, "testsuite", name="not checked", tests=str(len(left)), failures="0")
        suite.set("errors", str(len(left)))
        for gap in left:
            case = Tree.SubElement(suite, "testcase", classname="not checked", name=_clean(gap))
            Tree.SubElement(case, "error", message=_clean(gap), type="not_checked")
    totals = [int(suite.get(name, "0")) for name in ("tests", "failures", "errors") for suite in root]
    number = len(root)
    for place, name in enumerate(("tests", "failures", "errors")):
        root.set(name, str(sum(totals[place * number : (place + 1) * number])))
    Tree.indent(root)
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(Tree.tostring(root, encoding="unicode") + "\n")


def _suite(root: Tree.Element, name: str, found: list[Finding], scan: Scan) -> None:
    if not found and not _looked(name, scan):
        return
    suite = Tree.SubElement(root, "testsuite", name=name, tests=str(max(len(found), 1)), failures=str(len(found)))
    suite.set("errors", "0")
    suite.set("timestamp", scan.scanned_at[:19])
    for one in found:
        case = Tree.SubElement(suite, "testcase", classname=_clean(one.path or name), name=_named(one))
        failure = Tree.SubElement(case, "failure", message=_clean(one.title), type=one.severity.value)
        failure.text = "\n".join(_told(one))
    if not found:
        Tree.SubElement(suite, "testcase", classname=name, name="nothing found")


def _looked(name: str, scan: Scan) -> bool:
    if name == "vulnerabilities":
        return scan.judgement is not None
    kind = next(kind for kind, suite in _SUITES.items() if suite == name)
    return scan.inventory.checked.get(kind) == ""


def _named(one: Finding) -> str:
    return _clean(f"[{one.severity.value}] {one.rule} {one.title}")


def _told(one: Finding) -> Iterator[str]:
    yield _clean(one.title)
    yield _clean(one.detail)
    yield _clean(f"{one.path}{f':{one.line}' if one.line else ''} (layer {one.layer})")
    if one.url:
        yield _clean(one.url)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", printable(text))
