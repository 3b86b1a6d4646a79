"""How grave an alert is beyond its rule: the same shell is worse under a web server than under somebody's debugging."""

from seawall.core.severity import Severity
from seawall.runtime.detect.fields import ancestors, basename
from seawall.runtime.model import Category, Event, Process, Rule

LADDER = (Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
NEAR = 6
"""How far above the process a service counts as what was broken into."""

_SERVICES = (
    "nginx httpd apache2 httpd-foreground lighttpd caddy traefik haproxy php-fpm php-cgi java tomcat "
    "catalina.sh jsvc mysqld mariadbd postgres mongod mongos redis-server valkey-server memcached beam.smp "
    "uwsgi gunicorn puma unicorn named couchdb influxd clickhouse elasticsearch solr jenkins weblogic exim4"
)
SERVICES = frozenset(_SERVICES.split())
"""Programs that serve strangers, by the name of their file or task."""


def adjusted(rule: Rule, event: Event) -> Severity:
    """The rule's severity, moved a step by where the event stands."""
    given: Severity | None = event.raw.get("severity")
    severity = given or rule.severity
    if rule.category is not Category.REVERSE_SHELL or rule.source != "system":
        return severity
    step = LADDER.index(severity) if severity in LADDER else 0
    if under_service(event.process):
        step += 1
    elif event.process.by_exec:
        step -= 1
    return LADDER[max(1, min(step, len(LADDER) - 1))]


def under_service(process: Process) -> bool:
    """Whether a service of the same container is near above it."""
    for place, parent in enumerate(ancestors(process)):
        if place == NEAR or parent.container is not process.container:
            return False
        if is_service(parent):
            return True
    return False


def is_service(process: Process) -> bool:
    """By the name of its file or of its task."""
    name = basename(process.exe)
    return name in SERVICES or process.comm in SERVICES or name.startswith(("php-fpm", "php-cgi"))
