"""Orders of versions against rows of public tables of each ecosystem, odd forms among them."""

from pathlib import Path

import pytest

from seawall.intel import versions

TABLES = sorted((Path(__file__).parent / "tables").glob("*.txt"))


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_table(table: Path) -> None:
    key = versions.ORDERS[table.stem]
    wrong = []
    for row in table.read_text(encoding="utf-8").splitlines():
        one, sign, other = row.split(" ")
        mine, theirs = key(one), key(other)
        if sign != ("<" if mine < theirs else ">" if theirs < mine else "="):
            wrong.append(row)
    assert not wrong


def test_every_order_has_a_table_or_a_comparison_with_its_own_tool() -> None:
    assert {path.stem for path in TABLES} | {"deb", "pep440", "semver"} == set(versions.ORDERS)
