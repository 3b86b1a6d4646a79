"""The same trivy.db in Trivy and in Seawall gives the same findings. Needs the program: on $PEERS or on the PATH."""

import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import bolts
from seawall.intel.match import match
from seawall.intel.model import Query
from seawall.intel.store import Store, import_files

BUCKET = b"pip::GitHub Security Advisory Pip"
PACKAGES = 150


def _trivy() -> str:
    found = shutil.which("trivy", path=os.pathsep.join((os.environ.get("PEERS", ""), os.environ.get("PATH", ""))))
    if not found:
        pytest.skip("trivy is not here")
    return found


def _version(chance: random.Random) -> str:
    numbers = ".".join(str(chance.randrange(4)) for _ in range(chance.randint(2, 4)))
    return numbers + chance.choice(("", "", "", "rc1", "a2", ".post1", ".dev3"))


def _database(chance: random.Random) -> dict[bytes, Any]:
    packages: dict[bytes, Any] = {}
    known: dict[bytes, Any] = {}
    for number in range(PACKAGES):
        found: dict[bytes, bytes] = {}
        for at in range(chance.randint(1, 4)):
            cve = f"CVE-2024-{10_000 + number * 10 + at}".encode()
            low, high = _version(chance), _version(chance)
            said = chance.choice((f"<{high}", f">={low}, <{high}", f">={low}, <={high}", f"<={high}", f"=={high}"))
            found[cve] = json.dumps({"VulnerableVersions": [said], "PatchedVersions": [high]}).encode()
            known[cve] = json.dumps({"Title": "x", "Severity": "HIGH"}).encode()
        packages[f"package-{number}".encode()] = found
    source = json.dumps({"ID": "ghsa", "Name": "GitHub", "URL": "https://github.com/advisories"}).encode()
    return {BUCKET: packages, b"vulnerability": known, b"data-source": {BUCKET: source}}


def _theirs(program: str, folder: Path) -> set[tuple[str, str]]:
    done = subprocess.run(
        [program, "fs", "--cache-dir", str(folder / "cache"), "--skip-db-update", "--skip-java-db-update",
         "--skip-version-check", "--offline-scan", "--scanners", "vuln", "--format", "json", str(folder / "project")],
        capture_output=True, check=True, timeout=100,
    )  # fmt: skip
    return {
        (one["PkgName"], one["VulnerabilityID"])
        for result in json.loads(done.stdout).get("Results", [])
        for one in result.get("Vulnerabilities") or []
    }


def test_the_same_database_gives_the_same_findings(tmp_path: Path) -> None:
    program = _trivy()
    chance = random.Random(11)
    cache = tmp_path / "cache" / "db"
    cache.mkdir(parents=True)
    bolts.write(cache / "trivy.db", _database(chance))
    times = {"NextUpdate": "2099-01-01T00:00:00Z", "UpdatedAt": "2024-01-01T00:00:00Z"}
    (cache / "metadata.json").write_text(json.dumps({"Version": 2, **times, "DownloadedAt": times["UpdatedAt"]}))
    installed = {f"package-{number}": _version(chance) for number in range(PACKAGES)}
    (tmp_path / "project").mkdir()
    lines = "".join(f"{name}=={version}\n" for name, version in installed.items())
    (tmp_path / "project" / "requirements.txt").write_text(lines)
    import_files(tmp_path / "intel.db", [cache / "trivy.db"])
    store = Store(tmp_path / "intel.db")
    queries = [Query("PyPI", name, version) for name, version in installed.items()]
    ours = {(query.name, one.id) for query, found in match(store, queries) for one in found}
    store.close()
    assert len(ours) > 50
    assert ours == _theirs(program, tmp_path)
