"""How an image starts, stops and tells of its health."""

import re
from collections.abc import Iterable

from seawall.core.severity import Severity
from seawall.images.detect.checks.check import Check, Judge, Seen, Subject, at, shown

_SYSTEM = (
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/var",
    "/var/run",
)
_SOCKETS = ("docker.sock", "containerd.sock", "crio.sock", "podman.sock")
_KILL = frozenset({"9", "SIGKILL", "KILL", "19", "SIGSTOP", "STOP"})
_SIGNAL = re.compile(
    r"^(SIG)?(RTM(IN|AX)([+-]\d{1,2})?|HUP|INT|QUIT|ILL|TRAP|ABRT|IOT|BUS|FPE|USR[12]|SEGV|PIPE|ALRM|TERM|STKFLT|CHLD|CONT|TSTP|"
    r"TTIN|TTOU|URG|XCPU|XFSZ|VTALRM|PROF|WINCH|IO|POLL|PWR|SYS)$|^[1-9]\d?$"
)
_FETCH = re.compile(
    r"\b(curl|wget)\b[^|;&]{0,300}\|\s*(ba|z|a|da)?sh\b|\b(ba)?sh\s+-c\s+[\"']?\$\((curl|wget)|\b(apt-get|apt|apk|yum|dnf|pip3?|npm)\s+(-\S+\s+)*(install|add)\b"
)
_SHELLS = ("/bin/sh", "/bin/bash", "/bin/ash", "/bin/dash", "sh", "bash", "/bin/busybox")


def _healthcheck(subject: Subject) -> Iterable[Seen]:
    test = subject.config.healthcheck
    if test is None or not test:
        yield Seen("no HEALTHCHECK")
    elif test[0] == "NONE":
        yield Seen("HEALTHCHECK NONE")


def _start(subject: Subject) -> tuple[str, ...]:
    return (*subject.config.entrypoint, *subject.config.cmd)


def _by_shell(subject: Subject) -> Iterable[Seen] | None:
    """A shell between that does not hand on signals; `exec` hands over to the program."""
    start = subject.config.entrypoint or subject.config.cmd
    if not start:
        return None
    wrapped = len(start) > 2 and start[0] in _SHELLS and start[1] == "-c"
    return [Seen(shown(" ".join(start)))] if wrapped and not start[2].lstrip().startswith("exec ") else []


def _nothing(subject: Subject) -> Iterable[Seen]:
    if not _start(subject):
        yield Seen("neither ENTRYPOINT nor CMD")


def _fetches(subject: Subject) -> Iterable[Seen] | None:
    start = " ".join(_start(subject))
    return None if not start else [Seen(shown(start))] if _FETCH.search(start) else []


def _twice(*words: str) -> Judge:
    """Of a Dockerfile only: in an image's history the base image's own stands before."""

    def judge(subject: Subject) -> Iterable[Seen] | None:
        if subject.image is not None:
            return None
        last = {(one.word, one.stage): one for one in subject.of(*words)}
        return [at(one) for one in subject.of(*words) if last[one.word, one.stage] is not one]

    return judge


def _stop_signal(subject: Subject) -> Iterable[Seen] | None:
    signal = subject.config.stop_signal.strip().upper()
    if not signal or signal.startswith("$"):
        return None
    return [Seen(f"STOPSIGNAL {shown(signal)}")] if signal in _KILL or not _SIGNAL.match(signal) else []


def _volumes(subject: Subject) -> Iterable[Seen] | None:
    if not subject.config.volumes:
        return None
    return [
        Seen(f"VOLUME {shown(one)}")
        for one in subject.config.volumes
        if (one.rstrip("/") or "/") in _SYSTEM
        or one.startswith(("/etc/", "/proc/", "/sys/", "/root/"))
        or one.endswith(_SOCKETS)
    ]


def _workdir(subject: Subject) -> Iterable[Seen] | None:
    steps = subject.of("WORKDIR")
    if not steps:
        return None
    return [at(one) for one in steps if not re.match(r"^[\"']?(/|\$|[A-Za-z]:)", one.text)]


def _system_workdir(subject: Subject) -> Iterable[Seen] | None:
    place = subject.config.workdir.rstrip("/")
    if not place:
        return None
    return [Seen(f"WORKDIR {shown(place)}")] if place in _SYSTEM else []


def _pipes(subject: Subject) -> Iterable[Seen] | None:
    if not subject.runs:
        return None
    guarded = "pipefail" in " ".join(subject.config.shell) or any("pipefail" in one.text for one in subject.of("SHELL"))
    return [
        at(step)
        for step, commands in subject.runs
        if not guarded
        and "pipefail" not in step.text
        and any(one.source and one.source.name not in ("echo", "printf", "yes") for one in commands)
    ]


def _triggers(subject: Subject) -> Iterable[Seen]:
    for one in subject.config.on_build:
        yield Seen(f"ONBUILD {shown(one)}")


def _forbidden_triggers(subject: Subject) -> Iterable[Seen] | None:
    if not subject.config.on_build:
        return None
    return [
        Seen(f"ONBUILD {shown(one)}")
        for one in subject.config.on_build
        if one.split(" ")[0].upper() in ("FROM", "MAINTAINER", "ONBUILD")
    ]


def _servers(subject: Subject) -> Iterable[Seen] | None:
    start = _start(subject)
    if not start:
        return None
    return (
        [Seen(shown(" ".join(start)))]
        if re.search(r"(^|/)(systemd|init|supervisord|runsvdir|s6-svscan|monit)$", start[0])
        and start[0] != "/sbin/tini"
        else []
    )


CHECKS = (
    Check(
        "SW-IMG-401", Severity.LOW, _healthcheck,
        ("No health check", "A service that hangs counts as running, and is neither restarted nor taken out of balance.", "Add HEALTHCHECK; in Kubernetes probes do the same, then ignore this check."),
        ("未设置健康检查", "服务卡死仍被视为运行中，不会被重启或摘除流量。", "添加 HEALTHCHECK；在 Kubernetes 中可使用探针代替，并忽略本项。"),
        ("CIS 4.6", "CIS-DI-0006", "DL3057"),
    ),
    Check(
        "SW-IMG-402", Severity.LOW, _by_shell,
        ("The program starts behind a shell", "The shell is process 1 and keeps the stop signal to itself: the service is killed after ten seconds, in the middle of its work.", "Write ENTRYPOINT and CMD as JSON lists, or begin the line with exec."),
        ("通过 shell 启动程序", "shell 作为 1 号进程不会转发停止信号，服务会在 10 秒后被强制杀死。", "使用 JSON 数组形式的 ENTRYPOINT 和 CMD，或在命令前加 exec。"),
        ("DL3025",),
    ),
    Check(
        "SW-IMG-403", Severity.INFO, _nothing,
        ("The image does not say what it starts", "It only runs when somebody names a program; a typing error then starts something else.", "Set ENTRYPOINT or CMD."),
        ("镜像未声明启动命令", "必须手动指定程序才能运行，容易误启动其他程序。", "设置 ENTRYPOINT 或 CMD。"),
    ),
    Check(
        "SW-IMG-404", Severity.HIGH, _fetches,
        ("The start command fetches and installs code", "What runs is decided anew at every start by whoever answers on the network, and no scan sees it.", "Install in the build, with versions and checksums."),
        ("启动命令下载并安装代码", "每次启动实际运行的代码由网络响应决定，任何扫描都无法发现。", "在构建阶段安装，并固定版本与校验和。"),
        ("CIS 4.11",),
    ),
    Check(
        "SW-IMG-405", Severity.LOW, _twice("CMD", "ENTRYPOINT"),
        ("A start command that never counts", "Of several ENTRYPOINT or CMD in one stage only the last holds.", "Remove the others."),
        ("存在不生效的启动命令", "同一阶段中只有最后一个 ENTRYPOINT 或 CMD 生效。", "删除多余的指令。"),
        ("DL4003", "DL4004"),
    ),
    Check(
        "SW-IMG-406", Severity.LOW, _twice("HEALTHCHECK"),
        ("A health check that never counts", "Of several HEALTHCHECK in one stage only the last holds.", "Remove the others."),
        ("存在不生效的健康检查", "同一阶段中只有最后一个 HEALTHCHECK 生效。", "删除多余的指令。"),
        ("DL3012",),
    ),
    Check(
        "SW-IMG-407", Severity.MEDIUM, _stop_signal,
        ("The stop signal leaves no time to end", "SIGKILL and SIGSTOP cannot be handled, and a signal that does not exist is refused: data in flight is lost.", "Use SIGTERM, or the signal that the program takes for a calm end."),
        ("STOPSIGNAL 无法优雅退出", "SIGKILL、SIGSTOP 无法被捕获，不存在的信号会被拒绝，处理中的数据会丢失。", "使用 SIGTERM，或程序用于优雅退出的信号。"),
    ),
    Check(
        "SW-IMG-408", Severity.HIGH, _volumes,
        ("A folder of the system is a volume", "What is written there outlives the container and hides updates of the image; a runtime's socket gives away the host.", "Make a folder for data the volume."),
        ("系统目录被声明为卷", "写入内容会在容器之外保留并遮盖镜像更新；运行时套接字则等同于交出宿主机。", "仅将数据目录声明为卷。"),
        ("CIS 5.5",),
    ),
    Check(
        "SW-IMG-409", Severity.LOW, _workdir,
        ("WORKDIR is not absolute", "Where it leads depends on the base image, and changes with it.", "Write the whole path."),
        ("WORKDIR 不是绝对路径", "实际路径取决于基础镜像，并可能随之变化。", "使用绝对路径。"),
        ("DL3000",),
    ),
    Check(
        "SW-IMG-410", Severity.LOW, _system_workdir,
        ("The program works in a folder of the system", "Files that it writes mix with the system's, and a path without a leading slash reaches the system's own.", "Give it a folder of its own: WORKDIR /app."),
        ("工作目录位于系统目录", "程序写入的文件会与系统文件混杂，相对路径可能指向系统文件。", "使用独立目录，例如 WORKDIR /app。"),
    ),
    Check(
        "SW-IMG-411", Severity.LOW, _pipes,
        ("A failure inside a pipe goes unseen", "Without pipefail only the last program counts: a download that broke off still makes a layer.", 'SHELL ["/bin/bash", "-o", "pipefail", "-c"], or set -o pipefail in the step.'),
        ("管道中的失败被忽略", "未启用 pipefail 时只看最后一个程序的返回值，下载中断也会生成镜像层。", '使用 SHELL ["/bin/bash", "-o", "pipefail", "-c"]，或在步骤中 set -o pipefail。'),
        ("DL4006",),
    ),
    Check(
        "SW-IMG-412", Severity.LOW, _triggers,
        ("The image runs steps in other people's builds", "ONBUILD steps run in builds on top of this image, and are not to be seen in their Dockerfiles.", "Remove ONBUILD, and write the steps where they belong."),
        ("镜像包含 ONBUILD 触发指令", "ONBUILD 会在下游构建中执行，而下游 Dockerfile 中看不到。", "删除 ONBUILD，将步骤写在实际需要的位置。"),
    ),
    Check(
        "SW-IMG-413", Severity.MEDIUM, _forbidden_triggers,
        ("ONBUILD with an instruction that it may not hold", "FROM, MAINTAINER and ONBUILD are not allowed there: builds on top of this image fail.", "Remove it."),
        ("ONBUILD 包含不允许的指令", "ONBUILD 中不允许 FROM、MAINTAINER 和 ONBUILD，下游构建会失败。", "删除该指令。"),
        ("DL3043",),
    ),
    Check(
        "SW-IMG-414", Severity.INFO, _servers,
        ("The container starts a supervisor of several services", "One that fails is not seen from outside, and all of them share rights, files and network.", "One service a container; tini for zombies."),
        ("容器以进程管理器启动多个服务", "单个服务失败无法从外部感知，且所有服务共享权限、文件与网络。", "每个容器只运行一个服务；如需回收僵尸进程可使用 tini。"),
    ),
)  # fmt: skip
