"""Ranges as feeds write them: OSV's events, constraints of package managers, brackets of Maven and NuGet."""

import pytest

from seawall.intel import versions
from seawall.intel.match import inside
from seawall.intel.model import Range
from seawall.intel.spans import capped, from_events, others, spans


def held(ecosystem: str, text: str, *names: str) -> str:
    """Which of the versions a text speaks of."""
    key = versions.order(ecosystem)
    assert key is not None
    ranges = spans(ecosystem, text)
    return " ".join(name for name in names if any(inside(one, key(name), key) for one in ranges))


@pytest.mark.parametrize(
    ("ecosystem", "text", "asked", "wanted"),
    [
        ("npm", ">=1.2.0 <2.0.0 || ^3.1.0", "1.1.9 1.2.0 2.0.0 3.1.0 3.9.0 4.0.0-rc.1 4.0.0", "1.2.0 3.1.0 3.9.0"),
        ("npm", "1.x || 2.3.*", "0.9.0 1.0.0 1.9.0 2.0.0 2.3.4 2.4.0", "1.0.0 1.9.0 2.3.4"),
        ("npm", "1.2.3 - 1.2.5", "1.2.2 1.2.3 1.2.5 1.2.6", "1.2.3 1.2.5"),
        ("npm", "~1.2.3", "1.2.2 1.2.9 1.3.0", "1.2.9"),
        ("npm", "^0.2.3", "0.2.3 0.2.9 0.3.0", "0.2.3 0.2.9"),
        ("npm", "*", "0.0.1 9.9.9", "0.0.1 9.9.9"),
        ("npm", "= 1.2.3 || >2", "1.2.3 2.0.0 2.0.1", "1.2.3 2.0.1"),
        ("Go", ">= 1.0, < 2.0", "v0.9.0 v1.0.0 v1.9.0 v2.0.0", "v1.0.0 v1.9.0"),
        ("Packagist", "~1.2|^2.0.3", "1.1.0 1.2.0 1.9.0 2.0.2 2.0.3 2.9 3.0.0-alpha", "1.2.0 1.9.0 2.0.3 2.9"),
        ("RubyGems", "~> 1.2.3, != 1.2.5", "1.2.2 1.2.3 1.2.5 1.2.6 1.3.0.rc1 1.3.0", "1.2.3 1.2.6"),
        ("PyPI", ">=1.2,!=1.3.*,<2", "1.1 1.2 1.3 1.3.7 1.4 2.0", "1.2 1.4"),
        ("PyPI", "~=1.4.2", "1.4.1 1.4.2 1.4.9 1.5.dev1 1.5", "1.4.2 1.4.9"),
        ("Maven", "(,1.5],[2.0],[3,4)", "0.1 1.5 1.5.1 2.0 2.1 3 3.9 4", "0.1 1.5 2.0 3 3.9"),
        ("NuGet", "[1.0.0, 2.0.0), (3.0.0,)", "1.0.0 1.9.9 2.0.0 3.0.0 3.0.1", "1.0.0 1.9.9 3.0.1"),
        ("crates.io", "< 0.4.2, >= 0.2", "0.1.0 0.2.0 0.4.1 0.4.2", "0.2.0 0.4.1"),
    ],
)  # fmt: skip
def test_what_a_text_speaks_of(ecosystem: str, text: str, asked: str, wanted: str) -> None:
    assert held(ecosystem, text, *asked.split()) == wanted


def test_an_end_that_was_named_is_the_fix_and_one_that_was_computed_is_not() -> None:
    assert spans("npm", "<1.2.3") == (Range(fixed="1.2.3"),)
    assert spans("npm", "^1.2.3") == (Range("1.2.3", limit="2.0.0-0"),)
    assert spans("npm", "<=1.2.3") == (Range(last_affected="1.2.3"),)


def test_what_is_not_patched_is_affected() -> None:
    assert others("RubyGems", ["~> 1.0.5", ">= 1.2.4"]) == (Range(fixed="1.0.5"), Range("1.1.A", "1.2.4"))
    assert others("crates.io", [">= 0.4.2", "< 0.2"]) == (Range("0.2", "0.4.2"),)
    assert others("npm", []) == (Range(),)
    assert others("npm", ["*"]) == ()


@pytest.mark.parametrize(
    "text", ["[1,2", "(((", ">= ", "1" * 9000, "||" * 600, "[1,2) junk", "^abc", ">=1 <", "a" + "!=1," * 600]
)
def test_hostile_texts_are_value_errors(text: str) -> None:
    with pytest.raises(ValueError, match=r"range|numbers"):
        spans("npm", text)


def test_events_come_in_any_order() -> None:
    events = [
        ("fixed", "2.0.0"),
        ("introduced", "3.0.0"),
        ("introduced", "0"),
        ("introduced", "1.0.0"),
        ("last_affected", "3.5.0"),
    ]
    assert from_events("npm", events) == (Range(fixed="2.0.0"), Range("3.0.0", last_affected="3.5.0"))
    assert from_events("npm", [("introduced", "1.0.0"), ("last_affected", "1.0.0")]) == (
        Range("1.0.0", last_affected="1.0.0"),
    )
    assert from_events("npm", [("fixed", "1.2.0"), ("fixed", "1.5.0"), ("introduced", "0")]) == (Range(fixed="1.2.0"),)
    assert from_events("npm", [("introduced", "1"), ("fixed", "1.5"), ("introduced", "1.5"), ("fixed", "2")]) == (
        Range("1", "1.5"),
        Range("1.5", "2"),
    )


def test_a_limit_ends_what_is_spoken_of_and_mends_nothing() -> None:
    (one,) = from_events("npm", [("introduced", "0"), ("limit", "2.0.0")])
    key = versions.ORDERS["semver"]
    assert (one.fixed, one.limit) == ("", "2.0.0")
    assert inside(one, key("1.9.9"), key)
    assert not inside(one, key("2.0.0"), key)
    assert from_events("npm", [("introduced", "0"), ("limit", "*")]) == (Range(),)


def test_the_last_known_affected_version_ends_an_open_range() -> None:
    assert capped("npm", [Range("1.0.0")], "<= 1.5.0") == (Range("1.0.0", last_affected="1.5.0"),)
    assert capped("npm", [Range("1.0.0")], "< 2") == (Range("1.0.0", limit="2"),)
    assert capped("npm", [Range("1.0.0", "1.2.0")], "<= 1.5.0") == (Range("1.0.0", "1.2.0"),)
    assert capped("npm", [Range("1.0.0")], "what?!") == (Range("1.0.0"),)
