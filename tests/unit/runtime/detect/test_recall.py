"""A stored alert becomes its event again: what a condition says of the one, it says of the other."""

import json

import pytest

from seawall.runtime import load
from seawall.runtime.detect import alerts, recall
from seawall.runtime.detect.condition import compile_condition, fields_of
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.examples import build
from seawall.runtime.detect.fields import resolve
from seawall.runtime.detect.parse import parse

EVENT = {
    "kind": "open",
    "container": {"name": "web", "image": "shop/web:1.4", "image_digest": "sha256:1", "namespace": "prod"},
    "process": {"exe": "/usr/bin/vim", "args": ["vim", "/etc/crontab"], "uid": 33, "euid": 0, "cwd": "/srv"},
    "parents": [
        {"exe": "/bin/bash"},
        {"exe": "/usr/sbin/sshd"},
        {"exe": "/usr/bin/containerd-shim", "container": False},
    ],
    "file": {"path": "/etc/crontab", "upper": True},
    "flags": "O_WRONLY|O_CREAT",
}


def stored(event) -> dict:
    engine = Engine(load.system_plan(), boot=0.0)
    (alert, *_) = engine.judge(build({"event": event})[-1])
    return json.loads(json.dumps(alerts.record(alert)))


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("fd.name = /etc/crontab and fd.filename = crontab", True),
        ("proc.exepath = /usr/bin/vim and proc.args contains crontab", True),
        ("proc.pname = bash and proc.aname[2] = sshd", True),
        ("proc.pname = zsh", False),
        ("container.image.repository = shop/web and container.image.tag = 1.4", True),
        ("container.image.digest = sha256:1 and k8s.ns.name = prod", True),
        ("container.id != host and user.uid = 33 and user.euid = 0", True),
        ("evt.arg.flags contains O_CREAT and fd.is_upper_layer = true", True),
        ("evt.kind = exec", False),
        ("not fd.name startswith /etc", False),
    ],
)
def test_a_condition_holds_again(condition, holds):
    event = recall.recalled(stored(EVENT))
    assert event is not None
    assert compile_condition(parse(condition, {}, {}), {})(event) is holds


def test_every_packaged_rule_holds_again_on_the_alert_of_its_own_example():
    """Not all can: some ask what no alert carries. Those that can must."""
    compiled = load.system()
    compared = 0
    for rule in compiled.plan.rules:
        if recall.missing(fields_of(rule.when)):
            continue
        for example in compiled.rules[rule.id].value.get("examples", ()):
            for alert in Engine(compiled.plan, boot=0.0).judge(build(example)[-1]):
                event = recall.recalled(json.loads(json.dumps(alerts.record(alert))))
                if alert.rule != rule.id or event is None or event.kind == "start":
                    continue
                names = ("proc.exepath", "proc.cmdline", "proc.pname", "container.id", "fd.name", "evt.kind")
                first = build(example)[-1]
                assert [resolve(name).get(event) for name in names] == [resolve(name).get(first) for name in names]
                compared += 1
    assert compared > 10


def test_what_is_no_event_is_none_and_never_an_error():
    for broken in (
        {},
        {"evidence": {"kind": "exec"}},
        {"evidence": {"kind": "nonsense"}, "last_seen": "2026-01-01T00:00:00Z"},
        {"evidence": {"kind": "exec", "stdio": [{}]}, "last_seen": "2026-01-01T00:00:00Z"},
        {"evidence": [], "process": 7, "last_seen": "2026-01-01T00:00:00Z"},
    ):
        assert recall.recalled(broken) is None
    assert recall.missing(["proc.name", "container.label[app]", "proc.env", "dns.tunnel"]) == [
        "container.label[app]",
        "dns.tunnel",
        "proc.env",
    ]


def test_what_lists_and_the_scanner_said_is_recalled():
    about = {"container": True, "process": {"exe": "/tmp/x"}, "listed": "c2"}
    asked = build({"event": {"kind": "send", "peer": "192.0.2.1:53", "dns": "a.example.org TXT", **about}})[0]
    (alert,) = Engine(load.system_plan()).judge(asked)
    event = recall.recalled(alerts.record(alert))
    words = ("dns.indicator", "dns.indicator.value", "dns.name", "dns.type")
    assert [resolve(name).get(event) for name in words] == ["c2", "example", "a.example.org", "TXT"]
    assert recall.missing(words) == []
