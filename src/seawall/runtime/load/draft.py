"""What a set of rule files comes to while it is being compiled, and in the end."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seawall.core.errors import SeawallError
from seawall.runtime import plan as plans
from seawall.runtime.detect import reach
from seawall.runtime.load.items import Entry, Problem, told
from seawall.runtime.model import Plan, Rule


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
    warnings: tuple[Problem, ...] = ()
    """What was taken, but not as its author may think."""
    skipped: tuple[Problem, ...] = ()
    """Rules that were left out because this node has no such events, with the reason."""


class Draft:
    """Rules and lists taken so far, and what was wrong with others."""

    def __init__(self, problems: list[Problem], base: Compiled | None) -> None:
        self.problems = problems
        self.warnings: list[Problem] = []
        self.skipped: list[Problem] = []
        self.kept: dict[str, tuple[str, ...]] = dict(base.plan.lists) if base else {}
        """Lists of the plan."""
        self.rules: dict[str, Rule] = {rule.id: rule for rule in base.plan.rules} if base else {}
        self.entries: dict[str, Entry] = dict(base.rules) if base else {}

    def keep(self, name: str, items: Sequence[str]) -> str:
        """Put a list into the plan; its name there. What another form or file means by the name stays what it is."""
        label = name
        while label in self.kept and self.kept[label] != tuple(items):
            label += "'"
        self.kept[label] = tuple(items)
        return label

    def take(self, rule: Rule, entry: Entry) -> None:
        """Put a rule into the plan, in the place of one of its name."""
        self.rules[rule.id] = rule
        self.entries[rule.id] = entry

    def problem(self, entry: Entry, line: int, error: SeawallError) -> None:
        """An item cannot be taken."""
        self.problems.append(Problem(entry.file, line, entry.name, told(error)))

    def warn(self, entry: Entry, message: str) -> None:
        """An item is taken, but its author should know something."""
        self.warnings.append(Problem(entry.file, entry.line, entry.name, message))

    def finish(
        self, macros: Mapping[str, list[Any]], lists: Mapping[str, tuple[str, ...]], labels: Mapping[str, str]
    ) -> Compiled:
        """Seal the plan. A rule that would overflow a table of the kernel side is left out and reported."""
        rules = tuple(self.rules.values())
        try:
            filters = reach.filters(rules, self.kept)
        except ValueError:
            rules = tuple(self._fitting(rules))
            filters = reach.filters(rules, self.kept)
        plan = plans.seal(rules, self.kept, filters)
        entries = {rule.id: self.entries[rule.id] for rule in rules}
        told = (tuple(self.warnings), tuple(self.skipped))
        return Compiled(plan, entries, macros, lists, tuple(self.problems), labels, *told)

    def _fitting(self, rules: Sequence[Rule]) -> Iterator[Rule]:
        taken: list[Rule] = []
        for rule in rules:
            try:
                reach.filters([*taken, rule], self.kept)
            except ValueError as error:
                entry = self.entries[rule.id]
                self.problem(entry, entry.line, SeawallError(str(error)))
            else:
                taken.append(rule)
                yield rule
