"""Runs the benchmarks one after the other and prints their ratios. `bench/run.py [NAME…]`, `--list`, `--quick`.

Each benchmark is a file of this folder with `main(quick: bool) -> None` that prints lines of the form
`name  value unit  (ratio × of what)`. Nothing here is asserted: a number that a machine's load can move is no test.
"""

import argparse
import importlib.util
import sys
import time
import traceback
from pathlib import Path

FOLDER = Path(__file__).parent
BENCHMARKS = {
    "agent": "the whole agent under the busy-node load: CPU, memory, drops, slow-down of the workload (paired)",
    "guard": "what the guard of executions adds to an allowed exec, beside its limit",
    "samples": "malware scan: time from write to alert, cost a file; packed indicators: bytes, microseconds a look-up",
    "rules": "rule engine: microseconds an event",
    "intel": "import and match of advisories",
    "sensitive": "secrets planted in an image beside Trivy and gitleaks: found, other hits, seconds, memory",
    "rejudge": "a thousand stored inventories judged again after an import",
    "images": "image scan beside Syft and Trivy",
    "baseline": "CIS Docker on this host, beside docker inspect of each container",
    "server": "lists of 100,000 rows, ingest a second",
}


def main() -> int:
    """Run what was asked for; a benchmark that fails is named and costs exit code 1, not the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--list", action="store_true", help="name the benchmarks")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes; rougher numbers")
    asked = parser.parse_args()
    if asked.list:
        print("\n".join(f"{name:8} {what}" for name, what in BENCHMARKS.items()))
        return 0
    unknown = set(asked.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(BENCHMARKS)}")
    failed = [name for name in asked.names or BENCHMARKS if not run(name, asked.quick)]
    if failed:
        print(f"could not run: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run(name: str, quick: bool) -> bool:
    """One benchmark, under a headline."""
    print(f"== {name}: {BENCHMARKS[name]}", flush=True)
    started = time.monotonic()
    try:
        spec = importlib.util.spec_from_file_location(f"bench_{name}", FOLDER / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.main(quick)
    except Exception:
        traceback.print_exc()
        return False
    print(f"   ({time.monotonic() - started:.1f} s)\n", flush=True)
    return True


if __name__ == "__main__":
    raise SystemExit(main())
