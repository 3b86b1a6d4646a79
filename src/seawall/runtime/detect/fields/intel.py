"""net.*, dns.*, sample.*: what intelligence and the scanner say of an event's address, question or file."""

from collections.abc import Callable
from typing import Any

from seawall.runtime.detect.fields.form import Field, Getter
from seawall.runtime.model import Event


def _fact(name: str) -> Getter:
    return lambda event: event.raw.get(name)


def _of(name: str, read: Callable[[Any], Any]) -> Getter:
    """Of a fact, absent when there is none."""

    def get(event: Event) -> Any:
        found = event.raw.get(name)
        return None if found is None else read(found)

    return get


def _sample(key: str) -> Getter:
    return _of("sample", lambda sample: sample.get(key))


ALL = (
    Field("net.indicator", "text", _of("net_indicator", lambda i: i.kind), "what the address is listed as: c2, tor …"),
    Field("net.indicator.value", "text", _of("net_indicator", lambda i: i.value), "the listed address or network"),
    Field("net.indicator.source", "text", _of("net_indicator", lambda i: i.source), "who lists it"),
    Field("net.indicator.confidence", "number", _of("net_indicator", lambda i: i.confidence), "0 to 100"),
    Field("dns.name", "text", _of("dns", lambda question: question.name), "the name asked for, in small letters"),
    Field("dns.type", "text", _of("dns", lambda question: question.type), "A, AAAA, TXT …"),
    Field("dns.indicator", "text", _of("dns_indicator", lambda i: i.kind), "what the name is listed as"),
    Field("dns.indicator.value", "text", _of("dns_indicator", lambda i: i.value), "the listed domain"),
    Field("dns.indicator.source", "text", _of("dns_indicator", lambda i: i.source), "who lists it"),
    Field("dns.indicator.confidence", "number", _of("dns_indicator", lambda i: i.confidence), "0 to 100"),
    Field("dns.tunnel", "text", _fact("dns_tunnel"), "the domain below which many long random names were asked for"),
    Field("dns.tunnel.names", "number", _fact("dns_tunnel_names"), "how many different ones within a minute"),
    Field("sample.verdict", "text", _sample("verdict"), "malicious, suspicious, noted or clean"),
    Field("sample.rule", "text", _sample("rule"), "the scanner's rule that decided"),
    Field("sample.family", "text", _sample("family"), "webshell, miner, backdoor, rootkit, packer …"),
    Field("sample.class", "text", _sample("class"), "elf, script, php, jsp, asp, archive, document"),
    Field("sample.sha256", "text", _sample("sha256"), "the file's hash"),
    Field("sample.size", "number", _sample("size"), "bytes"),
    Field("sample.executed", "flag", _sample("executed"), "it was seen running, not only written"),
    Field("sample.indicator", "text", _of("sample_indicator", lambda i: i.kind), "what its hash is listed as"),
    Field("sample.indicator.source", "text", _of("sample_indicator", lambda i: i.source), "who lists it"),
)
