"""stdin.*, stdout.*, stderr.* and stdio.*: where input comes from and output goes to."""

from collections.abc import Callable
from typing import Any

from seawall.runtime.detect.fields.form import Field, Getter
from seawall.runtime.model import Descriptor, Event


def stdio(event: Event) -> tuple[Descriptor, ...]:
    """Descriptors 0 to 2 as this event shows them, else as the process was last seen with them."""
    return event.stdio or event.process.stdio


def _type(number: int) -> Getter:
    def get(event: Event) -> str | None:
        for descriptor in stdio(event):
            if descriptor.number == number:
                return descriptor.type
        return None

    return get


def connected(event: Event) -> tuple[Descriptor, ...]:
    """Those of 0 to 2 that are connected internet sockets. A socket without a peer is a listener (php-fpm's fd 0)."""
    return tuple(
        descriptor
        for descriptor in stdio(event)
        if descriptor.type in ("inet", "inet6") and descriptor.peer is not None and descriptor.peer.host
    )


def _peer(read: Callable[[Descriptor], Any]) -> Getter:
    def get(event: Event) -> Any:
        for descriptor in connected(event):
            return read(descriptor)
        return None

    return get


def is_loopback(host: str) -> bool:
    """Of an address in text."""
    return host.startswith(("127.", "::ffff:127.")) or host == "::1"


def _loopback(descriptor: Descriptor) -> bool | None:
    return is_loopback(descriptor.peer.host) if descriptor.peer else None


def _inherited(event: Event) -> bool:
    """The socket on standard input is the parent's input too: a program that a shell on a socket starts."""
    parent = event.process.parent
    if parent is None:
        return False
    own = {found.inode for found in connected(event) if found.number == 0 and found.inode}
    return any(found.number == 0 and found.inode in own for found in parent.stdio)


ALL = (
    Field("stdin.type", "text", _type(0), "file, pipe, tty, inet, inet6, unix, null, other or closed"),
    Field("stdout.type", "text", _type(1), "as stdin.type"),
    Field("stderr.type", "text", _type(2), "as stdin.type"),
    Field("stdio.sockets", "number", lambda e: len(connected(e)), "how many of 0, 1, 2 are connected internet sockets"),
    Field("stdio.outgoing", "flag", _peer(lambda d: d.outgoing), "that socket was connected by this side"),
    Field("stdio.ip", "text", _peer(lambda d: d.peer.host if d.peer else None), "the other end of that socket"),
    Field("stdio.port", "number", _peer(lambda d: d.peer.port if d.peer else None), "its port"),
    Field("stdio.loopback", "flag", _peer(_loopback), "the other end of that socket is a loopback address"),
    Field(
        "stdio.inherited", "flag", _inherited, "the parent has the same socket as its input: this is not where it began"
    ),
)
