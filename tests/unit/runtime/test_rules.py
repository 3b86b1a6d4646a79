"""The packaged rules: each compiles, tells itself in both languages, and does on its examples what they say."""

import re

import pytest

from seawall.core.severity import Severity
from seawall.runtime import load
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.examples import build

RULES = load.system_plan().rules
EXAMPLES = [
    pytest.param(name, example, id=f"{name}: {example['name']}")
    for name, entry in load.system().rules.items()
    for example in entry.value["examples"]
]


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_examples(name, example):
    engine = Engine(load.system_plan())
    for event in build(example):
        alerts = engine.judge(event)
    assert (name in [alert.rule for alert in alerts]) is example["fires"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_rules_speak_for_themselves(rule):
    for text in (rule.title, rule.why, rule.advice):
        assert text
        assert not re.search(r"[\u4e00-\u9fff]", text)
    for text in (rule.title_zh, rule.why_zh, rule.advice_zh):
        assert re.search(r"[\u4e00-\u9fff]", text)
    assert rule.mitre
    assert all(re.fullmatch(r"T\d{4}(\.\d{3})?", technique) for technique in rule.mitre)
    fires = [example["fires"] for example in load.system().rules[rule.id].value["examples"]]
    assert True in fires
    assert False in fires


def test_the_kernel_side_gets_what_the_rules_need():
    filters = load.system_plan().filters
    assert filters["open_scope"] == "container"
    assert {"/etc/shadow", "/etc/crontab"} <= set(filters["open_paths"])
    assert {"authorized_keys", "ld.so.preload", "release_agent", "core_pattern"} <= set(filters["open_names"])
    assert {"/etc/cron.d/", "/var/spool/cron/"} <= set(filters["open_prefixes"])
    assert {"sh", "bash", "dash", "busybox"} <= set(filters["block"]["reverse_shell"]["names"])


QUIET = {
    "a container starts": {"kind": "setns", "container": True, "process": {"exe": "/usr/bin/runc", "started": False}},
    "docker exec enters": {
        "kind": "setns",
        "process": {"exe": "/usr/bin/runc", "comm": "runc:[1:CHILD]"},
        "flags": "CLONE_NEWNS",
    },
    "docker exec -it": {
        "kind": "exec",
        "container": True,
        "process": {"exe": "/bin/bash", "stdio": ["tty", "tty", "tty"], "by_exec": True},
        "parents": [{"exe": "/usr/bin/containerd-shim-runc-v2", "container": False}],
    },
    "a health check": {
        "kind": "exec",
        "container": True,
        "process": {"exe": "/bin/sh", "args": ["sh", "-c", "curl localhost"], "stdio": ["null", "pipe 1", "pipe 2"]},
    },
    "apt installs": {
        "kind": "open",
        "container": True,
        "process": {"exe": "/usr/bin/dpkg"},
        "file": "/etc/cron.daily/apt.dpkg-new",
        "parents": [{"exe": "/usr/bin/apt-get"}],
    },
    "apk adds a user": {
        "kind": "open",
        "container": True,
        "process": {"exe": "/bin/busybox", "comm": "adduser"},
        "file": "/etc/passwd",
        "parents": [{"exe": "/sbin/apk"}],
    },
    "sshd logs somebody in": {
        "kind": "exec",
        "process": {"exe": "/bin/bash", "args": ["-bash"], "stdio": ["tty", "tty", "tty"]},
        "parents": [{"exe": "/usr/sbin/sshd", "container": False}],
    },
    "rsync over ssh": {
        "kind": "exec",
        "process": {"exe": "/usr/bin/rsync", "stdio": ["pipe 1", "pipe 2", "pipe 3"]},
        "parents": [{"exe": "/bin/bash", "container": False}],
    },
    "postgres archives": {
        "kind": "exec",
        "container": True,
        "process": {"exe": "/bin/sh", "args": ["sh", "-c", "cp a b"], "stdio": ["null", "pipe 1", "pipe 2"]},
        "parents": [{"exe": "/usr/bin/postgres"}],
    },
    "an application asks a database": {
        "kind": "connect",
        "container": True,
        "process": {"exe": "/usr/bin/python3"},
        "peer": "10.0.0.5:5432",
    },
    "runc seals itself": {
        "kind": "exec",
        "process": {"exe": "memfd:runc_cloned:/proc/self/exe", "comm": "runc:[0:PARENT]", "memfd": True},
    },
    "the host's own daemon": {"kind": "connect", "process": {"exe": "/usr/bin/docker"}, "peer": "/run/docker.sock"},
}


@pytest.mark.parametrize("name", QUIET)
def test_ordinary_life_is_quiet(name):
    engine = Engine(load.system_plan())
    for event in build({"event": QUIET[name]}):
        told = [alert.rule for alert in engine.judge(event) if alert.severity not in (Severity.LOW, Severity.INFO)]
        assert told == []
