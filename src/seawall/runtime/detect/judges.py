"""Which rules to ask of an event, and how: all that makes judging quick is here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seawall.runtime.detect.condition import Check, Lists, compile_condition, fields_of
from seawall.runtime.detect.fields import resolve
from seawall.runtime.model import Event, Kind, Rule


@dataclass(slots=True)
class Judge:
    """One rule, ready to be asked."""

    rule: Rule
    check: Check
    identity: bool
    """Looks at who the container is, so it waits until that is known."""
    fields: frozenset[str]


class Judges:
    """The enabled ones of a plan's rules. Raises ValueError or KeyError on a condition that parse.py did not make."""

    def __init__(self, rules: Iterable[Rule], lists: Lists) -> None:
        self._by_kind: dict[Kind, list[Judge]] = {kind: [] for kind in Kind}
        for rule in rules:
            if rule.enabled:
                fields = frozenset(fields_of(rule.when))
                identity = any(resolve(name).identity for name in fields)
                judge = Judge(rule, compile_condition(rule.when, lists), identity, fields)
                for kind in rule.kinds:
                    self._by_kind[kind].append(judge)

    def of(self, event: Event) -> Sequence[Judge]:
        """Those that may fire on this event, in the order of the rules; no other can."""
        return self._by_kind[event.kind]
