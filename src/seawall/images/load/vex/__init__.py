"""Vendors' statements (VEX), one form a file. Each has `recognise(content)` and `read(content, source)`."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seawall.core.errors import SeawallError
from seawall.images.load.vex import csaf, cyclonedx, openvex
from seawall.images.model import Statement

MAX_BYTES = 64 << 20
MAX_DECISIONS = 200_000


@dataclass(frozen=True, slots=True)
class Form:
    """How one form is known and read."""

    recognise: Callable[[dict[str, Any]], bool]
    read: Callable[[dict[str, Any], str], Iterator[Statement]]


FORMS: dict[str, Form] = {
    "csaf": Form(csaf.recognise, csaf.read),
    "cyclonedx": Form(cyclonedx.recognise, cyclonedx.read),
    "openvex": Form(openvex.recognise, openvex.read),
}


def read(path: Path) -> tuple[Statement, ...]:
    """All statements of a file. Raises SeawallError when it is none of the forms or broken."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SeawallError(f"cannot read {path}: {error.strerror}") from error
    try:
        return parse(data, path.name)
    except ValueError as error:
        raise SeawallError(f"{path}: {error}", f"VEX is read as {', '.join(FORMS)}") from error


def parse(data: bytes, source: str) -> tuple[Statement, ...]:
    """All statements of a document. Raises ValueError."""
    if len(data) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON: {str(error)[:200]}") from error
    form = next((one for one in FORMS.values() if isinstance(content, dict) and one.recognise(content)), None)
    if form is None:
        raise ValueError("no VEX document that Seawall knows")
    found: list[Statement] = []
    try:
        for decision in form.read(content, source):
            found.append(decision)
            if len(found) > MAX_DECISIONS:
                raise ValueError(f"more than {MAX_DECISIONS} statements")
    except (KeyError, TypeError, AttributeError, RecursionError, IndexError) as error:
        raise ValueError(f"a broken document: {type(error).__name__} {str(error)[:100]}") from error
    return tuple(found)
