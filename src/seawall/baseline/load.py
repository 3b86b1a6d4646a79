"""Benchmarks from their YAML files: one folder a benchmark, `benchmark.yaml` and its checks beside it.

A check without code: which facts it looks at (`probe`), what they have to be (`expect`), in both languages.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from seawall import baseline
from seawall.baseline.collect.names import FACTS
from seawall.baseline.detect import expression
from seawall.baseline.model import Benchmark, Check
from seawall.core.errors import SeawallError
from seawall.core.severity import Severity

FOLDER = Path(baseline.__path__[0]) / "benchmarks"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KEYS = {
    "id",
    "title",
    "asset",
    "severity",
    "level",
    "probe",
    "expect",
    "applies_if",
    "why",
    "fix",
    "mappings",
    "manual",
}
_NEEDED = {"id", "title", "asset", "severity", "probe", "why", "fix"}


@cache
def packaged() -> dict[str, Benchmark]:
    """The benchmarks that come with Seawall, by id."""
    found = [benchmark(folder) for folder in sorted(FOLDER.iterdir()) if (folder / "benchmark.yaml").is_file()]
    return {one.id: one for one in found}


def benchmark(folder: Path) -> Benchmark:
    """One benchmark. Raises SeawallError naming file, check and what to mend."""
    head = _read(folder / "benchmark.yaml")
    if not isinstance(head, dict) or not {"id", "title", "version"} <= set(head):
        raise SeawallError(f"{folder.name}/benchmark.yaml: it has to name id, title and version")
    checks: list[Check] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name != "benchmark.yaml":
            checks += _checks(path)
    ids = [check.id for check in checks]
    twice = {one for one in ids if ids.count(one) > 1}
    if twice:
        raise SeawallError(f"{folder.name}: two checks are called {', '.join(sorted(twice))}")
    return Benchmark(str(head["id"]), _texts(head["title"]), str(head["version"]), tuple(checks))


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(), Loader=_LOADER)  # noqa: S506 - a safe loader, the quick one where there is one
    except (OSError, yaml.YAMLError) as error:
        raise SeawallError(f"{path.parent.name}/{path.name} cannot be read: {error}") from error


def _checks(path: Path) -> Iterator[Check]:
    found = _read(path)
    if not isinstance(found, list):
        raise SeawallError(f"{path.name}: it has to be a list of checks")
    for item in found:
        name = item.get("id", "?") if isinstance(item, dict) else "?"
        try:
            yield _check(item)
        except (ValueError, KeyError, TypeError) as error:
            raise SeawallError(
                f"{path.name}: check {name}: {error}", "docs/guides/baseline.md shows a check"
            ) from error


def _check(item: Any) -> Check:
    if not isinstance(item, dict):
        raise ValueError("it has to be an object")
    if unknown := set(item) - _KEYS:
        raise ValueError(f"there is no key {', '.join(sorted(unknown))}; keys are {', '.join(sorted(_KEYS))}")
    if missing := _NEEDED - set(item):
        raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    manual = bool(item.get("manual", False))
    expect: Mapping[str, Any] = item.get("expect", {})
    applies: Mapping[str, Any] = item.get("applies_if", {})
    if manual == bool(expect):
        raise ValueError("it needs an `expect`, or to be `manual`, and not both")
    for part in filter(None, (expect, applies)):
        expression.check(part)
    asset = str(item["asset"])
    facts = [str(name) for name in item["probe"]["facts"]]
    named = [*facts, *(str(leaf["fact"]) for part in (expect, applies) for leaf in expression.leaves(part))]
    known = FACTS.get(asset)
    if known is None:
        raise ValueError(f"there is no asset {asset!r}: use one of {', '.join(FACTS)}")
    if strange := [name for name in named if name not in known]:
        raise ValueError(f"{asset} has no fact {', '.join(strange)}")
    return Check(
        id=str(item["id"]),
        title=_texts(item["title"]),
        asset=asset,
        severity=Severity(item["severity"]),
        level=int(item.get("level", 1)),
        probe={"facts": facts},
        expect=expect,
        applies_if=applies,
        why=_texts(item["why"]),
        fix=_texts(item["fix"]),
        mappings={str(key): tuple(str(one) for one in value) for key, value in item.get("mappings", {}).items()},
        manual=manual,
    )


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or set(value) != {"en", "zh"} or not all(value.values()):
        raise ValueError(f"a text is in en and zh, not {value!r}")
    return {language: " ".join(str(text).split()) for language, text in value.items()}
