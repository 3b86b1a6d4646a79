"""What the kernel side denies by itself, in real containers: no connection and no datagram arrives, no byte is written,
no instruction of a forbidden program runs; each is told once, with what is true."""

import contextlib
import os
import socket
import subprocess
import threading
import time

import pytest

from conftest import docker_cli
from watching import watching

pytestmark = [
    pytest.mark.docker,
    pytest.mark.kernel,
    pytest.mark.timeout(180),
    pytest.mark.skipif(os.geteuid() != 0, reason="the sensor needs root"),
]
NAME = "respond-deny"
RULES = """
- rule: no_peer
  title: {{en: Forbidden address, zh: 禁止的地址}}
  why: {{en: Because, zh: 因为}}
  advice: {{en: Look, zh: 看}}
  category: network
  severity: high
  kinds: [connect]
  condition: container and fd.ip in ("{peer}/32", "fd00:5ea::/64")
  action: block
- rule: no_write
  title: {{en: Forbidden file, zh: 禁止的文件}}
  why: {{en: Because, zh: 因为}}
  advice: {{en: Look, zh: 看}}
  category: file_tampering
  severity: high
  kinds: [open]
  condition: container and fd.name startswith /srv/
  action: block
- rule: no_run
  title: {{en: Forbidden program, zh: 禁止的程序}}
  why: {{en: Because, zh: 因为}}
  advice: {{en: Look, zh: 看}}
  category: abnormal_process
  severity: high
  kinds: [exec]
  condition: container and proc.exename = forbidden
  action: block
- rule: no_memory
  title: {{en: Forbidden in memory, zh: 禁止内存程序}}
  why: {{en: Because, zh: 因为}}
  advice: {{en: Look, zh: 看}}
  category: abnormal_process
  severity: high
  kinds: [exec]
  condition: container and proc.is_exe_from_memfd = true
  action: block
- rule: no_read
  title: {{en: Forbidden to read, zh: 禁止读取}}
  why: {{en: Because, zh: 因为}}
  advice: {{en: Look, zh: 看}}
  category: file_tampering
  severity: high
  kinds: [read]
  condition: container and fd.name = /opt/key and not proc.name = grep
  action: block
"""


FILELESS = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>
int main(int count, char **args)
{
	int memory = memfd_create("worker", MFD_CLOEXEC), file = open(args[1], O_RDONLY);
	while (sendfile(memory, file, 0, 1 << 20) > 0)
		;
	fexecve(memory, args + 1, (char *[]){0});
	return 99;
}
"""


@pytest.fixture(scope="module")
def fileless(tmp_path_factory):
    """A program that runs another one from memory only."""
    folder = tmp_path_factory.mktemp("fileless")
    (folder / "main.c").write_text(FILELESS)
    subprocess.run(["gcc", "-static", "-o", folder / "fileless", folder / "main.c"], check=True, timeout=60)
    return folder / "fileless"


class Heard:
    """A TCP and a UDP server on one port; counts what reaches it."""

    def __init__(self):
        self.tcp = socket.create_server(("0.0.0.0", 0))
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("0.0.0.0", self.port))
        self.calls = self.datagrams = 0
        for body in (self._tcp, self._udp):
            threading.Thread(target=body, daemon=True).start()

    def _tcp(self):
        while True:
            try:
                self.tcp.accept()[0].close()
            except OSError:
                return
            self.calls += 1

    def _udp(self):
        while True:
            try:
                said = self.udp.recv(100)
            except OSError:
                return
            self.datagrams += said != b""

    def close(self):
        for server in (self.tcp, self.udp):
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            server.close()


@pytest.fixture
def heard():
    made = Heard()
    yield made
    made.close()


@pytest.fixture
def container(bash_image):
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)
    docker_cli("run", "-d", "--name", NAME, bash_image, "sleep", "600")
    docker_cli(
        "exec",
        NAME,
        "bash",
        "-c",
        "mkdir /srv /opt; echo before > /srv/file; echo secret > /opt/key; cp /bin/touch /tmp/forbidden",
    )
    yield docker_cli("inspect", "-f", "{{.Id}}", NAME)
    docker_cli("rm", "-f", NAME)


def inside(script):
    command = ["docker", "exec", NAME, "bash", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_kernel_stops_what_tables_say(container, heard, tmp_path):
    gateway = docker_cli("inspect", "-f", "{{.NetworkSettings.Gateway}}", NAME)
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.format(peer=gateway))
    tcp, udp = f"exec 3<>/dev/tcp/{gateway}/{heard.port}", f"echo x > /dev/udp/{gateway}/{heard.port}"
    assert inside(f"{tcp}; {udp}").returncode == 0
    time.sleep(0.5)
    assert (heard.calls, heard.datagrams) == (1, 1), "without rules it arrives"

    with watching(tmp_path, "--enforce", "--rules", str(rules)) as watcher:

        def told(rule, count=1):
            def found():
                mine = [a for a in watcher.alerts() if a["rule"] == rule and a["container"]["id"] == container]
                return mine if len(mine) >= count else None

            return watcher.wait(found, 45)

        watcher.wait(lambda: inside(tcp).returncode != 0, 45)
        before = (heard.calls, heard.datagrams)
        assert "not permitted" in inside(tcp).stderr
        assert inside(udp).returncode != 0
        time.sleep(0.5)
        assert (heard.calls, heard.datagrams) == before, "nothing arrived"
        alert = told("no_peer")[-1]
        assert outcome(alert) == ("block", "blocked", "egress", "before")
        assert alert["evidence"]["peer"]["host"] == gateway

        stopped = inside("cat /opt/key")
        assert (stopped.returncode, stopped.stdout) == (1, "")
        [alert] = told("no_read")
        assert outcome(alert) == ("block", "blocked", "fanotify", "before")
        assert (alert["process"]["exe"].rpartition("/")[2], alert["evidence"]["file"]["path"]) == ("cat", "/opt/key")
        assert inside("read -r word </opt/key; [ -z $word ]").returncode == 0, "by no other program either"

        assert inside("echo more >> /srv/file").returncode in (1, 137)
        alert = told("no_write")[-1]
        assert outcome(alert) in (("block", "blocked", means, "before") for means in ("fanotify", "signal"))
        assert inside("cat /srv/file").stdout == "before\n", "no byte was written"

        inside("echo new > /srv/new")
        alert = told("no_write", 2)[-1]
        assert outcome(alert)[:2] in (("block", "blocked"), ("block", "killed_after_effect"))
        assert "created" in alert["evidence"]["changed"], "the file was made, and is empty"
        assert inside("[ -e /srv/new ] && [ ! -s /srv/new ]").returncode == 0

        assert inside("/tmp/forbidden /tmp/ran").returncode in (126, 137)
        assert inside("[ -e /tmp/ran ]").returncode == 1, "it never ran"
        [alert] = told("no_run")
        assert outcome(alert)[:2] == ("block", "blocked")
        assert alert["means"] in ("fanotify", "signal")
        assert inside("cat /srv/file; echo x > /tmp/elsewhere").returncode == 0, "reading and other files are free"

    assert inside(f"{tcp}; echo after >> /srv/file; /tmp/forbidden /tmp/ran").returncode == 0, "all is free again"
    assert inside("cat /srv/file").stdout == "before\nafter\n"


def outcome(alert):
    return alert["action"], alert["result"], alert["means"], alert["when"]


def test_a_program_in_memory_only_never_runs(container, fileless, tmp_path):
    docker_cli("cp", str(fileless), f"{NAME}:/srv/fileless")
    assert inside("/srv/fileless /bin/touch /tmp/before && [ -e /tmp/before ]").returncode == 0, "without rules it runs"
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.format(peer="203.0.113.1"))
    with watching(tmp_path, "--enforce", "--rules", str(rules)) as watcher:
        watcher.wait(lambda: inside("/srv/fileless /bin/true").returncode == 137, 45)
        assert inside("/srv/fileless /bin/touch /tmp/ran").returncode == 137
        assert inside("[ -e /tmp/ran ]").returncode == 1, "no instruction of it"

        def told():
            return [a for a in watcher.alerts() if a["rule"] == "no_memory" and a["container"]["id"] == container]

        alert = watcher.wait(told, 30)[-1]
        assert outcome(alert) == ("block", "blocked", "signal", "before")
        assert "memfd:worker" in alert["process"]["exe"]
        assert inside("true").returncode == 0, "the runtime's own start from memory is none"
