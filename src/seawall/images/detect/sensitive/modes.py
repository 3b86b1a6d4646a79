"""Set-uid, set-gid and world-writable files."""

import re
from collections.abc import Iterator

from seawall.core.severity import Severity
from seawall.images.detect.sensitive.kind import MODE, Kind
from seawall.images.model import Risk

SETUID, SETGID, OTHERS_WRITE, EXECUTE = 0o4000, 0o2000, 0o002, 0o111
_SHELL = Kind(
    "SW-FILE-301", Severity.CRITICAL, MODE, "A set-uid program that runs anything: root for everybody",
    "可执行任意命令的 setuid 程序：任何人可得 root",
)  # fmt: skip
_FOREIGN = Kind(
    "SW-FILE-302", Severity.HIGH, MODE, "A set-uid or set-gid program that no distribution has so",
    "非发行版自带的 setuid / setgid 程序",
)  # fmt: skip
_USUAL = Kind(
    "SW-FILE-303", Severity.INFO, MODE, "A set-uid or set-gid program of the distribution",
    "发行版自带的 setuid / setgid 程序",
)  # fmt: skip
_WRITABLE_PROGRAM = Kind(
    "SW-FILE-304", Severity.HIGH, MODE, "A program or setting of the system that everybody may change",
    "任何人可修改的系统程序或配置",
)  # fmt: skip
_WRITABLE = Kind("SW-FILE-305", Severity.LOW, MODE, "A file that everybody may change", "任何人可写的文件")
KINDS = (_SHELL, _FOREIGN, _USUAL, _WRITABLE_PROGRAM, _WRITABLE)

_RUNS_ANYTHING = re.compile(
    r"(?:bash|sh|dash|ash|zsh|ksh|csh|tcsh|fish|busybox|python[\d.]*|perl[\d.]*|ruby[\d.]*|php[\d.]*|node|lua[\d.]*|find"
    r"|vi|vim[.\w]*|nano|ed|emacs|less|more|man|awk|gawk|mawk|sed|cp|mv|dd|tee|tar|cpio|rsync|env|xargs|nice|timeout|strace"
    r"|gdb|nmap|docker|ctr|nsenter|unshare|chroot|socat|nc|ncat|curl|wget|git|ssh|scp|make|gcc|cat|head|tail|openssl|chmod"
    r"|chown|install|ln)"
)
_DISTRIBUTION = re.compile(
    r"(?:usr/)?(?:local/)?(?:s?bin|lib(?:exec|64|32)?)/(?:.*/)?(?:su|sudo|sudoedit|mount|umount|passwd|chsh|chfn|newgrp|gpasswd"
    r"|chage|expiry|wall|write|bsd-write|crontab|ssh-agent|ssh-keysign|ping6?|fusermount3?|pkexec|polkit-agent-helper-1"
    r"|dbus-daemon-launch-helper|unix_chkpwd|pam_timestamp_check|pam_extrausers_chkpwd|usernetctl|newuidmap|newgidmap"
    r"|mount\.nfs|mount\.cifs|at|doas|bbsuid|userhelper|staprun|utempter|dotlockfile|mlocate|plocate|locate|postdrop|postqueue"
    r"|exim4|sendmail\.\w+|screen|camel-lock-helper-1\.2|ntfs-3g|vmware-user-suid-wrapper|Xorg\.wrap|chrome-sandbox|grub2-set-\w+"
    r"|netreport|lockdev|ksu|sg|traceroute6?|arping|mtr-packet|ssh-sk-helper|krb5_child|ldap_child|selinux_child"
    r"|proxy_child|p11_child|sssd_\w+|suexec|bwrap|mount\.ecryptfs_private)$"
)
_CORE = re.compile(r"(?:usr/)?(?:local/)?(?:s?bin|lib\w*|libexec)/|etc/|app/.*\.(?:sh|py|js|so)$|root/")


def concerns(_path: str, mode: int) -> bool:
    """Quick: nearly no file has such bits."""
    return bool(mode & (SETUID | SETGID | OTHERS_WRITE))


def risks(path: str, mode: int, uid: int) -> Iterator[Risk]:
    """Of a regular file. A set-uid bit without the right to execute does nothing."""
    shown = f"mode {mode & 0o7777:04o}, owner {uid}"
    if mode & (SETUID | SETGID) and mode & EXECUTE:
        name = path.rsplit("/", 1)[-1]
        if mode & SETUID and uid == 0 and _RUNS_ANYTHING.fullmatch(name):
            yield _SHELL.risk(shown)
        else:
            yield (_USUAL if _DISTRIBUTION.match(path) else _FOREIGN).risk(shown)
    if mode & OTHERS_WRITE and not path.startswith(("tmp/", "var/tmp/", "dev/", "proc/", "sys/", "run/")):
        yield (_WRITABLE_PROGRAM if mode & EXECUTE or _CORE.match(path) else _WRITABLE).risk(shown)
