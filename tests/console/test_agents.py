"""Agents as an administrator sees them: how they are, how to add one, how to be rid of one."""

import os
import re

import pytest
from playwright.sync_api import expect

from serving import Enrolled, heartbeat

pytestmark = pytest.mark.browser


@pytest.mark.docker
@pytest.mark.kernel
@pytest.mark.skipif(os.geteuid() != 0, reason="loads eBPF programs: needs root")
def test_the_agent_of_this_host_says_how_it_is(open_page, served, admin, cookie, agent):
    known = served.get(f"/agents/{agent}", admin)
    page = open_page(served, cookie, "/agents?state=online")
    row = page.locator(f'tr[data-row-key="{agent}"]')
    expect(row).to_contain_text(known["name"])
    expect(row).to_contain_text("Online")
    expect(row).to_contain_text(re.compile(r"\d MB"))
    row.click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("On")
    expect(drawer).to_contain_text(", ".join(known["sensor"]["programs"][:2]))
    expect(drawer).to_contain_text("of one core (at most 5 %)")
    # Told with the second heartbeat, half a minute after the first.
    expect(drawer).to_contain_text("docker ✓", timeout=60_000)


def test_a_blind_agent_says_why(open_page, served, admin, cookie):
    node = Enrolled(served, served.enrolment_token(admin), hostname="no-btf", host_id="no-btf")
    sensor = {
        "state": "off",
        "reason": "the kernel has no BTF",
        "programs": [],
        "events": 0,
        "dropped": {"critical": 9},
    }
    node.send(
        heartbeat(host={"id": "no-btf", "name": "no-btf"}, sensor=sensor, degrade=2, degrade_reason="CPU of the node")
    )
    page = open_page(served, cookie, f"/agents/{node.id}")
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("Blind")
    expect(drawer).to_contain_text("the kernel has no BTF")
    expect(drawer).to_contain_text("CPU of the node")


def test_why_no_better_protection_is_told_in_the_readers_language(open_page, served, admin, cookie):
    node = Enrolled(served, served.enrolment_token(admin), hostname="reasons", host_id="reasons")
    reasons = {
        "lsm": "the kernel refused lsm.old.o: Operation not permitted",
        "fanotify": "the gate did not answer in time; it is tried again after 10 s",
        "docker": "something that nobody has translated",
    }
    means = {"exec": "signal", "file": "signal", "network": "none", "container": "none", "quarantine": False}
    protection = {"level": 1, "means": means, "reasons": reasons, "enforce": True}
    node.send(heartbeat(host={"id": "reasons", "name": "reasons"}, protection=protection))
    page = open_page(served, cookie, f"/agents/{node.id}", locale="zh-CN")
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("内核不接受（Operation not permitted）")
    expect(drawer).to_contain_text("守护进程未及时应答，10 秒后重试")
    expect(drawer).to_contain_text("something that nobody has translated")
    drawer = open_page(served, cookie, f"/agents/{node.id}").get_by_role("dialog")
    expect(drawer).to_contain_text("the guard did not answer in time; it is tried again after 10 s")


def test_the_command_for_one_more_works(open_page, served, admin, cookie):
    page = open_page(served, cookie, "/agents")
    page.get_by_role("button", name="Install one more").click()
    page.get_by_role("button", name="Make the command").click()
    command = page.locator("[data-test=install-command]")
    expect(command).to_contain_text("seawall-agent.sh --server https://127.0.0.1")
    expect(page.get_by_text("The token is good until")).to_be_visible()
    command.get_by_role("button", name="Copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    token = re.search(r"--token (\S+)", copied).group(1)
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    Enrolled(served, token, hostname="one-more", host_id="one-more")
    expect(page.locator("tr.opens", has_text="one-more")).to_be_visible()


def test_deleting_asks_once_and_refuses_the_certificate(open_page, served, admin, cookie):
    node = Enrolled(served, served.enrolment_token(admin), hostname="leaver", host_id="leaver")
    page = open_page(served, cookie, f"/agents/{node.id}")
    page.get_by_role("button", name="Delete agent").click()
    question = page.get_by_role("tooltip")
    expect(question).to_contain_text("Its certificate is refused at once")
    question.get_by_role("button", name="Delete agent").click()
    expect(page.get_by_text("leaver is deleted")).to_be_visible()
    expect(page.locator("tr.opens", has_text="leaver")).to_have_count(0)
    assert node.call("GET", "/v1/agent/orders?wait=0")[0] == 403
