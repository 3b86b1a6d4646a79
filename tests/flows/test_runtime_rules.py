"""Rule files while a node works by them: Falco's form end to end, read again when they change, never for the worse."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from watching import watching

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.timeout(240),
    pytest.mark.skipif(os.geteuid() != 0, reason="the sensor needs root"),
]
RULE = """\
- rule: Watched program
  desc: A program of the test runs
  condition: evt.type in (execve, execveat) and proc.exepath startswith {folder}/{word}
  output: ran {mark} | cmd=%proc.cmdline user=%user.name env=%proc.env[SEAWALL_MARK] missing=%fd.name
  priority: WARNING
  tags: [T1059]
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def run(folder: Path, name: str) -> None:
    """Start a program that nobody has started before, and let it live until its environment has been read."""
    shutil.copy("/bin/sleep", folder / name)
    subprocess.run([folder / name, "0.2"], env={"SEAWALL_MARK": name}, check=True, timeout=30)


def test_rules_are_read_again_and_the_last_good_plan_stays(tmp_path: Path, programs: Path) -> None:
    file = tmp_path / "falco.yaml"

    def write(word: str, mark: str) -> None:
        file.write_text(RULE.format(folder=programs, word=word, mark=mark))

    write("one", "first")
    with watching(tmp_path, "--rules", str(file)) as watcher:

        def told(name: str) -> list[str]:
            return [
                alert["evidence"]["output"]
                for alert in watcher.alerts()
                if alert["rule"] == "Watched program" and alert["process"].get("exe") == f"{programs}/{name}"
            ]

        run(programs, "one-a")
        (said,) = watcher.wait(lambda: told("one-a"), 20)
        assert said == "ran first | cmd=one-a 0.2 user=root env=one-a missing=<NA>"

        write("two", "second")
        watcher.wait(lambda: "read again" in watcher.err.read_text(), 30)
        run(programs, "two-a")
        assert watcher.wait(lambda: told("two-a"), 20)[0].startswith("ran second")

        file.write_text("- rule: broken\n  desc: d\n  condition: proc.nam = x\n  output: o\n  priority: INFO\n")
        watcher.wait(lambda: "the last good plan stays" in watcher.err.read_text(), 30)
        assert f"{file}:3: broken: there is no field proc.nam" in watcher.err.read_text()
        run(programs, "two-b")
        watcher.wait(lambda: told("two-b"), 20)

        write("three", "third")
        watcher.process.send_signal(signal.SIGHUP)
        names = [f"three-{number}" for number in range(40)]
        watcher.wait(lambda: watcher.err.read_text().count("read again") == 2, 30)
        write("three", "fourth")
        for name in names:  # across the change: none of them is lost
            run(programs, name)
        watcher.wait(lambda: watcher.err.read_text().count("read again") == 3, 30)
        deadline = time.monotonic() + 30
        while (missing := [name for name in names if not told(name)]) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert missing == []
        assert told("two-a") == told("two-a")[:1]


def test_the_protocol_of_a_socket_is_known(tmp_path: Path) -> None:
    rules = "".join(
        f"- rule: {word} call\n  desc: d\n  priority: NOTICE\n  output: to %fd.name by %fd.l4proto for %proc.duration\n"
        f"  condition: evt.type = connect and fd.l4proto = {word} and fd.sport = {port} and proc.duration > 0\n"
        for word, port in (("udp", 40071), ("tcp", 40072))
    )
    (tmp_path / "sockets.yaml").write_text(rules)
    code = (
        "import socket\n"
        "for kind, port in ((socket.SOCK_DGRAM, 40071), (socket.SOCK_STREAM, 40072), (socket.SOCK_DGRAM, 40072)):\n"
        "    socket.socket(socket.AF_INET, kind).connect_ex(('127.0.0.1', port))\n"
    )
    with watching(tmp_path, "--rules", str(tmp_path / "sockets.yaml")) as watcher:
        subprocess.run(["python3", "-c", code], check=True, timeout=30)

        def told() -> list[str]:
            return [alert["evidence"]["output"] for alert in watcher.alerts() if alert["rule"].endswith(" call")]

        said = watcher.wait(lambda: len(told()) > 1 and told(), 20)
        assert [one.split(" for ")[0] for one in said] == ["to 127.0.0.1:40071 by udp", "to 127.0.0.1:40072 by tcp"]
