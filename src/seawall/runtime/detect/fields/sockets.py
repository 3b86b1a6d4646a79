"""fd.*: the addresses of the socket an event is about."""

from seawall.runtime.detect.fields.form import Field
from seawall.runtime.detect.fields.streams import is_loopback
from seawall.runtime.model import Event


def _host(event: Event) -> str | None:
    return event.peer.host if event.peer is not None and event.peer.family != "unix" else None


def _port(event: Event) -> int | None:
    return event.peer.port if event.peer is not None and event.peer.family != "unix" else None


def _loopback(event: Event) -> bool | None:
    host = _host(event)
    return None if host is None else is_loopback(host)


ALL = (
    Field("fd.ip", "text", _host, "the address connected to"),
    Field("fd.sip", "text", _host, "the server's address: the one connected to"),
    Field("fd.rip", "text", _host, "the remote address"),
    Field("fd.net", "net", _host, "the address connected to, compared with networks"),
    Field("fd.snet", "net", _host, "as fd.net"),
    Field("fd.rnet", "net", _host, "as fd.net"),
    Field("fd.port", "number", _port, "the port connected to"),
    Field("fd.sport", "number", _port, "the server's port"),
    Field("fd.rport", "number", _port, "the remote port"),
    Field("fd.is_loopback", "flag", _loopback, "the address connected to is this machine's own"),
)
