"""Load the eBPF programs in a child that hands their descriptors back and ends: what libbpf needs goes with it.

The resident process never loads libbpf or ctypes. Links and maps live as long as somebody holds their descriptors;
nothing is pinned, so nothing stays behind.
"""

import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seawall import runtime
from seawall.core.errors import SeawallError

if TYPE_CHECKING:
    from seawall.runtime.collect import libbpf

FOLDER = Path(runtime.__path__[0]) / "bpf"
BTF = Path("/sys/kernel/btf/vmlinux")
OBJECTS = ("sockets", "process", "syscalls")
REQUIRED = "process"
"""Without the others the sensor is degraded, without this one it is off."""
TIMEOUT = 60.0
MAX_MESSAGE = 1 << 16
MAX_DESCRIPTORS = 64
BUILD = "run: make build (needs clang and libbpf-dev)"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Descriptors, now of this process."""

    maps: dict[str, int]
    links: tuple[int, ...]
    timer: int
    """A timerfd that ticks: the standard library of 3.11 cannot make one."""
    programs: tuple[str, ...]
    errors: tuple[str, ...]
    """Objects that could not be loaded, and why."""

    def close(self) -> None:
        """Take the programs out of the kernel."""
        for descriptor in (*self.links, *self.maps.values(), self.timer):
            os.close(descriptor)


def load(tick: float, folder: Path = FOLDER) -> Loaded:
    """Load and attach what is in `folder`. Raises SeawallError with a hint when the sensor cannot be."""
    if not BTF.exists():
        raise SeawallError("this kernel does not describe its types (BTF)", "use a kernel with CONFIG_DEBUG_INFO_BTF=y")
    missing = [name for name in OBJECTS if not (folder / f"{name}.bpf.o").is_file()]
    if missing:
        raise SeawallError(f"the eBPF programs are not built: {', '.join(missing)}", BUILD)
    answer, descriptors = _in_child(lambda: _load(tick, folder))
    if "error" in answer:
        _close(descriptors)
        raise SeawallError(answer["error"], answer.get("hint", ""))
    names = answer["maps"]
    maps = dict(zip(names, descriptors, strict=False))
    return Loaded(
        maps=maps,
        links=tuple(descriptors[len(names) + 1 :]),
        timer=descriptors[len(names)],
        programs=tuple(answer["programs"]),
        errors=tuple(answer["errors"]),
    )


def fill(wanted: Mapping[int, tuple[int, list[bytes]]]) -> None:
    """Make the keys of maps (by descriptor; with the size of a key) exactly those wanted, their values 1."""

    def work() -> tuple[dict[str, Any], list[int]]:
        from seawall.runtime.collect import libbpf

        for descriptor, (size, keys) in wanted.items():
            libbpf.replace(descriptor, keys, size)
        return {}, []

    answer, _ = _in_child(work)
    if "error" in answer:
        raise SeawallError(answer["error"], answer.get("hint", ""))


def _load(tick: float, folder: Path) -> tuple[dict[str, Any], list[int]]:
    from seawall.runtime.collect import libbpf

    loader = libbpf.Loader()
    errors = []
    for name in OBJECTS:
        try:
            _add(loader, folder, name)
        except SeawallError as error:
            if name == REQUIRED:
                raise
            errors.append(f"{name}: {error}")
    answer = {"maps": list(loader.maps), "programs": loader.programs, "errors": errors}
    return answer, [*loader.maps.values(), libbpf.timer(tick), *loader.links]


def _add(loader: "libbpf.Loader", folder: Path, name: str) -> None:
    """The object, or the form of it for kernels before 5.17. What the kernel takes is tried, not guessed."""
    try:
        loader.add(folder / f"{name}.bpf.o")
    except SeawallError:
        older = folder / f"{name}.old.o"
        if not older.is_file():
            raise
        loader.add(older)


def _in_child(work: Callable[[], tuple[dict[str, Any], list[int]]]) -> tuple[dict[str, Any], list[int]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        child = os.fork()
        if child == 0:
            _answer(theirs, work)
        theirs.close()
        ours.settimeout(TIMEOUT)
        try:
            data, descriptors, _, _ = socket.recv_fds(ours, MAX_MESSAGE, MAX_DESCRIPTORS)
        except TimeoutError:
            os.kill(child, 9)
            return {"error": f"the kernel did not take the eBPF programs within {TIMEOUT:.0f} s"}, []
        finally:
            os.waitpid(child, 0)
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    if not data:
        return {"error": "the loader of the eBPF programs ended without a word", "hint": "is there memory left?"}, []
    answer: dict[str, Any] = json.loads(data)
    return answer, descriptors


def _answer(out: socket.socket, work: Callable[[], tuple[dict[str, Any], list[int]]]) -> None:
    """The child's whole life. It leaves without the parent's clean-up: nothing here is its own."""
    try:
        answer, descriptors = work()
    except SeawallError as error:
        answer, descriptors = {"error": str(error), "hint": error.hint}, []
    except BaseException as error:
        answer, descriptors = {"error": f"loading the eBPF programs failed: {error!r}"}, []
    try:
        socket.send_fds(out, [json.dumps(answer)[:MAX_MESSAGE].encode()], descriptors)
    finally:
        os._exit(0)


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
