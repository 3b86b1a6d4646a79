"""Files that hold logins, and files that leak what was not meant to be published, by their paths and first bytes."""

import re
from functools import lru_cache

from seawall.core.severity import Severity
from seawall.images.detect.secrets import places
from seawall.images.detect.sensitive.kind import AUTHENTICATION as LOGIN
from seawall.images.detect.sensitive.kind import LEAK, Kind

CRITICAL, HIGH, MEDIUM, LOW = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW


def _login(id: str, severity: Severity, path: str, en: str, zh: str, *, content: bytes = b"") -> Kind:
    return Kind(f"SW-FILE-{id}", severity, LOGIN, en, zh, path, re.compile(content) if content else None)


def _leak(id: str, severity: Severity, path: str, en: str, zh: str, *, content: bytes = b"") -> Kind:
    return Kind(f"SW-FILE-{id}", severity, LEAK, en, zh, path, re.compile(content) if content else None)


AUTHENTICATION = (
    _login("101", CRITICAL, r"\.aws/credentials", "AWS credentials file", "AWS 凭据文件", content=rb"aws_"),
    _login(
        "102", CRITICAL, r"\.config/gcloud/(?:credentials\.db|access_tokens\.db|application_default_credentials\.json)"
        r"|\.boto", "Google Cloud credentials file", "Google Cloud 凭据文件",
    ),
    _login(
        "103", CRITICAL, r"\.azure/(?:accessTokens\.json|msal_token_cache\.\w+|service_principal_entries\.\w+)",
        "Azure credentials file", "Azure 凭据文件",
    ),
    _login("104", CRITICAL, r"[\w.-]*\.json", "Service account key file", "服务账号密钥文件", content=rb'"private_key"\s*:\s*"-----B'),
    _login("105", CRITICAL, r"\.aliyun/config\.json", "Alibaba Cloud credentials file", "阿里云凭据文件", content=rb"access_key"),
    _login("106", CRITICAL, r"\.tccli/[\w-]+\.credential", "Tencent Cloud credentials file", "腾讯云凭据文件"),
    _login("107", CRITICAL, r"\.oci/config", "Oracle Cloud configuration with a key", "Oracle Cloud 凭据配置", content=rb"key_file"),
    _login("108", HIGH, r"\.config/doctl/config\.yaml", "DigitalOcean credentials file", "DigitalOcean 凭据文件", content=rb"token"),
    _login("109", HIGH, r"\.(?:s3cfg|passwd-s3fs)", "Credentials of an object store", "对象存储凭据文件"),
    _login(
        "110", CRITICAL, r"\.kube/config|kubeconfig(?:\.ya?ml)?|etc/rancher/k3s/k3s\.yaml"
        r"|etc/kubernetes/(?:super-)?(?:admin|kubelet|controller-manager|scheduler)\.conf",
        "Kubernetes configuration with a login", "含登录凭据的 kubeconfig", content=rb"clusters:|users:",
    ),
    _login(
        "111", CRITICAL, r"run/secrets/kubernetes\.io/serviceaccount/token", "Kubernetes service account token",
        "Kubernetes ServiceAccount 令牌",
    ),
    _login("112", CRITICAL, r"etc/kubernetes/pki/[\w/.-]+\.key", "Key of a Kubernetes cluster", "Kubernetes 集群私钥"),
    _login(
        "113", HIGH, r"\.docker/config\.json|\.dockercfg|containers/auth\.json", "Login of a container registry",
        "镜像仓库登录文件", content=rb'"auth"|"identitytoken"',
    ),
    _login("114", HIGH, r"\.npmrc", "npm configuration with a login", "含登录凭据的 npm 配置", content=rb"_auth(?:Token)?\s*=\s*[^$\s]|_password"),
    _login("115", HIGH, r"\.yarnrc(?:\.yml)?", "yarn configuration with a login", "含登录凭据的 yarn 配置", content=rb"npmAuthToken:\s*[^$\s]"),
    _login("116", HIGH, r"\.pypirc", "PyPI login", "PyPI 登录文件", content=rb"password"),
    _login("117", HIGH, r"\.cargo/credentials(?:\.toml)?", "crates.io login", "crates.io 登录文件", content=rb"token"),
    _login("118", HIGH, r"\.gem/credentials", "RubyGems login", "RubyGems 登录文件"),
    _login("119", HIGH, r"\.m2/settings(?:-security)?\.xml", "Maven settings with a password", "含密码的 Maven 设置", content=rb"<password>|<master>"),
    _login("120", HIGH, r"auth\.json", "Composer login", "Composer 登录文件", content=rb'"(?:http-basic|github-oauth|gitlab-token|bearer)"'),
    _login("121", HIGH, r"\.nuget/NuGet/NuGet\.Config", "NuGet configuration with a password", "含密码的 NuGet 配置", content=rb"(?i)password"),
    _login(
        "122", CRITICAL, r"\.ssh/(?:id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|identity|[\w.-]+\.pem)", "SSH private key",
        "SSH 私钥文件", content=rb"PRIVATE KEY",
    ),
    _login("123", HIGH, r"etc/ssh/ssh_host_\w+_key", "SSH host key: equal in every container", "SSH 主机私钥：所有容器相同", content=rb"PRIVATE KEY"),
    _login("124", MEDIUM, r"\.ssh/authorized_keys2?", "Keys that may log in by SSH", "SSH 授权公钥", content=rb"ssh-|ecdsa-|sk-"),
    _login("125", CRITICAL, r"\.gnupg/(?:secring\.gpg|private-keys-v1\.d/\w+\.key)", "PGP private key", "PGP 私钥文件"),
    _login("126", HIGH, r"\.pgpass", "PostgreSQL passwords", "PostgreSQL 密码文件", content=rb":"),
    _login("127", HIGH, r"\.my\.cnf|\.mylogin\.cnf", "MySQL login", "MySQL 登录文件"),
    _login("128", HIGH, r"[._]netrc", "Logins of servers (netrc)", "netrc 登录文件", content=rb"password"),
    _login("129", CRITICAL, r"\.git-credentials", "Stored git logins", "git 登录凭据文件", content=rb"://"),
    _login(
        "130", CRITICAL, r"\.config/(?:gh/hosts\.yml|hub|glab-cli/config\.yml)", "Login of a code host's command line",
        "代码托管命令行登录文件", content=rb"token",
    ),
    _login("131", CRITICAL, r"[\w.-]*\.tfstate(?:\.backup)?", "Terraform state: it holds every secret in the clear", "Terraform 状态文件（含明文机密）", content=rb'"(?:version|resources|serial)"'),
    _login("132", HIGH, r"\.terraform\.d/credentials\.tfrc\.json|\.terraformrc", "Terraform login", "Terraform 登录文件", content=rb"token"),
    _login("133", CRITICAL, r"\.vault-token", "Vault token", "Vault 令牌文件"),
    _login("134", HIGH, r"\.?vault[_-]pass(?:word)?(?:\.txt)?", "Password of an Ansible vault", "Ansible Vault 密码文件"),
    _login("135", HIGH, r"rclone\.conf", "Logins of rclone", "rclone 登录配置", content=rb"(?m)^(?:pass|token|secret)"),
    _login("136", HIGH, r"\.databrickscfg|\.snowsql/config", "Login of a data platform", "数据平台登录文件", content=rb"token|password"),
    _login("137", MEDIUM, r"[\w.-]+\.(?:jks|keystore|p12|pfx|bks)", "Key store", "密钥库文件"),
    _login("138", HIGH, r"[\w.-]+\.kdbx?", "Password safe", "密码保险箱文件"),
    _login("139", HIGH, r"[\w.-]+\.(?:ovpn)|etc/wireguard/[\w.-]+\.conf", "VPN configuration with a key", "含密钥的 VPN 配置", content=rb"PrivateKey|<key>|auth-user-pass"),
    _login("140", HIGH, r"[\w.-]+\.ppk", "PuTTY private key", "PuTTY 私钥文件", content=rb"PuTTY-User-Key"),
    _login("141", HIGH, r"[\w.-]*\.?keytab", "Kerberos key table", "Kerberos 密钥表（keytab）", content=rb"\A\x05"),
    _login("142", MEDIUM, r"\.htpasswd", "Passwords of a web server", "Web 服务器密码文件", content=rb":"),
    _login(
        "143", MEDIUM, r"\.(?:bash|zsh|ash|sh|mysql|psql|python|rediscli|node_repl|sqlite|irb)_history|\.histfile",
        "History of typed commands", "命令历史文件",
    ),
    _login("144", HIGH, r"secrets/master\.key|secrets/hudson\.util\.Secret|(?:jenkins\w*/)credentials\.xml", "Jenkins credentials", "Jenkins 凭据文件"),
    _login("145", HIGH, r"config/(?:master|credentials/\w+)\.key", "Rails master key", "Rails 主密钥"),
    _login("146", HIGH, r"sitemanager\.xml|recentservers\.xml|WinSCP\.ini", "Logins of a file transfer program", "文件传输工具登录信息", content=rb"(?i)pass"),
    _login("147", HIGH, r"key[34]\.db|logins\.json|Login Data", "Passwords of a browser", "浏览器保存的密码"),
    _login("148", CRITICAL, r"wallet\.dat|[\w.-]*UTC--\d{4}-[\w.:-]+--[0-9a-f]{40}", "Wallet", "加密货币钱包文件"),
    _login("149", MEDIUM, r"\.erlang\.cookie", "Erlang cookie: it admits to the cluster", "Erlang Cookie（集群准入凭据）"),
    _login("150", MEDIUM, r"etc/ssl/private/[\w.-]+\.(?:key|pem)", "Private key of a certificate", "证书私钥文件", content=rb"PRIVATE KEY"),
    _login("151", LOW, r"\.env(?:\.(?:local|prod|production|staging|dev|development))?", "Environment file of an application", "应用环境变量文件", content=rb"(?m)^\s*(?:export )?\w+\s*="),
)  # fmt: skip

LEAKS = (
    _leak("201", HIGH, r"\.git/HEAD", "A git repository: the whole history of the source", "git 仓库（含完整提交历史）", content=rb"ref:|^[0-9a-f]{40}"),
    _leak("202", HIGH, r"\.svn/(?:entries|wc\.db)", "A Subversion working copy", "SVN 工作副本"),
    _leak("203", HIGH, r"\.hg/requires", "A Mercurial repository", "Mercurial 仓库"),
    _leak("204", MEDIUM, r"\.bzr/README|CVS/Root", "A working copy of an old version control", "旧版本控制工作副本"),
    _leak("205", LOW, r"[\w.~-]+\.(?:js|mjs|css)\.map", "A source map: the source as it was written", "Source Map（可还原前端源码）", content=rb'"sourcesContent"|"mappings"'),
    _leak("206", HIGH, r"[\w.-]+\.(?:sql|dump|pgdump)(?:\.(?:gz|bz2|xz|zst|zip))?", "A database dump", "数据库转储文件",
          content=rb"-- (?:MySQL|MariaDB|PostgreSQL database|SQLite|Dump)|PGDMP|(?i:insert into)|\A(?:\x1f\x8b|BZh|\xfd7zXZ|PK\x03\x04|\x28\xb5\x2f\xfd)"),
    _leak("207", MEDIUM, r"[\w.-]+\.rdb|appendonly\.aof", "A Redis data file", "Redis 数据文件", content=rb"\AREDIS\d|\A\*\d"),
    _leak("208", MEDIUM, r"(?:app|srv|opt|home|root|data|var/www|usr/src)/(?:[^/]+/)*[\w.-]+\.(?:sqlite3?|db3?)", "A database file", "数据库文件", content=rb"\ASQLite format 3\0"),
    _leak("209", HIGH, r"[\w.-]*(?:backup|bak|dump)[\w.-]*\.(?:zip|tar|tgz|tar\.\w{2,3}|7z|rar|gz)", "A packed backup", "打包的备份文件"),
    _leak("210", LOW, r"[\w.-]+\.(?:bak|old|orig|save|swp|swo|copy)|[\w.-]+~", "A backup copy of a file", "文件的备份副本"),
    _leak("211", MEDIUM, r"(?:[\w.-]+\.csproj|go\.mod|Cargo\.toml|pom\.xml|build\.gradle(?:\.kts)?|CMakeLists\.txt)", "The sources of a compiled program", "编译型程序的源码工程"),
    _leak("212", LOW, r"\.idea/workspace\.xml|\.vscode/settings\.json|\.DS_Store", "Settings of a developer's editor", "开发工具配置"),
    _leak("213", LOW, r"\.gitlab-ci\.yml|\.github/workflows/[\w.-]+\.ya?ml|Jenkinsfile|\.travis\.yml|\.drone\.yml|azure-pipelines\.yml|bitbucket-pipelines\.yml",
          "How the product is built and delivered", "构建与发布流水线定义"),
    _leak("214", LOW, r"(?:docker-)?compose(?:\.[\w-]+)?\.ya?ml|Dockerfile(?:\.[\w-]+)?", "How the product is set up", "部署定义文件", content=rb"(?m)^(?:services|FROM|version)\b"),
    _leak("215", MEDIUM, r"core(?:\.\d+)?|[\w.-]+\.(?:hprof|dmp|core)", "Memory of a program: it holds what the program knew", "内存转储文件", content=rb"\A\x7fELF|\AJAVA PROFILE|\AMDMP"),
    _leak("216", MEDIUM, r"[\w.-]+\.(?:pcap|pcapng|cap|har)", "Recorded network traffic", "网络抓包文件", content=rb"\A(?:\xd4\xc3\xb2\xa1|\xa1\xb2\xc3\xd4|\x0a\x0d\x0d\x0a)|\"log\"\s*:"),
)  # fmt: skip

_SYSTEM = re.compile(
    r"(?:etc/(?:passwd|group|shadow|gshadow|subuid|subgid)-|var/(?:backups|cache|lib/(?:dpkg|apt|rpm|dnf|systemd|pacman))/.*"
    r"|etc/alternatives/.*|(?:usr/)?(?:s?bin|include)/.*|usr/(?:src|local/go|local/rustup)/.*|(?:.*/)?cacerts"
    r"|.*\.(?:dpkg|ucf)-\w+)$"
)
"""What distributions have of such names, and nobody is surprised by."""
_ALL = (*AUTHENTICATION, *LEAKS)
_EACH = [(re.compile(rf"(?:.*/)?(?:{kind.path})$", re.DOTALL), kind) for kind in _ALL]
_ANY = re.compile(rf"(?:^|/)(?:{'|'.join(kind.path for kind in _ALL)})$")


@lru_cache(1024)
def known(path: str) -> tuple[Kind, ...]:
    """What it may be by its path; libraries, tests, examples and what a distribution has are nothing."""
    if not _ANY.search(path) or _SYSTEM.match(path) or places.distance(path):
        return ()
    return tuple(kind for pattern, kind in _EACH if pattern.match(path))
