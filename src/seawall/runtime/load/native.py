"""Rules in Seawall's own form → compiled rules."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from seawall.core.errors import SeawallError
from seawall.core.severity import Severity
from seawall.runtime.detect import reach
from seawall.runtime.detect.fields import resolve
from seawall.runtime.detect.parse import ConditionError, parse
from seawall.runtime.load.draft import Compiled, Draft
from seawall.runtime.load.items import Entry, Wrong
from seawall.runtime.model import Category, Kind, Rule

KEYS = {
    "rule": {"rule", "title", "why", "advice", "category", "severity", "action", "kinds", "condition", "mitre"}
    | {"merge_by", "enabled", "examples", "wide"},
    "macro": {"macro", "condition"},
    "list": {"list", "items"},
}
"""What each kind of item may hold."""


class Native:
    """Takes items one by one, lists before macros before rules."""

    def __init__(self, draft: Draft, base: Compiled | None) -> None:
        self.draft = draft
        self.macros: dict[str, list[Any]] = dict(base.macros) if base else {}
        self.lists: dict[str, tuple[str, ...]] = dict(base.lists) if base else {}
        self.labels: dict[str, str] = dict(base.labels) if base else {}

    def add(self, entry: Entry) -> None:
        """Compile one item; a failure becomes a problem and leaves the rest alone."""
        try:
            if entry.kind == "rule" and {"output", "priority"} & set(entry.value):
                raise Wrong("this is a rule in Falco's form", "write title, category, severity and kinds in its place")
            unknown = sorted(set(entry.value) - KEYS.get(entry.kind, set()))
            if unknown:
                raise Wrong(
                    f"{entry.kind} has no key {unknown[0]!r}",
                    f"known: {', '.join(sorted(KEYS.get(entry.kind, set())))}",
                )
            {"list": self._list, "macro": self._macro, "rule": self._rule}[entry.kind](entry)
        except ConditionError as error:
            self.draft.problem(entry, entry.condition_line, error)
        except SeawallError as error:
            self.draft.problem(entry, entry.line, error)

    def _list(self, entry: Entry) -> None:
        items = entry.value.get("items")
        if not isinstance(items, list):
            raise Wrong("items is not a list", "write items: [a, b]")
        flat: list[str] = []
        for item in items:
            if not isinstance(item, str | int | float) or isinstance(item, bool):
                raise Wrong(f"{item!r} is not a text", "put it in quotes")
            flat.extend(self.lists.get(str(item), (str(item),)))
        self.lists[entry.name] = tuple(flat)
        self.labels[entry.name] = self.draft.keep(entry.name, flat)

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
            kinds=tuple(_one(Kind, {"kind of event": kind}, "kind of event") for kind in _texts(value, "kinds")),
            when=self._condition(entry),
            action=_action(value),
            why=whys[0],
            advice=advice[0],
            title_zh=titles[1],
            why_zh=whys[1],
            advice_zh=advice[1],
            mitre=_texts(value, "mitre"),
            enabled=value.get("enabled", True) is True,
            wide=value.get("wide", False) is True,
        )
        if "merge_by" in value:
            rule = replace(rule, merge_by=_texts(value, "merge_by"))
        _check(rule, self.draft.kept)
        self.draft.take(rule, entry)


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
    known = ", ".join(choices)
    found = value.get(name)
    if found is None:
        raise Wrong(f"the {name} is missing", f"write {name}: with one of {known}")
    try:
        return choices(found)
    except ValueError:
        raise Wrong(f"there is no {name} {found!r}", f"use one of: {known}") from None


def _texts(value: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = value.get(name, [])
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise Wrong(f"{name} is not a list of texts", f"write {name}: [a, b]")
    return tuple(found)


def _action(value: Mapping[str, Any]) -> str:
    action = value.get("action", "alert")
    if action not in ("alert", "block", "allow"):
        raise Wrong(f"there is no action {action!r}", "use alert, block or allow")
    return str(action)
