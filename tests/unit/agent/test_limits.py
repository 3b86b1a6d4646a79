"""The ladder: up when heavy for a while, down when light for longer, never blind for a megabyte."""

import time
from dataclasses import replace

import pytest

from seawall.agent import governor, limits
from seawall.agent.limits import Degrade, Reading, decide, narrowed, relieved, stretched
from seawall.core.severity import Severity
from seawall.runtime.model import Category, Kind, Plan, Rule

LIGHT = Reading(cpu=0.01, rss=20 << 20)
HEAVY = Reading(cpu=0.09, rss=20 << 20)
MIDDLE = Reading(cpu=0.04, rss=20 << 20)


def walk(state, *readings):
    for reading in readings:
        state = decide(state, reading)
    return state


def test_one_heavy_reading_is_forgiven():
    assert walk(Degrade(), HEAVY, LIGHT, HEAVY, LIGHT).step == 0


def test_it_climbs_step_by_step_and_says_why():
    state = walk(Degrade(), HEAVY, HEAVY)
    assert state.step == 1
    assert state.reason == "errands paused: 9.0% of a core used, 5% allowed"
    assert walk(state, *[HEAVY] * 20).step == 4


def test_it_climbs_back_by_itself_and_slower():
    state = Degrade(step=2, reason="x")
    assert walk(state, *[LIGHT] * (limits.CALM - 1)).step == 2
    assert walk(state, *[LIGHT] * limits.CALM).step == 1
    assert walk(state, *[LIGHT] * limits.CALM * 2) == Degrade()


def test_a_step_that_blinds_is_left_within_a_second_of_being_light():
    blind = walk(Degrade(), *[HEAVY] * 20)
    assert relieved(blind, HEAVY).step == relieved(blind, MIDDLE).step == 4
    assert relieved(relieved(blind, HEAVY), LIGHT).step == 2
    assert narrowed(PLAN, relieved(blind, LIGHT).step) is PLAN
    assert relieved(Degrade(step=2), LIGHT) == Degrade(step=2)


def test_who_comes_back_too_early_stays_away_longer():
    state, stays = Degrade(), []
    for _ in range(8):
        state, seconds = walk(state, *[HEAVY] * 10), 0
        while state.step > 2:
            state, seconds = relieved(state, LIGHT), seconds + 1
        stays.append(seconds)
    assert stays == [1, 2, 4, 8, 16, 32, 60, 60]
    assert walk(state, *[LIGHT] * 2 * limits.CALM) == Degrade()


def test_between_light_and_heavy_it_stays():
    assert walk(Degrade(step=2), *[MIDDLE] * 50).step == 2
    assert walk(Degrade(step=2), *[LIGHT] * 5, MIDDLE, *[LIGHT] * 5).step == 2


def test_memory_alone_never_blinds_the_sensor():
    fat = Reading(cpu=0.01, rss=35 << 20)
    assert walk(Degrade(), *[fat] * 50).step == 2
    assert "35.0 MB" in walk(Degrade(), fat, fat).reason
    assert walk(Degrade(), *[Reading(0.01, 70 << 20)] * 50).step == 4


def test_a_pressed_node_is_eased_by_an_agent_that_uses_something():
    idle = Reading(cpu=0.001, rss=20 << 20, cpu_pressure=99)
    busy = replace(idle, cpu=0.03)
    assert walk(Degrade(), *[idle] * 50).step == 0
    assert walk(Degrade(), *[busy] * 50).step == 2
    assert relieved(Degrade(step=4), replace(idle, cpu=0.02)).step == 2, "others' load must not keep it blind"
    assert walk(Degrade(), *[replace(idle, cpu_pressure=0, memory_pressure=50)] * 50).step == 2


def rule(name, category, *kinds):
    return Rule(name, name, category, Severity.HIGH, kinds, [])


PLAN = Plan(
    "v",
    (
        rule("escape", Category.ESCAPE, Kind.MOUNT, Kind.SETNS),
        rule("shell", Category.REVERSE_SHELL, Kind.DUP),
        rule("tamper", Category.FILE_TAMPERING, Kind.OPEN),
        rule("mine", Category.ABNORMAL_PROCESS, Kind.EXEC),
        rule("call", Category.NETWORK, Kind.CONNECT),
    ),
    filters={
        "kinds": ["exec", "mount", "setns", "dup", "open", "connect"],
        "open_paths": ["/etc/passwd"],
        "open_prefixes": ["/etc/"],
    },
)


def test_each_step_narrows_the_plan_further():
    assert narrowed(PLAN, 2) is PLAN
    fewer = narrowed(PLAN, 3)
    assert fewer.rules == PLAN.rules
    assert (fewer.filters["open_prefixes"], fewer.filters["open_paths"]) == ([], ["/etc/passwd"])
    least = narrowed(PLAN, 4)
    assert [rule.id for rule in least.rules] == ["escape", "shell", "mine"]
    assert least.filters["kinds"] == ["exec", "mount", "setns", "dup"]
    assert len({PLAN.version, fewer.version, least.version}) == 3
    assert PLAN.filters["open_prefixes"] == ["/etc/"]


def test_intervals_stretch_from_step_two():
    assert [stretched(10, step) for step in range(5)] == [10, 10, 40, 40, 40]


def test_the_governor_reads_this_process():
    reader = governor.Governor()
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
    reading = reader.read()
    assert reading.cpu == pytest.approx(1.0, abs=0.9)
    assert 8 << 20 < reading.rss < 2 << 30
    assert 0 <= reading.cpu_pressure <= 100
    time.sleep(0.2)
    assert reader.read().cpu < 0.5


def test_no_step_gives_up_a_response():
    def rule(name, action, category=Category.FILE_TAMPERING):
        when = ["startswith", "fd.name", f"/srv/{name}/"]
        return Rule(name, name, category, Severity.HIGH, (Kind.OPEN,), when, action=action)

    rules = (rule("told", "alert"), rule("stopped", "block"), rule("free", "allow"))
    plan = Plan("p", rules, filters={"kinds": ["open"], "open_prefixes": ["/srv/stopped/", "/srv/told/"]})
    assert narrowed(plan, 3).filters["open_prefixes"] == ["/srv/stopped/"]
    least = narrowed(plan, 4)
    assert [rule.id for rule in least.rules] == ["stopped", "free"]
    assert least.filters["open_prefixes"] == ["/srv/stopped/"]
    assert least.filters["kinds"] == ["open"]
