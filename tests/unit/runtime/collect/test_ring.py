"""A ring in a file of the kernel's form: its window moves, and records that cross rounds or windows come out whole."""

import os
import struct

import pytest

from seawall.runtime.collect.ring import BUSY, DISCARD, PAGE, WINDOW, Ring

SIZE = 256 << 10


class Kernel:
    """Writes as the kernel does; what lies behind the end of a round also lies at its beginning."""

    def __init__(self) -> None:
        self.descriptor = os.memfd_create("ring")
        os.ftruncate(self.descriptor, 2 * PAGE + 2 * SIZE)
        self.position = 0

    def write(self, time: int, size: int, flags: int = 0) -> None:
        body = bytes([7]) + bytes(23) + struct.pack("<Q", time) + bytes([time % 256]) * (size - 32)
        record = struct.pack("<II", size | flags, 0) + body
        at = self.position % SIZE
        for copy in (at - SIZE, at, at + SIZE):
            start, end = max(copy, 0), min(copy + len(record), 2 * SIZE)
            if start < end:
                os.pwrite(self.descriptor, record[start - copy : end - copy], 2 * PAGE + start)
        self.position += len(record) + 7 & ~7
        os.pwrite(self.descriptor, struct.pack("<Q", self.position), PAGE)


@pytest.fixture
def kernel():
    made = Kernel()
    yield made
    os.close(made.descriptor)


def consumed(kernel: Kernel) -> int:
    return int(struct.unpack("<Q", os.pread(kernel.descriptor, 8, 0))[0])


def test_many_rounds_come_out_whole(kernel):
    ring = Ring(kernel.descriptor, SIZE)
    assert ring.when() == 0
    for time in range(1, 2000):
        kernel.write(time, 33 + time * 37 % 5000)
        assert ring.when() == time
        assert ring.kind() == 7
        with ring.record() as record:
            assert len(record) == 33 + time * 37 % 5000
            assert set(record[32:]) == {time % 256}
        ring.advance()
        assert consumed(kernel) == kernel.position
    ring.close()


def test_a_record_larger_than_the_window(kernel):
    ring = Ring(kernel.descriptor, SIZE)
    for time in range(1, 10):
        kernel.write(time, 3 * WINDOW + time)
        assert ring.when() == time
        with ring.record() as record:
            assert set(record[32:]) == {time}
        ring.advance()
    ring.close()


def test_waits_for_what_is_being_written_and_passes_over_what_was_given_up(kernel):
    ring = Ring(kernel.descriptor, SIZE)
    kernel.write(1, 100, DISCARD)
    kernel.write(2, 100)
    assert ring.when() == 2
    ring.advance()
    kernel.write(3, 100, BUSY)
    assert ring.when() == 0
    ring.close()


def test_a_record_that_somebody_holds_does_not_hinder_the_window(kernel):
    ring = Ring(kernel.descriptor, SIZE)
    kernel.write(1, 100)
    assert ring.when() == 1
    held = ring.record()
    ring.advance()
    for time in range(2, 60):
        kernel.write(time, 4000)
        assert ring.when() == time
        ring.advance()
    assert held[32] == 1
    held.release()
    ring.close()
