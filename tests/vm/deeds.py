"""What a container tries inside the machine, and what came of each deed; denying.py has them denied."""

import ctypes
import errno
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import sensing

PORT = 7001


def tried(work: Callable[[], object]) -> str:
    """ "done", or the name of the error."""
    try:
        work()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "done"


def run(path: str) -> None:
    """Execute a program and wait for it; OSError if it could not be."""
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(path, [path, "-c", "true"])
        except OSError as error:
            os._exit(error.errno or 1)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        raise OSError(code, "exec")


def write(path: str) -> None:
    """Put a line behind what is there."""
    with Path(path).open("a") as file:
        file.write("intruder\n")


def connect(host: str) -> None:
    """Connect and close."""
    with socket.socket() as line:
        line.connect((host, PORT))


def mount() -> None:
    """A tmpfs on /mnt."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", b"/mnt", b"tmpfs", 0, None):
        raise OSError(ctypes.get_errno(), "mount")


DEEDS: dict[str, Callable[[], object]] = {
    "write": lambda: write("/etc/shadow"),
    "write_through_link": lambda: write("/shortcut"),
    "truncate": lambda: os.truncate("/etc/shadow", 0),
    "hard_link": lambda: os.link("/etc/shadow", "/other"),
    "rename_away": lambda: os.rename("/etc/shadow", "/gone"),
    "rename_over": lambda: os.rename("/etc/fresh", "/etc/shadow"),
    "unlink": lambda: os.unlink("/etc/shadow"),
    "run": lambda: run("/bin/miner"),
    "connect": lambda: connect("127.0.0.2"),
    "mount": mount,
    "write_other": lambda: write("/etc/passwd"),
    "run_other": lambda: run("/bin/sh"),
    "connect_other": lambda: connect("127.0.0.1"),
}


def inside(folder: Path, place: Path) -> dict[str, str]:
    """Every deed by a process of a container; what came of each."""
    read, wrote = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            with (folder / "cgroup.procs").open("w") as door:
                sensing.enter(place)  # before it is a container's: mounting is among what is denied
                door.write(str(os.getpid()))
            os.write(wrote, json.dumps({name: tried(deed) for name, deed in DEEDS.items()}).encode())
        finally:
            os._exit(0)
    os.close(wrote)
    os.waitpid(pid, 0)
    return dict(json.loads(os.read(read, 1 << 16) or b"{}"))
