"""Accounts and who may become root: passwd, shadow, sudoers, the SSH server. Names are told, hashes never."""

import re
from collections import Counter
from collections.abc import Iterator

from seawall.core.severity import Severity
from seawall.images.detect.sensitive.kind import ACCOUNT, Kind
from seawall.images.model import Risk

MAX_LINES = 20_000
MAX_NAMES = 5
_EMPTY = Kind("SW-FILE-401", Severity.CRITICAL, ACCOUNT, "An account without a password", "空口令账号")
_ROOT = Kind("SW-FILE-402", Severity.CRITICAL, ACCOUNT, "A second account with uid 0", "存在另一个 uid 为 0 的账号")
_TWICE = Kind("SW-FILE-403", Severity.LOW, ACCOUNT, "Accounts that share a uid", "多个账号共用同一 uid")
_WEAK = Kind("SW-FILE-404", Severity.HIGH, ACCOUNT, "A password in a weak hash", "口令使用弱哈希")
_SET = Kind(
    "SW-FILE-405",
    Severity.MEDIUM,
    ACCOUNT,
    "A password is set: equal in every container",
    "设置了登录口令：所有容器相同",
)
_SUDO = Kind(
    "SW-FILE-406", Severity.HIGH, ACCOUNT, "Anything as root without a password (sudo)", "sudo 免密执行任意命令"
)
_SSH_ROOT = Kind("SW-FILE-407", Severity.HIGH, ACCOUNT, "SSH admits root with a password", "SSH 允许 root 口令登录")
_SSH_EMPTY = Kind("SW-FILE-408", Severity.CRITICAL, ACCOUNT, "SSH admits empty passwords", "SSH 允许空口令登录")
_TRUST = Kind("SW-FILE-409", Severity.HIGH, ACCOUNT, "Hosts that are trusted without a password", "免口令信任主机")
KINDS = (_EMPTY, _ROOT, _TWICE, _WEAK, _SET, _SUDO, _SSH_ROOT, _SSH_EMPTY, _TRUST)
FILES = ("etc/passwd", "etc/shadow", "etc/sudoers", "etc/ssh/sshd_config", "etc/hosts.equiv", "etc/doas.conf")
MAX_LINE = 2000
"""Characters of a line of these files; a longer one is none that the programs would read."""
_SUDOERS = re.compile(r"NOPASSWD:[ \t]*(?:SETENV:[ \t]*)?ALL\b|^permit[ \t]+nopass\b")
_NO_SHELL = ("nologin", "false", "sync", "shutdown", "halt")


def looks_at(path: str) -> bool:
    """FILES, and what sudo and SSH read beside them."""
    return path in FILES or path.startswith(("etc/sudoers.d/", "etc/ssh/sshd_config.d/"))


def risks(path: str, text: str) -> Iterator[Risk]:
    """Of one of these files."""
    if path == "etc/passwd":
        yield from _passwd(text)
    elif path == "etc/shadow":
        yield from _shadow(text)
    elif path.startswith(("etc/sudoers", "etc/doas")):
        lines = [line.strip() for line in _lines(text)]
        names = [line.split()[0] for line in lines if _SUDOERS.search(line) and not line.startswith(("#", "root "))]
        if names:
            yield _SUDO.risk(_listed(names))
    elif path == "etc/hosts.equiv":
        if any(line.strip() and not line.startswith("#") for line in _lines(text)):
            yield _TRUST.risk()
    else:
        yield from _sshd(text)


def _lines(text: str) -> list[str]:
    return [line for line in text[: MAX_LINES * 100].splitlines()[:MAX_LINES] if len(line) <= MAX_LINE]


def _rows(text: str, least: int) -> Iterator[list[str]]:
    for line in _lines(text):
        fields = line.split(":")
        if len(fields) >= least and fields[0] and not line.startswith(("#", "+", "-")):
            yield fields


def _passwd(text: str) -> Iterator[Risk]:
    rows = list(_rows(text, 7))
    if empty := [row[0] for row in rows if not row[1] and not row[6].endswith(_NO_SHELL)]:
        yield _EMPTY.risk(_listed(empty))
    if roots := [row[0] for row in rows if row[2].isdecimal() and int(row[2]) == 0 and row[0] != "root"]:
        yield _ROOT.risk(_listed(roots))
    shared = [uid for uid, count in Counter(row[2] for row in rows).items() if count > 1 and uid.strip("0")]
    if shared:
        yield _TWICE.risk(_listed([f"uid {uid}" for uid in shared]))


def _shadow(text: str) -> Iterator[Risk]:
    rows = list(_rows(text, 2))
    if empty := [row[0] for row in rows if not row[1]]:
        yield _EMPTY.risk(_listed(empty))
    hashed = [row for row in rows if row[1] and not row[1].startswith(("!", "*", "x"))]
    if weak := [row[0] for row in hashed if row[1].startswith("$1$") or not row[1].startswith(("$", "_"))]:
        yield _WEAK.risk(_listed(weak))
    if strong := [row[0] for row in hashed if row[0] not in weak]:
        yield _SET.risk(_listed(strong))


def _sshd(text: str) -> Iterator[Risk]:
    said: dict[str, str] = {}
    for line in _lines(text):
        words = line.split()
        if len(words) > 1 and words[0].lower() == "match":
            break
        if len(words) > 1 and not line.lstrip().startswith("#"):
            said.setdefault(words[0].lower(), words[1].lower())  # the first one counts
    if said.get("permitrootlogin") == "yes" and said.get("passwordauthentication") != "no":
        yield _SSH_ROOT.risk("PermitRootLogin yes")
    if said.get("permitemptypasswords") == "yes":
        yield _SSH_EMPTY.risk("PermitEmptyPasswords yes")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return (", ".join(name[:40] for name in names[:MAX_NAMES]) + more)[:200]
