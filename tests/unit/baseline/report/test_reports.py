"""Every report says the same numbers; the JSON fits its schema; what was not looked at is said."""

import io
import json
from pathlib import Path

import jsonschema
import pytest

from seawall.baseline.collect.names import FACTS
from seawall.baseline.detect.evaluate import evaluate
from seawall.baseline.load import packaged
from seawall.baseline.model import Asset, Fact, Facts, Outcome
from seawall.baseline.report import FORMATS, reference
from unit.baseline.test_checks import GOOD_CONTAINER, GOOD_HOST

DOCS = Path(__file__).parents[4] / "docs/reference"
SCHEMA = json.loads((DOCS / "schemas/baseline.json").read_text())
BENCHMARK = packaged()["docker"]


def facts(kind, good, error="", **changes):
    values = {name: Fact(None, "test", error) if error else Fact(value, "test") for name, value in good.items()}
    return Facts(Asset(kind, f"{kind}-1", f"[red]{kind}", "h"), values | changes, "")


def all_outcomes():
    host = facts("docker_host", GOOD_HOST, live_restore=Fact(False, "GET /info"))
    broken = facts("container", GOOD_CONTAINER, "it ended")
    open_one = facts("container", GOOD_CONTAINER, privileged=Fact(True, "test"), seccomp_mode=Fact(0, "/proc/1/status"))
    return [result for one in (host, broken, open_one) for result in evaluate(BENCHMARK, one)]


def written(name, results):
    out = io.StringIO()
    FORMATS[name](BENCHMARK, results, out)
    return out.getvalue()


@pytest.mark.parametrize("results", [[], all_outcomes()], ids=["nothing", "all"])
def test_json_fits_its_schema(results):
    jsonschema.validate(json.loads(written("json", results)), SCHEMA)


def test_all_forms_say_the_same_numbers():
    results = all_outcomes()
    document = json.loads(written("json", results))
    assert {name for name, count in document["counts"].items() if count} == set(Outcome) - {"waived"}
    assert sum(document["counts"].values()) == len(document["results"]) == len(results)
    sums = " · ".join(f"{count} {name.replace('_', ' ')}" for name, count in document["counts"].items())
    table = written("table", results)
    assert sums in table
    assert table.count("✗ fail") == document["counts"]["fail"]
    assert table.count("? not checked") == document["counts"]["not_checked"]
    assert f"{document['rate']:.0%} of what was judged passes" in table


def test_without_a_container_section_5_does_not_vanish():
    results = list(evaluate(BENCHMARK, facts("docker_host", GOOD_HOST)))
    document = json.loads(written("json", results))
    about_containers = [check.id for check in BENCHMARK.checks if check.asset == "container"]
    assert document["without_assets"] == about_containers
    assert f"{len(about_containers)} checks had nothing to look at" in written("table", results)


def test_nothing_judged_is_no_rate():
    results = list(evaluate(BENCHMARK, facts("container", GOOD_CONTAINER, "it ended")))
    assert json.loads(written("json", results))["rate"] is None
    assert "Nothing could be judged" in written("table", results)


def test_markup_in_a_name_stays_text():
    assert "[red]container" in written("table", all_outcomes())


def test_what_others_wrote_does_not_move_the_cursor():
    results = list(evaluate(BENCHMARK, facts("container", GOOD_CONTAINER, "\x1b[2J\u202eall is well")))
    table = written("table", results)
    assert "\x1b" not in table
    assert "\u202e" not in table
    assert "all is well" in table


def test_the_reference_is_current():
    assert (DOCS / "checks.md").read_text() == reference.text(), "make it anew: see report/reference.py"


def test_every_fact_is_looked_at_or_told():
    used = {name for check in BENCHMARK.checks for name in _named(check)}
    known = {name for names in FACTS.values() for name in names}
    assert used == known - {"version"}


def _named(check):
    from seawall.baseline.detect.expression import leaves

    return {
        *check.probe["facts"],
        *(leaf["fact"] for part in (check.expect, check.applies_if) for leaf in leaves(part)),
    }
