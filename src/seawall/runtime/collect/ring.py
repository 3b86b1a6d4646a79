"""A BPF ring buffer read through mmap, without libbpf: kernel/bpf/ringbuf.c is the form.

The kernel writes records behind the producer's position; we move the consumer's position behind what we have read.
The kernel offers the data pages twice in a row, so that no record is ever split; we map them once, because every
mapped page counts as our memory, and put the one record in a round that is split together.
"""

import mmap
import struct
from typing import Any

PAGE = mmap.PAGESIZE
BUSY, DISCARD = 1 << 31, 1 << 30
TIME_AT = 24
"""Where a record has its time."""
_LENGTH = struct.Struct("<I")
_TIME = struct.Struct("<Q")


class Ring:
    """One reader of one ring of `size` bytes. `when` finds the next record, `advance` gives it back."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._mask = size - 1
        self._own = mmap.mmap(descriptor, PAGE, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=0)
        self._kernel = mmap.mmap(descriptor, PAGE + size, mmap.MAP_SHARED, mmap.PROT_READ, offset=PAGE)
        # One store of eight bytes each: pack_into writes byte by byte, and the kernel would see a position in between.
        self._consumer = memoryview(self._own).cast("Q")
        self._producer = memoryview(self._kernel)[:PAGE].cast("Q")
        self._data = memoryview(self._kernel)[PAGE:]
        self._position = self._consumer[0]
        self._next = self._position
        self._view, self._at, self._size = self._data, 0, 0

    def when(self) -> int:
        """Time of the oldest record (ns since boot), or 0 when there is none that is whole."""
        position = self._position
        while position < self._producer[0]:
            at = position & self._mask
            (length,) = _LENGTH.unpack_from(self._data, at)
            if length & BUSY:
                return 0
            self._size = length & ~DISCARD
            self._next = position + (self._size + 15 & ~7)
            if not length & DISCARD:
                self._view, self._at = self._data, at + 8
                if at + 8 + self._size > self._mask + 1:
                    rest = self._size - (self._mask + 1 - at - 8)
                    self._view, self._at = memoryview(bytes(self._data[at + 8 :]) + bytes(self._data[:rest])), 0
                return int(_TIME.unpack_from(self._view, self._at + TIME_AT)[0])
            self._position = self._consumer[0] = position = self._next
        return 0

    def kind(self) -> int:
        """Of the record that `when` found: its first byte."""
        return self._view[self._at]

    def values(self, form: struct.Struct) -> tuple[Any, ...]:
        """The record that `when` found, taken apart without a view of it."""
        return form.unpack_from(self._view, self._at)

    def record(self) -> memoryview:
        """The record that `when` found, valid until `advance`."""
        return self._view[self._at : self._at + self._size]

    def advance(self) -> None:
        """Give the record that `when` found back to the kernel."""
        self._position = self._consumer[0] = self._next

    def close(self) -> None:
        """Unmap. Records shown before must not be used any more."""
        for view in (self._view, self._consumer, self._producer, self._data):
            view.release()
        self._own.close()
        self._kernel.close()
