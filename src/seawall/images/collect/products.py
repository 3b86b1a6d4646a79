"""Well-known programs by the version that they carry in themselves: data for packages/binary.py, release.py, go, java.

The CPE's vendor and product are NVD's, which alone knows of programs that came without a package.
"""

import re
from dataclasses import dataclass

ANY = rb"(\d{1,3}\.\d{1,3}(?:\.\d{1,4})*)"
"""Two numbers or more."""
THREE = rb"(\d{1,3}\.\d{1,3}\.\d{1,4})"


@dataclass(frozen=True, slots=True)
class Product:
    """How one is known."""

    name: str
    cpe: str
    """vendor:product; with more than one the others behind a space."""
    files: str
    """Of programs a regular expression for the file's name, of other files the format's globs, with a space between."""
    version: bytes
    """Regular expression; the first group is the version. {minor} stands for `files`' first group."""


PROGRAMS = (
    Product("apache-httpd", "apache:http_server", r"httpd|apache2|httpd-\w+", rb"Apache/(\d\.\d+\.\d+)"),
    Product("bash", "gnu:bash", r"bash", rb"@\(#\)Bash version (\d\.\d+\.\d+)"),
    Product("bind", "isc:bind", r"named", rb"libdns-(9\.\d+\.\d+)|\0(9\.\d{1,2}\.\d{1,2}(?:-[SP]\d+)?)[-\w.+~]*\0"),
    Product("bun", "oven:bun", r"bun", rb"\0(?:Bun|bun)/v?(\d\.\d{1,2}\.\d{1,2})"),
    Product("busybox", "busybox:busybox", r"busybox.*", rb"BusyBox v(\d\.\d+\.\d+)"),
    Product("chrome", "google:chrome", r"chrome|chromium|headless_shell", rb"\0(\d{2,3}\.0\.\d{4}\.\d{1,3})\0"),
    Product("clamav", "clamav:clamav", r"libclamav\.so.*|clamd", rb"ClamAV (\d+\.\d+\.\d+)|([01]\.\d{1,3}\.\d)\0"),
    Product("curl", "haxx:curl", r"curl|libcurl(?:-gnutls)?\.so.*", rb"(?:lib)?curl/(\d+\.\d+\.\d+)"),
    Product("deno", "deno:deno", r"deno", rb"Deno/(\d\.\d+\.\d+)"),
    Product("dnsmasq", "thekelleys:dnsmasq", r"dnsmasq", rb"\0(?:dnsmasq-)?(2\.\d\d)\0"),
    Product("dovecot", "dovecot:dovecot", r"dovecot", rb"Dovecot v(2\.\d\.\d+(?:\.\d+)?) "),
    Product("envoy", "envoyproxy:envoy", r"envoy", rb"[0-9a-f]{40}/(\d\.\d+\.\d+)/(?:Clean|Modified)/"),
    Product("exim", "exim:exim", r"exim4?", rb"\0(4\.\d\d(?:\.\d)?)\0"),
    Product("expat", "libexpat_project:libexpat", r"libexpat\.so.*", rb"expat_(\d\.\d+\.\d+)"),
    Product("ffmpeg", "ffmpeg:ffmpeg", r"ff(?:mpeg|probe)|libav(?:codec|util)\.so.*", rb"FFmpeg version n?(\d\.\d+(?:\.\d+)?)"),
    Product("fluent-bit", "treasuredata:fluent_bit", r"fluent-bit", rb"\0v?(\d\.\d{1,2}\.\d{1,2})\0[^\d]{1,80}\0Fluent"),
    Product("git", "git-scm:git", r"git", rb"git/(\d\.\d+\.\d+)"),
    Product("glibc", "gnu:glibc", r"libc\.so\.6|libc-2\.\d+\.so", rb"GNU C Library [^\n]{0,80}version (2\.\d+)"),
    Product("gnutls", "gnu:gnutls", r"libgnutls\.so.*", rb"\0(3\.\d\.\d{1,2})\0"),
    Product("haproxy", "haproxy:haproxy", r"haproxy", rb"\0(?:HA-?Proxy version )?(\d\.\d\.\d{1,2})(?:-[\w.+~]+)?\0"),
    Product("imagemagick", "imagemagick:imagemagick", r"magick|convert|libMagickCore.*\.so.*", rb"ImageMagick (\d\.\d+\.\d+-\d+)"),
    Product("jq", "jqlang:jq", r"jq", rb"\0(?:jq-)?(1\.\d(?:\.\d)?)\0"),
    Product("keepalived", "keepalived:keepalived", r"keepalived", rb"Keepalived v(\d\.\d\.\d+)"),
    Product("libjpeg-turbo", "libjpeg-turbo:libjpeg-turbo", r"libjpeg\.so.*", rb"libjpeg-turbo version (\d\.\d\.\d+)"),
    Product("libpng", "libpng:libpng", r"libpng\d*\.so.*", rb"libpng version (\d\.\d\.\d+)"),
    Product("libtiff", "libtiff:libtiff", r"libtiff\.so.*", rb"LIBTIFF, Version (\d\.\d\.\d+)"),
    Product("lighttpd", "lighttpd:lighttpd", r"lighttpd", rb"lighttpd/(\d\.\d\.\d+)"),
    Product("lua", "lua:lua", r"lua(?:5\.\d)?|liblua5?.*\.so.*", rb"Lua (5\.\d\.\d)"),
    Product("luajit", "luajit:luajit", r"luajit.*|libluajit-5\.1\.so.*", rb"LuaJIT (2\.\d\.\d)"),
    Product("mariadb", "mariadb:mariadb", r"mariadbd?|mysqld?|libmariadbd\.so.*", rb"(\d{2}\.\d{1,2}\.\d{1,2})-MariaDB"),
    Product("mariadb", "mariadb:mariadb", r"libmariadb\.so.*", rb"\0(1\d\.\d{1,2}\.\d{1,2})\0"),
    Product("memcached", "memcached:memcached", r"memcached", rb"memcached[ /](1\.\d\.\d+)"),
    Product("musl", "musl-libc:musl", r"ld-musl-.*\.so\.1|libc\.musl-.*|libc\.so", rb"\0(1\.[12]\.\d{1,2})\0"),
    Product("mysql", "oracle:mysql", r"mysqld?", rb"mysql-(\d\.\d\.\d{1,2})"),
    Product("nghttp2", "nghttp2:nghttp2", r"libnghttp2\.so.*|nghttpx?", rb"(1\.\d\d\.\d)\0"),
    Product("nginx", "f5:nginx nginx:nginx", r"nginx.*", rb"nginx/(\d\.\d+\.\d+)"),
    Product("nmap", "nmap:nmap", r"nmap|ncat", rb"\0(?:Nmap )?(7\.\d\d)\0"),
    Product("node", "nodejs:node.js", r"node(?:js)?|libnode\.so.*", rb"node\.js/v(\d+\.\d+\.\d+)"),
    Product("openldap", "openldap:openldap", r"slapd", rb"OpenLDAP: slapd (\d\.\d\.\d+)"),
    Product("openresty", "openresty:openresty", r"nginx|openresty", rb"openresty/(\d+\.\d+\.\d+\.\d+)"),
    Product("openssh", "openbsd:openssh", r"sshd?(?:-session)?", rb"OpenSSH_(\d+\.\d+p\d+)"),
    Product("openssl", "openssl:openssl", r"openssl(?:-?\d[\d.]*)?|lib(?:ssl|crypto)\.so.*", rb"OpenSSL (\d\.\d\.\d{1,2}[a-z]{0,2})[ -]"),
    Product("libressl", "openbsd:libressl", r"openssl|lib(?:ssl|crypto)\.so.*", rb"LibreSSL (\d\.\d\.\d+)"),
    Product("openvpn", "openvpn:openvpn", r"openvpn", rb"OpenVPN (\d\.\d\.\d+) [\w-]+ \["),
    Product("perl", "perl:perl", r"perl(?:5\.\d+.*)?|libperl\.so.*", rb"/perl5?/(?:site_perl/)?(5\.\d+\.\d+)"),
    Product("php", "php:php", r"php(?:[\d.]+|-fpm[\d.]*|-cgi[\d.]*)?|libphp[\d.]*\.so", rb"X-Powered-By: PHP/(\d\.\d+\.\d+)"),
    Product("postfix", "postfix:postfix", r"libpostfix-global\.so.*|master", rb"mail_version=(3\.\d+\.\d+)"),
    Product("postgresql", "postgresql:postgresql", r"postgres", rb"\(PostgreSQL\) (\d{1,2}\.\d+(?:\.\d+)?)|PostgreSQL (\d{1,2}\.\d+(?:\.\d+)?) on "),
    Product("proftpd", "proftpd:proftpd", r"proftpd", rb"ProFTPD (?:Version )?(1\.3\.\d[a-z]?)[ \0]"),
    Product("python", "python:python", r"(?:lib)?python([23]\.\d+)(?:\.so.*|[dmu]*)", rb"\0({minor}\.\d{1,2}(?:(?:a|b|rc)\d+)?)\+?\0"),
    Product("redis", "redis:redis", r"redis-(?:server|check-aof|sentinel)", rb"\0(\d{1,2}\.\d{1,2}\.\d{1,3})\0"),
    Product("rsync", "samba:rsync", r"rsync", rb"\0v?(3\.\d\.\d)\0"),
    Product("ruby", "ruby-lang:ruby", r"ruby(?:\d\.\d)?|libruby[-.\d]*\.so.*", rb"ruby (\d\.\d+\.\d+)(?:p\d+|dev|rc\d|preview\d)? ?[(\[]"),
    Product("rust", "rust-lang:rust", r"librustc_driver-\w+\.so|rustc", rb"(?:rustc version |rustc )(\d\.\d+\.\d+)"),
    Product("samba", "samba:samba", r"smbd|nmbd", rb"SAMBA_(4\.\d{1,2}\.\d{1,2})|\0(4\.\d{1,2}\.\d{1,2})(?:-[-\w+.~]+)?\0"),
    Product("sqlite", "sqlite:sqlite", r"sqlite3|libsqlite3\.so.*", rb"\0(3\.\d{1,2}\.\d{1,2})\0"),
    Product("squid", "squid-cache:squid", r"squid3?", rb"squid/(\d\.\d+(?:\.\d+)?)"),
    Product("stunnel", "stunnel:stunnel", r"stunnel4?", rb"stunnel (\d\.\d+)"),
    Product("sudo", "sudo_project:sudo", r"sudo|sudoers\.so", rb"\0(?:sudoers )?(1\.[89]\.\d{1,2}(?:p\d+)?)\0"),
    Product("systemd", "systemd_project:systemd", r"libsystemd-shared-.*\.so|systemd", rb"systemd (\d{3}(?:\.\d+)?)[- ~\0]"),
    Product("tini", "", r"tini.*", rb"tini version (\d\.\d+\.\d+)"),
    Product("unbound", "nlnetlabs:unbound", r"unbound", rb"unbound (\d\.\d+\.\d+)"),
    Product("valkey", "lfprojects:valkey", r"valkey-(?:server|check-aof|sentinel)", rb"\0(\d{1,2}\.\d{1,2}\.\d{1,3})\0"),
    Product("varnish", "varnish-software:varnish_cache varnish_cache_project:varnish_cache", r"varnishd", rb"varnish-(\d\.\d\.\d+)"),
    Product("vim", "vim:vim", r"vim?(?:\.\w+)?|xxd", rb"VIM - Vi IMproved (\d\.\d)"),
    Product("vsftpd", "vsftpd_project:vsftpd", r"vsftpd", rb"vsFTPd (\d\.\d\.\d+)"),
    Product("wget", "gnu:wget", r"wget", rb"\0(1\.\d\d(?:\.\d+)?)\0"),
    Product("xz", "tukaani:xz", r"xz|liblzma\.so.*", rb"\(XZ Utils\) (5\.\d\.\d{1,2})|\0(5\.\d\.\d{1,2})(?:alpha|beta)?\0"),
    Product("zlib", "zlib:zlib", r"libz\.so.*", rb"(?:de|in)flate (\d\.\d+(?:\.\d+)+) Copyright"),
)  # fmt: skip
"""By file name and a string in the program. A product with a CPE of "" is of interest, but no list of NVD's."""

RELEASES = (
    Product("elixir", "elixir-lang:elixir", "**/ebin/elixir.app", rb'\{vsn, ?"' + ANY),
    Product("couchdb", "apache:couchdb", "**/ebin/couch.app", rb'\{vsn, ?"' + ANY),
    Product("rabbitmq", "vmware:rabbitmq pivotal_software:rabbitmq", "**/ebin/rabbit.app", rb'\{vsn, ?"' + ANY),
    Product("erlang", "erlang:erlang\\/otp", "**/OTP_VERSION", rb"\A(\d+(?:\.\d+)+)\s"),
    Product("go", "golang:go", "**/go/VERSION", rb"\Ago(\d+\.\d+(?:\.\d+)?(?:rc\d+|beta\d+)?)\s"),
    Product("openjdk", "oracle:openjdk oracle:jdk", "**/release", rb'(?m)^JAVA_VERSION="([\w.+-]+)"'),
    Product("tomcat", "apache:tomcat", "**/RELEASE-NOTES", rb"Apache Tomcat Version " + THREE),
    Product("wordpress", "wordpress:wordpress", "**/wp-includes/version.php", rb"\$wp_version = '(\d[\w.-]*)'"),
    Product("drupal", "drupal:drupal", "**/core/lib/Drupal.php", rb"const VERSION = '(\d[\w.-]*)'"),
    Product("joomla", "joomla:joomla\\!", "**/manifests/files/joomla.xml", rb"<version>(\d[\w.-]*)</version>"),
    Product("mediawiki", "mediawiki:mediawiki", "**/includes/Defines.php", rb"'MW_VERSION', '(\d[\w.-]*)'"),
    Product("nextcloud", "nextcloud:nextcloud_server", "**/version.php", rb"\$OC_VersionString = '(\d[\w.]*)'"),
    Product("moodle", "moodle:moodle", "**/version.php", rb"\$release\s*= '(\d[\d.]*)\+? \(Build"),
    Product("phpmyadmin", "phpmyadmin:phpmyadmin", "**/libraries/classes/Version.php", rb"VERSION = '(\d[\d.]*)'"),
)
"""By a file that says it."""

MODULES = {
    "github.com/traefik/traefik": "traefik:traefik",
    "github.com/hashicorp/consul": "hashicorp:consul",
    "github.com/hashicorp/vault": "hashicorp:vault",
    "github.com/hashicorp/nomad": "hashicorp:nomad",
    "github.com/hashicorp/terraform": "hashicorp:terraform",
    "github.com/hashicorp/packer": "hashicorp:packer",
    "go.etcd.io/etcd": "etcd:etcd redhat:etcd",
    "k8s.io/kubernetes": "kubernetes:kubernetes",
    "k8s.io/ingress-nginx": "kubernetes:ingress-nginx",
    "github.com/coredns/coredns": "coredns.io:coredns",
    "github.com/docker/docker": "docker:docker mobyproject:moby",
    "github.com/docker/cli": "docker:docker",
    "github.com/containerd/containerd": "linuxfoundation:containerd",
    "github.com/opencontainers/runc": "linuxfoundation:runc",
    "github.com/prometheus/prometheus": "prometheus:prometheus",
    "github.com/prometheus/alertmanager": "prometheus:alertmanager",
    "github.com/grafana/grafana": "grafana:grafana",
    "github.com/grafana/loki": "grafana:loki",
    "github.com/caddyserver/caddy": "caddyserver:caddy",
    "github.com/minio/minio": "minio:minio",
    "github.com/influxdata/influxdb": "influxdata:influxdb",
    "github.com/influxdata/telegraf": "influxdata:telegraf",
    "github.com/nats-io/nats-server": "linuxfoundation:nats-server",
    "istio.io/istio": "istio:istio",
    "github.com/argoproj/argo-cd": "argoproj:argo_cd linuxfoundation:argo-cd",
    "github.com/cilium/cilium": "cilium:cilium",
    "helm.sh/helm": "helm:helm",
    "code.gitea.io/gitea": "gitea:gitea",
    "gogs.io/gogs": "gogs:gogs",
    "github.com/cockroachdb/cockroach": "cockroachlabs:cockroachdb",
    "github.com/dgraph-io/dgraph": "dgraph:dgraph",
    "github.com/goharbor/harbor": "linuxfoundation:harbor",
    "github.com/rancher/rancher": "rancher:rancher suse:rancher",
    "github.com/k3s-io/k3s": "k3s:k3s",
    "github.com/projectcalico/calico": "tigera:calico",
    "github.com/dexidp/dex": "linuxfoundation:dex",
    "github.com/oauth2-proxy/oauth2-proxy": "oauth2_proxy_project:oauth2_proxy",
    "github.com/open-policy-agent/opa": "openpolicyagent:open_policy_agent",
    "github.com/sigstore/cosign": "sigstore:cosign",
    "github.com/VictoriaMetrics/VictoriaMetrics": "victoriametrics:victoriametrics",
}
"""Go's main module, without the /v2 of later versions → its CPE."""

JARS = {
    "elasticsearch": "elastic:elasticsearch",
    "logstash-core": "elastic:logstash",
    "zookeeper": "apache:zookeeper",
    "kafka_2.12": "apache:kafka",
    "kafka_2.13": "apache:kafka",
    "apache-cassandra": "apache:cassandra",
    "solr-core": "apache:solr",
    "activemq-broker": "apache:activemq",
    "tomcat-catalina": "apache:tomcat",
    "catalina": "apache:tomcat",
    "tomcat-embed-core": "apache:tomcat",
    "jetty-server": "eclipse:jetty",
    "jenkins-core": "jenkins:jenkins",
    "keycloak-server-spi": "redhat:keycloak",
    "log4j-core": "apache:log4j",
    "spring-core": "vmware:spring_framework",
    "spring-boot": "vmware:spring_boot",
    "struts2-core": "apache:struts",
    "shiro-core": "apache:shiro",
    "neo4j-kernel": "neo4j:neo4j",
    "hadoop-common": "apache:hadoop",
    "spark-core_2.12": "apache:spark",
    "spark-core_2.13": "apache:spark",
    "hive-exec": "apache:hive",
    "flink-runtime": "apache:flink",
    "nifi-api": "apache:nifi",
    "pulsar-broker": "apache:pulsar",
    "netty-all": "netty:netty",
    "undertow-core": "redhat:undertow",
    "opensearch": "amazon:opensearch",
    "nexus-main": "sonatype:nexus_repository_manager",
    "h2": "h2database:h2",
}
"""An artifact of Maven → the CPE of the product that it is the core of."""

_ESCAPED = re.compile(r"([^\w.-])")
_UPDATE = re.compile(r"(\d[\d.]*)(p\d+)")


def cpes(names: str, version: str) -> tuple[str, ...]:
    """CPE 2.3 names of a version. What is behind a "p" is an update there: OpenSSH 9.2p1."""
    match = _UPDATE.fullmatch(version)
    number, update = (match[1], match[2]) if match else (version, "*")
    number = _ESCAPED.sub(r"\\\1", number)
    return tuple(f"cpe:2.3:a:{name}:{number}:{update}:*:*:*:*:*:*" for name in names.split()) if version else ()
