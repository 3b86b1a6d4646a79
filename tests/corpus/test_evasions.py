"""What is told stays told under other names, by other ways, and in a flood."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scenes import evasions, images, playing
from scenes.playing import Deed, Outcome
from seawall.node.docker import Docker
from watching import watching

pytestmark = [
    pytest.mark.docker,
    pytest.mark.kernel,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="the sensor needs root"),
]
PREFIX = "corpus-evasion"
CHOSEN = os.environ.get("SEAWALL_DEEDS", "").split()
TABLE = [deed for deed in evasions.EVASIONS if not CHOSEN or deed.name in CHOSEN]
MISSED: dict[str, str] = {}
"""What is known to be missed, and why."""


@pytest.fixture(scope="module")
def played(dockerd: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    for image in {deed.image for deed in TABLE}:
        images.find(image)
    playing.clear(PREFIX)
    bystander = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL)
    words = {"N": str(bystander.pid), "S": str(Path(dockerd.path).resolve())}
    try:
        with watching(tmp_path_factory.mktemp("evasions")) as watcher:
            yield playing.play(watcher, PREFIX, TABLE, words)
    finally:
        bystander.kill()
        bystander.wait(10)
        playing.clear(PREFIX)


def cases() -> list[Any]:
    marks = {name: [pytest.mark.xfail(strict=True, reason=reason)] for name, reason in MISSED.items()}
    return [pytest.param(deed, id=deed.name, marks=marks.get(deed.name, [])) for deed in TABLE]


@pytest.mark.parametrize("deed", cases())
def test_it_is_told_all_the_same(played: dict[str, Outcome], deed: Deed) -> None:
    outcome = played[deed.name]
    assert not deed.works or outcome.code == 0, f"the deed itself did not work: {outcome.said}"
    assert outcome.fits(deed), f"missed ({deed.told}, {deed.least}); the other alerts: {outcome.seen()}"
    assert not deed.alerts or len(outcome.alerts) <= deed.alerts, f"{len(outcome.alerts)} alerts for one deed"
