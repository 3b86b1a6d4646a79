"""As whom an image runs, and who may become root in it."""

import re
from collections.abc import Iterable

from seawall.core.severity import Severity
from seawall.images.detect.checks.check import Check, Seen, Subject, any_command, at, in_command, installed
from seawall.images.detect.shell import Command

_ROOT = frozenset({"", "0", "root"})
_SET_ID = re.compile(r"^[0-7]?[2467][0-7]{3}$")
_SYMBOLIC = re.compile(r"(^|,)[ugoa]*\+[rwxX]*s")


def _parts(subject: Subject) -> tuple[str, str]:
    user, _, group = subject.config.user.strip().partition(":")
    return user, group


def _root(subject: Subject) -> Iterable[Seen]:
    user = _parts(subject)[0]
    if user in _ROOT:
        yield Seen(f"USER {user}" if user else "no USER: root")


def _named(subject: Subject) -> Iterable[Seen]:
    user = _parts(subject)[0]
    if user not in _ROOT and not user.isdecimal():
        yield Seen(f"USER {user[:100]}")


def _group(subject: Subject) -> Iterable[Seen] | None:
    user, group = _parts(subject)
    if user in _ROOT:
        return None
    return [Seen(f"USER {subject.config.user[:100]}")] if group in ("0", "root") else []


def _back(subject: Subject) -> Iterable[Seen] | None:
    """Only where it had been somebody else before."""
    users = subject.of("USER")
    if not users:
        return None
    last = users[-1]
    others = [one for one in users[:-1] if one.stage == last.stage and one.text.partition(":")[0] not in _ROOT]
    return [at(last)] if others and last.text.partition(":")[0] in _ROOT else []


def _sudo(command: Command) -> bool:
    return any(word.rpartition("/")[2] in ("sudo", "doas") for word in command.before) or command.name == "su"


def _set_id(command: Command) -> bool:
    if command.name != "chmod":
        return command.name == "setcap"
    return any(_SET_ID.match(word) or _SYMBOLIC.search(word) for word in command.words[1:3])


def _password(subject: Subject) -> Iterable[Seen] | None:
    if not subject.runs:
        return None
    return [in_command(step, one) for step, one in subject.every() if _sets_password(one)]


def _sets_password(command: Command) -> bool:
    if command.name == "chpasswd":
        return command.source is not None and command.source.name in ("echo", "printf")
    if command.name == "passwd":
        return command.has("-d", "--delete", "--stdin") or command.source is not None
    return command.name in ("useradd", "usermod") and command.has("-p", "--password")


def _nopasswd(subject: Subject) -> Iterable[Seen] | None:
    if not subject.runs:
        return None
    return [at(step) for step, _ in subject.runs if "NOPASSWD" in step.text]


CHECKS = (
    Check(
        "SW-IMG-101", Severity.HIGH, _root,
        ("The image runs as root", "Whoever takes over the process has root's rights in the container and one barrier less to the host.", "Create a user in the Dockerfile and end it with USER and that user's number."),
        ("镜像以 root 用户运行", "攻击者控制进程后即拥有容器内 root 权限，离宿主机只差一步。", "在 Dockerfile 中创建普通用户，并以 USER 指定其数字 UID。"),
        ("CIS 4.1", "CIS-DI-0001", "DL3002"),
    ),
    Check(
        "SW-IMG-102", Severity.INFO, _named,
        ("The user is a name, not a number", "Kubernetes cannot tell from a name that it is not root: runAsNonRoot refuses to start the container.", "Write the number: USER 10001."),
        ("USER 使用名称而非数字 UID", "Kubernetes 无法根据名称判断是否为 root，设置 runAsNonRoot 时容器会被拒绝启动。", "使用数字形式，例如 USER 10001。"),
    ),
    Check(
        "SW-IMG-103", Severity.LOW, _group,
        ("The user is in root's group", "Files that root's group may write can be changed by the process.", "Give the user a group of its own: USER 10001:10001."),
        ("运行用户属于 root 组", "进程可以修改 root 组可写的文件。", "为用户指定独立的组，例如 USER 10001:10001。"),
        ("CIS 4.1",),
    ),
    Check(
        "SW-IMG-104", Severity.MEDIUM, _back,
        ("The last USER goes back to root", "An image that was made for an ordinary user starts as root all the same.", "Let the last USER be the ordinary one."),
        ("最后一个 USER 切换回 root", "镜像前面已切换到普通用户，最终仍以 root 启动。", "将最后一个 USER 设置为普通用户。"),
        ("CIS 4.1", "DL3002"),
    ),
    Check(
        "SW-IMG-105", Severity.LOW, any_command(_sudo),
        ("The build uses sudo or su", "sudo in a build is a sign that it will be left in the image, where it makes root out of a user.", "Run these steps as root, before USER; use gosu or setpriv where a start script must drop rights."),
        ("构建过程使用 sudo 或 su", "构建中使用 sudo 往往意味着它会留在镜像里，使普通用户可提权为 root。", "在 USER 之前以 root 执行这些步骤；启动脚本需降权时使用 gosu 或 setpriv。"),
        ("DL3004", "DKL-DI-0001"),
    ),
    Check(
        "SW-IMG-106", Severity.MEDIUM, installed("sudo", "doas", "opendoas", "sudo-ldap"),
        ("sudo is installed", "A set-uid program with a long record of holes, which services never need.", "Remove the package; use gosu or setpriv to drop rights."),
        ("镜像中安装了 sudo", "sudo 是多次出现漏洞的 setuid 程序，服务并不需要它。", "卸载该软件包；需要降权时使用 gosu 或 setpriv。"),
        ("CIS 4.3", "DKL-DI-0001"),
    ),
    Check(
        "SW-IMG-107", Severity.MEDIUM, any_command(_set_id),
        ("The build gives a program rights of its own", "Set-uid and set-gid bits and file capabilities are ways from a user to root.", "Leave the bit out; give the container the one capability it needs when it starts."),
        ("构建过程赋予程序特权", "setuid、setgid 位和文件能力是普通用户提权到 root 的途径。", "去掉特权位；在启动容器时授予所需的单个能力。"),
        ("CIS 4.8", "CIS-DI-0008"),
    ),
    Check(
        "SW-IMG-108", Severity.HIGH, _password,
        ("The build sets a password", "It is the same in every container of this image, and everybody who has the image can read it.", "Leave accounts locked; bring credentials in at run time, as secrets."),
        ("构建过程设置了账户密码", "所有容器使用相同密码，获得镜像的人都可以读取。", "保持账户锁定，在运行时通过 Secret 注入凭据。"),
        ("CIS 4.10", "CIS-DI-0010"),
    ),
    Check(
        "SW-IMG-109", Severity.HIGH, _nopasswd,
        ("A rule for sudo needs no password", "Whoever takes over the process of that user is root with one command.", "Remove the rule from sudoers."),
        ("sudo 规则免密码", "攻击者控制该用户的进程后，一条命令即可成为 root。", "从 sudoers 中删除该规则。"),
        ("DL3004",),
    ),
)  # fmt: skip
