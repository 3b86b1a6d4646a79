"""What the guard adds to an allowed exec, and where a rule asks for it to an open, in a container.

Paired: the same loop with and without the guard, in turns.
"""

import statistics
import subprocess
import time

from seawall.core.severity import Severity
from seawall.node import rootfs
from seawall.node.docker import Docker
from seawall.runtime.model import Category, Container, Kind, Plan, Profile, Rule
from seawall.runtime.respond.guard import Guard

LIMIT = 0.5
"""Milliseconds that an allowed exec or open may take longer."""
NAME = IMAGE = "seawall-bench-guard"
SECRET = ["and", ["!=", "container.id", "host"], ["=", "fd.name", "/srv/key"]]
RULE = Rule("key", "key", Category.FILE_TAMPERING, Severity.HIGH, (Kind.READ,), SECRET, action="block")
PROGRAMS = frozenset(f"{folder}/{name}" for folder in ("/bin", "/usr/bin") for name in ("bash", "true", "sleep"))


def main(quick: bool) -> None:
    """Each turn is one loop with the guard and one without."""
    docker = Docker()
    docker.import_image(IMAGE, rootfs.build(("bash", "true", "sleep")))
    _docker("rm", "-f", NAME, check=False)
    created = _docker("run", "-d", "--name", NAME, IMAGE, "/bin/sleep", "3600")
    pid = int(docker.container(created)["State"]["Pid"])
    container = Container(created, NAME, image_id="bench", complete=True)
    loop, turns = (300, 4) if quick else (2000, 8)
    _docker("exec", NAME, "/bin/bash", "-c", "echo x >/tmp/written")
    try:
        protect = Plan("bench", (), profiles={"bench": Profile("protect", PROGRAMS)})
        secret = Plan("bench-opens", (RULE,))
        _print("an exec", _pairs(EXEC, protect, container, pid, (loop, turns)))
        _print("an open of the image's file", _pairs(READ_OWN, secret, container, pid, (loop * 5, turns)))
        _print("an open of a written file", _pairs(READ_WRITTEN, secret, container, pid, (loop * 5, turns)))
    finally:
        _docker("rm", "-f", NAME, check=False)
        _docker("rmi", IMAGE, check=False)


EXEC, READ_OWN, READ_WRITTEN = "/bin/true", "read -r l </etc/passwd", "read -r l </tmp/written"
Pairs = tuple[list[float], list[float], dict[str, int], float]


def _pairs(what: str, plan: Plan, container: Container, pid: int, size: tuple[int, int]) -> Pairs:
    """(milliseconds added, without the guard, the gate's counts, its memory in MB)."""
    loop, turns = size
    guard = Guard()
    guard.apply(plan, enforce=True)
    added, plain = [], []
    try:
        for _ in range(turns):
            guard.drop(container.id)
            without = _loop(what, loop)
            guard.guard(container, pid)
            time.sleep(0.2)
            added.append((_loop(what, loop) - without) * 1000)
            plain.append(without * 1000)
            guard.work()
        assert guard.on, guard.reason
        guard.ask_counts()
        time.sleep(0.2)
        guard.work()
        with open(f"/proc/{guard.pid}/status") as file:
            rss = next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))
    finally:
        guard.stop()
    return added, plain, guard.counts, rss


def _print(what: str, found: Pairs) -> None:
    added, plain, counts, rss = found
    middle = statistics.median(added)
    print(f"{what:28} without the guard {statistics.median(plain):8.3f} ms")
    print(f"{'':28} added             {middle:8.3f} ms  ({middle / LIMIT:.2f} × of the {LIMIT} ms allowed)")
    print(f"{'':28} questions {counts['asked']:d} (late {counts['late']}), the gate's memory {rss:.1f} MB VmRSS")


def _loop(what: str, count: int) -> float:
    """Seconds for one."""
    started = time.monotonic()
    _docker("exec", NAME, "/bin/bash", "-c", f"for ((i = 0; i < {count}; i++)); do {what}; done")
    return (time.monotonic() - started) / count


def _docker(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=300, check=check)
    return done.stdout.strip()
