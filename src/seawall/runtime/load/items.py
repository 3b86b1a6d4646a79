"""Rule files as items: each with the place it was read from. Both forms of rules begin here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from seawall.core.errors import SeawallError

MAX_FILE = 4 << 20
MAX_FILES = 500
KINDS = ("rule", "macro", "list", "required_engine_version", "required_plugin_versions")
"""Keys that say what an item is."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a rule file, in the words its author needs."""

    file: str
    line: int
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a rule file, with the place it was read from."""

    kind: str
    """One of KINDS."""
    name: str
    value: Mapping[str, Any]
    file: str
    line: int
    condition_line: int
    texts: tuple[str, ...] = ()
    """Of a list: its items as they are written, whatever YAML takes them for."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file's items."""

    file: str
    entries: tuple[Entry, ...]


class _Loader(yaml.CSafeLoader):
    """A bare = is a text: it stands in `comps: [=, startswith]`."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)


class Wrong(SeawallError):
    """An item that cannot be taken; becomes a Problem."""


def read(paths: Iterable[str | Path], problems: list[Problem]) -> Iterator[Sheet]:
    """The items of files and folders (of *.yaml), in the order given."""
    for path in _files(paths, problems):
        try:
            with path.open("rb") as file:
                body = file.read(MAX_FILE + 1)
        except OSError as error:
            problems.append(Problem(str(path), 0, "", error.strerror or str(error)))
        else:
            yield Sheet(str(path), tuple(entries(str(path), body, problems)))


def entries(name: str, body: bytes, problems: list[Problem]) -> Iterator[Entry]:
    """The items of one file's text, in its order."""
    try:
        if len(body) > MAX_FILE:
            raise Wrong(f"the file is larger than {MAX_FILE} bytes")
        nodes = _nodes(body)
    except SeawallError as error:
        problems.append(Problem(name, 0, "", str(error)))
        return
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or type(error).__name__
        problems.append(Problem(name, mark.line + 1 if mark else 0, "", f"not YAML: {what}"))
        return
    for node, value in nodes:
        try:
            yield _entry(name, node, value)
        except SeawallError as error:
            problems.append(Problem(name, node.start_mark.line + 1, "", told(error)))


def told(error: SeawallError) -> str:
    """What is wrong and how to mend it, in one line."""
    return f"{error} — {error.hint}" if error.hint else str(error)


def _files(paths: Iterable[str | Path], problems: list[Problem]) -> Iterator[Path]:
    count = 0
    for given in paths:
        path = Path(given)
        inside = sorted(p for p in path.iterdir() if p.suffix in (".yaml", ".yml")) if path.is_dir() else [path]
        found = [file for file in inside if not examples(file)]
        if not inside:
            problems.append(Problem(str(path), 0, "", "the folder holds no *.yaml file"))
        for file in found:
            count += 1
            if count > MAX_FILES:
                problems.append(Problem(str(file), 0, "", f"more than {MAX_FILES} files"))
                return
            yield file


def examples(path: Path) -> bool:
    """Whether a file holds examples that stand beside rules (NAME.examples.yaml)."""
    return path.stem.endswith(".examples")


def _nodes(body: bytes) -> list[tuple[Any, Any]]:
    loader = _Loader(body)
    try:
        root = loader.get_single_node()
        if root is None:
            return []
        if not isinstance(root, yaml.SequenceNode):
            raise Wrong("the file is not a list of items", "begin each with - rule:, - macro: or - list:")
        _no_aliases(root, set())
        return [(node, loader.construct_document(node)) for node in root.value]
    finally:
        loader.dispose()


def _no_aliases(node: Any, seen: set[int]) -> None:
    """Refuse `*alias`: nested ones grow without bound when they are written out."""
    if id(node) in seen:
        raise Wrong(f"line {node.start_mark.line + 1}: YAML aliases are not taken", "write the value out")
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _no_aliases(key, seen)
            _no_aliases(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _no_aliases(value, seen)


def _entry(file: str, node: Any, value: Any) -> Entry:
    kind = next((kind for kind in KINDS if isinstance(value, dict) and kind in value), "")
    if not kind:
        raise Wrong("the item is no rule, macro or list", "begin it with - rule:, - macro: or - list:")
    keys = [key.value for key, _ in node.value]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise Wrong(f"key {twice[0]!r} appears twice in {kind} {value[kind]}", "keep one of them")
    line = node.start_mark.line + 1
    at = next((found.start_mark.line + 1 for key, found in node.value if key.value == "condition"), line)
    texts = tuple(_texts(node)) if kind == "list" else ()
    written = next((found.value for key, found in node.value if key.value == kind), "")
    name = written if isinstance(written, str) else str(value[kind])  # No is a name, not false
    return Entry(kind, name, value, file, line, at, texts)


def _texts(node: Any) -> Iterator[str]:
    for key, found in node.value:
        if key.value == "items" and isinstance(found, yaml.SequenceNode):
            yield from (item.value for item in found.value if isinstance(item, yaml.ScalarNode))
