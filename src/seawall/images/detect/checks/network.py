"""What an image offers to the network."""

from collections.abc import Iterable, Iterator

from seawall.core.severity import Severity
from seawall.images.detect.checks.check import Check, Judge, Seen, Subject, at, shown

_MANY = 20
_PROTOCOLS = ("tcp", "udp", "sctp")
_PLAIN = {
    20: "ftp",
    21: "ftp",
    23: "telnet",
    69: "tftp",
    79: "finger",
    512: "rexec",
    513: "rlogin",
    514: "rsh",
    873: "rsync",
    111: "portmap",
    2049: "nfs",
    139: "smb",
    445: "smb",
}
_CONTROL = {
    2375: "Docker",
    2376: "Docker",
    2377: "Swarm",
    2379: "etcd",
    2380: "etcd",
    4243: "Docker",
    6443: "Kubernetes",
    10250: "kubelet",
    10255: "kubelet",
    10257: "Kubernetes",
    10259: "Kubernetes",
    8001: "kubectl proxy",
}
_DATA = {
    1433: "SQL Server",
    1521: "Oracle",
    3306: "MySQL",
    5432: "PostgreSQL",
    5984: "CouchDB",
    6379: "Redis",
    7000: "Cassandra",
    7474: "Neo4j",
    8086: "InfluxDB",
    9042: "Cassandra",
    9200: "Elasticsearch",
    9300: "Elasticsearch",
    11211: "memcached",
    27017: "MongoDB",
    27018: "MongoDB",
    50070: "HDFS",
    8088: "YARN",
}
_DESK = {
    3389: "RDP",
    5900: "VNC",
    5901: "VNC",
    5902: "VNC",
    6000: "X11",
    6001: "X11",
    177: "XDMCP",
    5938: "TeamViewer",
    10000: "Webmin",
}
_DEBUG = {
    5005: "JDWP",
    8000: "JDWP",
    9229: "Node inspector",
    5858: "Node debugger",
    5678: "debugpy",
    2345: "Delve",
    40000: "Delve",
    1099: "JMX/RMI",
    9010: "JMX",
    1234: "gdbserver",
    6006: "TensorBoard",
}
_SSH = frozenset({22, 2222})


def _ports(subject: Subject) -> Iterator[tuple[str, int, str]]:
    """(as written, number, protocol); a range gives its ends."""
    for written in subject.config.exposed:
        number, _, protocol = written.partition("/")
        for part in number.split("-")[:2]:
            yield written, int(part) if part.isdecimal() and len(part) < 6 else -1, protocol or "tcp"


def _exposes(
    ports: Iterable[int], names: dict[int, str] | None = None, protocols: tuple[str, ...] = _PROTOCOLS
) -> Judge:
    wanted = frozenset(ports)

    def judge(subject: Subject) -> Iterable[Seen] | None:
        if not subject.config.exposed:
            return None
        return [
            Seen(f"EXPOSE {shown(written)}" + (f" ({names[number]})" if names else ""))
            for written, number, protocol in _ports(subject)
            if number in wanted and protocol in protocols
        ]

    return judge


def _privileged(subject: Subject) -> Iterable[Seen] | None:
    if not subject.config.exposed:
        return None
    return [Seen(f"EXPOSE {shown(written)}") for written, number, _ in _ports(subject) if 0 < number < 1024]


def _many(subject: Subject) -> Iterable[Seen] | None:
    if not subject.config.exposed:
        return None
    count = len(subject.config.exposed)
    wide = [one for one in subject.config.exposed if "-" in one]
    return [Seen(f"EXPOSE {shown(one)}") for one in wide] or ([Seen(f"{count} ports")] if count > _MANY else [])


def _broken(subject: Subject) -> Iterable[Seen] | None:
    if not subject.config.exposed:
        return None
    return [
        Seen(f"EXPOSE {shown(written)}")
        for written, number, protocol in _ports(subject)
        if not 0 < number < 65536 or protocol not in _PROTOCOLS
    ]


def _starts_sshd(subject: Subject) -> Iterable[Seen] | None:
    start = " ".join((*subject.config.entrypoint, *subject.config.cmd))
    if not start:
        return None
    found = [Seen(f"starts {shown(start)}")] if "sshd" in start or "dropbear" in start else []
    keys = [
        at(step) for step, commands in subject.runs for one in commands if one.name == "ssh-keygen" and one.has("-A")
    ]
    return [*found, *keys]


CHECKS = (
    Check(
        "SW-IMG-301", Severity.MEDIUM, _exposes(_SSH),
        ("SSH's port is exposed", "A second door into the container, with keys and passwords of its own that nobody changes.", "Remove sshd and EXPOSE 22; use docker exec or kubectl exec, which are logged and authorised."),
        ("暴露 SSH 端口", "SSH 为容器增加了额外入口，其密钥和密码往往无人更换。", "移除 sshd 与 EXPOSE 22；使用可审计、可授权的 docker exec 或 kubectl exec。"),
        ("CIS 5.7",),
    ),
    Check(
        "SW-IMG-302", Severity.HIGH, _exposes(_PLAIN, _PLAIN),
        ("A port of a protocol without encryption is exposed", "Passwords and data cross the network in the clear, and such services are attacked by machines all day.", "Use the encrypted successor (SSH, SFTP, HTTPS), or keep the port inside."),
        ("暴露明文协议端口", "密码与数据以明文传输，此类服务持续遭受自动化攻击。", "改用加密协议（SSH、SFTP、HTTPS），或仅在内部使用。"),
    ),
    Check(
        "SW-IMG-303", Severity.HIGH, _exposes(_CONTROL, _CONTROL, ("tcp",)),
        ("A port that commands containers is exposed", "Who reaches the API of Docker, etcd or a kubelet commands the whole node or cluster.", "Do not serve it from a container; where it must be, with mutual TLS and on a private network."),
        ("暴露容器管理接口端口", "能访问 Docker、etcd 或 kubelet 接口即可控制节点甚至集群。", "不要在容器中对外提供；确有需要时启用双向 TLS 并限制在内网。"),
    ),
    Check(
        "SW-IMG-304", Severity.INFO, _privileged,
        ("A port below 1024 is exposed", "Such ports need root or a capability in many set-ups; a port above lets the service run as an ordinary user.", "Listen above 1024 and map the port when the container starts."),
        ("暴露 1024 以下的特权端口", "许多环境中监听特权端口需要 root 或额外能力。", "监听 1024 以上端口，并在启动容器时做端口映射。"),
        ("CIS 5.8",),
    ),
    Check(
        "SW-IMG-305", Severity.INFO, _exposes(_DATA, _DATA, ("tcp",)),
        ("A database's port is exposed", "Databases that were published by accident are the most frequent leak of containers.", "Publish it on a private network only, with a login and TLS."),
        ("暴露数据库端口", "误发布的数据库端口是容器数据泄露最常见的原因。", "仅在内网发布，并启用认证与 TLS。"),
    ),
    Check(
        "SW-IMG-306", Severity.MEDIUM, _exposes(_DESK, _DESK),
        ("A remote desktop's port is exposed", "Screens over the network are attacked by guessing passwords, and give everything the desktop may do.", "Remove it, or reach it by a forwarded port on localhost."),
        ("暴露远程桌面端口", "远程桌面常被暴力破解，失陷后权限等同桌面用户。", "移除该服务，或仅通过本地端口转发访问。"),
    ),
    Check(
        "SW-IMG-307", Severity.MEDIUM, _exposes(_DEBUG, _DEBUG, ("tcp",)),
        ("A debugger's usual port is exposed", "Debuggers know no login: who reaches the port runs code.", "Remove the port from the image for production."),
        ("暴露常见调试端口", "调试器没有认证，能访问端口即可执行代码。", "从生产镜像中移除该端口。"),
    ),
    Check(
        "SW-IMG-308", Severity.LOW, _many,
        ("Very many ports are exposed", "docker run -P publishes all of them; each is one more door to watch.", "Expose only the ports that the service answers on."),
        ("暴露过多端口", "docker run -P 会发布全部端口，每个端口都是攻击面。", "只暴露服务实际使用的端口。"),
        ("CIS 5.8",),
    ),
    Check(
        "SW-IMG-309", Severity.LOW, _broken,
        ("An exposed port cannot be", "Ports go from 1 to 65535, over tcp, udp or sctp; this one is ignored or refused.", "Correct EXPOSE."),
        ("EXPOSE 的端口无效", "端口范围为 1–65535，协议为 tcp、udp 或 sctp；无效端口会被忽略或拒绝。", "修正 EXPOSE。"),
        ("DL3011",),
    ),
    Check(
        "SW-IMG-310", Severity.MEDIUM, _starts_sshd,
        ("The image starts an SSH server, or holds its host keys", "Host keys that were made in the build are the same in all containers, and known to all who have the image.", "Remove sshd; if it must stay, make its keys at the first start."),
        ("镜像启动 SSH 服务或内置主机密钥", "构建时生成的主机密钥在所有容器中相同，且获得镜像的人都能读取。", "移除 sshd；如必须保留，请在首次启动时生成密钥。"),
        ("CIS 5.7",),
    ),
)  # fmt: skip
