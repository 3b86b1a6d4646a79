"""What is installed that a service does not need and an intruder does."""

from collections.abc import Iterable

from seawall.core.severity import Severity
from seawall.images.detect.checks.check import Check, Seen, Subject, installed, shown

_HEADERS = 25
_MANY = 500


def _headers(subject: Subject) -> Iterable[Seen] | None:
    if not subject.packages:
        return None
    found = [one.name for one in subject.packages if one.name.endswith(("-dev", "-devel", "-headers"))]
    return (
        [Seen(shown(f"{len(found)} packages for developers: {', '.join(found[:5])} …"))]
        if len(found) > _HEADERS
        else []
    )


def _many(subject: Subject) -> Iterable[Seen] | None:
    if not subject.packages:
        return None
    return [Seen(f"{len(subject.packages)} packages of the distribution")] if len(subject.packages) > _MANY else []


CHECKS = (
    Check(
        "SW-IMG-901", Severity.HIGH, installed("telnetd", "inetutils-telnetd", "telnet-server", "rsh-server", "rsh-redone-server", "vsftpd", "proftpd", "proftpd-core", "pure-ftpd", "tftpd", "tftpd-hpa", "tftp-server", "atftpd", "xinetd", "inetutils-inetd", "openbsd-inetd", "nis", "ypserv", "talkd"),
        ("A server of a protocol without encryption is installed", "Passwords cross the network in the clear; such servers have been out of care for years.", "Remove it; use SSH, SFTP or HTTPS."),
        ("安装了明文协议服务端", "密码以明文传输，此类服务多年缺乏维护。", "卸载并改用 SSH、SFTP 或 HTTPS。"),
        ("CIS 4.3",),
    ),
    Check(
        "SW-IMG-902", Severity.MEDIUM, installed("openssh-server", "dropbear", "dropbear-bin", "openssh-sftp-server-standalone", "tigervnc-standalone-server", "x11vnc", "xrdp", "webmin"),
        ("A server for remote access is installed", "A second door into the container, past the logs and rights of the platform.", "Remove it; use docker exec or kubectl exec."),
        ("安装了远程访问服务端", "为容器增加绕过平台审计与授权的入口。", "卸载并使用 docker exec 或 kubectl exec。"),
        ("CIS 4.3", "CIS 5.7"),
    ),
    Check(
        "SW-IMG-903", Severity.MEDIUM, installed("nmap", "ncat", "netcat", "netcat-traditional", "netcat-openbsd", "nmap-ncat", "socat", "tcpdump", "hping3", "masscan", "hydra", "john", "aircrack-ng", "ettercap-text-only", "dsniff", "proxychains", "proxychains4", "sqlmap", "nikto", "metasploit-framework", "wireshark", "tshark", "ngrep", "arp-scan", "thc-hydra"),
        ("Tools to scan, listen or forward are installed", "They save an intruder from bringing his own.", "Remove them; look into networks from a container of its own (kubectl debug)."),
        ("安装了扫描、监听或转发工具", "攻击者无需自带工具。", "卸载；排查网络问题请使用独立的调试容器（kubectl debug）。"),
        ("CIS 4.3",),
    ),
    Check(
        "SW-IMG-904", Severity.LOW, installed("gdb", "gdbserver", "strace", "ltrace", "lldb", "valgrind", "perf", "linux-perf", "bpftrace", "bpfcc-tools", "systemtap", "radare2"),
        ("Debuggers are installed", "They read the memory of other processes, with everything secret that is in it.", "Remove them; attach from a debug container when it is needed."),
        ("安装了调试器", "调试器可读取其他进程内存中的敏感数据。", "卸载；需要时使用调试容器附加。"),
        ("CIS 4.3",),
    ),
    Check(
        "SW-IMG-905", Severity.LOW, installed("gcc", "g++", "clang", "build-essential", "make", "cmake", "rustc", "cargo", "golang", "golang-go", "go", "build-base", "gcc-c++", "tcc", "nasm", "default-jdk", "openjdk-17-jdk", "openjdk-21-jdk"),
        ("A compiler is installed", "Exploits are built where they run; the image is larger and has more to mend.", "Build in a stage of its own and copy the result."),
        ("安装了编译器", "攻击者可以就地编译利用程序；镜像更大、需修复的更多。", "在独立阶段构建，仅复制产物。"),
        ("CIS 4.3",),
    ),
    Check(
        "SW-IMG-906", Severity.INFO, installed("apt", "apk-tools", "yum", "dnf", "microdnf", "dnf5", "zypper", "pacman", "opkg", "aptitude"),
        ("A package manager is left in the image", "With it an intruder installs whatever he needs in one command.", "Use a distroless or minimal base, or remove it in the last stage."),
        ("镜像中残留包管理器", "攻击者一条命令即可安装所需工具。", "使用 distroless 或精简基础镜像，或在最后阶段移除。"),
        ("CIS 4.3",),
    ),
    Check(
        "SW-IMG-907", Severity.LOW, installed("telnet", "inetutils-telnet", "ftp", "inetutils-ftp", "tnftp", "rsh-client", "rsh-redone-client", "talk", "tftp", "tftp-hpa", "finger", "ldap-utils", "smbclient", "rpcbind"),
        ("Old network clients are installed", "Services do not need them; they send passwords in the clear and move files for an intruder.", "Remove them."),
        ("安装了老旧的网络客户端", "服务并不需要；它们以明文传输密码，并可被攻击者用于传输文件。", "卸载。"),
        ("CIS 4.3",),
    ),
    Check(
        "SW-IMG-908", Severity.MEDIUM, installed("docker.io", "docker-ce", "docker-ce-cli", "docker-cli", "docker", "containerd", "containerd.io", "cri-tools", "kubectl", "kubernetes-client", "podman", "nerdctl", "runc", "crun", "buildah", "skopeo", "kubeadm", "kubelet"),
        ("Programs that command containers are installed", "With a socket or a token that leaks in, they are all that is needed to take over the node.", "Remove them, unless the image is a tool for building or running containers."),
        ("安装了容器管理程序", "一旦套接字或令牌泄露，即可用其控制节点。", "除非镜像本身用于构建或管理容器，否则卸载。"),
        ("CIS 4.3",),
    ),
    Check(
        "SW-IMG-909", Severity.LOW, installed("systemd", "systemd-sysv", "sysvinit-core", "openrc", "upstart", "cron", "cronie", "anacron", "at", "rsyslog", "dcron", "busybox-openrc"),
        ("Services of a whole machine are installed", "init, cron and syslog run as root and start what an intruder puts into their folders.", "One process a container; let the platform schedule and collect logs."),
        ("安装了主机级系统服务", "init、cron、syslog 以 root 运行，并会启动攻击者放入其目录的内容。", "每个容器一个进程；调度与日志交给平台。"),
        ("CIS 4.3",),
    ),
    Check(
        "SW-IMG-910", Severity.INFO, installed("git", "subversion", "mercurial", "bzr", "git-man", "cvs", "git-lfs"),
        ("Version control is installed", "Its helpers are a way to run programs, and its presence a sign of a clone with its history.", "Clone in a build stage and copy the result."),
        ("安装了版本控制工具", "其辅助程序可用于执行命令，也意味着可能残留带历史的仓库。", "在构建阶段克隆，仅复制产物。"),
        ("CIS 4.3",),
    ),
    Check(
        "SW-IMG-911", Severity.LOW, _headers,
        ("Many packages for developers are installed", "Headers and static libraries are for building; they only add to what has to be mended.", "Build in a stage of its own."),
        ("安装了大量开发包", "头文件与静态库仅用于构建，只会增加需修复的内容。", "使用多阶段构建。"),
        ("CIS 4.3",),
    ),
    Check(
        "SW-IMG-912", Severity.INFO, _many,
        ("The image holds a whole distribution", "Each package is one more to watch and to mend.", "Use a slim base, and install without recommendations."),
        ("镜像包含完整的发行版", "每个软件包都需要关注与修复。", "使用精简基础镜像，并避免安装推荐包。"),
        ("CIS 4.3",),
    ),
)  # fmt: skip
