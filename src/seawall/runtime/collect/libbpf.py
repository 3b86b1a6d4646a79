"""libbpf through ctypes. Imported in the loading child only."""

import ctypes
import errno
import os
from collections.abc import Container
from pathlib import Path
from typing import Any, cast

from seawall.core.errors import SeawallError

NAMES = ("libbpf.so.1", "libbpf.so")
_POINTERS = (
    "bpf_object__open_mem",
    "bpf_object__next_map",
    "bpf_object__next_program",
    "bpf_program__attach",
    "bpf_program__attach_cgroup",
)
_TEXTS = ("bpf_map__name", "bpf_program__name")


class Loader:
    """Loads objects one by one; a map of a name that is there already is used again, not made anew."""

    def __init__(self) -> None:
        self._lib = library()
        self._log = os.memfd_create("libbpf")
        os.dup2(self._log, 2)
        self.maps: dict[str, int] = {}
        self.links: list[int] = []
        self.programs: list[str] = []
        self._keep: list[Any] = []

    def add(self, path: Path, cgroup: int = -1) -> None:
        """Load an object and attach its programs, those for cgroups to an open cgroup folder.

        Raises SeawallError; objects loaded before stay.
        """
        data = path.read_bytes()
        self._load(data, path.name, self._names(data, path.name), cgroup)

    def add_singly(self, path: Path, only: Container[str] | None = None) -> dict[str, str]:
        """Load what can be loaded of an object, program by program; which could not, and why."""
        data = path.read_bytes()
        refused = {}
        for name in self._names(data, path.name):
            if only is not None and name not in only:
                continue
            try:
                self._load(data, f"{path.name}: {name}", [name])
            except SeawallError as error:
                refused[name] = str(error)
        return refused

    def _names(self, data: bytes, what: str) -> list[str]:
        handle = self._check(self._lib.bpf_object__open_mem(data, len(data), None), f"{what}: it cannot be read")
        programs = self._each(self._lib.bpf_object__next_program, handle)
        names = [self._lib.bpf_program__name(program).decode() for program in programs]
        self._lib.bpf_object__close(handle)
        return names

    def _load(self, data: bytes, what: str, names: list[str], cgroup: int = -1) -> None:
        """Load these programs of an object and attach them."""
        handle = self._check(self._lib.bpf_object__open_mem(data, len(data), None), f"{what}: it cannot be read")
        programs = []
        for program in self._each(self._lib.bpf_object__next_program, handle):
            name = self._lib.bpf_program__name(program).decode()
            self._lib.bpf_program__set_autoload(program, name in names)
            if name in names:
                programs.append((name, program))
        maps = self._each(self._lib.bpf_object__next_map, handle)
        for found in maps:
            known = self.maps.get(self._lib.bpf_map__name(found).decode())
            if known is not None and self._lib.bpf_map__reuse_fd(found, known):
                raise SeawallError(f"{what}: a map of the other programs does not fit", "run: make build")
        result = self._lib.bpf_object__load(handle)
        if result:
            raise self._refused(what, -result)
        links = [
            (name, self._check(self._attach(program, cgroup), f"{name} cannot be attached"))
            for name, program in programs
        ]
        for found in maps:
            name = self._lib.bpf_map__name(found).decode()
            if "." not in name:
                self.maps.setdefault(name, self._lib.bpf_map__fd(found))
        self.links += [self._lib.bpf_link__fd(link) for _, link in links]
        self.programs += [name for name, _ in links]
        self._keep += [data, handle, links]

    def _attach(self, program: int, cgroup: int) -> int | None:
        if cgroup < 0:
            return cast("int | None", self._lib.bpf_program__attach(program))
        return cast("int | None", self._lib.bpf_program__attach_cgroup(program, cgroup))

    def _each(self, next: Any, handle: int) -> list[int]:
        found, item = [], None
        while item := next(handle, item):
            found.append(item)
        return found

    def _check(self, pointer: int | None, what: str) -> int:
        if not pointer:
            raise self._refused(what, ctypes.get_errno())
        return pointer

    def _refused(self, what: str, number: int) -> SeawallError:
        hint = "run: make build"
        if number in (errno.EPERM, errno.EACCES) and os.geteuid() != 0:
            hint = "run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_RESOURCE"
        elif number == errno.EPERM:
            hint = (
                "CAP_BPF and CAP_PERFMON are needed; in a container add them, and allow bpf(2) in its seccomp profile"
            )
        said = os.pread(self._log, 1 << 20, 0).decode("utf-8", "replace").strip()[-300:]
        return SeawallError(f"the kernel refused {what}: {os.strerror(number)}. {said}", hint)


def replace(descriptor: int, keys: dict[bytes, int], size: int) -> None:
    """Make the keys of a map exactly these, each with its value of one byte. New ones come before old ones go."""
    lib = library()
    for key, value in keys.items():
        if lib.bpf_map_update_elem(descriptor, key, ctypes.byref(ctypes.c_uint8(value)), ctypes.c_uint64(0)):
            raise SeawallError(f"a filter of the plan does not fit the kernel: {os.strerror(ctypes.get_errno())}")
    stale: list[bytes] = []
    at: Any = None
    following = ctypes.create_string_buffer(size)
    while lib.bpf_map_get_next_key(descriptor, at, following) == 0 and len(stale) < 4096:
        at = ctypes.create_string_buffer(following.raw, size)
        if at.raw not in keys:
            stale.append(at.raw)
    for old in stale:
        lib.bpf_map_delete_elem(descriptor, old)


def library() -> Any:
    """libbpf with the types of what we call. Raises SeawallError when it is not installed."""
    for name in NAMES:
        try:
            lib = ctypes.CDLL(name, use_errno=True)
            break
        except OSError:
            continue
    else:
        raise SeawallError("libbpf is not installed", "apt-get install libbpf1 (or your system's package of libbpf)")
    for name in _POINTERS:
        getattr(lib, name).restype = ctypes.c_void_p
    for name in _TEXTS:
        getattr(lib, name).restype = ctypes.c_char_p
    pointer = ctypes.c_void_p
    lib.bpf_object__open_mem.argtypes = [ctypes.c_char_p, ctypes.c_size_t, pointer]
    for name in ("bpf_object__next_map", "bpf_object__next_program"):
        getattr(lib, name).argtypes = [pointer, pointer]
    for name in (
        "bpf_object__load",
        "bpf_object__close",
        "bpf_program__attach",
        "bpf_link__fd",
        "bpf_map__fd",
        *_TEXTS,
    ):
        getattr(lib, name).argtypes = [pointer]
    lib.bpf_program__set_autoload.argtypes = [pointer, ctypes.c_bool]
    lib.bpf_program__attach_cgroup.argtypes = [pointer, ctypes.c_int]
    lib.bpf_map__reuse_fd.argtypes = [pointer, ctypes.c_int]
    return lib
