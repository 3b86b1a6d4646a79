"""XML of strangers: no entities, no external parts, with limits; element by element, so that size costs no memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

MAX_DEPTH = 100
MAX_NODES = 400_000
"""Elements below one that is asked for; a kernel's advisory has about 20,000."""
MAX_TEXT = 8 << 20
PIECE = 1 << 18


@dataclass(slots=True)
class Node:
    """An element, its names without the prefix of their namespace."""

    name: str
    attributes: dict[str, str]
    text: str = ""
    children: "list[Node]" = field(default_factory=list)

    def all(self, name: str) -> "list[Node]":
        """Children of a name."""
        return [child for child in self.children if child.name == name]

    def first(self, *names: str) -> "Node | None":
        """The child at the end of a way."""
        here: Node | None = self
        for name in names:
            here = next((child for child in here.children if child.name == name), None) if here else None
        return here

    def said(self, *names: str) -> str:
        """The text of the child at the end of a way, "" if there is none."""
        found = self.first(*names)
        return " ".join(found.text.split()) if found else ""


def elements(data: bytes, *wanted: str) -> Iterator[Node]:
    """Elements of these names, whole, in their order; those inside of one that is wanted are its children.

    Raises ValueError for what is no XML, declares entities or is beyond a limit.
    """
    reader = _Reader(frozenset(wanted))
    for at in range(0, len(data), PIECE):
        reader.feed(data[at : at + PIECE], last=at + PIECE >= len(data))
        yield from reader.done
        reader.done.clear()


class _Reader:
    def __init__(self, wanted: frozenset[str]) -> None:
        self.done: list[Node] = []
        self._wanted = wanted
        self._way: list[Node] = []
        self._texts: list[list[str]] = []
        self._depth = 0
        self._nodes = 0
        self._size = 0
        parser = self._parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = _refuse
        parser.ExternalEntityRefHandler = _refuse
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def feed(self, data: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(data, last)
        except expat.ExpatError as error:
            raise ValueError(f"no XML: {error}") from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ValueError(f"elements are nested more than {MAX_DEPTH} deep")
        name = name.rpartition(":")[2]
        if self._way or name in self._wanted:
            self._nodes += 1
            if self._nodes > MAX_NODES:
                raise ValueError(f"more than {MAX_NODES} elements in one")
            self._way.append(Node(name, {key.rpartition(":")[2]: value for key, value in attributes.items()}))
            self._texts.append([])

    def _end(self, _name: str) -> None:
        self._depth -= 1
        if not self._way:
            return
        node = self._way.pop()
        node.text = "".join(self._texts.pop())
        if self._way:
            self._way[-1].children.append(node)
        else:
            self._nodes = self._size = 0
            self.done.append(node)

    def _text(self, text: str) -> None:
        if self._way:
            self._size += len(text)
            if self._size > MAX_TEXT:
                raise ValueError(f"more than {MAX_TEXT} characters in one element")
            self._texts[-1].append(text)


def _refuse(*_: object) -> int:
    raise ValueError("it declares entities")
