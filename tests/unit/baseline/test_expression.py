"""The language of checks: what is not known never becomes a pass."""

import pytest

from seawall.baseline.detect.expression import OPERATORS, check, holds, offenders
from seawall.baseline.model import Fact

FACTS = {
    "yes": Fact(True, "here"),
    "no": Fact(False, "here"),
    "away": Fact(None, "here", "the daemon hangs"),
    "mounts": Fact([{"source": "/", "writable": False}, {"source": "/srv/web", "writable": True}], "here"),
}
YES, NO, AWAY = ({"fact": name, "is": True} for name in ("yes", "no", "away"))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (YES, True),
        (NO, False),
        (AWAY, None),
        ({"fact": "never heard of", "is": True}, None),
        ({"all": [YES, AWAY]}, None),
        ({"all": [NO, AWAY]}, False),
        ({"any": [YES, AWAY]}, True),
        ({"any": [NO, AWAY]}, None),
        ({"not": AWAY}, None),
        ({"not": NO}, True),
        ({"fact": "mounts", "none": {"field": "source", "reaches": ["/etc"]}}, False),
        ({"fact": "mounts", "none": {"field": "source", "lies_in": ["/etc"]}}, True),
    ],
)
def test_three_answers(expression, expected):
    check(expression)
    assert holds(expression, FACTS) is expected


@pytest.mark.parametrize(
    ("operator", "value", "operand", "expected"),
    [
        ("is", "a", "a", True),
        ("is", "a", "b", False),
        ("in", "a", ["a", "b"], True),
        ("in", "c", ["a", "b"], False),
        ("empty", [], True, True),
        ("empty", ["x"], True, False),
        ("empty", ["x"], False, True),
        ("at_least", 3, 3, True),
        ("at_least", None, 1, False),
        ("at_most", 5, 5, True),
        ("at_most", 6, 5, False),
        ("below", 80, 1024, True),
        ("below", 8080, 1024, False),
        ("contains", ["bridge"], "bridge", True),
        ("contains", None, "bridge", False),
        ("has_any", ["sshd", "sh"], ["sshd"], True),
        ("has_any", ["sh"], ["sshd"], False),
        ("only", ["A"], ["A", "B"], True),
        ("only", ["A", "C"], ["A", "B"], False),
        ("begins", "/docker/x", ["/docker"], True),
        ("begins", "", ["/docker"], False),
        ("reaches", "/", ["/etc"], True),
        ("reaches", "/etc", ["/etc"], True),
        ("reaches", None, ["/etc"], False),
        ("lies_in", "", ["/etc"], False),
        ("reaches", "/etcetera", ["/etc"], False),
        ("reaches", "/etc/ssl", ["/etc"], False),
        ("lies_in", "/etc/ssl", ["/etc"], True),
        ("lies_in", "/etcetera", ["/etc"], False),
    ],
)
def test_each_operator(operator, value, operand, expected):
    assert OPERATORS[operator](value, operand) is expected


def test_each_operator_is_tested():
    marks = test_each_operator.pytestmark
    assert {case[0] for mark in marks for case in mark.args[1]} == set(OPERATORS)


def test_the_objects_that_break_a_check_are_named():
    expression = {"fact": "mounts", "none": {"field": "writable", "is": True}}
    assert offenders(expression, FACTS) == [{"source": "/srv/web", "writable": True}]


def test_an_object_that_breaks_two_rules_is_named_once():
    one = {"fact": "mounts", "none": {"field": "writable", "is": True}}
    other = {"fact": "mounts", "none": {"field": "source", "lies_in": ["/srv"]}}
    assert offenders({"all": [one, other]}, FACTS) == [{"source": "/srv/web", "writable": True}]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("x", "an expression is an object"),
        ({}, "names a `fact`"),
        ({"all": []}, "takes a list"),
        ({"all": [YES], "any": [YES]}, "stands alone"),
        ({"fact": "a"}, "takes one operator"),
        ({"fact": "a", "is": 1, "in": []}, "takes one operator"),
        ({"fact": "a", "matches": ".*"}, "no operator 'matches'"),
        ({"fact": "a", "in": "b"}, "takes a list"),
        ({"fact": "a", "empty": 1}, "true or false"),
        ({"fact": "a", "at_least": "3"}, "takes a number"),
        ({"fact": "a", "none": {"is": 1}}, "takes an object with a `field`"),
        ({"not": {"not": {"not": {"not": {"not": {"not": {"not": {"not": {"not": YES}}}}}}}}}, "at most"),
    ],
)
def test_what_is_wrong_with_an_expression_is_said(expression, said):
    with pytest.raises(ValueError, match=said):
        check(expression)
