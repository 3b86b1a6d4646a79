"""What rules of falcosecurity/rules describe, done for real: a table of rule and command."""
# ruff: noqa: E501 - one rule, one line

from scenes.escapes import ALL, CGROUP, UNCONFINED
from scenes.playing import Deed

DUP = "import socket,os;s=socket.socket(2,2);s.connect(('{H}',9));os.dup2(s.fileno(),1)"
FILELESS = (
    "import os;m=os.memfd_create('x',1);os.write(m,open('/bin/true','rb').read());os.execv('/proc/self/fd/%d'%m,['x'])"
)
METADATA = "import socket;s=socket.socket();s.setblocking(0);s.connect_ex(('169.254.169.254',80))"
UDP = "import socket;s=socket.socket(2,2);s.connect(('{H}',9999));s.send(b'x')"


def as_program(name: str, code: str) -> str:
    """Python under another name runs the code."""
    return f'cp /usr/bin/python3 /tmp/{name}; /tmp/{name} -c "{code}"; true'


def named(name: str, *arguments: str) -> str:
    """`true` under another name."""
    return f"cp /bin/true /tmp/{name}; /tmp/{name} {' '.join(arguments)}; true"


def rule(name: str, command: str, options: str = "", image: str = "debian") -> Deed:
    """A deed for which this rule fires."""
    return Deed(name.translate(NAMES), command, "", options=options, rule=name, image=image)


NAMES = str.maketrans(dict.fromkeys(" /()", "-"))

FALCO = (
    rule("Directory traversal monitored file read", "exec python3 -c \"open('/usr/share/../../etc/passwd');open('/usr/share/../../etc/shadow')\""),
    rule("Read sensitive file trusted after startup", as_program("nginx", "import time;time.sleep(6);open('/etc/shadow')")),
    rule("Read sensitive file untrusted", "cat /etc/shadow; true"),
    rule("Run shell untrusted", as_program("nginx", "import subprocess;subprocess.run(['bash','-c','true;true'])")),
    rule("System user interactive", "cp /bin/bash /tmp/sshd; /tmp/sshd -c 'setpriv --reuid 33 --clear-groups id; true'"),
    rule("Terminal shell in container", "exec bash -c 'true; true'", "-t"),
    rule("Netcat Remote Code Execution in Container", "ln -s /bin/nc.traditional /tmp/nc; /tmp/nc -e /bin/true 127.0.0.1 9; true"),
    rule("Search Private Keys or Passwords", "find /etc -name id_rsa; true"),
    rule("Clear Log Activities", ": >/var/log/syslog"),
    rule("Remove Bulk Data from Disk", "echo >/tmp/x; shred -u /tmp/x"),
    rule("Create Symlink Over Sensitive Files", "ln -s /etc/shadow /tmp/a"),
    rule("Create Hardlink Over Sensitive Files", "ln /etc/shadow /tmp/b"),
    rule("Packet socket created in container", "python3 -c 'import socket;socket.socket(17,3,0)'"),
    rule("Redirect STDOUT/STDIN to Network Connection in Container", f'python3 -c "{DUP}"'),
    rule("Linux Kernel Module Injection Detected", "/opt/hand call init_module", ALL),
    rule("Detect release_agent File Container Escapes", CGROUP + "v=$(cat /tmp/c/release_agent); echo \"$v\" >/tmp/c/release_agent", ALL),
    rule("PTRACE attached to process", "/opt/hand sleep 9 & sleep 0.3; /opt/hand ptrace $!"),
    rule("PTRACE anti-debug attempt", "python3 -c 'import ctypes;ctypes.CDLL(None).ptrace(0,0,0,0)'"),
    rule("Find AWS Credentials", "find /root -path /root/.aws/credentials; true"),
    rule("Execution from /dev/shm", "cp /bin/true /dev/shm/t; /dev/shm/t", "--tmpfs /dev/shm:exec"),
    rule("Drop and execute new binary in container", "cp /bin/true /tmp/t; /tmp/t"),
    rule("Disallowed SSH Connection Non Standard Port", "ssh -o ConnectTimeout=2 -p 4444 198.51.100.7; true"),
    rule("Fileless execution via memfd_create", f'python3 -c "{FILELESS}"'),
    rule("Modify Shell Configuration File", "echo x | tee -a /root/.bashrc"),
    rule("Schedule Cron Jobs", "echo x | tee /etc/cron.d/x"),
    rule("Read ssh information", "mkdir -p /root/.ssh; ls /root/.ssh"),
    rule("DB program spawned process", as_program("mysqld", "import subprocess;subprocess.run(['id'])")),
    rule("Change thread namespace", "nsenter -t $$ -n true", ALL),
    rule("Change namespace privileges via unshare", "unshare -Ur true", UNCONFINED + " --user 1000"),
    rule("Launch Excessively Capable Container", "true", "--cap-add SYS_ADMIN", "busybox:falcocapable"),
    rule("System procs network activity", "bash -c 'exec 3<>/dev/tcp/{H}/4444'"),
    rule("Program run with disallowed http proxy env", "HTTP_PROXY=http://x curl --version >/dev/null; HTTP_PROXY=http://x curl -m 1 http://127.0.0.1:9 || true"),
    rule("Unexpected UDP Traffic", f'python3 -c "{UDP}"'),
    rule("Non sudo setuid", "python3 -c 'import os;os.setuid(0)' || true", "--user 1000"),
    rule("Create files below dev", "touch /dev/x"),
    rule("Contact EC2 Instance Metadata Service From Container", f'python3 -c "{METADATA}"'),
    rule("Contact cloud metadata service from container", f'python3 -c "{METADATA}"'),
    rule("Launch Package Management Process in Container", "dpkg -l >/dev/null"),
    rule("Launch Suspicious Network Tool in Container", "ncat --version"),
    rule("Delete or rename shell history", "touch /root/.bash_history; rm /root/.bash_history"),
    rule("Set Setuid or Setgid bit", "cp /bin/true /tmp/t; chmod u+s /tmp/t"),
    rule("Launch Remote File Copy Tools in Container", "rsync --version >/dev/null"),
    rule("Launch Ingress Remote File Copy Tools in Container", named("wget", "http://x/y")),
    rule("Read environment variable from /proc files", "cat /proc/1/environ >/dev/null"),
    rule("Exfiltrating Artifacts via Kubernetes Control Plane", "exec tar -cf - /home >/dev/null"),
    rule("Adding ssh keys to authorized_keys", "mkdir -p /root/.ssh; echo x | tee /root/.ssh/authorized_keys"),
    rule("Potential Local Privilege Escalation via Environment Variables Misuse", "GLIBC_TUNABLES=glibc.x=y sleep 1"),
    rule("Backdoored library loaded into SSHD (CVE-2024-3094)", "touch /tmp/liblzma.so.5.6.0; " + as_program("sshd", "open('/tmp/liblzma.so.5.6.0')")),
    rule("BPF Program Not Profiled", "/opt/hand call bpf", ALL),
    rule("Update Package Repository", "echo '# x' | tee /etc/apt/sources.list.d/x.list"),
    rule("Write below binary dir", "echo x | tee /usr/bin/x"),
    rule("Write below monitored dir", "echo x | tee /usr/lib/x"),
    rule("Write below etc", "echo x | tee /etc/x"),
    rule("Write below root", "echo x | tee /x"),
    rule("Write below rpm database", "mkdir -p /var/lib/rpm; echo x | tee /var/lib/rpm/x"),
    rule("Modify binary dirs", "rm /usr/bin/rsync"),
    rule("Mkdir binary dirs", "mkdir /usr/bin/d"),
    rule("Launch Sensitive Mount Container", "true", "-v {S}:/var/run/docker.sock", "busybox:falcomount"),
    rule("Detect crypto miners using the Stratum protocol", "/bin/true -o stratum+tcp://pool.example:3333"),
    rule("Kubernetes Client Tool Launched in Container", named("kubectl", "get", "pods")),
    rule("Sudo Potential Privilege Escalation", named("sudoedit", "-s", "'x\\'")),
    rule("Unprivileged Delegation of Page Faults Handling to a Userspace Process", "/opt/hand call userfaultfd", UNCONFINED + " --user 1000"),
    rule("Polkit Local Privilege Escalation Vulnerability (CVE-2021-4034)", named("pkexec")),
    rule("Decoding Payload in Container", "echo aWQ= | base64 -d"),
    rule("Basic Interactive Reconnaissance", "bash -ic id", "-t"),
    rule("Known Cryptominer Process Executed", named("xmrig")),
    rule("Web Server Spawned Shell", as_program("nginx", "import subprocess;subprocess.run(['bash','-c','true;true'])")),
    rule("Web Server Spawned Suspicious Child Process", as_program("nginx", "import subprocess;subprocess.run(['whoami'])")),
    rule("Reverse Shell from Web Server", as_program("nginx", "import subprocess;subprocess.run(['bash','-c','true; true bash -i'])")),
    rule("Privileged Container Device Access", "/opt/hand read /dev/sdx", "--device {B}:/dev/sdx"),
    rule("Container Access to Host Sensitive Paths", "cat /host/hostname", "-v /etc:/host:ro"),
)  # fmt: skip
