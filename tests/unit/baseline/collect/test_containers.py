"""Facts of a container: what the inspection leaves out is not known, links are followed, nothing hostile breaks it."""

import os
import socket
import subprocess

import pytest

from seawall.baseline.collect import containers, node
from seawall.baseline.collect.names import FACTS
from seawall.baseline.detect.evaluate import evaluate
from seawall.baseline.load import packaged
from seawall.baseline.model import Asset, Facts, Outcome
from seawall.baseline.normalise import clean, parse, plain
from seawall.core.errors import Unreachable
from seawall.node.docker import Docker, DockerError

HOST = containers.Host(os.getpid(), ("/run/docker.sock", "/srv/elsewhere.sock"), {})


def inspection(**changes):
    """The least that a daemon says of a container."""
    host = dict.fromkeys(["CapAdd", "SecurityOpt", "Devices", "DeviceRequests", "Ulimits", "PidsLimit"])
    host |= dict.fromkeys(["NetworkMode", "PidMode", "IpcMode", "UTSMode", "UsernsMode", "CgroupParent"], "")
    host |= {"Privileged": False, "ReadonlyRootfs": False, "Memory": 0}
    host["RestartPolicy"] = {"Name": "no", "MaximumRetryCount": 0}
    return {
        "Id": "c" * 64, "State": {"Pid": 0}, "Config": {"Image": "web:1", "User": ""}, "HostConfig": host, "Mounts": [],
        "NetworkSettings": {"Ports": {}, "Networks": {}}, "AppArmorProfile": "", "ProcessLabel": "",
    } | changes  # fmt: skip


def test_every_fact_has_a_value_or_a_reason():
    found = containers.facts(inspection(), [], HOST)
    assert set(found) == FACTS["container"]
    assert {name for name, fact in found.items() if fact.error} == {
        "capabilities_bounding", "seccomp_mode", "no_new_privileges", "uid", "apparmor_confined", "root_is_host_root",
        "programs", "listening_ports", "memory_limit_real", "host_network", "host_pid", "host_ipc", "host_uts",
    }  # fmt: skip


@pytest.mark.parametrize("rubbish", [{}, {"HostConfig": 5}, {"Config": [], "Mounts": {}}, {"NetworkSettings": 1}])
def test_what_is_left_out_never_passes(rubbish):
    _, found = collected(a=rubbish)
    facts = Facts(Asset("container", "x", "x"), found["a"], "")
    outcomes = {result.outcome for result in evaluate(packaged()["docker"], facts)}
    assert outcomes <= {Outcome.NOT_CHECKED, Outcome.NOT_APPLICABLE, Outcome.FAIL}
    assert Outcome.NOT_CHECKED in outcomes


def test_the_worst_of_very_many_is_not_overlooked():
    """One more than is looked at: the check is not passed, and the others are judged."""
    mounts = [{"Type": "bind", "Source": f"/srv/{number}", "RW": False} for number in range(containers.MAX_ITEMS)]
    found = containers.facts(inspection(Mounts=[*mounts, {"Type": "bind", "Source": "/"}]), [], HOST)
    outcomes = {
        result.check: result
        for result in evaluate(packaged()["docker"], Facts(Asset("container", "x", "x"), found, ""))
    }
    assert outcomes["docker-5.32"].outcome is Outcome.NOT_CHECKED
    assert "501 members" in outcomes["docker-5.32"].reason
    assert outcomes["docker-5.13"].outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("source", "sockets"),
    [
        ("/", ["/run/docker.sock", "/srv/elsewhere.sock"]),
        ("/run", ["/run/docker.sock"]),
        ("/run/docker.sock", ["/run/docker.sock"]),
        ("/srv", ["/srv/elsewhere.sock"]),
        ("/run/docker", []),
        ("/etc", []),
    ],
)
def test_a_mount_tells_which_sockets_it_shows(source, sockets):
    assert containers._mount({"Type": "bind", "Source": source, "RW": False}, HOST)["sockets"] == sockets


@pytest.mark.parametrize(
    ("source", "shown"), [("/data/docker", True), ("/data", True), ("/data/docker/volumes/x", False), ("/srv", False)]
)
def test_a_mount_tells_whether_it_shows_the_data_of_the_runtime(source, shown):
    moved = containers.Host(1, (), {}, "/data/docker")
    assert containers._mount({"Type": "bind", "Source": source}, moved)["data_root"] is shown
    assert containers._mount({"Type": "bind", "Source": source}, HOST)["data_root"] is False


def test_a_link_does_not_hide_what_is_mounted(tmp_path):
    (tmp_path / "innocent").symlink_to("/etc")
    found = containers._mount({"Type": "bind", "Source": str(tmp_path / "innocent"), "RW": True}, HOST)
    assert found["host_path"] == found["writable_host_path"] == "/etc"


def test_a_volume_is_no_folder_of_the_host():
    found = containers._mount({"Type": "volume", "Source": "/var/lib/docker/volumes/x/_data", "RW": True}, HOST)
    assert (found["host_path"], found["sockets"]) == (None, [])


def test_a_pid_that_is_somebody_elses_is_not_read():
    """Its number went to another process between the inspection and now."""
    child = subprocess.Popen(["sleep", "30"])
    try:
        host = containers.Host(os.getpid(), (), {})
        found = containers._real(child.pid, "c" * 64, host)
        assert found["seccomp_mode"].error == ""
    finally:
        child.kill()
        child.wait()
    assert containers._real(child.pid, "c" * 64, host)["seccomp_mode"].error == containers.NOT_RUNNING


def test_the_kernel_says_what_this_process_has():
    found = containers._real(os.getpid(), "c" * 64, HOST)
    assert found["host_network"].value is True
    assert found["uid"].value == os.geteuid()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert listener.getsockname()[1] in containers._listening(os.getpid())


@pytest.mark.parametrize(
    ("bits", "names"),
    [(0, []), (1, ["CHOWN"]), (1 << 21, ["SYS_ADMIN"]), (1 << 40 | 1 << 60, ["CHECKPOINT_RESTORE", "CAP_60"])],
)
def test_capabilities_have_their_names(bits, names):
    assert containers._names(bits) == names


def test_strange_bytes_go_over_the_wire():
    deep: list = []
    for _ in range(1000):
        deep = [deep]
    evil = {"a\udcff": ["x\udcff\0" * 3, deep, object()], "long": "y" * 5000, "many": list(range(10_000))}
    found = clean(evil)
    assert found["a?"][0] == "x??" * 3
    assert (len(found["long"]), len(found["many"])) == (1000, 500)
    str(found).encode()


class Daemon(Docker):
    """One that answers from a list; an exception is raised."""

    def __init__(self, answers):
        super().__init__("/nowhere.sock", timeout=0.1)
        self.answers = answers
        self.asked = 0

    def containers(self, all=True):
        return [{"Id": name * 64, "Names": [f"/{name}"]} for name in self.answers]

    def container(self, id):
        self.asked += 1
        answer = self.answers[id[0]]
        if isinstance(answer, Exception):
            raise answer
        return answer


def collected(**answers):
    daemon = Daemon(answers)
    return daemon, {facts.asset.name: facts.facts for facts in node.collect(daemon) if facts.asset.kind == "container"}


def test_one_that_went_away_is_left_out_and_one_that_cannot_be_read_is_not():
    _, found = collected(a=DockerError(404, "gone"), b=DockerError(500, "broken"), c=inspection(), d=[1], e=None)
    assert set(found) == {"b", "c", "d", "e"}
    for name in "bde":
        assert set(found[name]) == FACTS["container"]
        assert all(fact.error for fact in found[name].values())
    assert "broken" in found["b"]["privileged"].error
    assert not found["c"]["privileged"].error


def test_a_daemon_that_hangs_costs_one_deadline():
    daemon, found = collected(a=inspection(), b=Unreachable("it hangs"), c=inspection(), d=inspection())
    assert daemon.asked == 2
    assert [found[name]["privileged"].error for name in "abcd"] == ["", "it hangs", "it hangs", "it hangs"]


def test_ten_thousand_labels_and_names_are_one_small_item():
    labels = {f"label-{number}": "x" * 100 for number in range(10_000)}
    ports = {f"{number}/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(number)}] for number in range(1, 10_000)}
    config = {"Image": "i", "User": "", "Labels": labels, "ExposedPorts": ports}
    found = containers.facts(inspection(Config=config, NetworkSettings={"Ports": ports, "Networks": {}}), [], HOST)
    facts = Facts(Asset("container", "c", "c", "h"), node._cleaned(found), "")
    assert len(str(plain(facts))) < 200_000
    assert "over 500" in parse(plain(facts)).facts["published_ports"].error
