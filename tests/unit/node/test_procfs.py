"""/proc readers, against this very process and against names no process has."""

import os

import pytest

from seawall.node import procfs

A, B = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("cgroup", "container"),
    [
        (f"12:cpu:/docker/{A}\n", A),
        (f"0::/system.slice/docker-{A}.scope\n", A),
        (f"0::/kubepods/besteffort/podx/cri-containerd-{A}.scope", A),
        (f"0::/kubepods/pod1/{A}/{B}", B),
        ("0::/user.slice/user-0.slice", None),
        (f"0::/x{A}0", None),
    ],
)
def test_container_id_in_a_cgroup(cgroup, container):
    assert procfs.container_in(cgroup) == container


def test_this_process():
    me = os.getpid()
    assert me in set(procfs.pids())
    assert procfs.status(me)["PPid"] == str(os.getppid())
    assert procfs.cmdline(me)
    assert procfs.start_ticks(me) > 0
    assert procfs.namespace(me, "mnt") == os.stat("/proc/self/ns/mnt").st_ino
    assert procfs.boot_time() > 1_000_000_000


def test_a_process_that_is_gone_is_none():
    gone = 2**22 + 1
    assert (procfs.status(gone), procfs.stat(gone), procfs.cmdline(gone), procfs.link(gone, "exe")) == (
        None,
        None,
        [],
        None,
    )
