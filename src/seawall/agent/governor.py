"""Reads how heavy the agent is and how the node feels; limits.py decides what follows."""

import os
import time

from seawall.agent.limits import Reading

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Governor:
    """The thin reader: each call covers the time since the one before."""

    def __init__(self) -> None:
        self._cpu = time.process_time()
        self._at = time.monotonic()

    def read(self) -> Reading:
        """Processor share since the last call, memory and pressure now."""
        cpu, at = time.process_time(), time.monotonic()
        share = (cpu - self._cpu) / max(at - self._at, 0.001)
        self._cpu, self._at = cpu, at
        return Reading(share, resident(), pressure("cpu"), pressure("memory"))


def resident() -> int:
    """VmRSS of this process in bytes."""
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * _PAGE


def pressure(resource: str) -> float:
    """`some avg10` of /proc/pressure/RESOURCE in percent; 0 on a kernel without PSI."""
    try:
        with open(f"/proc/pressure/{resource}", "rb") as file:
            return float(file.readline().split()[1].removeprefix(b"avg10="))
    except (OSError, ValueError, IndexError):
        return 0.0
