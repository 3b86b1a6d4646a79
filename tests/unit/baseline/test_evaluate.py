"""From facts to verdicts: every outcome, and what each needs."""

import pytest

from seawall.baseline.detect.evaluate import MAX_EVIDENCE, counts, evaluate, judge, rate
from seawall.baseline.model import Asset, Benchmark, Check, Fact, Facts, Outcome, Waiver
from seawall.core.severity import Severity

TEXT = {"en": "x", "zh": "x"}
ASSET = Asset("container", "c" * 64, "web-1", "host-1")


def a_check(**fields):
    values = {"probe": {"facts": ["limit"]}, "expect": {"fact": "limit", "at_least": 1}, "level": 1, "why": TEXT}
    return Check("t-1", TEXT, "container", Severity.HIGH, **{**values, **fields})


def facts(**values):
    known = {name: value if isinstance(value, Fact) else Fact(value, f"at {name}") for name, value in values.items()}
    return Facts(ASSET, known, "2026-01-01T00:00:00.000Z")


def waiver(**fields):
    values = {"selector": {}, "owner": "ops", "reason": "agreed", "expires_at": "2026-06-01T00:00:00.000Z"}
    return Waiver("w", "t-1", **{**values, **fields})


def test_a_pass_and_a_failure_show_what_was_seen():
    passed, failed = judge(a_check(), facts(limit=5)), judge(a_check(), facts(limit=0))
    assert (passed.outcome, failed.outcome) == (Outcome.PASS, Outcome.FAIL)
    assert failed.evidence == ({"fact": "limit", "where": "at limit", "value": 0},)


def test_what_was_not_collected_is_not_checked():
    result = judge(a_check(), facts())
    assert result.outcome is Outcome.NOT_CHECKED
    assert result.reason == "limit was not collected"


def test_what_could_not_be_read_is_not_checked_and_says_why():
    result = judge(a_check(), facts(limit=Fact(None, "GET /info", "the daemon hangs")))
    assert result.outcome is Outcome.NOT_CHECKED
    assert result.reason == "limit: the daemon hangs"


def test_a_declared_failure_counts_though_the_truth_is_not_known():
    both = {"all": [{"fact": "limit", "at_least": 1}, {"fact": "real", "is": True}]}
    result = judge(a_check(expect=both), facts(limit=0, real=Fact(None, "/proc", "gone")))
    assert result.outcome is Outcome.FAIL


def test_a_right_declaration_is_no_pass_while_the_truth_is_not_known():
    both = {"all": [{"fact": "limit", "at_least": 1}, {"fact": "real", "is": True}]}
    result = judge(a_check(expect=both), facts(limit=1, real=Fact(None, "/proc", "gone")))
    assert result.outcome is Outcome.NOT_CHECKED


def test_what_does_not_apply_is_not_judged():
    check = a_check(applies_if={"fact": "lsm", "is": True})
    assert judge(check, facts(limit=0, lsm=False)).outcome is Outcome.NOT_APPLICABLE
    assert judge(check, facts(limit=0, lsm=True)).outcome is Outcome.FAIL
    assert judge(check, facts(limit=0)).outcome is Outcome.NOT_CHECKED


def test_a_person_judges_with_evidence_or_not_at_all():
    check = a_check(manual=True, expect={})
    assert judge(check, facts(limit=3)).outcome is Outcome.MANUAL
    assert judge(check, facts(limit=3)).evidence[0]["value"] == 3
    assert judge(check, facts()).outcome is Outcome.NOT_CHECKED


@pytest.mark.parametrize(
    ("selector", "covers"),
    [({}, True), ({"name": "web-*"}, True), ({"name": "db-*"}, False), ({"host": "host-1", "kind": "container"}, True)],
)
def test_a_waiver_covers_what_it_selects(selector, covers):
    bench = Benchmark("t", TEXT, "1", (a_check(),))
    (result,) = evaluate(bench, facts(limit=0), [waiver(selector=selector)], "2026-05-01T00:00:00.000Z")
    assert result.outcome is (Outcome.WAIVED if covers else Outcome.FAIL)
    assert ("ops: agreed" in result.reason) is covers


def test_a_waiver_ends():
    bench = Benchmark("t", TEXT, "1", (a_check(),))
    (result,) = evaluate(bench, facts(limit=0), [waiver()], "2026-06-02T00:00:00.000Z")
    assert result.outcome is Outcome.FAIL


def test_only_failures_can_be_waived():
    bench = Benchmark("t", TEXT, "1", (a_check(),))
    (result,) = evaluate(bench, facts(), [waiver()], "2026-05-01T00:00:00.000Z")
    assert result.outcome is Outcome.NOT_CHECKED


def test_checks_about_other_assets_are_not_asked():
    assert not list(evaluate(Benchmark("t", TEXT, "1", (a_check(),)), Facts(Asset("docker_host", "d", "d"), {}, "")))


def test_the_rate_is_of_what_was_judged():
    results = [judge(a_check(), facts(limit=n)) for n in (1, 1, 1, 0)] + [judge(a_check(), facts())]
    found = counts(results)
    assert found == {"pass": 3, "fail": 1, "manual": 0, "not_applicable": 0, "not_checked": 1, "waived": 0}
    assert rate(found) == 0.75
    assert rate(dict.fromkeys(found, 0)) is None


def test_evidence_is_bounded():
    check = a_check(expect={"fact": "limit", "none": {"field": "x", "is": 1}})
    result = judge(check, facts(limit=[{"x": 1}] * 10_000))
    assert len(result.evidence) <= MAX_EVIDENCE + 2
    assert len(str(result.evidence)) < 4000
