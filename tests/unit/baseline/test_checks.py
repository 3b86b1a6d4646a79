"""Every packaged check: a container and a daemon as they should be pass, and each check fails on what it is about."""

import pytest

from seawall.baseline.collect.names import FACTS
from seawall.baseline.detect.evaluate import judge
from seawall.baseline.load import packaged
from seawall.baseline.model import Asset, Fact, Facts, Outcome

CHECKS = {check.id: check for benchmark in packaged().values() for check in benchmark.checks}

GOOD_HOST = {
    "version": "27.0", "rootless": True, "security_options": ["name=seccomp,profile=builtin"], "user_namespaces": True,
    "live_restore": True, "experimental": False, "storage_driver": "overlay2", "logging_driver": "syslog",
    "insecure_registries": [], "authorization_plugins": ["opa"], "swarm_state": "inactive", "bridge_icc": False,
    "log_level": "info", "iptables": True, "cgroup_parent": "", "storage_options": [], "default_ulimits": {},
    "no_new_privileges": True, "userland_proxy": False, "seccomp_profile": "builtin", "tcp_listeners": [],
    "tls_verify": False, "tls_ca": "", "tls_cert": "", "tls_key": "",
}  # fmt: skip
GOOD_CONTAINER = {
    "image": "web:1", "image_tagged": True, "privileged": False, "capabilities_added": [],
    "capabilities_bounding": ["CHOWN", "KILL"], "security_options": [{"value": "no-new-privileges"}],
    "apparmor_available": True, "apparmor_profile": "docker-default", "apparmor_confined": True,
    "selinux_available": True, "process_label": "system_u:system_r:container_t:s0:c1,c2", "seccomp_mode": 2,
    "no_new_privileges": True, "no_new_privileges_set": True,
    "mounts": [{"type": "volume", "host_path": None, "writable_host_path": None, "propagation": ""}],
    "programs": ["nginx"], "published_ports": [{"host_ip": "10.1.2.3", "host_port": 8080}], "exposed_ports": ["80/tcp"],
    "network_mode": "web", "host_network": False, "memory_limit": 1 << 28, "cpu_limit": {"NanoCpus": 500000000},
    "readonly_root": True, "restart_policy": "on-failure", "restart_retries": 5, "pid_mode": "", "host_pid": False,
    "ipc_mode": "private", "host_ipc": False, "devices": [], "device_requests": [], "ulimits": [], "uts_mode": "",
    "host_uts": False, "userns_mode": "", "root_is_host_root": False, "cgroup_parent": "",
    "healthcheck": ["CMD", "true"], "pids_limit": 100, "networks": ["web"], "user": "1000",
    "uid": 1000, "listening_ports": [80], "memory_limit_real": 1 << 28,
}  # fmt: skip
GOOD = {"docker_host": GOOD_HOST, "container": GOOD_CONTAINER}


def _bind(path, **fields):
    writable = fields.get("writable", False)
    return [
        {"type": "bind", "host_path": path, "writable_host_path": path if writable else None, "propagation": ""}
        | fields
    ]


# What makes a check fail: facts that differ from the good ones. Several rows: several ways to be wrong.
BAD = [
    ("docker-2.1", {"rootless": False}),
    ("docker-2.2", {"bridge_icc": True}),
    ("docker-2.3", {"log_level": "debug"}),
    ("docker-2.4", {"iptables": False}),
    ("docker-2.5", {"insecure_registries": ["registry.example:5000"]}),
    ("docker-2.6", {"storage_driver": "aufs"}),
    ("docker-2.7", {"tcp_listeners": ["tcp://0.0.0.0:2375"]}),
    ("docker-2.7", {"tcp_listeners": ["tcp6:2376"], "tls_verify": True, "tls_ca": "/ca", "tls_cert": "/c"}),
    ("docker-2.9", {"user_namespaces": False, "rootless": False}),
    ("docker-2.10", {"cgroup_parent": "/elsewhere"}),
    ("docker-2.11", {"storage_driver": "devicemapper", "storage_options": [{"name": "dm.basesize", "value": "50G"}]}),
    ("docker-2.12", {"authorization_plugins": []}),
    ("docker-2.13", {"logging_driver": "json-file"}),
    ("docker-2.14", {"no_new_privileges": False}),
    ("docker-2.15", {"live_restore": False}),
    ("docker-2.16", {"userland_proxy": True}),
    ("docker-2.17", {"seccomp_profile": "unconfined"}),
    ("docker-2.18", {"experimental": True}),
    ("docker-5.1", {"swarm_state": "active"}),
    ("docker-5.2", {"apparmor_profile": "unconfined", "apparmor_confined": False}),
    ("docker-5.2", {"apparmor_confined": False}),  # declared, and yet it does not hold: a privileged container
    ("docker-5.3", {"security_options": [{"value": "label=disable"}]}),
    ("docker-5.3", {"privileged": True}),
    ("docker-5.4", {"capabilities_added": ["NET_ADMIN"]}),
    ("docker-5.4", {"capabilities_bounding": ["CHOWN", "SYS_ADMIN"]}),  # privileged has all and adds none
    ("docker-5.5", {"privileged": True}),
    ("docker-5.6", {"mounts": _bind("/")}),
    ("docker-5.6", {"mounts": _bind("/var/lib")}),
    ("docker-5.6", {"mounts": _bind("/etc/docker", writable=True)}),
    ("docker-5.6", {"mounts": _bind("/root", writable=True)}),
    ("docker-5.6", {"mounts": _bind("/var/lib/docker", writable=True)}),
    ("docker-5.6", {"mounts": _bind("/data/docker", data_root=True)}),  # a daemon that keeps its data elsewhere
    ("docker-5.7", {"programs": ["sh", "sshd"]}),
    ("docker-5.8", {"published_ports": [{"host_ip": "10.1.2.3", "host_port": 80}]}),
    ("docker-5.10", {"network_mode": "host", "host_network": True}),
    ("docker-5.10", {"network_mode": "container:abc", "host_network": True}),  # joined one that is on the host's
    ("docker-5.11", {"memory_limit": 0}),
    ("docker-5.11", {"memory_limit_real": 0}),  # declared, and the kernel knows of none
    ("docker-5.12", {"cpu_limit": {}}),
    ("docker-5.13", {"readonly_root": False}),
    ("docker-5.14", {"published_ports": [{"host_ip": "0.0.0.0", "host_port": 8080}]}),
    ("docker-5.14", {"published_ports": [{"host_ip": "::", "host_port": 8080}]}),
    ("docker-5.15", {"restart_policy": "always", "restart_retries": 0}),
    ("docker-5.15", {"restart_policy": "unless-stopped", "restart_retries": 0}),
    ("docker-5.15", {"restart_policy": "on-failure", "restart_retries": 50}),
    ("docker-5.16", {"pid_mode": "host", "host_pid": True}),
    ("docker-5.17", {"ipc_mode": "host", "host_ipc": True}),
    ("docker-5.18", {"devices": ["/dev/sda"]}),
    ("docker-5.18", {"privileged": True}),
    ("docker-5.20", {"mounts": _bind("/srv", propagation="rshared")}),
    ("docker-5.21", {"uts_mode": "host", "host_uts": True}),
    ("docker-5.22", {"security_options": [{"value": "seccomp=unconfined"}], "seccomp_mode": 0}),
    ("docker-5.22", {"seccomp_mode": 0}),  # privileged: nothing was declared, and no filter is there
    ("docker-5.25", {"cgroup_parent": "/elsewhere"}),
    ("docker-5.26", {"no_new_privileges": False}),
    ("docker-5.27", {"healthcheck": []}),
    ("docker-5.27", {"healthcheck": ["NONE"]}),
    ("docker-5.29", {"pids_limit": 0}),
    ("docker-5.30", {"networks": ["bridge", "web"]}),
    ("docker-5.31", {"userns_mode": "host"}),
    ("docker-5.32", {"mounts": _bind("/run/docker.sock")}),
    ("docker-5.32", {"mounts": _bind("/")}),
    ("docker-5.32", {"mounts": _bind("/srv", sockets=["/srv/docker.sock"])}),  # a daemon that listens elsewhere
    ("docker-5.32", {"mounts": _bind("/run")}),
]  # fmt: skip


def facts(kind, **changes):
    asset = Asset(kind, "x", "x", "host")
    return Facts(asset, {name: Fact(value, "test") for name, value in (GOOD[kind] | changes).items()}, "")


def test_the_good_ones_have_every_fact_and_no_other():
    assert {kind: set(values) for kind, values in GOOD.items()} == FACTS


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_what_is_as_it_should_be_passes(check):
    wanted = {Outcome.MANUAL} if check.manual else {Outcome.PASS, Outcome.NOT_APPLICABLE}
    assert judge(check, facts(check.asset)).outcome in wanted


@pytest.mark.parametrize(("name", "changes"), BAD, ids=[f"{name}-{place}" for place, (name, _) in enumerate(BAD)])
def test_what_is_not_fails(name, changes):
    result = judge(CHECKS[name], facts(CHECKS[name].asset, **changes))
    assert result.outcome is Outcome.FAIL
    assert result.evidence


def test_every_check_that_judges_has_something_it_fails_on():
    assert {name for name, _ in BAD} == {check.id for check in CHECKS.values() if not check.manual}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_without_facts_nothing_is_judged(check):
    assert judge(check, Facts(Asset(check.asset, "x", "x"), {}, "")).outcome is Outcome.NOT_CHECKED


def test_sections_2_and_5_are_whole():
    assert set(CHECKS) == {f"docker-2.{n}" for n in range(1, 19)} | {f"docker-5.{n}" for n in range(1, 33)}


def test_a_restart_never_asked_for_is_right():
    assert (
        judge(CHECKS["docker-5.15"], facts("container", restart_policy="no", restart_retries=0)).outcome is Outcome.PASS
    )


def test_a_daemon_on_the_network_with_certificates_is_right():
    changes = {"tcp_listeners": ["tcp:2376"], "tls_verify": True, "tls_ca": "/a", "tls_cert": "/c", "tls_key": "/k"}
    assert judge(CHECKS["docker-2.7"], facts("docker_host", **changes)).outcome is Outcome.PASS


def test_a_file_of_the_host_mounted_read_only_is_right():
    assert judge(CHECKS["docker-5.6"], facts("container", mounts=_bind("/etc/localtime"))).outcome is Outcome.PASS
