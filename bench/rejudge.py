"""A thousand stored inventories judged again after an import, as the server does it: no image is read."""

import functools
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import structlog
from intel import FEEDS

from inside import World, opened, whole
from seawall.core import clock
from seawall.core.envelope import Item
from seawall.core.plain import to_plain
from seawall.images import store as images
from seawall.images.model import ImageConfig, Inventory, Location, OperatingSystem, Package
from seawall.intel.store import Store, import_files
from seawall.lists import Source
from seawall.server import judging

DEBIAN = OperatingSystem("debian", "11")
RELEASE = "Debian:11"
LIMIT = 10.0
"""Seconds for a thousand images (docs/reference/matching.md)."""
BASES, SYSTEM, LANGUAGE = 12, 110, 60
"""Base images that all are built on, packages of each, and packages that each image adds of a few hundred."""


def main(quick: bool) -> None:
    """Print seconds and the ratio to the limit, for the first judging and for one after an import."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    count = 200 if quick else 1000
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as world:
        path = world.parts.config.intel
        import_files(path, [FEEDS / name for name in ("debian-dsa-dla.tar.gz", "osv-pypi.tar.gz", "kev.json.gz")])
        _fill(world, list(_images(path, count, chance)))
        first = _judged(world, count)
        import_files(path, [FEEDS / "osv-go.tar.gz"])
        again = _judged(world, count)
        import_files(path, [_advisory(Path(folder))])
        changed = _judged(world, count)
        with world.parts.database.reading() as connection:
            rows = connection.exec_driver_sql("select count(*) from vulnerabilities").scalar()
    limit = LIMIT * count / 1000
    for name, (took, cpu) in (("first", first), ("nothing new", again), ("news for all", changed)):
        print(
            f"{name:12} {count} images, {rows} findings: {took:6.2f} s, {cpu:.2f} s of processor"
            f"  ({took / limit:.2f} × the limit, {cpu / limit:.2f} ×)"
        )


def _images(path: Path, count: int, chance: random.Random) -> Iterator[list[Package]]:
    store = Store(path)
    names: dict[str, list[str]] = {}
    for ecosystem, name in store._all("select distinct ecosystem, package from affected", ()):
        names.setdefault(ecosystem, []).append(name)
    chosen_names = {
        "deb": sorted(names[RELEASE]),
        "pypi": sorted(names["PyPI"]),
    }
    known = {
        kind: [(name, _fixes(store, RELEASE if kind == "deb" else "PyPI", name)) for name in found]
        for kind, found in chosen_names.items()
    }
    store.close()

    def package(kind: str) -> Package:
        name, versions = chance.choice(known[kind])
        version = chance.choice(versions)
        return Package(name, version, kind, f"pkg:{kind}/{name}@{version}", locations=(Location("var/lib/x", 0),))

    bases = [[package("deb") for _ in range(SYSTEM)] for _ in range(BASES)]
    shelf = [package("pypi") for _ in range(500)]
    for number in range(count):
        chosen = {one.purl: one for one in (*bases[number % BASES], *chance.sample(shelf, LANGUAGE))}
        yield list(chosen.values())


def _fixes(store: Store, ecosystem: str, name: str) -> list[str]:
    spans = (span for _, affected in store.affecting(ecosystem, name) for span in affected.ranges)
    return [span.fixed for span in spans if span.fixed] or ["1.0"]


def _fill(world: World, contents: list[list[Package]]) -> None:
    ids = [f"sha256:{number:064x}" for number in range(len(contents))]
    records = [{"id": name, "name": f"app:{name[-4:]}", "size": 1} for name in ids]
    assert world.tell(("snapshot", whole("images", records))).rejected == 0

    pairs = list(zip(ids, contents, strict=True))
    for at in range(0, len(pairs), 25):  # a step of the writer has a time limit
        world.parts.database.write(functools.partial(_portion, world.agent, pairs[at : at + 25]))


def _portion(agent: str, pairs: list[tuple[str, list[Package]]], connection: Any) -> tuple[None, tuple[Any, ...]]:
    source = Source(agent, "h1", "alpha")
    for name, packages in pairs:
        value = Inventory("docker:app", "app", ImageConfig(name), os=DEBIAN, packages=tuple(packages))
        data = {"order": f"order-{name[-8:]}", "image_id": name, "part": 1, "parts": 1, "inventory": to_plain(value)}
        images.apply(connection, source, Item("inventory", data), clock.now())
    return None, ()


def _judged(world: World, count: int) -> tuple[float, float]:
    """Seconds, and those of the processor: on a machine with other work the latter tell."""
    bench = judging.Bench()
    began, began_cpu = time.perf_counter(), time.process_time()
    done = 0
    while found := judging.turn(world.parts, bench):
        done += found
    assert done == count, done
    return time.perf_counter() - began, time.process_time() - began_cpu


def _advisory(folder: Path) -> Path:
    """One about the image's every package manager: something new for many."""
    file = folder / "new.json"
    names = ["pip", "django", "requests", "flask", "jinja2", "urllib3", "pillow", "numpy", "lxml", "openssl"]
    span = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}
    affected = [{"package": {"ecosystem": "PyPI", "name": name}, "ranges": [span]} for name in names]
    file.write_text(json.dumps({"id": "CVE-2099-1", "modified": "2026-01-01T00:00:00Z", "affected": affected}))
    return file
