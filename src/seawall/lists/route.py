"""A list as a route: pages as JSON, everything as a CSV or JSON-lines download."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from seawall.lists.door import Door, Refused
from seawall.lists.query import MAX_PAGE, PLAIN_WORDS, Listing, page

MAX_EXPORT = 1_000_000
"""Rows of one download."""

Supply = Listing | Callable[[Connection, Mapping[str, str]], Listing]
"""A list, or how to make it from the path's parameters (`/images/{id}/packages`)."""


def add(router: APIRouter, path: str, supply: Supply, door: Door, *, item: Any = None, name: str = "") -> None:
    """Serve a list at `path` to every viewer.

    `item` is the type of a row for OpenAPI (a dataclass or TypedDict); `name` the operation's id.
    """

    def serve(request: Request, connection: Annotated[Connection, Depends(door.read)]) -> Any:
        listing = supply if isinstance(supply, Listing) else supply(connection, request.path_params)
        words = dict(request.query_params)
        form = words.pop("format", "")
        if form == "":
            found = page(connection, listing, words)
            return {"items": found.items, "next": found.next, "total": found.total}
        return _download(connection, listing, words, form, path.rsplit("/", 1)[-1])

    router.add_api_route(
        path,
        serve,
        methods=["GET"],
        dependencies=[Depends(door.viewer)],
        response_model=None,
        operation_id=name or "list_" + re.sub(r"\W+", "_", path).strip("_"),
        summary=f"List {path.strip('/')}: filter, sort, page, export",
        openapi_extra=_described(supply, item),
    )


def _download(
    connection: Connection, listing: Listing, words: Mapping[str, str], form: str, name: str
) -> StreamingResponse:
    writers = {"csv": (_csv, "text/csv; charset=utf-8"), "jsonl": (_jsonl, "application/x-ndjson")}
    if form not in writers:
        raise Refused(f"there is no format {form!r}", f"use one of: {', '.join(writers)}")
    write, media = writers[form]
    rows = _rows(connection, listing, words)
    # The first row is read before the answer starts, so that a bad filter is an error and not an empty file.
    first = next(rows, None)
    return StreamingResponse(
        write(first, rows), media_type=media, headers={"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    )


def _rows(connection: Connection, listing: Listing, words: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """All rows, page after page: short statements, so that a slow reader holds no lock and little memory."""
    asked = {**words, "limit": str(MAX_PAGE), "cursor": ""}
    sent = 0
    while sent < MAX_EXPORT:
        found = page(connection, listing, asked, count=False)
        yield from found.items
        sent += len(found.items)
        if found.next is None:
            return
        asked["cursor"] = found.next


def _jsonl(first: dict[str, Any] | None, rest: Iterator[dict[str, Any]]) -> Iterator[str]:
    if first is not None:
        yield json.dumps(first, ensure_ascii=False) + "\n"
    for row in rest:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def _csv(first: dict[str, Any] | None, rest: Iterator[dict[str, Any]]) -> Iterator[str]:
    if first is None:
        return
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(first)
    writer.writerow(_cell(first[name]) for name in first)
    for row in rest:
        writer.writerow(_cell(row.get(name)) for name in first)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _cell(value: Any) -> str:
    """Text of a cell. One that a spreadsheet would run as a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _described(supply: Supply, item: Any) -> dict[str, Any]:
    """The OpenAPI part of a list: its parameters and the shape of its answer."""
    names = [*PLAIN_WORDS, *(supply.filters if isinstance(supply, Listing) else ())]
    parameters = [{"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in names]
    rows: dict[str, Any] = {"type": "object", "additionalProperties": True}
    if item is not None:
        from pydantic import TypeAdapter

        rows = TypeAdapter(item).json_schema(mode="serialization")
    answer = {
        "type": "object",
        "required": ["items", "next", "total"],
        "properties": {
            "items": {"type": "array", "items": rows},
            "next": {"type": ["string", "null"]},
            "total": {"type": "integer"},
        },
    }
    content = {"application/json": {"schema": answer}}
    return {"parameters": parameters, "responses": {"200": {"description": "One page", "content": content}}}
