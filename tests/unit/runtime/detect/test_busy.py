"""A busy container is told only together with what was told of it before, and only for a day."""

from seawall.runtime import load
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.suspects import LASTS, MAX_CONTAINERS, RULES, Suspects
from seawall.runtime.model import Container, Event, File, Kind, Process

WEB = Container("c" * 64, "web", "web:1", image_id="i", complete=True)


def miner(now):
    file = File("/dev/shm/kworker", fs_magic=0x01021994)
    process = Process(9, 1, exe=file.path, comm="kworker", args=("kworker",), container=WEB, file=file)
    return Event(Kind.EXEC, now, process, file=file, syscall="execve")


def rules(alerts):
    return [alert.rule for alert in alerts]


def test_busy_alone_is_not_told_and_with_a_suspicious_program_is():
    engine = Engine(load.system().plan)
    assert engine.busy(WEB, 1000.0, 10, 2.0) == []
    assert "program_in_shared_memory" in rules(engine.judge(miner(1010.0)))
    [alert] = engine.busy(WEB, 1020.0, 10, 1.98)
    assert (alert.rule, alert.severity, alert.process) == ("miner_at_work", "high", {})
    assert alert.evidence["load"]["suspects"] == ["program_in_shared_memory"]
    assert engine.busy(Container("d" * 64, "other", complete=True), 1020.0, 10, 2.0) == []
    assert engine.busy(Container("c" * 64), 1020.0, 10, 2.0) == [], "never judged on missing identity"


def test_a_day_later_it_is_forgotten():
    engine = Engine(load.system().plan)
    engine.judge(miner(1000.0))
    assert engine.busy(WEB, 1001.0 + LASTS, 10, 2.0) == []


def test_what_is_remembered_is_bounded_and_names_rules_that_there_are():
    suspects = Suspects()
    for number in range(MAX_CONTAINERS + 5):
        suspects.told(str(number), "coin_miner", 1.0)
    suspects.told("x", "terminal_shell", 1.0)
    assert suspects.of("0", 2.0) == suspects.of("x", 2.0) == ()
    assert suspects.of(str(MAX_CONTAINERS), 2.0) == ("coin_miner",)
    assert {rule.id for rule in load.system().plan.rules} >= RULES
