"""pom.xml of Maven: direct dependencies whose version stands there. Source: Maven, POM Reference"""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, named
from seawall.images.collect.xmls import plain

_PROPERTY = re.compile(r"\$\{([^}]+)\}")
MAX_STEPS = 8
"""A property may name a property."""


def read(_path: str, data: Buffer) -> Read:
    """Dependencies that are shipped; those for tests, or of a version that a parent sets, are none."""
    root = plain(data)
    if root.tag != "project":
        raise ValueError("pom.xml is no project")
    properties = {one.tag: (one.text or "").strip() for one in root.findall("properties/*")}
    for key in ("groupId", "artifactId", "version"):
        own = root.findtext(key) or root.findtext(f"parent/{key}") or ""
        properties |= {f"project.{key}": own.strip(), f"pom.{key}": own.strip()}
        properties[f"project.parent.{key}"] = (root.findtext(f"parent/{key}") or "").strip()
    return named("maven", _dependencies(root, properties), "pom.xml")


def _dependencies(root: Element, properties: dict[str, str]) -> Iterator[tuple[str, str]]:
    managed = {_key(one, properties): one for one in root.findall("dependencyManagement/dependencies/dependency")}
    for one in root.findall("dependencies/dependency"):
        key = _key(one, properties)
        version = one.findtext("version") or (managed[key].findtext("version") if key in managed else "") or ""
        version = _resolved(version, properties)
        if one.findtext("scope") not in ("test", "system") and version[:1].isdigit():
            yield key, version


def _key(one: Element, properties: dict[str, str]) -> str:
    return ":".join(_resolved(one.findtext(part) or "", properties) for part in ("groupId", "artifactId"))


def _resolved(value: str, properties: dict[str, str]) -> str:
    value = value.strip()[:512]
    for _ in range(MAX_STEPS):
        if not _PROPERTY.search(value):
            break
        value = _PROPERTY.sub(lambda match: properties.get(match[1], ""), value)[:512]
    return value


FORMAT = Format(files=("**/pom.xml",), read=read, kinds=("maven",), declared=True)
