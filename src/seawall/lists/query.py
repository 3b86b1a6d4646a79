"""From the words of a list's address to SQL: filter, text search, sort, keyset page. Pure; no web framework here."""

import base64
import binascii
import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, Select, and_, func, or_, select, tuple_, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import Subquery

from seawall.lists.door import Beside, Refused

MAX_PAGE = 500
MAX_VALUES = 200
"""Values in one filter."""
MAX_TEXT = 200
"""Characters of a text search."""
PLAIN_WORDS = ("limit", "cursor", "sort", "q", "since", "until", "format")


@dataclass(frozen=True, slots=True)
class Listing:
    """What one list offers. Names are those of the columns that `source` selects."""

    source: Select[Any]
    """Every row the caller may see, before filters; columns that are computed need a label."""
    key: str
    """A unique column that is never null: it ends every sort, so pages neither repeat nor miss a row."""
    sort: str
    """The order when none is asked for; "-" in front means descending."""
    sorts: tuple[str, ...]
    filters: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    """Columns that `q` looks into."""
    time: str = ""
    """Column that `since` and `until` compare."""
    sort_as: Mapping[str, str] = field(default_factory=dict)
    """Sort name → column, where they differ (severity → severity_rank)."""
    row: Callable[[Mapping[str, Any]], dict[str, Any]] = dict
    """From a row of `source` to the JSON object of the answer."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    items: list[dict[str, Any]]
    next: str | None
    total: int


def joined(listing: Listing, key: ColumnElement[Any], beside: Beside) -> Listing:
    """The list with what other rooms know of each row's `key`; rows of which they know nothing stay."""
    source = listing.source
    for number, query in enumerate(beside.queries):
        more = query.subquery(f"beside_{number}")
        # A plain column would say that it is never null, which the outer join makes untrue.
        columns = (type_coerce(column, column.type).label(column.name) for column in more.c if column.name != "id")
        source = source.add_columns(*columns)
        source = source.outerjoin(more, more.c.id == key)
    return dataclasses.replace(
        listing,
        source=source,
        sorts=(*listing.sorts, *beside.sorts),
        filters=(*listing.filters, *beside.filters),
        row=lambda row: {**listing.row(row), **beside.row(row)},
    )


def page(connection: Connection, listing: Listing, words: Mapping[str, str], count: bool = True) -> Page:
    """Read the page that `words` (the query string) ask for. Raises Refused naming what is allowed.

    Without `count` the total is -1 and costs nothing.
    """
    rows = listing.source.subquery()
    wanted = _conditions(rows, listing, words)
    name, descending = _sort(listing, words)
    limit = _limit(words.get("limit", "50"))
    total = connection.execute(select(func.count()).select_from(rows).where(*wanted)).scalar_one() if count else -1
    statement = _ordered(select(rows).where(*wanted), rows, listing, name, descending)
    if words.get("cursor"):
        statement = statement.where(_after(rows, listing, name, descending, words["cursor"]))
    # Where nothing matches, reading in the sort's order would look at every row to find that out again.
    found = [dict(row) for row in connection.execute(statement.limit(limit + 1)).mappings()] if total else []
    following = None
    if len(found) > limit:
        found.pop()
        last = found[-1]
        following = _cursor(words.get("sort") or listing.sort, last[_column_name(listing, name)], last[listing.key])
    return Page([listing.row(row) for row in found], following, total)


def _conditions(rows: Subquery, listing: Listing, words: Mapping[str, str]) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    for word, value in words.items():
        if word in PLAIN_WORDS or value == "":
            continue
        if word not in listing.filters:
            known = ", ".join((*listing.filters, *PLAIN_WORDS))
            raise Refused(f"this list cannot be filtered by {word!r}", f"use one of: {known}")
        wanted.append(_filter(rows, word, value))
    terms = words.get("q", "")[:MAX_TEXT].split()
    if terms and not listing.text:
        raise Refused("this list has no text to search", "leave q out")
    wanted += [or_(*(_Holds(rows.c[name], _pattern(term)) for name in listing.text)) for term in terms]
    if listing.time and words.get("since"):
        wanted.append(rows.c[listing.time] >= words["since"])
    if listing.time and words.get("until"):
        wanted.append(rows.c[listing.time] < words["until"])
    return wanted


class _Holds(FunctionElement[bool]):
    """Whether a text matches a pattern, in upper or lower case."""

    name = "holds"
    type = Boolean()
    inherit_cache = True


@compiles(_Holds)
def _ilike(element: _Holds, compiler: SQLCompiler, **words: Any) -> str:
    text, pattern = (compiler.process(part, **words) for part in element.clauses)
    return f"{text} ILIKE {pattern} ESCAPE '/'"


@compiles(_Holds, "sqlite")
def _like(element: _Holds, compiler: SQLCompiler, **words: Any) -> str:
    # SQLite's LIKE does not heed the case; SQLAlchemy's ilike would call lower() on every row and column.
    return _ilike(element, compiler, **words).replace(" ILIKE ", " LIKE ", 1)


def _pattern(term: str) -> str:
    for special in "/%_":
        term = term.replace(special, f"/{special}")
    return f"%{term}%"


def _filter(rows: Subquery, name: str, text: str) -> ColumnElement[bool]:
    """`a,b` keeps equal ones, `!a,b` drops them."""
    column = rows.c[name]
    inverted = text.startswith("!")
    values = text.removeprefix("!").split(",")
    if len(values) > MAX_VALUES:
        raise Refused(f"{name} has {len(values)} values", f"at most {MAX_VALUES} are taken")
    kept = column.in_([_value(column, name, value) for value in values])
    return or_(~kept, column.is_(None)) if inverted else kept


def _value(column: ColumnElement[Any], name: str, text: str) -> Any:
    try:
        kind = column.type.python_type
    except NotImplementedError:
        return text
    if kind is bool:
        if text.lower() not in ("true", "false", "1", "0"):
            raise Refused(f"{name} is true or false, not {text!r}")
        return text.lower() in ("true", "1")
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            raise Refused(f"{name} is a number, not {text!r}") from None
    return text


def _sort(listing: Listing, words: Mapping[str, str]) -> tuple[str, bool]:
    text = words.get("sort") or listing.sort
    name = text.removeprefix("-")
    if name not in listing.sorts:
        raise Refused(f"this list cannot be sorted by {name!r}", f"use one of: {', '.join(listing.sorts)}")
    return name, text.startswith("-")


def _limit(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MAX_PAGE:
        raise Refused(f"limit is a number from 1 to {MAX_PAGE}, not {text!r}")
    return int(text)


def _column_name(listing: Listing, sort: str) -> str:
    return listing.sort_as.get(sort, sort)


def _ordered(statement: Select[Any], rows: Subquery, listing: Listing, name: str, descending: bool) -> Select[Any]:
    column, key = rows.c[_column_name(listing, name)], rows.c[listing.key]
    if column is key:
        return statement.order_by(key.desc() if descending else key)
    first = column.desc() if descending else column.asc()
    if _nullable(column):
        first = first.nulls_last()  # where nothing is known comes last, in both directions and both databases
    return statement.order_by(first, key.desc() if descending else key)


def _after(rows: Subquery, listing: Listing, name: str, descending: bool, cursor: str) -> ColumnElement[bool]:
    """Rows that follow the one the cursor names."""
    sort, value, key_value = _uncursor(cursor)
    if sort.removeprefix("-") != name or sort.startswith("-") != descending:
        raise Refused("the cursor belongs to another sort", "ask for the first page again")
    column, key = rows.c[_column_name(listing, name)], rows.c[listing.key]
    later: ColumnElement[bool] = key < key_value if descending else key > key_value
    if column is key:
        return later
    if value is None:
        return and_(column.is_(None), later)
    pair = tuple_(column, key)
    following = pair < tuple_(value, key_value) if descending else pair > tuple_(value, key_value)
    return or_(following, column.is_(None)) if _nullable(column) else following


def _nullable(column: ColumnElement[Any]) -> bool:
    return bool(getattr(column, "nullable", True))


def _cursor(sort: str, value: Any, key: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([sort, value, key]).encode()).decode().rstrip("=")


def _uncursor(text: str) -> tuple[str, Any, Any]:
    try:
        sort, value, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, TypeError):
        raise Refused("the cursor is not one of this list", "ask for the first page again") from None
    if not isinstance(sort, str) or isinstance(value, list | dict) or isinstance(key, list | dict):
        raise Refused("the cursor is not one of this list", "ask for the first page again")
    return sort, value, key
