"""The list contract over a real SQLite: filters, text, sorts with unknown values, keyset pages, downloads."""

import csv
import io
import json
from collections.abc import Iterator

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Boolean, Column, Connection, Integer, MetaData, String, Table, create_engine, insert, select
from sqlalchemy.pool import StaticPool

from seawall.lists import Beside, Listing, Refused, User, add, joined, page

THINGS = Table(
    "things",
    MetaData(),
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("score", Integer),
    Column("kev", Boolean, nullable=False),
)
LISTING = Listing(
    select(THINGS),
    key="id",
    sort="name",
    sorts=("id", "name", "score"),
    filters=("name", "kev", "score"),
    text=("name",),
    time="name",
)


@pytest.fixture
def connection() -> Iterator[Connection]:
    # One connection for all threads: the web framework serves from a pool of them.
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    with engine.connect() as connection:
        THINGS.create(connection)
        rows = [
            {"id": f"i{n:03}", "name": f"n{n % 7}", "score": None if n % 5 == 0 else n % 3, "kev": n % 2 == 0}
            for n in range(100)
        ]
        connection.execute(insert(THINGS), rows)
        yield connection
    engine.dispose()


@pytest.mark.parametrize("sort", ["id", "-id", "name", "-name", "score", "-score"])
def test_pages_neither_repeat_nor_miss_a_row(connection: Connection, sort: str) -> None:
    seen: list[dict[str, object]] = []
    cursor = ""
    while True:
        found = page(connection, LISTING, {"sort": sort, "limit": "9", "cursor": cursor})
        seen += found.items
        assert found.total == 100
        if found.next is None:
            break
        cursor = found.next
    assert len({row["id"] for row in seen}) == len(seen) == 100
    known = [row[sort.lstrip("-")] for row in seen if row[sort.lstrip("-")] is not None]
    assert known == sorted(known, reverse=sort.startswith("-"))
    assert seen[-1][sort.lstrip("-")] is None or sort.lstrip("-") != "score", "unknown comes last"


def test_filters_text_and_range(connection: Connection) -> None:
    assert page(connection, LISTING, {"name": "n1,n2"}).total == 29
    assert page(connection, LISTING, {"name": "!n1,n2"}).total == 71
    assert page(connection, LISTING, {"kev": "true"}).total == 50
    assert page(connection, LISTING, {"score": "!1"}).total == 100 - page(connection, LISTING, {"score": "1"}).total
    assert page(connection, LISTING, {"q": "N1"}).total == 15
    assert page(connection, LISTING, {"q": "%"}).total == 0, "a percent sign is a character, not a pattern"
    assert page(connection, LISTING, {"since": "n6"}).total == page(connection, LISTING, {"name": "n6"}).total


@pytest.mark.parametrize(
    "words",
    [
        {"nope": "1"},
        {"sort": "nope"},
        {"limit": "0"},
        {"limit": "99999"},
        {"limit": "x"},
        {"cursor": "!!!"},
        {"cursor": "W10"},
        {"kev": "maybe"},
        {"score": "high"},
        {"name": ",".join("a" * 300)},
    ],
)
def test_what_is_not_understood_is_refused_with_words(connection: Connection, words: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        page(connection, LISTING, words)
    assert str(refused.value)


def test_a_cursor_of_another_sort_is_refused(connection: Connection) -> None:
    first = page(connection, LISTING, {"sort": "name", "limit": "5"})
    assert first.next is not None
    with pytest.raises(Refused):
        page(connection, LISTING, {"sort": "-name", "limit": "5", "cursor": first.next})


@pytest.mark.parametrize("sort", ["weight", "-weight"])
def test_what_other_rooms_know_is_joined_and_unknown_comes_last(connection: Connection, sort: str) -> None:
    weights = Table(
        "weights", MetaData(), Column("id", String, primary_key=True), Column("weight", Integer, nullable=False)
    )
    weights.create(connection)
    connection.execute(insert(weights), [{"id": f"i{n:03}", "weight": n % 4} for n in range(40)])
    beside = Beside((select(weights),), ("weight",), ("weight",), lambda row: {"heavy": row["weight"]})
    listing = joined(LISTING, THINGS.c.id, beside)
    seen: list[dict[str, object]] = []
    cursor: str | None = ""
    while cursor is not None:
        found = page(connection, listing, {"sort": sort, "limit": "7", "cursor": cursor})
        seen, cursor = seen + found.items, found.next
    assert len({row["id"] for row in seen}) == len(seen) == 100
    known = [row["heavy"] for row in seen[:40]]
    assert known == sorted(known, reverse=sort.startswith("-"))
    assert {row["heavy"] for row in seen[40:]} == {None}
    assert page(connection, listing, {"weight": "3"}).total == 10
    assert page(connection, joined(LISTING, THINGS.c.id, Beside()), {}) == page(connection, LISTING, {})


class _Door:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def read(self) -> Iterator[Connection]:
        yield self.connection

    def viewer(self) -> User:
        return User("eve", "viewer")


@pytest.fixture
def client(connection: Connection) -> TestClient:
    router = APIRouter()
    add(router, "/things", LISTING, _Door(connection))  # type-checked only in src; a door's two parts are enough here
    app = FastAPI()
    app.include_router(router)
    return TestClient(app)


def test_downloads_hold_every_row_and_no_formula(connection: Connection, client: TestClient) -> None:
    connection.execute(insert(THINGS), [{"id": "x", "name": "=1+1", "score": 1, "kev": False}])
    rows = list(csv.DictReader(io.StringIO(client.get("/things?format=csv").text)))
    assert len(rows) == 101
    assert [row["name"] for row in rows if row["id"] == "x"] == ["'=1+1"]
    lines = client.get("/things?format=jsonl&name=n1").text.splitlines()
    assert {json.loads(line)["name"] for line in lines} == {"n1"}


def test_a_page_over_http(client: TestClient) -> None:
    answer = client.get("/things?limit=2").json()
    assert len(answer["items"]) == 2
    assert answer["next"]
    assert answer["total"] == 100
