"""Broken checks are refused with file, check and what to mend."""

import pytest
import yaml

from seawall.baseline.load import benchmark
from seawall.core.errors import SeawallError

GOOD = {
    "id": "x-1",
    "title": {"en": "a", "zh": "a"},
    "asset": "container",
    "severity": "high",
    "probe": {"facts": ["privileged"]},
    "expect": {"fact": "privileged", "is": False},
    "why": {"en": "a", "zh": "a"},
    "fix": {"en": "a", "zh": "a"},
}


def folder(tmp_path, checks):
    (tmp_path / "benchmark.yaml").write_text("id: x\ntitle: {en: X, zh: X}\nversion: '1'\n")
    text = checks if isinstance(checks, str) else yaml.safe_dump(checks)
    (tmp_path / "checks.yaml").write_text(text)
    return tmp_path


def test_a_good_one_loads(tmp_path):
    assert [check.id for check in benchmark(folder(tmp_path, [GOOD])).checks] == ["x-1"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"title": {"en": "a"}}, "checks.yaml: check x-1: a text is in en and zh"),
        ({"severity": "bad"}, "x-1: 'bad' is not a valid Severity"),
        ({"asset": "toaster"}, "there is no asset 'toaster'"),
        ({"probe": {"facts": ["colour"]}}, "container has no fact colour"),
        ({"expect": {"fact": "colour", "is": 1}}, "container has no fact colour"),
        ({"expect": {"fact": "privileged", "like": 1}}, "no operator 'like'"),
        ({"expect": {}}, "needs an `expect`"),
        ({"manual": True}, "not both"),
        ({"command": "rm -rf /"}, "there is no key command"),
    ],
)
def test_a_bad_one_is_refused(tmp_path, change, said):
    with pytest.raises(SeawallError, match=said):
        benchmark(folder(tmp_path, [GOOD | change]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {", "checks.yaml cannot be read"),
        ("a: b", "has to be a list"),
        ("- just words", "check \\?: it has to be an object"),
        ("- !!python/object/apply:os.system ['true']", "cannot be read"),
    ],
)
def test_a_file_that_is_none(tmp_path, text, said):
    with pytest.raises(SeawallError, match=said):
        benchmark(folder(tmp_path, text))


def test_two_of_one_name_are_refused(tmp_path):
    with pytest.raises(SeawallError, match="two checks are called x-1"):
        benchmark(folder(tmp_path, [GOOD, GOOD]))
