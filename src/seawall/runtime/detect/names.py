"""Numbers of the kernel and the words people know them by. Reference: the kernel's uapi headers."""

import errno

FILE_SYSTEMS = {
    0x794C7630: "overlay",
    0x9FA0: "proc",
    0x62656572: "sysfs",
    0x01021994: "tmpfs",
    0x27E0EB: "cgroup",
    0x63677270: "cgroup2",
    0x65735546: "fuse",
    0xEF53: "ext4",
    0x58465342: "xfs",
    0x9123683E: "btrfs",
    0x64626720: "debugfs",
    0x74726163: "tracefs",
    0x42494E4D: "binfmt_misc",
}
"""Superblock magic (linux/magic.h) → name."""

CLONE_FLAGS = {
    0x00020000: "CLONE_NEWNS",
    0x02000000: "CLONE_NEWCGROUP",
    0x04000000: "CLONE_NEWUTS",
    0x08000000: "CLONE_NEWIPC",
    0x10000000: "CLONE_NEWUSER",
    0x20000000: "CLONE_NEWPID",
    0x40000000: "CLONE_NEWNET",
    0x00000080: "CLONE_NEWTIME",
}

OPEN_FLAGS = {
    0x1: "O_WRONLY",
    0x2: "O_RDWR",
    0x40: "O_CREAT",
    0x80: "O_EXCL",
    0x200: "O_TRUNC",
    0x400: "O_APPEND",
    0x800: "O_NONBLOCK",
    0x10000: "O_DIRECTORY",
    0x20000: "O_NOFOLLOW",
    0x80000: "O_CLOEXEC",
}

PTRACE_REQUESTS = {
    0: "PTRACE_TRACEME",
    1: "PTRACE_PEEKTEXT",
    2: "PTRACE_PEEKDATA",
    3: "PTRACE_PEEKUSER",
    4: "PTRACE_POKETEXT",
    5: "PTRACE_POKEDATA",
    6: "PTRACE_POKEUSR",
    7: "PTRACE_CONT",
    13: "PTRACE_SETREGS",
    15: "PTRACE_SETFPREGS",
    16: "PTRACE_ATTACH",
    17: "PTRACE_DETACH",
    0x4205: "PTRACE_SETREGSET",
    0x4206: "PTRACE_SEIZE",
}

_WORDS = (
    "CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP "
    "CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER "
    "CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE "
    "CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL "
    "CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON "
    "CAP_BPF CAP_CHECKPOINT_RESTORE"
)
CAPABILITIES = tuple(_WORDS.split())
"""By bit number."""


def flags(value: int, table: dict[int, str]) -> str:
    """`O_WRONLY|O_CREAT`; bits without a name are left out."""
    return "|".join(name for bit, name in table.items() if value & bit)


def capabilities(bitmap: int) -> str:
    """`CAP_CHOWN CAP_SETUID`, in the order of the bits."""
    return " ".join(name for bit, name in enumerate(CAPABILITIES) if bitmap >> bit & 1)


def error(result: int) -> str:
    """`SUCCESS`, the error's name, or its number."""
    return "SUCCESS" if result >= 0 else errno.errorcode.get(-result, str(-result))


PROTECTION_BITS = {
    0o4000: "S_ISUID",
    0o2000: "S_ISGID",
    0o1000: "S_ISVTX",
    0o400: "S_IRUSR",
    0o200: "S_IWUSR",
    0o100: "S_IXUSR",
    0o040: "S_IRGRP",
    0o020: "S_IWGRP",
    0o010: "S_IXGRP",
    0o004: "S_IROTH",
    0o002: "S_IWOTH",
    0o001: "S_IXOTH",
}
"""Of a file's mode."""

DOMAINS = {1: "AF_UNIX", 2: "AF_INET", 10: "AF_INET6", 16: "AF_NETLINK", 17: "AF_PACKET", 38: "AF_ALG"}
DOMAINS |= {29: "AF_CAN", 31: "AF_BLUETOOTH", 40: "AF_VSOCK", 44: "AF_XDP", 15: "AF_KEY", 30: "AF_TIPC"}
"""First argument of socket()."""

_COMMANDS = (
    "MAP_CREATE MAP_LOOKUP_ELEM MAP_UPDATE_ELEM MAP_DELETE_ELEM MAP_GET_NEXT_KEY PROG_LOAD OBJ_PIN OBJ_GET "
    "PROG_ATTACH PROG_DETACH PROG_TEST_RUN PROG_GET_NEXT_ID MAP_GET_NEXT_ID PROG_GET_FD_BY_ID MAP_GET_FD_BY_ID "
    "OBJ_GET_INFO_BY_FD PROG_QUERY RAW_TRACEPOINT_OPEN BTF_LOAD BTF_GET_FD_BY_ID TASK_FD_QUERY "
    "MAP_LOOKUP_AND_DELETE_ELEM MAP_FREEZE BTF_GET_NEXT_ID MAP_LOOKUP_BATCH MAP_LOOKUP_AND_DELETE_BATCH "
    "MAP_UPDATE_BATCH MAP_DELETE_BATCH LINK_CREATE LINK_UPDATE LINK_GET_FD_BY_ID LINK_GET_NEXT_ID ENABLE_STATS "
    "ITER_CREATE LINK_DETACH PROG_BIND_MAP TOKEN_CREATE"
)
BPF_COMMANDS = tuple("BPF_" + word for word in _COMMANDS.split())
"""By number: first argument of bpf()."""


def terminal(name: str) -> int:
    """The device number that /proc shows for a terminal's name (pts3, tty1) or number; 0 for none."""
    if not name or name.isdigit():
        return int(name or 0)
    word = name.removeprefix("/dev/").replace("/", "")
    digits = word.lstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    number = int(digits) if digits.isdigit() else 0
    if word.startswith("pts"):
        return (136 + (number >> 8)) << 8 | number & 0xFF
    if word.startswith("ttyS"):
        return 4 << 8 | 64 + number
    return 4 << 8 | number if word.startswith("tty") and digits.isdigit() else 5 << 8 | 1
