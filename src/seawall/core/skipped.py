"""Bad news as a value: what could not be read travels with the result. "Not checked" never looks like "clean"."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Skipped:
    """One thing that was passed over."""

    where: str
    """The place, as the user would name it: a path in an image, a container id, a file and line."""
    why: str
    """The reason in one line, with the limit or the error that caused it."""
