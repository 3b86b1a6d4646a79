"""Import and match of advisories, with the feeds named in $FEEDS or lying beside the checkout."""

import os
import resource
import tempfile
import time
from pathlib import Path

from seawall.intel.match import match
from seawall.intel.model import Query
from seawall.intel.store import Store, import_files

FEEDS = Path(os.environ.get("FEEDS") or Path(__file__).parents[2] / "shared" / "data" / "feeds")
IMPORT_LIMIT = 10.0
"""Seconds that an import of 50,000 advisories may take."""
MEMORY_LIMIT = 200
"""Megabytes that it may need."""
IMAGE_LIMIT = 0.3
"""Seconds in which an image of 400 packages is to be judged again (docs: no image is read twice)."""


def main(quick: bool) -> None:
    """Print seconds and ratios to the limits."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "intel.db"
        began, worked = time.perf_counter(), time.process_time()
        report = import_files(path, [file for file in sorted(FEEDS.iterdir()) if not quick or "osv" in file.name])
        took = time.perf_counter() - began
        print(f"import   {report.advisories} advisories in {took:.1f} s  ({took / IMPORT_LIMIT:.2f} × the limit)")
        worked = time.process_time() - worked
        print(f"         {worked:.1f} s of processor  ({worked / IMPORT_LIMIT:.2f} × the limit)")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(f"         {memory} MB at most  ({memory / MEMORY_LIMIT:.2f} × the limit)")
        store = Store(path)
        rows = store._all("select distinct ecosystem, package from affected", ())
        queries = [Query(ecosystem, name, "1.0") for ecosystem, name in rows[:: max(1, len(rows) // 400)]][:400]
        began = time.perf_counter()
        found = sum(len(matches) for _, matches in match(store, queries))
        took = time.perf_counter() - began
        print(
            f"match    {len(queries)} packages, {found} findings in {took * 1000:.0f} ms"
            f"  ({took / IMAGE_LIMIT:.2f} × the limit for an image)"
        )
        store.close()
