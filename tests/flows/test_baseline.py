"""CIS Docker on a real daemon with real containers: verdicts agree with `docker inspect`."""

import io
import json
import os
import subprocess
import sys

import pytest

from conftest import docker_cli
from seawall.agent import enrol, resident, tls
from seawall.agent.identity import Home
from seawall.baseline.collect.node import collect
from seawall.baseline.detect.evaluate import evaluate
from seawall.baseline.load import packaged
from seawall.baseline.report import FORMATS
from seawall.node.host import host_id
from serving import Served

pytestmark = [
    pytest.mark.docker,
    pytest.mark.timeout(180),
    pytest.mark.skipif(os.geteuid() != 0, reason="reads /proc of other processes: needs root"),
]

CASES = {
    "open": (
        "--cap-add SYS_ADMIN --pid host --network host --ipc host --uts host --security-opt seccomp=unconfined "
        "-v /etc:/host-etc -v /var/run/docker.sock:/s.sock --device /dev/null --restart always",
        "5.4 5.6 5.10 5.11 5.12 5.13 5.15 5.16 5.17 5.18 5.21 5.22 5.26 5.27 5.29 5.32",
        "5.5 5.7 5.8 5.14 5.20 5.25 5.30 5.31",
    ),
    "hard": (
        "--read-only --memory 64m --cpus 0.5 --pids-limit 50 --cap-drop ALL --security-opt no-new-privileges "
        "-p 127.0.0.1:0:80 --restart on-failure:3 --health-cmd true --user 1000",
        "5.30",
        "5.4 5.5 5.6 5.8 5.10 5.11 5.12 5.13 5.14 5.15 5.16 5.17 5.18 5.20 5.21 5.22 5.25 5.26 5.27 5.29 5.31 5.32",
    ),
    # Nothing says "host" here, and yet it has the host's network and processes.
    "joined": (
        "--network container:seawall-baseline-open --pid container:seawall-baseline-open",
        "5.10 5.16",
        "5.4 5.5 5.17 5.21 5.22 5.30 5.32",
    ),
    # What others take for right: a folder above a socket, read-only; a restart that never ends.
    "sly": (
        "-v /:/host:ro --restart unless-stopped -p 80 -v SHARED:/srv:rshared",
        "5.6 5.14 5.15 5.20 5.32 5.30",
        "5.4 5.5 5.10 5.16 5.22",
    ),
}
"""Name → arguments of docker run, checks that fail, checks that pass."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A mount of its own that may be shared: the host's own stay as they are."""
    folder = tmp_path_factory.mktemp("shared")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], check=True, timeout=10)
    subprocess.run(["mount", "--make-shared", folder], check=True, timeout=10)
    yield str(folder)
    subprocess.run(["umount", folder], check=True, timeout=10)


@pytest.fixture(scope="module")
def containers(bash_image, shared):
    names = {}
    try:
        for name, (arguments, _, _) in CASES.items():
            full = f"seawall-baseline-{name}"
            _remove(full)
            words = arguments.replace("SHARED", shared).split()
            names[name] = docker_cli("run", "-d", "--name", full, *words, bash_image, "sleep", "600")
        yield names
    finally:
        for name in reversed(CASES):
            _remove(f"seawall-baseline-{name}")


def _remove(name):
    subprocess.run(["docker", "rm", "-f", name], capture_output=True, timeout=60, check=False)


def _verdicts(results, asset):
    return {one.check.removeprefix("docker-"): one.outcome.value for one in results if one.asset.id == asset}


@pytest.fixture(scope="module")
def results(dockerd, containers):
    return [result for facts in collect(dockerd) for result in evaluate(packaged()["docker"], facts)]


@pytest.mark.parametrize("name", CASES)
def test_verdicts_agree_with_how_the_container_was_started(results, containers, name):
    found = _verdicts(results, containers[name])
    failing, passing = (words.split() for words in CASES[name][1:])
    assert {check: found[check] for check in failing} == dict.fromkeys(failing, "fail")
    assert {check: found[check] for check in passing} == dict.fromkeys(passing, "pass")


def test_a_difference_between_declaration_and_kernel_is_evidence(results, containers):
    (found,) = [one for one in results if one.asset.id == containers["joined"] and one.check == "docker-5.10"]
    assert found.evidence[0] == {"where": "declared and real differ", "value": ["network_mode", "host_network"]}
    (agreed,) = [one for one in results if one.asset.id == containers["open"] and one.check == "docker-5.10"]
    assert [row["fact"] for row in agreed.evidence] == ["network_mode", "host_network"]


def test_facts_are_those_of_docker_inspect(dockerd, containers):
    inspected = {one: json.loads(docker_cli("inspect", one))[0] for one in containers.values()}
    for facts in collect(dockerd):
        if facts.asset.id not in inspected:
            continue
        host, known = inspected[facts.asset.id]["HostConfig"], facts.facts
        assert known["memory_limit"].value == known["memory_limit_real"].value == host["Memory"]
        assert known["privileged"].value == host["Privileged"]
        assert known["readonly_root"].value == host["ReadonlyRootfs"]
        assert known["network_mode"].value == host["NetworkMode"]
        assert known["capabilities_added"].value == [name.removeprefix("CAP_") for name in host["CapAdd"] or []]
        assert {mount["destination"] for mount in known["mounts"].value} == {
            mount["Destination"] for mount in inspected[facts.asset.id]["Mounts"]
        }


def test_the_daemon_is_judged_from_its_own_configuration(results):
    (host,) = {one.asset.id for one in results if one.asset.kind == "docker_host"}
    found = _verdicts(results, host)
    info = json.loads(docker_cli("info", "--format", "{{json .}}"))
    assert found["2.15"] == ("pass" if info["LiveRestoreEnabled"] else "fail")
    assert found["2.13"] == ("fail" if info["LoggingDriver"] in ("json-file", "local", "none") else "pass")
    assert found["2.7"] == "pass"
    assert "not_checked" not in found.values()


def _run(*words):
    command = [sys.executable, "-m", "seawall", "baseline", *words]
    return subprocess.run(command, capture_output=True, timeout=60, check=False)


def test_every_form_says_the_same(results):
    table, plain = io.StringIO(), io.StringIO()
    FORMATS["table"](packaged()["docker"], results, table)
    FORMATS["json"](packaged()["docker"], results, plain)
    document = json.loads(plain.getvalue())
    sums = " · ".join(f"{count} {name.replace('_', ' ')}" for name, count in document["counts"].items())
    assert sums in " ".join(table.getvalue().split())
    assert sum(document["counts"].values()) == len(document["results"]) == len(results)


def test_the_command_and_its_exit_codes(containers, tmp_path):
    done = _run("run", "--format", "json", "--output", str(tmp_path / "out.json"))
    assert done.returncode == 0
    document = json.loads((tmp_path / "out.json").read_text())
    assert {containers["open"], containers["sly"]} <= {one["asset"]["id"] for one in document["results"]}
    assert b"docker-5.32" in _run("run").stdout
    assert _run("run", "--fail-on", "critical").returncode == 1
    assert _run("run", "--benchmark", "toaster").returncode == 2


def test_without_a_daemon_nothing_is_called_clean(tmp_path):
    environment = os.environ | {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    command = [sys.executable, "-m", "seawall", "baseline", "run", "--fail-on", "low"]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    assert b"cannot reach Docker" in done.stderr


def test_through_agent_and_server(tmp_path, containers):
    served = Served(tmp_path / "server").start()
    token = served.command("token", "create", "test", "--role", "admin").split()[-1]
    home = Home(tmp_path / "node")
    fingerprint = tls.fingerprint((served.state / "ca" / "ca.crt").read_text())
    enrol.enrol(home, f"https://127.0.0.1:{served.port}", served.enrolment_token(token), fingerprint, host_id())
    agent = subprocess.Popen(resident.command(tmp_path / "node"), env=resident.environment(tmp_path / "node"))
    try:
        served.until(lambda: served.get("/agents", token)["total"], 30)
        assert served.get("/baselines", token)["items"][0]["state"] == "never"
        status, job, _ = served.call("POST", "/api/v1/baselines/docker/run", {}, token)
        assert status == 202, job
        served.until(lambda: served.get("/baselines/docker", token)["state"] == "done", 60)
        assert served.get(f"/jobs/{job['id']}", token)["error"] == ""
        for name, container in containers.items():
            found = served.get(f"/baselines/docker/results?asset_id={container}&limit=200", token)["items"]
            verdicts = {one["check"].removeprefix("docker-"): one["outcome"] for one in found}
            assert {check for check, outcome in verdicts.items() if outcome == "fail"} >= set(CASES[name][1].split())
        by_check = {one["check"]: one for one in served.get("/baselines/docker/checks?limit=200", token)["items"]}
        assert by_check["docker-5.32"]["counts"]["fail"] >= 2
        assets = served.get("/baselines/docker/assets", token)["items"]
        assert {containers["open"], containers["hard"]} <= {one["id"] for one in assets}
        assert served.get("/overview", token)["baseline"][0]["rate"] is not None
    finally:
        agent.terminate()
        agent.wait(20)
        served.stop()
