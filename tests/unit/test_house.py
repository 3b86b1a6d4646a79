"""The house keeps its own rules: explicit lists name every file of their folder, files stay short, words stay plain."""

import re
import subprocess
from pathlib import Path

import pytest

from seawall import cli

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "seawall"
LONGEST = 450


def _tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def test_every_command_is_a_file_and_every_file_a_command() -> None:
    files = {path.stem for path in (SOURCE / "cli").glob("*.py")} - {"__init__"}
    assert files == set(cli.COMMANDS)


def test_every_benchmark_is_listed() -> None:
    text = (ROOT / "bench" / "run.py").read_text()
    listed = set(re.findall(r'^    "(\w+)": "', text, re.MULTILINE))
    files = {path.stem for path in (ROOT / "bench").glob("*.py")} - {"run"}
    assert files == listed


def test_files_stay_short_enough_to_read() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in _tracked("*.py", "*.c", "*.h", "*.ts", "*.tsx", "*.sh")
        if (lines := len(path.read_text().splitlines())) > LONGEST
        if "/src/api/schema" not in path.as_posix()  # generated from the API's description
    }
    assert not long


def test_no_file_is_named_for_nothing() -> None:
    empty = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}
    assert not [path for path in _tracked("src", "console/src", "tests") if path.stem.lower() in empty]


def test_requirements_carry_hashes_and_no_address() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text, f"{path.name} names an address"


def test_the_wheel_itself_needs_nothing() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == []


def test_links_in_the_documentation_lead_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {link}"
        for path in _tracked("*.md")
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text())
        if "://" not in link and not (path.parent / link).exists()
    ]
    assert not broken
