"""`python -m seawall.images.load.secrets OUT`: the packaged rules of secrets, from YAML to the JSON that nodes read.

A sheet has a category, a severity and advice that its rules share, and rules. A rule says how it is known in one of
three ways: `pattern`, a token that is recognised by itself; `names` and `value`, what is assigned to something so
called; `raw`, everything in one expression. Examples are written with <kind:length> where random characters go, see
`example`: the tree holds nothing that looks like a secret in use.
"""

import json
import random
import re
import string
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

from seawall.images.detect.secrets.rule import Rule, from_plain

SHEETS = Path(__file__).parents[1] / "rules" / "secrets"
_KEYS = {
    "id", "title", "severity", "pattern", "names", "value", "raw", "keywords", "entropy", "group", "kind", "confidence",
    "strong", "path", "joins", "span", "advice", "finds", "passes", "category", "quick",
}  # fmt: skip
_BEFORE = r"(?:(?<![0-9A-Za-z])|(?<=\\[nrt])|(?<=%[0-9A-F]{2}))"
"""Not in the middle of a word; behind an escaped line end or an encoded character is no middle."""
_AFTER = r"(?![0-9A-Za-z])"
_GIVEN = (
    r"""[\w.\-]{0,40}["'\]\\]{0,3}(?:[ \t]{0,8}(?::=|=>|[:=])|>|["'],)[ \t]{0,8}[\\"'\x60]{0,3}(?:Bearer |Token )?"""
)
"""Between a name and its value: the rest of the name, quotes, `=`, `:`, `=>`, `:=`, `>` of XML, a comma of a call."""
_ALPHABETS = {
    "a": string.ascii_lowercase + string.digits,
    "A": string.ascii_uppercase + string.digits,
    "w": string.ascii_letters + string.digits,
    "l": string.ascii_lowercase,
    "L": string.ascii_uppercase,
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "d": string.digits,
    "b": string.ascii_letters + string.digits + "-_",
    "u": string.ascii_uppercase + "234567",
    "Q": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
    "s": string.ascii_letters + string.digits + "+/",
}
_TAIL = re.compile(r"\{(\d+),\d*\}(?:=\{\d,\d\})?(\)?)$")
"""How long the end may be: a quick search need not say each length."""
_HOLE = re.compile(r"<(\w|uuid|b64)(?::(\d+|[^<>]*))?>")


def sheets() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each rule as it is written, with what its sheet gives it, and the sheet's name."""
    import yaml

    for path in sorted(SHEETS.glob("*.yaml")):
        sheet = yaml.safe_load(path.read_text("utf-8"))
        shared = {key: value for key, value in sheet.items() if key != "rules"}
        for rule in sheet["rules"]:
            yield path.stem, {**shared, **rule}


def compiled() -> list[dict[str, Any]]:
    """All rules, the most particular first. Raises ValueError that names the rule."""
    rules = []
    for sheet, plain in sheets():
        try:
            one = build(plain)
            from_plain(one)
        except (ValueError, KeyError, re.error, TypeError) as error:
            raise ValueError(f"{sheet}: {plain.get('id')}: {error!r}") from error
        rules.append(one)
    return sorted(rules, key=_order)


def rules() -> list[Rule]:
    """The rules of the sheets, ready to work."""
    return [from_plain(one) for one in compiled()]


def build(plain: dict[str, Any]) -> dict[str, Any]:
    """One rule as nodes read it."""
    if unknown := set(plain) - _KEYS:
        raise ValueError(f"unknown keys {sorted(unknown)}")
    pattern, quick, group = _pattern(plain)
    keywords = [str(word).lower() for word in plain["keywords"]] if "keywords" in plain else _keywords(plain)
    if not keywords and "path" not in plain:
        raise ValueError("without keywords it needs a path")
    kept = ("id", "title", "category", "severity", "advice", "entropy", "kind", "confidence", "path", "joins", "span")
    return {
        **{key: plain[key] for key in kept if key in plain},
        "pattern": pattern,
        "quick": plain.get("quick") or _TAIL.sub(r"{\1}\2", quick),
        "keywords": keywords,
        "group": plain.get("group", group),
        "strong": plain.get("strong", "pattern" in plain),
    }


def example(text: str, seed: str) -> str:
    """A text in which each <kind:length> is random characters, always the same for one seed.

    Kinds: the alphabets above, <uuid>, and <b64:TEXT>, which is TEXT in base64.
    """
    source = random.Random(crc32(seed.encode()))  # noqa: S311 - reproducible on purpose

    def fill(hole: re.Match[str]) -> str:
        kind, argument = hole[1], hole[2] or ""
        if kind == "uuid":
            return "-".join("".join(source.choices(_ALPHABETS["h"], k=size)) for size in (8, 4, 4, 4, 12))
        if kind == "b64":
            from base64 import b64encode

            return b64encode(argument.encode()).decode()
        return "".join(source.choices(_ALPHABETS[kind], k=int(argument)))

    return _HOLE.sub(fill, _HOLE.sub(lambda hole: hole[0] if hole[1] == "b64" else fill(hole), text))


def _pattern(plain: dict[str, Any]) -> tuple[str, str, int]:
    """The deciding pattern, the quick one, and the group of the secret."""
    if "raw" in plain:
        raw = plain["raw"].strip()
        return raw, _plain(raw), 0
    if "pattern" in plain:
        core = plain["pattern"]
        return f"{_BEFORE}(?:{core}){_AFTER}", core, 0
    names, value = plain["names"], plain["value"]
    return f"(?i:{names}){_GIVEN}({value}){_AFTER}", f"(?i:{names}){_GIVEN}(?:{value})", 1


def _plain(pattern: str) -> str:
    """Without looking around and without names of groups, which a quick search has not."""
    pattern = re.sub(r"\(\?<?[!=](?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)", "", pattern)
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


def _keywords(plain: dict[str, Any]) -> list[str]:
    """The literal beginning of a token, or the names; what is more involved names its keywords itself."""
    if "names" in plain:
        names = plain["names"].split("|")
        if all(re.fullmatch(r"[\w\-]+", name) for name in names):
            return [name.lower() for name in names]
    elif "pattern" in plain and (found := re.match(r"(?:[A-Za-z0-9_\-/:]|\\[.\-/])+(?![?*{])", plain["pattern"])):
        word = found[0].replace("\\", "")
        if len(word) >= 3:
            return [word.lower()]
    raise ValueError("it needs keywords")


def _order(rule: dict[str, Any]) -> tuple[bool, bool, bool, int]:
    """What is recognised by itself before what is only assigned, scored rules last."""
    unsure = rule.get("confidence", "high") != "high"
    return rule["category"] == "assignment", unsure, not rule["strong"], -max(map(len, rule["keywords"]), default=0)


def main(arguments: Sequence[str]) -> int:
    """Write the packaged rules to the file named."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m seawall.images.load.secrets OUT\n")
        return 2
    try:
        found = compiled()
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    out = Path(arguments[0])
    fresh = out.with_name(out.name + ".new")
    fresh.write_text(json.dumps(found, ensure_ascii=False, separators=(",", ":")), "utf-8")
    fresh.replace(out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
