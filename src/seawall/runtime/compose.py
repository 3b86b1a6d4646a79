"""What people decided and what is packaged, as one plan. Runs on the server; a node never composes.

A user's file with errors costs its own broken items and nothing else; while its newest text is bad, its last good one
stays in force. User files are compiled together and in order, over the packaged rules.
"""

import functools
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seawall.core.errors import SeawallError
from seawall.runtime import load, plan, scope
from seawall.runtime.detect import reach
from seawall.runtime.detect.parse import parse
from seawall.runtime.load import Compiled, Problem
from seawall.runtime.load.items import Entry
from seawall.runtime.model import Plan, Profile, Rule, Waiver
from seawall.runtime.scope import Scope

MAX_PLAN_PROGRAMS = 20_000
"""Programs of all profiles in one plan: an agent keeps them in memory."""

MAX_USER_RULES = 2000
"""Rules of users in one plan."""
GROUPS = (
    "network_intel",
    "network",
    "escape",
    "reverse_shell",
    "processes",
    "files",
    "syscalls",
    "malware",
    "profiles",
)
"""Groups whose rules may lie in several files, `GROUP_MORE.yaml`; every other file is a group of its own."""


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A user's rules as they lie in the store."""

    id: str
    name: str
    text: str
    good: str | None = None
    """The last text without errors."""
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True, slots=True)
class Silence:
    """A waiver before it is compiled."""

    id: str
    rules: tuple[str, ...]
    condition: str
    expires: float = 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that people decided."""

    groups_off: frozenset[str] = frozenset()
    files: tuple[RuleFile, ...] = ()
    silences: tuple[Silence, ...] = ()
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    indicators: Mapping[str, Any] = field(default_factory=dict)
    """What intelligence lists, packed (detect/indicators.py)."""
    samples: bool = False
    """Whether files that containers write are wanted for a scan."""


@dataclass(frozen=True, slots=True)
class FileState:
    """What became of a user's file."""

    rules: int
    errors: tuple[Problem, ...]
    in_force: str
    """all · part: without its broken items · last_good: an older text · none."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A plan, and what the rules page says of it."""

    plan: Plan
    rules: tuple[Rule, ...]
    """All rules, those that are switched off too (`enabled` false)."""
    files: Mapping[str, FileState]
    problems: tuple[Problem, ...]
    """Everything that is not in force as people wrote it."""
    written: Mapping[str, Entry] = field(default_factory=dict)
    """Rules as they stand in their files, by id."""


def compose(policy: Policy) -> Composed:
    """The plan of a policy. Raises SeawallError when there can be none: the last good one stays then."""
    base = grouped(load.system())
    off = policy.groups_off
    kept = replace(
        base, plan=replace(base.plan, rules=tuple(rule for rule in base.plan.rules if rule.group not in off))
    )
    files = () if "user" in off else policy.files
    compiled, states = _with_files(files, kept)
    problems = [problem for state in states.values() for problem in state.errors]
    lists = compiled.plan.lists
    rules = _scoped(compiled, files, lists, problems)
    silences = tuple(_silences(policy.silences, compiled, problems))
    filters = {**reach.filters(rules, lists), "samples": policy.samples}
    sealed = plan.seal(rules, lists, filters, silences, _fitting(policy.profiles, problems), listed=policy.indicators)
    there = {rule.id for rule in rules}
    switched_off = (replace(rule, enabled=False) for rule in base.plan.rules if rule.id not in there)
    return Composed(sealed, (*rules, *switched_off), states, tuple(problems), {**base.rules, **compiled.rules})


def compiled_texts(files: Sequence[tuple[str, str]], base: Compiled) -> Compiled:
    """Compile texts by their names; problems and rules name the file by it."""
    if not files:
        return load.compile_paths([], base=base)
    with tempfile.TemporaryDirectory(prefix="seawall-rules-") as folder:
        paths = []
        for name, text in files:
            path = Path(folder) / name
            path.write_text(text, "utf-8")
            paths.append(path)
        found = load.compile_paths(paths, base=base)
        rules = {name: replace(entry, file=_name(entry.file, folder)) for name, entry in found.rules.items()}
        errors = tuple(replace(problem, file=_name(problem.file, folder)) for problem in found.errors)
        return replace(found, rules=rules, errors=errors)


@functools.cache
def words() -> Compiled:
    """The packaged macros and lists without the rules: what a text alone is compiled over, which is quicker."""
    base = load.system()
    return replace(base, plan=replace(base.plan, rules=()), rules={})


def grouped(compiled: Compiled) -> Compiled:
    """The packaged rules with their group, as their file is named: escape_kernel.yaml belongs to escape."""
    rules = tuple(
        rule if rule.group else replace(rule, group=_group(Path(compiled.rules[rule.id].file).stem))
        for rule in compiled.plan.rules
    )
    return replace(compiled, plan=replace(compiled.plan, rules=rules))


def _group(stem: str) -> str:
    return next((group for group in GROUPS if stem == group or stem.startswith(f"{group}_")), stem)


def _name(path: str, folder: str) -> str:
    return path.removeprefix(f"{folder}/")


def _with_files(files: Sequence[RuleFile], base: Compiled) -> tuple[Compiled, dict[str, FileState]]:
    """Compile the newest texts; those with errors give way to their last good one."""
    newest = compiled_texts([(file.id, file.text) for file in files], base)
    bad = {problem.file for problem in newest.errors}
    older = {file.id for file in files if file.id in bad and file.good is not None and file.good != file.text}
    compiled = newest
    if older:
        texts = [(file.id, str(file.good) if file.id in older else file.text) for file in files]
        compiled = compiled_texts(texts, base)
    states = {}
    for file in files:
        errors = tuple(
            replace(problem, file=file.name)
            for problem in (newest if file.id in older else compiled).errors
            if problem.file == file.id
        )
        number = sum(entry.file == file.id for entry in compiled.rules.values())
        states[file.id] = FileState(number, errors, _in_force(bool(errors), number, file.id in older))
    return compiled, states


def _in_force(bad: bool, rules: int, older: bool) -> str:
    if not bad:
        return "all"
    return ("last_good" if older else "part") if rules else "none"


def _scoped(
    compiled: Compiled, files: Sequence[RuleFile], lists: Mapping[str, tuple[str, ...]], problems: list[Problem]
) -> tuple[Rule, ...]:
    """The plan's rules, those of user files with their group, source and scope. A bad scope costs its file's rules."""
    conditions: dict[str, list[Any] | None] = {}
    for file in files:
        text = scope.condition(file.scope)
        try:
            conditions[file.id] = parse(text, {}, {}) if text else []
        except SeawallError as error:
            conditions[file.id] = None
            problems.append(Problem(file.name, 0, "", f"the scope cannot be judged: {_words(error)}"))
    found = []
    left = MAX_USER_RULES
    for rule in compiled.plan.rules:
        owner = compiled.rules[rule.id].file
        if owner not in conditions:
            found.append(rule)
            continue
        bound = conditions[owner]
        if bound is None:
            continue
        source = "user" if rule.source == "system" else rule.source
        mine = replace(rule, group="user", source=source, when=["and", bound, rule.when] if bound else rule.when)
        left -= 1
        wrong = (
            reach.problem(mine, lists) if left >= 0 else f"not in force: a plan takes {MAX_USER_RULES} rules of users"
        )
        if wrong:
            problems.append(Problem(owner, compiled.rules[rule.id].line, rule.id, wrong))
        else:
            found.append(mine)
    return tuple(found)


def _silences(wanted: Sequence[Silence], compiled: Compiled, problems: list[Problem]) -> list[Waiver]:
    found = []
    for silence in wanted[: plan.MAX_WAIVERS]:
        try:
            found.append(waiver(silence, compiled))
        except SeawallError as error:
            problems.append(Problem(silence.id, 0, "", f"the waiver cannot be judged: {_words(error)}"))
    problems += [
        Problem(silence.id, 0, "", f"not in force: a plan takes {plan.MAX_WAIVERS} waivers")
        for silence in wanted[plan.MAX_WAIVERS :]
    ]
    return found


def waiver(silence: Silence, compiled: Compiled) -> Waiver:
    """One waiver as the engine takes it. Raises SeawallError on a condition that cannot be read."""
    text = silence.condition or "evt.kind exists"
    when = parse(text, compiled.macros, compiled.lists, compiled.labels)
    return Waiver(silence.id, silence.rules, when, silence.expires)


def _fitting(profiles: Mapping[str, Profile], problems: list[Problem]) -> dict[str, Profile]:
    found: dict[str, Profile] = {}
    left = MAX_PLAN_PROGRAMS
    for image, profile in profiles.items():
        left -= len(profile.programs)
        if left < 0 or len(found) >= plan.MAX_PROFILES:
            problems.append(Problem("", 0, "", f"the profile of {image} is not in force: there are too many"))
            continue
        found[image] = profile
    return found


def _words(error: SeawallError) -> str:
    return f"{error} — {error.hint}" if error.hint else str(error)
