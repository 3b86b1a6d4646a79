"""Rule files (YAML) → compiled plan. Runs on the server and in the command line, never in the agent.

`python -m seawall.runtime.load OUT` writes the plan of the packaged rules, from which a node starts.
docs/reference/rules.md is the language. One broken item costs itself and what uses it, never the rest.
"""

import functools
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from seawall.core.errors import SeawallError
from seawall.core.severity import Severity
from seawall.runtime import plan as plans
from seawall.runtime.detect import reach
from seawall.runtime.detect.fields import resolve
from seawall.runtime.detect.parse import ConditionError, parse
from seawall.runtime.model import Category, Kind, Plan, Rule

RULES = Path(__file__).parents[1] / "rules"
MAX_FILE = 4 << 20
MAX_FILES = 500
KEYS = {
    "rule": {"rule", "title", "why", "advice", "category", "severity", "action", "kinds", "condition", "mitre"}
    | {"merge_by", "enabled", "examples"},
    "macro": {"macro", "condition"},
    "list": {"list", "items"},
}
"""What each kind of item may hold."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a rule file, in the words its author needs."""

    file: str
    line: int
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a rule file, with the place it was read from."""

    kind: str
    """rule, macro or list."""
    name: str
    value: Mapping[str, Any]
    file: str
    line: int
    condition_line: int


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a set of rule files came to."""

    plan: Plan
    rules: Mapping[str, Entry]
    macros: Mapping[str, list[Any]]
    lists: Mapping[str, tuple[str, ...]]
    errors: tuple[Problem, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    """Name of a list → its name in the plan, where the two differ."""


class Wrong(SeawallError):
    """An item that cannot be taken; becomes a Problem."""


def compile_paths(paths: Iterable[str | Path], base: Compiled | None = None) -> Compiled:
    """Compile files and folders (of *.yaml) in the order given.

    With `base`, its rules stand before these, and these may use its macros and lists; redefining one of those
    changes it for these alone. Never raises for what is in a file: `errors` tells it.
    """
    problems: list[Problem] = []
    entries: dict[tuple[str, str], Entry] = {}
    for path in _files(paths, problems):
        for entry in _entries(path, problems):
            entries[entry.kind, entry.name] = entry  # a later one of the same name takes the place of the earlier
    builder = _Builder(problems, base)
    for kind in ("list", "macro", "rule"):
        for entry in entries.values():
            if entry.kind == kind:
                builder.add(entry)
    return builder.finish()


@functools.cache
def system() -> Compiled:
    """The packaged rules. Raises SeawallError if any of them does not compile, which a test makes sure of."""
    compiled = compile_paths([RULES])
    if compiled.errors:
        first = compiled.errors[0]
        raise SeawallError(f"packaged rule {first.rule}: {first.file}:{first.line}: {first.message}")
    return compiled


def system_plan() -> Plan:
    """The plan of the packaged rules."""
    return system().plan


class _Builder:
    """Takes items one by one, lists before macros before rules."""

    def __init__(self, problems: list[Problem], base: Compiled | None) -> None:
        self.problems = problems
        self.base = base
        self.macros: dict[str, list[Any]] = dict(base.macros) if base else {}
        self.lists: dict[str, tuple[str, ...]] = dict(base.lists) if base else {}
        self.labels: dict[str, str] = dict(base.labels) if base else {}
        self.kept: dict[str, tuple[str, ...]] = dict(base.plan.lists) if base else {}
        self.rules: dict[str, Rule] = {rule.id: rule for rule in base.plan.rules} if base else {}
        self.entries: dict[str, Entry] = dict(base.rules) if base else {}

    def add(self, entry: Entry) -> None:
        """Compile one item; a failure becomes a problem and leaves the rest alone."""
        try:
            if entry.kind == "rule" and {"output", "priority"} & set(entry.value):
                raise Wrong("this is a rule in Falco's form", "write title, category, severity and kinds in its place")
            unknown = sorted(set(entry.value) - KEYS[entry.kind])
            if unknown:
                raise Wrong(f"{entry.kind} has no key {unknown[0]!r}", f"known: {', '.join(sorted(KEYS[entry.kind]))}")
            {"list": self._list, "macro": self._macro, "rule": self._rule}[entry.kind](entry)
        except ConditionError as error:
            self._problem(entry, entry.condition_line, error)
        except SeawallError as error:
            self._problem(entry, entry.line, error)

    def finish(self) -> Compiled:
        """Seal the plan. A rule that would overflow a table of the kernel side is left out and reported."""
        rules = tuple(self.rules.values())
        try:
            filters = reach.filters(rules, self.kept)
        except ValueError:
            rules = tuple(self._fitting(rules))
            filters = reach.filters(rules, self.kept)
        plan = plans.seal(rules, self.kept, filters)
        entries = {rule.id: self.entries[rule.id] for rule in rules}
        return Compiled(plan, entries, self.macros, self.lists, tuple(self.problems), self.labels)

    def _fitting(self, rules: Sequence[Rule]) -> Iterator[Rule]:
        taken: list[Rule] = []
        for rule in rules:
            try:
                reach.filters([*taken, rule], self.kept)
            except ValueError as error:
                self._problem(self.entries[rule.id], self.entries[rule.id].line, SeawallError(str(error)))
            else:
                taken.append(rule)
                yield rule

    def _problem(self, entry: Entry, line: int, error: SeawallError) -> None:
        message = f"{error} — {error.hint}" if error.hint else str(error)
        self.problems.append(Problem(entry.file, line, entry.name, message))

    def _list(self, entry: Entry) -> None:
        items = entry.value.get("items")
        if not isinstance(items, list):
            raise Wrong("items is not a list", "write items: [a, b]")
        flat: list[str] = []
        for item in items:
            if not isinstance(item, str | int | float) or isinstance(item, bool):
                raise Wrong(f"{item!r} is not a text", "put it in quotes")
            flat.extend(self.lists.get(str(item), (str(item),)))
        label = entry.name
        while label in self.kept and self.kept[label] != tuple(flat):
            label += "'"  # base's list of this name stays what it is for base's rules
        self.lists[entry.name] = self.kept[label] = tuple(flat)
        self.labels[entry.name] = label

    def _macro(self, entry: Entry) -> None:
        self.macros.pop(entry.name, None)
        self.macros[entry.name] = self._condition(entry)

    def _condition(self, entry: Entry) -> list[Any]:
        text = entry.value.get("condition")
        if not isinstance(text, str) or not text.strip():
            raise Wrong("the condition is missing", 'write condition: "proc.name = bash"')
        return parse(text, self.macros, self.lists, self.labels)

    def _rule(self, entry: Entry) -> None:
        value = entry.value
        titles, whys, advice = (_languages(value, name) for name in ("title", "why", "advice"))
        if not titles[0]:
            raise Wrong("the title is missing", "write title: {en: …, zh: …}")
        rule = Rule(
            id=entry.name,
            title=titles[0],
            category=_one(Category, value, "category"),
            severity=_one(Severity, value, "severity"),
            kinds=tuple(_one(Kind, {"kinds": kind}, "kinds") for kind in _texts(value, "kinds")),
            when=self._condition(entry),
            action=_action(value),
            why=whys[0],
            advice=advice[0],
            title_zh=titles[1],
            why_zh=whys[1],
            advice_zh=advice[1],
            mitre=_texts(value, "mitre"),
            enabled=value.get("enabled", True) is True,
        )
        if "merge_by" in value:
            rule = replace(rule, merge_by=_texts(value, "merge_by"))
        _check(rule, self.kept)
        self.rules[rule.id] = rule
        self.entries[rule.id] = entry


def _check(rule: Rule, lists: Mapping[str, tuple[str, ...]]) -> None:
    if not rule.kinds:
        raise Wrong("the rule names no kinds of events", f"write kinds: [exec]; known: {', '.join(Kind)}")
    for name in rule.merge_by:
        try:
            resolve(name)
        except KeyError:
            raise Wrong(f"merge_by: there is no field {name}", "docs/reference/fields.md lists them") from None
    problem = reach.problem(rule, lists)
    if problem:
        raise Wrong(problem)


def _languages(value: Mapping[str, Any], name: str) -> tuple[str, str]:
    found = value.get(name, "")
    if isinstance(found, str):
        return found.strip(), ""
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise Wrong(f"{name} is not a text", f"write {name}: {{en: …, zh: …}}")
    return found.get("en", "").strip(), found.get("zh", "").strip()


def _one(choices: Any, value: Mapping[str, Any], name: str) -> Any:
    try:
        return choices(value.get(name))
    except ValueError:
        known = ", ".join(choices)
        raise Wrong(f"{name} is not {value.get(name)!r}", f"use one of: {known}") from None


def _texts(value: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = value.get(name, [])
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise Wrong(f"{name} is not a list of texts", f"write {name}: [a, b]")
    return tuple(found)


def _action(value: Mapping[str, Any]) -> str:
    action = value.get("action", "alert")
    if action not in ("alert", "block", "allow"):
        raise Wrong(f"action is not {action!r}", "use alert, block or allow")
    return str(action)


def _files(paths: Iterable[str | Path], problems: list[Problem]) -> Iterator[Path]:
    count = 0
    for given in paths:
        path = Path(given)
        found = sorted(p for p in path.iterdir() if p.suffix in (".yaml", ".yml")) if path.is_dir() else [path]
        if not found:
            problems.append(Problem(str(path), 0, "", "the folder holds no *.yaml file"))
        for file in found:
            count += 1
            if count > MAX_FILES:
                problems.append(Problem(str(file), 0, "", f"more than {MAX_FILES} files"))
                return
            yield file


def _entries(path: Path, problems: list[Problem]) -> Iterator[Entry]:
    """The items of one file, in its order."""
    try:
        with path.open("rb") as file:
            body = file.read(MAX_FILE + 1)
        if len(body) > MAX_FILE:
            raise Wrong(f"the file is larger than {MAX_FILE} bytes")
        nodes = _nodes(body)
    except (OSError, SeawallError) as error:
        problems.append(Problem(str(path), 0, "", getattr(error, "strerror", None) or str(error)))
        return
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or type(error).__name__
        problems.append(Problem(str(path), mark.line + 1 if mark else 0, "", f"not YAML: {what}"))
        return
    for node, value in nodes:
        try:
            yield _entry(str(path), node, value)
        except SeawallError as error:
            message = f"{error} — {error.hint}" if error.hint else str(error)
            problems.append(Problem(str(path), node.start_mark.line + 1, "", message))


def _nodes(body: bytes) -> list[tuple[Any, Any]]:
    loader = yaml.CSafeLoader(body)
    try:
        root = loader.get_single_node()
        if root is None:
            return []
        if not isinstance(root, yaml.SequenceNode):
            raise Wrong("the file is not a list of items", "begin each with - rule:, - macro: or - list:")
        _no_aliases(root, set())
        return [(node, loader.construct_document(node)) for node in root.value]
    finally:
        loader.dispose()


def _no_aliases(node: Any, seen: set[int]) -> None:
    """Refuse `*alias`: nested ones grow without bound when they are written out."""
    if id(node) in seen:
        raise Wrong(f"line {node.start_mark.line + 1}: YAML aliases are not taken", "write the value out")
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _no_aliases(key, seen)
            _no_aliases(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _no_aliases(value, seen)


def _entry(file: str, node: Any, value: Any) -> Entry:
    kind = next((kind for kind in KEYS if isinstance(value, dict) and kind in value), "")
    if not kind:
        raise Wrong("the item is no rule, macro or list", "begin it with - rule:, - macro: or - list:")
    keys = [key.value for key, _ in node.value]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise Wrong(f"key {twice[0]!r} appears twice in {kind} {value[kind]}", "keep one of them")
    line = node.start_mark.line + 1
    at = next((found.start_mark.line + 1 for key, found in node.value if key.value == "condition"), line)
    return Entry(kind, str(value[kind]), value, file, line, at)


def main(arguments: Sequence[str]) -> int:
    """Write the packaged plan to the file named."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m seawall.runtime.load OUT\n")
        return 2
    compiled = compile_paths([RULES])
    for problem in compiled.errors:
        sys.stderr.write(f"{problem.file}:{problem.line}: {problem.rule}: {problem.message}\n")
    if compiled.errors:
        return 1
    out = Path(arguments[0])
    fresh = out.with_name(out.name + ".new")
    fresh.write_text(json.dumps(plans.encode(compiled.plan), ensure_ascii=False), "utf-8")
    fresh.replace(out)
    return 0
