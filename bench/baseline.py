"""CIS Docker on this host's daemon: seconds from start to verdict, beside one `docker inspect` for each container.

A checker that asks by command line starts at least that one process a container, for one field or for all.
"""

import statistics
import subprocess
import time

from seawall.baseline.collect.node import collect
from seawall.baseline.detect.evaluate import evaluate
from seawall.baseline.load import packaged
from seawall.node.docker import Docker


def main(quick: bool) -> None:
    """Prints collection and judging apart; as many containers as run now."""
    docker, benchmark = Docker(), packaged()["docker"]
    collecting, judging, asking = [], [], []
    for _ in range(3 if quick else 15):
        began = time.perf_counter()
        found = list(collect(docker))
        collecting.append(time.perf_counter() - began)
        began = time.perf_counter()
        results = [result for facts in found for result in evaluate(benchmark, facts)]
        judging.append(time.perf_counter() - began)
        began = time.perf_counter()
        for facts in found[1:]:
            command = ["docker", "inspect", facts.asset.id]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=False, timeout=60)
        asking.append(time.perf_counter() - began)
    print(f"containers {len(found) - 1}, results {len(results)}")
    inspecting = statistics.median(asking)
    collected = statistics.median(collecting)
    ratio = (
        f"{collected / inspecting:.2f} × docker inspect of each" if inspecting and found[1:] else "no container runs"
    )
    print(f"collect    {collected * 1000:.1f} ms  ({ratio})")
    print(f"judge      {statistics.median(judging) * 1000:.2f} ms  ({len(results)} results)")
