"""`seawall doctor`: what works on this host, what is degraded and why, and how to mend it. Changes nothing."""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from seawall.core.errors import SeawallError
from seawall.core.state import state_dir

EXAMPLES = """\
examples:
  seawall doctor
  seawall doctor --format json
"""
OK, DEGRADED, MISSING = "ok", "degraded", "missing"
MARKS = {OK: "✓", DEGRADED: "!", MISSING: "✗"}
NEEDED_CAPABILITIES = {
    "CAP_SYS_ADMIN": 21,
    "CAP_SYS_PTRACE": 19,
    "CAP_DAC_READ_SEARCH": 2,
    "CAP_KILL": 5,
    "CAP_BPF": 39,
}
"""Names and bit numbers (linux/capability.h)."""
OLDEST_KERNEL = (5, 8)
"""Ring buffers came with 5.8."""
STALE_DAYS = 7.0
RESPONSES = {
    "fanotify": "programs and opens are refused before they happen",
    "firewall": "containers are cut off the network",
    "cgroup": "connections of containers to forbidden addresses are refused",
    "deny": "forbidden programs and writes of containers are stopped in the kernel",
    "lsm": "forbidden programs, writes, connections, mounts and ptrace of containers are refused inline",
    "docker": "containers are paused, stopped and killed",
    "quarantine": "files are moved into quarantine and back",
}
"""Means of response (runtime/respond/probe.py) and what they are for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: str
    """ok, degraded or missing."""
    detail: str
    mend: str = ""
    """What to do; empty when nothing has to be."""


def main(arguments: Sequence[str]) -> int:
    """0 when everything is ok, 1 when something is degraded or missing."""
    parser = argparse.ArgumentParser(
        "seawall doctor",
        description="What works on this host, what does not, and how to mend it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--state", type=Path, default=state_dir(), help="folder of the state (default: %(default)s)")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    wanted = parser.parse_args(list(arguments))
    findings = look(wanted.state.absolute())
    if wanted.format == "json":
        print(json.dumps({"schema": "seawall.doctor/1", "findings": [asdict(finding) for finding in findings]}))
    else:
        _print(findings)
    return 0 if all(finding.state == OK for finding in findings) else 1


def look(state: Path) -> list[Finding]:
    """Every finding; one that breaks is a finding too."""
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("python", _python),
        ("kernel", _kernel),
        ("btf", _btf),
        ("capabilities", _capabilities),
        ("sensor programs", _programs),
        ("runtime plan", _plan),
        ("docker", _docker),
        ("openssl", _openssl),
        ("server", lambda: _server(state)),
        ("agent", lambda: _agent(state)),
        ("sensor", lambda: _sensor(state)),
        ("advisories", lambda: _intel(state)),
        ("malware scanner", lambda: _scanner(state)),
        *((f"response: {name}", partial(_response, name, label)) for name, label in RESPONSES.items()),
    ]
    found = []
    for name, check in checks:
        try:
            found.append(check())
        except Exception as error:
            found.append(Finding(name, MISSING, f"could not be looked at: {error!r}"))
    return found


def _scanner(state: Path) -> Finding:
    from seawall.malware import ruleset

    try:
        rules = ruleset.load([state / "malware"])
    except SeawallError as error:
        return Finding("malware scanner", DEGRADED, f"files of containers are not checked: {error}", error.hint)
    if rules.skipped:
        first = rules.skipped[0]
        said = f"{rules.count} rules; {len(rules.skipped)} files do not compile: {first.where}: {first.why}"
        return Finding("malware scanner", DEGRADED, said, f"mend them in {state / 'malware'}")
    return Finding("malware scanner", OK, f"{rules.count} rules")


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("python", OK, f"{version}, {sys.executable}")


def _kernel() -> Finding:
    release = os.uname().release
    numbers = tuple(int(part) for part in release.split("-")[0].split(".")[:2] if part.isdigit())
    if numbers < OLDEST_KERNEL:
        return Finding("kernel", DEGRADED, release, "runtime events need Linux 5.8 or newer; all else works")
    return Finding("kernel", OK, f"{release} {os.uname().machine}")


def _btf() -> Finding:
    path = Path("/sys/kernel/btf/vmlinux")
    if path.exists():
        return Finding("btf", OK, f"{path} ({path.stat().st_size >> 10} kB)")
    return Finding("btf", MISSING, f"{path} is not there", "a kernel with CONFIG_DEBUG_INFO_BTF=y is needed for events")


def _capabilities() -> Finding:
    from seawall.node import procfs

    held = int((procfs.status(os.getpid()) or {}).get("CapEff", "0"), 16)
    lacking = [name for name, bit in NEEDED_CAPABILITIES.items() if not held >> bit & 1]
    if "CAP_BPF" in lacking and "CAP_SYS_ADMIN" not in lacking:
        lacking.remove("CAP_BPF")  # before it had a capability of its own, bpf(2) was part of this one
    if lacking:
        return Finding("capabilities", DEGRADED, f"without {', '.join(lacking)}", "run as root: sudo seawall up")
    return Finding("capabilities", OK, "all that the sensor needs")


def _programs() -> Finding:
    from seawall import runtime

    folder = Path(runtime.__path__[0]) / "bpf"
    objects, sources = sorted(folder.glob("*.o")), sorted(folder.glob("*.bpf.c"))
    if objects:
        stale = [path.name for path in sources if path.stat().st_mtime > objects[0].stat().st_mtime]
        if stale and os.access(folder, os.W_OK):
            return Finding("sensor programs", DEGRADED, f"older than {', '.join(stale)}", "make build")
        return Finding("sensor programs", OK, ", ".join(path.name for path in objects))
    has_clang = shutil.which("clang")
    mend = "make build" if has_clang else "apt-get install clang libbpf-dev, then make build"
    return Finding("sensor programs", MISSING, f"not built{'' if has_clang else ', and clang is missing'}", mend)


def _plan() -> Finding:
    from seawall.runtime import plan

    try:
        found = plan.read()
    except SeawallError as error:
        return Finding("runtime plan", MISSING, str(error), error.hint or "make build")
    return Finding("runtime plan", OK, f"{len(found.rules)} rules, version {found.version[:12]}")


def _docker() -> Finding:
    from seawall.node.docker import Docker, find_socket

    if find_socket() is None:
        return Finding("docker", MISSING, "no socket", "start Docker, or name its socket in DOCKER_HOST=unix://PATH")
    try:
        said = Docker(timeout=5).version()
    except SeawallError as error:
        return Finding("docker", MISSING, str(error), error.hint)
    return Finding("docker", OK, f"{said.get('Version')}, API {said.get('ApiVersion')}")


def _openssl() -> Finding:
    program = shutil.which("openssl")
    if program is None:
        return Finding("openssl", MISSING, "not installed", "apt-get install openssl: an agent makes its key with it")
    return Finding("openssl", OK, program)


def _server(state: Path) -> Finding:
    from seawall.agent import local

    try:
        found = local.load(state)
        said = found.call("GET", "/healthz", timeout=5)
    except SeawallError as error:
        return Finding("server", MISSING, str(error), error.hint or "seawall up")
    bad = {name: text for name, text in said.get("checks", {}).items() if text != "ok"}
    if said.get("status") != "ok":
        return Finding("server", DEGRADED, f"{bad or said}", f"the log is {state / 'log' / 'server.log'}")
    return Finding("server", OK, f"{said.get('version')} at {found.url}")


def _agent(state: Path) -> Finding:
    from seawall.agent.identity import Home

    home = Home(state)
    if home.identity() is None:
        return Finding("agent", MISSING, f"not enrolled in {state}", "seawall up, or seawall agent enroll")
    status = _status(home.status)
    if status is None or not Path(f"/proc/{status.get('pid')}").exists():
        return Finding("agent", MISSING, "not running", f"seawall up; its log is {state / 'log' / 'agent.log'}")
    weight = f"{status['rss'] / (1 << 20):.1f} MB, {status['cpu']:.1%} of a core"
    errors = [text for text in status.get("errors", ()) if not text.startswith("sensor:")]
    if status.get("degrade"):
        return Finding("agent", DEGRADED, f"step {status['degrade']}: {status['degrade_reason']} ({weight})")
    if errors:
        return Finding("agent", DEGRADED, "; ".join(errors), f"its log is {state / 'log' / 'agent.log'}")
    return Finding("agent", OK, weight)


def _sensor(state: Path) -> Finding:
    from seawall.agent.identity import Home

    status = _status(Home(state).status)
    if status is None:
        return Finding("sensor", MISSING, "no agent has reported", "seawall up")
    sensor = status["sensor"]
    lost = sum(sensor.get("dropped", {}).values())
    if sensor.get("state") == "on" and not lost:
        return Finding("sensor", OK, f"{len(sensor['programs'])} programs, {sensor['events']} events, none lost")
    if sensor.get("state") == "on":
        return Finding(
            "sensor", DEGRADED, f"{lost} events lost: {sensor['dropped']}", "narrow the rules that watch files"
        )
    grade = DEGRADED if sensor.get("state") == "degraded" else MISSING
    return Finding(
        "sensor", grade, str(sensor.get("reason")), "see the lines above: kernel, btf, capabilities, programs"
    )


@cache
def _means() -> dict[str, str]:
    from seawall.runtime.respond import probe

    return probe.look()


def _response(name: str, label: str) -> Finding:
    from seawall.runtime.respond.ladder import MENDS

    why = _means()[name]
    if why and name == "lsm" and not (_means()["fanotify"] or _means()["deny"]):
        return Finding(f"response: {name}", OK, f"not on this kernel ({why}); fanotify and signals stand in")
    if why:
        return Finding(f"response: {name}", DEGRADED, why, MENDS[name])
    return Finding(f"response: {name}", OK, label)


def _intel(state: Path) -> Finding:
    from seawall.agent import local

    try:
        said: dict[str, Any] = local.load(state).call("GET", "/api/v1/intel/status", timeout=10)
    except SeawallError as error:
        return Finding("advisories", MISSING, str(error), error.hint or "seawall up")
    if not said.get("advisories"):
        return Finding("advisories", MISSING, "none: packages are listed, not judged", "seawall intel update")
    age = said.get("age_days")
    text = f"{said['advisories']} advisories, {age} days old by what the feeds say"
    if isinstance(age, int | float) and age > STALE_DAYS:
        return Finding("advisories", DEGRADED, text, "seawall intel update, or import newer files")
    return Finding("advisories", OK, text)


def _status(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "sensor" in found else None


def _print(findings: Sequence[Finding]) -> None:
    for finding in findings:
        print(f"{MARKS[finding.state]} {finding.name:20} {finding.state:9} {finding.detail}")
        if finding.mend:
            print(f"{'':32} → {finding.mend}")
