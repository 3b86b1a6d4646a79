"""The whole agent under the load of a busy node: 20 containers; each second 200 execs, 5,000 opens, 500 connects and
200,000 system calls. Prints what it cost (processor, memory), what it lost, and how much slower the load itself ran.

The agent is the real one, enrolled at a small server that speaks the wire. The slow-down is paired: the same load in
turns without the agent, with an empty program where the agent's look at system calls (what the kernel takes for that
is nobody's to save), and with the agent. It is measured in processor time, which other work on the machine moves less;
so is that of the same work done as fast as it goes.

By itself: `bench/agent.py [--seconds N] [--quick]`. Then also: memory after 500 short containers, a burst of 5,000
execs a second beside a flood of calls, with what was lost and whether the node sees again 5 s later, and how long it
is from an event to the line that `runtime watch` prints.
"""

import argparse
import json
import os
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from peer import Peer
from seawall.agent import enrol, resident
from seawall.agent.identity import Home
from seawall.core.clock import parse_time
from seawall.node import procfs, rootfs
from seawall.runtime.collect import libbpf, loading

IMAGE = "seawall-bench:busy"
CONTAINERS = 20
CALLS = 200_000
"""System calls of the paced load, each second."""
TICK = os.sysconf("SC_CLK_TCK")
Turn = Callable[[], AbstractContextManager[object]]


def main(quick: bool, seconds: int = 0) -> None:
    """Seconds of load and number of pairs follow from `quick`, unless `seconds` says how long."""
    if os.geteuid() != 0 or not shutil.which("docker"):
        raise RuntimeError("needs root and Docker")
    default, pairs, rounds, short, told = (10, 3, 100, 50, 20) if quick else (60, 10, 300, 500, 100)
    seconds = seconds or default
    with tempfile.TemporaryDirectory() as folder, containers(Path(folder)) as names:
        peer = Peer(Path(folder) / "server")
        try:
            enrol.enrol(Home(Path(folder) / "node"), peer.url, "good-token", peer.authority.fingerprint, "bench")
            with agent(Path(folder) / "node", peer) as pid:
                idle = cost(pid, min(seconds, 10))
                _line("idle: processor", idle["cpu"] * 100, "% of one core")
                _line("idle: VmRSS", idle["rss"] / 1024, "MB")
                weigh(pid, names[0], seconds, peer)
                grow(pid, short)
                burst(names[0], peer)
            node = Path(folder) / "node"
            slow_down(lambda: agent(node, peer), Path(folder), names[0], pairs)
            unpaced(node, peer, names[0], pairs, rounds)
        finally:
            peer.close()
        telling(names, told, Path(folder) / "watching")


def weigh(pid: int, name: str, seconds: int, peer: Peer) -> None:
    """Cost and losses while the load runs."""
    load = subprocess.Popen(["docker", "exec", name, "/bin/busy", "pace", str(seconds)], stdout=subprocess.PIPE)
    time.sleep(1)
    found = cost(pid, seconds - 2)
    out, _ = load.communicate(timeout=60)
    achieved = json.loads(out)
    print("  load achieved, each second: " + ", ".join(f"{value} {what}" for what, value in achieved.items()))
    _line("busy: processor", found["cpu"] * 100, f"% of one core  ({found['cpu'] / 0.05:.2f} × of the limit of 5 %)")
    _line("busy: most VmRSS", found["rss"] / 1024, f"MB  ({found['rss'] / 1024 / 30:.2f} × of the limit of 30 MB)")
    time.sleep(3)
    count = len(peer.of("heartbeat"))
    peer.wait(lambda: len(peer.of("heartbeat")) > count, 40)
    sensor = peer.of("heartbeat")[-1]["sensor"]
    _line("events that reached the agent", sensor.get("events", 0), f"(lost: {sensor.get('dropped')})")
    _line("alerts", len(peer.of("alert")), "")
    _line("step of the ladder", peer.of("heartbeat")[-1]["degrade"], peer.of("heartbeat")[-1]["degrade_reason"])


def grow(pid: int, count: int) -> None:
    """Memory that short containers leave behind."""
    before = resident_kb(pid)
    for _ in range(count):
        command = ["docker", "run", "--rm", "--network", "none", IMAGE, "/bin/true"]
        subprocess.run(command, check=False, timeout=120, capture_output=True)
    time.sleep(5)
    grown = resident_kb(pid) - before
    _line(f"growth over {count} short containers", grown / 1024, f"MB  ({grown / 1024:.2f} × of the limit of 1 MB)")


def burst(name: str, peer: Peer) -> None:
    """Far more than the node is made for; what was lost is told, and what comes 5 s later is seen."""
    commands = (["/bin/busy", "burst", "5"], ["/bin/busy", "flood", "5"])
    running = [subprocess.Popen(["docker", "exec", name, *command], stdout=subprocess.PIPE) for command in commands]
    out, _ = running[0].communicate(timeout=120)
    running[1].wait(120)
    time.sleep(5)
    marker = f"seawall-after-{time.monotonic_ns()}"
    alerts = len(peer.of("alert"))
    probe = ["docker", "exec", name, "/bin/sh", "-c", f": {marker}; : > /etc/ld.so.preload"]
    subprocess.run(probe, check=False, timeout=60, capture_output=True)
    began = time.monotonic()
    while time.monotonic() - began < 30 and not any(
        "ld.so.preload" in json.dumps(a) for a in peer.of("alert")[alerts:]
    ):
        time.sleep(0.1)
    took = time.monotonic() - began
    count = len(peer.of("heartbeat"))
    peer.wait(lambda: len(peer.of("heartbeat")) > count, 60)
    sensor = peer.of("heartbeat")[-1]["sensor"]
    _line("burst: execs a second", json.loads(out)["execs"], f"(lost and counted: {sensor.get('dropped')})")
    _line("burst: alert 5 s later came after", took, "s  (30 s: it did not come)")


def resident_kb(pid: int) -> int:
    """VmRSS."""
    return int((procfs.status(pid) or {}).get("VmRSS", "0 kB").split()[0])


def slow_down(beside: "Turn", folder: Path, name: str, pairs: int) -> None:
    """Processor time of the paced load alone, with an empty program on its system calls, and with the agent."""
    turns: dict[str, Turn] = {"alone": nullcontext, "empty": lambda: nothing_looks(folder), "agent": beside}
    found: dict[str, list[float]] = {what: [] for what in turns}
    for _ in range(pairs):
        for what, context in turns.items():
            with context():
                load = paced(name, 6)
                # A machine that is busy otherwise slows the load down: what counts is what a call takes.
                found[what].append(load["processor"] / load["calls"] * CALLS)
    for what in ("empty", "agent"):
        ratios = [one / alone for one, alone in zip(found[what], found["alone"], strict=True)]
        each = statistics.median(found[what]) * 1000
        most = f"pairs from {min(ratios):.2f} to {max(ratios):.2f}; {each:.0f} ms a second"
        label = "paced load, an empty program" if what == "empty" else "paced load, the agent"
        _line(label, statistics.median(ratios), f"× the processor time without ({most})")
    saved = [one / floor for one, floor in zip(found["agent"], found["empty"], strict=True)]
    _line("paced load, agent to empty", statistics.median(saved), "×  (what is the sensor's own; 1.03 is the limit)")


def paced(name: str, seconds: int) -> dict[str, float]:
    """What the paced load achieved and used, each second."""
    command = ["docker", "exec", name, "/bin/busy", "pace", str(seconds)]
    return dict(json.loads(subprocess.run(command, capture_output=True, check=True, timeout=300).stdout))


@contextmanager
def nothing_looks(folder: Path) -> Iterator[None]:
    """A program that does nothing at the end of each system call."""
    made, source = folder / "empty.o", Path(__file__).parent / "empty.bpf.c"
    command = ["clang", "-g", "-O2", "-mcpu=v3", "-target", "bpf", "-D__TARGET_ARCH_x86", f"-I{loading.FOLDER}"]
    subprocess.run([*command, "-c", source, "-o", made], check=True, timeout=60)
    loader = libbpf.Loader()
    loader.add(made)
    try:
        yield
    finally:
        for descriptor in (*loader.links, *loader.maps.values()):
            os.close(descriptor)


def telling(names: list[str], count: int, state: Path) -> None:
    """From an event, by the kernel's clock, to the line of `runtime watch` that tells of it, while the load runs."""
    command = [sys.executable, "-m", "seawall", "runtime", "watch", "--output", "json"]
    environment = os.environ | {"SEAWALL_STATE": str(state), "PYTHONUNBUFFERED": "1"}
    load = subprocess.Popen(
        ["docker", "exec", names[0], "/bin/busy", "pace", str(count // 4 + 30)], stdout=subprocess.DEVNULL
    )
    watch = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    try:
        assert watch.stdout is not None and watch.stderr is not None
        while b"watching with" not in (said := watch.stderr.readline()):
            if not said:
                raise RuntimeError("`runtime watch` has ended")
        waits: list[float] = []
        os.set_blocking(watch.stdout.fileno(), False)
        write = (
            "mkdir -p /etc/cron.d; i=0; while [ $i -lt {} ]; do i=$((i+1)); : > /etc/cron.d/late-$i; sleep 0.11; done"
        )
        writer = subprocess.Popen(["docker", "exec", names[1], "/bin/sh", "-c", write.format(count)])
        end, rest = time.monotonic() + 60 + count, b""
        while len(waits) < count and time.monotonic() < end:
            select.select([watch.stdout], [], [], 1)
            now = time.time()
            *lines, rest = (rest + (watch.stdout.read() or b"")).split(b"\n")
            told = [json.loads(line) for line in lines if b"/etc/cron.d/late-" in line]
            waits += [now - parse_time(alert["time"]) for alert in told if alert["rule"] == "cron_written"]
        writer.wait(60)
    finally:
        watch.send_signal(signal.SIGINT)
        watch.wait(20)
        load.kill()
    waits.sort()
    if not waits:
        raise RuntimeError("no alert came")
    p99 = waits[min(len(waits) - 1, int(len(waits) * 0.99))] * 1000
    few = f"median {statistics.median(waits) * 1000:.0f} ms, {len(waits)} of {count} came"
    _line("event to alert line, p99", p99, f"ms  ({p99 / 100:.2f} × of the limit of 100 ms; {few})")


def unpaced(state: Path, peer: Peer, name: str, pairs: int, rounds: int) -> None:
    """The same work as fast as it goes, with and without the agent, in turns."""
    with_agent, without = [], []
    for _ in range(pairs):
        without.append(work(name, rounds))
        with agent(state, peer):
            with_agent.append(work(name, rounds))
    for what, unit in (("seconds", "by the clock"), ("processor", "in processor time")):
        ratios = [one[what] / other[what] for one, other in zip(with_agent, without, strict=True)]
        alone = statistics.median(one[what] for one in without)
        beside = statistics.median(one[what] for one in with_agent)
        _line(f"work {unit}, without and with", alone, f"s, {beside:.2f} s (medians)")
        _line(f"slow-down {unit}", statistics.median(ratios), f"× (pairs from {min(ratios):.2f} to {max(ratios):.2f})")


def work(name: str, rounds: int) -> dict[str, float]:
    """Seconds, by the clock and of a processor, that a fixed amount of the mix takes in a container."""
    command = ["docker", "exec", name, "/bin/busy", "work", str(rounds)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=300)
    return dict(json.loads(done.stdout))


def cost(pid: int, seconds: float) -> dict[str, float]:
    """Share of one core and most VmRSS (kB) of a process over a time."""
    began, used, most = time.monotonic(), ticks(pid), 0
    while time.monotonic() - began < seconds:
        status = procfs.status(pid) or {}
        most = max(most, int(status.get("VmRSS", "0 kB").split()[0]))
        time.sleep(0.2)
    return {"cpu": (ticks(pid) - used) / TICK / (time.monotonic() - began), "rss": most}


def ticks(pid: int) -> int:
    """Processor time of a process without its children."""
    found = procfs.stat(pid)
    if found is None:
        raise RuntimeError("the agent has ended")
    return int(found[1][11]) + int(found[1][12])


@contextmanager
def agent(state: Path, peer: Peer) -> Iterator[int]:
    """The resident agent, until its first heartbeat with a sensor that is on; its pid."""
    resident.warm(state)
    count = len(peer.of("heartbeat"))
    peer.config = {}
    process = subprocess.Popen(resident.command(state), env=resident.environment(state), stderr=subprocess.DEVNULL)
    try:
        peer.wait(lambda: len(peer.of("heartbeat")) > count, 20)
        sensor = peer.of("heartbeat")[-1]["sensor"]
        if sensor.get("state") != "on":
            print(f"  ! the sensor is {sensor.get('state')}: {sensor.get('reason')}", file=sys.stderr)
        time.sleep(2)
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def containers(folder: Path) -> Iterator[list[str]]:
    """CONTAINERS of them, of an image made of this host's files and the load's program."""
    program = folder / "busy"
    subprocess.run(["gcc", "-O2", "-static", "-o", program, Path(__file__).parent / "busy.c"], check=True, timeout=60)
    tar = rootfs.build(files={"/bin/busy": program.read_bytes()})
    subprocess.run(["docker", "import", "-", IMAGE], input=tar, check=True, timeout=120, stdout=subprocess.DEVNULL)
    names = [f"sw-bench-agent-{number}" for number in range(CONTAINERS)]
    try:
        for name in names:
            subprocess.run(
                ["docker", "run", "-d", "--rm", "--init", "--name", name, IMAGE, "sleep", "3600"],
                check=True,
                timeout=60,
                stdout=subprocess.DEVNULL,
            )
        yield names
    finally:
        subprocess.run(["docker", "rm", "-f", *names], check=False, timeout=120, capture_output=True)
        subprocess.run(["docker", "rmi", "-f", IMAGE], check=False, timeout=60, capture_output=True)


def _line(name: str, value: float, unit: str) -> None:
    print(f"  {name:32} {value:10.2f}  {unit}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=0, help="of load; 600 for the ten minutes of the target")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    main(asked.quick, asked.seconds)
