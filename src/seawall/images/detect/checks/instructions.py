"""How the instructions of a Dockerfile, or of an image's history, are written."""

import re
from collections.abc import Iterable, Iterator

from seawall.core.severity import Severity
from seawall.images.detect.checks.check import Check, Seen, Subject, any_command, at, in_command
from seawall.images.detect.shell import Command
from seawall.images.detect.steps import WORDS, Step

_WIDE = re.compile(r"^0?[0-7]?[0-7][0-7][2367]$")
_WIDE_WORDS = re.compile(r"(^|,)(a|o|ugo|go|uo)?\+[rxX]*w")
_ARCHIVE = re.compile(r"\.(tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz|zst|lz4))[\"',\]]*$")
_PRIVATE = re.compile(
    r"(^|/)(\.ssh|id_(rsa|dsa|ecdsa|ed25519)|\.aws|\.azure|\.gcloud|\.kube|\.docker|\.netrc|\.npmrc|\.pypirc|\.git-credentials|\.git|\.svn|"
    r"\.env(\.\w+)?|\.htpasswd|\.pgpass|\.my\.cnf|kubeconfig|credentials(\.json)?|service-?account[\w-]*\.json|\.bash_history|"
    r"[\w.-]+\.(pem|key|p12|pfx|jks|keystore|kdbx|ovpn))/?$"
)
_HOST_TOOLS = frozenset(
    {
        "ssh",
        "vim",
        "vi",
        "nano",
        "shutdown",
        "reboot",
        "service",
        "systemctl",
        "free",
        "top",
        "htop",
        "kill",
        "mount",
        "ifconfig",
        "crontab",
        "iptables",
    }
)


def _sources(step: Step) -> tuple[str, ...]:
    """What ADD and COPY take; the last word is where it goes."""
    words = step.listed or tuple(step.text.partition("\n")[0].split())
    if len(words) > 2 and words[-2] == "in":  # the classic builder's history: SOURCE in PLACE
        return tuple(words[:-2])
    return tuple(words[:-1])


def _needless_add(subject: Subject) -> Iterable[Seen] | None:
    steps = subject.of("ADD")
    if not steps:
        return None
    return [
        at(one)
        for one in steps
        if (found := _sources(one))
        and not any(_ARCHIVE.search(word) or "://" in word or word.startswith(("git@", "<<")) for word in found)
    ]


def _everything(subject: Subject) -> Iterable[Seen] | None:
    steps = subject.of("COPY", "ADD")
    if not steps:
        return None
    return [
        at(one)
        for one in steps
        if "from" not in dict(one.flags)
        and any(word.strip("\"'") in (".", "./", "/", "*", "./*") for word in _sources(one))
    ]


def _private(subject: Subject) -> Iterable[Seen] | None:
    steps = subject.of("COPY", "ADD")
    if not steps:
        return None
    return [
        at(one)
        for one in steps
        if any(
            _PRIVATE.search(word.strip("\"',")) and not word.endswith((".pub", "example", "sample"))
            for word in _sources(one)
        )
    ]


def _wide(command: Command) -> bool:
    return command.name == "chmod" and any(_WIDE.match(word) or _WIDE_WORDS.search(word) for word in command.words[1:4])


def _wide_copy(subject: Subject) -> Iterable[Seen] | None:
    steps = subject.of("COPY", "ADD")
    if not steps:
        return None
    return [
        at(one, f"--chmod={mode} {one.text}")
        for one in steps
        if (mode := dict(one.flags).get("chmod", "")) and (_WIDE.match(mode) or _WIDE_WORDS.search(mode))
    ]


def _security(subject: Subject) -> Iterable[Seen] | None:
    steps = subject.of("RUN")
    if not steps:
        return None
    bad = (("security", "insecure"), ("network", "host"))
    return [
        at(one, f"--{name}={value} {one.text}") for one in steps for name, value in one.flags if (name, value) in bad
    ]


def _maintainer(subject: Subject) -> Iterable[Seen]:
    return [at(one) for one in subject.of("MAINTAINER")]


def _unknown(subject: Subject) -> Iterable[Seen] | None:
    if subject.image is not None:
        return None
    return [Seen(f"{one.word[:40]} …", line=one.line) for one in subject.steps if one.word not in WORDS]


def _order(subject: Subject) -> Iterable[Seen] | None:
    """Before the first FROM only ARG may stand."""
    if subject.image is not None:
        return None
    return list(_before_from(subject.steps))


def _before_from(steps: tuple[Step, ...]) -> Iterator[Seen]:
    for one in steps:
        if one.word == "FROM":
            return
        if one.word != "ARG":
            yield at(one)


def _both_fetchers(subject: Subject) -> Iterable[Seen] | None:
    if not subject.runs:
        return None
    first = {one.name: in_command(step, one) for step, one in subject.every() if one.name in ("curl", "wget")}
    return [first["wget"]] if len(first) == 2 else []


def _late_removal(subject: Subject) -> Iterable[Seen] | None:
    """A step that only removes: what it removes stays in the layer below."""
    if not subject.runs:
        return None
    return [at(step) for step, commands in subject.runs if commands and all(one.name == "rm" for one in commands)]


CHECKS = (
    Check(
        "SW-IMG-701", Severity.LOW, _needless_add,
        ("ADD where COPY is enough", "ADD also unpacks archives and fetches addresses: what it does depends on what it is given.", "Use COPY."),
        ("可用 COPY 却使用 ADD", "ADD 会解压归档并下载 URL，行为取决于参数内容。", "使用 COPY。"),
        ("CIS 4.9", "CIS-DI-0009", "DL3020"),
    ),
    Check(
        "SW-IMG-702", Severity.LOW, _everything,
        ("The whole build folder is copied into the image", "With it come .git, .env, keys and test data, unless .dockerignore names each of them.", "Copy the folders that the program needs, by name."),
        ("将整个构建目录复制进镜像", ".git、.env、密钥与测试数据可能一并进入镜像，除非 .dockerignore 逐一排除。", "仅复制程序所需的目录。"),
        ("CIS 4.10",),
    ),
    Check(
        "SW-IMG-703", Severity.HIGH, _private,
        ("A file with credentials or private history is copied into the image", "Everybody who can pull the image has it, also when a later step deletes it.", "Leave it out; use RUN --mount=type=secret or type=ssh in the step that needs it."),
        ("将凭据或私有文件复制进镜像", "任何能拉取镜像的人都可获得，后续步骤删除也无效。", "不要复制；在需要的步骤使用 RUN --mount=type=secret 或 type=ssh。"),
        ("CIS 4.10", "CIS-DI-0010"),
    ),
    Check(
        "SW-IMG-704", Severity.MEDIUM, any_command(_wide),
        ("The build lets everybody write files", "Any process of the container can change what another one runs or reads.", "Give the files to the user that writes them: chown, or COPY --chown."),
        ("构建过程将文件设为所有人可写", "容器内任意进程都可以篡改其他进程运行或读取的文件。", "将文件属主设为需要写入的用户：chown 或 COPY --chown。"),
        ("CIS 4.8",),
    ),
    Check(
        "SW-IMG-705", Severity.MEDIUM, _wide_copy,
        ("Files are copied so that everybody may write them", "Any process of the container can change what another one runs or reads.", "Use a mode without write for others, and --chown."),
        ("复制文件时设为所有人可写", "容器内任意进程都可以篡改其他进程运行或读取的文件。", "使用不含其他用户写权限的模式，并配合 --chown。"),
        ("CIS 4.8",),
    ),
    Check(
        "SW-IMG-706", Severity.HIGH, _security,
        ("A step of the build runs without isolation", "--security=insecure and --network=host give a foreign script the rights and the network of the build machine.", "Remove the option, or build that part elsewhere."),
        ("构建步骤在无隔离环境中运行", "--security=insecure 与 --network=host 使第三方脚本获得构建机的权限和网络。", "删除该选项，或在其他环境构建该部分。"),
    ),
    Check(
        "SW-IMG-707", Severity.INFO, any_command(lambda one: one.name == "cd" and len(one.words) > 1),
        ("cd in a step", "It holds for that step only, which is easily forgotten.", "Use WORKDIR."),
        ("在 RUN 中使用 cd", "cd 仅在当前步骤生效，容易造成误解。", "使用 WORKDIR。"),
        ("DL3003",),
    ),
    Check(
        "SW-IMG-708", Severity.INFO, any_command(lambda one: one.name in _HOST_TOOLS),
        ("A command that makes no sense in a build", "Services, mounts and interactive tools belong to a running machine: the step does nothing, or something else than was meant.", "Remove it."),
        ("构建中使用无意义的命令", "服务管理、挂载与交互工具属于运行中的主机，在构建中不起作用或产生意外结果。", "删除该命令。"),
        ("DL3001",),
    ),
    Check(
        "SW-IMG-709", Severity.INFO, _maintainer,
        ("MAINTAINER is out of use", "Nothing reads it any more.", 'LABEL org.opencontainers.image.authors="…"'),
        ("使用已废弃的 MAINTAINER", "该指令已无工具读取。", '改用 LABEL org.opencontainers.image.authors="…"。'),
        ("DL4000",),
    ),
    Check(
        "SW-IMG-710", Severity.MEDIUM, _unknown,
        ("An instruction that does not exist", "The build fails, or another builder reads something else in it.", "Correct the word."),
        ("存在未知指令", "构建会失败，或被其他构建工具误读。", "修正该指令。"),
    ),
    Check(
        "SW-IMG-711", Severity.MEDIUM, _order,
        ("An instruction stands before FROM", "Only ARG may.", "Move it behind FROM."),
        ("FROM 之前存在其他指令", "FROM 之前只允许 ARG。", "将其移到 FROM 之后。"),
        ("DL3061",),
    ),
    Check(
        "SW-IMG-712", Severity.INFO, _both_fetchers,
        ("Both curl and wget are used", "One tool less is one less to mend and to be abused.", "Use one of them."),
        ("同时使用 curl 与 wget", "少一个工具就少一份漏洞与被滥用的可能。", "只使用其中之一。"),
        ("DL4001",),
    ),
    Check(
        "SW-IMG-713", Severity.LOW, _late_removal,
        ("A step removes files of an earlier one", "They stay in the layer below: the image becomes no smaller, and secrets among them stay readable.", "Remove them in the step that made them, or use a stage of its own."),
        ("在后续步骤中删除文件", "文件仍保留在之前的镜像层：体积不会减小，其中的敏感信息仍可读取。", "在产生文件的同一步骤中删除，或使用多阶段构建。"),
        ("CIS 4.10",),
    ),
    Check(
        "SW-IMG-714", Severity.MEDIUM, any_command(lambda one: one.name in ("setenforce", "aa-teardown", "aa-disable", "ufw") and one.has("0", "disable", "permissive", "Permissive")),
        ("The build switches protection off", "What is switched off in a build often stays off where the image is used as a machine.", "Remove the step."),
        ("构建过程关闭安全防护", "构建中关闭的防护在以镜像作为主机运行时往往保持关闭。", "删除该步骤。"),
    ),
)  # fmt: skip
