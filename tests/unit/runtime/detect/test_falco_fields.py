"""Each field of Falco's rules, in conditions and outputs: what it answers, and that it is absent elsewhere."""

import re

import pytest

from conftest import DATA
from seawall.runtime.detect.examples import build
from seawall.runtime.detect.fields import FIELDS, resolve

EXEC = {
    "kind": "exec",
    "uptime": 9_000_000_000,
    "container": {
        "id": "abcdef0123456789" * 4,
        "image": "registry.example:5000/shop/web:1.4@sha256:00",
        "privileged": True,
        "pod": "web-1",
        "namespace": "shop",
        "started_at": 12.5,
        "mounts": [
            {"source": "/proc", "target": "/host/proc", "mode": "ro", "writable": False, "propagation": "rslave"}
        ],
    },
    "process": {
        "exe": "/usr/bin/bash",
        "args": ["-bash", "-c", "id"],
        "comm": "bash",
        "cwd": "/srv",
        "uid": 33,
        "user": "www-data",
        "gid": 34,
        "group": "web",
        "loginuid": 1000,
        "login": "ada",
        "tty": "pts1",
        "pid": 70,
        "pgid": 70,
        "sid": 60,
        "vpid": 7,
        "start": 1_000_000_000,
        "caps": 1 << 21,
        "permitted": 1 << 12,
        "env": ["A=1", "LD_PRELOAD=/x.so"],
        "upper": True,
        "memfd": True,
    },
    "parents": [
        {"exe": "/usr/sbin/nginx", "args": ["nginx", "-g", "daemon off;"]},
        {"exe": "/usr/bin/tini", "args": ["tini"], "pid": 60},
    ],
}
OPEN = {
    "kind": "open",
    "container": True,
    "result": 5,
    "file": {"path": "/etc/cron.d/x", "mode": 0o100755},
    "flags": "O_RDWR|O_CREAT|O_TRUNC",
    "paths": ["../cron.d/x"],
}
CONNECT = {"kind": "connect", "peer": "203.0.113.7:443", "local": "10.0.0.2:50000", "protocol": "tcp", "descriptor": 4}
CONNECT |= {"facts": {"names": {"203.0.113.7": ["evil.example"], "10.0.0.2": ["self.example"]}}}
ACCEPT = CONNECT | {"kind": "call", "syscall": "accept4"}
SENDTO = {"kind": "send", "peer": "203.0.113.7:9", "protocol": "udp", "args": [3, 0, 8, 0, 99, 16], "data": "cafebabe"}


def call(name, *args, paths=(), **more):
    return {"kind": "call", "syscall": name, "args": list(args), "paths": list(paths), **more}


VALUES = [
    ("container.id", EXEC, "abcdef012345"),
    ("container.image.repository", EXEC, "registry.example:5000/shop/web"),
    ("container.mount.dest[/pro*]", EXEC, "/host/proc"),
    ("container.mount.dest[/etc]", EXEC, "N/A"),
    ("container.mounts", EXEC, "/proc:/host/proc:ro:false:rslave"),
    ("container.privileged", EXEC, True),
    ("container.start_ts", EXEC, 12_500_000_000),
    ("evt.arg.cmd", call("bpf", 5), "BPF_PROG_LOAD"),
    ("evt.arg.domain", call("socket", 17, 3), "AF_PACKET"),
    ("evt.arg.fd", call("fchmod", 7, 0o755), "7"),
    ("evt.arg.filename", call("fchmodat", 0xFFFFFF9C, 1, 0o4755, paths=["/x"]), "/x"),
    ("evt.arg.flags", OPEN, "O_RDWR|O_CREAT|O_TRUNC"),
    ("evt.arg.flags", EXEC, "EXE_UPPER_LAYER|EXE_FROM_MEMFD"),
    ("evt.arg.flags", {"kind": "unshare", "flags": "CLONE_NEWUSER"}, "CLONE_NEWUSER"),
    ("evt.arg.linkpath", call("symlinkat", paths=["/a", "/b"]), "/b"),
    ("evt.arg.mode", call("chmod", 1, 0o4711), "S_ISUID|S_IRUSR|S_IWUSR|S_IXUSR|S_IXGRP|S_IXOTH"),
    ("evt.arg.name", call("unlinkat", 3, paths=["/x"]), "/x"),
    ("evt.arg.name", OPEN, "../cron.d/x"),
    ("evt.arg.newpath", call("renameat2", paths=["/a", "/b"]), "/b"),
    ("evt.arg.oldpath", call("linkat", paths=["/a", "/b"]), "/a"),
    ("evt.arg.path", call("mkdirat", paths=["/a"]), "/a"),
    ("evt.arg.request", {"kind": "ptrace", "request": "PTRACE_ATTACH"}, "PTRACE_ATTACH"),
    ("evt.arg.target", call("symlink", paths=["/a", "/b"]), "/a"),
    ("evt.arg.uid", call("setuid", 0), "root"),
    ("evt.arg.uid", call("setuid", 33, process={"uid": 33, "user": "www-data"}), "www-data"),
    ("evt.args", call("chmod", 1, 0o100, paths=["/x"]), "res=0 filename=/x mode=S_IXUSR"),
    ("evt.buffer", SENDTO, "\xca\xfe\xba\xbe"),
    ("evt.is_open_exec", OPEN, True),
    ("evt.is_open_read", OPEN, True),
    ("evt.is_open_read", {"kind": "read", "file": "/x"}, True),
    ("evt.is_open_write", OPEN, True),
    ("evt.num", EXEC, 1_000_000_000_000_000),
    ("evt.rawres", {"kind": "exec", "result": -13}, -13),
    ("evt.res", {"kind": "exec", "result": -115}, "EINPROGRESS"),
    ("evt.res", EXEC, "SUCCESS"),
    ("evt.type", EXEC, "execve"),
    ("evt.type", call("renameat2"), "renameat2"),
    ("fd.cip", CONNECT, "10.0.0.2"),
    ("fd.cip", ACCEPT, "203.0.113.7"),
    ("fd.cip.name", ACCEPT, ["evil.example"]),
    ("fd.cnet", ACCEPT, "203.0.113.7"),
    ("fd.connected", CONNECT, True),
    ("fd.connected", SENDTO, False),
    ("fd.directory", OPEN, "/etc/cron.d"),
    ("fd.filename", OPEN, "x"),
    ("fd.ip", CONNECT, ("203.0.113.7", "10.0.0.2")),
    ("fd.l4proto", CONNECT, "tcp"),
    ("fd.lip.name", CONNECT, ["self.example"]),
    ("fd.lport", CONNECT, 50000),
    ("fd.name", OPEN, "/etc/cron.d/x"),
    ("fd.name", CONNECT, "203.0.113.7:443"),
    ("fd.name_changed", SENDTO, True),
    ("fd.nameraw", OPEN, "../cron.d/x"),
    ("fd.net", CONNECT, ("203.0.113.7", "10.0.0.2")),
    ("fd.num", OPEN, 5),
    ("fd.num", CONNECT, 4),
    ("fd.num", {"kind": "read", "result": -2, "paths": ["/x"]}, -1),
    ("fd.port", CONNECT, (443, 50000)),
    ("fd.rip", CONNECT, "203.0.113.7"),
    ("fd.rip.name", CONNECT, ["evil.example"]),
    ("fd.rnet", CONNECT, "203.0.113.7"),
    ("fd.rport", CONNECT, 443),
    ("fd.sip", CONNECT, "203.0.113.7"),
    ("fd.sip", ACCEPT, "10.0.0.2"),
    ("fd.sip.name", CONNECT, ["evil.example"]),
    ("fd.snet", CONNECT, "203.0.113.7"),
    ("fd.sockfamily", CONNECT, "ip"),
    ("fd.sport", ACCEPT, 50000),
    ("fd.sport", call("listen", 3, 5, peer="10.0.0.2:80"), 80),
    ("fd.type", CONNECT, "ipv4"),
    ("fd.type", {"kind": "connect", "peer": "[2001:db8::1]:80"}, "ipv6"),
    ("fd.type", {"kind": "dup", "process": {"stdio": ["inet 203.0.113.7:1 out"]}}, "ipv4"),
    ("fd.typechar", OPEN, "f"),
    ("fd.typechar", {"kind": "read", "result": -2, "paths": ["/x"]}, "f"),
    ("group.gid", EXEC, 34),
    ("group.name", EXEC, "web"),
    ("k8s.ns.name", EXEC, "shop"),
    ("k8s.pod.name", EXEC, "web-1"),
    ("proc.aexe", EXEC, ("nginx", "tini")),
    ("proc.aexe[2]", EXEC, "tini"),
    ("proc.aexepath[2]", EXEC, "/usr/bin/tini"),
    ("proc.aname", EXEC, ("nginx", "tini")),
    ("proc.aname[1]", EXEC, "nginx"),
    ("proc.args", EXEC, "-c id"),
    ("proc.cmdline", EXEC, "bash -c id"),
    ("proc.cwd", EXEC, "/srv"),
    ("proc.duration", EXEC, 8_000_000_000),
    ("proc.env", EXEC, "A=1 LD_PRELOAD=/x.so"),
    ("proc.env[LD_PRELOAD]", EXEC, "/x.so"),
    ("proc.exe", EXEC, "-bash"),
    ("proc.exepath", EXEC, "/usr/bin/bash"),
    ("proc.is_exe_from_memfd", EXEC, True),
    ("proc.is_exe_upper_layer", EXEC, True),
    ("proc.is_vpgid_leader", EXEC, True),
    ("proc.name", EXEC, "bash"),
    ("proc.pcmdline", EXEC, "nginx -g daemon off;"),
    ("proc.pexe", EXEC, "nginx"),
    ("proc.pexepath", EXEC, "/usr/sbin/nginx"),
    ("proc.pname", EXEC, "nginx"),
    ("proc.sname", EXEC, "tini"),
    ("proc.tty", EXEC, 34817),
    ("proc.vpid", EXEC, 7),
    ("thread.cap_effective", EXEC, "CAP_SYS_ADMIN"),
    ("thread.cap_permitted", EXEC, "CAP_NET_ADMIN"),
    ("user.loginname", EXEC, "ada"),
    ("user.loginuid", EXEC, 1000),
    ("user.name", EXEC, "www-data"),
    ("user.uid", EXEC, 33),
]
ABSENT = [
    *("container.image.repository", "container.mount.dest[/etc]", "container.privileged", "k8s.ns.name"),
    *("evt.arg.cmd", "evt.arg.path", "evt.buffer", "fd.name", "fd.sip", "fd.type", "fd.num", "fd.connected"),
    *("proc.pname", "proc.aname[1]", "proc.env", "proc.duration", "proc.is_vpgid_leader", "proc.exe_ino.ctime"),
    *("user.loginname", "fd.sip.name", "fd.l4proto", "container.start_ts"),
]


@pytest.mark.parametrize(("name", "event", "expected"), VALUES)
def test_a_field_answers(name, event, expected):
    (made,) = build({"event": event})
    assert resolve(name).get(made) == expected


@pytest.mark.parametrize("name", ABSENT)
def test_a_field_that_an_event_does_not_have_is_absent(name):
    (made,) = build({"event": {"kind": "exec"}})
    assert resolve(name).get(made) is None


def test_the_running_files_times():
    (made,) = build({"event": EXEC})
    file = made.process.file
    object.__setattr__(file, "ctime", int(made.time * 1e9) - 10_000_000_000)
    object.__setattr__(file, "mtime", 5)
    assert resolve("proc.exe_ino.ctime").get(made) == file.ctime
    assert resolve("proc.exe_ino.mtime").get(made) == 5
    assert resolve("proc.exe_ino.ctime_duration_proc_start").get(made) == 2_000_000_000


@pytest.mark.skipif(not (DATA / "rules").is_dir(), reason="Falco's rule files are not here")
def test_every_field_of_falcos_files_has_its_test():
    text = "".join(path.read_text() for path in (DATA / "rules").glob("falco*.yaml"))
    used = set(re.findall(r"\b(?:container|evt|fd|group|k8s|proc|thread|user)(?:\.[a-z_0-9]+)+", text))
    known = {name for name in used if name in FIELDS}
    tested = {name.partition("[")[0] for name, _, _ in VALUES} | {
        "proc.exe_ino.ctime",
        "proc.exe_ino.mtime",
        "proc.exe_ino.ctime_duration_proc_start",
    }
    assert len(known) >= 88
    assert known - tested == set()
