"""The protection level of a node: for each thing that can be stopped the best means that works here, and why no better.

Pure. `probed` is what probe.py found: a name of a means to "" (it works) or the reason why not.
"""

from collections.abc import Mapping
from typing import Any

UNKNOWN = "not looked at yet"
LEVELS = {
    0: "nothing is seen",
    1: "what happens is told; a process can be killed afterwards",
    2: "containers can be stopped and files taken out as well",
    3: "programs are refused before they run, containers are cut off the network",
    4: "the kernel itself decides on programs, files and connections",
}
MENDS = {
    "fanotify": "use a kernel with CONFIG_FANOTIFY_ACCESS_PERMISSIONS=y and run the agent as root",
    "firewall": "apt-get install nftables",
    "docker": "start Docker, or name its socket in DOCKER_HOST=unix://PATH",
    "quarantine": "use Linux 5.6 or newer",
    "cgroup": "mount -t cgroup2 none /sys/fs/cgroup/unified, and mend the sensor",
    "deny": "make build, and mend the sensor",
    "lsm": "start the kernel with `bpf` in its list of security modules: lsm=…,bpf",
    "signal": "mend the sensor first",
}
"""What to do where a means is missing."""


def protection(
    probed: Mapping[str, str], sensor: Mapping[str, Any], *, enforce: bool, guard: str = ""
) -> dict[str, Any]:
    """The heartbeat's `protection`. `guard` is why programs are not asked for although they should be."""
    reasons = dict.fromkeys(("fanotify", "firewall", "docker", "quarantine", "cgroup", "deny", "lsm"), UNKNOWN) | dict(
        probed
    )
    reasons["signal"] = "" if sensor.get("state") in ("on", "degraded") else "the sensor is off"
    if guard and not reasons["fanotify"]:
        reasons["fanotify"] = guard
    works = {name: not why for name, why in reasons.items()}
    means: dict[str, Any] = {
        "exec": _best(works, ("lsm", "fanotify", "signal")),
        "file": _best(works, ("lsm", "fanotify", "deny")).replace("deny", "signal"),
        "network": _best(works, ("lsm", "cgroup", "firewall")).replace("firewall", "nftables"),
        "container": _best(works, ("docker",)),
        "quarantine": works["quarantine"] and works["docker"],
    }
    return {
        "level": _level(works, means),
        "means": means,
        "reasons": {name: why for name, why in reasons.items() if why},
        "enforce": enforce,
    }


def _best(works: Mapping[str, bool], names: tuple[str, ...]) -> str:
    return next((name for name in names if works[name]), "none")


def _level(works: Mapping[str, bool], means: Mapping[str, Any]) -> int:
    if not works["signal"]:
        return 0
    if means["exec"] == "lsm":
        return 4
    if means["exec"] == "fanotify" and means["network"] != "none":
        return 3
    return 2 if means["container"] != "none" else 1
