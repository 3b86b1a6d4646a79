"""The fields that conditions may speak of: one registry for the parser, the node and the reference.

Names are Falco's where the meaning is equal (https://falco.org/docs/reference/rules/supported-fields/). A getter
answers None where the field does not exist for this event; a check on an absent field is false.
"""

from seawall.runtime.detect.fields import (
    arguments,
    changes,
    container,
    event,
    files,
    findings,
    intel,
    process,
    sockets,
    start,
    streams,
    trust,
)
from seawall.runtime.detect.fields.container import in_container
from seawall.runtime.detect.fields.form import MAX_ANCESTORS, Field, Getter, ancestors, basename
from seawall.runtime.detect.fields.streams import connected, is_loopback, stdio

__all__ = [
    "FIELDS",
    "MAX_ANCESTORS",
    "Field",
    "Getter",
    "ancestors",
    "basename",
    "connected",
    "in_container",
    "is_loopback",
    "resolve",
    "stdio",
]

MAX_ARGUMENT = 256
_PARTS = (changes, event, arguments, process, streams, files, sockets, intel, findings, container, start, trust)
FIELDS: dict[str, Field] = {field.name: field for part in _PARTS for field in part.ALL}


def resolve(name: str) -> Field:
    """The field of a name, with its argument bound: `proc.aname[2]`. Raises KeyError when there is none."""
    plain, bracket, rest = name.partition("[")
    field = FIELDS[plain]
    if not bracket and not field.needs:
        return field
    argument = rest.removesuffix("]").strip("'\"")
    if field.bind is None or not argument or len(argument) > MAX_ARGUMENT:
        raise KeyError(name)
    try:
        return Field(name, "text", field.bind(argument), field.about, field.identity)
    except ValueError:
        raise KeyError(name) from None
