"""fd.*: the two ends of the socket an event is about.

The server is the side that was called: the other one for connect and what is sent, this one for accept and listen.
"""

from collections.abc import Callable
from typing import Any

from seawall.runtime.detect.fields.event import syscall
from seawall.runtime.detect.fields.files import put
from seawall.runtime.detect.fields.form import Field, Getter
from seawall.runtime.detect.fields.streams import is_loopback
from seawall.runtime.model import Address, Event, Kind

_SERVING = frozenset(["accept", "accept4", "listen"])
_OWN = frozenset(["listen", "bind"])
"""Calls of which the sensor tells the socket's own address."""
Pick = Callable[[Event], Address | None]


def _internet(address: Address | None) -> Address | None:
    return address if address is not None and address.family != "unix" else None


def _remote(event: Event) -> Address | None:
    if event.peer is not None:
        return None if event.local is None and syscall(event) in _OWN else _internet(event.peer)
    descriptor = put(event)
    return None if descriptor is None else _internet(descriptor.peer)


def _local(event: Event) -> Address | None:
    return _internet(event.peer if event.local is None and syscall(event) in _OWN else event.local)


def _serving(event: Event) -> bool:
    if event.kind is Kind.DUP:
        descriptor = put(event)
        return descriptor is not None and descriptor.outgoing is False
    return syscall(event) in _SERVING


def _server(event: Event) -> Address | None:
    return _local(event) if _serving(event) else _remote(event)


def _client(event: Event) -> Address | None:
    return _remote(event) if _serving(event) else _local(event)


def _host(pick: Pick) -> Getter:
    def get(event: Event) -> str | None:
        address = pick(event)
        return None if address is None else address.host

    return get


def _port(pick: Pick) -> Getter:
    def get(event: Event) -> int | None:
        address = pick(event)
        return None if address is None else address.port

    return get


def _both(read: Callable[[Address], Any]) -> Getter:
    def get(event: Event) -> Any:
        ends = tuple(read(address) for address in (_remote(event), _local(event)) if address is not None)
        return ends[0] if len(ends) == 1 else ends or None

    return get


def _names(pick: Pick) -> Getter:
    """The sensor's watch over DNS answers tells under which names an address was asked for."""

    def get(event: Event) -> tuple[str, ...] | None:
        address = pick(event)
        return None if address is None else event.raw.get("names", {}).get(address.host)

    return get


def _loopback(event: Event) -> bool | None:
    address = _remote(event)
    return None if address is None else is_loopback(address.host)


def _family(event: Event) -> str | None:
    address = event.peer or event.local
    return None if address is None else "unix" if address.family == "unix" else "ip"


def _connected(event: Event) -> bool | None:
    if _remote(event) is None and event.local is None:
        return None
    if event.kind is Kind.CONNECT:
        return event.result == 0
    if event.kind is Kind.SEND and event.protocol != "tcp":
        return syscall(event) == "sendto" and len(event.args) > 4 and not event.args[4]  # no address of its own
    return _remote(event) is not None


def _renamed(event: Event) -> bool | None:
    """Falco's: the call gave the socket another far end."""
    if event.kind is Kind.CONNECT:
        return True
    return None if event.kind is not Kind.SEND else event.peer is not None and _connected(event) is False


_NAMES = "names under which that address was asked for, as DNS answers on this node told; absent where none did"
ALL = (
    Field("fd.ip", "net", _both(lambda a: a.host), "the address of either end"),
    Field("fd.cip", "net", _host(_client), "the client's address; absent where the sensor has the far end alone"),
    Field("fd.sip", "net", _host(_server), "the server's address: the one connected to"),
    Field("fd.lip", "net", _host(_local), "the local address"),
    Field("fd.rip", "net", _host(_remote), "the remote address"),
    Field("fd.cip.name", "many", _names(_client), _NAMES),
    Field("fd.sip.name", "many", _names(_server), _NAMES),
    Field("fd.lip.name", "many", _names(_local), _NAMES),
    Field("fd.rip.name", "many", _names(_remote), _NAMES),
    Field("fd.net", "net", _both(lambda a: a.host), "the address of either end, compared with networks"),
    Field("fd.cnet", "net", _host(_client), "as fd.cip"),
    Field("fd.snet", "net", _host(_server), "as fd.sip"),
    Field("fd.lnet", "net", _host(_local), "as fd.lip"),
    Field("fd.rnet", "net", _host(_remote), "as fd.rip"),
    Field("fd.port", "ports", _both(lambda a: a.port), "the port of either end"),
    Field("fd.cport", "number", _port(_client), "the client's port"),
    Field("fd.sport", "number", _port(_server), "the server's port"),
    Field("fd.lport", "number", _port(_local), "the local port"),
    Field("fd.rport", "number", _port(_remote), "the remote port"),
    Field("fd.l4proto", "text", lambda e: e.protocol or None, "tcp, udp, icmp or raw, where the sensor tells"),
    Field("fd.sockfamily", "text", _family, "ip or unix"),
    Field("fd.connected", "flag", _connected, "the socket is connected"),
    Field("fd.name_changed", "flag", _renamed, "the call gave the socket another far end"),
    Field("fd.is_loopback", "flag", _loopback, "the address connected to is this machine's own"),
)
