"""The server's child for a registry: `python -m seawall.images.collect.look`, with a JSON object on standard input.

`{"work": "sync", "host", "username", "password", "settings", "known"}` lists what the registry holds, one line
`{"image": {…}}` each, `{"same": "REPOSITORY:TAG"}` for what is as it was, `{"failed": {"where", "why"}}` for what
could not be asked. `{"work": "scan", …, "target", "image_id", "order", "scanners"}` reads one image, as an agent's
errand does. Both tell `{"progress", "message"}`.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from seawall.core.errors import Hostile, SeawallError
from seawall.images.collect import errand
from seawall.images.collect.analysers import Options, opened
from seawall.images.collect.reading import Reading
from seawall.images.collect.registry.access import Access, Credentials
from seawall.images.collect.registry.client import Registry
from seawall.images.collect.sources import registry as source

MAX_REPOSITORIES = 20_000
PLATFORM = "linux/amd64"


def main() -> int:
    """0 when everything was said; else 1, with the reason as the last line on stderr."""
    order = json.load(sys.stdin)
    try:
        with tempfile.TemporaryDirectory(prefix="seawall-registry-") as folder:
            access = _access(order, Path(folder))
            if order["work"] == "sync":
                sync(order, access)
            else:
                scan(order, access)
    except (SeawallError, OSError) as error:
        hint = getattr(error, "hint", "")
        sys.stderr.write(f"{error}{f' ({hint})' if hint else ''}\n")
        return 1
    except MemoryError:
        sys.stderr.write("the image needs more memory than a scan may use\n")
        return 1
    return 0


def _access(order: Mapping[str, Any], folder: Path) -> Access:
    settings = order["settings"]
    credentials = Credentials(order["username"], order["password"]) if order["username"] or order["password"] else None
    ca_file = None
    if settings.get("ca"):
        ca_file = folder / "ca.pem"
        ca_file.write_text(settings["ca"])
    return Access(
        credentials=credentials,
        ca_file=ca_file,
        insecure=bool(settings.get("insecure")),
        plain_http=bool(settings.get("plain_http")),
    )


def scan(order: Mapping[str, Any], access: Access) -> None:
    """Read one image and send it in parts."""
    wanted = Options(("package", *order["scanners"]))
    reading = Reading(opened(wanted), errand.progress)
    reading.access = access
    reading.platform = order["settings"].get("platform") or PLATFORM
    inventory = source.read(order["target"], reading)
    if order["image_id"] and inventory.config.id != order["image_id"]:
        raise Hostile(
            f"{order['target']} is the image {inventory.config.id} now, not {order['image_id']}; it will be seen anew"
        )
    errand.send(replace(inventory, name=order["target"]), inventory.config.id, order["order"])


def sync(order: Mapping[str, Any], access: Access) -> None:
    """List all images that the settings mean."""
    settings = order["settings"]
    pace = Pace(float(settings.get("per_second") or 0))
    host, _, prefix = order["host"].partition("/")
    with Registry(host, access) as registry:
        registry.ping()
        names = list(repositories(registry, prefix, settings))
        for number, name in enumerate(names):
            errand.progress(number / len(names), f"{name} ({number + 1} of {len(names)})")
            try:
                for tag in tags(registry, name, settings):
                    pace.wait()
                    _image(registry, (host, name, tag), order)
            except SeawallError as error:
                errand.line({"failed": {"where": name, "why": str(error)[:500]}})


def repositories(registry: Registry, prefix: str, settings: Mapping[str, Any]) -> Iterator[str]:
    """Those that are meant. Where the registry lists none, those that are named without a pattern."""
    include, exclude = settings.get("repositories") or (), settings.get("exclude") or ()
    plain = [one for one in include if not set(one) & set("*?[")]
    if include and len(plain) == len(include):
        listed: Iterator[str] = iter(plain)
    else:
        try:
            listed = iter(list(registry.repositories(MAX_REPOSITORIES)))
        except SeawallError:
            if not plain:
                raise
            listed = iter(plain)
    for name in listed:
        meant = not include or any(fnmatchcase(name, pattern) for pattern in include)
        left_out = any(fnmatchcase(name, pattern) for pattern in exclude)
        if meant and not left_out and (not prefix or name.startswith(f"{prefix}/")):
            yield name


def tags(registry: Registry, name: str, settings: Mapping[str, Any]) -> list[str]:
    """Those that are meant, the newest at the end."""
    patterns, newest = settings.get("tags") or (), int(settings.get("newest") or 0)
    found = [
        tag for tag in registry.tags(name) if not patterns or any(fnmatchcase(tag, pattern) for pattern in patterns)
    ]
    return found[-newest:] if newest else found


def _image(registry: Registry, where: tuple[str, str, str], order: Mapping[str, Any]) -> None:
    host, name, tag = where
    known = order["known"].get(f"{host}/{name}:{tag}")
    platform = order["settings"].get("platform") or PLATFORM
    try:
        if known and registry.head(name, tag).digest == known:
            errand.line({"same": f"{host}/{name}:{tag}"})
            return
        found = registry.resolve(name, tag, platform)
    except SeawallError as error:
        errand.line({"failed": {"where": f"{name}:{tag}", "why": str(error)[:500]}})
        return
    image = {
        "repository": f"{host}/{name}",
        "tag": tag,
        "digest": found.index_digest,
        "platform": platform,
        "image_id": found.image_id,
        "size": found.size,
    }
    errand.line({"image": image})


class Pace:
    """Not more than so many a second."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0

    def wait(self) -> None:
        """Until it is time for the next one."""
        now = time.monotonic()
        if self._gap and now < self._next:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + self._gap


if __name__ == "__main__":
    sys.exit(main())
