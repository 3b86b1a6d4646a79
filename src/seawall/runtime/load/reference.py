"""`python -m seawall.runtime.load.reference > docs/reference/fields.md`: the registry of fields, for people."""

import sys

from seawall.runtime.detect.condition import OPERATORS
from seawall.runtime.detect.fields import FIELDS, Field

HEAD = """\
# Fields of runtime rules

Written by `python -m seawall.runtime.load.reference` from the registry that the node itself works by. Names are Falco's
where the meaning is equal. A field is absent where an event does not have it: a check on it is then false, whatever the
operator. ☉ asks who the container is: a rule with such a field is not judged until that is known.

| type | what it holds | operators |
|---|---|---|
"""
TYPES = {
    "text": "a text",
    "many": "several texts; a check holds if it holds for any of them",
    "number": "a whole number",
    "flag": "true or false",
    "net": "the address of one end of a socket or of both; compared with addresses and networks, != with both ends",
    "ports": "as net, the ports",
    "bytes": "bytes as they came, a character each",
}
FAMILIES = {
    "evt": "What happened",
    "proc": "Processes",
    "stdin": "Input and output",
    "user": "Users and rights",
    "fd": "Files and sockets",
    "container": "Containers",
}
_WITH = {"stdout": "stdin", "stderr": "stdin", "stdio": "stdin", "group": "user", "thread": "user", "k8s": "container"}


def text() -> str:
    """The whole page."""
    lines = [f"| {name} | {about} | {_operators(name)} |" for name, about in TYPES.items()]
    families: dict[str, list[Field]] = {}
    for field in FIELDS.values():
        family = field.name.partition(".")[0]
        families.setdefault(_WITH.get(family, family), []).append(field)
    for family in sorted(families, key=lambda one: [*FAMILIES, one].index(one)):
        lines += ["", f"## {FAMILIES.get(family, f'`{family}.*`')}", "| field | type | what |", "|---|---|---|"]
        lines += [row(field) for field in families[family]]
    return HEAD + "\n".join(lines) + "\n"


def row(field: Field) -> str:
    """One field's line."""
    argument = f"; takes {field.takes}" if field.takes else ""
    name = f"{field.name}[…]" if field.needs else field.name
    about = (field.about + argument).replace("|", "\\|")
    return f"| `{name}` | {field.type}{' ☉' if field.identity else ''} | {about} |"


def _operators(type: str) -> str:
    return " ".join(f"`{operator}`" for operator in (*OPERATORS[type], "exists"))


if __name__ == "__main__":
    sys.stdout.write(text())
