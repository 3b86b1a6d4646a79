"""What a field is, and the few shapes of getters that most of them have."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from seawall.runtime.model import Event, Process

Getter = Callable[[Event], Any]

MAX_ANCESTORS = 32
"""Steps up the family tree; deeper ones are not looked at."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `get` yields text, an int, a bool or a tuple of texts (of which any may match), by `type`."""

    name: str
    type: str
    """text, number, flag, many (texts, any of which may match), net (addresses, compared with networks), ports (the
    numbers of both ends) or bytes (a text of which each character is a byte)."""
    get: Getter
    about: str
    identity: bool = False
    """Needs the container's whole identity: a rule that uses it is not judged while that is missing."""
    bind: Callable[[str], Getter] | None = None
    """The getter of `name[ARGUMENT]`, a text, where the field takes one. Raises ValueError for one it does not take."""
    takes: str = ""
    """What the argument is."""
    needs: bool = False
    """Is nothing without its argument."""


def basename(path: str) -> str:
    """The last component."""
    return path.rpartition("/")[2]


def ancestors(process: Process) -> Iterator[Process]:
    """Parent first, at most MAX_ANCESTORS."""
    parent, left = process.parent, MAX_ANCESTORS
    while parent is not None and left:
        yield parent
        parent, left = parent.parent, left - 1


def of(read: Callable[[Process], Any]) -> Getter:
    """Of the process that acted."""
    return lambda event: read(event.process)


def of_parent(read: Callable[[Process], Any]) -> Getter:
    """Of its parent, absent when that is not known."""

    def get(event: Event) -> Any:
        parent = event.process.parent
        return None if parent is None else read(parent)

    return get


def of_ancestors(read: Callable[[Process], str]) -> Getter:
    """Of all its ancestors."""
    return lambda event: tuple(read(process) for process in ancestors(event.process))


def of_nth(read: Callable[[Process], str]) -> Callable[[str], Getter]:
    """Of its nth ancestor; 0 is itself."""

    def bind(argument: str) -> Getter:
        number = int(argument)
        if not 0 <= number <= MAX_ANCESTORS:
            raise ValueError(argument)

        def get(event: Event) -> Any:
            process: Process | None = event.process
            for _ in range(number):
                process = process.parent if process is not None else None
            return None if process is None else read(process)

        return get

    return bind
