"""Well-known programs without a package: each is known by the string that real ones carry, and by nothing like it."""

import pytest

import programs
from jars import jar
from seawall.images.collect.packages import binary, go, java, release
from seawall.images.collect.products import PROGRAMS, RELEASES, cpes

EXAMPLES = {
    "apache-httpd": ("httpd", b"Apache/2.4.57 (Unix)", "2.4.57"),
    "bash": ("bash", b"@(#)Bash version 5.2.15(1) release GNU", "5.2.15"),
    "bind": ("named", b"libdns-9.18.49-1~deb12u3-Debian.so", "9.18.49"),
    "bun": ("bun", b"\0Bun/1.0.3\0", "1.0.3"),
    "busybox": ("busybox", b"BusyBox v1.36.1 (2023-07-17)", "1.36.1"),
    "chrome": ("chromium", b"\x00120.0.6099.109\0", "120.0.6099.109"),
    "clamav": ("libclamav.so.12", b"xx1.4.6\0", "1.4.6"),
    "curl": ("libcurl.so.4", b"libcurl/7.88.1\0", "7.88.1"),
    "deno": ("deno", b"Deno/1.40.2", "1.40.2"),
    "dnsmasq": ("dnsmasq", b"\x002.89\0", "2.89"),
    "dovecot": ("dovecot", b"Dovecot v2.3.19.1 (9b53102964) starting", "2.3.19.1"),
    "envoy": ("envoy", b"0123456789abcdef0123456789abcdef01234567/1.28.0/Clean/RELEASE", "1.28.0"),
    "exim": ("exim4", b"\x004.96\0", "4.96"),
    "expat": ("libexpat.so.1", b"expat_2.5.0", "2.5.0"),
    "ffmpeg": ("libavutil.so.57", b"FFmpeg version 5.1.9-0+deb12u1", "5.1.9"),
    "fluent-bit": ("fluent-bit", b"\x002.1.8\0x\0Fluent Bit", "2.1.8"),
    "git": ("git", b"git/2.39.5\0", "2.39.5"),
    "glibc": ("libc.so.6", b"GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.", "2.36"),
    "gnutls": ("libgnutls.so.30", b"\x003.7.9\0", "3.7.9"),
    "haproxy": ("haproxy", b"\x002.6.12-1+deb12u1\0", "2.6.12"),
    "imagemagick": ("magick", b"ImageMagick 7.1.0-62 Q16", "7.1.0-62"),
    "jq": ("jq", b"\x001.6\0", "1.6"),
    "keepalived": ("keepalived", b"Keepalived v2.2.7 (01/16,2022)", "2.2.7"),
    "libjpeg-turbo": ("libjpeg.so.62", b"libjpeg-turbo version 2.1.5 (build 1)", "2.1.5"),
    "libpng": ("libpng16.so.16", b"libpng version 1.6.39", "1.6.39"),
    "libressl": ("openssl", b"LibreSSL 3.7.2", "3.7.2"),
    "libtiff": ("libtiff.so.6", b"LIBTIFF, Version 4.5.0", "4.5.0"),
    "lighttpd": ("lighttpd", b"lighttpd/1.4.69", "1.4.69"),
    "lua": ("liblua5.4.so.0", b"Lua 5.4.4  Copyright", "5.4.4"),
    "luajit": ("luajit", b"LuaJIT 2.1.0-beta3", "2.1.0"),
    "mariadb": ("mariadbd", b"10.11.19-MariaDB-0+deb12u1", "10.11.19"),
    "memcached": ("memcached", b"memcached 1.6.18", "1.6.18"),
    "musl": ("ld-musl-x86_64.so.1", b"\x001.2.3\0", "1.2.3"),
    "mysql": ("mysqld", b"/build/mysql-8.0.33/sql", "8.0.33"),
    "nghttp2": ("libnghttp2.so.14", b"\xff1.52.0\0", "1.52.0"),
    "nginx": ("nginx", b"nginx/1.22.1\0", "1.22.1"),
    "nmap": ("nmap", b"\x007.93\0", "7.93"),
    "node": ("node", b"node.js/v18.19.0", "18.19.0"),
    "openldap": ("slapd", b"@(#) $OpenLDAP: slapd 2.5.13 (Feb 8 2023)", "2.5.13"),
    "openresty": ("openresty", b"openresty/1.21.4.2", "1.21.4.2"),
    "openssh": ("sshd", b"OpenSSH_9.2p1 Debian-2", "9.2p1"),
    "openssl": ("libcrypto.so.1.1", b"OpenSSL 1.1.1k  25 Mar 2021", "1.1.1k"),
    "openvpn": ("openvpn", b"needs OpenVPN 2.6.0 or\0OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL", "2.6.14"),
    "perl": ("perl", b"/usr/local/lib/perl5/5.36.0/x86_64", "5.36.0"),
    "php": ("php8.2", b"X-Powered-By: PHP/8.2.7", "8.2.7"),
    "postfix": ("master", b"mail_version=3.7.11", "3.7.11"),
    "postgresql": ("postgres", b"PostgreSQL 9.1 or\0postgres (PostgreSQL) 15.20 (Debian)", "15.20"),
    "proftpd": ("proftpd", b"ProFTPD Version 1.3.8\0", "1.3.8"),
    "python": ("python3.11", b"\x003.9.1\0\x003.11.2\0", "3.11.2"),
    "redis": ("redis-server", b"\x007.0.15\0", "7.0.15"),
    "rsync": ("rsync", b"\x003.2.7\0", "3.2.7"),
    "ruby": ("libruby-3.1.so.3.1", b"ruby 3.1.2p20 (2022-04-12)", "3.1.2"),
    "rust": ("librustc_driver-0a1b.so", b"rustc version 1.63.0", "1.63.0"),
    "samba": ("smbd", b"SAMBA_4.17.12_DEBIAN", "4.17.12"),
    "sqlite": ("libsqlite3.so.0", b"\x003.40.1\0", "3.40.1"),
    "squid": ("squid", b"squid/5.7", "5.7"),
    "stunnel": ("stunnel4", b"stunnel 5.68 on", "5.68"),
    "sudo": ("sudo", b"\x001.9.13p3\0", "1.9.13p3"),
    "systemd": ("systemd", b"systemd 252.39-1 running in", "252.39"),
    "tini": ("tini", b"tini version 0.19.0", "0.19.0"),
    "unbound": ("unbound", b"unbound 1.17.1", "1.17.1"),
    "valkey": ("valkey-server", b"\x007.2.5\0", "7.2.5"),
    "varnish": ("varnishd", b"varnish-7.1.1", "7.1.1"),
    "vim": ("vim.tiny", b"VIM - Vi IMproved 9.0", "9.0"),
    "vsftpd": ("vsftpd", b"vsFTPd 3.0.3", "3.0.3"),
    "wget": ("wget", b"\x001.21.3\0", "1.21.3"),
    "xz": ("liblzma.so.5", b"\x005.6.1\0", "5.6.1"),
    "zlib": ("libz.so.1", b" deflate 1.2.13 Copyright 1995-2022", "1.2.13"),
    "elixir": ("usr/lib/elixir/lib/elixir/ebin/elixir.app", b'{vsn,"1.14.0"}', "1.14.0"),
    "couchdb": ("opt/couchdb/lib/couch/ebin/couch.app", b'{vsn,"3.3.2"}', "3.3.2"),
    "rabbitmq": ("opt/rabbitmq/plugins/rabbit/ebin/rabbit.app", b'{vsn, "3.11.0"}', "3.11.0"),
    "erlang": ("usr/local/lib/erlang/releases/25/OTP_VERSION", b"25.2.3\n", "25.2.3"),
    "go": ("usr/local/go/VERSION", b"go1.21.3\ntime 2023\n", "1.21.3"),
    "openjdk": ("opt/java/release", b'IMPLEMENTOR="x"\nJAVA_VERSION="17.0.15"\n', "17.0.15"),
    "tomcat": ("usr/local/tomcat/RELEASE-NOTES", b"  Apache Tomcat Version 9.0.70\n", "9.0.70"),
    "wordpress": ("var/www/wp-includes/version.php", b"<?php\n$wp_version = '6.1.1';\n", "6.1.1"),
    "drupal": ("var/www/core/lib/Drupal.php", b"  const VERSION = '9.5.0';\n", "9.5.0"),
    "joomla": ("var/www/administrator/manifests/files/joomla.xml", b"<version>4.2.7</version>", "4.2.7"),
    "mediawiki": ("var/www/includes/Defines.php", b"define( 'MW_VERSION', '1.39.1' );", "1.39.1"),
    "nextcloud": ("var/www/html/version.php", b"$OC_VersionString = '25.0.3';", "25.0.3"),
    "moodle": ("var/www/moodle/version.php", b"$release  = '4.1.2+ (Build: 20230401)';", "4.1.2"),
    "phpmyadmin": ("var/www/libraries/classes/Version.php", b"    public const VERSION = '5.2.1';", "5.2.1"),
}
FILES = {one.name for one in RELEASES}


def found(path: str, content: bytes) -> list[tuple[str, str, tuple[str, ...]]]:
    packages = binary.read(
        f"usr/local/bin/{path}", programs.elf({".text": b"t", ".rodata": b"\0" + content + b"\0"})
    ).packages
    return [(one.name, one.version, one.cpes) for one in packages]


def test_every_product_has_an_example_and_there_are_many() -> None:
    assert set(EXAMPLES) == {one.name for one in (*PROGRAMS, *RELEASES)}
    assert len(EXAMPLES) >= 60


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_version(name: str) -> None:
    path, content, version = EXAMPLES[name]
    if name in FILES:
        assert release.FORMAT.wanted(path)
        told = [(one.name, one.version) for one in release.read(path, content).packages]
    else:
        told = [one[:2] for one in found(path, content)]
    assert told == [(name, version)]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("nginx", b"no version of nginx here 1.22.1"),
        ("mynginx", b"nginx/1.22.1"),
        ("python3.11", b"\x003.12.1\0"),
        ("openssl.so", b"OpenSSL 3.0.1 "),
    ],
)
def test_nothing_that_only_looks_alike(path: str, content: bytes) -> None:
    assert found(path, content) == []


def test_a_script_of_that_name_is_none() -> None:
    assert binary.read("usr/bin/nginx", b"#!/bin/sh\necho nginx/1.22.1\n").packages == []


def test_files_of_a_name_that_many_have_tell_nothing() -> None:
    for path, content in (("app/version.php", b"<?php $v = '1';"), ("app/release", b"1.0"), ("x/go/VERSION", b"1.0")):
        assert release.read(path, content).packages == []


def test_names_for_nvd() -> None:
    assert cpes("openbsd:openssh", "9.2p1") == ("cpe:2.3:a:openbsd:openssh:9.2:p1:*:*:*:*:*:*",)
    assert cpes("a:b c:d", "1.0+x") == ("cpe:2.3:a:a:b:1.0\\+x:*:*:*:*:*:*:*", "cpe:2.3:a:c:d:1.0\\+x:*:*:*:*:*:*:*")
    assert cpes("", "1") == ()
    assert found("nginx", b"nginx/1.22.1")[0][2][0] == "cpe:2.3:a:f5:nginx:1.22.1:*:*:*:*:*:*:*"


def test_go_programs_and_java_products_have_names_for_nvd_too() -> None:
    made = programs.go(modules="mod\tgithub.com/traefik/traefik/v2\tv2.10.1\th1:x\n")
    assert [one.cpes for one in go.read("traefik", made).packages if one.cpes] == [
        ("cpe:2.3:a:traefik:traefik:2.10.1:*:*:*:*:*:*:*",)
    ]
    (package,) = java.read("elasticsearch-7.17.0.jar", jar({"x": b""})).packages
    assert package.cpes == ("cpe:2.3:a:elastic:elasticsearch:7.17.0:*:*:*:*:*:*:*",)
