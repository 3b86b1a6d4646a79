"""The sensor on the kernels that production runs: Debian 11's 5.10, Debian 12's 6.1 and 6.12, under emulation."""

from pathlib import Path
from typing import Any

import pytest

from vm import machine

pytestmark = pytest.mark.kernel
VERSIONS = ("5.10", "6.1", "6.12")
PROBES = Path(machine.__file__).parent


@pytest.fixture(scope="module", params=VERSIONS)
def seen(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the sensor said on one kernel."""
    try:
        chosen = machine.kernel(request.param)
        return machine.run(chosen, PROBES / "sensing.py")
    except machine.Unavailable as error:
        pytest.skip(f"no machine with kernel {request.param}: {error}")


def paths(seen: dict[str, Any], kind: str) -> list[str]:
    return [event["path"] for event in seen["seen"] if event["kind"] == kind]


def test_every_program_loads(seen):
    assert seen["counters"]["state"] == "on", seen["counters"]["reason"]
    assert seen["counters"]["malformed"] == 0


def test_what_a_container_runs_is_seen_with_its_marks(seen):
    assert seen["overlay"], "the overlay file system is not there"
    marks = {event["path"]: event["upper"] for event in seen["seen"] if event["kind"] == "exec"}
    assert marks["/bin/sh"] is False
    assert marks["/dropped"] is True


def test_a_written_file_is_seen(seen):
    assert "/etc/passwd" in paths(seen, "open")


def test_a_shell_on_a_connection_is_seen(seen):
    assert any(event["stdio"] == ["inet"] * 3 for event in seen["seen"] if event["kind"] == "exec")
