"""How the build uses package managers."""

import re
from collections.abc import Callable, Iterable

from seawall.core.severity import Severity
from seawall.images.detect.checks.check import Check, Judge, Seen, Subject, any_command, in_command
from seawall.images.detect.shell import Command

_APT = ("apt-get", "apt", "aptitude")
_RPM = ("yum", "dnf", "microdnf", "tdnf")
_PIP = re.compile(r"^pip[\d.]*$")
_UNCHECKED = (
    "--allow-unauthenticated",
    "--force-yes",
    "--allow-untrusted",
    "--nogpgcheck",
    "--no-gpg-checks",
    "--nosignature",
    "--nodigest",
    "--allow-insecure-repositories",
    "--no-gpg-check",
    "--skip-pgp-check",
    "--allow-downgrades-insecure",
)
_PINNED = re.compile(r"[=<>~@]|\.(deb|rpm|apk|whl|tgz|tar\.gz|zip|gem)$|^[./$]|^(git\+|https?:|file:)")
_DONE = ("/var/lib/apt/lists", "apt-get clean && rm -rf", "/var/lib/apt")
_CACHED = re.compile(r"target=/?(var/cache/apt|var/lib/apt|root/\.cache|var/cache/(yum|dnf|apk)|.*\.cache)")


def action(command: Command) -> str:
    """What a package manager is told to do: its first word that is no option."""
    plain = command.plain()
    if command.name.startswith("python") and command.words[1:3] == ("-m", "pip"):
        return plain[1] if len(plain) > 1 else ""
    return plain[0] if plain else ""


def pip(command: Command) -> bool:
    """pip, also by `python -m pip`."""
    return bool(_PIP.match(command.name)) or (command.name.startswith("python") and command.words[1:3] == ("-m", "pip"))


def _does(names: Iterable[str], *actions: str) -> Callable[[Command], bool]:
    wanted = frozenset(names)
    return lambda command: command.name in wanted and action(command) in actions


_apt_install = _does(_APT, "install", "build-dep")
_apk_add = _does(("apk",), "add")
_rpm_install = _does(_RPM, "install", "localinstall", "groupinstall", "reinstall")


def _per_step(
    test: Callable[[Command], bool], *done: str, unless: Callable[[Command], bool] = lambda _: False
) -> Judge:
    """Steps with such a command, in which nothing cleans up."""

    def judge(subject: Subject) -> Iterable[Seen] | None:
        if not subject.runs:
            return None
        found = []
        for step, commands in subject.runs:
            cached = any(name == "mount" and _CACHED.search(value) for name, value in step.flags)
            first = next((one for one in commands if test(one)), None)
            if first and not cached and not any(word in step.text for word in done) and not any(map(unless, commands)):
                found.append(in_command(step, first))
        return found

    return judge


def _update_alone(subject: Subject) -> Iterable[Seen] | None:
    if not subject.runs:
        return None
    update = _does((*_APT, *_RPM, "apk", "zypper"), "update", "makecache", "refresh")
    uses = _does(
        (*_APT, *_RPM, "apk", "zypper"),
        "install",
        "add",
        "upgrade",
        "dist-upgrade",
        "full-upgrade",
        "in",
        "build-dep",
        "source",
        "download",
    )
    return [
        in_command(step, next(one for one in commands if update(one)))
        for step, commands in subject.runs
        if any(map(update, commands))
        and not any(map(uses, commands))
        and not (len(commands) == 1 and commands[0].name in _RPM)
    ]


def _yes(command: Command) -> bool:
    return not (command.has("-y", "--yes", "--assume-yes", "-qq", "-qqy", "-yqq", "-qy", "-yq") or command.short("y"))


def _packages(command: Command) -> tuple[str, ...]:
    plain = command.plain()
    start = 2 if command.name.startswith("python") else 1
    return tuple(one for one in plain[start:] if one and one[0] not in "$>" and not re.match(r"^\d?>", one))


def _unpinned(command: Command) -> bool:
    if command.name in ("npm", "yarn", "pnpm") and action(command) in ("install", "i", "add"):
        return any(not re.search(r".@|^[./$]", one) for one in _packages(command))
    if command.name == "gem" and action(command) in ("install", "i"):
        return not any(
            word in ("-v", "--version") or ":" in word or word.startswith("--version=") for word in command.words
        )
    if pip(command) and action(command) == "install":
        listed = command.has("-r", "--requirement", "-e", "--editable", "-c", "--constraint")
        return not listed and any(
            not _PINNED.search(one) for one in _packages(command) if one not in ("pip", "setuptools", "wheel")
        )
    if command.name in ("go",) and action(command) in ("install", "get"):
        return any(one.endswith("@latest") for one in _packages(command))
    return False


def _unpinned_system(command: Command) -> bool:
    if not (_apt_install(command) or _apk_add(command)):
        return False
    return any(not _PINNED.search(one) for one in _packages(command) if not one.startswith("."))


CHECKS = (
    Check(
        "SW-IMG-501", Severity.HIGH, any_command(lambda one: one.has(*_UNCHECKED)),
        ("Packages are installed without checking their signature", "Whoever sits between the build and the mirror decides what is installed.", "Remove the option; bring the repository's key into the image."),
        ("安装软件包时不校验签名", "构建与镜像源之间的中间人可以决定安装的内容。", "删除该选项，并导入仓库签名公钥。"),
        ("CIS 4.11",),
    ),
    Check(
        "SW-IMG-502", Severity.MEDIUM, _update_alone,
        ("The package list is updated in a step of its own", "The step is cached: later builds install from an old list, without the security updates since.", "Write update and install into one RUN."),
        ("单独执行软件源更新", "该步骤会被缓存，后续构建会使用过期的软件列表，遗漏安全更新。", "将 update 与 install 写在同一个 RUN 中。"),
        ("CIS 4.7", "DKL-DI-0002", "DL3009"),
    ),
    Check(
        "SW-IMG-503", Severity.INFO, any_command(_does((*_APT, *_RPM, "apk", "zypper"), "upgrade", "dist-upgrade", "full-upgrade", "dist_upgrade")),
        ("The build upgrades the whole base", "What is in the image then depends on the day; a newer base image does the same in a way that can be repeated.", "Build on a newer base image, and install single fixed packages by name."),
        ("构建时整体升级基础系统", "镜像内容取决于构建日期，无法复现；更新基础镜像更可靠。", "更换更新的基础镜像，必要时按名称升级单个软件包。"),
        ("DL3005", "DKL-DI-0003"),
    ),
    Check(
        "SW-IMG-504", Severity.LOW, _per_step(_apt_install, *_DONE),
        ("apt's lists stay in the layer", "Some 20 to 50 MB that only age.", "End the step with rm -rf /var/lib/apt/lists/*, or mount a cache."),
        ("apt 软件列表残留在镜像层", "残留 20–50 MB 只会过期的数据。", "在同一步骤末尾执行 rm -rf /var/lib/apt/lists/*，或使用缓存挂载。"),
        ("DL3009", "DKL-DI-0005"),
    ),
    Check(
        "SW-IMG-505", Severity.LOW, any_command(lambda one: _apt_install(one) and not one.has("--no-install-recommends") and "APT::Install-Recommends" not in " ".join(one.words)),
        ("apt installs what is only recommended", "Programs that nobody asked for make the image larger and bring their own holes.", "apt-get install --no-install-recommends"),
        ("apt 安装了仅为推荐的软件包", "多余的软件会增大镜像并带来额外漏洞。", "使用 apt-get install --no-install-recommends。"),
        ("DL3015", "CIS 4.3"),
    ),
    Check(
        "SW-IMG-506", Severity.LOW, any_command(lambda one: (_apt_install(one) or _rpm_install(one)) and _yes(one)),
        ("An installation that waits for an answer", "Without -y the build stops or installs nothing.", "Add -y."),
        ("安装命令会等待确认", "缺少 -y 时构建会中断或什么都不安装。", "添加 -y。"),
        ("DL3014", "DL3030", "DL3038"),
    ),
    Check(
        "SW-IMG-507", Severity.INFO, any_command(lambda one: one.name == "apt" and action(one) in ("install", "update", "upgrade", "remove")),
        ("apt is made for people, not for builds", "Its output and its options change without notice.", "Use apt-get and apt-cache."),
        ("构建中使用 apt 命令", "apt 面向交互使用，其输出与选项可能随时变化。", "使用 apt-get 与 apt-cache。"),
        ("DL3027",),
    ),
    Check(
        "SW-IMG-508", Severity.LOW, _per_step(lambda one: _apk_add(one) and not one.has("--no-cache"), "/var/cache/apk", "apk cache clean"),
        ("apk's index stays in the layer", "Some megabytes that only age.", "apk add --no-cache"),
        ("apk 索引残留在镜像层", "残留数 MB 只会过期的数据。", "使用 apk add --no-cache。"),
        ("DL3019", "DKL-DI-0004"),
    ),
    Check(
        "SW-IMG-509", Severity.LOW, _per_step(_rpm_install, "clean all", "/var/cache/yum", "/var/cache/dnf", "clean packages"),
        ("yum's or dnf's cache stays in the layer", "Up to some hundred megabytes that only age.", "End the step with dnf clean all."),
        ("yum/dnf 缓存残留在镜像层", "可能残留上百 MB 只会过期的数据。", "在同一步骤末尾执行 dnf clean all。"),
        ("DL3032", "DL3040"),
    ),
    Check(
        "SW-IMG-510", Severity.LOW, _per_step(_does(("zypper",), "install", "in"), "zypper clean", "zypper cc"),
        ("zypper's cache stays in the layer", "Up to some hundred megabytes that only age.", "End the step with zypper clean."),
        ("zypper 缓存残留在镜像层", "可能残留上百 MB 只会过期的数据。", "在同一步骤末尾执行 zypper clean。"),
        ("DL3036",),
    ),
    Check(
        "SW-IMG-511", Severity.LOW, _per_step(lambda one: pip(one) and action(one) == "install" and not one.has("--no-cache-dir"), ".cache/pip", "PIP_NO_CACHE_DIR", "pip cache purge"),
        ("pip's cache stays in the layer", "Every package is in the image twice.", "pip install --no-cache-dir, or ENV PIP_NO_CACHE_DIR=1."),
        ("pip 缓存残留在镜像层", "每个软件包在镜像中存在两份。", "使用 pip install --no-cache-dir 或设置 ENV PIP_NO_CACHE_DIR=1。"),
        ("DL3042",),
    ),
    Check(
        "SW-IMG-512", Severity.LOW, any_command(_unpinned),
        ("A language package without a version", "The newest one is installed, also when somebody has taken over its name since yesterday.", "Pin versions, best in a lock file with hashes."),
        ("安装语言包时未固定版本", "始终安装最新版本，即使该包名刚被他人劫持。", "固定版本，最好使用带哈希的锁文件。"),
        ("DL3013", "DL3016", "DL3028", "DL3062"),
    ),
    Check(
        "SW-IMG-513", Severity.INFO, any_command(_unpinned_system),
        ("A system package without a version", "The same Dockerfile makes another image tomorrow. Distributions remove old versions, so that pinning has its price.", "Pin what matters, or build from a snapshot of the distribution."),
        ("安装系统软件包时未固定版本", "相同的 Dockerfile 会产生不同的镜像；但发行版会删除旧版本，固定版本也有代价。", "固定关键软件包版本，或使用发行版快照源。"),
        ("DL3008", "DL3018"),
    ),
    Check(
        "SW-IMG-514", Severity.MEDIUM, any_command(lambda one: (pip(one) and one.has("--extra-index-url")) or any(word.startswith("--extra-index-url=") for word in one.words)),
        ("pip looks in a second index too", "Whoever registers a private package's name in the public index is installed instead, when the number is higher.", "Use --index-url with one index that mirrors the public one."),
        ("pip 使用额外索引源", "攻击者可在公共索引抢注私有包名并以更高版本号被安装（依赖混淆）。", "仅使用一个代理公共源的 --index-url。"),
    ),
    Check(
        "SW-IMG-515", Severity.LOW, any_command(lambda one: one.name in ("npm", "yarn", "pnpm") and one.has("--unsafe-perm", "--force") and action(one) in ("install", "i", "ci", "add")),
        ("npm runs foreign install scripts as root", "--unsafe-perm and --force take away what npm does for safety.", "Remove the option; npm ci --ignore-scripts where that works."),
        ("npm 以 root 执行第三方安装脚本", "--unsafe-perm、--force 会关闭 npm 的安全保护。", "删除该选项；可行时使用 npm ci --ignore-scripts。"),
    ),
)  # fmt: skip
