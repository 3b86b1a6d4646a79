"""CSAF 2.0 advisories and VEX of Red Hat and SUSE: products, modules and the status of each. JSON, one a document.

Format: https://docs.oasis-open.org/csaf/csaf/v2.0/
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from seawall.core.severity import Severity
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, text, texts, value
from seawall.intel.cvss import choose
from seawall.intel.model import Advisory, Affected, Range
from seawall.intel.releases import bare, evr, redhat, suse

MAX_BRANCHES = 2_000_000
MAX_DEPTH = 20
_MODULE = re.compile(r"[\w.+-]+:[\w.+-]+")
_ARCHES = "src|noarch|x86_64|i[3-6]86|aarch64\\w*|ppc64le|ppc64|s390x?|armv7hl|riscv64"
_NEVRA = re.compile(rf"(.+)-((?:\d+:)?[^-:]+-[^-]+)\.({_ARCHES})")
_PUBLISHER = re.compile(rb'"namespace"\s*:\s*"https?://(?:www\.|access\.)?(redhat|suse)\.com')
_WORDS = (
    ("will not fix", "will_not_fix"), ("out of support", "end_of_life"), ("deferred", "deferred"),
    ("under investigation", ""),
)  # fmt: skip


def recognise(document: Document) -> bool:
    """CSAF, of a publisher whose product names are known."""
    return b'"csaf_version"' in document.data[:8192] and bool(_PUBLISHER.search(document.data[:65536]))


def read(document: Document) -> list[Parsed]:
    """Each vulnerability of it. Raises ValueError, KeyError, TypeError or AttributeError when it is broken."""
    found = value(document.data)
    head = found["document"]
    tracking = head["tracking"]
    name = text(tracking["id"])
    published = _PUBLISHER.search(document.data[:65536])
    vendor = published[1].decode() if published else ""
    products = _Products(found.get("product_tree") or {}, redhat if vendor == "redhat" else suse)
    severity = Severity.parse(text((head.get("aggregate_severity") or {}).get("text")))
    url = next((text(one.get("url")) for one in head.get("references") or [] if one.get("category") == "self"), "")
    advisories = tuple(
        Advisory(
            id=text(item.get("cve")) or name,
            source=vendor,
            aliases=(name,) if text(item.get("cve")) not in ("", name) else (),
            title=text(item.get("title")) or _note(item, "summary") or text(head.get("title")),
            details=_note(item, "description")[:4000],
            urls=(url,) if url else (),
            published=text(item.get("release_date")) or text(tracking.get("initial_release_date")),
            modified=text(tracking.get("current_release_date")),
            cwes=tuple(texts([(item.get("cwe") or {}).get("id")])),
            affected=tuple(_affected(item, products)),
            **_rating(item, severity),
        )
        for item in found.get("vulnerabilities") or []
    )
    kind = "vex" if text(head.get("category")) == "csaf_vex" else "csaf"
    return [Parsed(f"{vendor} {kind}", name, advisories)]


@dataclass(frozen=True, slots=True)
class _Component:
    name: str
    version: str = ""
    arch: str = ""
    module: str = ""


@dataclass(slots=True)
class _Products:
    """What the ids of a product tree mean: a component of a release."""

    tree: dict[str, Any]
    release: Callable[[str], str]
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)
    _parts: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = 0
        waiting = [(branch, 0) for branch in self.tree.get("branches") or []]
        while waiting:
            branch, depth = waiting.pop()
            count += 1
            if depth > MAX_DEPTH or count > MAX_BRANCHES:
                raise ValueError("its product tree is too large")
            product = branch.get("product")
            if isinstance(product, dict):
                self._known[text(product.get("product_id"))] = product
            waiting += [(one, depth + 1) for one in branch.get("branches") or []]
        for one in self.tree.get("relationships") or []:
            whole = text((one.get("full_product_name") or {}).get("product_id"))
            self._parts[whole] = (text(one.get("product_reference")), text(one.get("relates_to_product_reference")))

    def find(self, name: str) -> tuple[str, _Component] | None:
        """Release and component of a product's id, None for what is of no release that is judged."""
        part, place, module = name, "", ""
        for _ in range(4):  # a package of a module of a repository is two steps
            if part not in self._parts:
                break
            part, place = self._parts[part]
        for _ in range(4):
            if place not in self._parts:
                break
            inner, place = self._parts[place]
            module = module or self._module(inner)
        release = self._release(place)
        component = self._component(part) if release else None
        if component is None:
            return None
        return release, _Component(component.name, component.version, component.arch, component.module or module)

    def _release(self, place: str) -> str:
        product = self._known.get(place) or {}
        cpe = text((product.get("product_identification_helper") or {}).get("cpe"))
        return self.release(cpe) or self.release(text(product.get("name")) or place)

    def _module(self, name: str) -> str:
        found = _MODULE.match(name)
        return found[0] if found else ""

    def _component(self, part: str) -> _Component | None:
        product = self._known.get(part) or {}
        purl = text((product.get("product_identification_helper") or {}).get("purl"))
        if purl.startswith("pkg:rpm/"):
            return _of_purl(purl)
        if purl:
            return None  # a container image or a module itself
        plain, _, stream = part.partition(".rpm-") if ".rpm-" in part else (part.removesuffix(".rpm"), "", "")
        found = _NEVRA.fullmatch(plain)
        if found:
            return _Component(found[1], bare(found[2]), found[3], stream)
        module, slash, name = plain.rpartition("/")
        return _Component(name, module=self._module(module) if slash else "") if name else None


def _of_purl(purl: str) -> _Component | None:
    path, _, query = purl.partition("?")
    name, _, version = path.removeprefix("pkg:rpm/").rpartition("/")[2].partition("@")
    given = {key: values[0] for key, values in parse_qs(query).items()}
    module = ":".join(given.get("rpmmod", "").split(":")[:2])
    epoch = given.get("epoch", "")
    return _Component(unquote(name), evr(epoch, unquote(version), ""), given.get("arch", ""), module) if name else None


def _affected(item: dict[str, Any], products: _Products) -> Iterator[Affected]:
    """Fixed in the sources of a release where they are named, else in its packages; then what is not fixed, and why."""
    status = item.get("product_status") or {}
    fixed: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
    for key in ("fixed", "first_fixed", "recommended"):
        for name in texts(status.get(key)):
            if (found := products.find(name)) and found[1].version:
                release, part = found
                fixed.setdefault((release, part.name, part.module), set()).add((part.version, part.arch))
    sources = {(release, module) for (release, _, module), builds in fixed.items() if ("src" in {a for _, a in builds})}
    for (release, name, module), builds in sorted(fixed.items()):
        if (release, module) in sources and not any(arch == "src" for _, arch in builds):
            continue
        versions = sorted({version for version, arch in builds if arch == "src"} or {version for version, _ in builds})
        yield Affected(release, name, tuple(Range(fixed=one) for one in versions), module=module)
    reasons = _reasons(item)
    for key in ("known_affected", "known_not_affected"):
        done: set[tuple[str, str, str]] = set()
        for name in texts(status.get(key)):
            found = products.find(name)
            if found is None or (where := (found[0], found[1].name, found[1].module)) in done or where in fixed:
                continue
            done.add(where)
            state = "not_affected" if key == "known_not_affected" else reasons.get(name, "affected")
            yield Affected(found[0], found[1].name, (Range(),), status=state, module=found[1].module)


def _reasons(item: dict[str, Any]) -> dict[str, str]:
    """Product → why it has no fix."""
    found: dict[str, str] = {}
    for one in item.get("remediations") or []:
        category, details = text(one.get("category")), text(one.get("details")).lower()
        if category not in ("no_fix_planned", "none_available"):
            continue
        state = next((state for word, state in _WORDS if word in details), "")
        state = state or ("will_not_fix" if category == "no_fix_planned" else "affected")
        found.update(dict.fromkeys(texts(one.get("product_ids")), state))
    return found


def _rating(item: dict[str, Any], severity: Severity) -> dict[str, Any]:
    scores = [one for one in item.get("scores") or [] if isinstance(one, dict)]
    vectors = tuple(
        dict.fromkeys(
            vector
            for one in scores
            for kind in ("cvss_v4", "cvss_v3", "cvss_v2")
            if (vector := text((one.get(kind) or {}).get("vectorString")))
        )
    )
    vector, score = choose(vectors)
    said = next((text(one.get("details")) for one in item.get("threats") or [] if one.get("category") == "impact"), "")
    word = Severity.parse(said)
    return {
        "severity": word if word is not Severity.UNKNOWN else severity,
        "cvss": vector,
        "score": score,
        "vectors": vectors,
    }


def _note(item: dict[str, Any], category: str) -> str:
    return next((text(one.get("text")) for one in item.get("notes") or [] if one.get("category") == category), "")
