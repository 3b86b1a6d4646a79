"""What the guard adds to an allowed exec in a container, paired: the same loop with and without it, in turns."""

import statistics
import subprocess
import time

from seawall.node import rootfs
from seawall.node.docker import Docker
from seawall.runtime.model import Container, Plan, Profile
from seawall.runtime.respond.guard import Guard

LIMIT = 0.5
"""Milliseconds that an allowed exec may take longer."""
NAME = IMAGE = "seawall-bench-guard"
PROGRAMS = frozenset(f"{folder}/{name}" for folder in ("/bin", "/usr/bin") for name in ("bash", "true", "sleep"))


def main(quick: bool) -> None:
    """Runs `true` in a loop; each turn is one loop with the guard and one without."""
    docker = Docker()
    docker.import_image(IMAGE, rootfs.build(("bash", "true", "sleep")))
    _docker("rm", "-f", NAME, check=False)
    created = _docker("run", "-d", "--name", NAME, IMAGE, "/bin/sleep", "3600")
    pid = int(docker.container(created)["State"]["Pid"])
    guard = Guard()
    guard.apply(Plan("bench", (), profiles={"bench": Profile("protect", PROGRAMS)}), enforce=True)
    container = Container(created, NAME, image_id="bench", complete=True)
    loop, turns = (300, 4) if quick else (2000, 8)
    try:
        added, plain = [], []
        for _ in range(turns):
            guard.drop(created)
            without = _loop(loop)
            guard.guard(container, pid)
            time.sleep(0.2)
            added.append((_loop(loop) - without) * 1000)
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
        _docker("rm", "-f", NAME, check=False)
        _docker("rmi", IMAGE, check=False)
    middle = statistics.median(added)
    print(f"exec without the guard      {statistics.median(plain):8.3f} ms")
    print(f"added to an allowed exec    {middle:8.3f} ms  ({middle / LIMIT:.2f} × of the {LIMIT} ms allowed)")
    print(f"questions                   {guard.counts['asked']:8d}     (late {guard.counts['late']})")
    print(f"the gate's memory           {rss:8.1f} MB VmRSS")


def _loop(count: int) -> float:
    """Seconds for one exec."""
    started = time.monotonic()
    _docker("exec", NAME, "/bin/bash", "-c", f"for ((i = 0; i < {count}; i++)); do /bin/true; done")
    return (time.monotonic() - started) / count


def _docker(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=300, check=check)
    return done.stdout.strip()
