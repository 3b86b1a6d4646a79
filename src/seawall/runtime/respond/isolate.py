"""Cut a container off the network, and let it back: a table of our own in its network namespace, nothing else touched.

Loopback stays. Where the kernel takes it, a second table drops frames at the devices, because a raw socket passes the
first. Runs in an errand, which enters the namespace and ends there.
"""

import ctypes
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from seawall.node import procfs
from seawall.node.docker import Docker
from seawall.runtime.respond import containers
from seawall.runtime.respond.outcome import Failed, Outcome

TABLE = "seawall_isolation"
COMMENT = "seawall isolation"
SECONDS = 20.0
_CLONE_NEWNET = 0x40000000
_NET_ADMIN = 12
_IP = f"""table inet {TABLE} {{
 chain input {{ type filter hook input priority -300; policy drop; iifname "lo" accept; }}
 chain output {{ type filter hook output priority -300; policy drop; oifname "lo" accept; }}
 chain forward {{ type filter hook forward priority -300; policy drop; }}
}}
"""


def isolate(docker: Docker, id: str, home: Path, dry: bool) -> Outcome:
    """Drop all that is not loopback. Raises Failed with the reason."""
    found, pid = containers.running(docker, id)
    containers.check_ours(found)
    name, full = containers.name_of(found), str(found["Id"])
    _check_own_network(found, pid)
    means = tool()
    others = _sharing(docker, full)
    would, reach = ("would ", "reach") if dry else ("", "reaches")
    text = f"{name} {would}{reach} nothing but itself, and nothing {would}{reach} it"
    if others:
        text += f"; {', '.join(others)} share its network and {'would be' if dry else 'are'} cut off too"
    data: dict[str, Any] = {"affects": others}
    if _may_undo(pid):
        data["weak"] = "it has CAP_NET_ADMIN and could remove the rules itself"
    undo = {"action": "release", "container": full}
    if dry:
        return Outcome("isolate", name, means, text, dry=True, data=data)
    _within(pid, full, _cut)
    remember(home, full, name)
    return Outcome("isolate", name, means, text, undo=undo, data=data)


def release(docker: Docker, id: str, home: Path, dry: bool) -> Outcome:
    """Remove exactly what `isolate` put there. One that does not run is released when it is only forgotten."""
    try:
        found, pid = containers.running(docker, id)
    except Failed as failed:
        if failed.reason == "container_gone" and noted(home, id):
            if not dry:
                forget(home, id)
            return Outcome("release", id[:12], "", "it does not run; it will not be isolated when it starts", dry=dry)
        raise
    name, full = containers.name_of(found), str(found["Id"])
    if dry:
        return Outcome("release", name, tool(), f"{name} would have its network back", dry=True)
    forget(home, full)
    removed = _within(pid, full, _mend)
    text = f"{name} has its network back" if removed else f"{name} was not isolated"
    return Outcome("release", name, tool(), text, already=not removed)


def tool() -> str:
    """nftables or iptables. Raises Failed when the node has neither."""
    if _program("nft"):
        return "nftables"
    if _program("iptables"):
        return "iptables"
    raise Failed("not_supported", "neither nft nor iptables is installed (apt-get install nftables)")


# What is isolated, on disk: it holds again when the container starts anew


def remember(home: Path, id: str, name: str) -> None:
    """Keep it isolated through restarts of the container, the agent and the node."""
    folder = home / "isolated"
    folder.mkdir(0o700, parents=True, exist_ok=True)
    new = folder / f".{id}.new"
    new.write_text(json.dumps({"id": id, "name": name, "since": time.time()}))
    new.replace(folder / f"{id}.json")


def forget(home: Path, id: str) -> None:
    """It may have its network when it starts."""
    for path in noted(home, id):
        path.unlink(missing_ok=True)


def noted(home: Path, id: str) -> list[Path]:
    """The notes about a container whose id begins so."""
    if not id or not id.isalnum():
        return []
    return [path for path in (home / "isolated").glob("*.json") if path.stem.startswith(id)]


# In the namespace


def _check_own_network(found: Mapping[str, Any], pid: int) -> None:
    mode = str((found.get("HostConfig") or {}).get("NetworkMode") or "")
    if mode.startswith("container:"):
        raise Failed("shared_with", f"it uses the network of {mode.partition(':')[2][:12]}: isolate that one")
    if mode == "host" or procfs.namespace(pid, "net") == procfs.namespace(1, "net"):
        raise Failed("shared_host", "it uses the host's network: isolating it would cut the host off")


def _sharing(docker: Docker, id: str) -> list[str]:
    """Names of containers that use this one's network."""
    mine = f"container:{id}"
    return [
        str((summary.get("Names") or ["?"])[0]).lstrip("/")
        for summary in docker.containers(all=False)
        if (summary.get("HostConfig") or {}).get("NetworkMode") == mine
    ]


def _may_undo(pid: int) -> bool:
    held = int((procfs.status(pid) or {}).get("CapEff", "0"), 16)
    return bool(held >> _NET_ADMIN & 1)


def _within(pid: int, id: str, work: Any) -> bool:
    """Do it in the network namespace of a container. This process stays there."""
    try:
        there = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise Failed("container_gone", f"it has just ended ({error.strerror})") from error
    try:
        if procfs.container_of(pid) not in (None, id):
            raise Failed("container_gone", "it has just ended")
        if os.fstat(there).st_ino == procfs.namespace(1, "net"):
            raise Failed("shared_host", "it uses the host's network")
        if ctypes.CDLL(None, use_errno=True).setns(there, _CLONE_NEWNET):
            raise Failed("not_supported", f"its network cannot be entered: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(there)
    return bool(work())


def _cut() -> bool:
    if _program("nft"):
        _mend()
        devices = [name for _, name in socket.if_nameindex() if name != "lo"]
        if _nft(_IP + _frames(devices)) and _nft(_IP):
            raise Failed("not_supported", "the kernel takes no nftables rules")
        return True
    for words in _iptables("-I"):
        done = _run(words)
        if done.returncode:
            raise Failed("failed", done.stderr.strip()[-300:])
    return True


def _mend() -> bool:
    """Remove our tables; whether there were any."""
    if _program("nft"):
        tables = [
            family for family in ("inet", "netdev") if not _run(["nft", "list", "table", family, TABLE]).returncode
        ]
        return bool(tables) and not _nft("".join(f"delete table {family} {TABLE}\n" for family in tables))
    return sum(_run(words).returncode for words in _iptables("-D")) == 0


def _frames(devices: list[str]) -> str:
    """Rules at the devices, for what does not pass the IP stack."""
    chains = "".join(
        f" chain {way}{number} {{ type filter hook {way} device {json.dumps(device)} priority -500; policy drop; }}\n"
        for number, device in enumerate(devices)
        for way in ("ingress", "egress")
    )
    return f"table netdev {TABLE} {{\n{chains}}}\n" if devices else ""


def _nft(rules: str) -> int:
    return _run(["nft", "-f", "-"], rules).returncode


def _iptables(change: str) -> Iterator[list[str]]:
    for program in ("iptables", "ip6tables"):
        if not _program(program):
            continue
        for chain, way in (("INPUT", "-i"), ("OUTPUT", "-o")):
            place = ["1"] if change == "-I" else []
            match = ["!", way, "lo", "-m", "comment", "--comment", COMMENT, "-j", "DROP"]
            yield [program, "-w", "5", change, chain, *place, *match]


def _run(words: list[str], input: str = "") -> subprocess.CompletedProcess[str]:
    path = _program(words[0])
    if path is None:
        raise Failed("not_supported", f"{words[0]} is not installed")
    try:
        return subprocess.run(
            [path, *words[1:]], input=input, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Failed("timeout", f"{words[0]} did not end in time") from error


def _program(name: str) -> str | None:
    """Where it is; an agent's own PATH may lack the folders of root's programs."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin")
