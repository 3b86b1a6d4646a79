"""Facts of each asset, the results judged from them, runs and waivers.

Facts are kept, so that another benchmark, a changed check or a waiver needs no new collection: results are judged here.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    RowMapping,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from seawall.baseline import load
from seawall.baseline.detect.evaluate import evaluate, rate
from seawall.baseline.model import Benchmark, Check, Facts, Outcome, Result, Waiver
from seawall.baseline.normalise import parse, plain
from seawall.core import clock
from seawall.core.envelope import Item
from seawall.core.errors import Hostile
from seawall.core.ids import new_id
from seawall.lists import Change, Refused, Source

METADATA = MetaData()
PATIENCE = 900.0
"""Seconds after which a run whose end was not heard of does not count as running any more."""
MAX_ASSETS = 10_001
OUTCOMES = tuple(outcome.value for outcome in Outcome)
_KEYS = 500

FACTS = Table(
    "baseline_facts",
    METADATA,
    Column("id", String(400), primary_key=True),
    Column("host_id", String(128), nullable=False, index=True),
    Column("host_name", String(256), nullable=False),
    Column("agent_id", String(32), nullable=False),
    Column("data", JSON, nullable=False),
    Column("received_at", String(32), nullable=False),
)

RESULTS = Table(
    "baseline_results",
    METADATA,
    Column("id", String(500), primary_key=True),
    Column("benchmark", String(64), nullable=False),
    Column("check", String(64), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("severity_rank", Integer, nullable=False),
    # The row of `baseline_facts` that it was judged from; the asset's own id is what other rooms call it.
    Column("asset", String(400), nullable=False, index=True),
    Column("asset_id", String(256), nullable=False),
    Column("asset_kind", String(32), nullable=False),
    Column("asset_name", String(256), nullable=False),
    Column("host_id", String(128), nullable=False),
    Column("host_name", String(256), nullable=False),
    Column("agent_id", String(32), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    # Since when the outcome is what it is.
    Column("since", String(32), nullable=False),
    Column("judged_at", String(32), nullable=False),
    Index("baseline_results_check", "benchmark", "check", "outcome"),
)

RUNS = Table(
    "baseline_runs",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("agent_id", String(32), primary_key=True),
    Column("benchmark", String(64), nullable=False, index=True),
    Column("started_by", String(64), nullable=False),
    Column("started_at", String(32), nullable=False),
    Column("finished_at", String(32)),
)

WAIVERS = Table(
    "baseline_waivers",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("check", String(64), nullable=False),
    Column("selector", JSON, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("expires_at", String(32), nullable=False),
)


def apply(connection: Connection, source: Source, item: Item, now: str) -> list[Change]:
    """Store one `facts` item: facts of an asset, or the line that ends a collection. Raises Hostile on neither."""
    if item.data.get("complete") is True:
        return _finish(connection, source, item.data, now)
    if item.data.get("complete") is False:
        return give_up(connection, str(item.data.get("run") or ""), [source.agent_id], now)
    facts = parse(item.data)
    if facts.asset.host != source.host_id:
        raise Hostile(f"host {source.host_id} may not speak of an asset on {facts.asset.host}")
    row = {
        "id": _key(source.host_id, facts.asset.id),
        "host_id": source.host_id,
        "host_name": source.host_name,
        "agent_id": source.agent_id,
        "data": plain(facts),
        "received_at": now,
    }
    connection.execute(delete(FACTS).where(FACTS.c.id == row["id"]))
    connection.execute(insert(FACTS).values(row))
    for benchmark in load.packaged().values():
        _judge(connection, benchmark, row, facts, now)
    return []


def judge_again(connection: Connection, check: str, now: str) -> list[Change]:
    """Judge the results of one check anew, because a waiver came, went or ended."""
    wanted = select(RESULTS.c.asset, RESULTS.c.benchmark).where(RESULTS.c.check == check)
    changes = set()
    for asset, name in connection.execute(wanted).all():
        row = connection.execute(select(FACTS).where(FACTS.c.id == asset)).mappings().first()
        benchmark = load.packaged().get(name)
        if row is not None and benchmark is not None:
            one = replace(benchmark, checks=tuple(each for each in benchmark.checks if each.id == check))
            _judge(connection, one, dict(row), parse(row["data"]), now)
            changes.add(name)
    return [Change("baselines/change", {"id": name}) for name in sorted(changes)]


def start(connection: Connection, run: str, benchmark: str, agents: Iterable[Source], by: str) -> list[Change]:
    """Note that agents were asked to collect."""
    now = clock.now()
    rows = [
        {"id": run, "agent_id": one.agent_id, "benchmark": benchmark, "started_by": by, "started_at": now}
        for one in agents
    ]
    connection.execute(insert(RUNS), rows)
    return [Change("baselines/change", {"id": benchmark, "run": run})]


def give_up(connection: Connection, run: str, agents: Sequence[str], now: str) -> list[Change]:
    """These agents will not bring a run to its end: nothing more is waited for, and what is known stays."""
    mine = (RUNS.c.id == run, RUNS.c.agent_id.in_(agents))
    connection.execute(update(RUNS).where(*mine).values(finished_at=now))
    return [Change("baselines/change", {"id": name, "run": run}) for name in load.packaged()]


def summary(connection: Connection, seconds: float) -> list[dict[str, Any]]:
    """One row a benchmark, as `GET /baselines` shows it."""
    return [_summed(connection, one, seconds) for one in load.packaged().values()]


def overview(connection: Connection) -> list[dict[str, Any]]:
    """The overview's `baseline`."""
    wanted = ("id", "title", "rate", "counts", "last_run")
    return [{name: row[name] for name in wanted} for row in summary(connection, time.time())]


def forget(connection: Connection, agent_id: str) -> None:
    """Remove what a deleted agent told."""
    for table in (FACTS, RESULTS, RUNS):
        connection.execute(delete(table).where(table.c.agent_id == agent_id))


def waive(connection: Connection, waiver: Waiver, by: str, now: str) -> list[Change]:
    """Accept a deviation from now on."""
    connection.execute(
        insert(WAIVERS).values(
            id=waiver.id,
            check=waiver.check,
            selector=dict(waiver.selector),
            owner=waiver.owner,
            reason=waiver.reason,
            created_by=by,
            created_at=now,
            expires_at=waiver.expires_at,
        )
    )
    return judge_again(connection, waiver.check, now)


def unwaive(connection: Connection, id: str, now: str) -> list[Change]:
    """Take a waiver back. Refused (404) when there is none."""
    check = connection.execute(select(WAIVERS.c.check).where(WAIVERS.c.id == id)).scalar()
    if check is None:
        raise Refused(f"there is no waiver {id}", "it may have been taken back already", 404)
    connection.execute(delete(WAIVERS).where(WAIVERS.c.id == id))
    return judge_again(connection, check, now)


def ended(connection: Connection, now: str) -> list[str]:
    """Checks whose results still stand as waived though the waiver has ended."""
    # Once judged after that end they stand for another waiver.
    over = (WAIVERS.c.check == RESULTS.c.check) & (WAIVERS.c.expires_at <= now)
    waived = select(RESULTS.c.check).join(WAIVERS, over & (RESULTS.c.judged_at < WAIVERS.c.expires_at))
    waived = waived.where(RESULTS.c.outcome == Outcome.WAIVED.value)
    return list(connection.execute(waived.distinct()).scalars())


def check_of(benchmark: str, id: str) -> Check | None:
    """A check by its benchmark and id."""
    found = load.packaged().get(benchmark)
    return next((check for check in found.checks if check.id == id), None) if found else None


def counted(row: Mapping[str, Any] | RowMapping) -> dict[str, int]:
    """The six counts of a row that has them as columns."""
    return {name: int(row[name] or 0) for name in OUTCOMES}


def _key(host_id: str, asset_id: str) -> str:
    """Two hosts may hold the same container only by a lie: then each has a row of its own."""
    return f"{host_id[:32]}.{asset_id[:256]}"


def _judge(connection: Connection, benchmark: Benchmark, row: Mapping[str, Any], facts: Facts, now: str) -> None:
    results = list(evaluate(benchmark, facts, _waivers(connection), now))
    if not results:
        return
    checks = {check.id: check for check in benchmark.checks}
    mine = (RESULTS.c.asset == row["id"], RESULTS.c.benchmark == benchmark.id)
    wanted = (*mine, RESULTS.c.check.in_([result.check for result in results]))
    before = {
        check: (outcome, since)
        for check, outcome, since in connection.execute(
            select(RESULTS.c.check, RESULTS.c.outcome, RESULTS.c.since).where(*wanted)
        )
    }
    connection.execute(delete(RESULTS).where(*wanted))
    place = {name: row[name] for name in ("host_id", "host_name", "agent_id")}
    connection.execute(
        insert(RESULTS),
        [
            {
                **place,
                **_result(result, checks[result.check], before.get(result.check), now),
                "id": f"{benchmark.id}:{result.check}:{row['id']}",
                "benchmark": benchmark.id,
                "asset": row["id"],
            }
            for result in results
        ],
    )


def _result(result: Result, check: Check, before: tuple[str, str] | None, now: str) -> dict[str, Any]:
    same = before is not None and before[0] == result.outcome.value
    return {
        "check": result.check,
        "severity": check.severity.value,
        "severity_rank": check.severity.rank,
        "asset_id": result.asset.id[:256],
        "asset_kind": result.asset.kind,
        "asset_name": result.asset.name[:256],
        "outcome": result.outcome.value,
        "evidence": [dict(one) for one in result.evidence],
        "reason": result.reason,
        "since": before[1] if same and before else now,
        "judged_at": now,
    }


def _waivers(connection: Connection) -> list[Waiver]:
    names = ("id", "check", "selector", "owner", "reason", "expires_at")
    rows = connection.execute(select(*(WAIVERS.c[name] for name in names)))
    return [Waiver(*row) for row in rows]


def _finish(connection: Connection, source: Source, data: Mapping[str, Any], now: str) -> list[Change]:
    """A collection is whole: what this host did not name any more is gone."""
    assets, run = data.get("assets"), str(data.get("run") or "")
    if not isinstance(assets, list) or len(assets) > MAX_ASSETS:
        raise Hostile(f"a collection names at most {MAX_ASSETS} assets")
    kept = {_key(source.host_id, str(one)) for one in assets}
    had = connection.execute(select(FACTS.c.id).where(FACTS.c.host_id == source.host_id)).scalars()
    gone = [key for key in had if key not in kept]
    for first in range(0, len(gone), _KEYS):
        part = gone[first : first + _KEYS]
        connection.execute(delete(FACTS).where(FACTS.c.id.in_(part)))
        connection.execute(delete(RESULTS).where(RESULTS.c.asset.in_(part)))
    mine = (RUNS.c.id == run, RUNS.c.agent_id == source.agent_id)
    connection.execute(update(RUNS).where(*mine).values(finished_at=now))
    return [Change("baselines/change", {"id": name, "run": run}) for name in load.packaged()]


def _summed(connection: Connection, benchmark: Benchmark, seconds: float) -> dict[str, Any]:
    mine = RESULTS.c.benchmark == benchmark.id
    grouped = select(RESULTS.c.outcome, func.count().label("number")).where(mine).group_by(RESULTS.c.outcome)
    found = dict.fromkeys(OUTCOMES, 0) | {row.outcome: row.number for row in connection.execute(grouped)}
    assets, last = connection.execute(
        select(func.count(RESULTS.c.asset.distinct()), func.max(RESULTS.c.judged_at)).where(mine)
    ).one()
    recent = clock.format_time(seconds - PATIENCE)
    open_runs = select(func.count()).where(
        RUNS.c.benchmark == benchmark.id, RUNS.c.finished_at.is_(None), RUNS.c.started_at > recent
    )
    running = connection.execute(open_runs).scalar_one() > 0
    return {
        "id": benchmark.id,
        "title": dict(benchmark.title),
        "version": benchmark.version,
        "state": "running" if running else "done" if last else "never",
        "last_run": last,
        "counts": found,
        "rate": rate(found),
        "assets": assets,
        "checks": len(benchmark.checks),
    }


def new_waiver(check: str, selector: Mapping[str, str], owner: str, reason: str, expires_at: str) -> Waiver:
    """A waiver with an id of its own."""
    return Waiver(new_id("waiver"), check, selector, owner, reason, expires_at)


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A result as the API shows it."""
    check = check_of(row["benchmark"], row["check"])
    asset = {"id": row["asset_id"], "kind": row["asset_kind"], "name": row["asset_name"]}
    names: Sequence[str] = ("id", "check", "severity", "outcome", "evidence", "reason", "since", "judged_at")
    return {
        **{name: row[name] for name in names},
        "title": dict(check.title) if check else {"en": row["check"], "zh": row["check"]},
        "asset": {**asset, "host_id": row["host_id"], "host_name": row["host_name"]},
    }
