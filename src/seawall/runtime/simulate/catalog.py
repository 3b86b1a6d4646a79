"""The simulations: what each does, what it needs, which rule has to catch it."""

from collections.abc import Iterable
from dataclasses import dataclass

from seawall.core.errors import SeawallError


@dataclass(frozen=True, slots=True)
class Simulation:
    """One harmless attack."""

    name: str
    title: str
    """What happens, in a few words."""
    rule: str
    """The rule that has to catch it."""
    capabilities: tuple[str, ...] = ()
    """Added to the container's own, with seccomp and AppArmor out of the way."""
    host_pids: bool = False
    """The container sees the host's processes."""
    runtime_socket: bool = False
    """The Docker socket is mounted, under another name."""
    listener: bool = False
    """A second container listens for the reverse shell."""


SIMULATIONS = (
    Simulation("reverse-shell-bash", "bash -i on /dev/tcp to another container", "reverse_shell_socket", listener=True),
    Simulation(
        "reverse-shell-dup", "python puts a socket on 0, 1, 2 and starts sh", "reverse_shell_socket", listener=True
    ),
    Simulation("reverse-shell-relay", "mkfifo, sh and a relay as with nc", "reverse_shell_relay", listener=True),
    Simulation("shell-dials-out", "bash opens /dev/tcp itself", "shell_dials_out", listener=True),
    Simulation(
        "runtime-socket",
        "ping Docker through its socket, mounted as /run/other.sock",
        "runtime_socket_used",
        runtime_socket=True,
    ),
    Simulation(
        "namespace-enter",
        "setns into the host's mount namespace",
        "namespace_entered",
        ("SYS_ADMIN", "SYS_PTRACE"),
        True,
    ),
    Simulation(
        "host-program", "run the host's `true` after setns", "host_namespace_joined", ("SYS_ADMIN", "SYS_PTRACE"), True
    ),
    Simulation("namespace-create", "unshare a mount namespace", "namespace_created", ("SYS_ADMIN",)),
    Simulation("mount", "mount an empty tmpfs inside the container", "mount_in_container", ("SYS_ADMIN",)),
    Simulation("ptrace", "attach to a child and let it go", "process_traced", ("SYS_PTRACE",)),
    Simulation("shadow", "append a comment to the container's /etc/shadow", "accounts_written"),
    Simulation("cron", "put a comment into /etc/cron.d", "cron_written"),
    Simulation("ssh-key", "put a comment into root's authorized_keys", "ssh_key_written"),
    Simulation("preload", "create an empty /etc/ld.so.preload", "preload_written"),
    Simulation("drop-program", "copy `true` to /opt and run the copy", "dropped_program"),
    Simulation("fileless", "run `true` from a memfd", "fileless_program"),
)


def choose(names: Iterable[str]) -> list[Simulation]:
    """Those named, or all. Raises SeawallError on a name that is none."""
    by_name = {simulation.name: simulation for simulation in SIMULATIONS}
    chosen = []
    for name in names:
        if name not in by_name:
            raise SeawallError(f"there is no simulation {name!r}", "seawall runtime simulate --list shows them")
        chosen.append(by_name[name])
    return chosen or list(SIMULATIONS)
