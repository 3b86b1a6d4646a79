"""Rules of secrets in gitleaks' form (TOML). Expressions are RE2's; where Python's differ they are rewritten.

https://github.com/gitleaks/gitleaks#configuration: rules with `regex`, `secretGroup`, `entropy`, `keywords`, `path`,
allow lists of their own and of the whole file. A rule without `regex` only names files and is left out.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from seawall.core.errors import SeawallError
from seawall.core.severity import Severity
from seawall.images.detect.secrets.rule import FIRST, MAX_SPAN, Allow, Rule

MAX_BYTES = 8 << 20
MAX_RULES = 5000
_SPAN = 4096
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "digit": "0-9", "lower": "a-z", "upper": "A-Z", "word": r"\w",
    "xdigit": "0-9A-Fa-f", "space": r"\s", "punct": r"!-/:-@\[-`{-~", "blank": r" \t", "cntrl": r"\x00-\x1f\x7f",
    "ascii": r"\x00-\x7f", "print": " -~", "graph": "!-~",
}  # fmt: skip
_FLAGS = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?\)")


def read(path: str | Path) -> list[Rule]:
    """The rules of a file. Raises SeawallError that names each rule that cannot be used, and why."""
    rules, problems = parse(Path(path).name, _text(path))
    if problems:
        shown = "; ".join(f"{named}: {why}" for named, why in problems[:10])
        raise SeawallError(f"{path}: {len(problems)} rules cannot be used: {shown}")
    return rules


def parse(name: str, text: str) -> tuple[list[Rule], list[tuple[str, str]]]:
    """The rules that can be used, and id and reason of those that cannot."""
    try:
        sheet = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return [], [("", f"it is no TOML: {error}")]
    rules: list[Rule] = []
    problems: list[tuple[str, str]] = []
    entries = sheet.get("rules")
    if not isinstance(entries, list) or len(entries) > MAX_RULES:
        return [], [("", f"it has no list of rules, or more than {MAX_RULES}")]
    try:
        everywhere = tuple(_allows(sheet))
    except (ValueError, re.error) as error:
        return [], [("allowlist", str(error))]
    for number, entry in enumerate(entries):
        told = entry.get("id") if isinstance(entry, dict) else None
        named = str(told or f"rule {number + 1}")[:100]
        try:
            one = _rule(name, named, entry, everywhere)
        except (ValueError, TypeError, re.error, OverflowError, RecursionError) as error:
            problems.append((named, str(error)))
            continue
        if one is not None:
            rules.append(one)
    return rules, problems


def expression(pattern: str) -> str:
    """RE2 as Python writes it; flags in the middle reach to the end of their group. Raises ValueError."""
    out: list[str] = []
    open_groups = [0]
    for kind, text in _rewritten(pattern):
        if kind == "flags":
            open_groups[-1] += 1
        elif kind == "open":
            open_groups.append(0)
        elif kind == "close":
            if len(open_groups) < 2:
                raise ValueError("a ) too many")
            out.append(")" * open_groups.pop())
        out.append(text)
    if len(open_groups) > 1:
        raise ValueError("a ) is missing")
    return "".join(out) + ")" * open_groups[0]


def _text(path: str | Path) -> str:
    try:
        data = Path(path).read_bytes()[: MAX_BYTES + 1]
    except OSError as error:
        raise SeawallError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise SeawallError(f"{path} is larger than {MAX_BYTES} bytes")
    return data.decode("utf-8", "replace")


def _rule(name: str, id: str, entry: Any, everywhere: tuple[Allow, ...]) -> Rule | None:
    """None for a rule that only names files."""
    if not isinstance(entry, dict):
        raise ValueError("it is no table")
    if not entry.get("regex"):
        return None
    pattern = expression(_str(entry, "regex"))
    compiled = re.compile(pattern.encode())
    group = int(entry.get("secretGroup", 0))
    if not 0 <= group <= compiled.groups:
        raise ValueError(f"it has no group {group}")
    words = entry.get("keywords", [])
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError("keywords is no list of texts")
    path = expression(entry["path"]) if entry.get("path") else ""
    title = str(entry.get("description") or id)[:200]
    return Rule(
        id=f"user-{id}"[:100],
        title={"en": title, "zh": title},
        category="imported",
        severity=Severity.HIGH,
        pattern=pattern,
        quick=_quick(pattern),
        keywords=tuple(word.lower() for word in words if word),
        entropy=float(entry.get("entropy", 0)),
        group=group or (FIRST if compiled.groups else 0),
        confidence="medium",
        strong=False,
        path=path,
        span=min(_SPAN, MAX_SPAN),
        allows=(*everywhere, *_allows(entry)),
        source=name,
    )


def _quick(pattern: str) -> str:
    """hyperscan knows these flags, and `$`; only the end of a text is written differently."""
    return pattern.replace(r"\Z", r"\z")


def _allows(table: dict[str, Any]) -> Iterator[Allow]:
    for key in ("allowlist", "allowlists"):
        value = table.get(key, [])
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and not one.get("targetRules"):
                yield _allow(one)


def _allow(one: dict[str, Any]) -> Allow:
    patterns = tuple(re.compile(expression(text).encode()) for text in _strings(one, "regexes"))
    target = str(one.get("regexTarget", "secret"))
    return Allow(
        paths=tuple(re.compile(expression(text)) for text in _strings(one, "paths")),
        secrets=patterns if target not in ("match", "line") else (),
        matches=patterns if target == "match" else (),
        lines=patterns if target == "line" else (),
        words=tuple(text.lower().encode() for text in _strings(one, "stopwords")),
        all_of=str(one.get("condition", "OR")).upper() == "AND",
    )


def _str(table: dict[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or len(value) > 20_000:
        raise ValueError(f"{key} is no text, or too long")
    return value


def _strings(table: dict[str, Any], key: str) -> Sequence[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{key} is no list of texts")
    return value


def _rewritten(pattern: str) -> Iterator[tuple[str, str]]:
    """Pieces of the pattern, with what Python writes differently already rewritten."""
    at, multiline = 0, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            text, at = _escape(pattern, at)
            yield "text", text
        elif char == "[":
            text, at = _class(pattern, at)
            yield "text", text
        elif flags := _FLAGS.match(pattern, at):
            on, off = flags[1], flags[2] or ""
            if "U" in on + off:
                raise ValueError("the flag U has no like here")
            multiline = multiline or "m" in on
            at = flags.end()
            yield "flags", f"(?{on}{'-' + off if off else ''}:"
        elif char == "(":
            at += 1
            yield "open", char
        elif char == "$" and not multiline:
            at += 1
            yield "text", r"\Z"
        else:
            at += 1
            yield ("close" if char == ")" else "text"), char


def _escape(pattern: str, at: int) -> tuple[str, int]:
    after = pattern[at + 1 : at + 2]
    if not after:
        raise ValueError("it ends in a backslash")
    if after == "z":
        return r"\Z", at + 2
    if after in "pPC":
        raise ValueError(f"\\{after} has no like here: Unicode classes are not known")
    if after == "Q":
        end = pattern.find(r"\E", at)
        end = len(pattern) if end < 0 else end
        return re.escape(pattern[at + 2 : end]), end + 2
    if after == "x" and pattern[at + 2 : at + 3] == "{":
        end = pattern.index("}", at)
        number = int(pattern[at + 3 : end], 16)
        if number > 127:
            raise ValueError("characters beyond ASCII are not known")
        return f"\\x{number:02x}", end + 1
    return pattern[at : at + 2], at + 2


def _class(pattern: str, at: int) -> tuple[str, int]:
    """A bracket expression, with POSIX names spelled out."""
    out, index = ["["], at + 1
    if pattern[index : index + 1] == "^":
        out.append("^")
        index += 1
    first = True
    while index < len(pattern):
        char = pattern[index]
        if char == "]" and not first:
            return "".join(out) + "]", index + 1
        first = False
        if pattern.startswith("[:", index) and (end := pattern.find(":]", index)) > 0:
            name = pattern[index + 2 : end]
            if name not in _CLASSES:
                raise ValueError(f"the class [:{name}:] is not known")
            out.append(_CLASSES[name])
            index = end + 2
        elif char == "\\":
            text, index = _escape(pattern, index)
            out.append(text)
        else:
            out.append("\\" + char if char in "[&~|" else char)
            index += 1
    raise ValueError("a ] is missing")
