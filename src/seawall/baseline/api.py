"""Baselines over HTTP: benchmarks, results by check and by asset, runs and waivers. Paths: docs/reference/api.md."""

import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import ColumnClause, Connection, Integer, String, case, column, func, select, values

from seawall.baseline import load, store
from seawall.baseline.detect.evaluate import rate
from seawall.baseline.model import Benchmark, Check
from seawall.baseline.store import OUTCOMES, RESULTS, WAIVERS
from seawall.core import clock
from seawall.core.ids import new_id
from seawall.lists import Change, Door, Listing, Refused, User, add

MAX_WAIVER_DAYS = 730
_SELECTORS = ("id", "name", "host", "kind")


class NewWaiver(BaseModel):
    """A deviation to be accepted: which check, on what, by whom, why, until when."""

    check: str = Field(max_length=64)
    selector: dict[str, str] = Field(default_factory=dict)
    owner: str = Field(min_length=1, max_length=64)
    reason: str = Field(min_length=3, max_length=2000)
    expires_at: str = Field(max_length=32)


def router(door: Door) -> APIRouter:
    """The room's routes, without their common prefix."""
    routes = APIRouter(tags=["baseline"])

    @routes.get("/baselines", operation_id="list_baselines", dependencies=[Depends(door.viewer)])
    def list_baselines(connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """Every benchmark, with its counts."""
        rows = store.summary(connection, time.time())
        return {"items": rows, "next": None, "total": len(rows)}

    add(routes, "/baselines/waivers", _waivers(), door, name="list_waivers")

    @routes.post("/baselines/waivers", operation_id="create_waiver", status_code=201)
    def create_waiver(wish: NewWaiver, user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Accept a deviation until a day; failures of the check on what is selected count as waived."""
        waiver = store.new_waiver(*_checked(wish))

        def step(connection: Connection) -> tuple[None, Sequence[Change]]:
            return None, store.waive(connection, waiver, user.name, clock.now())

        door.write(step)
        return {"id": waiver.id, **wish.model_dump(), "expires_at": waiver.expires_at}

    @routes.delete(
        "/baselines/waivers/{id}", operation_id="delete_waiver", status_code=204, dependencies=[Depends(door.operator)]
    )
    def delete_waiver(id: str) -> None:
        """Take a waiver back; what it covered fails again."""
        door.write(lambda connection: (None, store.unwaive(connection, id, clock.now())))

    @routes.get("/baselines/{id}", operation_id="get_baseline", dependencies=[Depends(door.viewer)])
    def get_baseline(id: str, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """One benchmark, with its counts."""
        _benchmark(id)
        return next(row for row in store.summary(connection, time.time()) if row["id"] == id)

    @routes.post("/baselines/{id}/run", operation_id="run_baseline", status_code=202)
    def run_baseline(id: str, user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Have every online agent collect the facts anew; the answer is the first one's job, `jobs` has all."""
        benchmark = _benchmark(id)
        agents = door.agents()
        if not agents:
            raise Refused("no agent is online", "start one, or see Agents for why", 409)
        run = new_id("run")
        door.write(lambda connection: (None, store.start(connection, run, benchmark.id, agents, user.name)))
        jobs, args, away = [], {"benchmark": benchmark.id, "run": run}, []
        for agent in agents:
            try:
                jobs.append(door.order(agent.agent_id, "baseline.collect", args, target=agent.host_name))
            except Refused:
                away.append(agent.agent_id)
        if away:
            door.write(lambda connection: (None, store.give_up(connection, run, away, clock.now())))
        if not jobs:
            raise Refused("every agent went away meanwhile", "see Agents for why", 409)
        return {**jobs[0], "run": run, "jobs": [job["id"] for job in jobs]}

    add(routes, "/baselines/{id}/checks", _by_check, door, name="list_baseline_checks")
    add(routes, "/baselines/{id}/assets", _by_asset, door, name="list_baseline_assets")
    add(routes, "/baselines/{id}/results", _results, door, name="list_baseline_results")
    return routes


def _benchmark(id: str) -> Benchmark:
    found = load.packaged().get(id)
    if found is None:
        raise Refused(f"there is no benchmark {id!r}", f"use one of: {', '.join(load.packaged())}", 404)
    return found


def _checked(wish: NewWaiver) -> tuple[str, Mapping[str, str], str, str, str]:
    known = {check.id for benchmark in load.packaged().values() for check in benchmark.checks}
    if wish.check not in known:
        raise Refused(f"there is no check {wish.check!r}", "GET /baselines/{id}/checks lists them")
    if strange := [key for key in wish.selector if key not in _SELECTORS]:
        raise Refused(f"assets cannot be selected by {strange[0]!r}", f"use {', '.join(_SELECTORS)}")
    try:
        until = clock.parse_time(wish.expires_at)
    except ValueError:
        raise Refused(f"{wish.expires_at!r} is no time", "RFC 3339: 2027-01-31T00:00:00Z") from None
    if not time.time() < until < time.time() + MAX_WAIVER_DAYS * 86400:
        raise Refused(f"a waiver ends within {MAX_WAIVER_DAYS} days from now", "accepting for ever is not offered")
    return wish.check, wish.selector, wish.owner, wish.reason, clock.format_time(until)


_SUMS = [func.coalesce(func.sum(case((RESULTS.c.outcome == name, 1), else_=0)), 0).label(name) for name in OUTCOMES]


def _by_check(_connection: Connection, parameters: Mapping[str, str]) -> Listing:
    """All checks of a benchmark, those without any result too: never run is not passed."""
    benchmark = _benchmark(parameters["id"])
    checks = {check.id: check for check in benchmark.checks}
    rows = [_check_row(place, check) for place, check in enumerate(benchmark.checks)]
    texts = ("check", "title", "title_zh", "severity", "asset_kind")
    columns: list[ColumnClause[Any]] = [column(name, String) for name in texts]
    columns += [column(name, Integer) for name in ("severity_rank", "level", "place")]
    table = values(*columns, name="checks").data(rows).cte("checks")  # SQLite names the columns of a CTE only
    summed = select(RESULTS.c.check, *_SUMS).where(RESULTS.c.benchmark == benchmark.id).group_by(RESULTS.c.check)
    sums = summed.subquery()
    found = [func.coalesce(sums.c[name], 0).label(name) for name in OUTCOMES]

    def shown(row: Mapping[str, Any]) -> dict[str, Any]:
        check = checks[row["check"]]
        return {
            "id": check.id,
            "check": check.id,
            "title": dict(check.title),
            "severity": check.severity.value,
            "level": check.level,
            "asset_kind": check.asset,
            "why": dict(check.why),
            "fix": dict(check.fix),
            "mappings": {key: list(value) for key, value in check.mappings.items()},
            "manual": check.manual,
            "counts": store.counted(row),
        }

    return Listing(
        select(table, *found).select_from(table.outerjoin(sums, sums.c.check == table.c.check)),
        key="place",
        sort="place",
        sorts=("place", "check", "title", "severity", "level", *OUTCOMES),
        filters=("check", "severity", "level", "asset_kind"),
        text=("check", "title", "title_zh"),
        sort_as={"severity": "severity_rank"},
        row=shown,
    )


def _check_row(place: int, check: Check) -> tuple[str | int, ...]:
    texts = check.id, check.title["en"], check.title["zh"], check.severity.value, check.asset
    return *texts, check.severity.rank, check.level, place


def _by_asset(_connection: Connection, parameters: Mapping[str, str]) -> Listing:
    benchmark = _benchmark(parameters["id"])
    place = (RESULTS.c.asset_id, RESULTS.c.asset_kind, RESULTS.c.asset_name, RESULTS.c.host_id, RESULTS.c.host_name)
    grouped = (
        select(RESULTS.c.asset, *place, func.max(RESULTS.c.judged_at).label("judged_at"), *_SUMS)
        .where(RESULTS.c.benchmark == benchmark.id)
        .group_by(RESULTS.c.asset, *place)
    )

    def shown(row: Mapping[str, Any]) -> dict[str, Any]:
        counts = store.counted(row)
        return {
            "kind": row["asset_kind"],
            "id": row["asset_id"],
            "name": row["asset_name"],
            "host_id": row["host_id"],
            "host_name": row["host_name"],
            "judged_at": row["judged_at"],
            "counts": counts,
            "rate": rate(counts),
        }

    return Listing(
        grouped,
        key="asset",
        sort="-fail",
        sorts=("asset_name", "asset_kind", "host_name", "judged_at", *OUTCOMES),
        filters=("asset_id", "asset_kind", "asset_name", "host_id", "host_name"),
        text=("asset_name", "asset_id", "host_name"),
        row=shown,
    )


def _results(_connection: Connection, parameters: Mapping[str, str]) -> Listing:
    benchmark = _benchmark(parameters["id"])
    return Listing(
        select(RESULTS).where(RESULTS.c.benchmark == benchmark.id),
        key="id",
        sort="-severity",
        sorts=("severity", "check", "asset_name", "outcome", "since", "judged_at"),
        filters=("check", "outcome", "severity", "asset_id", "asset_kind", "asset_name", "host_id", "host_name"),
        text=("check", "asset_name", "asset_id", "host_name", "reason"),
        time="since",
        sort_as={"severity": "severity_rank"},
        row=store.shown,
    )


def _waivers() -> Listing:
    return Listing(
        select(WAIVERS),
        key="id",
        sort="-created_at",
        sorts=("created_at", "expires_at", "check", "owner"),
        filters=("check", "owner", "created_by"),
        text=("check", "owner", "reason"),
        time="created_at",
        row=lambda row: {name: row[name] for name in WAIVERS.c.keys()},  # noqa: SIM118 - a ColumnCollection is no dict
    )
