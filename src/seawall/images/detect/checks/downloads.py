"""What the build fetches from the network, and how."""

import re
from collections.abc import Iterable

from seawall.core.severity import Severity
from seawall.images.detect.checks.check import Check, Seen, Subject, any_command, at, in_command
from seawall.images.detect.checks.packaging import pip
from seawall.images.detect.shell import Command

_FETCHERS = frozenset({"curl", "wget", "aria2c", "http", "axel"})
_INTERPRETERS = re.compile(r"^(ba|z|a|da|k)?sh$|^python[\d.]*$|^perl$|^ruby$|^node$|^php$")
_URL = re.compile(r"^[\"']?(https?|ftp)://")
_CLEAR = re.compile(r"^[\"']?(http|ftp)://(?!localhost|127\.|\[::1\])")
_CHECKED = re.compile(
    r"\b(sha(1|224|256|384|512)sum|shasum|md5sum|gpg2?|cosign|openssl (dgst|sha256)|minisign|b2sum|signify|apt-key|rpm --import|rpmkeys)\b"
)
_INSECURE = {
    "curl": ("-k", "--insecure", "--proxy-insecure"), "wget": ("--no-check-certificate", "--no-hsts"),
    "git": ("http.sslVerify=false", "http.sslverify=false"), "npm": ("strict-ssl", "--strict-ssl=false"), "yarn": ("strict-ssl", "--strict-ssl=false"),
    "aria2c": ("--check-certificate=false",), "apt-get": ("Acquire::https::Verify-Peer=false",), "svn": ("--trust-server-cert",),
}  # fmt: skip
_IN_URL = re.compile(r"://[^/\s:@$]*:[^/\s@$]+@|://(gh[pousr]_|glpat-|x-access-token:)[^@\s$]+@")


def _piped(command: Command) -> bool:
    """curl … | sh; also through a program between, as `sudo bash` or `tee`."""
    if not _INTERPRETERS.match(command.name):
        return False
    source = command.source
    for _ in range(4):
        if source is None:
            break
        if source.name in _FETCHERS and any(_URL.search(word) or "$" in word for word in source.words):
            return True
        source = source.source
    return any("$(curl" in word or "$(wget" in word or "<(curl" in word or "<(wget" in word for word in command.words)


def _evaluated(command: Command) -> bool:
    return command.name in ("eval", "source", ".") and any(
        re.search(r"(\$|<)\((curl|wget)", word) for word in command.words
    )


def _insecure(command: Command) -> bool:
    words = _INSECURE.get(command.name, ())
    if command.name in ("npm", "yarn") and "strict-ssl" in command.words:
        return "false" in command.words
    if command.name == "curl" and command.short("k"):
        return True
    return command.has(*words) or (
        pip(command)
        and (command.has("--trusted-host") or any(word.startswith("--trusted-host=") for word in command.words))
    )


def _added(subject: Subject) -> Iterable[Seen] | None:
    steps = subject.of("ADD")
    if not steps:
        return None
    return [
        at(one)
        for one in steps
        if any(_URL.match(word) for word in one.text.replace(",", " ").replace("[", " ").split())
        and "checksum" not in dict(one.flags)
    ]


def _unverified(subject: Subject) -> Iterable[Seen] | None:
    """Downloads to a file, where nothing in the same step looks at a checksum or signature."""
    if not subject.runs:
        return None
    found = []
    for step, commands in subject.runs:
        saved = next((one for one in commands if one.name in _FETCHERS and _saves(one)), None)
        if saved is not None and not _CHECKED.search(step.text):
            found.append(in_command(step, saved))
    return found


def _saves(command: Command) -> bool:
    if not any(_URL.match(word) or word.startswith("$") for word in command.words[1:]):
        return False
    out = any(
        word in ("-o", "-O", "--output", "--output-document", "--remote-name", ">")
        or word.startswith(("-o/", "-O/", ">", "--output="))
        for word in command.words
    )
    return (
        out or command.short("O") or command.short("o") or (command.name == "wget" and not command.has("-qO-", "-O-"))
    )


def _credentials(subject: Subject) -> Iterable[Seen] | None:
    if not subject.runs:
        return None
    return [in_command(step, one) for step, one in subject.every() if _carries(one)]


def _carries(command: Command) -> bool:
    if any(_IN_URL.search(word) for word in command.words):
        return True
    words = command.words
    for at_, word in enumerate(words):
        following = words[at_ + 1] if at_ + 1 < len(words) else ""
        if command.name in _FETCHERS and word in ("-u", "--user") and ":" in following and "$" not in following:
            return True
        if (
            command.name in _FETCHERS
            and re.match(r"(?i)^(authorization|private-token|x-api-key):\s*\S{8,}", word)
            and "$" not in word
        ):
            return True
    return (
        command.name in ("docker", "podman", "skopeo")
        and "login" in words
        and any(word in ("-p", "--password") for word in words)
    )


def _cloned(subject: Subject) -> Iterable[Seen] | None:
    if not subject.runs:
        return None
    return [
        in_command(step, one)
        for step, one in subject.every()
        if one.name == "git" and "clone" in one.words and not one.has("-b", "--branch", "--revision")
        if not any(word.startswith(("--branch=", "--revision=")) for word in one.words)
        if not re.search(r"\bgit\b.{0,80}\b(checkout|reset|switch)\b", step.text)
    ]


def _host_keys(command: Command) -> bool:
    text = " ".join(command.words)
    return "StrictHostKeyChecking" in text and bool(re.search(r"StrictHostKeyChecking[ =](no|accept-new)", text))


CHECKS = (
    Check(
        "SW-IMG-601", Severity.HIGH, any_command(lambda one: _piped(one) or _evaluated(one)),
        ("A script from the network is run unseen", "What it does is decided by the other side at the moment of the build; nobody can look it up afterwards.", "Fetch it to a file, compare its checksum, then run it; better, install a package."),
        ("直接执行网络下载的脚本", "脚本内容由对端在构建时决定，事后无法追溯。", "先下载到文件并核对校验和再执行；最好使用软件包安装。"),
        ("CIS 4.11",),
    ),
    Check(
        "SW-IMG-602", Severity.MEDIUM, any_command(lambda one: one.name in _FETCHERS and any(_CLEAR.match(word) for word in one.words)),
        ("Something is fetched without encryption", "Whoever sits between can put something else in its place.", "Use https, and compare a checksum."),
        ("通过明文协议下载内容", "中间人可以替换下载的内容。", "使用 https 并核对校验和。"),
        ("CIS 4.11",),
    ),
    Check(
        "SW-IMG-603", Severity.HIGH, any_command(_insecure),
        ("The build does not check certificates", "Anybody between the build and the server can put something else in its place.", "Remove the option; add the CA to the image's store if the server has a private one."),
        ("构建过程跳过证书校验", "构建与服务器之间的中间人可以替换内容。", "删除该选项；如使用私有 CA，请加入镜像信任库。"),
        ("CIS 4.11", "DKL-DI-0001"),
    ),
    Check(
        "SW-IMG-604", Severity.MEDIUM, _added,
        ("ADD fetches from the network", "What comes is not compared with anything, and stays in the layer also when a later step deletes it.", "ADD --checksum=sha256:…, or RUN with curl, a comparison and the clean-up in one step."),
        ("ADD 从网络下载文件", "下载内容未经校验，且即使后续删除仍保留在镜像层中。", "使用 ADD --checksum=sha256:…，或在同一 RUN 中完成下载、校验与清理。"),
        ("CIS 4.9", "CIS-DI-0009"),
    ),
    Check(
        "SW-IMG-605", Severity.LOW, _unverified,
        ("A download is not compared with a checksum or signature", "When the server or the account of its owner is taken over, the image is too.", "Compare sha256sum -c or a signature in the same step."),
        ("下载内容未校验", "下载源被攻陷时，镜像也随之被攻陷。", "在同一步骤中使用 sha256sum -c 或验证签名。"),
        ("CIS 4.11",),
    ),
    Check(
        "SW-IMG-606", Severity.HIGH, _credentials,
        ("A command of the build carries a password or token", "The whole command stays in the image's history.", "Use RUN --mount=type=secret; revoke the credential."),
        ("构建命令中包含密码或令牌", "完整命令会保留在镜像历史中。", "使用 RUN --mount=type=secret，并吊销该凭据。"),
        ("CIS 4.10",),
    ),
    Check(
        "SW-IMG-607", Severity.MEDIUM, any_command(_host_keys),
        ("SSH trusts any server", "Without the known host key anybody between can pass for the server.", "Bring the server's key into known_hosts."),
        ("SSH 不校验主机密钥", "不校验主机密钥时，中间人可以冒充服务器。", "将服务器公钥写入 known_hosts。"),
    ),
    Check(
        "SW-IMG-608", Severity.LOW, _cloned,
        ("Source code is cloned without saying which state", "The image holds whatever was newest at that moment.", "Clone a tag and compare its commit, or check out the commit by its hash."),
        ("克隆源码时未指定版本", "镜像包含的内容取决于构建时刻的最新提交。", "克隆指定标签并核对提交哈希，或按哈希检出。"),
        ("CIS 4.11",),
    ),
)  # fmt: skip
