"""The kernel side's denials load beside the sensor and go with it; what a kernel does not take is a reason."""

import os
import struct

import pytest

from seawall.core.severity import Severity
from seawall.runtime import plan as plans
from seawall.runtime.collect.sensor import Sensor
from seawall.runtime.model import Category, Kind, Plan, Rule
from seawall.runtime.respond.kernel import MAPS, Kernel, keys_of, load, unified

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.timeout(120),
    pytest.mark.skipif(os.geteuid() != 0, reason="eBPF needs root"),
]


def rule(kind, *when):
    whole = ["and", ["!=", "container.id", "host"], *when]
    return Rule(f"r-{kind}", "R", Category.NETWORK, Severity.HIGH, (kind,), whole, action="block")


PEERS = rule(Kind.CONNECT, ["in", "fd.ip", ["203.0.113.0/24", "2001:db8::1"]])
FILES = rule(Kind.OPEN, ["startswith", "fd.name", "/srv/"])


@pytest.fixture
def sensor():
    made = Sensor(plans.read(), enforce=True)
    made.start()
    yield made
    made.stop()


def test_only_what_a_plan_asks_for_is_loaded(sensor):
    kernel = Kernel(sensor.maps())
    before = len(os.listdir("/proc/self/fd"))
    kernel.apply(Plan("none", ()))
    assert kernel.on == frozenset()
    kernel.apply(Plan("peers", (PEERS,)))
    assert kernel.on in ({"egress"}, {"lsm"})
    assert kernel.refuses("203.0.113.9")
    assert kernel.refuses("::ffff:203.0.113.9")
    assert kernel.refuses("2001:db8::1")
    assert not kernel.refuses("203.0.114.1")
    kernel.apply(Plan("both", (PEERS, FILES)))
    assert kernel.on in ({"egress", "deny"}, {"lsm"})
    assert kernel.stopped(os.getpid(), 1) == 0
    assert kernel.refusals() == []
    kernel.apply(Plan("none", ()))
    assert kernel.on == frozenset()
    assert not kernel.refuses("203.0.113.9")
    kernel.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_security_module_loads_or_says_why_not(sensor):
    kernel = Kernel(sensor.maps())
    kernel.apply(Plan("files", (FILES,)))
    assert "lsm" in kernel.on or kernel.reasons["lsm"]
    kernel.close()


def test_each_object_brings_its_own_tables():
    maps, links = load("deny", {})
    assert set(MAPS) <= set(maps)
    assert len(links) == 2
    for descriptor in (*maps.values(), *links):
        os.close(descriptor)


def test_keys_have_the_forms_of_the_tables():
    from seawall.runtime.detect.exact import denials
    from seawall.runtime.respond.kernel import _networks

    wanted = denials(Plan("both", (PEERS, FILES)))
    keys = keys_of(wanted, _networks(wanted.peers))
    assert keys["deny_peers4"] == [struct.pack("<I4B", 24, 203, 0, 113, 0)]
    assert all(len(key) == MAPS[name] for name, found in keys.items() for key in found)
    assert os.path.isdir(unified())
