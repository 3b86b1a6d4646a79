"""What a stored image is built on, and what a newer base would mend; findings speak both languages."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from inside import IMAGE, OTHER, World, inventory, opened
from seawall.core.plain import to_plain
from seawall.images import texts
from seawall.images.detect.checks import CHECKS
from seawall.images.model import Inventory, Layer, Risk


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path) as made:
        yield made


def scan(world: World, image: str, layers: tuple[Layer, ...], **more: Any) -> None:
    job = world.client.post(f"/api/v1/images/{image}/scan").json()["id"]
    kind, data = inventory(job, image)
    value = replace(msgspec.convert(data["inventory"], Inventory), layers=layers, **more)
    data["inventory"] = to_plain(value)
    assert world.tell((kind, data), ("order", {"id": job, "state": "done"})).rejected == 0


def test_a_stored_image_below_is_the_base(world: World) -> None:
    low = (Layer(0, "sha256:a"), Layer(1, "sha256:b"))
    scan(world, OTHER, low, name="debian:12")
    scan(world, IMAGE, (*low, Layer(2, "sha256:c")))
    found = world.get(f"/images/{IMAGE}/base")
    assert found["base"] == {"name": "debian:12", "how": "known", "layers": 2}
    assert found["rebase"] is None
    assert world.get(f"/images/{OTHER}/base")["base"]["how"] != "known"
    world.get("/images/sha256:none/base", 404)


def test_findings_speak_both_languages(world: World) -> None:
    check = next(iter(CHECKS.values()))
    risk = Risk(check.id, check.en[0], check.severity)
    scan(world, IMAGE, (), risks=(risk,), checked={"config": ""})
    text = world.get(f"/images/{IMAGE}/misconfigurations")["items"][0]["text"]
    assert (text["title"]["zh"], text["fix"]["en"]) == (check.zh[0], check.en[2])
    assert texts.of("config", "my-own") == texts.of("malware", "x") == {}
