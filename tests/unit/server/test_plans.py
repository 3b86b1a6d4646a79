"""The plan that agents get: what cannot be composed leaves the last good one in force, also over a restart."""

import pytest
from sqlalchemy import Connection

from seawall.core import clock
from seawall.core.errors import SeawallError
from seawall.runtime import compose
from seawall.runtime.store import policy, tables
from seawall.server.config import Config
from seawall.server.db import Database, alone
from seawall.server.parts import Parts


def switch(database: Database, group: str, enabled: bool) -> None:
    def step(connection: Connection) -> None:
        policy.switch_group(connection, group, enabled, "ann", clock.now())

    database.write(alone(step))


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Composing fails while there is something in the list."""
    real, failing = compose.compose, []

    def composed(wanted: compose.Policy) -> compose.Composed:
        if failing:
            raise SeawallError("the tables are full", "switch a group off")
        return real(wanted)

    monkeypatch.setattr(compose, "compose", composed)
    return failing


def test_the_plan_follows_the_policy(parts: Parts, database: Database) -> None:
    first = parts.plans.version()
    assert not parts.plans.due()
    switch(database, "malware", False)
    assert parts.plans.due() and parts.plans.state()["pending"]
    assert parts.plans.version() == first, "never made in a request"
    parts.plans.refresh()
    assert parts.plans.version() != first and not parts.plans.due()
    switch(database, "malware", True)
    parts.plans.refresh()
    assert parts.plans.version() == first


def test_what_cannot_be_composed_leaves_the_last_good_plan(
    parts: Parts, database: Database, broken: list[bool]
) -> None:
    good = parts.plans.current()
    broken.append(True)
    switch(database, "malware", False)
    parts.plans.refresh()
    state = parts.plans.state()
    assert state["error"] == "the tables are full — switch a group off" and not state["pending"]
    assert parts.plans.current() == good
    database.write(alone(_enforce))
    parts.plans.refresh()
    assert parts.plans.current()["enforce"] is True, "a setting does not wait for the plan"
    assert parts.plans.current()["plan"] == good["plan"]
    broken.clear()
    parts.plans.refresh()
    assert parts.plans.state()["error"] == "" and parts.plans.current()["plan"] != good["plan"]


def _enforce(connection: Connection) -> None:
    policy.set_settings(connection, {"enforce": True}, "ann", clock.now())


def test_the_last_good_plan_outlives_a_restart(
    parts: Parts, config: Config, database: Database, broken: list[bool]
) -> None:
    from seawall.server.plans import Plans

    switch(database, "malware", False)
    parts.plans.refresh()
    good = parts.plans.current()
    broken.append(True)
    again = another(parts, Plans, config, database)
    assert again.current()["plan"] == good["plan"] and again.state()["error"]
    assert {rule.id for rule in again.composed().rules} == {rule["id"] for rule in good["plan"]["rules"]}

    def lost(connection: Connection) -> None:
        connection.execute(tables.PLANS.delete())

    database.write(alone(lost))
    packaged = another(parts, Plans, config, database).current()["plan"]
    assert packaged["rules"], "the packaged rules, for want of any other"


def another(parts: Parts, plans: type, config: Config, database: Database):  # type: ignore[no-untyped-def]
    """Plans as the server makes them at its start."""
    import inspect

    known = {"config": config, "database": database, "publish": lambda changes: None}
    wanted = inspect.signature(plans).parameters
    more = {name: getattr(parts, name) for name in wanted if name not in known and hasattr(parts, name)}
    return plans(**known, **more)


def test_a_plan_that_no_agent_takes_is_not_sent(parts: Parts, database: Database, monkeypatch) -> None:
    from seawall.runtime import plan

    good = parts.plans.current()
    monkeypatch.setattr(plan, "MAX_BYTES", 100)
    switch(database, "malware", False)
    parts.plans.refresh()
    assert "bytes" in parts.plans.state()["error"] and parts.plans.current() == good
    monkeypatch.undo()
    monkeypatch.setattr(plan, "MAX_RULES", 3)
    parts.plans.refresh()
    assert "the limit is 3" in parts.plans.state()["error"] and parts.plans.current() == good
