"""What a Falco rule is to us: its category and severity, from its name, tags, priority and system calls."""

import re
from collections.abc import Collection

from seawall.core.severity import Severity
from seawall.runtime.model import Category

_SEVERITIES = {
    "EMERGENCY": Severity.CRITICAL,
    "ALERT": Severity.CRITICAL,
    "CRITICAL": Severity.CRITICAL,
    "ERROR": Severity.HIGH,
    "WARNING": Severity.MEDIUM,
    "NOTICE": Severity.LOW,
    "INFO": Severity.INFO,
    "INFORMATIONAL": Severity.INFO,
    "DEBUG": Severity.INFO,
}
_NAMES = (
    (re.compile(r"reverse shell|remote code execution|std(in|out)|interpreted procs", re.I), Category.REVERSE_SHELL),
    (
        re.compile(r"escape|breakout|privileged container|sensitive mount|host sensitive|release_agent", re.I),
        Category.ESCAPE,
    ),
    (re.compile(r"crypto|miner|ransom|malware", re.I), Category.MALWARE),
)
_CALLS = (
    ("ptrace bpf userfaultfd init_module finit_module setns unshare setuid mount", Category.RISKY_SYSCALL),
    ("kexec_load perf_event_open keyctl", Category.RISKY_SYSCALL),
    ("connect accept accept4 listen sendto sendmsg recvfrom recvmsg socket", Category.NETWORK),
    ("open openat openat2 creat rename renameat renameat2 unlink unlinkat rmdir", Category.FILE_TAMPERING),
    ("mkdir mkdirat link linkat symlink symlinkat chmod fchmod fchmodat", Category.FILE_TAMPERING),
)
_BY_CALL = {call: found for calls, found in _CALLS for call in calls.split()}


def severity_of(priority: str) -> Severity | None:
    """Of a priority in Falco's words; None for no such word."""
    return _SEVERITIES.get(priority.strip().upper())


def category(name: str, tags: Collection[str], calls: Collection[str]) -> Category:
    """What the rule is about. `calls`: the system calls it looks at, none if they are not bounded."""
    for pattern, found in _NAMES:
        if pattern.search(name):
            return found
    if "T1611" in tags:
        return Category.ESCAPE
    about = {_BY_CALL.get(call, Category.ABNORMAL_PROCESS) for call in calls}
    return about.pop() if len(about) == 1 else Category.ABNORMAL_PROCESS
