"""net.*, dns.*, sample.*: what intelligence and the scanner say of an event's address, question or file."""

from collections.abc import Mapping
from typing import Any

from seawall.runtime.detect.fields.form import Field, Getter
from seawall.runtime.model import Event


def _fact(name: str) -> Getter:
    return lambda event: event.raw.get(name)


def _of(fact: str, key: str) -> Getter:
    """One part of a fact, which is a value here and plain JSON in an alert that is recalled."""

    def get(event: Event) -> Any:
        found = event.raw.get(fact)
        if found is None:
            return None
        return found.get(key) if isinstance(found, Mapping) else getattr(found, key, None)

    return get


ALL = (
    Field("net.indicator", "text", _of("net_indicator", "kind"), "what the address is listed as: c2, tor …"),
    Field("net.indicator.value", "text", _of("net_indicator", "value"), "the listed address or network"),
    Field("net.indicator.source", "text", _of("net_indicator", "source"), "who lists it"),
    Field("net.indicator.confidence", "number", _of("net_indicator", "confidence"), "0 to 100"),
    Field("dns.name", "text", _of("dns", "name"), "the name asked for, in small letters"),
    Field("dns.type", "text", _of("dns", "type"), "A, AAAA, TXT …"),
    Field("dns.indicator", "text", _of("dns_indicator", "kind"), "what the name is listed as"),
    Field("dns.indicator.value", "text", _of("dns_indicator", "value"), "the listed domain"),
    Field("dns.indicator.source", "text", _of("dns_indicator", "source"), "who lists it"),
    Field("dns.indicator.confidence", "number", _of("dns_indicator", "confidence"), "0 to 100"),
    Field("dns.tunnel", "text", _fact("dns_tunnel"), "the domain below which many long random names were asked for"),
    Field("dns.tunnel.names", "number", _fact("dns_tunnel_names"), "how many different ones within a minute"),
    Field("sample.verdict", "text", _of("sample", "verdict"), "malicious, suspicious, noted or clean"),
    Field("sample.rule", "text", _of("sample", "rule"), "the scanner's rule that decided"),
    Field("sample.family", "text", _of("sample", "family"), "webshell, miner, backdoor, rootkit, packer …"),
    Field("sample.class", "text", _of("sample", "class"), "elf, script, php, jsp, asp, archive, document"),
    Field("sample.sha256", "text", _of("sample", "sha256"), "the file's hash"),
    Field("sample.size", "number", _of("sample", "size"), "bytes"),
    Field("sample.executed", "flag", _of("sample", "executed"), "it was seen running, not only written"),
    Field("sample.indicator", "text", _of("sample_indicator", "kind"), "what its hash is listed as"),
    Field("sample.indicator.source", "text", _of("sample_indicator", "source"), "who lists it"),
)
