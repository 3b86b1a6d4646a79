"""The kernel side's settings: what is asked of the name of a file that was opened to be read."""

import os

import pytest

from seawall.runtime.collect import filters

NAMES = ["mem", "kcore", "environ", "id_ed25519", "a-name-that-is-longer-than-eight", "ünicode"]


def heads(wanted):
    return filters.settings({"read_names": wanted}, False, os.getpid())[48:80]


def hash_of(name):
    """As bpf/opens.h works it out."""
    return (int.from_bytes(name.encode()[:8].ljust(8, b"\0"), "little") * 0x9E3779B97F4A7C15 & (1 << 64) - 1) >> 56


@pytest.mark.parametrize("name", NAMES)
def test_each_wanted_name_has_its_bit(name):
    bits = int.from_bytes(heads([name]), "little")
    assert bits == 1 << hash_of(name)
    assert int.from_bytes(heads(NAMES), "little") & bits


def test_the_last_component_of_a_wanted_path_counts_too():
    value = filters.settings({"read_paths": ["/etc/shadow"]}, False, os.getpid())[48:80]
    assert value == heads(["shadow"])


def test_nobody_who_asks_for_nothing_is_told_of_names():
    assert heads([]) == bytes(32)


def test_a_new_plan_does_not_put_the_agent_to_sleep_unheard():
    assert filters.settings({}, False, os.getpid())[filters.ASLEEP_AT] == 1
