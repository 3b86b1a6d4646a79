"""Lists packed for the node: what is found, what is allowed, what is left out, and that JSON carries it whole."""

import hashlib
import ipaddress
import json
from pathlib import Path

import jsonschema
import pytest

from seawall.core.errors import Hostile
from seawall.runtime import load
from seawall.runtime import plan as plans
from seawall.runtime.detect import alerts
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.examples import build
from seawall.runtime.detect.indicators import MAX_ADDRESSES, Indicator, Indicators, decode, encode, pack

SCHEMA = json.loads((Path(__file__).parents[4] / "docs/reference/schemas/alert.json").read_text())
SHA = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
ENTRIES = [
    Indicator("ip", "203.0.113.7", "c2", "feed"),
    Indicator("net", "198.51.100.0/24", "scanner", "feed"),
    Indicator("ip", "198.51.100.9", "allowed", "user"),
    Indicator("ip", "2001:db8::7", "c2", "feed"),
    Indicator("net", "2001:db8:5::/48", "tor", "feed"),
    Indicator("domain", "Evil.example", "c2", "feed", 90),
    Indicator("domain", "good.evil.example", "allowed", "user"),
    Indicator("sha256", SHA, "malware", "feed"),
]


def test_the_most_specific_entry_answers():
    lists = Indicators(pack(ENTRIES))
    assert lists.address("203.0.113.7").kind == "c2"
    assert lists.address("198.51.100.1").value == "198.51.100.0/24"
    assert lists.address("198.51.100.9") is None, "allowed"
    assert lists.address("203.0.113.8") is None
    assert lists.address("2001:db8:0:0::7").kind == "c2"
    assert lists.address("2001:db8:5:1::1").value == "2001:db8:5::/48"
    assert lists.address("2001:db9::1") is None
    assert (lists.domain("a.b.EVIL.example.").value, lists.domain("evil.example").confidence) == ("evil.example", 90)
    assert lists.domain("x.good.evil.example") is None
    assert lists.domain("notevil.example") is None
    assert lists.file(SHA).kind == "malware"
    assert lists.file(SHA[:-1] + "0") is not None, "the first 16 bytes name a file"
    assert lists.file("00" * 32) is None


@pytest.mark.parametrize("odd", ["", "x", "1.2.3", "999.1.1.1", "1.2.3.4.5", "::g", "fe80::1%eth0"])
def test_odd_addresses_are_not_listed(odd):
    assert Indicators(pack(ENTRIES)).address(odd) is None


@pytest.mark.parametrize("odd", [".", "", "a" * 300, "..", "\\000.x"])
def test_odd_names_are_not_listed(odd):
    assert Indicators(pack(ENTRIES)).domain(odd) is None


def test_json_carries_it_and_the_plan_names_it():
    packed = pack(ENTRIES)
    assert decode(json.loads(json.dumps(encode(packed)))) == packed | {"labels": [tuple(x) for x in packed["labels"]]}
    bare, full = plans.seal((), {}, {}), plans.seal((), {}, {}, listed=packed)
    assert bare.version != full.version
    again = plans.decode(json.loads(json.dumps(plans.encode(full))))
    assert Indicators(again.indicators).address("203.0.113.7").kind == "c2"
    assert encode({}) == decode({}) == {}


@pytest.mark.parametrize(
    "broken",
    [
        {"domains": "AAAA"},
        {"labels": []},
        {"labels": [["a"]]},
        {"v4": {"33": ""}},
        {"hashes": "not base64"},
        {"v6": {"x": ""}},
    ],
)
def test_broken_tables_are_refused(broken):
    encoded = plans.encode(plans.seal((), {}, {}, listed=pack(ENTRIES)))
    with pytest.raises(Hostile):
        plans.decode(encoded | {"indicators": encoded["indicators"] | broken})


def test_what_does_not_fit_is_counted_and_the_most_confident_stay():
    many = [Indicator("ip", str(ipaddress.IPv4Address(0x01000000 + n)), "c2", "f", 10) for n in range(MAX_ADDRESSES)]
    packed = pack(
        [
            *many,
            Indicator("ip", "9.9.9.9", "c2", "f", 90),
            Indicator("ip", "nonsense", "c2", "f"),
            Indicator("net", "0.0.0.0/0", "c2", "f"),
        ]
    )
    assert (packed["count"], packed["left_out"]) == (MAX_ADDRESSES, 3)
    assert len(packed["v4"]["32"]) == 5 * MAX_ADDRESSES
    assert Indicators(packed).address("9.9.9.9")
    assert Indicators(packed).address("1.0.0.1")


def test_the_engine_tells_rules_of_it():
    packaged = load.system_plan()
    plan = plans.seal(packaged.rules, packaged.lists, packaged.filters, listed=pack(ENTRIES))
    engine = Engine(plan)
    asked = {"kind": "send", "container": True, "process": {}, "peer": "127.0.0.11:53", "dns": "cdn.evil.example AAAA"}
    alert = engine.judge(build({"event": asked})[0])[0]
    assert (alert.rule, alert.evidence["dns"]["type"]) == ("listed_domain_asked", "AAAA")
    assert alert.evidence["dns_indicator"]["value"] == "evil.example"
    connect = {"kind": "connect", "container": True, "process": {}, "peer": "203.0.113.7:443"}
    assert "listed_address_contacted" in [alert.rule for alert in engine.judge(build({"event": connect})[0])]
    sample = {
        "kind": "scan",
        "container": True,
        "process": {},
        "file": "/tmp/x",
        "sample": {"sha256": SHA, "verdict": "clean"},
    }
    assert [alert.rule for alert in engine.judge(build({"event": sample})[0])] == ["malware_written"]
    for told in (alert, *engine.judge(build({"event": {**sample, "file": "/tmp/y"}})[0])):
        jsonschema.validate(alerts.record(told), SCHEMA)
    engine.update(packaged)
    assert "listed_address_contacted" not in [alert.rule for alert in engine.judge(build({"event": connect})[0])]


def test_the_engine_counts_what_dns_carries():
    engine = Engine(load.system_plan())
    told = []
    for number in range(30):
        name = hashlib.sha256(bytes([number])).hexdigest()[:48]
        asked = {
            "kind": "send",
            "container": True,
            "process": {},
            "peer": "192.0.2.1:53",
            "dns": f"{name}.t.example.org TXT",
        }
        told += engine.judge(build({"event": asked})[0])
    assert {alert.rule for alert in told} == {"dns_tunnel"}
