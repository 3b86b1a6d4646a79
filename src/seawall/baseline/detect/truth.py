"""Where what was declared and what the kernel says differ: shown as evidence, whatever the verdict. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from seawall.baseline.model import Fact

Differ = Callable[[Any, Any], bool]


def _hidden_host(declared: Any, real: Any) -> bool:
    return bool(real) is not (str(declared) == "host")


def _unfiltered(declared: Any, real: Any) -> bool:
    options = declared if isinstance(declared, list) else []
    off = any(isinstance(one, Mapping) and "unconfined" in str(one.get("value")) for one in options)
    return real != 2 and not off


def _more(declared: Any, real: Any) -> bool:
    """Capabilities that were asked for and are not there."""
    wanted = set(declared or ()) - {"ALL"}
    return not wanted <= set(real or ())


PAIRS: tuple[tuple[str, str, Differ], ...] = (
    ("network_mode", "host_network", _hidden_host),
    ("pid_mode", "host_pid", _hidden_host),
    ("ipc_mode", "host_ipc", _hidden_host),
    ("uts_mode", "host_uts", _hidden_host),
    ("no_new_privileges_set", "no_new_privileges", lambda declared, real: bool(declared) != bool(real)),
    ("security_options", "seccomp_mode", _unfiltered),
    (
        "apparmor_profile",
        "apparmor_confined",
        lambda declared, real: bool(real) != (declared not in ("", "unconfined")),
    ),
    ("capabilities_added", "capabilities_bounding", _more),
    ("memory_limit", "memory_limit_real", lambda declared, real: (declared or 0) // 4096 != (real or 0) // 4096),
)
"""(declared, real, whether they differ); the kernel rounds memory to pages."""


def disagreements(names: list[str], known: Mapping[str, Fact]) -> list[Mapping[str, Any]]:
    """Evidence rows for the pairs that a check looks at and that do not say the same."""
    rows: list[Mapping[str, Any]] = []
    for declared, real, differ in PAIRS:
        said, seen = known.get(declared), known.get(real)
        if declared not in names or real not in names or said is None or seen is None or said.error or seen.error:
            continue
        if differ(said.value, seen.value):
            rows.append({"where": "declared and real differ", "value": [declared, real]})
    return rows
