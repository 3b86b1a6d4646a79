"""The forms of the records: what C lays out, as the objects' own type information (BTF) tells, is what Python reads."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from seawall.runtime import normalise
from seawall.runtime.collect import filters, floods, sensor
from seawall.runtime.collect.loading import FOLDER, OBJECTS

pytestmark = pytest.mark.kernel

INT, ARRAY, STRUCT, UNION = 1, 3, 4, 5
EXTRA = {1: 4, 3: 12, 14: 4, 17: 4}
"""Bytes behind a type's entry by its kind: int, array, variable, tag."""
EACH = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}
"""Bytes for each member: struct, union, enum, function, section, enum of 64 bits."""


@dataclass(frozen=True)
class Type:
    kind: int
    name: str
    size: int
    members: tuple[tuple[str, int, int], ...] = ()
    """(name, number of its type, bit offset)."""
    item: int = 0
    count: int = 0


class Btf:
    """Just enough of BTF to lay out a struct."""

    def __init__(self, data: bytes) -> None:
        start = data.index(b"\x9f\xeb\x01\x00\x18\x00\x00\x00")
        _, _, _, head, types_at, types_size, texts_at, _ = struct.unpack_from("<HBBIIIII", data, start)
        self._texts = data[start + head + texts_at :]
        self._types = [Type(0, "void", 0)]
        at = start + head + types_at
        end = at + types_size
        while at < end:
            name, info, size = struct.unpack_from("<III", data, at)
            kind, count = info >> 24 & 0x1F, info & 0xFFFF
            at += 12
            members: tuple[tuple[str, int, int], ...] = ()
            item = length = 0
            if kind == ARRAY:
                item, _, length = struct.unpack_from("<III", data, at)
            if kind in (STRUCT, UNION):
                found = (struct.unpack_from("<III", data, at + 12 * number) for number in range(count))
                members = tuple((self._text(text), of, offset & 0xFFFFFF) for text, of, offset in found)
            self._types.append(Type(kind, self._text(name), size, members, item, length))
            at += EXTRA.get(kind, 0) + EACH.get(kind, 0) * count

    def size(self, name: str) -> int:
        return self._named(name).size

    def fields(self, name: str) -> dict[str, tuple[int, int]]:
        """Offset and size of each leaf, by its dotted name. Arrays of bytes and of structs are leaves."""
        return dict(self._leaves(self._named(name), "", 0))

    def _leaves(self, outer: Type, prefix: str, base: int) -> Iterator[tuple[str, tuple[int, int]]]:
        for name, number, bits in outer.members:
            member = self._resolved(number)
            place = base + bits // 8
            if member.kind == STRUCT and member.name != "descriptor":  # Python takes descriptors as bytes first
                yield from self._leaves(member, f"{prefix}{name}.", place)
            elif member.kind == ARRAY and self._resolved(member.item).kind == INT and self._size(member.item) > 1:
                size = self._size(member.item)
                yield from ((f"{prefix}{name}.{index}", (place + index * size, size)) for index in range(member.count))
            else:
                yield prefix + name, (place, self._size(number))

    def _size(self, number: int) -> int:
        found = self._resolved(number)
        return self._size(found.item) * found.count if found.kind == ARRAY else found.size

    def _resolved(self, number: int) -> Type:
        found = self._types[number]
        while found.kind in (8, 9, 10, 11):  # typedef, volatile, const, restrict
            found = self._types[found.size]
        return found

    def _named(self, name: str) -> Type:
        return next(found for found in self._types if found.kind == STRUCT and found.name == name)

    def _text(self, at: int) -> str:
        return self._texts[at : self._texts.index(b"\0", at)].decode()


def layout(form: struct.Struct, start: int = 0) -> list[tuple[int, int]]:
    """Offset and size of each value of a struct format."""
    found, at = [], start
    digits = ""
    for letter in form.format.lstrip("<"):
        if letter.isdigit():
            digits += letter
            continue
        count = int(digits or 1)
        digits = ""
        pieces = [count] if letter == "s" else [struct.calcsize("<" + letter)] * count
        for size in pieces:
            found.append((at, size))
            at += size
    return found


@pytest.fixture(scope="module", params=OBJECTS)
def btf(request):
    return Btf((FOLDER / f"{request.param}.bpf.o").read_bytes())


BODIES = {
    "exec_record": normalise.EXEC,
    "open_record": normalise.OPEN,
    "connect_record": normalise.CONNECT,
    "dup_record": normalise.DUP,
    "call_record": normalise.CALL,
    "mount_record": normalise.MOUNT,
    "syscall_record": normalise.SYSCALL,
    "send_record": normalise.SEND,
    "cred_record": normalise.CRED,
    "container_record": normalise.BORN,
}


def test_the_header(btf):
    assert btf.size("header") == normalise.HEADER.size
    assert list(btf.fields("header").values()) == layout(normalise.HEADER)


@pytest.mark.parametrize("name", BODIES)
def test_a_record(btf, name):
    form = BODIES[name]
    assert btf.size(name) == normalise.HEADER.size + form.size, "there may be no hidden padding at the end"
    theirs = [place for field, place in btf.fields(name).items() if not field.startswith("header.")]
    assert theirs == layout(form, normalise.HEADER.size)


def test_a_descriptor(btf):
    assert list(btf.fields("descriptor").values()) == layout(normalise._DESCRIPTOR)


def test_settings_counts_and_floods_are_read_and_written_through_mmap(btf):
    assert list(btf.fields("flood").values()) == layout(floods.FLOOD)
    assert list(btf.fields("settings").values()) == layout(filters.SETTINGS)
    assert list(btf.fields("counts").values()) == layout(sensor._COUNTS)


def test_the_time_stands_where_the_rings_are_ordered_by_it(btf):
    assert btf.fields("exec_record")["header.time"] == (normalise.HEADER.size - 24, 8)


def test_keys_of_the_filters(btf):
    assert btf.size("path_key") == filters.SIZES["open_paths"] == len(filters.path_key("/etc/passwd", whole=True))
    assert btf.size("name_key") == filters.SIZES["names"] == len(filters.name_key("sh"))
