"""Rules on their examples: do they fire on what they must fire on, and on nothing that they must not?

A rule in our own form carries its examples. Those of Falco's files, which stay as they are, stand beside them: what
belongs to NAME.yaml is NAME.examples.yaml, a list of {rule: …, examples: […]}.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from seawall.core.errors import SeawallError
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.examples import build
from seawall.runtime.load.draft import Compiled
from seawall.runtime.load.items import Entry, Problem, entries, examples
from seawall.runtime.model import Plan
from seawall.runtime.plan import seal

MAX_EXAMPLES = 10_000


def failures(compiled: Compiled, paths: Iterable[str | Path] = ()) -> Iterator[Problem]:
    """What rules do on their examples that they should not, or do not that they should."""
    count = 0
    for entry, own in given(compiled, paths):
        rule = next((rule for rule in compiled.plan.rules if rule.id == entry.name), None)
        if rule is None:
            yield Problem(entry.file, entry.line, entry.name, "there is no rule of this name")
            continue
        plan = compiled.plan
        if rule.source == "falco":  # alone: of Falco's rules the first that fires on an event is the only one told
            plan = seal((replace(rule, enabled=True),), plan.lists, {})
        for example in own if isinstance(own, list) else ():
            count += 1
            if count > MAX_EXAMPLES:
                return
            problem = _problem(plan, entry, example)
            if problem:
                yield Problem(entry.file, entry.line, entry.name, problem)


def counted(compiled: Compiled, paths: Iterable[str | Path] = ()) -> int:
    """How many rules have an example on which they must fire."""
    return len(
        {
            entry.name
            for entry, own in given(compiled, paths)
            if isinstance(own, list) and any(isinstance(one, dict) and one.get("fires") is True for one in own)
        }
    )


def given(compiled: Compiled, paths: Iterable[str | Path] = ()) -> Iterator[tuple[Entry, Any]]:
    """Each item that has examples, and them: of all files, or of those below `paths`."""
    wanted = [Path(path) for path in paths]
    for entry in compiled.rules.values():
        file = Path(entry.file)
        if "examples" in entry.value and (not wanted or any(path in (file, *file.parents) for path in wanted)):
            yield entry, entry.value["examples"]
    for path in _beside(compiled, paths):
        problems: list[Problem] = []
        try:
            body = path.read_bytes()
        except OSError:
            continue
        for entry in entries(str(path), body, problems):
            yield entry, entry.value.get("examples")
        if problems:
            first = problems[0]
            raise SeawallError(f"{first.file}:{first.line}: {first.message}")


def _beside(compiled: Compiled, paths: Iterable[str | Path]) -> list[Path]:
    found = {Path(entry.file).with_suffix(".examples.yaml") for entry in compiled.rules.values()}
    for path in map(Path, paths):
        if examples(path):
            found.add(path)
        elif path.is_dir():
            found |= {one for one in path.iterdir() if examples(one)}
    return sorted(path for path in found if path.is_file())


def _problem(plan: Plan, entry: Entry, example: Any) -> str:
    try:
        fired = _fires(plan, entry.name, example)
    except (SeawallError, TypeError, AttributeError, IndexError) as error:
        return f"an example cannot be read: {error}"
    if fired == bool(example.get("fires")):
        return ""
    return f"{'fires on' if fired else 'does not fire on'} its example “{example.get('name', '')}”"


def _fires(plan: Plan, rule: str, example: Mapping[str, Any]) -> bool:
    engine = Engine(plan)
    judged = [engine.judge(event) for event in build(example)]
    return any(alert.rule == rule for alert in judged[-1])
