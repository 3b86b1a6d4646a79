"""Which sockets of a network namespace are connected with whom, from /proc/PID/net."""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from seawall.node import procfs
from seawall.runtime.model import Address

ESTABLISHED, SYN_SENT, LISTEN = "01", "02", "0A"
MAX_LINES = 5000
"""Of one table that are looked at."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One socket that leads out of the machine. `peer.host` is "" for one without another end (UDP, ICMP, raw)."""

    peer: Address
    outgoing: bool


def connections(pid: int) -> dict[int, Connection]:
    """Inode of a socket → its connection, in a process's network namespace; loopback and own addresses left out."""
    rows = [(table, *row) for table in ("tcp", "tcp6") for row in _rows(pid, table)]
    served = {local[1] for _, local, _, state, _ in rows if state == LISTEN}
    own = {local[0] for _, local, _, state, _ in rows if state == ESTABLISHED}
    found: dict[int, Connection] = {}
    for table, local, remote, state, inode in rows:
        if state in (ESTABLISHED, SYN_SENT) and remote[0] not in own and not _loopback(remote[0]):
            found[inode] = Connection(_address(table, remote), local[1] not in served)
    for table in ("udp", "udp6", "raw", "raw6", "icmp", "icmp6"):
        for local, remote, _, inode in _rows(pid, table):
            named = remote[1] != 0 or not _unset(remote[0])
            if not _loopback(remote[0] if named else local[0]):
                found[inode] = Connection(_address(table, remote) if named else Address("inet"), outgoing=True)
    for inode, peer in _associations(pid):
        found[inode] = Connection(peer, outgoing=True)
    return found


Side = tuple[str, int]


def _rows(pid: int, table: str) -> Iterator[tuple[Side, Side, str, int]]:
    """(local, remote, state, inode) of each line."""
    for line in (procfs.read(pid, f"net/{table}") or b"").decode("ascii", "replace").splitlines()[1:MAX_LINES]:
        fields = line.split()
        try:
            yield _side(fields[1]), _side(fields[2]), fields[3], int(fields[9])
        except (IndexError, ValueError):
            continue


def _side(text: str) -> Side:
    host, _, port = text.partition(":")
    words = bytes.fromhex(host)
    data = b"".join(struct.pack(">I", word) for (word,) in struct.iter_unpack("=I", words))
    if len(data) == 16 and data.startswith(b"\0" * 10 + b"\xff\xff"):
        data = data[12:]
    return socket.inet_ntop(socket.AF_INET if len(data) == 4 else socket.AF_INET6, data), int(port, 16)


def _associations(pid: int) -> Iterator[tuple[int, Address]]:
    """SCTP, where the kernel has it."""
    for line in (procfs.read(pid, "net/sctp/assocs") or b"").decode("ascii", "replace").splitlines()[1:MAX_LINES]:
        fields = line.split()
        try:
            remote = line.partition("<->")[2].split()[0].lstrip("*")
            yield int(fields[10]), Address("inet6" if ":" in remote else "inet", remote, int(fields[12]))
        except (IndexError, ValueError):
            continue


def _address(table: str, side: Side) -> Address:
    return Address("inet6" if table.endswith("6") else "inet", *side)


def _loopback(host: str) -> bool:
    return host.startswith("127.") or host == "::1"


def _unset(host: str) -> bool:
    return host in ("0.0.0.0", "::")
