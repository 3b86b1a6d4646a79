"""What people decided: waivers silence, profiles learn, warn and stop, allowing rules keep a category quiet."""

from seawall.core.severity import Severity
from seawall.runtime import load
from seawall.runtime.detect import profiles
from seawall.runtime.detect.engine import Engine
from seawall.runtime.detect.examples import build
from seawall.runtime.detect.merging import WINDOW
from seawall.runtime.detect.parse import parse
from seawall.runtime.model import Category, Kind, Plan, Profile, Rule, Waiver

DIGEST = "sha256:" + "d" * 64
NOW = 1_000_000.0


def rule(text, name="r", **more):
    given = {"action": "alert", "category": Category.ABNORMAL_PROCESS, **more}
    kinds = (Kind.EXEC,)
    return Rule(
        id=name,
        title="t",
        severity=Severity.HIGH,
        kinds=kinds,
        when=parse(text, {}, {}),
        merge_by=("proc.pid",),
        **given,
    )


def run(engine, exe="/bin/bash", at=0.0, container=True, **more):
    event = build({"event": {"kind": "exec", "container": container, "process": {"exe": exe}, **more}})[0]
    event.time += at
    return engine.judge(event)


def waiver(text, *rules, expires=0.0, name="w"):
    return Waiver(name, rules, parse(text, {}, {}), expires)


def test_a_waiver_silences_counts_and_expires():
    plan = Plan(
        "v",
        (rule("proc.name = bash"),),
        waivers=(waiver("container.image.repository = shop/web and proc.exepath = /bin/bash", "r", expires=NOW + 60),),
    )
    engine = Engine(plan)
    assert run(engine) == []
    assert run(engine, at=1) == []
    assert engine.take_silenced() == {"w": 2}
    assert engine.take_silenced() == {}
    assert len(run(engine, exe="/opt/bash")) == 1, "another program"
    assert len(run(engine, at=60)) == 1, "it has expired"


def test_a_waiver_speaks_of_its_rules_and_none_means_all():
    rules = (rule("proc.name = bash", "a"), rule("proc.name = bash", "b"))
    engine = Engine(Plan("v", rules, waivers=(waiver("proc.name = bash", "a"),)))
    assert [alert.rule for alert in run(engine)] == ["b"]
    engine = Engine(Plan("v", rules, waivers=(waiver("proc.name = bash"),)))
    assert run(engine) == []


def test_a_waiver_is_not_guessed_at_while_the_container_is_unknown():
    plan = Plan("v", (rule("proc.name = bash"),), waivers=(waiver("not container.image.repository = evil", "r"),))
    unknown = {"complete": False, "name": "", "image": ""}
    assert len(run(Engine(plan), container=unknown)) == 1
    assert run(Engine(plan)) == []


def test_an_allowing_rule_quiets_its_category_only():
    rules = (
        rule("proc.exepath = /bin/bash", "ours", action="allow"),
        rule("proc.name = bash", "odd"),
        rule("proc.name = bash", "escape", category=Category.ESCAPE),
    )
    engine = Engine(Plan("v", rules))
    assert [alert.rule for alert in run(engine)] == ["escape"]
    assert [alert.rule for alert in run(engine, exe="/opt/bash", at=WINDOW + 1)] == ["odd", "escape"]


def profiled(mode, *programs):
    packaged = load.system_plan()
    return Plan("v", packaged.rules, packaged.lists, profiles={DIGEST: Profile(mode, frozenset(programs))})


WEB = {"image_digest": DIGEST}


def test_discover_learns_pairs_and_nothing_of_somebody_at_a_terminal():
    engine = Engine(profiled("discover"))
    parents = [{"exe": "/bin/sh"}]
    for at in (0, 5):
        run(engine, "/app/serve", at, WEB, parents=parents)
    run(engine, "/bin/ls", 1, WEB, process={"exe": "/bin/ls", "by_exec": True, "tty": "pts0"})
    run(engine, "/bin/x", 1, WEB, process={"exe": "/bin/x", "memfd": True})
    run(engine, "/bin/other", 1, {"image_digest": "sha256:" + "e" * 64})
    run(engine, "/bin/unknown", 1, {**WEB, "complete": False})
    (item,) = engine.take_learned()
    assert (item["image_digest"], item["image"]) == (DIGEST, "shop/web:1.4")
    (program,) = item["programs"]
    assert (program["path"], program["parent"], program["count"]) == ("/app/serve", "/bin/sh", 2)
    assert program["first_seen"] < program["last_seen"]
    assert engine.take_learned() == []


def test_learning_is_bounded():
    engine = Engine(profiled("discover"))
    for number in range(profiles.MAX_PAIRS + 50):
        run(engine, f"/app/{number}", 0, WEB)
    items = engine.take_learned()
    assert [len(item["programs"]) for item in items] == [profiles.MAX_SENT] * (profiles.MAX_PAIRS // profiles.MAX_SENT)


def test_monitor_tells_and_protect_stops_what_is_not_in_the_profile():
    engine = Engine(profiled("monitor", "/app/serve"))
    assert run(engine, "/app/serve", 0, WEB) == []
    (alert,) = run(engine, "/usr/bin/sort", 0, WEB)
    assert (alert.rule, alert.action) == ("profile_violation", "alert")
    engine = Engine(profiled("protect", "/app/serve"))
    (alert,) = run(engine, "/usr/bin/sort", 0, WEB)
    assert (alert.rule, alert.action) == ("profile_violation", "block")
    assert run(engine, "/usr/bin/sort", 0) == [], "an image without a profile"


def test_a_burst_of_blocks_means_that_the_profile_is_wrong():
    engine = Engine(profiled("protect"))
    actions = [alert.action for at in range(40) for alert in run(engine, f"/usr/bin/p{at}", at, WEB)]
    assert actions[: profiles.BURST] == ["block"] * profiles.BURST
    assert set(actions[profiles.BURST :]) == {"alert"}


def bind_shell(more, parents=()):
    process = {"exe": "/bin/sh", "stdio": ["inet 203.0.113.7:4444 in"] * 3, **more}
    event = build({"event": {"kind": "exec", "container": True, "process": process, "parents": parents}})[0]
    return next(alert.severity for alert in Engine(load.system_plan()).judge(event) if alert.rule == "bind_shell")


def test_a_shell_under_a_service_is_worse_and_one_of_docker_exec_less_bad():
    assert bind_shell({}) == Severity.HIGH
    assert bind_shell({"by_exec": True}) == Severity.MEDIUM
    assert bind_shell({}, [{"exe": "/bin/sh"}, {"exe": "/usr/sbin/nginx"}]) == Severity.CRITICAL
    assert bind_shell({}, [{"exe": "/usr/sbin/nginx", "container": False}]) == Severity.HIGH, "not its own service"
