"""The three files of falcosecurity/rules as they are: what their rules describe is done for real, and they fire."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import docker_cli
from scenes import falco, images, playing, props
from scenes.playing import Deed, Outcome
from seawall.node.docker import Docker
from watching import watching

pytestmark = [
    pytest.mark.docker,
    pytest.mark.kernel,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="the sensor needs root"),
]
PREFIX = "corpus-falco"
CHOSEN = os.environ.get("SEAWALL_DEEDS", "").split()
TABLE = [deed for deed in falco.FALCO if not CHOSEN or deed.name in CHOSEN]
MISSED = {
    "Exfiltrating-Artifacts-via-Kubernetes-Control-Plane": "here a shell starts tar; the rule wants the runtime to",
}
"""What is known not to fire, and why."""


@pytest.fixture(scope="module")
def played(dockerd: Docker, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    folder = tmp_path_factory.mktemp("falco")
    files = [data / "rules" / f"falco{part}_rules.yaml" for part in ("", "-incubating", "-sandbox")]
    options = [word for file in files for word in ("--rules", str(file))]
    for image in {deed.image for deed in TABLE}:
        images.find(image)
    playing.clear(PREFIX)
    gateway = docker_cli("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", "bridge")
    words = {"S": "/var/run/docker.sock", "H": gateway, "R": str(os.getpid())}
    try:
        with props.disk(folder) as words["B"], props.listening(gateway, 4444), watching(folder, *options) as watcher:
            yield playing.play(watcher, PREFIX, TABLE, words)
    finally:
        playing.clear(PREFIX)


def cases() -> list[Any]:
    marks = {name: [pytest.mark.xfail(strict=False, reason=reason)] for name, reason in MISSED.items()}
    return [pytest.param(deed, id=deed.name, marks=marks.get(deed.name, [])) for deed in TABLE]


@pytest.mark.parametrize("deed", cases())
def test_the_rule_fires(played: dict[str, Outcome], deed: Deed) -> None:
    outcome = played[deed.name]
    assert outcome.code == 0, f"the deed itself did not work: {outcome.said}"
    assert outcome.fits(deed), (
        f"{deed.rule} did not fire; those that did: {sorted({a['rule'] for a in outcome.alerts})}"
    )
