"""Rules tested against what the nodes recorded, over HTTP."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field
from sqlalchemy import Connection

from seawall.core import clock
from seawall.lists import Change, Door, Node, Refused, User
from seawall.runtime import compose, plan
from seawall.runtime.api.rules import Draft, problems
from seawall.runtime.detect import reach
from seawall.runtime.load import Compiled
from seawall.runtime.store import replays

ORDER = "runtime.replay"
MAX_NODES = 100
MAX_PLAN = 512 << 10
"""Bytes of the plan that an order carries."""
_DRAFT = "draft.yaml"


class Test(Draft):
    """What to test, on how much of the past."""

    rule: str = Field("", max_length=200)
    """Only this rule of the text."""
    hours: int = Field(24, ge=1, le=24)
    agents: list[str] = Field([], max_length=MAX_NODES)
    """Nodes to ask; none means all that are online."""


def router(door: Door) -> APIRouter:
    """Their routes."""
    routes = APIRouter()

    @routes.post("/rules/test", operation_id="test_rules", status_code=202)
    def test_rules(wish: Test, user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Have nodes judge what they recorded by these rules; `GET /rules/tests/{id}` tells what came of it."""
        compiled = compose.compiled_texts([(_DRAFT, wish.text)], compose.words())
        body = _plan(compiled, wish.rule)
        nodes = _nodes(door, wish.agents)
        told = {
            "hours": wish.hours,
            "rules": [rule["id"] for rule in body["rules"]],
            "errors": problems(compiled.errors, lambda file: file == _DRAFT),
        }
        able = [(node.source, node.online and ORDER in node.orders) for node in nodes]

        def begin(connection: Connection) -> tuple[str, Sequence[Change]]:
            return replays.begin(connection, able, told, user=user.name, now=clock.now()), []

        test = door.write(begin)
        for source, is_able in able:
            if is_able:
                _order(door, source.agent_id, {"plan": body, "hours": wish.hours, "test": test})
        return {"id": test}

    @routes.get("/rules/tests/{id}", operation_id="get_rules_test", dependencies=[Depends(door.viewer)])
    def get_rules_test(id: str, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """How far a test is: each node with how much of the past it had, the hits, and some of the alerts."""
        return replays.one(connection, id)

    return routes


def _nodes(door: Door, wanted: Sequence[str]) -> list[Node]:
    ids = list(dict.fromkeys(wanted)) or [source.agent_id for source in door.agents()][:MAX_NODES]
    if not ids:
        raise Refused("no agent is online", "start one, or see Agents for why", 409)
    return [door.node(agent_id) for agent_id in ids]


def _order(door: Door, agent_id: str, args: dict[str, Any]) -> None:
    try:
        door.order(agent_id, ORDER, args, target=f"rules test {args['test']}")
    except Refused as refused:  # it went away just now
        words = str(refused)

        def failed(connection: Connection) -> tuple[None, Sequence[Change]]:
            return None, replays.stated(connection, args["test"], agent_id, "failed", words)

        door.write(failed)


def _plan(compiled: Compiled, only: str) -> dict[str, Any]:
    """The tested rules alone as a plan, with the lists that they use."""
    mine = [
        rule for rule in compiled.plan.rules if compiled.rules[rule.id].file == _DRAFT and (not only or rule.id == only)
    ]
    if not mine:
        named = f"no rule {only!r}" if only else "no rule that compiles"
        why = compiled.errors[0].message if compiled.errors else "write at least one"
        raise Refused(f"the text has {named}", why)
    words = {word for rule in mine for word in _words(rule.when)}
    lists = {name: items for name, items in compiled.plan.lists.items() if name in words}
    body = plan.encode(plan.seal(tuple(mine), lists, reach.filters(mine, lists)))
    if len(json.dumps(body)) > MAX_PLAN:
        raise Refused("these are too many rules for one test", "name one with `rule`", 413)
    return body


def _words(when: Any) -> Iterator[str]:
    """All texts in a condition; the names of its lists are among them."""
    if isinstance(when, str):
        yield when
    elif isinstance(when, list | tuple):
        for part in when:
            yield from _words(part)
