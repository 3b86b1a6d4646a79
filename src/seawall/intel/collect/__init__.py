"""Feeds, one a file: `recognise(document)` by content, `read(document)`. The first that knows a document reads it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from seawall.core.errors import Hostile
from seawall.intel.collect import (
    alpine,
    arch,
    bodhi,
    csaf,
    debian,
    debian_tracker,
    endoflife,
    epss,
    exploits,
    hosts,
    kev,
    misp,
    nodesec,
    nvd,
    osv,
    oval,
    photon,
    php,
    plain,
    redhat_api,
    rubysec,
    rustsec,
    stix,
    table,
    trivy_db,
    updateinfo,
    wolfi,
)
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed


@dataclass(frozen=True, slots=True)
class Feed:
    """One format of a feed."""

    recognise: Callable[[Document], bool]
    read: Callable[[Document], Iterable[Parsed]]
    gives: str
    """Of what it tells: ecosystems as the store names them, or what else."""
    fields: str
    """What is kept of each record beside its id, package and versions."""


FEEDS = {
    "trivy_db": Feed(
        trivy_db.recognise,
        trivy_db.read,
        "Alpine, Debian, Ubuntu, Red Hat and its kin, Amazon, SUSE, Photon, Azure, Wolfi, Chainguard, languages",
        "status, severity, module, architectures; of ids: title, vectors, CWE, references, dates",
    ),
    "kev": Feed(
        kev.recognise,
        kev.read,
        "any CVE",
        "since when, due date, ransomware",
    ),
    "epss": Feed(
        epss.recognise,
        epss.read,
        "any CVE",
        "score, percentile",
    ),
    "nvd": Feed(
        nvd.recognise,
        nvd.read,
        "any CVE; Generic (products by CPE, named vendor:product)",
        "title, all vectors, CWE, mark of an exploit, references, dates, rejected",
    ),
    "csaf": Feed(
        csaf.recognise,
        csaf.read,
        "Red Hat, SUSE, openSUSE",
        "status (also not fixed, and why), module, severity, vectors, CWE, dates",
    ),
    "redhat_api": Feed(
        redhat_api.recognise,
        redhat_api.read,
        "Red Hat",
        "status (also not fixed, and why), module, severity, vectors, CWE",
    ),
    "oval": Feed(
        oval.recognise,
        oval.read,
        "Red Hat, Oracle Linux, SUSE, openSUSE, AlmaLinux, Azure Linux, Ubuntu",
        "status, module, architectures, severity, vectors, CWE, dates",
    ),
    "updateinfo": Feed(
        updateinfo.recognise,
        updateinfo.read,
        "Amazon Linux, AlmaLinux, Rocky Linux, Oracle Linux, Fedora, SUSE",
        "severity, module, dates",
    ),
    "bodhi": Feed(
        bodhi.recognise,
        bodhi.read,
        "Fedora",
        "severity, dates",
    ),
    "debian_tracker": Feed(
        debian_tracker.recognise,
        debian_tracker.read,
        "Debian",
        "status of each release (also not fixed, and why), urgency, title",
    ),
    "debian": Feed(
        debian.recognise,
        debian.read,
        "Debian",
        "title, date",
    ),
    "alpine": Feed(
        alpine.recognise,
        alpine.read,
        "Alpine",
        "other ids",
    ),
    "wolfi": Feed(
        wolfi.recognise,
        wolfi.read,
        "Wolfi, Chainguard",
        "other ids",
    ),
    "arch": Feed(
        arch.recognise,
        arch.read,
        "Arch Linux",
        "status, severity, kind",
    ),
    "photon": Feed(
        photon.recognise,
        photon.read,
        "Photon OS",
        "status, score",
    ),
    "exploits": Feed(
        exploits.recognise,
        exploits.read,
        "any CVE",
        "mark of a public exploit with its place",
    ),
    "stix": Feed(
        stix.recognise,
        stix.read,
        "indicators",
        "kind, confidence, end",
    ),
    "misp": Feed(
        misp.recognise,
        misp.read,
        "indicators",
        "kind, confidence",
    ),
    "nodesec": Feed(
        nodesec.recognise,
        nodesec.read,
        "npm",
        "status, title, vector, dates",
    ),
    "osv": Feed(
        osv.recognise,
        osv.read,
        "every ecosystem of OSV: languages, Ubuntu, Red Hat and its kin, SUSE, Mageia, openEuler, Bitnami and more",
        "title, severity, all vectors, CWE, mark of an exploit, references, dates, withdrawn",
    ),
    "rustsec": Feed(
        rustsec.recognise,
        rustsec.read,
        "crates.io",
        "title, vectors, dates, withdrawn, unmaintained as information",
    ),
    "rubysec": Feed(
        rubysec.recognise,
        rubysec.read,
        "RubyGems",
        "title, vectors, date",
    ),
    "php": Feed(
        php.recognise,
        php.read,
        "Packagist",
        "title, date",
    ),
    "endoflife": Feed(
        endoflife.recognise,
        endoflife.read,
        "products and their releases",
        "codename, release, end of support, of security updates, of paid updates, newest version",
    ),
    "hosts": Feed(
        hosts.recognise,
        hosts.read,
        "indicators",
        "kind by the list's name",
    ),
    "table": Feed(
        table.recognise,
        table.read,
        "indicators",
        "kind, confidence, end, about",
    ),
    "plain": Feed(
        plain.recognise,
        plain.read,
        "indicators",
        "kind by the list's name",
    ),
}
"""Special formats before general ones."""


def parse(document: Document) -> Iterator[Parsed] | None:
    """The document's records as they are read, or None when no feed knows it. Reading them raises ValueError where the
    feed cannot."""
    for feed in FEEDS.values():
        if feed.recognise(document):
            return _checked(feed, document)
    return None


def _checked(feed: Feed, document: Document) -> Iterator[Parsed]:
    try:
        yield from feed.read(document)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError, Hostile) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
