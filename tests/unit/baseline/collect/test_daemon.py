"""One effective configuration: defaults, then the file, then the flags of the very process; else the reason."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from seawall.baseline.collect import daemon
from seawall.node.docker import Docker


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--iptables=false"], "iptables", [False]),
        (["--iptables"], "iptables", [True]),
        (["--live-restore", "--iptables=false"], "iptables", [False]),  # a switch takes no value from the next word
        (["--icc=false"], "icc", [False]),
        (["--log-level", "debug"], "log-level", ["debug"]),
        (["-l", "warn"], "log-level", ["warn"]),
        (["-H", "unix:///a", "-H=tcp://0.0.0.0:2375"], "host", ["unix:///a", "tcp://0.0.0.0:2375"]),
        (["--storage-opt", "dm.basesize=50G"], "storage-opt", ["dm.basesize=50G"]),
        (["--unheard-of", "--userland-proxy=false"], "userland-proxy", [False]),
        (["--log-level"], "log-level", [""]),
    ],
)
def test_flags_are_read_as_the_daemon_reads_them(words, name, value):
    assert daemon._flags(words)[name][0] == value


def settings(tmp_path, monkeypatch, text, *flags):
    path = tmp_path / "daemon.json"
    path.write_text(text)
    monkeypatch.setattr(daemon.procfs, "cmdline", lambda _pid: ["dockerd", "--config-file", str(path), *flags])
    return daemon._settings(os.getpid())


def test_flags_win_over_the_file(tmp_path, monkeypatch):
    found = settings(tmp_path, monkeypatch, json.dumps({"log-level": "debug", "icc": False}), "--log-level=info")
    assert found["log-level"] == ("info", "/proc cmdline --log-level")
    assert found["icc"] == (False, str(tmp_path / "daemon.json"))


def test_flags_that_come_often_have_the_name_of_the_file(tmp_path, monkeypatch):
    found = settings(tmp_path, monkeypatch, "{}", "--storage-opt", "dm.basesize=50G", "-H", "tcp://0.0.0.0:2375")
    assert found["storage-opts"][0] == ["dm.basesize=50G"]
    assert list(daemon._listeners(os.getpid(), found)) == ["tcp://0.0.0.0:2375"]


@pytest.mark.parametrize(
    ("hosts", "found"),
    [
        (["unix:///var/run/docker.sock"], []),
        (["tcp://127.0.0.1:2375", "unix:///a"], ["tcp://127.0.0.1:2375"]),
        (["0.0.0.0:2375"], ["0.0.0.0:2375"]),  # without a scheme it is TCP
        ("tcp://0.0.0.0:1", ["tcp://0.0.0.0:1"]),
        ([], []),
    ],
)
def test_listeners_are_those_of_the_api(hosts, found):
    assert list(daemon._listeners(os.getpid(), {"hosts": (hosts, "")})) == found


def test_a_socket_that_was_handed_over_is_found_by_the_kernel():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert f"tcp:{port}" in list(daemon._listeners(os.getpid(), {"hosts": (["fd://"], "")}))
        assert list(daemon._listeners(os.getpid(), {"hosts": (["unix:///a"], "")})) == []


@pytest.mark.parametrize("text", ["{", "[]", "[" * 200_000, "\x00", '"x"'])
def test_a_broken_configuration_is_not_checked(tmp_path, monkeypatch, text):
    monkeypatch.setattr(daemon, "_daemon", lambda _path: os.getpid())
    path = tmp_path / "daemon.json"
    path.write_text(text)
    monkeypatch.setattr(daemon.procfs, "cmdline", lambda _pid: ["dockerd", f"--config-file={path}"])
    found = daemon.facts(Docker(str(tmp_path / "none.sock"), timeout=1))
    assert set(found) == daemon_facts()
    assert found["iptables"].error
    assert found["iptables"].value is None


def test_a_huge_configuration_is_refused(tmp_path, monkeypatch):
    with pytest.raises(Exception, match="is over"):
        settings(tmp_path, monkeypatch, " " * (daemon.MAX_CONFIG + 1))


def test_no_configuration_file_means_defaults(tmp_path, monkeypatch):
    monkeypatch.setattr(daemon.procfs, "cmdline", lambda _pid: ["dockerd", f"--config-file={tmp_path}/none.json"])
    assert set(daemon._settings(os.getpid())) == {"config-file"}


def test_a_daemon_that_hangs_is_not_checked(tmp_path):
    """It takes the connection and says nothing: each fact has the reason, and the call ends."""
    path = str(tmp_path / "hang.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(16)
        found = daemon.facts(Docker(path, timeout=0.2))
    assert set(found) == daemon_facts()
    assert all(fact.error for name, fact in found.items() if fact.where.startswith("GET"))
    assert "cannot reach Docker" in found["live_restore"].error


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b"{}",
        b'{"SecurityOptions": 5, "RegistryConfig": [], "Plugins": 1, "Swarm": ""}',
        b"\xff\xfe",
        b"7",
    ],
)
def test_what_a_daemon_leaves_out_is_not_known(tmp_path, body):
    found = answered(tmp_path, body)
    assert set(found) == daemon_facts()
    said = {name: fact for name, fact in found.items() if fact.where.startswith("GET")}
    assert len(said) == 12
    assert [name for name, fact in said.items() if not fact.error] == []


def answered(tmp_path, body):
    path = str(tmp_path / "rubbish.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(16)
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                if connection.recv(65536):
                    connection.sendall(head + body)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        return daemon.facts(Docker(path, timeout=2))
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def daemon_facts():
    from seawall.baseline.collect.names import FACTS

    return FACTS["docker_host"]


def test_insecure_registries_are_those_off_this_host():
    said = {
        "InsecureRegistryCIDRs": ["127.0.0.0/8", "10.0.0.0/8", "::1/128"],
        "IndexConfigs": {"docker.io": {"Secure": True}, "plain:5000": {"Secure": False}},
    }
    assert daemon._insecure({"RegistryConfig": said}) == ["10.0.0.0/8", "plain:5000"]


LISTEN = "import socket,sys,time\ns=socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen()\ntime.sleep(60)"


@pytest.fixture
def two_daemons(tmp_path):
    """Two processes called dockerd, each on a socket of its own; the newer one has another flag."""
    program = tmp_path / "dockerd"
    shutil.copy(Path(sys.executable).resolve(), program)
    environment = {"PYTHONHOME": sys.base_prefix}
    processes = []
    try:
        for name, *flags in (("old.sock", "--log-level=info"), ("new.sock", "--iptables=false", "--log-level=debug")):
            path = str(tmp_path / name)
            flags.append(f"--config-file={tmp_path}/none.json")
            processes.append(subprocess.Popen([str(program), "-c", LISTEN, path, *flags], env=environment))
            while not os.path.exists(path):
                assert processes[-1].poll() is None
                time.sleep(0.02)
        yield tmp_path
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_the_configuration_is_that_of_the_daemon_that_answers(two_daemons):
    """Not that of the newest one."""
    old, new = (daemon.facts(Docker(str(two_daemons / name), timeout=0.1)) for name in ("old.sock", "new.sock"))
    assert (old["iptables"].value, old["log_level"].value) == (True, "info")
    assert (new["iptables"].value, new["log_level"].value) == (False, "debug")
    assert new["iptables"].where == "/proc cmdline --iptables"
    assert old["iptables"].where == "default"


def test_which_of_two_daemons_was_handed_a_socket_cannot_be_told(two_daemons, tmp_path):
    path = str(tmp_path / "handed.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        found = daemon.facts(Docker(path, timeout=0.1))
    assert "cannot be told" in found["iptables"].error
