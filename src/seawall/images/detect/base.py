"""On which image another one is built, and what would go away on a newer one. Pure: known images come in as values."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from seawall.images.model import Inventory, Layer, Vulnerability

_CMD = re.compile(r"^(/bin/sh -c #\(nop\)\s+)?(CMD|ENTRYPOINT)\b")
_ROOT = re.compile(
    r"^(/bin/sh -c #\(nop\)\s+)?(ADD|COPY) \S+ (in )?/( |$)|^# \w+\.sh\b|^(ADD|COPY) rootfs|^(bazel|apko)\b"
)
NAME_LABEL, DIGEST_LABEL = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"


@dataclass(frozen=True, slots=True)
class Known:
    """An image that others may be built on."""

    name: str
    diff_ids: tuple[str, ...]
    """Of all its layers, lowest first."""
    id: str = ""
    created: str = ""


@dataclass(frozen=True, slots=True)
class Base:
    """What an image is built on."""

    layers: int
    """How many of its steps, empty ones too, came with it."""
    name: str = ""
    """"": it is not known which."""
    how: str = ""
    """known (a known image's layers are the lowest of this one), history (its form tells), label; "" nothing tells."""
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class Rebase:
    """What would change if an image were built on a newer base."""

    onto: str
    gone: tuple[Vulnerability, ...]
    """Came with the base, and the newer one does not have them."""
    stay: tuple[Vulnerability, ...]
    """The newer base has them too, or the application brought them."""
    come: tuple[Vulnerability, ...]
    """The newer base has them, this image does not."""


def base_of(inventory: Inventory, known: Iterable[Known] = ()) -> Base:
    """The longest known image that this one begins with; else what its history or labels tell."""
    found = by_layers(inventory.layers, known)
    if found is not None:
        return found
    labels = inventory.config.labels
    count = by_history(inventory.layers)
    name = labels.get(NAME_LABEL, "")[:300]
    if not count and name:
        return Base(0, name, "label")
    return Base(count, name, "history" if count else "")


def by_layers(layers: Sequence[Layer], known: Iterable[Known]) -> Base | None:
    """Another image whose layers are all of the lowest of this one, the longest of them; the newest of equal ones."""
    real = [one for one in layers if not one.empty]
    mine = tuple(one.diff_id for one in real)
    best: Known | None = None
    for one in known:
        length = len(one.diff_ids)
        fits = 0 < length < len(mine) and mine[:length] == one.diff_ids and all(one.diff_ids)
        if fits and (best is None or (length, one.created) > (len(best.diff_ids), best.created)):
            best = one
    if best is None:
        return None
    steps = real[len(best.diff_ids)].index
    while steps and layers[steps - 1].empty and not _start(layers[steps - 1]):
        steps -= 1  # what stands between the base's own start command and the next layer belongs to the application
    last = real[len(best.diff_ids) - 1].index + 1
    return Base(max(steps, last), best.name, "known", best)


def by_history(layers: Sequence[Layer]) -> int:
    """Steps up to the last start command that is followed by a layer: a base image ends with one. Without one, the
    lowest layer, when it is a whole root file system.
    """
    at = len(layers)
    while at and layers[at - 1].empty:
        at -= 1
    while at:
        at -= 1
        if layers[at].empty and _start(layers[at]):
            return at + 1
    return int(len(layers) > 1 and bool(_ROOT.match(layers[0].created_by)) and any(not one.empty for one in layers[1:]))


def marked(layers: Sequence[Layer], base: Base) -> tuple[Layer, ...]:
    """Each layer with the mark of where it came from."""
    return tuple(replace(one, base=place < base.layers) for place, one in enumerate(layers))


def rebase(
    found: Iterable[Vulnerability], layers: Sequence[Layer], newer: Iterable[Vulnerability], onto: str
) -> Rebase:
    """What building on `onto`, which has the vulnerabilities `newer`, would mend. Both by the same knowledge."""
    base = {one.index for one in layers if one.base}
    theirs = {(one.id, one.package): one for one in newer}
    mine = list(found)
    gone = tuple(one for one in mine if one.layer in base and (one.id, one.package) not in theirs)
    left = {(one.id, one.package, one.path) for one in gone}
    stay = tuple(one for one in mine if (one.id, one.package, one.path) not in left)
    have = {(one.id, one.package) for one in mine}
    return Rebase(onto, gone, stay, tuple(one for key, one in theirs.items() if key not in have))


def newer(base: Known, known: Iterable[Known]) -> Known | None:
    """The newest image of the same repository that was made after this one."""
    repository = _repository(base.name)
    later = [one for one in known if repository and _repository(one.name) == repository and one.created > base.created]
    return max(later, key=lambda one: one.created, default=None)


def _start(layer: Layer) -> bool:
    return bool(_CMD.match(layer.created_by.strip()))


def _repository(name: str) -> str:
    path, slash, last = name.partition("@")[0].rpartition("/")
    return path + slash + last.partition(":")[0]
