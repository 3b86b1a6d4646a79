"""The closed list of facts: what can be known of each kind of asset. A check names facts, never commands."""

# fmt: off
FACTS: dict[str, frozenset[str]] = {
    "docker_host": frozenset(
        [
            "version", "rootless", "security_options", "user_namespaces", "live_restore", "experimental",
            "storage_driver", "logging_driver", "insecure_registries", "authorization_plugins", "swarm_state",
            "bridge_icc", "log_level", "iptables", "cgroup_parent", "storage_options", "default_ulimits",
            "no_new_privileges", "userland_proxy", "seccomp_profile", "tcp_listeners", "tls_verify", "tls_ca",
            "tls_cert", "tls_key",
        ]
    ),
    "container": frozenset(
        [
            "image", "image_tagged", "privileged", "capabilities_added", "capabilities_bounding", "security_options",
            "apparmor_available", "apparmor_profile", "apparmor_confined", "selinux_available", "process_label",
            "seccomp_mode", "no_new_privileges", "no_new_privileges_set", "mounts", "programs", "published_ports",
            "exposed_ports", "network_mode", "host_network", "memory_limit", "cpu_limit", "readonly_root",
            "restart_policy", "restart_retries", "pid_mode", "host_pid", "ipc_mode", "host_ipc", "devices",
            "device_requests", "ulimits", "uts_mode", "host_uts", "userns_mode", "root_is_host_root", "cgroup_parent",
            "healthcheck", "pids_limit", "networks", "user", "uid", "listening_ports", "memory_limit_real",
        ]
    ),
}
# fmt: on
