"""`seawall image scan` without a daemon: reports, exit codes, and loud words where nothing was checked."""

import json
from pathlib import Path

import pytest

import archives
from archives import layer, metadata, saved, status
from seawall import cli
from seawall.intel.store import import_files


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> str:
    files = {
        "etc/os-release": archives.OS_RELEASE,
        "var/lib/dpkg/status": status(openssl="1.1.1k-1", bash="5.1"),
        "usr/lib/x/flask-0.12.dist-info/METADATA": metadata("Flask", "0.12"),
    }
    path = tmp_path_factory.mktemp("image") / "image.tar"
    path.write_bytes(saved([layer(files)]))
    return f"docker-archive:{path}"


def feed(folder: Path, packages: int) -> Path:
    """Advisories of our own making, about as many packages as a feed or a sample has."""
    affected = []
    for ecosystem in ("Debian:11", "PyPI"):
        for name in ["openssl", "flask", *(f"other-{number}" for number in range(packages - 2))]:
            fixed = {"openssl": "1.1.1k-1+deb11u1", "flask": "0.12.3"}.get(name, "9")
            events = [{"introduced": "0"}, {"fixed": fixed}]
            ranges = [{"type": "ECOSYSTEM", "events": events}]
            affected.append({"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges})
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
    document = {
        "id": "TEST-1",
        "aliases": ["CVE-2021-3711"],
        "modified": "2021-01-01T00:00:00Z",
        "severity": [{"type": "CVSS_V3", "score": vector}],
        "affected": affected,
    }
    path = folder / "test.json"
    path.write_text(json.dumps(document))
    import_files(folder / "intel.db", [path])
    return folder / "intel.db"


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(feed(tmp_path_factory.mktemp("intel"), 40))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(feed(tmp_path_factory.mktemp("sample"), 3))


def test_help_has_examples(capsys):
    for words in (["image", "--help"], ["image", "scan", "--help"]):
        with pytest.raises(SystemExit) as end:
            cli.main(words)
        assert end.value.code == 0
        assert "examples:" in capsys.readouterr().out


def test_findings_as_a_table_and_json(target, known, capsys):
    assert cli.main(["image", "scan", target, "--db", known]) == 0
    said = capsys.readouterr()
    assert "2 vulnerabilities: 2 high" in said.out
    assert said.err == ""
    assert cli.main(["image", "scan", target, "--db", known, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {(one["package"], one["id"], one["fixed"]) for one in found["vulnerabilities"]} == {
        ("openssl", "CVE-2021-3711", "1.1.1k-1+deb11u1"),
        ("Flask", "CVE-2021-3711", "0.12.3"),
    }
    assert [one["checked"] for one in found["packages"]] == [True, True, True]


@pytest.mark.parametrize(("level", "code"), [("critical", 0), ("high", 1), ("low", 1), ("unknown", 1)])
def test_fail_on(target, known, capsys, level, code):
    assert cli.main(["image", "scan", target, "--db", known, "--fail-on", level]) == code


def test_without_advisories_it_is_said_and_a_gate_does_not_open(target, tmp_path, capsys):
    words = ["image", "scan", target, "--db", str(tmp_path / "none.db")]
    assert cli.main(words) == 0
    said = capsys.readouterr()
    assert "VULNERABILITIES WERE NOT CHECKED" in said.out
    assert "NOT CHECKED: vulnerabilities: there are no advisories" in said.err
    assert cli.main([*words, "--fail-on", "high"]) == 2
    capsys.readouterr()
    assert cli.main([*words, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["vulnerabilities"] is None
    assert "there are no advisories" in found["not_checked"]


def test_advisories_that_are_too_old_are_refused_only_when_asked(target, tmp_path, capsys):
    old = {"distroversion": "v3.11", "reponame": "main", "packages": [{"pkg": {"name": "a", "secfixes": {}}}]}
    (tmp_path / "main.json").write_text(json.dumps(old))
    kev = {
        "catalogVersion": "1",
        "dateReleased": "2020-01-01T00:00:00Z",
        "vulnerabilities": [{"cveID": "CVE-2020-1000"}],
    }
    (tmp_path / "kev.json").write_text(json.dumps(kev))
    db = str(tmp_path / "intel.db")
    assert cli.main(["intel", "import", str(tmp_path / "main.json"), str(tmp_path / "kev.json"), "--db", db]) == 0
    assert cli.main(["image", "scan", target, "--db", db]) == 0
    assert cli.main(["image", "scan", target, "--db", db, "--max-age", "30"]) == 2
    assert "--max-age is 30" in capsys.readouterr().err


def test_a_gate_does_not_open_for_what_no_feed_covers(target, sample, capsys):
    assert cli.main(["image", "scan", target, "--db", sample, "--fail-on", "critical"]) == 2
    said = capsys.readouterr().err
    assert "2 packages: no imported feed covers Debian:11" in said
    assert "1 packages: no imported feed covers PyPI" in said
    assert cli.main(["image", "scan", target, "--db", sample, "--fail-on", "high"]) == 1


def test_a_gate_does_not_open_for_a_broken_layer_or_an_image_without_packages(known, tmp_path, capsys):
    path = tmp_path / "image.tar"
    whole = layer({"etc/os-release": archives.OS_RELEASE, "var/lib/dpkg/status": status(bash="5.1"), "x": b"x" * 9999})
    path.write_bytes(saved([whole[:5000]]))
    words = ["image", "scan", f"docker-archive:{path}", "--db", known, "--fail-on", "high"]
    assert cli.main(words) == 2
    assert "1 layers could not be read to their end" in capsys.readouterr().err
    path.write_bytes(saved([layer({"x": b"x"})]))
    assert cli.main(words) == 2
    assert "no package was found" in capsys.readouterr().err


def test_packages_only(target, tmp_path, capsys):
    words = ["image", "scan", target, "--db", str(tmp_path / "none.db"), "--scanners", "package"]
    assert cli.main(words) == 0
    said = capsys.readouterr()
    assert "usr/lib/x/flask-0.12.dist-info/METADATA" in said.out
    assert "NOT CHECKED" not in said.out + said.err
    assert cli.main([*words, "--fail-on", "low"]) == 2


def test_the_report_goes_to_a_file(target, known, tmp_path, capsys):
    path = tmp_path / "report.json"
    assert cli.main(["image", "scan", target, "--db", known, "--format", "json", "--output", str(path)]) == 0
    assert json.loads(path.read_text())["schema"] == "seawall.scan/1"
    assert capsys.readouterr().out == ""
    assert cli.main(["image", "scan", target, "--db", known, "--output", str(tmp_path)]) == 2


@pytest.mark.parametrize("words", [["--scanners", "nothing"], ["--fail-on", "awful"], ["--format", "xml"]])
def test_words_that_are_not_known(target, capsys, words):
    with pytest.raises(SystemExit) as end:
        cli.main(["image", "scan", target, *words])
    assert end.value.code == 2


def test_no_image_is_said_with_a_hint(tmp_path, capsys):
    assert cli.main(["image", "scan", f"docker-archive:{tmp_path / 'none'}"]) == 2
    assert "hint: docker save" in capsys.readouterr().err
    (tmp_path / "rubbish").write_bytes(b"rubbish" * 1000)
    assert cli.main(["image", "scan", f"docker-archive:{tmp_path / 'rubbish'}"]) == 2
    assert "seawall image: " in capsys.readouterr().err


def test_a_dead_socket_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path / 'none.sock'}")
    assert cli.main(["image", "scan", "alpine:3.11"]) == 2
    assert "cannot reach Docker" in capsys.readouterr().err


def test_what_was_decided_does_not_count_and_is_told(target, known, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".seawallignore.yaml").write_text(
        "- {id: CVE-2021-3711, package: openssl, reason: never called}\n"
        "- {id: CVE-1999-1, reason: long gone}\n"
        "- {id: CVE-1999-2, reason: for a while, until: 2000-01-01}\n"
    )
    words = ["image", "scan", target, "--db", known, "--format", "json"]
    assert cli.main([*words, "--show-suppressed"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert [one["package"] for one in found["vulnerabilities"]] == ["Flask"]
    (mine,) = found["suppressed"]
    assert (mine["package"], mine["decided"]) == ("openssl", "accepted")
    assert "does not count: CVE-2021-3711 openssl: accepted: never called (.seawallignore.yaml)" in said.err
    assert "no longer holds since 2000-01-01: CVE-1999-2" in said.err
    assert "nothing needs it: CVE-1999-1" in said.err
    assert cli.main([*words, "--format", "openvex", "--output", "mine.json"]) == 0
    (tmp_path / ".seawallignore.yaml").unlink()
    vendor = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "statements": [{"vulnerability": "CVE-2021-3711", "products": ["pkg:pypi/flask"], "status": "not_affected"}],
    }
    (tmp_path / "vendor.json").write_text(json.dumps(vendor))
    capsys.readouterr()
    assert cli.main([*words, "--vex", "vendor.json", "--vex", "mine.json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["package"] for one in found["vulnerabilities"]] == ["openssl"], "what is accepted is there all the same"


def test_what_has_no_fix_may_be_left_out(target, known, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["image", "scan", target, "--db", known, "--ignore-unfixed", "--fail-on", "high"]) == 1


def test_a_broken_decision_is_told_before_the_image_is_read(target, known, tmp_path, capsys):
    bad = tmp_path / "bad.yaml"
    bad.write_text("- {id: CVE-1}")
    words = ["image", "scan", "docker-archive:/nowhere", "--db", known]
    assert cli.main([*words, "--ignore-file", str(bad)]) == 2
    assert "entry 1: it has no reason" in capsys.readouterr().err
    bad.write_text("{}")
    assert cli.main([*words, "--vex", str(bad)]) == 2
    assert "no VEX document" in capsys.readouterr().err
