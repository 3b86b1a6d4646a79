"""A BPF ring buffer read through mmap, without libbpf: kernel/bpf/ringbuf.c is the form.

The kernel writes records behind the producer's position; we move the consumer's position behind what we have read.
Data pages are mapped twice in a row, so that no record is ever split.
"""

import mmap
import struct

PAGE = mmap.PAGESIZE
BUSY, DISCARD = 1 << 31, 1 << 30
_LENGTH = struct.Struct("<I")


class Ring:
    """One reader of one ring of `size` bytes. A record is valid until `advance`."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._mask = size - 1
        self._own = mmap.mmap(descriptor, PAGE, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=0)
        self._kernel = mmap.mmap(descriptor, PAGE + 2 * size, mmap.MAP_SHARED, mmap.PROT_READ, offset=PAGE)
        # One store of eight bytes each: pack_into writes byte by byte, and the kernel would see a position in between.
        self._consumer = memoryview(self._own).cast("Q")
        self._producer = memoryview(self._kernel)[:PAGE].cast("Q")
        self._data = memoryview(self._kernel)[PAGE:]
        self._position = self._consumer[0]
        self._next = self._position

    def peek(self) -> memoryview | None:
        """The oldest record, or None when there is none that is whole."""
        while self._position < self._producer[0]:
            at = self._position & self._mask
            (length,) = _LENGTH.unpack_from(self._data, at)
            if length & BUSY:
                return None
            size = length & ~DISCARD
            self._next = self._position + (size + 15 & ~7)
            if not length & DISCARD:
                return self._data[at + 8 : at + 8 + size]
            self.advance()
        return None

    def advance(self) -> None:
        """Give the record that `peek` showed back to the kernel."""
        self._position = self._consumer[0] = self._next

    def close(self) -> None:
        """Unmap. Records shown before must not be used any more."""
        for view in (self._consumer, self._producer, self._data):
            view.release()
        self._own.close()
        self._kernel.close()
