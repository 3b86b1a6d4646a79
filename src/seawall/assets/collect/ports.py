"""Listening sockets, seen from inside each network namespace: which process holds them, who can reach them."""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from seawall.assets.collect.node import CACHED, Node
from seawall.assets.model import Port
from seawall.node import procfs, users

TABLES = {"tcp": "0A", "tcp6": "0A", "udp": "07", "udp6": "07"}
"""File of /proc/PID/net → state that means: waits for anybody. proc_net_tcp(5)"""


@dataclass(frozen=True, slots=True)
class Socket:
    """One line of such a file."""

    protocol: str
    address: str
    port: int
    inode: int


def ports(node: Node) -> Iterator[Port]:
    """Every listening socket of every network namespace in which a process lives."""
    summaries = {str(item.get("Id", "")): item for item in node.running()}
    found = [(members, sock) for members in _namespaces().values() for sock in _listening(members)]
    holders = _holders(node, found)
    own = procfs.namespace("self", "net")
    for members, sock in found:
        pid = holders.get(sock.inode)
        if pid is None:
            continue  # closed since, or held by the kernel itself
        container = procfs.container_of(pid) or ""
        namespace = procfs.namespace(pid, "net")
        summary = summaries.get(container, {})
        public = tuple(_public(summary, sock)) if namespace != own else ()
        status = procfs.status(pid) or {}
        uid = int(status.get("Uid", "0").split()[0])
        yield Port(
            id=f"{sock.protocol}-{sock.address}-{sock.port}-{namespace or members[0]}",
            proto=sock.protocol,
            address=sock.address,
            port=sock.port,
            pid=pid,
            process=status.get("Name", ""),
            exe=procfs.link(pid, "exe") or "",
            user=users.name(pid if container else None, uid),
            container_id=container,
            container_name=str((summary.get("Names") or [""])[0]).lstrip("/"),
            public=public,
            exposure=_exposure(sock.address, namespace == own, bool(public)),
        )


def listening(text: str, protocol: str) -> Iterator[Socket]:
    """The waiting sockets in the text of a /proc/net file. A line that is no socket is passed over."""
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) < 10 or words[3] != TABLES[protocol]:
            continue
        address, _, port = words[1].partition(":")
        try:
            yield Socket(protocol, _address(address), int(port, 16), int(words[9]))
        except (ValueError, OSError):
            continue


def _address(text: str) -> str:
    """Hexadecimal words in the machine's byte order."""
    words = b"".join(bytes.fromhex(text[start : start + 8])[::-1] for start in range(0, len(text), 8))
    return socket.inet_ntop(socket.AF_INET6 if len(words) == 16 else socket.AF_INET, words)


def _namespaces() -> dict[int, list[int]]:
    """Network namespace → its processes."""
    found: dict[int, list[int]] = {}
    for pid in procfs.pids():
        inode = procfs.namespace(pid, "net")
        if inode is not None and procfs.link(pid, "exe") is not None:
            found.setdefault(inode, []).append(pid)
    return found


def _listening(members: list[int]) -> list[Socket]:
    """Read through the first member that still lives."""
    for pid in members:
        bodies = {protocol: procfs.read(pid, f"net/{protocol}") for protocol in TABLES}
        if bodies["tcp"] is not None:
            return [
                sock
                for protocol, body in bodies.items()
                for sock in listening((body or b"").decode("ascii", "replace"), protocol)
            ]
    return []


def _holders(node: Node, found: list[tuple[list[int], Socket]]) -> dict[int, int]:
    """Inode → pid. Descriptors are looked through only where a socket is new: that is the costly part."""
    wanted = {sock.inode for _, sock in found if sock.inode}
    known = {inode: pid for inode, pid in node.sockets.items() if inode in wanted and _holds(pid, inode)}
    for members, sock in found:
        if sock.inode in known:
            continue
        for pid in members:
            known |= {inode: pid for inode in _sockets(pid) if inode in wanted and inode not in known}
            if sock.inode in known:
                break
    node.sockets = known if len(known) <= CACHED else {}
    return known


def _holds(pid: int, inode: int) -> bool:
    return inode in _sockets(pid)


def _sockets(pid: int) -> set[int]:
    found: set[int] = set()
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return found
    for name in names:
        target = procfs.link(pid, f"fd/{name}") or ""
        if target.startswith("socket:["):
            found.add(int(target[8:-1]))
    return found


def _public(summary: dict[str, Any], sock: Socket) -> Iterator[dict[str, Any]]:
    for item in summary.get("Ports") or []:
        same = item.get("PrivatePort") == sock.port and item.get("Type") == sock.protocol.removesuffix("6")
        if same and item.get("PublicPort"):
            yield {"host_ip": str(item.get("IP") or "0.0.0.0"), "host_port": int(item["PublicPort"])}


def _exposure(address: str, on_host: bool, published: bool) -> str:
    if address.startswith("127.") or address in ("::1", "::ffff:127.0.0.1"):
        return "local"
    return "host" if on_host or published else "container"
