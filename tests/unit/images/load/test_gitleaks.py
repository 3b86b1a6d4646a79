"""Rules in gitleaks' form: what differs from Python is rewritten, what cannot be used is named."""

import re
from pathlib import Path

import pytest

from seawall.core.errors import SeawallError
from seawall.images.collect.prefilter import PACKED, Hyperscan, Keywords
from seawall.images.detect.secrets.scan import Judge, Where
from seawall.images.load import gitleaks

SHEET = r"""
[allowlist]
paths = ['''(^|/)vendor/''']
stopwords = ["sample"]
[[rules]]
id = "corp-token"
description = "Corp token"
regex = '''corp(?i)_([a-z0-9]{20})(?:['"\s]|$)'''
keywords = ["corp_"]
entropy = 3
[[rules.allowlists]]
regexTarget = "line"
regexes = ['''for tests only''']
[[rules]]
id = "far"
regex = '''[0-9a-f]{40}'''
keywords = ["corporation"]
[[rules]]
id = "paths-only"
path = '''\.p12$'''
"""
SHARED = Path(__file__).parents[5] / "shared" / "data" / "rules" / "gitleaks.toml"
VALUE = "q8zt3mx5kv9w" + "2hj7nc4b"


def found(text: str, path: str = "app/a.txt") -> list[str]:
    rules, problems = gitleaks.parse("corp.toml", SHEET)
    assert not problems
    seen = []
    for engine in (Hyperscan(rules, [], None), Keywords(rules, [])):
        hits = engine.hits(text.encode(), True)
        hits.pop(PACKED, None)
        seen.append([one.rule for one in Judge(rules, b"k").findings(text.encode(), hits, Where(path))])
    assert seen[0] == seen[1]
    return seen[0]


def test_a_keyword_counts_anywhere_in_the_file() -> None:
    value = VALUE.translate(str.maketrans("qzmxkvwhjn", "0123456789")) + "0a1b2c3d4e5f6a7b8c9d0e"
    value = "".join(char for char in value if char in "0123456789abcdef")[:40].ljust(40, "7")
    assert found(f"x = {value}\n") == []
    assert found(f"x = {value}\n" + " " * 9000 + "Corporation\n") == ["user-far"]


def test_a_rule_works_with_its_allow_lists() -> None:
    assert found(f"key = CORP_{VALUE}\n") == []
    assert found(f"key = corp_{VALUE.upper()}\n") == ["user-corp-token"]
    assert found(f"key = corp_{VALUE}") == ["user-corp-token"]
    assert found(f"key = corp_{VALUE} # for tests only\n") == []
    assert found(f"key = corp_{VALUE}\n", "vendor/a") == []
    assert found("key = corp_" + "sample" + VALUE[6:] + "\n") == []
    assert found("key = corp_" + "a" * 20 + "\n") == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"a(?i)b|c", "aC"), (r"(a(?i)b)c", "aBc"), (r"[[:alpha:]]{2}[^[:digit:]]", "abc"), (r"\Qa.b\E+", "a.bb"),
        (r"(?P<x>a)\z", "a"), (r"[\w&&x]", "&"), (r"\x{41}", "A"), (r"(?s).a$", "\na"), (r"[]a]", "]"),
    ],
)  # fmt: skip
def test_expressions_are_rewritten(pattern: str, text: str) -> None:
    assert re.search(gitleaks.expression(pattern), text)


@pytest.mark.parametrize("pattern", [r"\pL", "[[:nothing:]]", "a(", "a)", "(?U)a+", "[a", "a\\", r"\x{100}"])
def test_what_has_no_like_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError):
        gitleaks.expression(pattern)


def test_a_broken_rule_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[[rules]]\nid='good'\nregex='abc'\n[[rules]]\nid='bad'\nregex='a('\n[[rules]]\nregex=3\n")
    with pytest.raises(SeawallError, match=r"2 rules cannot be used: bad: .*; rule 3: "):
        gitleaks.read(path)
    for text in ("", "x", "rules = 3", "[[rules]]\nid='a'\nregex='b'\nkeywords=3\n"):
        path.write_text(text)
        with pytest.raises(SeawallError):
            gitleaks.read(path)
    with pytest.raises(SeawallError, match="cannot read"):
        gitleaks.read(tmp_path / "none")


@pytest.mark.skipif(not SHARED.exists(), reason="the shared rule files are not here")
def test_the_public_rules_load_whole() -> None:
    rules, problems = gitleaks.parse(SHARED.name, SHARED.read_text())
    assert not problems
    assert len(rules) > 200
    Hyperscan(rules, [], None)
