"""Runs inside the machine: load the sensor, let a container-like process act, say what was seen. Prints JSON."""

import ctypes
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

ID = "5ea" + "0" * 58 + "a11"
CGROUP = Path("/sys/fs/cgroup")


def cgroup() -> Path:
    """A cgroup that is named as a container's, in the unified hierarchy."""
    subprocess.run(["/bin/busybox", "mount", "-t", "cgroup2", "cgroup2", str(CGROUP)], check=True)
    (CGROUP / "cgroup.subtree_control").write_text("+pids")
    folder = CGROUP / "docker" / ID
    folder.mkdir(parents=True)
    return folder


def root() -> Path:
    """An overlay with busybox below and a writable layer above."""
    base = Path("/run/over")
    subprocess.run(["/bin/busybox", "mount", "-t", "tmpfs", "none", "/run"], check=True)
    for name in ("lower/bin", "lower/etc", "lower/proc", "upper", "work", "merged"):
        (base / name).mkdir(parents=True)
    for name in ("busybox", "sh", "cat", "cp", "true"):
        (base / "lower" / "bin" / name).write_bytes(Path("/bin/busybox").read_bytes())
        (base / "lower" / "bin" / name).chmod(0o755)
    (base / "lower" / "etc" / "passwd").write_text("root:x:0:0::/:/bin/sh\n")
    options = f"lowerdir={base}/lower,upperdir={base}/upper,workdir={base}/work"
    mounted = subprocess.run(
        ["/bin/busybox", "mount", "-t", "overlay", "overlay", "-o", options, f"{base}/merged"], check=False
    )
    return base / ("merged" if mounted.returncode == 0 else "lower")


def enter(place: Path) -> None:
    """Have a mount as the root of a mount namespace of our own, as runtimes do where they cannot pivot."""
    libc = ctypes.CDLL(None)
    libc.unshare(0x00020000)
    libc.mount(b"none", b"/", None, 0x44000, None)  # private: nothing of it comes back to the host
    os.chdir(place)
    libc.mount(b".", b"/", None, 0x2000, None)
    os.chroot(".")
    os.chdir("/")


def act(folder: Path, place: Path, port: int) -> None:
    """What a container does: its first program, a dropped program, a change of /etc/passwd, a shell on a connection."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    try:
        (folder / "cgroup.procs").write_text(str(os.getpid()))
        line = socket.socket()
        line.connect(("127.0.0.1", port))
        enter(place)
        script = "cat /etc/passwd >/dev/null; cp /bin/true /dropped; /dropped; echo x >> /etc/passwd; exec true"
        first = os.fork()
        if first == 0:
            os.execv("/bin/sh", ["sh", "-c", script])
        os.waitpid(first, 0)
        for number in (0, 1, 2):
            os.dup2(line.fileno(), number)
        os.execv("/bin/sh", ["sh", "-c", "true"])
    finally:
        os._exit(1)


def main() -> None:
    """Print the report."""
    from seawall.runtime import plan as plans
    from seawall.runtime.collect.sensor import Sensor
    from seawall.runtime.model import Container

    report: dict[str, object] = {"kernel": os.uname().release}
    place = root()
    report["overlay"] = place.name == "merged"
    listener = socket.create_server(("127.0.0.1", 0))
    sensor = Sensor(plans.read(), False)
    began = time.monotonic()
    sensor.start()
    report["load_seconds"] = round(time.monotonic() - began, 2)
    sensor.know(Container(ID, name="box", image="box:1", complete=True))
    act(cgroup(), place, listener.getsockname()[1])
    seen: list[dict[str, object]] = []
    end = time.monotonic() + 4
    while time.monotonic() < end:
        for event in sensor.read():
            if event.process.container is not None:
                upper = bool(event.file and event.file.upper)
                stdio = [found.type for found in event.stdio]
                path = event.file.path if event.file else ""
                seen.append({"kind": event.kind.value, "path": path, "upper": upper, "stdio": stdio})
        time.sleep(0.05)
    report["counters"] = sensor.counters()
    report["seen"] = seen
    sensor.stop()
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
