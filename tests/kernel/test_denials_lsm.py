"""What a plan's tables deny is refused inline on kernels that take a security module in eBPF, under emulation."""

import json
from pathlib import Path

import pytest

from seawall.core.severity import Severity
from seawall.runtime import plan as plans
from seawall.runtime.model import Category, Kind, Rule
from vm import machine

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(400)]
DENIED = ("write", "write_through_link", "truncate", "hard_link", "rename_away", "rename_over", "unlink")
DENIED += ("run", "connect", "mount")


def rule(name, kind, when):
    whole = ["and", ["!=", "container.id", "host"], when]
    return Rule(name, name, Category.NETWORK, Severity.HIGH, (kind,), whole, action="block")


RULES = (
    rule("file", Kind.OPEN, ["=", "fd.name", "/etc/shadow"]),
    rule("program", Kind.EXEC, ["=", "proc.exename", "miner"]),
    rule("peer", Kind.CONNECT, ["=", "fd.ip", "127.0.0.2"]),
    rule("mount", Kind.MOUNT, ["=", "evt.kind", "mount"]),
)


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    path.write_text(json.dumps(plans.encode(plans.seal(RULES, {}, plans.read().filters))))
    return path


def denied(version, plan, parameters):
    script = Path(machine.__file__).parent / "denying.py"
    try:
        return machine.run(machine.kernel(version), script, files={"plan.json": plan}, parameters=parameters)
    except machine.Unavailable as error:
        pytest.skip(f"no machine with kernel {version}: {error}")


@pytest.fixture(scope="module", params=["6.1", "6.12"])
def report(request, plan):
    return denied(request.param, plan, "lsm=bpf")


def test_a_kernel_that_takes_security_programs_but_never_asks_them_is_found_out(plan):
    told = denied("6.1", plan, "lsm=yama")
    assert told["on"] == ["deny", "egress"], "the next means take its place"
    assert "does not ask" in told["reasons"]["lsm"]


def test_it_is_the_security_module_that_decides(report):
    assert (report["on"], report["reasons"]) == (["lsm"], {})


def test_nothing_of_what_is_denied_happened_and_all_else_did(report):
    assert {name: report["container"][name] for name in DENIED} == dict.fromkeys(DENIED, "EPERM")
    assert (report["container"]["write_other"], report["container"]["connect_other"]) == ("done", "done")
    # A busybox that wants a loader does not start in the bare container: that is no refusal.
    assert report["container"]["run_other"] in ("done", "ENOENT")
    assert report["shadow"] == "root:*\n"
    assert report["arrived"] == ["done", "timed out"]
    assert report["host"] == "done", "the host may"


def test_each_refusal_is_told(report):
    assert [True, "/bin/miner", True] in report["refusals"]
    assert [False, "/etc/shadow", True] in report["refusals"]
