"""Things of the host that deeds work with, each of the test's own."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def disk(folder: Path) -> Iterator[str]:
    """A small disk of the test's own, as a block device of the host."""
    image = folder / "disk"
    image.write_bytes(b"")
    os.truncate(image, 4 << 20)
    subprocess.run(["mke2fs", "-q", "-F", str(image)], check=True, timeout=30)
    done = subprocess.run(
        ["losetup", "-f", "--show", str(image)], capture_output=True, text=True, timeout=30, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"no loop device: {done.stderr}")
    try:
        yield done.stdout.strip()
    finally:
        subprocess.run(["losetup", "-d", done.stdout.strip()], check=True, timeout=30)


@contextlib.contextmanager
def listening(host: str, *ports: int) -> Iterator[None]:
    """Somebody listens at these ports of the host, if they are free."""
    with contextlib.ExitStack() as stack:
        for port in ports:
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_server((host, port)))
        yield
