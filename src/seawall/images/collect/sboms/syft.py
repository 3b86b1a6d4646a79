"""Syft's own JSON. Source: its schema, https://github.com/anchore/syft/tree/main/schema/json"""

from typing import Any

from seawall.images.collect.packages.format import clean
from seawall.images.collect.sboms.bill import Bill, objects, places, text
from seawall.images.model import OperatingSystem


def knows(found: dict[str, Any]) -> bool:
    """It has artifacts, and says whose schema it has."""
    schema = found.get("schema")
    return isinstance(found.get("artifacts"), list) and "syft" in text(schema, "url")


def read(found: dict[str, Any]) -> Bill:
    """Artifacts, with what their database told."""
    bill = Bill("Syft")
    about = found.get("source")
    metadata = about.get("metadata") if isinstance(about, dict) else None
    bill.name = clean(text(metadata, "userInput") or text(about, "name"))
    image_id = text(metadata, "imageID")
    bill.image_id = image_id if image_id.startswith("sha256:") else ""
    distro = found.get("distro")
    if text(distro, "id"):
        bill.os = OperatingSystem(
            clean(text(distro, "id")).lower(),
            clean(text(distro, "versionID")),
            clean(text(distro, "prettyName")),
            clean(text(distro, "versionCodename")),
        )
    for one in objects(found, "artifacts"):
        more = one.get("metadata")
        source = text(more, "source") or text(more, "originPackage")
        version = text(one, "version")
        licensed = " AND ".join(filter(None, (text(each, "value") for each in objects(one, "licenses"))))
        bill.add(
            text(one, "purl"),
            text(one, "name"),
            version,
            source_name=clean(source),
            source_version=clean(text(more, "sourceVersion") or (version if source else "")),
            license=clean(licensed),
            locations=places([text(place, "path") for place in objects(one, "locations")]),
        )
    return bill
