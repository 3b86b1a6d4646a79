"""Each rule of secrets finds what it says and passes what it says, with hyperscan and without."""

import re
from collections import Counter
from typing import Any

import pytest

from seawall.images.collect.prefilter import PACKED, Hyperscan, Keywords, Prefilter
from seawall.images.detect.secrets import packed
from seawall.images.detect.secrets.scan import Judge, Where
from seawall.images.load import secrets

SHEETS = [rule for _, rule in secrets.sheets()]
RULES = secrets.rules()
LITERALS = packed.literals(RULES)
ENGINES: dict[str, Prefilter] = {"hyperscan": Hyperscan(RULES, LITERALS, None), "keywords": Keywords(RULES, LITERALS)}
JUDGE = Judge(RULES, b"k" * 32)
PATHS = (
    ".env", "app.conf", "run.sh", "Dockerfile", "settings.xml", ".netrc", ".pgpass", ".git-credentials", "etc/shadow",
    "etc/ppp/chap-secrets", "rsyncd.secrets", "sasl_passwd", "rclone.conf", "wpa_supplicant.conf", "init.sql", "a.cfg",
    ".npmrc",
)  # fmt: skip


def found(engine: Prefilter, text: str, path: str) -> list[tuple[str, str, int]]:
    hits = engine.hits(text.encode(), True)
    hits.pop(PACKED, None)
    return [(one.rule, one.fingerprint, one.line) for one in JUDGE.findings(text.encode(), hits, Where(path))]


def path_for(rule: dict[str, Any]) -> str:
    return next(path for path in PATHS if re.search(rule.get("path", ""), path))


@pytest.mark.parametrize("rule", SHEETS, ids=[rule["id"] for rule in SHEETS])
def test_examples(rule: dict[str, Any]) -> None:
    assert rule["finds"] and rule["passes"]
    path = path_for(rule)
    for text in rule["finds"]:
        whole = secrets.example(text, rule["id"])
        seen = {name: found(engine, whole, path) for name, engine in ENGINES.items()}
        assert rule["id"] in [name for name, *_ in seen["hyperscan"]], (whole, seen)
        assert seen["hyperscan"] == seen["keywords"], whole
    for text in rule["passes"]:
        whole = secrets.example(text, rule["id"])
        seen = {name: found(engine, whole, path) for name, engine in ENGINES.items()}
        assert rule["id"] not in [name for name, *_ in seen["hyperscan"]], whole
        assert seen["hyperscan"] == seen["keywords"], whole


def test_there_are_many_and_each_is_told_in_both_languages() -> None:
    assert len(RULES) >= 150
    assert not [name for name, count in Counter(rule.id for rule in RULES).items() if count > 1]
    for rule in RULES:
        for texts in (rule.title, rule.advice):
            assert texts["en"] and re.search(r"[\u4e00-\u9fff]", texts["zh"]), rule.id
        assert re.fullmatch(r"[a-z0-9-]+", rule.id)


def test_no_example_is_written_whole() -> None:
    """Scanners of others must not cry over this tree: random parts are made when tests run."""
    for rule in SHEETS:
        for text in rule["finds"]:
            outside = re.sub(r"<[^<>]*>", " ", text)
            assert not re.search(r"(?=\S*\d)(?=\S*[a-z])(?=\S*[A-Z])[A-Za-z0-9+/]{32,}", outside), text
