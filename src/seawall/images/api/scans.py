"""Scans of many images over HTTP: begin, follow, stop, and when they begin by themselves."""

import time
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, func, select

from seawall.core import clock
from seawall.images import scans, schedules
from seawall.images.scans import Candidate, Scope, Wish
from seawall.images.tables import INVENTORIES, REGISTRY_IMAGES, SCAN_TARGETS, SCANS, SCHEDULES
from seawall.lists import Change, Door, Listing, Refused, User, add

SCANNERS = ("secret", "malware", "config")
"""Those that can be left out; packages are always read, and vulnerabilities judged here."""
Names = Annotated[list[Annotated[str, Field(max_length=1024)]], Field(max_length=5000)]


class ScopeForm(BaseModel):
    """Which images; patterns are like `*/test-*:*`."""

    model_config = ConfigDict(extra="forbid")
    kind: Annotated[str, Field(max_length=16)] = "all"
    images: Names = []
    registries: Names = []
    exclude: Names = []
    include: Names = []


class NewScan(BaseModel):
    """What is to be scanned now."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(max_length=255)] = ""
    scope: ScopeForm = ScopeForm()
    scanners: list[str] = list(SCANNERS)
    hours: Annotated[float, Field(gt=0, le=168)] = 24


class TimetableForm(BaseModel):
    """Every so many days, from one time of day to another."""

    model_config = ConfigDict(extra="forbid")
    every_days: int = 1
    start: Annotated[str, Field(max_length=5)] = "02:00"
    end: Annotated[str, Field(max_length=5)] = ""
    zone: Annotated[str, Field(max_length=64)] = "UTC"


class Planned(BaseModel):
    """What a schedule does."""

    model_config = ConfigDict(extra="forbid")
    scope: ScopeForm = ScopeForm()
    scanners: list[str] = list(SCANNERS)
    timetable: TimetableForm = TimetableForm()


class NewSchedule(BaseModel):
    """A schedule."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=255)
    form: Planned = Planned()


class Changed(BaseModel):
    """What of a schedule is to be another."""

    model_config = ConfigDict(extra="forbid")
    name: str | None = Field(None, min_length=1, max_length=255)
    enabled: bool | None = None
    form: Planned | None = None


def router(door: Door) -> APIRouter:
    """Their routes."""
    routes = APIRouter()
    add(routes, "/image-scans", _scans(), door, name="list_image_scans")
    add(routes, "/image-scans/{id}/targets", _targets, door, name="list_image_scan_targets")
    add(routes, "/image-schedules", _schedules(), door, name="list_image_schedules")
    operator = Annotated[User, Depends(door.operator)]

    @routes.post("/image-scans", operation_id="start_image_scan", status_code=202)
    def start_image_scan(wish: NewScan, user: operator) -> dict[str, Any]:
        """Scan all images of a scope; the scan tells how far it is."""
        now = time.time()
        scope = _scope(wish.scope)
        scanners = _scanners(wish.scanners)

        def step(connection: Connection) -> tuple[dict[str, Any], list[Change]]:
            found = scans.chosen(scope, candidates(connection, door))
            asked = Wish(wish.name or scope.kind, scope, scanners, user.name, now + wish.hours * 3600)
            return scans.create(connection, asked, found, clock.format_time(now))

        return door.write(step)

    @routes.post("/image-scans/preview", operation_id="preview_image_scan", dependencies=[Depends(door.viewer)])
    def preview_image_scan(scope: ScopeForm, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """How many images a scope holds, and the first of them."""
        found = scans.chosen(_scope(scope), candidates(connection, door))
        return {"total": len(found), "first": [one.target for one in found[:20]]}

    @routes.get("/image-scans/{id}", operation_id="get_image_scan", dependencies=[Depends(door.viewer)])
    def get_image_scan(id: str, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """One scan, with the seconds that are left as far as can be told."""
        return scans.find(connection, id)

    @routes.post("/image-scans/{id}/stop", operation_id="stop_image_scan")
    def stop_image_scan(id: str, user: operator) -> dict[str, Any]:
        """Begin nothing more of it; images that are being read come to their end."""
        return door.write(lambda connection: scans.stop(connection, id, user.name, clock.now()))

    @routes.post("/image-schedules", operation_id="create_image_schedule", status_code=201)
    def create_image_schedule(wish: NewSchedule, user: operator) -> dict[str, Any]:
        """Scan by itself from now on."""
        _scanners(wish.form.scanners)
        value = wish.form.model_dump()

        def step(connection: Connection) -> tuple[dict[str, Any], list[Change]]:
            row = schedules.add(connection, wish.name, value, user.name, clock.now())
            return row, [Change("image-schedules/change", row)]

        return door.write(step)

    @routes.patch("/image-schedules/{id}", operation_id="change_image_schedule")
    def change_image_schedule(id: str, wish: Changed, user: operator) -> dict[str, Any]:
        """Another name or form, or on and off."""
        values = {name: value for name, value in wish.model_dump().items() if value is not None}

        def step(connection: Connection) -> tuple[dict[str, Any], list[Change]]:
            row = schedules.change(connection, id, values, user.name, clock.now())
            return row, [Change("image-schedules/change", row)]

        return door.write(step)

    @routes.delete("/image-schedules/{id}", operation_id="delete_image_schedule", status_code=204)
    def delete_image_schedule(id: str, _user: operator) -> None:
        """Its scans stay."""

        def step(connection: Connection) -> tuple[None, list[Change]]:
            schedules.remove(connection, id)
            return None, [Change("image-schedules/remove", {"id": id})]

        door.write(step)

    return routes


def candidates(connection: Connection, door: Door) -> list[Candidate]:
    """All images that could be scanned: those that hosts hold, and those of registries."""
    use = door.beside("image.held").queries[0].subquery("used")
    rows = select(use.c.id, use.c.name, use.c.containers, INVENTORIES.c.scan.label("scan"))
    held = rows.select_from(use.outerjoin(INVENTORIES, INVENTORIES.c.image_id == use.c.id)).order_by(use.c.name)
    found = [
        Candidate(row.id, row.name or row.id, bool(row.containers), row.scan is not None)
        for row in connection.execute(held)
    ]
    stored = REGISTRY_IMAGES.outerjoin(INVENTORIES, INVENTORIES.c.image_id == REGISTRY_IMAGES.c.image_id)
    listed = select(REGISTRY_IMAGES, INVENTORIES.c.scan.label("scan")).select_from(stored)
    for row in connection.execute(listed.order_by(REGISTRY_IMAGES.c.repository, REGISTRY_IMAGES.c.tag)):
        target = f"{row.repository}:{row.tag}" if row.tag else f"{row.repository}@{row.digest}"
        found.append(Candidate(row.image_id, target, False, row.scan is not None, row.registry))
    return found


def _scope(form: ScopeForm) -> Scope:
    if form.kind not in scans.SCOPES:
        raise Refused(f"there is no scope {form.kind!r}", f"use one of: {', '.join(scans.SCOPES)}")
    lists = {name: tuple(getattr(form, name)) for name in ("images", "registries", "exclude", "include")}
    return Scope(form.kind, **lists)


def _scanners(names: list[str]) -> tuple[str, ...]:
    unknown = [name for name in names if name not in SCANNERS]
    if unknown:
        raise Refused(f"there is no scanner {unknown[0]!r}", f"use any of: {', '.join(SCANNERS)}")
    return tuple(dict.fromkeys(names))


def _scans() -> Listing:
    return Listing(
        select(SCANS),
        key="id",
        sort="-created_at",
        sorts=("created_at", "finished_at", "state", "name", "total"),
        filters=("id", "state", "schedule", "created_by"),
        text=("name", "created_by", "message"),
        time="created_at",
        row=lambda row: scans.shown(row, time.time()),
    )


def _targets(connection: Connection, parameters: Mapping[str, str]) -> Listing:
    scans.find(connection, parameters["id"])
    return Listing(
        select(SCAN_TARGETS).where(SCAN_TARGETS.c.scan == parameters["id"]),
        key="number",
        sort="number",
        sorts=("number", "state", "target"),
        filters=("state", "image_id", "registry"),
        text=("target", "error"),
    )


def _schedules() -> Listing:
    number = select(func.count()).select_from(SCANS).where(SCANS.c.schedule == SCHEDULES.c.id).correlate(SCHEDULES)
    return Listing(
        select(SCHEDULES, number.scalar_subquery().label("scans")),
        key="id",
        sort="name",
        sorts=("name", "next_at", "enabled", "scans"),
        filters=("id", "enabled"),
        text=("name",),
    )
