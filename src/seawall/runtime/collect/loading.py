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
OBJECTS = ("sockets", "process", "syscalls", "uring")
REQUIRED = "on_exec"
"""Without other programs the sensor is degraded, without this one it is off."""
OPTIONAL = frozenset(["on_uring", "on_uring_before", "on_cgroup", "on_attach"])
"""Not every kernel has what these hang on; without them the sensor is still whole."""
TIMEOUT = 60.0
MAX_MESSAGE = 1 << 16
MAX_DESCRIPTORS = 64
BUILD = "run: make build (needs clang and libbpf-dev)"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Descriptors, now of this process."""

    maps: dict[str, int]
    links: tuple[int, ...]
    programs: tuple[str, ...]
    errors: tuple[str, ...]
    """Objects and single programs that could not be loaded, and why."""
    absent: tuple[str, ...] = ()
    """Optional programs that this kernel does not take."""

    def close(self) -> None:
        """Take the programs out of the kernel."""
        for descriptor in (*self.links, *self.maps.values()):
            os.close(descriptor)


def load(folder: Path = FOLDER) -> Loaded:
    """Load and attach what is in `folder`. Raises SeawallError with a hint when the sensor cannot be."""
    if not BTF.exists():
        raise SeawallError("this kernel does not describe its types (BTF)", "use a kernel with CONFIG_DEBUG_INFO_BTF=y")
    missing = [name for name in OBJECTS if not (folder / f"{name}.bpf.o").is_file()]
    if missing:
        raise SeawallError(f"the eBPF programs are not built: {', '.join(missing)}", BUILD)
    answer, descriptors = in_child(lambda: _load(folder))
    if "error" in answer:
        _close(descriptors)
        raise SeawallError(answer["error"], answer.get("hint", ""))
    names = answer["maps"]
    maps = dict(zip(names, descriptors, strict=False))
    return Loaded(
        maps=maps,
        links=tuple(descriptors[len(names) :]),
        programs=tuple(answer["programs"]),
        errors=tuple(answer["errors"]),
        absent=tuple(answer["absent"]),
    )


def fill(wanted: Mapping[int, tuple[int, dict[bytes, int]]]) -> None:
    """Make the keys of maps (by descriptor; with the size of a key) exactly those wanted, with their values."""

    def work() -> tuple[dict[str, Any], list[int]]:
        from seawall.runtime.collect import libbpf

        for descriptor, (size, keys) in wanted.items():
            libbpf.replace(descriptor, keys, size)
        return {}, []

    answer, _ = in_child(work)
    if "error" in answer:
        raise SeawallError(answer["error"], answer.get("hint", ""))


def _load(folder: Path) -> tuple[dict[str, Any], list[int]]:
    from seawall.runtime.collect import libbpf

    loader = libbpf.Loader()
    errors: list[str] = []
    absent: list[str] = []
    for name in OBJECTS:
        try:
            refused = _add(loader, folder, name)
        except SeawallError as error:
            errors.append(f"{name}: {error}")
            continue
        absent += [program for program in refused if program in OPTIONAL]
        errors += [f"{program}: {why}" for program, why in refused.items() if program not in OPTIONAL]
    if REQUIRED not in loader.programs:
        raise SeawallError("; ".join(errors))
    answer = {"maps": list(loader.maps), "programs": loader.programs, "errors": errors, "absent": absent}
    return answer, [*loader.maps.values(), *loader.links]


def _add(loader: "libbpf.Loader", folder: Path, name: str) -> dict[str, str]:
    """The object, or the form of it for kernels before 5.17, or what can be had of one of them program by program.

    What the kernel takes is tried, not guessed. The programs that it did not take, and why.
    """
    forms = [path for path in (folder / f"{name}.bpf.o", folder / f"{name}.old.o") if path.is_file()]
    for path in forms:
        try:
            loader.add(path)
        except SeawallError:
            continue
        return {}
    fewest: dict[str, str] | None = None
    for path in forms:
        missing = loader.add_singly(path) if fewest is None else loader.add_singly(path, only=fewest)
        fewest = missing if fewest is None else {name: why for name, why in fewest.items() if name in missing}
    return fewest or {}


def in_child(work: Callable[[], tuple[dict[str, Any], list[int]]]) -> tuple[dict[str, Any], list[int]]:
    """What the work in a short-lived child answers, with the descriptors it hands over."""
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
