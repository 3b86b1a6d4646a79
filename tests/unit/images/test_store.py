"""The store: parts that make a whole, scans that break off, verdicts that come later, liars and rubbish."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, func, select

from seawall.core.envelope import Item
from seawall.core.errors import Hostile
from seawall.core.plain import to_plain
from seawall.core.severity import Severity
from seawall.core.skipped import Skipped
from seawall.images import store, tables, verdicts
from seawall.images.model import ImageConfig, Inventory, Layer, Location, OperatingSystem, Package, Vulnerability
from seawall.lists import Source

ONE = Source("agent-1", "host-1", "alpha")
IMAGE = "sha256:" + "1" * 64


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    tables.METADATA.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def package(name: str, version: str = "1.0", **more: Any) -> Package:
    place = (Location("var/lib/dpkg/status", 0),)
    return Package(name, version, "deb", f"pkg:deb/debian/{name}@{version}", name, version, locations=place, **more)


def inventory(*packages: Package) -> Inventory:
    return Inventory(
        target="docker:web:1",
        name="web:1",
        config=ImageConfig(IMAGE, user="root", healthcheck=("CMD", "true")),
        os=OperatingSystem("debian", "12"),
        layers=(Layer(0, "sha256:l0", 10),),
        packages=packages,
        skipped=(Skipped("etc/x", "is a device"),),
        stats={"files": 3, "seconds": 0.5},
    )


def item(whole: Inventory, part: int = 1, parts: int = 1, order: str = "job-1", image: str = IMAGE) -> Item:
    plain = to_plain(whole)
    body = plain if part == 1 else {"packages": plain["packages"]}
    return Item("inventory", {"order": order, "image_id": image, "part": part, "parts": parts, "inventory": body})


def finding(name: str, cve: str, severity: Severity = Severity.HIGH, **more: Any) -> Vulnerability:
    purl = f"pkg:deb/debian/{name}@1.0"
    values = {"fixed": "1.1", "status": "fixed", "score": 7.5, "kev": False} | more
    return Vulnerability(
        id=cve, aliases=(), package=name, installed="1.0", severity=severity, cvss="", epss=None, title="t", url="",
        source="debian", purl=purl, path="var/lib/dpkg/status", layer=0, **values,
    )  # fmt: skip


def rows(connection: Connection, table: Any) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def unjudged(connection: Connection, version: str) -> list[tuple[str, str]]:
    return verdicts.unjudged(connection, select(tables.INVENTORIES.c.image_id), version, 9)


def test_parts_in_any_order_make_a_whole(connection: Connection) -> None:
    second, first = item(inventory(package("b")), 2, 2), item(inventory(package("a")), 1, 2)
    assert store.apply(connection, ONE, second, "t1") == []
    assert store.inventory(connection, IMAGE) is None, "what is not whole is not shown"
    assert not store.delivered(connection, "job-1")
    changes = store.apply(connection, ONE, first, "t2")
    assert [(change.type, change.payload) for change in changes] == [("images/change", {"id": IMAGE})]
    assert store.delivered(connection, "job-1")
    assert store.load(connection, IMAGE, "job-1") == inventory(package("a"), package("b"))
    shown = store.inventory(connection, IMAGE)
    assert shown is not None
    assert (shown["scanned_at"], shown["os"]["version"], shown["skipped"][0]["where"]) == ("t2", "12", "etc/x")
    assert "packages" not in shown
    assert rows(connection, tables.PARTS) == 0


def test_a_part_that_comes_twice_counts_once(connection: Connection) -> None:
    for _ in range(2):
        assert store.apply(connection, ONE, item(inventory(package("a"), package("b")), 1, 2), "t") == []
    store.apply(connection, ONE, item(inventory(package("c")), 2, 2), "t")
    found = store.load(connection, IMAGE, "job-1")
    assert found is not None
    assert [one.name for one in found.packages] == ["a", "b", "c"]


def test_what_was_never_judged_is_not_clean(connection: Connection) -> None:
    store.apply(connection, ONE, item(inventory(package("a"))), "t1")
    scan = store.counts(connection, IMAGE)
    assert scan is not None
    assert (scan["judged"], scan["vulnerabilities"], scan["kev"], scan["unchecked"]) == (False, None, None, None)
    assert scan["packages"] == 1


def test_a_verdict_is_written_and_kept_until_the_next(connection: Connection) -> None:
    store.apply(connection, ONE, item(inventory(package("a"), package("b"), package("c"))), "t1")
    assert unjudged(connection, "k1") == [(IMAGE, "job-1")]
    findings = [finding("a", "CVE-1", Severity.CRITICAL, kev=True), finding("a", "CVE-2", fixed="")]
    verdict = verdicts.Judgement(findings, frozenset({package("c").purl}))
    verdicts.judged(connection, IMAGE, "job-1", verdict, version="k1", now="t2")
    assert unjudged(connection, "k1") == []
    scan = store.counts(connection, IMAGE)
    assert scan is not None
    assert (scan["vulnerabilities"]["critical"], scan["vulnerabilities"]["high"]) == (1, 1)
    assert (scan["kev"], scan["fixable"], scan["unchecked"], scan["judged_at"]) == (1, 1, 1, "t2")
    marks = {
        row.name: (row.checked, row.vulnerabilities, row.severity)
        for row in connection.execute(select(tables.PACKAGES))
    }
    assert marks == {"a": (True, 2, "critical"), "b": (True, 0, None), "c": (False, 0, None)}

    assert unjudged(connection, "k2") == [(IMAGE, "job-1")], "newer knowledge has not seen it"
    verdicts.judged(
        connection,
        IMAGE,
        "job-1",
        verdicts.Judgement([finding("a", "CVE-2"), finding("b", "CVE-3")]),
        version="k2",
        now="t3",
    )
    since = {row.id: row.first_seen for row in connection.execute(select(tables.VULNERABILITIES))}
    assert since == {"CVE-2": "t2", "CVE-3": "t3"}, "what was known before keeps its first sight"

    store.apply(connection, ONE, item(inventory(package("a")), order="job-2"), "t4")
    scan = store.counts(connection, IMAGE)
    assert scan is not None
    assert scan["judged"], "until the new scan is judged the old verdict stands"
    assert unjudged(connection, "k2") == [(IMAGE, "job-2")]
    late = verdicts.judged(connection, IMAGE, "job-1", verdicts.Judgement([]), version="k2", now="t5")
    assert late == [], "a verdict on the scan before is too late"
    assert rows(connection, tables.VULNERABILITIES) == 2
    assert rows(connection, tables.PACKAGES) == 1


def test_a_scan_that_breaks_off_leaves_the_last_whole_one(connection: Connection) -> None:
    store.apply(connection, ONE, item(inventory(package("a"))), "2026-01-01T00:00:00.000Z")
    store.apply(connection, ONE, item(inventory(package("x")), 1, 3, "job-2"), "2026-01-01T01:00:00.000Z")
    shown = store.inventory(connection, IMAGE)
    assert shown is not None
    assert shown["scan"]["packages"] == 1
    store.forget_broken(connection, "2026-01-01T01:00:00.000Z")
    assert rows(connection, tables.PARTS) == 1
    store.forget_broken(connection, "2026-01-02T00:00:00.000Z")
    assert (rows(connection, tables.PARTS), rows(connection, tables.PACKAGES)) == (0, 1)
    assert store.load(connection, IMAGE, "job-1") == inventory(package("a"))


def test_judging_that_failed_says_so(connection: Connection) -> None:
    store.apply(connection, ONE, item(inventory(package("a"))), "t1")
    verdicts.judged(connection, IMAGE, "job-1", verdicts.Judgement([finding("a", "CVE-1")]), version="k1", now="t2")
    verdicts.not_judged(connection, IMAGE, "job-1", "ValueError: no", version="k2", now="t3")
    scan = store.counts(connection, IMAGE)
    assert scan is not None
    assert (scan["judged"], scan["error"], scan["vulnerabilities"]) == (False, "ValueError: no", None)
    assert rows(connection, tables.VULNERABILITIES) == 0
    assert unjudged(connection, "k2") == [], "it is not tried again and again with the same knowledge"


@pytest.mark.parametrize(
    "change",
    [
        {"inventory": None},
        {"inventory": []},
        {"inventory": {}},
        {"inventory": {"packages": [{"name": "x"}]}},
        {"inventory": {"packages": []}},
        {"inventory": to_plain(inventory(package("a"))) | {"packages": "x"}},
        {"inventory": to_plain(inventory()) | {"config": {"id": 7}}},
        {"inventory": to_plain(inventory()) | {"layers": [{"index": "x", "diff_id": ""}]}},
        {"inventory": to_plain(inventory(*[package(str(n)) for n in range(store.MAX_PACKAGES + 1)]))},
        {"inventory": to_plain(dataclasses.replace(inventory(), tags=("x" * 1000,) * 3000))},
        {"part": 0},
        {"part": 2},
        {"part": "1"},
        {"part": True, "parts": True},
        {"parts": 10**9},
        {"image_id": ""},
        {"image_id": 3},
        {"image_id": "x" * 200},
        {"order": None},
        {"order": "x" * 65},
    ],
)
def test_rubbish_is_refused(connection: Connection, change: dict[str, Any]) -> None:
    good = item(inventory(package("a")))
    with pytest.raises(Hostile):
        store.apply(connection, ONE, Item("inventory", good.data | change), "t")
    assert rows(connection, tables.INVENTORIES) == 0


def test_parts_that_disagree_are_refused(connection: Connection) -> None:
    store.apply(connection, ONE, item(inventory(package("a")), 1, 3), "t")
    with pytest.raises(Hostile, match="3 and of 4"):
        store.apply(connection, ONE, item(inventory(package("a")), 2, 4), "t")


def test_long_texts_are_cut_and_harmless(connection: Connection) -> None:
    long = Package(
        "n" * 9000, "v" * 9000, "deb", "p" * 9000, locations=tuple(Location("x" * 9000, 0) for _ in range(99))
    )
    store.apply(connection, ONE, item(inventory(long)), "t")
    found = store.load(connection, IMAGE, "job-1")
    assert found is not None
    (kept,) = found.packages
    assert (len(kept.name), len(kept.purl), len(kept.locations)) == (512, 1024, 20)


def test_the_overview_counts_what_hosts_hold(connection: Connection) -> None:
    other = "sha256:" + "2" * 64
    for image, order in ((IMAGE, "job-1"), (other, "job-2")):
        store.apply(connection, ONE, item(inventory(package("a")), order=order, image=image), "t")
    kev = finding("a", "CVE-1", Severity.CRITICAL, kev=True)
    verdicts.judged(connection, IMAGE, "job-1", verdicts.Judgement([kev, finding("b", "CVE-1")]), version="k", now="t")
    images = select(tables.INVENTORIES.c.image_id.label("id"), tables.INVENTORIES.c.name)
    found = store.overview(connection, images)
    assert (found["total"], found["scanned"], found["not_checked"], found["kev"]) == (2, 2, 1, 1)
    assert found["vulnerabilities"]["critical"] == 1, "one CVE in two packages is one"
    assert [row["id"] for row in found["top"]] == [IMAGE]
    held = images.where(tables.INVENTORIES.c.image_id == other)
    assert verdicts.absent(connection, select(held.subquery().c.id), 9) == [IMAGE]
    verdicts.put_aside(connection, IMAGE)
    assert verdicts.absent(connection, select(held.subquery().c.id), 9) == []
    gone = store.overview(connection, held)
    assert (gone["total"], gone["vulnerabilities"]["critical"], gone["kev"], gone["top"]) == (1, 0, 0, [])
    assert store.load(connection, IMAGE, "job-1") is not None, "when it comes back it is judged, not read again"


def test_the_sum_by_cve_follows_every_verdict(connection: Connection) -> None:
    other = "sha256:" + "2" * 64
    for image, order in ((IMAGE, "job-1"), (other, "job-2")):
        store.apply(connection, ONE, item(inventory(package("a")), order=order, image=image), "t")

    def verdict(image: str, order: str, *findings: Vulnerability) -> dict[str, tuple[Any, ...]]:
        verdicts.judged(connection, image, order, verdicts.Judgement(findings), version="k", now="t")
        cves = connection.execute(select(tables.CVES))
        return {row.id: (row.severity, row.images, sorted(row.packages.split(",")), row.fixed) for row in cves}

    verdict(IMAGE, "job-1", finding("a", "CVE-1", Severity.LOW), finding("a", "CVE-2"))
    assert verdict(other, "job-2", finding("b", "CVE-1", Severity.CRITICAL, fixed="")) == {
        "CVE-1": ("critical", 2, ["a", "b"], True),
        "CVE-2": ("high", 1, ["a"], True),
    }
    assert verdict(IMAGE, "job-1") == {"CVE-1": ("critical", 1, ["b"], False)}
    assert verdict(other, "job-2") == {}
