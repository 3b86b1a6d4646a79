"""What happens now: events as the node sees them, the plan it judges by, and the alert that leaves it.

The way of the data: bpf/ → collect/ring.py → normalise.py → `Event` → detect/engine.py (with a `Plan`) → `Alert`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from seawall.core.severity import Severity

ALERT_SCHEMA = "seawall.alert/1"


class Kind(StrEnum):
    """What happened. The numbers of the kernel side are in bpf/events.h and are never reused."""

    EXEC = "exec"
    EXIT = "exit"
    FORK = "fork"
    CONNECT = "connect"
    OPEN = "open"
    """An open that may change the file (for writing, creating or truncating)."""
    DUP = "dup"
    """A dup2, dup3 or fcntl that put something on descriptor 0, 1 or 2."""
    SETNS = "setns"
    UNSHARE = "unshare"
    PTRACE = "ptrace"
    MOUNT = "mount"
    READ = "read"
    """An open that only reads: sent for the paths that some rule names."""
    CALL = "call"
    """Any other system call that some rule names: rename, unlink, chmod, bpf, io_uring_setup, listen …"""
    SEND = "send"
    """A datagram or message: DNS questions (with the payload's head), and what rules on sendto and sendmsg name."""
    CRED = "cred"
    """A process has credentials that no set*id, capset, exec or setns explains: a kernel exploit has worked."""
    URING = "uring"
    """An operation submitted through io_uring, which no system call shows."""
    THROTTLE = "throttle"
    """A container began (`result` 1) or ceased (0) to cause more events than its share."""
    START = "start"
    """A container's identity has become known: how it was started can be judged. No event of the kernel side."""
    LOAD = "load"
    """A container has kept processors busy for long (collect/busy.py). No event of the kernel side."""
    SCAN = "scan"
    """A scanner's verdict on a file that a container wrote or ran; it has no number in the kernel side."""


class Category(StrEnum):
    """The five engines of the product, and what stands beside them."""

    ESCAPE = "escape"
    REVERSE_SHELL = "reverse_shell"
    ABNORMAL_PROCESS = "abnormal_process"
    FILE_TAMPERING = "file_tampering"
    RISKY_SYSCALL = "risky_syscall"
    MALWARE = "malware"
    NETWORK = "network"
    K8S_AUDIT = "k8s_audit"
    SELF = "self"
    """Seawall about itself: lost events, a blind or degraded sensor, two agents with one identity."""


@dataclass(frozen=True, slots=True)
class Address:
    """One end of a socket."""

    family: str
    """inet, inet6 or unix."""
    host: str = ""
    """The IP address in text; "" for unix."""
    port: int = 0
    path: str = ""
    """Unix only; an abstract name starts with @."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What one of the descriptors 0, 1, 2 is at an exec or after a dup."""

    number: int
    type: str
    """file, pipe, tty, inet, inet6, unix, null, other or closed."""
    inode: int = 0
    """Inode of the pipe, socket or file."""
    peer: Address | None = None
    """The other end of a connected socket."""
    outgoing: bool | None = None
    """True if the socket was connected by this side, False if accepted, None if not known."""


@dataclass(frozen=True, slots=True)
class File:
    """A file as the kernel resolved it, not as the caller named it."""

    path: str
    """Absolute, inside the mount namespace and root of the process. Not-UTF-8 bytes are surrogate-escaped."""
    dev: int = 0
    ino: int = 0
    mode: int = 0
    """st_mode."""
    fs_magic: int = 0
    """Superblock magic: 0x794c7630 overlay, 0x9fa0 proc, 0x62656572 sysfs, 0x01021994 tmpfs …"""
    upper: bool = False
    """On overlayfs: the file lives in the written (upper) layer, so it does not come from the image."""
    memfd: bool = False
    deleted: bool = False
    flags: int = 0
    """Open flags (O_WRONLY …), for opens."""
    rdev: int = 0
    """Of a device file: which device."""
    inner_path: str = ""
    """In procfs, sysfs, cgroup and their like: the path inside that file system, wherever it is mounted."""
    upper_path: str = ""
    """Of a program that the kernel itself started out of an overlay: the upper layer's file, in its own file system."""
    foreign: bool = False
    """Its mount belongs to another mount namespace than the process: a descriptor has leaked."""
    ctime: int = 0
    """Nanoseconds since the epoch; 0 where the sensor did not say. Of running files only."""
    mtime: int = 0


@dataclass(frozen=True, slots=True)
class Mount:
    """Something of the host's, or a volume, that a container was given."""

    source: str
    """Path on the host; a volume's folder there."""
    target: str
    """Path in the container."""
    writable: bool = True
    type: str = "bind"
    """bind, volume, tmpfs …"""
    mode: str = ""
    """As it was asked for: z, Z, ro …"""
    propagation: str = ""


@dataclass(slots=True)
class Container:
    """What is known of a container on this node. Filled in steps; `complete` says that identity is whole."""

    id: str
    """64 hex digits."""
    name: str = ""
    image: str = ""
    image_id: str = ""
    image_digest: str = ""
    pod: str = ""
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Of the container, its image's among them; bounded."""
    started_at: float = 0.0
    privileged: bool = False
    complete: bool = False
    pid: int = 0
    """Its first process, by the host's count; 0 while it does not run or nobody has said."""
    caps: tuple[str, ...] = ()
    """Capabilities added to the runtime's default, CAP_SYS_ADMIN …; CAP_ALL for all."""
    host_namespaces: tuple[str, ...] = ()
    """Namespaces shared with the host by how it was started: pid, net, ipc, uts, user."""
    unconfined: tuple[str, ...] = ()
    """What does not confine it though it does by default: seccomp, apparmor, selinux."""
    mounts: tuple[Mount, ...] = ()
    devices: tuple[str, ...] = ()
    """Devices of the host given to it, by their path there."""
    layers: tuple[str, ...] = ()
    """Folders of the host that hold its files: the written layer, then the image's, uppermost first."""


@dataclass(slots=True)
class Process:
    """One process of the node's table, kept while it or a child of it lives."""

    pid: int
    start: int
    """Nanoseconds since boot. (pid, start) names the process for ever."""
    ppid: int = 0
    exe: str = ""
    """Resolved path of the running file."""
    comm: str = ""
    args: tuple[str, ...] = ()
    cwd: str = ""
    uid: int = 0
    euid: int = 0
    gid: int = 0
    loginuid: int = -1
    caps: int = 0
    """Effective capabilities, as a bitmap."""
    tty: str = ""
    sid: int = 0
    vpid: int = 0
    """Its pid inside its own pid namespace."""
    namespaces: Mapping[str, int] = field(default_factory=dict)
    """mnt, pid, net, user: inode numbers."""
    container: Container | None = None
    file: File | None = None
    """The running file with its marks (upper, memfd, deleted)."""
    stdio: tuple[Descriptor, ...] = ()
    by_exec: bool = False
    """Descends from `docker exec` or `kubectl exec` rather than from the container's first process."""
    started: bool = True
    """False while the runtime (runc init) still sets the container up: no alert then."""
    pgid: int = 0
    vpgid: int = 0
    """Process group at its last exec, in the first and in its own pid namespace."""
    permitted: int = 0
    """Permitted capabilities, as a bitmap."""
    foreign_cwd: bool = False
    """At its last exec its working directory belonged to another mount namespace (a leaked descriptor)."""
    by_kernel: bool = False
    """Its program was started by the kernel itself (a usermode helper: core_pattern, release_agent, modprobe)."""
    parent: "Process | None" = None
    env: tuple[str, ...] | None = None
    """The environment's head (NAME=value, at most 1 KB); None where the sensor did not read it."""
    user: str = ""
    """Name of `uid` in the process's own /etc/passwd; "" where that was not looked up."""
    group: str = ""
    """Name of `gid`, likewise; `login`: of `loginuid` on the host."""
    login: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who a task was before."""

    uid: int
    euid: int
    gid: int
    caps: int
    """Effective capabilities, as a bitmap."""


@dataclass(slots=True)
class Event:
    """One thing that happened, normalised. Only the fields that belong to its kind are filled."""

    kind: Kind
    time: float
    """Seconds since the epoch."""
    process: Process
    """The process that did it; for an exec already in its new state."""
    result: int = 0
    """Return value of the system call; negative errno when it failed."""
    file: File | None = None
    peer: Address | None = None
    """connect: where to; a unix peer is resolved to the listening socket's path."""
    socket_inode: int = 0
    """connect to a unix socket: inode of the peer's file, to know a runtime socket under any name."""
    socket_dev: int = 0
    stdio: tuple[Descriptor, ...] = ()
    target: int = 0
    """ptrace: the other process; setns, unshare: clone flags."""
    request: int = 0
    """ptrace: the request; mount: flags."""
    text: str = ""
    """mount: file system type; dup: not used."""
    blocked: bool = False
    """The kernel side has already sent the kill that the plan asked for."""
    syscall: str = ""
    """The system call's name (openat2, renameat2, bpf …); "" where the kind alone says it."""
    args: tuple[int, ...] = ()
    """Its raw arguments, as 64-bit numbers."""
    paths: tuple[str, ...] = ()
    """Paths it names, absolute where that is known: (old, new) of a rename or link, (path,) of an unlink …"""
    data: bytes = b""
    """send: the head of the payload, at most 512 bytes."""
    before: Credentials | None = None
    """exec, cred: the credentials before."""
    source: File | None = None
    """mount: what is mounted, as far as it could be found: a device has its mode and rdev."""
    peer_pid: int = 0
    """connect to a unix socket: the process that listens there."""
    uptime: int = 0
    """Nanoseconds since boot, on the clock of Process.start; 0 where it is not known."""
    local: Address | None = None
    """connect, send, accept, listen: this side of the socket."""
    protocol: str = ""
    """tcp, udp, icmp or raw, of an internet socket."""
    descriptor: int = -1
    """Number of the file descriptor it is about; -1 where there is none (a failed open) or it is not known."""
    repeats: int = 0
    """connect: how many equal calls came since the last event of this peer; throttle: events lost so far."""
    sample: bool = False
    """An open that no rule asked for: a container wrote this file for the first time, a scanner may want it."""
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scan:
    """A question that only a look at the node answers; the engine asks, its host looks (collect/lookup.py)."""

    what: str
    """holders: who in the container holds the other ends of these pipes or the master of this terminal, and which of
    them has a connection · origin: does the file come from the image · inode: which file is it."""
    container: str
    pid: int
    """The process that raised the question."""
    start: int
    others: tuple[int, ...] = ()
    """Ancestors of it in the same container, to stand in for it when it has ended."""
    pipes: tuple[int, ...] = ()
    """Inodes of pipes …"""
    pairs: tuple[int, ...] = ()
    """… and of Unix sockets that may be one half of a pair."""
    terminal: int = -1
    """Number of the pseudo terminal, /dev/pts/N."""
    path: str = ""
    """origin, inode: as the process sees it."""
    layers: tuple[str, ...] = ()
    """origin: the container's, for when none of its processes is left to look through."""
    number: int = 0
    """The engine's own, to know the answer by."""


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a Scan. What could not be found out is left as it is here."""

    holder: int = 0
    """holders: pid of the process with the connection; 0 when there is none."""
    exe: str = ""
    """holders: the file that process runs."""
    through: str = ""
    """holders: pipe or pty."""
    peer: Address | None = None
    """holders: the other end of its connection; host "" for a socket without one (UDP, ICMP, raw)."""
    outgoing: bool = True
    dev: int = 0
    """inode: as stat(2) shows it."""
    ino: int = 0
    origin: str = ""
    """origin: dropped (written after the start), copied (the image's own content, copied up) or image."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One compiled rule. `when` is the condition as nested lists (load.py defines the form, engine.py evaluates it)."""

    id: str
    title: str
    category: Category
    severity: Severity
    kinds: tuple[Kind, ...]
    """Events it wants; the engine never shows it others."""
    when: list[Any]
    action: str = "alert"
    """alert, block or allow: no rule of its category is told of an event on which an allowing rule holds."""
    why: str = ""
    advice: str = ""
    """What to do, in the responder's words."""
    title_zh: str = ""
    why_zh: str = ""
    advice_zh: str = ""
    mitre: tuple[str, ...] = ()
    merge_by: tuple[str, ...] = ("container.id", "proc.exepath")
    """Fields (detect/fields) that make two alerts of this rule the same one."""
    enabled: bool = True
    group: str = ""
    """What it is switched on and off with: a rule file's name, or "user"."""
    source: str = "system"
    """system, user or falco."""
    tags: tuple[str, ...] = ()
    wide: bool = False
    """A user's rule that wants events of its kinds on every path (every open of a container comes then)."""
    output: str = ""
    """The sentence an alert tells, with %field in it (a Falco rule's own); "" for none."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """What somebody decided not to be told of (加白): alerts of these rules that fit the condition are silenced."""

    id: str
    rules: tuple[str, ...]
    """Ids of rules; none means all."""
    when: list[Any]
    """A condition in the form of Rule.when."""
    expires: float = 0.0
    """Seconds since the epoch; 0 is never."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What an image is known to run, learned or promoted. Keyed by image digest (or image id) in `Plan.profiles`."""

    mode: str
    """discover: only learn · monitor: alert on what is not in it · protect: stop it."""
    programs: frozenset[str]
    """Resolved paths of executables."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the node runs: rules for the engine and filters for the kernel, compiled from YAML by load.py."""

    version: str
    """Content hash of everything below."""
    rules: tuple[Rule, ...]
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    filters: Mapping[str, Any] = field(default_factory=dict)
    """What the kernel side keeps; collect/ turns it into maps (detect/reach.py makes it, soundly, from the conditions):
    {"kinds": [Kind …], "open_paths": [≤ 256], "open_prefixes": [≤ 128, each ends in "/" and has ≤ 64 bytes],
    "open_names": [≤ 192], "open_scope": "container"|"all", "block": {"reverse_shell": {"names": […]}},
    "read_paths", "read_prefixes", "read_names": as open_*, for opens that only read,
    "wide": [Kind …] of which no rule bounds the path (every open of a container comes then),
    "syscalls": [names wanted as CALL, of containers], "syscalls_host": [of the host too],
    "people", "environment": true when some rule looks at names of users or groups, at the environment of an exec,
    "samples": true when first writes of files in containers are wanted}"""
    waivers: tuple[Waiver, ...] = ()
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    indicators: Mapping[str, Any] = field(default_factory=dict)
    """Addresses, domains and hashes that intelligence lists, packed: detect/indicators.py makes and reads the form."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as it leaves the node, in the form of docs/reference/schemas/alert.json."""

    time: str
    id: str
    rule: str
    title: str
    category: Category
    severity: Severity
    action: str
    """alert or block."""
    result: str
    """none, blocked, killed_after_effect or failed: what the action really achieved."""
    container: Mapping[str, Any]
    process: Mapping[str, Any]
    ancestors: tuple[Mapping[str, Any], ...]
    evidence: Mapping[str, Any]
    key: str = ""
    """Alerts of equal key on one node are the same alert happening again: the server merges them."""
    count: int = 1
    first_seen: str = ""
    last_seen: str = ""
    mitre: tuple[str, ...] = ()
    title_zh: str = ""
    why: str = ""
    why_zh: str = ""
    advice: str = ""
    advice_zh: str = ""
    means: str = ""
    """What carried the action out: lsm, fanotify, signal, egress, kill; "" when there was none."""
    when: str = ""
    """before or after the effect; "" when there was no action."""
