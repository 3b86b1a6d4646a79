"""What came of a response that somebody asked for: the `result` of its order's report (docs/reference/wire.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Failed(Exception):
    """It came to nothing. `reason` is one of the words below, the text is for people.

    container_gone   there is no such container, or it does not run
    shared_host      it uses the host's network
    shared_with      it uses another container's network
    refused          it is Seawall's own, the runtime's or the cluster's; or the file is none to move
    not_supported    this node lacks what it takes
    process_gone     the process has ended, or its number is another's now
    file_gone        there is no such file, or no such file in quarantine
    occupied         something else lies where the file came from
    full             the quarantine holds as much as it may
    timeout          the runtime did not answer in time
    failed           anything else
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Outcome:
    """A response that was carried out, or with `dry` would have been."""

    action: str
    target: str
    means: str
    """docker, nftables, iptables, signal or quarantine."""
    text: str
    """What was done to what, or with `dry` what would be."""
    dry: bool = False
    already: bool = False
    """There was nothing to do."""
    undo: Mapping[str, Any] = field(default_factory=dict)
    """The order that takes it back."""
    data: Mapping[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """As the wire carries it."""
        return {
            "action": self.action,
            "target": self.target,
            "result": "would" if self.dry else "already" if self.already else "done",
            "reason": "",
            "means": self.means,
            "message": self.text,
            "undo": dict(self.undo) if not self.dry else {},
            **self.data,
        }


def failure(action: str, target: str, reason: str, text: str) -> dict[str, Any]:
    """As the wire carries what came to nothing."""
    return {
        "action": action,
        "target": target,
        "result": "failed",
        "reason": reason,
        "means": "",
        "message": text,
        "undo": {},
    }
