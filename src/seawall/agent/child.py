"""What stands between the agent and an errand: `python -m seawall.agent.child MEMORY SECONDS MODULE ARGUMENT…`.

Binds the process to its limits, asks the kernel to kill it when the agent is gone, and becomes the errand.
"""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1
NICE = 15
URGENT = "SEAWALL_URGENT"
"""In the environment of an errand that somebody waits for: it is not niced. With the value HERE it is begun in this
process, which saves the start of an interpreter."""
HERE = "here"


def bind(memory: int, seconds: int) -> bool:
    """Limits of this process and of all it starts: bytes of address space, seconds of processor time.

    Whether the errand is to be begun here.
    """
    import ctypes  # here alone: the agent itself reads this file's constants and has no use for either
    import resource

    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the agent died before the kernel was asked
        sys.exit(1)
    urgent = os.environ.pop(URGENT, "")
    if not urgent:
        os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return urgent == HERE


def main() -> None:
    """The process is the errand's from here on."""
    if bind(int(sys.argv[1]), int(sys.argv[2])):
        sys.argv = sys.argv[3:]
        from importlib import import_module

        import_module(sys.argv[0]).main()
        return
    os.execv(sys.executable, [sys.executable, "-s", "-P", "-m", *sys.argv[3:]])


if __name__ == "__main__":
    main()
