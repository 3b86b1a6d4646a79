"""Opening what a container named: no way out, no waiting, nothing but regular files."""

import os
import socket

import pytest

from seawall.node.beneath import MAX_PARTS, Refused, open_file


def why(root, path):
    with pytest.raises(Refused) as caught:
        os.close(open_file(root, path))
    return caught.value.why


def test_a_file_is_opened_by_path_and_by_descriptor(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "f").write_bytes(b"x")
    folder = os.open(tmp_path, os.O_PATH)
    for root in (str(tmp_path), folder):
        descriptor = open_file(root, "/a//f")
        assert os.read(descriptor, 9) == b"x"
        os.close(descriptor)
    os.close(folder)
    odd = os.fsdecode(b"\xff\n")
    (tmp_path / odd).write_bytes(b"y")
    os.close(open_file(str(tmp_path), f"/{odd}"))


def test_traps(tmp_path):
    root = str(tmp_path)
    (tmp_path / "real").write_bytes(b"x")
    (tmp_path / "link").symlink_to("/etc/shadow")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "out").symlink_to("/etc")
    (tmp_path / "dir").mkdir()
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert why(root, "/socket") == "not_a_file"
    assert why(root, "/link") == "link"
    assert why(root, "/loop") == "link"
    assert why(root, "/loop/x") == "link"
    assert why(root, "/out/passwd") == "link"
    assert why(root, "/dir/../../etc/passwd") == "not_a_file"
    assert why(root, "/fifo") == "not_a_file"
    assert why(root, "/dir") == "not_a_file"
    assert why(root, "/") == "not_a_file"
    assert why(root, "/gone") == "gone"
    assert why(root, "/real/below") == "link"
    assert why(root, "/a\0b") == "not_a_file"
    assert why(root, "/a" * (MAX_PARTS + 1)) == "too_deep"
    assert why("/proc/999999999/root", "/real") == "gone"
    if os.geteuid() == 0:
        os.mknod(tmp_path / "device", 0o600 | 0o020000, os.makedev(1, 5))
        assert why(root, "/device") == "not_a_file"
