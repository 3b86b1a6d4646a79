"""What somebody decided not to be told of (加白): which alerts are silenced, and how many were.

A waiver that asks who a container is does not apply while that is not known: silence is never guessed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from seawall.runtime.detect.condition import Check, Lists, compile_condition, fields_of
from seawall.runtime.detect.fields import resolve
from seawall.runtime.model import Event, Waiver


@dataclass(slots=True)
class _Silence:
    waiver: Waiver
    check: Check
    identity: bool


class Waivers:
    """Asked once for each rule that fired."""

    def __init__(self) -> None:
        self._by_rule: dict[str, list[_Silence]] = {}
        self._all: list[_Silence] = []
        self._counts: dict[str, int] = {}

    def update(self, waivers: Iterable[Waiver], lists: Lists) -> None:
        """Work by these from now on; counts go on. Raises ValueError or KeyError as compile_condition does."""
        by_rule: dict[str, list[_Silence]] = {}
        everywhere: list[_Silence] = []
        for waiver in waivers:
            identity = any(resolve(name).identity for name in fields_of(waiver.when))
            silence = _Silence(waiver, compile_condition(waiver.when, lists), identity)
            for rule in waiver.rules:
                by_rule.setdefault(rule, []).append(silence)
            if not waiver.rules:
                everywhere.append(silence)
        self._by_rule, self._all = by_rule, everywhere

    def silence(self, rule: str, event: Event) -> bool:
        """Whether a waiver silences this rule on this event; the first that does is counted."""
        for silence in (*self._by_rule.get(rule, ()), *self._all):
            if self._holds(silence, event):
                name = silence.waiver.id
                self._counts[name] = self._counts.get(name, 0) + 1
                return True
        return False

    def take(self) -> dict[str, int]:
        """Waiver id → how often it silenced since the last question."""
        counts, self._counts = self._counts, {}
        return counts

    @staticmethod
    def _holds(silence: _Silence, event: Event) -> bool:
        expires, container = silence.waiver.expires, event.process.container
        if expires and expires <= event.time:
            return False
        if silence.identity and container is not None and not container.complete:
            return False
        try:
            return silence.check(event)
        except (TypeError, ValueError, AttributeError):
            return False
