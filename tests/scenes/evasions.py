"""Attempts to do what is told under another name, by another way, or faster than one can look."""
# ruff: noqa: E501 - one deed, one line

from scenes.escapes import ALL, HOST_PIDS
from scenes.playing import Deed
from seawall.core.severity import Severity

FILES, ODD = "file_tampering", "abnormal_process"
DEEP = "/root/" + "/".join(f"{'a' * 60}{number}" for number in range(50))
"""Fifty folders, over three thousand characters."""
SHADOW = "/opt/hand write /etc/shadow '# x'"

EVASIONS = (
    # names of programs
    Deed("renamed", "cp /usr/bin/nsenter /tmp/httpd; /tmp/httpd -t {N} -m -n true", "escape", Severity.CRITICAL, options=HOST_PIDS),
    Deed("named-runc", "cp /usr/bin/nsenter /tmp/runc; /tmp/runc -t {N} -m -n /bin/true", "escape", Severity.CRITICAL, options=HOST_PIDS),
    Deed("named-runc-mount", "cp /usr/bin/mount /tmp/runc; /tmp/runc -t tmpfs x /mnt", "escape", options=ALL),
    Deed("named-runc-socket", "cp /opt/hand /tmp/containerd; /tmp/containerd unix /a.sock", "escape", options="-v {S}:/a.sock"),
    Deed("named-dpkg", "cp /bin/bash /tmp/dpkg; /tmp/dpkg -c 'echo \"# x\" >>/etc/shadow'", FILES),
    Deed("named-apt-parent", "cp /bin/bash /tmp/apt; /tmp/apt -c '/opt/hand write /etc/shadow \"# x\"; true'", FILES),
    Deed("own-name-runc", "python3 -c \"open('/proc/self/comm','w').write('runc:[2:INIT]');open('/etc/shadow','a').write('# x')\"", FILES),
    Deed("own-name-dpkg", "python3 -c \"open('/proc/self/comm','w').write('dpkg');open('/etc/shadow','a').write('# x')\"", FILES),
    Deed("named-runc-memory", "cp /opt/hand /tmp/m; python3 -c \"import os;m=os.memfd_create('runc_cloned:/proc/self/exe',1);os.write(m,open('/bin/true','rb').read());os.execv('/proc/self/fd/%d'%m,['x'])\"", ODD),
    # names of files
    Deed("symlink", "ln -s /etc/shadow /tmp/a; echo '# x' >>/tmp/a", FILES),
    Deed("symlink-folder", "ln -s /etc /tmp/a; echo '# x' >>/tmp/a/shadow", FILES),
    Deed("hard-link", "ln /etc/shadow /tmp/b; echo '# x' >>/tmp/b", FILES),
    Deed("relative", "cd /usr/share; echo '# x' >>../../etc/./shadow", FILES),
    Deed("own-root", "echo '# x' >>/proc/self/root/etc/shadow", FILES),
    Deed("own-root-of-thread", "echo '# x' >>/proc/thread-self/root/proc/1/root/etc/shadow", FILES),
    Deed("descriptor", "exec 9</etc; echo '# x' >>/proc/self/fd/9/shadow", FILES),
    Deed("folder-descriptor", "python3 -c \"import os;d=os.open('/etc',0);os.write(os.open('shadow',1025,dir_fd=d),b'# x')\"", FILES),
    Deed("chroot", "cp /opt/hand /etc/hand; chroot /etc /hand write /shadow '# x'", FILES),
    Deed("chroot-busybox", "cp /opt/hand /etc/hand; chroot /etc /hand write /passwd '# x'", FILES, image="busybox"),
    Deed("bind-mount", "mkdir /tmp/e; mount --bind /etc /tmp/e; echo '# x' >>/tmp/e/shadow", FILES, options=ALL),
    Deed("mount-namespace", "unshare -m sh -c 'mkdir /tmp/e; mount --bind /etc /tmp/e; echo \"# x\" >>/tmp/e/shadow'", FILES, options=ALL),
    Deed("overlay", "python3 -c \"import os;p=os.open('/etc/shadow',os.O_PATH);os.write(os.open('/proc/self/fd/%d'%p,1025),b'# x')\"", FILES),
    Deed("rename-over", "cp /etc/shadow /tmp/s; echo '# x' >>/tmp/s; mv /tmp/s /etc/shadow", FILES),
    Deed("rename-within", "cp /etc/shadow /etc/x; echo '# x' >>/etc/x; mv /etc/x /etc/shadow", FILES),
    Deed("link-over", "cp /etc/passwd /tmp/s; rm /etc/passwd; ln /tmp/s /etc/passwd", FILES),
    Deed("symlink-over", "cp /etc/passwd /tmp/s; ln -sf /tmp/s /etc/passwd", FILES),
    Deed("truncate", "python3 -c \"import os;os.truncate('/etc/ld.so.preload' if os.path.exists('/etc/ld.so.preload') else '/etc/shadow',900)\"", FILES),
    Deed("remove", "rm /etc/shadow", FILES, Severity.MEDIUM),
    Deed("mode", "chmod 666 /etc/shadow", FILES, Severity.MEDIUM),
    Deed("folder-renamed", "mkdir /tmp/c; echo '* * * * * root id' >/tmp/c/x; mv /etc/cron.d /tmp/old; mv /tmp/c /etc/cron.d", FILES),
    Deed("deep", f"mkdir -p {DEEP}/.ssh; echo key >>{DEEP}/.ssh/authorized_keys", FILES),
    Deed("deeper-than-a-path", f"mkdir -p {DEEP}; cd {DEEP}; for i in 1 2 3; do mkdir -p {'b' * 200}/{'b' * 200}/.ssh; cd {'b' * 200}/{'b' * 200}; done; echo key >>.ssh/authorized_keys", FILES),
    Deed("odd-bytes", "bash -c 'cd /etc/cron.d; echo >$(printf \"\\\\377\\\\033[31m\")'", FILES),
    # ways of calling
    Deed("io-uring", "/opt/hand uringwrite /etc/shadow '# x'", FILES),
    Deed("io-uring-new-file", "/opt/hand uringwrite /etc/cron.d/x '# x'", FILES),
    Deed("thread", "/opt/hand threadwrite /etc/shadow '# x'", FILES, image="debian"),
    Deed("race", "cp /etc/hostname /tmp/innocent; /opt/hand race /tmp/innocent /etc/shadow", FILES),
    Deed("daemon", "(setsid sh -c \"sleep 1; " + SHADOW + "\" &); sleep 3", FILES),
    Deed("user-1000", "mkdir -p ~/.ssh; echo key >>~/.ssh/authorized_keys", FILES, options="--user 1000 -e HOME=/home/app"),
    # programs
    Deed("dropped", "cp /bin/true /tmp/t; /tmp/t", ODD),
    Deed("dropped-by-descriptor", "cp /bin/true /tmp/t; /opt/hand execat /tmp/t x", ODD),
    Deed("dropped-from-thread", "cp /bin/true /tmp/t; /opt/hand threadexec /tmp/t x", ODD),
    Deed("dropped-through-symlink", "cp /bin/true /tmp/t; ln -s /tmp/t /usr/local/bin/git-x; git-x", ODD),
    Deed("dropped-over-image-file", "cp /opt/payload /usr/bin/git; git true", ODD, works=False),
    Deed("dropped-and-removed", "cp /bin/sleep /tmp/t; (exec 3</tmp/t; rm /tmp/t; /opt/hand execat /proc/self/fd/3 t 0)", ODD),
    Deed("dropped-by-loader", "cp /bin/true /tmp/t; /lib64/ld-linux-x86-64.so.2 /tmp/t", ODD, Severity.MEDIUM),
    Deed("dropped-script", "printf '#!/bin/sh\\nid\\n' >/tmp/s; chmod 755 /tmp/s; /tmp/s", ODD, Severity.MEDIUM),
    Deed("dropped-in-shm", "cp /bin/true /dev/shm/t; /dev/shm/t", ODD, options="--tmpfs /dev/shm:exec"),
    Deed("dropped-in-tmpfs", "cp /bin/true /run/t; /run/t", ODD, Severity.MEDIUM, options="--tmpfs /run:exec"),
    Deed("dropped-static", "cp /opt/hand /tmp/t; /tmp/t as /opt/hand", ODD, image="busybox", works=False),
    Deed("memory", "python3 -c \"import os;m=os.memfd_create('x',1);os.write(m,open('/bin/true','rb').read());os.execv('/proc/self/fd/%d'%m,['x'])\"", ODD),
    Deed("memory-user", "python3 -c \"import os;m=os.memfd_create('x',1);os.write(m,open('/bin/true','rb').read());os.execv('/proc/self/fd/%d'%m,['x'])\"", ODD, options="--user 1000"),
    Deed("preload-library", "cp /lib/x86_64-linux-gnu/libz.so.1 /dev/shm/a.so; LD_PRELOAD=/dev/shm/a.so /bin/true", "abnormal_process file_tampering", Severity.MEDIUM),
    # arguments
    Deed("pool-argument", "/bin/true -o stratum+tcp://pool.example:3333", ODD),
    Deed("no-name", "/opt/hand as /bin/true '' -o stratum+tcp://pool.example:3333", ODD),
    Deed("no-arguments", "cp /bin/true /tmp/t; /opt/hand as /tmp/t", ODD, works=False),
    Deed("long-arguments", "/opt/hand long /bin/true 3000 -o stratum+tcp://pool.example:3333", ODD),
    Deed("longest-arguments", "/opt/hand long /bin/true 100000 -o stratum+tcp://pool.example:3333", ODD),
    Deed("odd-arguments", "bash -c 'exec /bin/true $(printf \"\\\\377\\\\376\\\\033]0;x\\\\007\") -o stratum+tcp://pool.example:3333'", ODD),
    # faster, or slower, than one can look
    Deed("again-and-again", "i=0; while [ $i -lt 300 ]; do echo '# x' >>/etc/shadow; i=$((i+1)); sleep 0.01; done", FILES, alerts=6),
    Deed("many-files", "i=0; while [ $i -lt 300 ]; do echo '# x' >/etc/cron.d/x$i; i=$((i+1)); done", FILES, alerts=320),
    Deed("in-a-flood", "dd if=/dev/zero of=/dev/null bs=1 count=300000 2>/dev/null & " + SHADOW + "; wait", FILES),
    Deed("in-a-flood-of-programs", "(i=0; while [ $i -lt 1500 ]; do /bin/true; i=$((i+1)); done) & sleep 1; " + SHADOW + "; wait", FILES),
)  # fmt: skip
