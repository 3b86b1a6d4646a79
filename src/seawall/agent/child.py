"""What stands between the agent and an errand: `python -m seawall.agent.child MEMORY SECONDS MODULE ARGUMENT…`.

Binds the process to its limits, asks the kernel to kill it when the agent is gone, and becomes the errand.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
NICE = 15
URGENT = "SEAWALL_URGENT"
"""In the environment of an errand that somebody waits for: it is not niced."""


def bind(memory: int, seconds: int) -> None:
    """Limits of this process and of all it starts: bytes of address space, seconds of processor time."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the agent died before the kernel was asked
        sys.exit(1)
    if not os.environ.pop(URGENT, ""):
        os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Never returns: the process is the errand's from here on."""
    bind(int(sys.argv[1]), int(sys.argv[2]))
    os.execv(sys.executable, [sys.executable, "-s", "-P", "-m", *sys.argv[3:]])


if __name__ == "__main__":
    main()
