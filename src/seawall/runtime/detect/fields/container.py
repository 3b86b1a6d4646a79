"""container.* and k8s.*: where it happened."""

import fnmatch
from collections.abc import Callable
from typing import Any

from seawall.runtime.detect.fields.form import Field, Getter
from seawall.runtime.model import Container, Event, Mount


def in_container(event: Event) -> Container | None:
    """The container of the process that acted, or None on the host."""
    return event.process.container


def _of(read: Callable[[Container], Any]) -> Getter:
    def get(event: Event) -> Any:
        container = event.process.container
        return None if container is None else read(container)

    return get


def _id(event: Event) -> str:
    container = event.process.container
    return "host" if container is None else container.id[:12]


def _repository(container: Container) -> str:
    name = container.image.partition("@")[0]
    head, colon, tail = name.rpartition(":")
    return head if colon and "/" not in tail else name


def _tag(container: Container) -> str:
    name = container.image.partition("@")[0]
    tail = name.rpartition("/")[2]
    return tail.partition(":")[2]


def _mounted(mount: Mount) -> str:
    return f"{mount.source}:{mount.target}:{mount.mode}:{str(mount.writable).lower()}:{mount.propagation}"


def _target(pattern: str) -> Getter:
    """Where the first mount lies whose source fits the pattern."""

    def get(event: Event) -> str | None:
        container = event.process.container
        if container is None:
            return None
        fits = (mount.target for mount in container.mounts if fnmatch.fnmatchcase(mount.source, pattern))
        return next(fits, "N/A")

    return get


def _label(name: str) -> Getter:
    return _of(lambda container: container.labels.get(name))


def _began(container: Container) -> int | None:
    return int(container.started_at * 1e9) or None


_DEST = "where the mount lies whose source fits the pattern; N/A when there is none"
_SOURCE = "a pattern of the source: /etc, /proc*"
ALL = (
    Field("container.id", "text", _id, "the first 12 digits, or host"),
    Field("container.full_id", "text", _of(lambda c: c.id), "all 64 digits"),
    Field("container.name", "text", _of(lambda c: c.name), "its name", identity=True),
    Field("container.image", "text", _of(lambda c: c.image), "the image's name as started", identity=True),
    Field("container.image.repository", "text", _of(_repository), "the image's name without tag", identity=True),
    Field("container.image.tag", "text", _of(_tag), "the image's tag", identity=True),
    Field("container.image.digest", "text", _of(lambda c: c.image_digest), "sha256:…", identity=True),
    Field("container.image.id", "text", _of(lambda c: c.image_id), "the image's id", identity=True),
    Field("container.privileged", "flag", _of(lambda c: c.privileged), "runs privileged", identity=True),
    Field(
        "container.start_ts", "number", _of(_began), "when it started, in nanoseconds since the epoch", identity=True
    ),
    Field(
        "container.mounts", "text", _of(lambda c: ",".join(map(_mounted, c.mounts))), "all its mounts", identity=True
    ),
    Field(
        "container.mount.dest",
        "text",
        lambda _: None,
        _DEST,
        identity=True,
        bind=_target,
        takes=_SOURCE,
        needs=True,
    ),
    Field(
        "container.label",
        "text",
        lambda _: None,
        "the value of its label of that name",
        identity=True,
        bind=_label,
        takes="a label's name",
        needs=True,
    ),
    Field("k8s.pod.name", "text", _of(lambda c: c.pod or None), "the pod's name", identity=True),
    Field("k8s.ns.name", "text", _of(lambda c: c.namespace or None), "the pod's namespace", identity=True),
)
