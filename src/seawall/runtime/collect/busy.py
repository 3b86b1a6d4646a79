"""Containers that keep processors busy for long, from the figures their cgroups keep anyway. One pass a minute.

Much work is no attack, so that by itself nothing is told: rules look at it together with what else was told of the
container.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from seawall.node import procfs
from seawall.runtime.model import Container

PASS = 60.0
"""Seconds between two looks."""
SHARE = 0.9
"""Of one processor, or of what the container may use if that is less: below it is not busy."""
LEAST, AGAIN = 10, 60
"""Minutes without a break until it is told, and until it is told again."""
ROOTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
FOLDERS = ("cpuacct", "cpu,cpuacct", "cpuacct,cpu")


@dataclass(frozen=True, slots=True)
class Busy:
    """A container that has been busy until now."""

    container: Container
    minutes: int
    cores: float
    """Processors in use during the last minute."""


class Burning:
    """`look` is called often and works once a minute."""

    def __init__(self, read: Callable[[int], tuple[int, float] | None] | None = None) -> None:
        """`read`: see `usage`, which it is unless a test has another."""
        self._read = read or usage
        self._last: dict[str, tuple[float, int]] = {}
        self._minutes: dict[str, int] = {}
        self._due = 0.0

    def look(self, containers: Iterable[Container], now: float) -> Iterator[Busy]:
        """Those that have just been busy for LEAST minutes, or for AGAIN more. `now` on any steady clock."""
        if now < self._due:
            return
        self._due = now + PASS
        before, self._last = self._last, {}
        minutes, self._minutes = self._minutes, {}
        for container in containers:
            found = self._read(container.pid) if container.pid else None
            if found is None:
                continue
            used, allowed = found
            self._last[container.id] = (now, used)
            since, earlier = before.get(container.id, (now, used))
            if now - since < PASS / 2 or used < earlier:
                continue
            cores = (used - earlier) / 1e9 / (now - since)
            if cores < SHARE * min(1.0, allowed):
                continue
            count = minutes.get(container.id, 0) + 1
            self._minutes[container.id] = count
            if count >= LEAST and (count - LEAST) % AGAIN == 0:
                yield Busy(container, count, round(cores, 2))


def usage(pid: int, roots: Iterable[str] = ROOTS) -> tuple[int, float] | None:
    """(nanoseconds of processor time that a process's cgroup has used, processors it may use), or None."""
    paths: dict[str, str] = {}
    for line in (procfs.read(pid, "cgroup") or b"").decode("utf-8", "surrogateescape").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if path not in ("", "/") and ".." not in path:  # the host's own, or one that this view does not reach
            paths |= dict.fromkeys(controllers.split(","), path)
    for root in roots:
        found = _old(root, paths) if "cpuacct" in paths else _new(root + paths[""]) if "" in paths else None
        if found is not None:
            return found
    return None


def _old(root: str, paths: Mapping[str, str]) -> tuple[int, float] | None:
    """Of the first version, where each controller may be mounted by itself."""
    used = _first(f"{root}/{folder}{paths['cpuacct']}/cpuacct.usage" for folder in FOLDERS)
    if not used:
        return None
    at = [f"{root}/{folder}{paths.get('cpu', paths['cpuacct'])}/cpu.cfs_" for folder in ("cpu", *FOLDERS)]
    quota, period = _first(f"{start}quota_us" for start in at), _first(f"{start}period_us" for start in at)
    limited = quota and period and quota[0] > 0 and period[0] > 0
    return used[0], quota[0] / period[0] if limited else float("inf")


def _new(folder: str) -> tuple[int, float] | None:
    used = _numbers(f"{folder}/cpu.stat", "usage_usec")
    if not used:
        return None
    limit = _numbers(f"{folder}/cpu.max")
    return used[0] * 1000, limit[0] / limit[1] if len(limit) == 2 and limit[1] > 0 else float("inf")


def _first(files: Iterable[str]) -> list[int]:
    return next((found for path in files if (found := _numbers(path))), [])


def _numbers(path: str, name: str = "") -> list[int]:
    """The numbers of a file's first line, or of the line that begins with a name; none when there are none."""
    try:
        with open(path, "rb") as file:
            lines = file.read(4096).decode("ascii", "replace").splitlines()
    except OSError:
        return []
    line = next((line for line in lines if not name or line.startswith(f"{name} ")), "")
    return [int(word) for word in line.removeprefix(name).split() if word.isdigit()]
