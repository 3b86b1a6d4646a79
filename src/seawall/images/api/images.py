"""Images over HTTP: order a scan, see what was read and what is known of it. Paths: docs/reference/api.md."""

import io
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from sqlalchemy import ColumnElement, Connection, Select, String, cast, func, select

from seawall.images import found, model, rebasing, store, stored, texts
from seawall.images.report import REPORTS
from seawall.images.tables import CVES, FINDINGS, INVENTORIES, PACKAGES, VULNERABILITIES
from seawall.lists import Door, Listing, Refused, add

KINDS = {"secret": "secrets", "malware": "malware", "config": "misconfigurations"}
"""Kind of a finding → the last word of its lists' paths."""
_COUNTS = {"secret": "secrets", "malware": "malware", "config": "config"}
_JSON = "application/json"
FILES = {
    "json": ("json", _JSON),
    "sarif": ("sarif", _JSON),
    "cyclonedx": ("cdx.json", _JSON),
    "spdx": ("spdx.json", _JSON),
    "openvex": ("openvex.json", _JSON),
    "csaf": ("csaf.json", _JSON),
    "junit": ("xml", "application/xml"),
    "html": ("html", "text/html; charset=utf-8"),
}
"""Report → ending of its file's name, media type."""
Supplier = Callable[[Connection, Mapping[str, str]], Listing]
_NEVER = 'scan it first: POST /images/{id}/scan, or "Scan now" in the console'
_PACKAGE = tuple(column.name for column in PACKAGES.c if column.name not in ("scan", "number", "severity_rank", "more"))
_FINDING = tuple(
    column.name for column in VULNERABILITIES.c if column.name not in ("image_id", "number", "severity_rank", "fixable")
)


def router(door: Door) -> APIRouter:
    """The room's routes, without their common prefix."""
    routes = APIRouter()

    @routes.post("/images/{id}/scan", operation_id="scan_image", status_code=202, dependencies=[Depends(door.operator)])
    def scan_image(id: str) -> dict[str, Any]:
        """Have an agent that holds the image read it; the job tells how far it is."""
        held = door.held("image", id)
        if not held.agents:
            raise Refused(
                f"no node that holds {held.name} has its agent online",
                "start the agent of one of them, then try again",
                409,
            )
        args = {"image_id": id, "name": held.name}
        return door.order(held.agents[0].agent_id, "image.inventory", args, target=held.name)

    @routes.get("/images/{id}/inventory", operation_id="get_inventory", dependencies=[Depends(door.viewer)])
    def get_inventory(id: str, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """What was read of an image: configuration, layers, what was passed over, and the verdict's counts."""
        found = store.inventory(connection, id)
        if found is None:
            raise Refused(f"image {id} was never scanned", _NEVER, 404)
        return found

    add(routes, "/images/{id}/packages", _packages, door, item=model.Package, name="list_image_packages")
    add(
        routes,
        "/images/{id}/vulnerabilities",
        _vulnerabilities,
        door,
        item=model.Vulnerability,
        name="list_image_vulnerabilities",
    )
    add(
        routes,
        "/images/{id}/suppressed",
        _suppressed,
        door,
        item=model.Vulnerability,
        name="list_image_suppressed",
    )

    @routes.get("/images/{id}/base", operation_id="get_image_base", dependencies=[Depends(door.viewer)])
    def get_image_base(id: str, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """What the image is built on, and what would go away on a newer one that is known."""
        scan = stored.scan(connection, id)
        if scan is None:
            raise Refused(f"image {id} was never scanned", _NEVER, 404)
        return rebasing.told(connection, scan)

    @routes.get("/images/{id}/report", operation_id="get_image_report", dependencies=[Depends(door.viewer)])
    def get_image_report(
        id: str, connection: Annotated[Connection, Depends(door.read)], format: str = "json"
    ) -> Response:
        """The newest scan as a file: sbom formats, findings for other tools, a page for people."""
        if format not in FILES:
            raise Refused(f"there is no report {format!r}", f"use one of: {', '.join(FILES)}")
        scan = stored.scan(connection, id)
        if scan is None:
            raise Refused(f"image {id} was never scanned", _NEVER, 404)
        out = io.StringIO()
        REPORTS[format](scan, out)
        ending, media = FILES[format]
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", scan.inventory.name or id)[:100].strip("-.") or "image"
        headers = {"Content-Disposition": f'attachment; filename="{name}.{ending}"'}
        return Response(out.getvalue(), media_type=media, headers=headers)

    for kind, path in KINDS.items():
        add(routes, f"/images/{{id}}/{path}", _found(kind), door, name=f"list_image_{path}")
        add(routes, f"/images/{{id}}/{path}/suppressed", _found(kind, True), door, name=f"list_image_{path}_suppressed")
        add(routes, f"/{path}", _found_anywhere(kind), door, name=f"list_{path}")
    use = door.beside("image.use").queries
    add(routes, "/vulnerabilities", _by_cve(use[0]), door, name="list_vulnerabilities")
    add(routes, "/vulnerabilities/{id}/images", _hit(use[0]), door, name="list_vulnerability_images")
    return routes


def _packages(connection: Connection, parameters: Mapping[str, str]) -> Listing:
    scan = connection.execute(select(INVENTORIES.c.scan).where(INVENTORIES.c.image_id == parameters["id"])).scalar()
    if scan is None:
        raise Refused(f"image {parameters['id']} was never scanned", _NEVER, 404)
    return Listing(
        select(PACKAGES).where(PACKAGES.c.scan == scan),
        key="number",
        sort="name",
        sorts=("name", "version", "kind", "license", "layer", "vulnerabilities", "severity"),
        filters=("name", "kind", "owned", "checked", "layer", "severity", "license", "purl"),
        text=("name", "version", "purl", "path", "source_name", "license"),
        sort_as={"severity": "severity_rank"},
        row=lambda row: {**row["more"], **{name: row[name] for name in _PACKAGE}},
    )


def _vulnerabilities(connection: Connection, parameters: Mapping[str, str]) -> Listing:
    """An image that was not judged is refused: an empty list would look clean."""
    return _judged(connection, parameters, VULNERABILITIES.c.suppressed == "")


def _suppressed(connection: Connection, parameters: Mapping[str, str]) -> Listing:
    """Those that do not count, each with its reason."""
    return _judged(connection, parameters, VULNERABILITIES.c.suppressed != "")


def _judged(connection: Connection, parameters: Mapping[str, str], which: ColumnElement[bool]) -> Listing:
    judged, error = _verdict(connection, parameters["id"])
    if not judged:
        why = f": {error}" if error else ""
        raise Refused(
            f"the vulnerabilities of image {parameters['id']} are not checked{why}",
            "bring advisories with `seawall intel import FILE…`; the image is judged then, without another scan",
            409,
        )
    return Listing(
        select(VULNERABILITIES).where(VULNERABILITIES.c.image_id == parameters["id"], which),
        key="number",
        sort="-severity",
        sorts=("severity", "risk", "id", "package", "score", "epss", "kev", "fixable", "status", "layer", "first_seen"),
        filters=("id", "severity", "package", "kev", "poc", "fixable", "status", "layer", "purl", "source"),
        text=("id", "package", "title", "path"),
        time="first_seen",
        sort_as={"severity": "severity_rank"},
        row=lambda row: {name: row[name] for name in _FINDING},
    )


def _found(kind: str, suppressed: bool = False) -> Supplier:
    """What analysers found in one image. One that did not look is refused: an empty list would look clean."""

    def listing(connection: Connection, parameters: Mapping[str, str]) -> Listing:
        row = (
            connection.execute(select(INVENTORIES).where(INVENTORIES.c.image_id == parameters["id"])).mappings().first()
        )
        if row is None:
            raise Refused(f"image {parameters['id']} was never scanned", _NEVER, 404)
        if row[_COUNTS[kind]] is None:
            why = row["data"].get("checked", {}).get(kind) or "the scan did not look for it"
            raise Refused(f"{KINDS[kind]} of image {row['name'] or row['image_id']} are not checked: {why}", "", 409)
        which = FINDINGS.c.suppressed != "" if suppressed else FINDINGS.c.suppressed == ""
        mine = (FINDINGS.c.scan == row["scan"], FINDINGS.c.kind == kind, which)
        return _findings(select(FINDINGS).where(*mine), ())

    return listing


def _found_anywhere(kind: str) -> Supplier:
    """The same over all images."""

    def listing(_connection: Connection, _parameters: Mapping[str, str]) -> Listing:
        join = FINDINGS.join(INVENTORIES, INVENTORIES.c.scan == FINDINGS.c.scan)
        rows = select(FINDINGS, INVENTORIES.c.name.label("image")).select_from(join)
        rows = rows.where(FINDINGS.c.kind == kind, FINDINGS.c.suppressed == "")
        return _findings(rows, ("image_id", "image"))

    return listing


def _findings(rows: Select[Any], more: tuple[str, ...]) -> Listing:
    key = (FINDINGS.c.scan + ":" + FINDINGS.c.kind + ":" + cast(FINDINGS.c.number, String)).label("id")
    names = ("id", "certainty", "first_seen", "suppressed", *more)
    return Listing(
        rows.add_columns(key),
        key="id",
        sort="-severity",
        sorts=("severity", "rule", "path", "layer", "first_seen", "certainty", *more),
        filters=("rule", "severity", "certainty", "layer", "deleted", "path", "suppressed", *more),
        text=("rule", "title", "path", *(name for name in more if name == "image")),
        time="first_seen",
        sort_as={"severity": "severity_rank"},
        row=lambda row: {
            **found.shown(row),
            **{name: row[name] for name in names},
            "text": texts.of(row["kind"], row["rule"]),
        },
    )


def _verdict(connection: Connection, image_id: str) -> tuple[bool, str]:
    wanted = select(INVENTORIES.c.judged, INVENTORIES.c.judge_error).where(INVENTORIES.c.image_id == image_id)
    row = connection.execute(wanted).first()
    if row is None:
        raise Refused(f"image {image_id} was never scanned", _NEVER, 404)
    return row.judged, row.judge_error


def _by_cve(use: Select[Any]) -> Listing:
    """One row a CVE over all images that some host holds. `use` has the containers of each such image."""
    used = use.subquery("used")
    counted = VULNERABILITIES.c.suppressed == ""
    hit = select(VULNERABILITIES.c.image_id).where(VULNERABILITIES.c.id == CVES.c.id, counted).correlate(CVES)
    containers = select(func.coalesce(func.sum(used.c.containers), 0)).where(used.c.id.in_(hit)).correlate(CVES)
    return Listing(
        select(CVES, containers.scalar_subquery().label("containers")),
        key="id",
        sort="-severity",
        sorts=("severity", "id", "score", "kev", "fixed", "images", "containers", "first_seen"),
        filters=("id", "severity", "kev", "fixed"),
        text=("id", "title", "packages"),
        time="first_seen",
        sort_as={"severity": "severity_rank"},
        row=_cve,
    )


def _hit(use: Select[Any]) -> Callable[[Connection, Mapping[str, str]], Listing]:
    """Where one CVE is: a row a package and image, with the image's running containers."""
    names = ("image_id", "package", "installed", "fixed", "severity", "kev", "path", "layer", "first_seen")

    def listing(_connection: Connection, parameters: Mapping[str, str]) -> Listing:
        used = use.subquery("used")
        found = VULNERABILITIES.c
        key = (found.image_id + ":" + cast(found.number, String)).label("key")
        columns = (*(found[name] for name in names), found.severity_rank, INVENTORIES.c.name, used.c.containers)
        images = VULNERABILITIES.join(INVENTORIES, INVENTORIES.c.image_id == found.image_id)
        rows = select(key, *columns).select_from(images.join(used, used.c.id == found.image_id))
        return Listing(
            rows.where(found.id == parameters["id"], found.suppressed == ""),
            key="key",
            sort="name",
            sorts=("name", "package", "severity", "containers", "first_seen"),
            filters=("image_id", "package", "severity"),
            text=("name", "package", "path"),
            sort_as={"severity": "severity_rank"},
            row=lambda row: {name: row[name] for name in ("name", *names, "containers")},
        )

    return listing


def _cve(row: Mapping[str, Any]) -> dict[str, Any]:
    names = (
        "id",
        "severity",
        "score",
        "kev",
        "fixed",
        "title",
        "url",
        "images",
        "containers",
        "first_seen",
        "risk",
        "poc",
        "epss",
    )
    return {**{name: row[name] for name in names}, "packages": row["packages"].split(",")}
