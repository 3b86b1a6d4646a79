"""Files that should not be in an image, and ordinary ones beside them."""

import re

import pytest

from seawall.images.detect import sensitive
from seawall.images.detect.sensitive import accounts
from seawall.images.detect.sensitive.kind import TEXTS

KEY = b"-----BEGIN OPENSSH " + b"PRIVATE KEY-----\n"


def seen(path: str, head: bytes = b"x\n", mode: int = 0o644, uid: int = 0) -> list[str]:
    found = [one.check for one in sensitive.risks(path, mode, uid, head)]
    assert bool(found) <= sensitive.concerns(path, mode)
    return found


@pytest.mark.parametrize(
    ("path", "head", "check"),
    [
        ("root/.aws/credentials", b"[default]\naws_access_key_id = x", "101"),
        ("home/ann/.config/gcloud/credentials.db", b"SQLite", "102"),
        ("app/key.json", b'{"private_key": "-----BEGIN', "104"),
        ("root/.kube/config", b"apiVersion: v1\nclusters:\n", "110"),
        ("etc/kubernetes/admin.conf", b"users:\n", "110"),
        ("root/.docker/config.json", b'{"auths":{"r":{"auth":"x"}}}', "113"),
        ("app/.npmrc", b"//r/:_authToken=abc", "114"),
        ("root/.pypirc", b"[pypi]\npassword = x", "116"),
        ("root/.m2/settings.xml", b"<password>x</password>", "119"),
        ("root/.ssh/id_ed25519", KEY, "122"),
        ("etc/ssh/ssh_host_rsa_key", KEY, "123"),
        ("root/.gnupg/private-keys-v1.d/AB.key", b"Key:", "125"),
        ("root/.pgpass", b"db:5432:*:a:b", "126"),
        ("root/.netrc", b"machine a login b password c", "128"),
        ("root/.git-credentials", b"https://a:b@c", "129"),
        ("app/terraform.tfstate", b'{"version": 4}', "131"),
        ("root/.vault-token", b"hvs.x", "133"),
        ("app/server.p12", b"0\x82", "137"),
        ("root/.bash_history", b"ls\n", "143"),
        ("app/.env", b"DB=1\n", "151"),
        ("app/.git/HEAD", b"ref: refs/heads/main\n", "201"),
        ("app/.svn/wc.db", b"SQLite", "202"),
        ("app/.hg/requires", b"store\n", "203"),
        ("app/static/main.js.map", b'{"version":3,"mappings":"', "205"),
        ("backup/shop.sql", b"-- MySQL dump 10.13\n", "206"),
        ("backup/shop.sql.gz", b"\x1f\x8b\x08", "206"),
        ("data/dump.rdb", b"REDIS0009", "207"),
        ("app/data/users.sqlite3", b"SQLite format 3\0", "208"),
        ("srv/site-backup.tar.gz", b"\x1f\x8b", "209"),
        ("app/config.php.bak", b"<?php", "210"),
        ("app/Shop.csproj", b"<Project>", "211"),
        ("app/.gitlab-ci.yml", b"stages:\n", "213"),
        ("app/docker-compose.yml", b"services:\n", "214"),
        ("tmp/java_pid1.hprof", b"JAVA PROFILE 1.0.2", "215"),
    ],
)  # fmt: skip
def test_what_should_not_be_there(path: str, head: bytes, check: str) -> None:
    assert seen(path, head) == [f"SW-FILE-{check}"]


@pytest.mark.parametrize(
    ("path", "head"),
    [
        ("root/.aws/credentials", b""), ("app/package.json", b'{"name":"a"}'),
        ("root/.docker/config.json", b'{"auths":{}}'), ("etc/passwd-", b"root:x:0:0"),
        ("app/.npmrc", b"registry=https://r\n"), ("app/.npmrc", b"//r/:_authToken=${NPM}"),
        ("usr/share/doc/x/examples/id_rsa", KEY), ("usr/lib/python3/dist-packages/a/pom.xml", b"<project>"),
        ("app/node_modules/a/a.js.map", b'{"mappings"'), ("app/tests/fixtures/dump.sql", b"-- MySQL dump"),
        ("etc/ssh/ssh_host_rsa_key.pub", b"ssh-rsa x"), ("app/schema.sql", b"create table a (b int);"),
        ("usr/bin/core", b"#!/bin/sh"), ("app/main.js", b"x"), ("etc/ssl/certs/java/cacerts", b"\xfe\xed"),
    ],
)  # fmt: skip
def test_what_may_be_there(path: str, head: bytes) -> None:
    assert seen(path, head) == []


def test_modes() -> None:
    assert seen("tmp/bash", mode=0o4755) == ["SW-FILE-301"]
    assert seen("tmp/bash", mode=0o4755, uid=1000) == ["SW-FILE-302"]
    assert seen("opt/tool", mode=0o4755) == ["SW-FILE-302"]
    assert seen("usr/bin/passwd", mode=0o4755) == ["SW-FILE-303"]
    assert seen("usr/lib/openssh/ssh-keysign", mode=0o4755) == ["SW-FILE-303"]
    assert seen("tmp/bash", mode=0o4644) == []
    assert seen("usr/bin/tool", mode=0o777) == ["SW-FILE-304"]
    assert seen("etc/app.conf", mode=0o666) == ["SW-FILE-304"]
    assert seen("var/data/a.txt", mode=0o666) == ["SW-FILE-305"]
    assert seen("tmp/a", mode=0o666) == []


def told(path: str, text: str) -> list[tuple[str, str]]:
    assert sensitive.concerns(path, 0o644)
    return [(one.check[-3:], one.evidence) for one in accounts.risks(path, text)]


def test_accounts() -> None:
    passwd = "root:x:0:0:r:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\nann::1000:1000::/:/bin/sh\n"
    passwd += "bob:x:1000:1::/:/bin/sh\nd::2:2::/:/usr/sbin/nologin\n"
    assert told("etc/passwd", passwd) == [("401", "ann"), ("402", "toor"), ("403", "uid 1000")]
    shadow = "root::1:0:::::\nann:$1$ab$cdef:1::::::\nbob:$6$ab$secret:1::::::\n"
    shadow += "old:ab01FAX.bQRSU:1::::::\ndaemon:*:1::::::\nx:!:1::::::\n"
    found = told("etc/shadow", shadow)
    assert found == [("401", "root"), ("404", "ann, old"), ("405", "bob")]
    assert "secret" not in repr(found)
    assert told("etc/sudoers", "root ALL=(ALL) NOPASSWD: ALL\n# a ALL=(ALL) NOPASSWD:ALL\n") == []
    assert told("etc/sudoers.d/ann", "ann ALL=(ALL:ALL) NOPASSWD: ALL\n%w ALL=NOPASSWD: /bin/ls\n") == [("406", "ann")]
    assert told("etc/ssh/sshd_config", "PermitRootLogin yes\nPermitEmptyPasswords yes\n") == [
        ("407", "PermitRootLogin yes"), ("408", "PermitEmptyPasswords yes"),
    ]  # fmt: skip
    assert told("etc/ssh/sshd_config", "#PermitRootLogin yes\nPermitRootLogin no\nPermitRootLogin yes\n") == []
    assert told("etc/hosts.equiv", "# none\n") == []
    for path in accounts.FILES:
        for text in ("", "\n" * 10, ":" * 100_000, "a" * 100_000, "\0:\0::\n", "a::x:y:z:a:b\n" * 30_000):
            list(accounts.risks(path, text))


def test_texts() -> None:
    ids = [kind.id for kind in sensitive.KINDS]
    assert len(ids) == len(set(ids))
    for kind in sensitive.KINDS:
        assert kind.en and re.search(r"[\u4e00-\u9fff]", kind.zh), kind.id
        assert kind.category in TEXTS


def test_secrets_of_the_pattern_are_bounded() -> None:
    """A hostile path costs no time."""
    for path in ("a/" * 120 + "b" * 4000, "." * 4000 + ".bak.", "x" * 2000 + "UTC--" * 400):
        sensitive.concerns(path, 0o644)
