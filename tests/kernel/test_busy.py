"""The figures of a real container's cgroup: how much of the processors it uses, and how much it may."""

import os
import subprocess
import time

import pytest

from conftest import docker_cli
from seawall.runtime.collect.busy import usage

pytestmark = [
    pytest.mark.docker,
    pytest.mark.timeout(120),
    pytest.mark.skipif(os.geteuid() != 0, reason="reads other users' /proc"),
]
NAME = "seawall-test-busy"


def test_a_loop_is_seen_and_its_limit_known(bash_image):
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)
    docker_cli("run", "-d", "--cpus", "0.3", "--name", NAME, bash_image, "bash", "-c", "while :; do :; done")
    try:
        pid = int(docker_cli("inspect", "-f", "{{.State.Pid}}", NAME))
        before = usage(pid)
        assert before is not None
        assert before[1] == pytest.approx(0.3)
        deadline = time.monotonic() + 60
        while usage(pid)[0] < before[0] + 300_000_000:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        docker_cli("rm", "-f", NAME)
    assert usage(pid) is None
