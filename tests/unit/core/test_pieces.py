"""A JSON object in pieces says what json.loads says of it."""

import json
from typing import Any

import pytest

from seawall.core import pieces

OBJECTS, ARRAYS = ("plan",), ("rules", "parts")


def whole(value: Any) -> Any:
    if isinstance(value, pieces.Items):
        found = list(value)
        assert found == list(value), "it can be walked again"
        assert len(found) == len(value)
        return found
    return {name: whole(one) for name, one in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        ' { "a" : 1 , "rules" : [ ] } ',
        '{"rules":[1],"parts":[[1,2],{"a":"\\u4e2d"},null]}',
        '{"version":"1","plan":{"rules":[{"id":"x, ]"},{"id":"é"}],"lists":{"rules":[1]},"parts":{}},"rules":"none"}',
        '{"plan":[1],"rules":{"parts":[1]}}',
        "[1,2]",
        '"text"',
        "3",
    ],
)
def test_it_is_the_same_object(text: str) -> None:
    assert whole(pieces.loads(text, OBJECTS, ARRAYS)) == json.loads(text)


@pytest.mark.parametrize(
    "value",
    [{}, {"rules": []}, {"a": 1.5, "plan": {"rules": [{"b": "中"}, None], "parts": {}}, "parts": [1]}, [1], "x"],
)
def test_it_writes_what_it_reads(value: Any) -> None:
    assert pieces.dumps(value, OBJECTS, ARRAYS) == json.dumps(value, separators=(",", ":"))


def test_only_the_named_arrays_are_read_item_by_item() -> None:
    value = pieces.loads('{"rules":[1],"plan":{"parts":[2]},"lists":{"rules":[3]}}', OBJECTS, ARRAYS)
    assert isinstance(value["rules"], pieces.Items)
    assert isinstance(value["plan"]["parts"], pieces.Items)
    assert value["lists"] == {"rules": [3]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"rules"',
        '{"rules":',
        '{"rules":[',
        '{"rules":[1',
        '{"rules":[1,]}',
        '{"rules":[1 2]}',
        '{"rules":[1],}',
        '{"rules":[1]',
        '{"rules":[1]} x',
        "{a:1}",
        "{1:[1]}",
        '{"plan":{"rules":[}}',
        '{"a" 1}',
    ],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        json.loads(text)
    with pytest.raises(ValueError):
        pieces.loads(text, OBJECTS, ARRAYS)
