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
    unconfined: bool = False
    """seccomp and AppArmor are out of the way, and the kernel's settings are not hidden."""


SIMULATIONS = (
    Simulation("reverse-shell-bash", "bash -i on /dev/tcp to another container", "reverse_shell_socket", listener=True),
    Simulation(
        "reverse-shell-dup", "python puts a socket on 0, 1, 2 and starts sh", "reverse_shell_socket", listener=True
    ),
    Simulation("reverse-shell-relay", "mkfifo, sh and a relay as with nc", "reverse_shell_relay", listener=True),
    Simulation(
        "reverse-shell-pty",
        "python connects and puts a shell on a terminal of its own",
        "reverse_shell_terminal",
        listener=True,
    ),
    Simulation(
        "reverse-shell-memory",
        "bash out of memory, called sh, on a connection",
        "reverse_shell_disguised",
        listener=True,
    ),
    Simulation("bind-shell", "sh serves a connection to a port of the container", "bind_shell"),
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
    Simulation(
        "user-namespace",
        "make a user namespace and mount an empty tmpfs in it",
        "user_namespace_used",
        unconfined=True,
    ),
    Simulation(
        "kernel-setting",
        "open core_pattern to write, and write nothing",
        "kernel_helper_changed",
        ("SYS_ADMIN",),
        unconfined=True,
    ),
    Simulation("disk-device", "make a device file of a disk that is not there", "disk_device_made"),
    Simulation(
        "file-handle", "open a file of the container's own by its handle", "file_handle_opened", ("DAC_READ_SEARCH",)
    ),
    Simulation(
        "other-environment",
        "read the environment of this command from inside",
        "other_environment_read",
        ("SYS_PTRACE", "DAC_READ_SEARCH"),
        True,
    ),
    Simulation(
        "other-files",
        "read the host's /etc/hostname by /proc/PID/root",
        "foreign_file_read",
        ("SYS_PTRACE", "SYS_ADMIN"),
        True,
    ),
    Simulation("refused-call", "ask for bpf, which is refused", "risky_call_refused"),
    Simulation("packet-socket", "open a packet socket and close it", "packet_socket_made"),
    Simulation("ptrace", "attach to a child and let it go", "process_traced", ("SYS_PTRACE",)),
    Simulation("shadow", "append a comment to the container's /etc/shadow", "accounts_written"),
    Simulation("cron", "put a comment into /etc/cron.d", "cron_written"),
    Simulation("ssh-key", "put a comment into root's authorized_keys", "ssh_key_written"),
    Simulation("preload", "create an empty /etc/ld.so.preload", "preload_written"),
    Simulation("login-module", "put a comment into /etc/pam.d", "login_modules_written"),
    Simulation("startup", "append a comment to root's .bashrc", "startup_written"),
    Simulation("system-program", "copy `true` to /usr/bin", "system_program_written"),
    Simulation("set-user-id", "give a copy of `true` the set-user-id bit", "set_user_id"),
    Simulation("second-name", "link /etc/passwd to a second name", "sensitive_file_linked"),
    Simulation("logs", "remove a /var/log/auth.log of its own making", "logs_removed"),
    Simulation("history", "remove a .bash_history of its own making", "history_removed"),
    Simulation("drop-script", "write a script to /opt and run it", "dropped_script"),
    Simulation("miner", "run `true` with a pool among its arguments", "coin_miner"),
    Simulation("tunnel", "run a copy of `true` called frpc", "tunnel_tool"),
    Simulation("encoded-command", "run `id` out of base64", "encoded_command"),
    Simulation("web-shell", "run `id` under a copy of bash called nginx", "web_server_recon"),
    Simulation("port-sweep", "knock at forty ports of another container", "port_sweep", listener=True),
    Simulation("metadata", "knock at the cloud's metadata service", "metadata_contacted"),
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
