"""The Docker baseline from the console: run, results by check and by asset with evidence, a waiver and its undo."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from conftest import docker_cli
from seawall.core.clock import now
from serving import Enrolled, heartbeat

pytestmark = [pytest.mark.browser, pytest.mark.docker, pytest.mark.timeout(420), pytest.mark.usefixtures("agent")]
NAME = "seawall-console-baseline"


@pytest.fixture(scope="module")
def container(bash_image: str) -> Iterator[str]:
    """One that breaks a rule on purpose: it shares the host's UTS namespace."""
    docker_cli("run", "-d", "--rm", "--name", NAME, "--network", "none", "--uts", "host", bash_image, "sleep", "600")
    yield docker_cli("inspect", "-f", "{{.Id}}", NAME)
    docker_cli("rm", "-f", NAME)


@pytest.fixture(scope="module")
def alone(served, admin: str, agent: str) -> None:
    """The agent of this host is the only one: nodes that other tests made by hand would be asked, and never answer."""
    for one in served.get("/agents?limit=500", admin)["items"]:
        if one["id"] != agent:
            assert served.call("DELETE", f"/api/v1/agents/{one['id']}", token=admin)[0] == 204


def count_of(page: Page, outcome: str) -> int:
    return int(page.locator(f"[data-test=benchmark] .legend a[href$='sort=-{outcome}'] b").inner_text())


@pytest.mark.usefixtures("alone", "calm")
def test_run_and_results(open_page, served, admin, cookie, container):
    page = open_page(served, cookie, "/baseline")
    head = page.locator("[data-test=benchmark]")
    expect(head).to_contain_text("Not run yet")
    expect(head.locator(".figure")).to_have_text("–")
    page.get_by_role("button", name="Run now").click()
    expect(head).to_contain_text("judged passed", timeout=90_000)
    expect(page.get_by_role("button", name="Run now")).to_be_enabled(timeout=60_000)

    (benchmark,) = served.get("/baselines", admin)["items"]
    counts = benchmark["counts"]
    expect(head).to_contain_text(f"{counts['pass']} of {counts['pass'] + counts['fail']} judged passed")
    assert (count_of(page, "pass"), count_of(page, "fail")) == (counts["pass"], counts["fail"])
    assert count_of(page, "not_checked") == counts["not_checked"]
    expect(head).to_contain_text("not assessed")

    failing = served.get(f"/baselines/docker/results?asset_id={container}&outcome=fail", admin)["items"]
    assert failing, "a container that shares the host's UTS namespace fails"
    uts = next(one for one in failing if one["check"] == "docker-5.21")

    page.get_by_role("tab", name="By asset").click()
    expect(page).to_have_url(re.compile("by=asset"))
    row = page.locator(f'tr[data-row-key="{container}"]')
    expect(row).to_contain_text(NAME)
    row.click()
    drawer = page.get_by_role("dialog")
    first = drawer.locator("[data-outcome=fail]", has_text=uts["title"]["en"])
    expect(first).to_contain_text(uts["evidence"][-1]["where"])
    expect(first).to_contain_text("host")
    first.get_by_role("link", name=uts["title"]["en"]).click()
    expect(page).to_have_url(re.compile(f"/baseline/docker/checks/{uts['check']}"))
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("Why it matters")
    expect(drawer).to_contain_text("cis-docker")
    mine = drawer.locator(".result", has_text=NAME)
    expect(mine).to_have_attribute("data-outcome", "fail")

    mine.get_by_role("button", name="Waive").click()
    ask = page.get_by_role("dialog", name=re.compile("^Waive:"))
    ask.get_by_role("button", name="Waive").click()
    expect(ask).to_contain_text("At least three characters")
    ask.get_by_label("Reason").fill("A test container on purpose")
    ask.get_by_role("button", name="Waive").click()
    expect(mine).to_have_attribute("data-outcome", "waived")
    expect(mine).to_contain_text("A test container on purpose")
    after = served.get("/baselines", admin)["items"][0]["counts"]
    assert (after["waived"], after["pass"]) == (counts["waived"] + 1, counts["pass"]), "waived is no pass"
    page.get_by_role("button", name="Undo").click()
    expect(mine).to_have_attribute("data-outcome", "fail")


def test_what_is_not_checked_says_why(open_page, served, admin, cookie):
    node = Enrolled(served, served.enrolment_token(admin), hostname="half-read", host_id="half-read")
    asset = {"kind": "container", "id": "d" * 64, "name": "hidden", "host": "half-read"}
    unread = {"value": None, "where": "GET /containers/ID/json .HostConfig.Privileged", "error": "permission denied"}
    node.send(
        heartbeat(host={"id": "half-read", "name": "half-read"}),
        ("facts", {"asset": asset, "facts": {"privileged": unread}, "collected_at": now()}),
    )
    page = open_page(served, cookie, "/baseline?by=asset&q=hidden")
    row = page.locator(f'tr[data-row-key="{asset["id"]}"]')
    expect(row).to_contain_text("100 % not assessed")
    row.click()
    drawer = page.get_by_role("dialog")
    expect(drawer.locator("[data-outcome=pass], [data-outcome=fail]")).to_have_count(0)
    one = drawer.locator("[data-outcome=not_checked]", has_text="The container is not privileged")
    expect(one).to_contain_text("Not checked")
    expect(one).to_contain_text("privileged: permission denied")


def test_in_chinese(open_page, served, cookie):
    page = open_page(served, cookie, "/baseline", locale="zh-CN", color_scheme="dark")
    expect(page.get_by_role("heading", name="安全基线")).to_be_visible()
    expect(page.get_by_role("tab", name="按资产")).to_be_visible()
    expect(page.locator("[data-test=benchmark]")).to_contain_text("未评估")
