"""XML from images: without entities and outside references, which are bombs there; names without their namespaces."""

from xml.etree.ElementTree import Element
from xml.parsers import expat

from seawall.images.collect.files import Buffer

MAX_DEPTH = 100
MAX_ELEMENTS = 200_000


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self.open: list[Element] = []
        self.count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if len(self.open) >= MAX_DEPTH or self.count > MAX_ELEMENTS:
            raise ValueError("the XML is too deep or has too many elements")
        one = Element(name.rpartition(" ")[2], attributes)
        if self.open:
            self.open[-1].append(one)
        elif self.root is None:
            self.root = one
        self.open.append(one)

    def end(self, _name: str) -> None:
        self.open.pop()

    def text(self, text: str) -> None:
        one = self.open[-1]
        if not len(one):
            one.text = (one.text or "") + text


def plain(data: Buffer) -> Element:
    """The root. Raises ValueError when it is no XML, or brings a document type."""
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(bytes(data), True)
    except expat.ExpatError as error:
        raise ValueError(f"no XML: {error}") from error
    if builder.root is None:
        raise ValueError("no XML: it is empty")
    return builder.root


def _refuse(*_what: object) -> None:
    raise ValueError("the XML brings a document type, whose entities could be a bomb")
