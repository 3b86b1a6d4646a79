"""A BPF ring buffer read through mmap, without libbpf: kernel/bpf/ringbuf.c is the form.

The kernel writes records behind the producer's position; we move the consumer's position behind what we have read.
Every mapped page counts as our memory, so only a window of the data is mapped, and moves on with us. The kernel offers
the data twice in a row: a record at the end of a round is whole in a window that reaches into the next.
"""

import contextlib
import mmap
import struct
from typing import Any

PAGE = mmap.PAGESIZE
BUSY, DISCARD = 1 << 31, 1 << 30
TIME_AT = 24
"""Where a record has its time."""
WINDOW = 32 << 10
"""Bytes of the data that are mapped at a time; more for a record that is larger."""
_DATA = 2 * PAGE
"""Offset of the data: the pages of the two positions come first."""
_LENGTH = struct.Struct("<I")
_TIME = struct.Struct("<Q")


class Ring:
    """One reader of one ring of `size` bytes. `when` finds the next record, `advance` gives it back."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor, self._ring = descriptor, size
        self._own = mmap.mmap(descriptor, PAGE, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=0)
        self._kernel = mmap.mmap(descriptor, PAGE, mmap.MAP_SHARED, mmap.PROT_READ, offset=PAGE)
        # One store of eight bytes each: pack_into writes byte by byte, and the kernel would see a position in between.
        self._consumer = memoryview(self._own).cast("Q")
        self._producer = memoryview(self._kernel).cast("Q")
        self._position = self._consumer[0]
        self._next = self._position
        self._at = self._size = self._base = self._length = 0
        self._mapped: mmap.mmap | None = None
        self._data = memoryview(b"")
        self._move(self._position, 0)

    def when(self) -> int:
        """Time of the oldest record (ns since boot), or 0 when there is none that is whole."""
        position = self._position
        while position < self._producer[0]:
            if position - self._base + 8 > self._length:
                self._move(position, 8)
            (length,) = _LENGTH.unpack_from(self._data, position - self._base)
            if length & BUSY:
                return 0
            self._size = length & ~DISCARD
            self._next = position + (self._size + 15 & ~7)
            if not length & DISCARD:
                if position - self._base + 8 + self._size > self._length:
                    self._move(position, 8 + self._size)
                self._at = position - self._base + 8
                return int(_TIME.unpack_from(self._data, self._at + TIME_AT)[0])
            self._position = self._consumer[0] = position = self._next
        return 0

    def waiting(self) -> bool:
        """Whether there is something that was not read."""
        return self._position < self._producer[0]

    def kind(self) -> int:
        """Of the record that `when` found: its first byte."""
        return self._data[self._at]

    def values(self, form: struct.Struct) -> tuple[Any, ...]:
        """The record that `when` found, taken apart without a view of it."""
        return form.unpack_from(self._data, self._at)

    def record(self) -> memoryview:
        """The record that `when` found, valid until `advance`."""
        return self._data[self._at : self._at + self._size]

    def advance(self) -> None:
        """Give the record that `when` found back to the kernel."""
        self._position = self._consumer[0] = self._next

    def close(self) -> None:
        """Unmap. Records shown before must not be used any more."""
        self._unmap()
        for view in (self._consumer, self._producer):
            view.release()
        self._own.close()
        self._kernel.close()

    def _move(self, position: int, need: int) -> None:
        """Map the window that begins with the page of a position, and holds `need` bytes from there."""
        self._unmap()
        inside = position % PAGE
        offset = (position - inside) % self._ring
        length = max(WINDOW, -(-(inside + need) // PAGE) * PAGE)
        self._length = min(length, 2 * self._ring - offset)
        self._base = position - inside
        self._mapped = mmap.mmap(self._descriptor, self._length, mmap.MAP_SHARED, mmap.PROT_READ, offset=_DATA + offset)
        self._data = memoryview(self._mapped)

    def _unmap(self) -> None:
        self._data.release()
        if self._mapped is not None:
            with contextlib.suppress(BufferError):  # somebody still looks at it: it goes when they are done
                self._mapped.close()
