"""Where feeds are fetched from: a list that works as it is, and a file of the user's that changes it."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from seawall.core.errors import SeawallError

FILE = "intel.toml"
"""Beside the store: [[source]] with name, url and what else of Place is wished; name alone with on = false ends one."""
KINDS = ("file", "latest")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")
_OSV = "https://osv-vulnerabilities.storage.googleapis.com/{}/all.zip"
_ALPINE = "https://secdb.alpinelinux.org/{}/{}.json"
_PHOTON = "https://packages.broadcom.com/photon/photon_cve_metadata/cve_data_photon{}.json"
_NVD = "https://nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-{}.json.gz"


@dataclass(frozen=True, slots=True)
class Place:
    """One address that a feed is fetched from."""

    name: str
    url: str
    kind: str = "file"
    """file: the address is the feed. latest: it is a text that names the feed's file beside it."""
    hours: float = 24.0
    """How often to look whether there is something new."""
    on: bool = True
    limit: int = 2048
    """Megabytes that it may have."""
    about: str = ""
    ca: str = ""
    """A file of certificates to believe, for a mirror of one's own; "" is the system's."""


def _defaults() -> Iterator[Place]:
    yield Place(
        "kev", "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json", hours=6,
        about="vulnerabilities that are exploited",
    )  # fmt: skip
    yield Place(
        "epss", "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz", about="how likely each is to be used"
    )
    yield Place(
        "debian", "https://security-tracker.debian.org/tracker/data/json", hours=6, about="Debian, fixed and not fixed"
    )
    for name in ("PyPI", "npm", "Go", "Maven", "RubyGems", "Packagist", "NuGet", "crates.io", "Pub", "Hex"):
        yield Place(f"osv-{_slug(name)}", _OSV.format(name), hours=6, about=f"{name}, with GitHub's advisories")
    for name in ("Ubuntu", "AlmaLinux", "Rocky Linux", "Red Hat", "SUSE", "openSUSE", "Mageia", "openEuler"):
        yield Place(f"osv-{_slug(name)}", _OSV.format(quote(name)), about=name)
    for release in ("v3.18", "v3.19", "v3.20", "v3.21", "v3.22", "edge"):
        for repository in ("main", "community"):
            yield Place(
                f"alpine-{release}-{repository}", _ALPINE.format(release, repository), about=f"Alpine {release}"
            )
    yield Place("wolfi", "https://packages.wolfi.dev/os/security.json", hours=6, about="Wolfi")
    yield Place("chainguard", "https://packages.cgr.dev/chainguard/security.json", hours=6, about="Chainguard")
    yield Place("oracle", "https://linux.oracle.com/security/oval/com.oracle.elsa-all.xml.bz2", about="Oracle Linux")
    yield Place(
        "azure", "https://github.com/microsoft/AzureLinuxVulnerabilityData/archive/refs/heads/main.tar.gz",
        about="Azure Linux",
    )  # fmt: skip
    for release in ("4.0", "5.0"):
        yield Place(f"photon-{release}", _PHOTON.format(release), about=f"Photon OS {release}")
    yield Place("arch", "https://security.archlinux.org/all.json", about="Arch Linux")
    yield Place(
        "endoflife", "https://github.com/endoflife-date/endoflife.date/archive/refs/heads/master.tar.gz", hours=72,
        about="when the support of products ends",
    )  # fmt: skip
    yield Place(
        "exploitdb", "https://gitlab.com/exploit-database/exploitdb/-/raw/main/files_exploits.csv",
        about="public exploits",
    )  # fmt: skip
    yield Place(
        "metasploit",
        "https://raw.githubusercontent.com/rapid7/metasploit-framework/master/db/modules_metadata_base.json",
        about="public exploits",
    )
    yield Place(
        "nuclei", "https://raw.githubusercontent.com/projectdiscovery/nuclei-templates/main/cves.json",
        about="public exploits",
    )  # fmt: skip
    yield Place("nvd-modified", _NVD.format("modified"), hours=6, about="NVD, what changed in the last days")
    for year in range(2015, 2027):
        yield Place(f"nvd-{year}", _NVD.format(year), hours=24 * 7, on=False, about=f"NVD, CVEs of {year}")
    yield Place(
        "redhat-vex", "https://security.access.redhat.com/data/csaf/v2/vex/archive_latest.txt", "latest", on=False,
        limit=4096, about="Red Hat, also what is not fixed; large",
    )  # fmt: skip
    yield Place(
        "suse-csaf", "https://ftp.suse.com/pub/projects/security/csaf.tar.bz2", on=False, limit=4096,
        about="SUSE, with products; large",
    )  # fmt: skip


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name.lower())


DEFAULTS = tuple(_defaults())


def places(file: Path) -> tuple[Place, ...]:
    """The defaults as the user's file changes them. Raises SeawallError for a file that cannot be read."""
    try:
        said = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    except (OSError, ValueError) as error:
        raise SeawallError(f"cannot read {file}: {error}", "docs/guides/intel.md shows its form") from error
    unknown = set(said) - {"source", "defaults"}
    if unknown:
        raise SeawallError(f"{file} has {', '.join(sorted(unknown))}", "it may have [[source]] and defaults")
    known = {place.name: place for place in DEFAULTS} if said.get("defaults", True) else {}
    for item in said.get("source") or []:
        place = _place(file, item, known)
        known[place.name] = place
    return tuple(known.values())


def _place(file: Path, item: Any, known: dict[str, Place]) -> Place:
    if not isinstance(item, dict) or not _NAME.fullmatch(str(item.get("name", ""))):
        raise SeawallError(f"{file}: a source without a name of a-z, 0-9, ., _ and -", '[[source]]\nname = "mirror"')
    name = str(item["name"])
    before = known.get(name) or Place(name, "")
    types: dict[str, type | tuple[type, ...]] = {
        "url": str, "kind": str, "hours": (int, float), "on": bool, "limit": int, "about": str, "ca": str,
    }  # fmt: skip
    for key, value in item.items():
        if key != "name" and (key not in types or not isinstance(value, types[key])):
            raise SeawallError(f"{file}: {name} has {key} = {value!r}", f"it may have {', '.join(types)}")
    place = replace(before, **{key: value for key, value in item.items() if key != "name"})
    check(place)
    return place


def check(place: Place) -> None:
    """Raises SeawallError for a place that cannot be fetched from."""
    parts = urlsplit(place.url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise SeawallError(f"{place.name}: {place.url!r} is no address", "https://host/path")
    if place.kind not in KINDS:
        raise SeawallError(f"{place.name}: no kind {place.kind!r}", f"there are {', '.join(KINDS)}")


def chosen(all_places: Iterable[Place], names: Iterable[str]) -> tuple[Place, ...]:
    """Those of these names, or those that are on when there are no names. Raises SeawallError for an unknown name."""
    known = {place.name: place for place in all_places}
    wanted = tuple(names)
    if missing := [name for name in wanted if name not in known]:
        raise SeawallError(f"there is no source {', '.join(missing)}", "seawall intel update --list names them")
    return tuple(known[name] for name in wanted) if wanted else tuple(one for one in known.values() if one.on)
