"""Import and match of advisories, with the feeds named in $FEEDS or lying beside the checkout."""

import os
import tempfile
import time
from pathlib import Path

from seawall.intel.match import match
from seawall.intel.model import Query
from seawall.intel.store import Store, import_files

FEEDS = Path(os.environ.get("FEEDS") or Path(__file__).parents[2] / "shared" / "data" / "feeds")
IMPORT_LIMIT = 60.0
"""Seconds that an import of 50,000 advisories may take."""
IMAGE_LIMIT = 0.3
"""Seconds in which an image of 400 packages is to be judged again (docs: no image is read twice)."""


def main(quick: bool) -> None:
    """Print seconds and ratios to the limits."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "intel.db"
        began = time.perf_counter()
        report = import_files(path, [file for file in sorted(FEEDS.iterdir()) if not quick or "osv" in file.name])
        took = time.perf_counter() - began
        print(f"import   {report.advisories} advisories in {took:.1f} s  ({took / IMPORT_LIMIT:.2f} × the limit)")
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
