"""Falco's rule files, as they are → compiled rules. https://falco.org/docs/concepts/rules/ is the language.

First all files are gathered: a later item of a name takes the place of the earlier, or is joined to it (`append`,
`override`), as text. Then they are compiled: a macro sees the macros whose place is above its own newest text, a rule
sees all; lists stand for their items wherever their name stands.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seawall.core.errors import SeawallError
from seawall.core.severity import Severity
from seawall.runtime.detect import output, reach
from seawall.runtime.detect.parse import ConditionError, parse
from seawall.runtime.load.draft import Draft
from seawall.runtime.load.exceptions import excepted, joined_exceptions
from seawall.runtime.load.items import Entry, Problem, Sheet, Wrong
from seawall.runtime.load.kinds import category, severity_of
from seawall.runtime.model import Rule

MARKS = frozenset({"output", "priority", "append", "override", "exceptions", "desc"})
"""Keys that only Falco's form has."""
ENGINE = (0, 63, 0)
"""The version of Falco's engine whose rules are understood."""
PLUGINS = frozenset({"container"})
"""Of Falco's plugins, those whose fields are here without one."""
KEYS = {
    "rule": {"rule", "desc", "condition", "output", "priority", "source", "enabled", "tags", "exceptions", "append"}
    | {"override", "warn_evttypes", "skip-if-unknown-filter", "capture", "capture_duration"},
    "macro": {"macro", "condition", "append", "override"},
    "list": {"list", "items", "append", "override"},
}
APPENDED = {
    "rule": {"condition", "output", "desc", "tags", "exceptions"},
    "macro": {"condition"},
    "list": {"items"},
}
"""What `override: {KEY: append}` takes."""
REPLACED = {
    "rule": KEYS["rule"] - {"rule", "append", "override", "source"},
    "macro": {"condition"},
    "list": {"items"},
}
NEEDED = {"rule": ("condition", "output", "desc", "priority"), "macro": ("condition",), "list": ("items",)}
_TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?|TA\d{4}")


@dataclass(slots=True)
class Item:
    """A macro, list or rule as all its texts together make it."""

    entry: Entry
    value: dict[str, Any]
    place: int
    """Of its first text: what stands above it is what others may use."""
    newest: int
    """Of its last text: what it may use stands above this."""


@dataclass(slots=True)
class Collected:
    """All items of a set of files."""

    draft: Draft
    items: dict[str, dict[str, Item]] = field(default_factory=lambda: {"rule": {}, "macro": {}, "list": {}})
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    _macros: dict[str, list[Any] | None] = field(default_factory=dict)

    def compiled(self) -> dict[str, list[Any]]:
        """Compile everything into the draft; the macros' forms by their names."""
        before = set(self.draft.kept)
        for name, item in self.items["list"].items():
            self.lists[name] = tuple(self._flat(item))
        for name, items in self.lists.items():
            self.labels[name] = self.draft.keep(name, items)
        for item in self.items["macro"].values():
            self._tried(item, self.macro)
        for item in self.items["rule"].values():
            self._tried(item, self._rule)
        used = {name for rule in self.draft.rules.values() for name in _lists_in(rule.when)}
        for name in set(self.draft.kept) - before - used:
            del self.draft.kept[name]
        return {name: form for name, form in self._macros.items() if form is not None}

    def macro(self, item: Item) -> list[Any]:
        """The form of a macro. Raises ConditionError."""
        name = item.entry.name
        if name in self._macros:
            form = self._macros[name]
            if form is None:
                raise ConditionError(f"the macro {name} is broken or uses itself", "mend it first")
            return form
        self._macros[name] = None
        form = self._macros[name] = self._condition(item, item.newest)
        return form

    def _condition(self, item: Item, above: int) -> list[Any]:
        text = item.value["condition"]
        if not isinstance(text, str) or not text.strip():
            raise Wrong("the condition is missing", 'write condition: "proc.name = bash"')
        return parse(
            text + excepted(item.value.get("exceptions")), _Seen(self, above), self.lists, self.labels, falco=True
        )

    def _flat(self, item: Item) -> Iterator[str]:
        for text in item.value["items"]:
            other = self.items["list"].get(text)
            if other is not None and other.place < item.newest and other is not item:
                yield from self._flat(other)
            else:
                yield _unquoted(text)

    def _tried(self, item: Item, make: Any) -> None:
        try:
            make(item)
        except ConditionError as error:
            self.draft.problem(item.entry, item.entry.condition_line, error)
        except SeawallError as error:
            self.draft.problem(item.entry, item.entry.line, error)
        except RecursionError:
            self.draft.problem(item.entry, item.entry.line, SeawallError("macros are nested too deeply"))

    def _rule(self, item: Item) -> None:
        value, entry = item.value, item.entry
        source = value.get("source", "syscall")
        if source != "syscall":
            reason = f"its events come from {source}, which this node does not have"
            self.draft.skipped.append(Problem(entry.file, entry.line, entry.name, reason))
            self.draft.warn(entry, f"left out: {reason}")
            return
        try:
            when = self._condition(item, 1 << 62)
        except ConditionError as error:
            if value.get("skip-if-unknown-filter") is True and "there is no field" in str(error):
                self.draft.skipped.append(Problem(entry.file, entry.line, entry.name, str(error)))
                self.draft.warn(entry, f"left out: {error}")
                return
            raise
        self._take(item, when)

    def _take(self, item: Item, when: list[Any]) -> None:
        value, entry = item.value, item.entry
        tags = tuple(str(tag) for tag in value.get("tags") or ())
        text = str(value["output"]).strip()
        for name in output.unknown(text):
            self.draft.warn(entry, f"output: there is no field {name}; it is shown as <NA>")
        kinds, calls = reach.kinds_of(when, self.draft.kept)
        bounded = calls is not None
        if not bounded and value.get("warn_evttypes", True) is not False:
            self.draft.warn(entry, "no evt.type bounds it: every event is shown to it; add evt.type in (…)")
        rule = Rule(
            id=entry.name,
            title=entry.name,
            category=category(entry.name, tags, calls or frozenset()),
            severity=severity_of(str(value["priority"])) or _unknown_priority(value["priority"]),
            kinds=kinds,
            when=when,
            why=" ".join(str(value["desc"]).split()),
            mitre=tuple(tag for tag in tags if _TECHNIQUE.fullmatch(tag)),
            merge_by=_merged_by(when),
            enabled=value.get("enabled", True) is not False,
            group=Path(entry.file).stem,
            source="falco",
            tags=tags,
            output=text,
        )
        for problem in reach.wide(rule, self.draft.kept) if rule.enabled else ():
            self.draft.warn(entry, problem)
        self.draft.take(rule, entry)


class _Seen(Mapping[str, list[Any]]):
    """The macros that one item sees."""

    def __init__(self, collected: Collected, above: int) -> None:
        self._collected, self._above = collected, above

    def __getitem__(self, name: str) -> list[Any]:
        item = self._collected.items["macro"][name]
        if item.place >= self._above:
            raise KeyError(name)
        return self._collected.macro(item)

    def __contains__(self, name: object) -> bool:
        item = self._collected.items["macro"].get(str(name))
        return item is not None and item.place < self._above

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._collected.items["macro"] if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def collect(sheets: Iterable[Sheet], draft: Draft) -> Collected:
    """Gather the items of files in their order; what is wrong with one becomes a problem of the draft."""
    collected = Collected(draft)
    place = 0
    for sheet in sheets:
        for entry in sheet.entries:
            place += 1
            try:
                if entry.kind in collected.items:
                    _gather(collected.items[entry.kind], entry, place, draft)
                else:
                    _required(entry, draft)
            except SeawallError as error:
                draft.problem(entry, entry.line, error)
    return collected


def _gather(items: dict[str, Item], entry: Entry, place: int, draft: Draft) -> None:
    value = dict(entry.value)
    if entry.kind == "list":
        if not isinstance(value.get("items"), list):
            raise Wrong("items is not a list", "write items: [a, b]")
        if len(entry.texts) != len(value["items"]):
            raise Wrong("an item is no text", "write items: [a, b]")
        value["items"] = list(entry.texts)
    unknown = sorted(set(value) - KEYS[entry.kind])
    if unknown:
        draft.warn(entry, f"{entry.kind} has no key {unknown[0]!r}; it is passed over")
    old = items.get(entry.name)
    changes = _changes(entry, value)
    if not changes and old is not None and entry.kind == "rule" and set(value) == {"rule", "enabled"}:
        changes = {"enabled": "replace"}
    if changes:
        if old is None:
            raise Wrong(
                f"there is no {entry.kind} of this name to change", "define it above, or leave append and override"
            )
        for key, how in changes.items():
            old.value[key] = _joined(key, old.value.get(key), value.get(key)) if how == "append" else value.get(key)
        old.newest = place
        return
    missing = [key for key in NEEDED[entry.kind] if value.get(key) is None]
    if missing:
        raise Wrong(f"{missing[0]} is missing", f"a {entry.kind} needs {', '.join(NEEDED[entry.kind])}")
    items[entry.name] = Item(entry, value, old.place if old is not None else place, place)


def _changes(entry: Entry, value: Mapping[str, Any]) -> dict[str, str]:
    """Key → append or replace, of an item that changes an earlier one."""
    override = value.get("override")
    if value.get("append") is True:
        if override:
            raise Wrong("append and override exclude each other", "keep override")
        wanted = ("condition", "exceptions") if entry.kind == "rule" else NEEDED[entry.kind]
        given = {key: "append" for key in wanted if key in value}
        if not given:
            raise Wrong("append has nothing to append", f"write {' or '.join(wanted)}")
        return given
    if override is None:
        return {}
    if not isinstance(override, dict) or not override:
        raise Wrong("override is not a mapping", "write override: {condition: append}")
    for key, how in override.items():
        allowed = {"append": APPENDED, "replace": REPLACED}.get(how, {}).get(entry.kind, set())
        if key not in allowed:
            known = ", ".join(sorted(APPENDED[entry.kind])), ", ".join(sorted(REPLACED[entry.kind]))
            raise Wrong(f"override: {key}: {how} is not possible", f"append: {known[0]}; replace: {known[1]}")
        if key not in value:
            raise Wrong(f"override names {key}, which is not given", f"write {key}")
    extra = sorted(set(value) & KEYS[entry.kind] - {entry.kind, "override", *override})
    if extra:
        raise Wrong(f"{extra[0]} is given but override does not name it", f"write override: {{{extra[0]}: replace}}")
    return {str(key): str(how) for key, how in override.items()}


def _joined(key: str, old: Any, new: Any) -> Any:
    if key == "exceptions":
        return joined_exceptions(old, new)
    if isinstance(old, list) or isinstance(new, list):
        if not isinstance(new, list):
            raise Wrong(f"{key} is not a list", f"write {key}: [a, b]")
        return [*(old or ()), *new]
    return f"{old} {new}" if old else new


def _required(entry: Entry, draft: Draft) -> None:
    """Versions beyond ours are said; the rules are tried nevertheless."""
    value = entry.value[entry.kind]
    if entry.kind == "required_engine_version":
        numbers = str(value).split(".")
        wanted = tuple(int(number) for number in (numbers if len(numbers) > 1 else ["0", *numbers]) if number.isdigit())
        if wanted > ENGINE:
            known = ".".join(map(str, ENGINE))
            draft.warn(entry, f"asks for engine {value}; what is new since {known} may not be understood")
        return
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Wrong("required_plugin_versions is not a list of plugins", "write - {name: container, version: 0.4.0}")
    for one in value:
        others = [other.get("name") for other in one.get("alternatives") or () if isinstance(other, dict)]
        if not PLUGINS & {one.get("name"), *others}:
            draft.warn(
                entry, f"asks for the plugin {one.get('name')}, which is not here; rules of its source are left out"
            )


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _unknown_priority(found: Any) -> Severity:
    raise Wrong(f"priority is not {found!r}", "use EMERGENCY ALERT CRITICAL ERROR WARNING NOTICE INFO DEBUG")


def _lists_in(when: Sequence[Any]) -> Iterator[str]:
    if when[0] in ("and", "or", "not"):
        for part in when[1:]:
            yield from _lists_in(part)
    elif len(when) > 2 and isinstance(when[2], str):
        yield when[2]


def _merged_by(when: Sequence[Any]) -> tuple[str, ...]:
    """Alerts of one program are one; of a rule on files or sockets, of one of those."""
    from seawall.runtime.detect.condition import fields_of

    about = any(name.startswith("fd.") for name in fields_of(when))
    return ("container.id", "proc.exepath", "fd.name") if about else ("container.id", "proc.exepath")
