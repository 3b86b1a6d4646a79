"""The namespace invariant: what counts as the host's, what as the container's own, and what is remembered."""

import pytest

from seawall.runtime.detect.examples import build
from seawall.runtime.detect.namespaces import MAX_CONTAINERS, Namespaces

HOST = {"mnt": 1, "pid": 2, "net": 3, "user": 4}
OWN = {"mnt": 10, "pid": 20, "net": 30, "user": 4}
SHIM = {"exe": "/usr/bin/containerd-shim-runc-v2", "container": False, "namespaces": HOST}


def execution(namespaces, parents=(SHIM,), container=True, **more):
    process = {"exe": "/bin/x", "namespaces": namespaces, **more}
    return build({"event": {"kind": "exec", "container": container, "process": process, "parents": list(parents)}})[0]


@pytest.mark.parametrize(
    ("namespaces", "joined"),
    [
        (OWN, ()),
        (OWN | {"mnt": 1}, ("mnt",)),
        (OWN | {"mnt": 1, "pid": 2, "net": 3}, ("mnt", "pid", "net")),
        (OWN | {"mnt": 99}, ()),
        ({}, ()),
    ],
)
def test_only_the_hosts_and_only_what_the_container_was_not_given(namespaces, joined):
    first = {"exe": "/bin/sh", "namespaces": OWN}
    found = Namespaces().observe(execution(namespaces, (first, SHIM)))
    assert found.get("joined_host", ()) == joined


def test_the_set_up_does_not_count_and_is_not_remembered():
    namespaces = Namespaces()
    assert not namespaces.observe(execution(HOST, started=False))
    assert not namespaces.observe(execution(OWN))
    assert namespaces.observe(execution(OWN | {"mnt": 1}))["joined_host"] == ("mnt",)


def test_a_table_that_renews_in_place_does_not_change_what_is_remembered():
    namespaces = Namespaces()
    event = execution(dict(OWN))
    namespaces.observe(event)
    event.process.namespaces["mnt"] = 1
    assert namespaces.observe(event)["joined_host"] == ("mnt",)


def test_what_could_not_be_read_of_process_1_is_passed_over():
    init = {"exe": "", "container": False, "namespaces": dict.fromkeys(HOST, 0)}
    first = {"exe": "/bin/sh", "namespaces": OWN}
    found = Namespaces().observe(execution(OWN | {"mnt": 1}, (first, SHIM, init)))
    assert found["joined_host"] == ("mnt",)


def test_the_hosts_own_processes_are_at_home():
    assert not Namespaces().observe(execution(HOST, container=False))


def test_containers_remembered_are_bounded():
    namespaces = Namespaces()
    for number in range(MAX_CONTAINERS + 50):
        namespaces.observe(execution(OWN, container={"id": f"{number:064x}"}))
    assert len(namespaces._own) == MAX_CONTAINERS
