"""`seawall.baseline/1`, as docs/reference/schemas/baseline.json describes it."""

import json
from collections.abc import Sequence
from typing import IO, Any

from seawall.baseline.detect.evaluate import counts, rate, without_assets
from seawall.baseline.model import SCHEMA, Benchmark, Check, Result


def write(benchmark: Benchmark, results: Sequence[Result], out: IO[str]) -> None:
    """One object: the benchmark, the counts, every result with its evidence."""
    checks = {check.id: check for check in benchmark.checks}
    found = counts(results)
    document = {
        "schema": SCHEMA,
        "benchmark": {"id": benchmark.id, "title": dict(benchmark.title), "version": benchmark.version},
        "counts": found,
        "rate": rate(found),
        "without_assets": without_assets(benchmark, results),
        "results": [_result(result, checks[result.check]) for result in results],
    }
    json.dump(document, out, ensure_ascii=False, indent=2)
    out.write("\n")


def _result(result: Result, check: Check) -> dict[str, Any]:
    asset = result.asset
    return {
        "check": check.id,
        "title": dict(check.title),
        "severity": check.severity.value,
        "level": check.level,
        "mappings": {key: list(value) for key, value in check.mappings.items()},
        "asset": {"kind": asset.kind, "id": asset.id, "name": asset.name, "host": asset.host},
        "outcome": result.outcome.value,
        "reason": result.reason,
        "evidence": [dict(one) for one in result.evidence],
        "fix": dict(check.fix),
    }
