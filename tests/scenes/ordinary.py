"""Ordinary work, for real: what services, builds and administrators do all day, and no detector may call grave.

Services run in containers of their own on one network; each job of a round works with them.
"""
# ruff: noqa: E501 - commands are one line each

import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scenes import images
from scenes.images import docker

PREFIX = "corpus-quiet"
SSH = "ssh -q -i /keys/id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"

HOOK = """#!/bin/sh
while read -r old new ref; do git log --oneline -1 "$new" | cat; done
"""
CRONTAB = """* * * * * root sh -c 'date | cat >>/var/log/app.log; ls /etc | wc -l >/dev/null'
* * * * * root /usr/sbin/logrotate -f /rotate/app
"""
ROTATE = """/var/log/app.log {
  su root root
  rotate 2
  missingok
  postrotate
    true | cat
  endscript
}
"""
PHP = """<?php
echo exec('ls / | wc -l'), shell_exec('date'), file_get_contents('http://127.0.0.1/plain.txt');
$p = proc_open('sort', [['pipe', 'r'], ['pipe', 'w']], $io);
fwrite($io[0], "b\\na\\n"); fclose($io[0]); echo stream_get_contents($io[1]); proc_close($p);
"""
FPM = """[www]
user = app
group = app
listen = 127.0.0.1:9000
pm = static
pm.max_children = 2
"""
NGINX = """user www-data;
events {}
http { access_log /var/log/nginx/a.log; server { listen 80; root /web;
  location ~ \\.php$ { include fastcgi_params; fastcgi_param SCRIPT_FILENAME /web$fastcgi_script_name; fastcgi_pass 127.0.0.1:9000; } } }
"""
MODULE = "import json,os,subprocess;print(json.dumps(subprocess.run(['sh','-c','id; uname -a | cat'],capture_output=True,text=True).stdout))"
NODE_BUILD = """
const c = require('child_process'), h = require('http');
const agent = new h.Agent({keepAlive: true});
h.get({host: 'web', agent}, answer => { answer.resume(); answer.on('end', () => {
  c.execSync('ls / | sort', {stdio: 'pipe'});
  const steps = ['node -e "console.log(1)"', 'sh -c "echo b; echo a" | sort', 'git --version'];
  const next = () => { const step = steps.shift(); if (!step) return process.exit(0);
    c.spawn('sh', ['-c', step], {stdio: ['pipe', 'pipe', 'pipe']}).on('close', next); };
  next(); }); });
"""
CI = """
import http.client, subprocess
server = http.client.HTTPConnection("web"); server.request("GET", "/plain.txt"); server.getresponse().read()
script = b"set -e\\nid\\nls / | wc -l\\nsleep 1\\necho done\\n"
done = subprocess.run(["bash"], input=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
server.request("POST", "/plain.txt", done.stdout); server.getresponse().read()
"""
GUNICORN = """
import http.server, os, subprocess
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        out = subprocess.run(["sh", "-c", "date | cat"], capture_output=True).stdout + os.popen("id").read().encode()
        self.send_response(200); self.end_headers(); self.wfile.write(out)
server = http.server.HTTPServer(("0.0.0.0", 8000), Answer)
for _ in range(2):
    if os.fork() == 0:
        server.serve_forever()
os.wait()
"""
AWAIT = """
import socket, time
for _ in range(100):
    try:
        socket.create_connection(("127.0.0.1", {port}), 1)
        break
    except OSError:
        time.sleep(0.2)
"""
WAIT_FOR = """for i in 1 2 3 4 5 6 7 8 9; do (echo >/dev/tcp/db/5432) >/dev/null 2>&1 && break; sleep 1; done"""


class Town:
    """The services, and the jobs that use them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.built = folder, list[str]()
        self.jobs: dict[str, Callable[[], object]] = {
            name.removeprefix("job_"): getattr(self, name) for name in dir(self) if name.startswith("job_")
        }

    # ------------------------------------------------------------------------------------------ services
    def open(self) -> None:
        """Write the files that are mounted, start the services."""
        for name, text in {
            "hooks/post-receive": HOOK, "cron/app": CRONTAB, "rotate/app": ROTATE, "web/index.php": PHP,
            "web/plain.txt": "plain", "fpm.conf": FPM, "nginx.conf": NGINX, "work/build.js": NODE_BUILD, "work/ci.py": CI,
            "work/serve.py": GUNICORN, "work/wait.sh": WAIT_FOR, "work/module.py": MODULE,
        }.items():  # fmt: skip
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        (self.folder / "hooks/post-receive").chmod(0o755)
        (self.folder / "rotate/app").chmod(0o644)
        for part in ("keys", "ssh"):
            (self.folder / part).mkdir()
        key = self.folder / "keys/id"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=20)
        (self.folder / "ssh/authorized_keys").write_bytes((self.folder / "keys/id.pub").read_bytes())
        docker("network", "create", PREFIX)
        with ThreadPoolExecutor(4) as pool:
            list(
                pool.map(
                    lambda start: start(), (self._ssh, self._database, self._redis, self._web, self._cron, self._rest)
                )
            )

        for name, port in {"host": 22, "db": 5432, "cache": 6379, "web": 80, "app": 8000}.items():
            self._in(name, "python3", "-c", AWAIT.format(port=port))

    def close(self) -> None:
        listed = docker("ps", "-aq", "--filter", f"name=^{PREFIX}-").split()
        if listed:
            docker("rm", "-f", "-v", *listed)
        subprocess.run(["docker", "network", "rm", PREFIX], capture_output=True, timeout=30, check=False)

    def _run(self, name: str, command: str, *options: str, image: str = "") -> str:
        mounts = ["-v", f"{self.folder}/work:/work:ro", "-v", f"{self.folder}/keys:/keys:ro"]
        where = ["--name", f"{PREFIX}-{name}", "--network", PREFIX, "--network-alias", name]
        return docker("run", "-d", *where, *mounts, *options, image or images.debian(), "sh", "-c", command)

    def _once(self, name: str, command: str, *options: str) -> str:
        """A container that does one thing."""
        mounts = ["-v", f"{self.folder}/work:/work:ro", "-v", f"{self.folder}/keys:/keys:ro"]
        where = ["--rm", "--name", f"{PREFIX}-{name}", "--network", PREFIX]
        return docker("run", *where, *mounts, *options, images.debian(), "sh", "-c", command)

    def _in(self, name: str, *command: str) -> str:
        return docker("exec", f"{PREFIX}-{name}", *command)

    def _ssh(self) -> None:
        mounts = ["-v", f"{self.folder}/ssh:/etc/keys:ro", "-v", f"{self.folder}/hooks:/hooks:ro"]
        self._run(
            "host",
            "ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; mkdir -p /run/sshd; git init -q --bare /srv/repo.git; git -C /srv/repo.git config core.hooksPath /hooks;"
            "chown -R app /srv/repo.git; exec /usr/sbin/sshd -D -e -o AuthorizedKeysFile=/etc/keys/authorized_keys -o StrictModes=no",
            *mounts,
        )  # fmt: skip

    def _database(self) -> None:
        binaries = "/usr/lib/postgresql/15/bin"
        archive = "test ! -f /var/lib/postgresql/arch/%f && cp %p /var/lib/postgresql/arch/%f"
        self._run(
            "db",
            "mkdir -p /var/lib/postgresql/arch; chown postgres /var/lib/postgresql/arch; "
            f"setpriv --reuid postgres --regid postgres --init-groups {binaries}/initdb -D /var/lib/postgresql/data -A trust >/dev/null; "
            "echo 'host all all 0.0.0.0/0 trust' >>/var/lib/postgresql/data/pg_hba.conf; "
            f"exec setpriv --reuid postgres --regid postgres --init-groups {binaries}/postgres -D /var/lib/postgresql/data "
            f"-c listen_addresses='*' -c archive_mode=on -c archive_command='{archive}'",
        )  # fmt: skip

    def _redis(self) -> None:
        health = ["--health-cmd", "redis-cli ping | grep -q PONG", "--health-interval", "2s"]
        self._run("cache", "exec redis-server --bind 0.0.0.0 --protected-mode no --save 1 1 --dir /tmp", *health)

    def _web(self) -> None:
        mounts = ["-v", f"{self.folder}/web:/web:ro", "-v", f"{self.folder}/nginx.conf:/etc/nginx/nginx.conf:ro"]
        mounts += ["-v", f"{self.folder}/fpm.conf:/etc/php/8.2/fpm/pool.d/www.conf:ro"]
        self._run("web", "php-fpm8.2 -D; exec nginx -g 'daemon off;'", *mounts)

    def _cron(self) -> None:
        mounts = ["-v", f"{self.folder}/cron:/etc/cron.d:ro", "-v", f"{self.folder}/rotate:/rotate:ro"]
        self._run("cron", "exec cron -f", *mounts)

    def _rest(self) -> None:
        self._run("app", "exec python3 /work/serve.py", "--user", "1000")
        health = ["--health-cmd", "test -e /etc/passwd", "--health-interval", "1s"]
        self._run("loop", "while :; do id | cat; sleep 1; done", *health, image=images.busybox())
        self._run("own", "chmod 755 /usr/bin/curl; chown app /usr/bin/git; curl --version; git --version; sleep 3600")

    # ---------------------------------------------------------------------------------------------- jobs
    def job_git_over_ssh(self) -> None:
        self._once(
            "git",
            f"export GIT_SSH_COMMAND='{SSH}'; git clone -q app@host:/srv/repo.git /tmp/r; cd /tmp/r; git config user.email a@b; "
            "git config user.name a; date >f; git add f; git commit -qm x; git push -q origin HEAD:main; git fetch -q",
        )

    def job_rsync_and_tar(self) -> None:
        self._once(
            "rsync",
            f"rsync -a -e '{SSH}' /usr/lib/git-core/mergetools app@host:/tmp/; tar -C /etc -cz ssl | {SSH} app@host 'tar -xz -C /tmp'",
        )

    def job_ansible(self) -> None:
        self._once(
            "ansible",
            f"{SSH} app@host 'mkdir -p ~/.ansible/tmp && echo ok'; {SSH} app@host 'cat >~/.ansible/tmp/m.py' </work/module.py; "
            f"{SSH} -tt app@host \"/bin/sh -c 'python3 ~/.ansible/tmp/m.py && sleep 0'\"; {SSH} app@host python3 - </work/module.py; "
            f"echo 'id; ls | cat; exit' | {SSH} -tt app@host; echo 'id; uptime' | {SSH} app@host bash -s; scp -O -i /keys/id "
            "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null /work/module.py app@host:/tmp/",
        )  # fmt: skip

    def job_web(self) -> None:
        address = docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", f"{PREFIX}-web")
        for _ in range(5):
            subprocess.run(["curl", "-sf", f"http://{address}/index.php"], check=True, timeout=20, capture_output=True)
        self._in("web", "nginx", "-s", "reload")
        self._once(
            "client", "for i in 1 2 3; do curl -sf http://app:8000/ | cat; done; curl -s http://web/index.php | tail -1"
        )

    def job_database(self) -> None:
        self._once(
            "psql",
            "bash /work/wait.sh; export PGHOST=db PGUSER=postgres; psql -qc 'create table if not exists t(a text); insert into t select "
            "generate_series(1,1000)::text; select pg_switch_wal()' >/dev/null; pg_dump | gzip | wc -c; psql -c '\\! id'",
        )
        self._in("db", "psql", "-U", "postgres", "-c", "select 1")

    def job_redis(self) -> None:
        self._once(
            "redis", "redis-cli -h cache set a b; redis-cli -h cache bgsave; echo 'get a' | redis-cli -h cache | cat"
        )

    def job_node_build(self) -> None:
        self._once("node", "node /work/build.js")

    def job_ci(self) -> None:
        self._once("ci", "python3 /work/ci.py")

    def job_terminal(self) -> None:
        for command in (
            f"docker exec -it {PREFIX}-app bash -ic 'id; ls / | cat'",
            f"docker exec -it {PREFIX}-loop sh -c id",
        ):
            subprocess.run(
                ["script", "-qec", command, "/dev/null"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=60,
                check=True,
            )
        subprocess.run(
            ["docker", "exec", "-i", f"{PREFIX}-app", "bash"],
            input=b"id\nexit\n",
            capture_output=True,
            timeout=60,
            check=True,
        )
        docker("cp", str(self.folder / "work/ci.py"), f"{PREFIX}-app:/tmp/ci.py")
        for verb in ("top", "pause", "unpause", "logs"):
            docker(verb, f"{PREFIX}-app")
        self._once(
            "su", "su app -c 'id | cat'; su - app -c true; runuser -u app -- id; setpriv --reuid 1000 --clear-groups id"
        )

    def job_short_lives(self) -> None:
        """What the runtime itself does: many containers that live a moment."""
        with ThreadPoolExecutor(3) as pool:
            name = f"{PREFIX}-short"
            list(
                pool.map(
                    lambda n: docker("run", "--rm", "--name", f"{name}-{n}", images.busybox(), "sh", "-c", "id | cat"),
                    range(30),
                )
            )
        docker("restart", "-t", "0", f"{PREFIX}-loop")

    def job_build(self) -> None:
        recipe = f"FROM {images.debian()}\nRUN apt-get -qq update && apt-get -qq install -y --no-install-recommends tree at && tree --version\n"
        recipe += "RUN useradd -m builder && echo 'builder:x' | chpasswd && mkdir -p /home/builder/.ssh && (crontab -l; true)\n"
        done = subprocess.run(
            ["docker", "build", "--no-cache", "--network", "host", "--force-rm", "-t", "corpus:quiet", "-"],
            input=recipe.encode(), capture_output=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        self.built += re.findall(r"Running in ([0-9a-f]{12})", done.stdout.decode())
        subprocess.run(["docker", "rmi", "-f", "corpus:quiet"], capture_output=True, timeout=60, check=False)
