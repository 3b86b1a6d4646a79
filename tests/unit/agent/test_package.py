"""What another node downloads: the same bytes every time, nothing but the agent, and able to run on bare Python."""

import hashlib
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from seawall.agent import package, resident


@pytest.fixture(scope="module")
def packed():
    return package.archive()


def names(packed):
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        return tar.getnames()


def test_the_archive_is_the_same_every_time(packed):
    assert package.archive() == packed
    assert len(packed) < 8 << 20


def test_it_holds_the_agent_and_neither_server_nor_stores(packed):
    found = names(packed)
    assert "seawall/agent/run.py" in found
    assert "seawall/cli/agent.py" in found
    assert not [name for name in found if "server" in name.split("/") or name.endswith(("/store.py", "/api.py"))]
    assert not [name for name in found if "__pycache__" in name or name.startswith(("/", ".."))]


def test_every_part_that_is_named_exists_or_is_built():
    """A part may be missing only if the build makes it, or the room has none."""
    allowed = {"runtime/rules/plan.json", "baseline/normalise.py", "images/normalise.py"}
    missing = {part for part in package.PARTS if not Path(resident.SOURCE, "seawall", part).exists()}
    assert missing <= allowed


def test_it_runs_on_bare_python(packed, tmp_path):
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        tar.extractall(tmp_path, filter="data")
    code = "import seawall.agent.run, seawall.agent.enrol, seawall.cli.agent, seawall.cli.doctor"
    for arguments in (["-c", code], ["-m", "seawall", "agent", "--help"]):
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"]
            if arguments[0] == "-c"
            else [sys.executable, "-S", "-s", "-P", *arguments],
            env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_the_script_takes_this_archive_and_no_other(packed):
    text = package.script(packed).decode()
    assert hashlib.sha256(packed).hexdigest() in text
    assert "@" not in text.split("archive_sha256=")[1].splitlines()[0]
    checked = subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_build_writes_both(tmp_path):
    tar, script = package.build(tmp_path)
    assert hashlib.sha256(tar.read_bytes()).hexdigest() in script.read_text()
