"""CycloneDX 1.2 to 1.6 in JSON, by Seawall, Trivy, Syft and whoever else. Source: https://cyclonedx.org/docs/1.6/json/"""

from collections.abc import Iterator
from typing import Any

from seawall.images.collect.packages.format import clean
from seawall.images.collect.sboms.bill import Bill, objects, places, text
from seawall.images.model import OperatingSystem

MAX_DEPTH = 20
_IDS = ("seawall:image:id", "aquasecurity:trivy:ImageID", "syft:image:id")
_LAYERS = ("seawall:image:layer", "aquasecurity:trivy:DiffID")
_PATHS = ("aquasecurity:trivy:FilePath", "seawall:path")


def knows(found: dict[str, Any]) -> bool:
    """By what it calls itself."""
    return found.get("bomFormat") == "CycloneDX"


def read(found: dict[str, Any]) -> Bill:
    """Components in components too."""
    bill = Bill("CycloneDX")
    metadata = found.get("metadata")
    about = metadata.get("component") if isinstance(metadata, dict) else None
    bill.name = clean(text(about, "name"))
    told = list(_properties(about))
    bill.image_id = next((value for name, value in told if name in _IDS and value.startswith("sha256:")), "")
    bill.layers = [value for name, value in told if name in _LAYERS][:1000]
    components = list(_components(found, MAX_DEPTH))
    for one in components:  # first: what belongs to a distribution is only known with it
        if text(one, "type") == "operating-system" and bill.os is None:
            bill.os = OperatingSystem(
                clean(text(one, "name")).lower(), clean(text(one, "version")), clean(text(one, "description"))
            )
    for one in components:
        if text(one, "type") not in ("operating-system", "file", "container", "device", "firmware"):
            _component(bill, one)
    return bill


def _components(found: Any, depth: int) -> Iterator[dict[str, Any]]:
    for one in objects(found, "components"):
        yield one
        if depth:
            yield from _components(one, depth - 1)


def _component(bill: Bill, one: dict[str, Any]) -> None:
    told = dict(_properties(one))
    name, version = text(one, "name"), text(one, "version")
    if not text(one, "purl") and told.get("aquasecurity:trivy:Type") in ("gobinary", "jar", "lockfile"):
        return  # a file that holds packages, which are listed by themselves
    source, source_version = told.get("aquasecurity:trivy:SrcName", ""), _version(told)
    if own := told.get("seawall:source", ""):
        source, _, source_version = own.partition(" ")
    paths = [told[key] for key in _PATHS if key in told]
    evidence = one.get("evidence")
    paths += [text(place, "location") for place in objects(evidence, "occurrences")]
    paths += [value for key, value in told.items() if key.startswith("syft:location:") and key.endswith(":path")]
    bill.add(
        text(one, "purl"),
        name,
        version,
        source_name=clean(source),
        source_version=clean(source_version),
        license=_license(one),
        locations=places(paths),
    )


def _version(told: dict[str, str]) -> str:
    epoch = told.get("aquasecurity:trivy:SrcEpoch", "")
    version = told.get("aquasecurity:trivy:SrcVersion", "")
    release = told.get("aquasecurity:trivy:SrcRelease", "")
    whole = f"{version}-{release}" if release else version
    return f"{epoch}:{whole}" if epoch not in ("", "0") else whole


def _license(one: dict[str, Any]) -> str:
    found = []
    for listed in objects(one, "licenses"):
        named = listed.get("license")
        found.append(text(listed, "expression") or text(named, "id") or text(named, "name"))
    return clean(" AND ".join(filter(None, found)))


def _properties(one: Any) -> Iterator[tuple[str, str]]:
    for found in objects(one, "properties"):
        yield text(found, "name"), text(found, "value")
