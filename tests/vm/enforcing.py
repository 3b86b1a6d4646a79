"""Runs inside the machine: what a container may not do does not happen, and the host may still do it. Prints JSON.

/plan.json denies: writing /etc/shadow, running a program called `miner`, connecting to 127.0.0.2, mounting.
"""

import ctypes
import errno
import json
import os
import socket
import sys
import time
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
            os.execv(path, [path, "true"])
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
            libc = ctypes.CDLL(None)
            libc.unshare(0x00020000)
            libc.mount(b"none", b"/", None, 0x44000, None)  # private: nothing of it comes back to the host
            (folder / "cgroup.procs").write_text(str(os.getpid()))
            os.chroot(place)
            os.chdir("/")
            os.write(wrote, json.dumps({name: tried(deed) for name, deed in DEEDS.items()}).encode())
        finally:
            os._exit(0)
    os.close(wrote)
    os.waitpid(pid, 0)
    return dict(json.loads(os.read(read, 1 << 16) or b"{}"))


def main() -> None:
    """Print the report."""
    from seawall.runtime import plan as plans
    from seawall.runtime.collect.sensor import Sensor
    from seawall.runtime.detect.exact import denials
    from seawall.runtime.model import Container

    place = sensing.root()
    (place / "mnt").mkdir()
    (place / "etc" / "shadow").write_text("root:*\n")
    (place / "etc" / "fresh").write_text("root::\n")
    (place / "shortcut").symlink_to("/etc/shadow")
    (place / "bin" / "miner").write_bytes(Path("/bin/busybox").read_bytes())
    (place / "bin" / "miner").chmod(0o755)
    plan = plans.read(Path("/plan.json"))
    listeners = [socket.create_server((host, PORT)) for host in ("127.0.0.1", "127.0.0.2")]
    for listener in listeners:
        listener.settimeout(1)
    sensor = Sensor(plan, True)
    sensor.start()
    sensor.deny(denials(plan))
    sensor.know(Container(sensing.ID, name="box", image="box:1", complete=True))
    report: dict[str, object] = {"kernel": os.uname().release, "counters": sensor.counters()}
    report["container"] = inside(sensing.cgroup(), place)
    report["shadow"] = (place / "etc" / "shadow").read_text()
    report["arrived"] = [tried(listener.accept) for listener in listeners]
    report["host"] = tried(lambda: write(str(place / "etc" / "shadow")))
    seen = []
    end = time.monotonic() + 3
    while time.monotonic() < end:
        for event in sensor.read():
            if event.blocked:
                path = event.file.path if event.file else ""
                peer = event.peer.host if event.peer else ""
                seen.append({"kind": event.kind.value, "path": path, "peer": peer, "means": event.means})
        time.sleep(0.05)
    report["seen"] = seen
    sensor.stop()
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
