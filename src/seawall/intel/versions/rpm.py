"""RPM's order: [epoch:]version[-release], with ~ for "before" and ^ for "after". Source: rpm-version(7), rpmvercmp."""

import re
from typing import Any

_SEGMENT = re.compile(r"[0-9]+|[A-Za-z]+|[~^]")
_TILDE, _END, _CARET, _WORD, _NUMBER = range(5)
_MARKS = {"~": (_TILDE,), "^": (_CARET,)}


def key(version: str) -> tuple[Any, ...]:
    """Sort key. A version without a release is before all of its releases; no epoch is epoch 0."""
    text = version.strip()
    epoch, colon, rest = text.partition(":")
    if not colon or not (epoch.isascii() and epoch.isdigit()):
        epoch, rest = "0", text
    upstream, dash, release = rest.rpartition("-")
    if not dash:
        return int(epoch), segments(rest), ()
    return int(epoch), segments(upstream), segments(release)


def segments(text: str) -> tuple[Any, ...]:
    """Numbers, words and marks, ended by a mark of their own; what separates them does not count."""
    return (*(_MARKS.get(piece) or _piece(piece) for piece in _SEGMENT.findall(text)), (_END,))


def _piece(piece: str) -> tuple[int, int | str]:
    return (_NUMBER, int(piece)) if piece.isdigit() else (_WORD, piece)
