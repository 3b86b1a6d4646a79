"""What an image's environment gives away or switches off."""

import re
from collections.abc import Callable, Iterable

from seawall.core.severity import Severity
from seawall.images.detect.checks.check import Check, Judge, Seen, Subject, at

SECRET = re.compile(
    r"(?i)(^|_)(pass|passwd|password|passphrase|pwd|secret|token|api_?key|access_?key|private_?key|credentials?|"
    r"auth_?key|encryption_?key|signing_?key|client_?secret|salt|htpasswd)(_?\d+)?$"
)
"""Names whose values open doors."""
_NOT_SECRET = re.compile(r"(?i)(_file|_path|_dir|_name|_policy|_ttl|_url|_hint|allow_empty_password|random_password)$")
_EMPTY = frozenset({"", "none", "null", "changeme_at_runtime", "false", "true", "yes", "no", "0", "1"})
_DEFAULTS = frozenset({
    "root", "admin", "password", "passw0rd", "p@ssw0rd", "123456", "12345678", "123456789", "1234", "12345", "qwerty", "toor", "guest",
    "changeme", "change-me", "change_me", "secret", "test", "default", "postgres", "mysql", "oracle", "redis", "mongo", "minioadmin",
    "rabbitmq", "elastic", "grafana", "admin123", "admin@123", "root123", "root@123", "pass", "letmein", "welcome", "password123",
    "nacos", "vagrant", "ubuntu", "sa", "tomcat", "s3cret", "manager", "administrator", "111111", "000000", "abc123", "1q2w3e4r",
})  # fmt: skip
_PROXY = frozenset({"http_proxy", "https_proxy", "ftp_proxy", "all_proxy"})
_LINKER = frozenset({"LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "LD_DEBUG"})
_WRITABLE = re.compile(r"^(/tmp|/var/tmp|/dev/shm|/home/[^/]*/?tmp|/run/user)(/|$)")
_IN_URL = re.compile(r"^[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@", re.IGNORECASE)
_NO_TLS = {
    "NODE_TLS_REJECT_UNAUTHORIZED": ("0",), "PYTHONHTTPSVERIFY": ("0",), "GIT_SSL_NO_VERIFY": ("1", "true"),
    "CURL_INSECURE": ("1", "true"), "NPM_CONFIG_STRICT_SSL": ("false",), "YARN_STRICT_SSL": ("false",),
    "SSL_VERIFY": ("false", "0"), "GOINSECURE": (), "GONOSUMDB": (), "GOFLAGS": ("-insecure",), "PIP_TRUSTED_HOST": (),
    "REQUESTS_VERIFY": ("false", "0"), "VAULT_SKIP_VERIFY": ("1", "true"), "INSECURE_SKIP_VERIFY": ("1", "true"),
    "CONSUL_HTTP_SSL_VERIFY": ("false",), "APT_KEY_DONT_WARN_ON_DANGEROUS_USAGE": (),
}  # fmt: skip
"""Name → values that switch checks off; none: any value does."""
_DEBUG = {
    "FLASK_DEBUG": ("1", "true"), "DJANGO_DEBUG": ("1", "true"), "DEBUG": ("1", "true", "yes", "on"), "APP_DEBUG": ("1", "true"),
    "NODE_ENV": ("development",), "RAILS_ENV": ("development",), "RACK_ENV": ("development",), "APP_ENV": ("dev", "local", "development"),
    "FLASK_ENV": ("development",), "ASPNETCORE_ENVIRONMENT": ("development",), "GIN_MODE": ("debug",), "WERKZEUG_DEBUG_PIN": ("off",),
    "SYMFONY_ENV": ("dev",), "WP_DEBUG": ("1", "true"), "PYTHONDEVMODE": ("1",),
}  # fmt: skip
_DEBUGGER = re.compile(
    r"-agentlib:jdwp|-Xrunjdwp|--inspect(-brk)?=(0\.0\.0\.0|\[?::|\*)|com\.sun\.management\.jmxremote\.authenticate=false"
)
_NO_LOGIN = {
    "MYSQL_ALLOW_EMPTY_PASSWORD": ("1", "true", "yes"), "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD": ("1", "true", "yes"),
    "ALLOW_EMPTY_PASSWORD": ("yes", "true", "1"), "ALLOW_ANONYMOUS_LOGIN": ("yes", "true", "1"), "POSTGRES_HOST_AUTH_METHOD": ("trust",),
    "XPACK.SECURITY.ENABLED": ("false",), "DISABLE_SECURITY_PLUGIN": ("true",), "NACOS_AUTH_ENABLE": ("false",), "NEO4J_AUTH": ("none",),
    "GF_AUTH_ANONYMOUS_ENABLED": ("true",), "REDIS_PROTECTED_MODE": ("no",), "AUTHENTICATION_ENABLED": ("false",),
    "PMA_ALLOW_NO_PASSWORD": ("1", "true"), "JUPYTER_TOKEN": ("",), "KC_HTTP_ENABLED": (), "DISABLE_AUTH": ("1", "true", "yes"),
    "ARANGO_NO_AUTH": ("1", "true"), "COUCHDB_ADMIN_PARTY": ("1", "true"),
}  # fmt: skip


def secret_name(name: str) -> bool:
    """Whether a name is one of something that opens a door."""
    return bool(SECRET.search(name)) and not _NOT_SECRET.search(name)


def _real(value: str) -> bool:
    return value.strip("\"'").lower() not in _EMPTY and not value.startswith(("$", "{{", "/run/secrets"))


def _variables(test: Callable[[str, str], bool], *, hidden: bool = True) -> Judge:
    def judge(subject: Subject) -> Iterable[Seen]:
        for name, value in subject.env:
            if test(name, value):
                yield Seen(f"ENV {name[:100]}={'***' if hidden else value[:100]}", _layer(subject, name))

    return judge


def _layer(subject: Subject, name: str) -> int:
    """The last step that sets it."""
    setters = (
        one.layer
        for one in reversed(subject.steps)
        if one.word == "ENV" and re.search(rf"\b{re.escape(name)}[= ]", one.text)
    )
    return next(setters, -1)


def _among(table: dict[str, tuple[str, ...]]) -> Callable[[str, str], bool]:
    def test(name: str, value: str) -> bool:
        wanted = table.get(name.upper())
        return wanted is not None and (value.strip("\"'").lower() in wanted if wanted else bool(value))

    return test


def _arguments(subject: Subject) -> Iterable[Seen] | None:
    """Of a Dockerfile the ARGs, of an image what the history of a RUN tells."""
    if not subject.steps:
        return None
    return list(_secret_arguments(subject))


def _secret_arguments(subject: Subject) -> Iterable[Seen]:
    for step in subject.own:
        pairs = [*step.arguments, *([step.text] if step.word == "ARG" else [])]
        for name, _, value in (pair.partition("=") for pair in pairs):
            if secret_name(name.strip()) and (step.word == "ARG" or _real(value)):
                yield Seen(f"ARG {name.strip()[:100]}", step.layer, step.line)


def _path(subject: Subject) -> Iterable[Seen] | None:
    value = dict(subject.env).get("PATH")
    if value is None:
        return None
    bad = [part for part in value.split(":") if not part.startswith(("/", "$", "%")) or _WRITABLE.match(part)]
    return [Seen(f"PATH holds {part[:100] or 'an empty part'}", _layer(subject, "PATH")) for part in bad]


def _labels(subject: Subject) -> Iterable[Seen]:
    for name, value in subject.config.labels.items():
        if secret_name(re.split(r"[./]", name)[-1].replace("-", "_")) and _real(value):
            yield Seen(f"LABEL {name[:100]}=***")


def _written(subject: Subject) -> Iterable[Seen] | None:
    """Exports of a RUN are gone after it, but not from the history."""
    if not subject.runs:
        return None
    return [
        at(step, f"{name}=***")
        for step, command in subject.every()
        for name, _, value in (
            word.partition("=") for word in (*command.before, *command.words[1:] * (command.name == "export"))
        )
        if secret_name(name.lstrip("-").replace("-", "_")) and value and _real(value)
    ]


CHECKS = (
    Check(
        "SW-IMG-201", Severity.HIGH, _variables(lambda name, value: secret_name(name) and _real(value)),
        ("A secret is in the environment", "Everybody who can pull the image reads it with one command, and every process of the container inherits it.", "Bring it in at run time as a file or secret; change the value, it counts as known."),
        ("环境变量中包含敏感信息", "任何能拉取镜像的人都可读取，容器内所有进程也会继承。", "在运行时以 Secret 或文件注入；该凭据应视为已泄露并立即更换。"),
        ("CIS 4.10", "CIS-DI-0010", "DL3064"),
    ),
    Check(
        "SW-IMG-202", Severity.HIGH, _arguments,
        ("A build argument carries a secret", "Build arguments stay readable in the image's history.", "Use RUN --mount=type=secret, which leaves nothing behind."),
        ("构建参数中包含敏感信息", "构建参数会保留在镜像历史中，可被读取。", "使用 RUN --mount=type=secret，不会在镜像中留下痕迹。"),
        ("CIS 4.10", "DL3064"),
    ),
    Check(
        "SW-IMG-203", Severity.CRITICAL, _variables(lambda name, value: secret_name(name) and value.strip("\"'").lower() in _DEFAULTS),
        ("A credential that the whole world knows", "Such passwords are the first that every scanner of the internet tries.", "Remove it; make the start fail without one, and let each installation choose its own."),
        ("使用众所周知的默认密码", "默认密码是互联网扫描器最先尝试的凭据。", "删除默认密码；未提供密码时应启动失败，由每个部署自行设置。"),
        ("CIS 4.10",),
    ),
    Check(
        "SW-IMG-204", Severity.HIGH, _variables(lambda name, value: name.lower() in _PROXY and "@" in value),
        ("The proxy's password is in the environment", "Whoever has the image can use the proxy under that name.", "Set the proxy when building and starting (--build-arg, the daemon's own settings), not with ENV."),
        ("环境变量中的代理地址包含密码", "获得镜像的人可冒用该账户使用代理。", "在构建或启动时设置代理（--build-arg 或守护进程配置），不要使用 ENV。"),
        ("CIS 4.10",),
    ),
    Check(
        "SW-IMG-205", Severity.LOW, _variables(lambda name, value: name.lower() in _PROXY and bool(value) and "@" not in value),
        ("A proxy of the build is left in the image", "All traffic of the container goes by a machine that may not be there or may belong to somebody else.", "Use --build-arg http_proxy, which is not kept."),
        ("镜像中残留构建代理设置", "容器流量会经过可能已失效或属于他人的代理。", "使用 --build-arg http_proxy，不会写入镜像。"),
    ),
    Check(
        "SW-IMG-206", Severity.MEDIUM, _variables(lambda name, value: name in _LINKER and bool(value), hidden=False),
        ("The environment changes how programs are linked", "A library that is loaded into every program sees and changes everything; a search path invites another to be put there.", "Remove it; give the path to the one program that needs it, or use ld.so.conf."),
        ("环境变量影响动态链接", "被注入所有进程的库可以监视并篡改一切；库搜索路径可能被利用。", "删除该变量；仅为需要的程序设置，或使用 ld.so.conf。"),
    ),
    Check(
        "SW-IMG-207", Severity.HIGH, _path,
        ("PATH leads to folders that anybody can write", "A file that is put there runs instead of the program that was meant, also as root.", "Leave only absolute folders that belong to root in PATH."),
        ("PATH 包含可被任意写入的目录", "攻击者放入同名文件即可被执行，甚至以 root 身份。", "PATH 中只保留属于 root 的绝对路径。"),
    ),
    Check(
        "SW-IMG-208", Severity.HIGH, _variables(_among(_NO_TLS), hidden=False),
        ("The environment switches certificate checks off", "Whoever sits between can read and change what the container fetches and sends.", "Remove it; add the CA to the image's store if the peer has a private one."),
        ("环境变量关闭了证书校验", "中间人可以读取并篡改容器的网络通信。", "删除该变量；如使用私有 CA，请将其加入镜像的信任库。"),
    ),
    Check(
        "SW-IMG-209", Severity.LOW, _variables(_among(_DEBUG), hidden=False),
        ("The image starts in a mode for developers", "Such modes show traces, settings and sometimes a console to every visitor.", "Set the mode for production in the image; switch debugging on by hand where it is needed."),
        ("镜像以开发或调试模式启动", "调试模式会向访问者暴露堆栈、配置，甚至交互控制台。", "镜像中设置生产模式，仅在需要时手动开启调试。"),
    ),
    Check(
        "SW-IMG-210", Severity.HIGH, _variables(lambda _name, value: bool(_DEBUGGER.search(value)), hidden=False),
        ("A remote debugger or JMX without login is switched on", "Who reaches its port runs any code in the process.", "Remove it from the environment; debug over a forwarded port on localhost."),
        ("启用了远程调试或无认证 JMX", "能访问该端口的人可以在进程中执行任意代码。", "从环境变量中删除；通过本地转发端口调试。"),
    ),
    Check(
        "SW-IMG-211", Severity.HIGH, _variables(_among(_NO_LOGIN), hidden=False),
        ("The environment switches the login off", "The service answers everybody who reaches it.", "Remove it, and demand a password at the first start."),
        ("环境变量关闭了身份认证", "任何能访问该服务的人都无需登录。", "删除该变量，并在首次启动时要求设置密码。"),
    ),
    Check(
        "SW-IMG-212", Severity.HIGH, _variables(lambda name, value: bool(_IN_URL.match(value)) and name.lower() not in _PROXY),
        ("An address in the environment carries a password", "Connection strings with a password are read by everybody who has the image.", "Bring the whole string in at run time, as a secret; change the password."),
        ("环境变量中的连接地址包含密码", "获得镜像的人都能读取连接串中的密码。", "在运行时以 Secret 注入完整连接串，并更换密码。"),
        ("CIS 4.10",),
    ),
    Check(
        "SW-IMG-213", Severity.MEDIUM, _labels,
        ("A label carries a secret", "Labels are shown by every registry and every tool that lists images.", "Remove the label; change the value."),
        ("标签中包含敏感信息", "镜像标签会被仓库和各类工具公开展示。", "删除该标签并更换凭据。"),
        ("CIS 4.10",),
    ),
    Check(
        "SW-IMG-214", Severity.HIGH, _written,
        ("A step of the build sets a secret", "The whole command stays in the image's history.", "Use RUN --mount=type=secret and read the file in the step; change the value."),
        ("构建步骤中设置了敏感信息", "完整命令会保留在镜像历史中。", "使用 RUN --mount=type=secret 并在步骤中读取文件；同时更换凭据。"),
        ("CIS 4.10",),
    ),
)  # fmt: skip
