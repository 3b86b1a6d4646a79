"""Lists of indicators in the forms they are given out: what they hold is read, the rest is counted."""

import json

import pytest

from seawall.intel.collect import FEEDS, parse
from seawall.intel.collect.documents import Document
from seawall.intel.collect.observables import kind_in, observable

SHA = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
PLAIN = f"""# Tor exit nodes, updated daily
185.220.101.1
2a0b:f4c2::1
45.9.148.0/24 ; SBL1
hxxp://bad[.]example[.]com/x.sh
{SHA.upper()}
*.wild.example.net
not an indicator at all
"""
HOSTS = """# phishing domains
127.0.0.1 localhost
0.0.0.0 login.bank-example.com other-example.net
0.0.0.0 paypa1-example.com # fresh
::1 localhost
"""
FEODO = """# Feodo Tracker Botnet C2 IP blocklist
# "first_seen_utc","dst_ip","dst_port","c2_status","last_online","malware"
"2024-01-01 10:00:00","45.9.148.7","443","online","2024-02-01","Emotet"
"2024-01-02 10:00:00","45.9.148.8","443","offline","2024-02-01","Dridex"
"""
THREATFOX = """ioc_id,ioc_value,threat_type,confidence_level,expires_at
1,evil-example.com,botnet_cc c2,90,2030-01-01T00:00:00Z
2,45.9.148.9:8080,payload_delivery,50,
3,10.0.0.1,botnet_cc,50,soon
"""
NO_HEAD = "45.9.148.1;scanner\n45.9.148.2;scanner\n"
STIX = {
    "type": "bundle",
    "id": "bundle--1",
    "objects": [
        {"type": "identity", "name": "x"},
        {
            "type": "indicator", "name": "C2 of x", "pattern_type": "stix", "confidence": 85,
            "pattern": "[ipv4-addr:value = '45.9.148.7' OR domain-name:value = 'c2.evil-example.com']",
            "indicator_types": ["malicious-activity"], "valid_until": "2031-01-01T00:00:00Z",
        },
        {"type": "indicator", "name": "dropper", "pattern": f"[file:hashes.'SHA-256' = '{SHA}']", "labels": ["trojan"]},
        {"type": "indicator", "pattern": "[url:value = 'http://45.9.148.9:81/a']", "name": "x"},
        {"type": "indicator", "pattern": "[ipv4-addr:value = '45.9.148.10' AND file:name = 'x']"},
        {"type": "indicator", "pattern": "[domain-name:value = 'old.evil-example.com']", "revoked": True},
        {"type": "indicator", "pattern": "alert tcp any", "pattern_type": "snort"},
    ],
}  # fmt: skip
MISP = {
    "Event": {
        "info": "Ransomware campaign", "threat_level_id": "1", "Tag": [{"name": "tlp:clear"}],
        "Attribute": [
            {"type": "ip-dst", "value": "45.9.148.7", "to_ids": True, "category": "Network activity"},
            {"type": "ip-dst|port", "value": "45.9.148.8|443", "to_ids": True},
            {"type": "filename|sha256", "value": f"x.exe|{SHA}", "to_ids": True},
            {"type": "domain", "value": "benign-example.org", "to_ids": False},
            {"type": "comment", "value": "hello"},
            {"type": "hostname", "value": "???", "to_ids": True},
        ],
        "Object": [{"Attribute": [{"type": "url", "value": "https://evil-example.com/a", "to_ids": True}]}],
    }
}  # fmt: skip


def read(name, data):
    (parsed,) = list(parse(Document(name, data if isinstance(data, bytes) else data.encode())) or [None])
    return parsed


def table(parsed):
    return {one.value: one.kind for one in parsed.indicators}


def test_a_plain_list():
    parsed = read("feeds.zip:lists/tor-exits.txt", PLAIN)
    assert table(parsed) == {
        "185.220.101.1": "tor",
        "2a0b:f4c2::1": "tor",
        "45.9.148.0/24": "tor",
        "bad.example.com": "tor",
        SHA: "tor",
        "wild.example.net": "tor",
    }
    assert (parsed.feed, parsed.origin, parsed.unread) == ("list tor-exits", "tor-exits", 1)


def test_a_hosts_file():
    parsed = read("hosts", HOSTS)
    assert parsed.feed == "hosts hosts"
    assert table(parsed) == dict.fromkeys(
        ["login.bank-example.com", "other-example.net", "paypa1-example.com"], "phishing"
    )


def test_columns():
    assert table(read("ipblocklist.csv", FEODO)) == {"45.9.148.7": "botnet", "45.9.148.8": "c2"}
    parsed = read("threatfox.csv", THREATFOX)
    assert table(parsed) == {"evil-example.com": "c2", "45.9.148.9": "malware"}
    first = parsed.indicators[0]
    assert (first.confidence, first.expires) == (90, "2030-01-01T00:00:00.000Z")
    assert parsed.unread == 1
    assert table(read("ssh-attackers.csv", NO_HEAD)) == {"45.9.148.1": "scanner", "45.9.148.2": "scanner"}


def test_stix():
    parsed = read("bundle.json", json.dumps(STIX))
    assert table(parsed) == {
        "45.9.148.7": "c2", "c2.evil-example.com": "c2", SHA: "malware", "45.9.148.9": "other",
    }  # fmt: skip
    assert parsed.unread == 1
    assert (parsed.indicators[0].confidence, parsed.indicators[0].expires[:4]) == (85, "2031")


def test_misp():
    parsed = read("event.json", json.dumps(MISP))
    assert table(parsed) == dict.fromkeys(["45.9.148.7", "45.9.148.8", SHA, "evil-example.com"], "ransomware")
    assert parsed.unread == 1
    assert parsed.indicators[0].confidence == 75
    assert table(read("feed.json", json.dumps({"response": [MISP]}))) == table(parsed)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("README.md", "# A feed\n\nIt has addresses such as 45.9.148.7 in it, and much else.\nRead on.\n"),
        ("LICENSE", "Permission is hereby granted, free of charge, to any person obtaining a copy\nof this\n"),
        ("x.bin", b"\0\1\2" * 50),
        ("empty", b""),
        ("table.csv", "name,price\nx,3\ny,4\n"),
        ("x.json", '{"a": 1}'),
        ("requirements.txt", "fastapi==1.0\nrequests==2.0\n"),
        ("RUSTSEC-1.md", "a, https://github.com/x/y\nb, https://github.com/x/z\nc, https://github.com/x/w\n"),
        ("archive_latest.txt", "csaf_advisories_2025-02-15.tar.zst\nb.tar.gz\nc.json\n"),
        (".id-allocator", f"{SHA}\n" * 5),
        ("one.txt", "45.9.148.7\n"),
        ("changes.csv", '"2024/cve-1.json","2024-01-01"\n"2024/cve-2.json","2024-01-01"\n'),
    ],
)
def test_what_is_no_list(name, data):
    assert parse(Document(name, data if isinstance(data, bytes) else data.encode())) is None


@pytest.mark.parametrize(
    "broken", [b'{"type": "bundle"}', b'{"type": "bundle", "objects": 7}', b'{"type": "bundle", "objects": [{"a']
)
def test_broken_ones_are_named(broken):
    with pytest.raises(ValueError, match=r"."):
        list(parse(Document("x.json", broken)) or [])


@pytest.mark.parametrize(
    "word",
    ["", "10.0.0.1", "127.0.0.1", "0.0.0.0/0", "45.0.0.0/7", "2000::/3", "localhost", "a.local", "1.2.3", "1.2.3.4.5",
     "x", "evil", "-a.example", "a..example", "http://", "a" * 300 + ".com", "224.0.0.1", "fe80::1"],
)  # fmt: skip
def test_what_everybody_has_is_no_indicator(word):
    assert observable(word) is None


def test_words_for_kinds():
    assert kind_in("Cobalt Strike beacon") == "c2"
    assert kind_in("XMR mining pools") == "mining"
    assert kind_in("determined") == "other"
    assert kind_in("administrator") == "other"
    assert kind_in("paste") == "paste"
    assert kind_in("something", "phishing") == "phishing"


def test_special_forms_come_before_general_ones():
    names = list(FEEDS)
    assert names.index("stix") < names.index("osv") < names.index("table") < names.index("plain")
    assert names[-1] == "plain"
