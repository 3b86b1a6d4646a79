"""What is told of one kind of file. Reasons and advice are shared by a category."""

import re
from dataclasses import dataclass

from seawall.core.severity import Severity
from seawall.images.model import Risk

AUTHENTICATION, LEAK, MODE, ACCOUNT = "authentication", "leak", "permissions", "accounts"
TEXTS = {
    AUTHENTICATION: (
        (
            "Whoever has the image has the login in the file, from every layer, even if a later one deletes it.",
            "Change the login, leave the file out of the build context, mount a secret at run time or at build time.",
        ),
        (
            "拿到镜像者即可从任意层取得文件中的凭据，后续层删除也无济于事。",
            "更换凭据，将文件排除在构建上下文之外，改用运行时或构建时的机密挂载。",
        ),
    ),
    LEAK: (
        (
            "It shows what its owner did not mean to publish: sources, history, data, how things are built.",
            "Exclude it (.dockerignore), build in a stage of its own and copy only what runs.",
        ),
        (
            "泄露本不打算公开的内容：源码、提交历史、数据或构建方式。",
            "通过 .dockerignore 排除，使用多阶段构建，仅复制运行所需文件。",
        ),
    ),
    MODE: (
        (
            "An intruder with few rights gets more of them by it.",
            "Take the bits away (chmod u-s,g-s,o-w) or the program, unless it is needed.",
        ),
        ("低权限攻击者可借此提升权限。", "如非必要，移除相应权限位（chmod u-s,g-s,o-w）或卸载该程序。"),
    ),
    ACCOUNT: (
        (
            "It lets somebody in, or up to root, without what should be asked for.",
            "Lock or remove the account or the line; containers need no passwords.",
        ),
        ("可绕过应有的认证登录或获得 root 权限。", "锁定或删除该账号或配置行；容器内不需要口令登录。"),
    ),
}
"""Category → ((why, advice) in English, in Chinese)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file, or of what is wrong with one."""

    id: str
    severity: Severity
    category: str
    en: str
    zh: str
    path: str = ""
    """An expression for the path, from a slash or the beginning to the end."""
    content: re.Pattern[bytes] | None = None
    """What the first 4 KB hold if it is really one."""

    def holds(self, head: bytes) -> bool:
        """Whether the content is that of such a file."""
        return bool(head.strip()) and (self.content is None or bool(self.content.search(head)))

    def risk(self, evidence: str = "") -> Risk:
        """The finding; its place is added by whoever merges layers."""
        return Risk(self.id, self.en, self.severity, self.category, evidence)
