"""What is done about an alert: tried first, asked once, its result in words, the way back. And profiles of images."""

import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from conftest import docker_cli
from inside import whole
from serving import Enrolled, alert, heartbeat

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
ORDERS = ["response.process", "response.container", "response.file"]
NAME = "seawall-console-paused"
DIGEST = "sha256:" + "d" * 64


@pytest.fixture(scope="module")
def node(served, admin) -> Iterator[Enrolled]:
    """A node that answers its orders by hand."""
    made = Enrolled(served, served.enrolment_token(admin), hostname="answers", host_id="answers")
    made.send(heartbeat(host={"id": "answers", "name": "answers"}, capabilities={"orders": ORDERS}))
    yield made
    served.call("DELETE", f"/api/v1/agents/{made.id}", token=admin)


def answer(node: Enrolled, result: dict[str, Any], state: str = "done") -> dict[str, Any]:
    """Take the next order and report it; the order."""
    status, value = node.call("GET", "/v1/agent/orders?wait=15")
    assert status == 200 and len(value["orders"]) == 1, value
    (order,) = value["orders"]
    node.send(("order", {"id": order["id"], "state": state, "progress": 1, "result": result}))
    return order["args"]


def row(page: Page, text: str):
    return page.locator("tr.opens", has_text=text)


def respond(page: Page, title: str, action: str) -> None:
    row(page, title).locator("td").nth(2).click()
    page.get_by_role("dialog").get_by_role("button", name="Respond").click()
    page.get_by_role("menuitem", name=action).click()


def test_isolating_is_tried_asked_done_and_taken_back(open_page, served, cookie, admin, node):
    container = {"id": "1" * 64, "name": "to-isolate", "image": "x"}
    node.send(alert(title="isolate this one", container=container))
    page = open_page(served, cookie, "/alerts?q=isolate+this")
    respond(page, "isolate this one", "Isolate the network")
    ask = page.get_by_role("dialog", name="Isolate the network")
    expect(ask).to_contain_text("to-isolate keeps running, but can reach nobody")
    go = ask.get_by_role("button", name="Isolate the network")
    expect(go).to_be_disabled()
    tried = answer(node, {"result": "would", "means": "nftables"})
    assert (tried["action"], tried["dry_run"]) == ("isolate", True)
    expect(ask.locator("[data-test=respond-state]")).to_contain_text("The container can be isolated")
    go.click()
    done = answer(node, {"result": "done", "means": "nftables", "undo": {"action": "release"}})
    assert (done["container"], bool(done.get("dry_run"))) == ("1" * 64, False)
    expect(ask.locator("[data-test=respond-state]")).to_contain_text("The container is cut off")
    expect(ask.locator("[data-test=respond-state]")).to_contain_text("by nftables in the container's network")
    ask.get_by_role("button", name="Close").last.click()

    page = open_page(served, cookie, "/responses")
    expect(row(page, "to-isolate")).to_contain_text("The container is cut off")
    row(page, "to-isolate").get_by_role("button", name="Release").click()
    assert answer(node, {"result": "done", "means": "nftables"})["action"] == "release"
    expect(page.get_by_text("No container is isolated")).to_be_visible()
    page.get_by_role("tab", name="All").click()
    expect(row(page, "Release")).to_contain_text("The container has its network again")
    expect(page.locator("tr.opens", has_text="dry run")).to_contain_text("Isolate the network")
    page = open_page(served, cookie, "/responses?view=responses", locale="zh-CN")
    expect(row(page, "解除隔离")).to_contain_text("容器网络已恢复")


def test_why_it_cannot_be_done_is_said_before_anything_happens(open_page, served, cookie, node):
    container = {"id": "2" * 64, "name": "on-the-host-net", "image": "x"}
    node.send(alert(title="shares the host", container=container))
    page = open_page(served, cookie, "/alerts?q=shares+the+host")
    respond(page, "shares the host", "Isolate the network")
    answer(node, {"result": "failed", "reason": "shared_host", "means": ""}, "failed")
    ask = page.get_by_role("dialog", name="Isolate the network")
    expect(ask).to_contain_text("It shares the host's network: isolating it would cut off the host")
    expect(ask.get_by_role("button", name="Isolate the network")).to_be_disabled()


@pytest.mark.docker
@pytest.mark.kernel
@pytest.mark.skipif(os.geteuid() != 0, reason="loads eBPF programs: needs root")
@pytest.mark.usefixtures("agent")
def test_a_container_is_paused_for_real_and_goes_on(open_page, served, cookie, admin, bash_image):
    docker_cli("run", "-d", "--rm", "--name", NAME, bash_image, "sleep", "600")
    try:
        container = docker_cli("inspect", "-f", "{{.Id}}", NAME)
        served.until(lambda: served.get(f"/containers?id={container}", admin)["total"] == 1, 30)
        page = open_page(served, cookie, f"/containers/{container}")
        page.get_by_role("dialog").get_by_role("button", name="Respond").click()
        page.get_by_role("menuitem", name="Pause the container").click()
        ask = page.get_by_role("dialog", name="Pause the container")
        expect(ask).to_contain_text("The container can be paused")
        assert docker_cli("inspect", "-f", "{{.State.Status}}", NAME) == "running"
        ask.get_by_role("button", name="Pause the container").click()
        expect(ask).to_contain_text("The container stands still")
        assert docker_cli("inspect", "-f", "{{.State.Status}}", NAME) == "paused"
        ask.get_by_role("button", name="Resume").click()
        expect(ask).to_contain_text("The container goes on")
        assert docker_cli("inspect", "-f", "{{.State.Status}}", NAME) == "running"
    finally:
        subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)


def test_a_profile_goes_from_learning_to_watching(open_page, served, cookie, admin, node):
    seen = {"first_seen": "2026-11-25T08:00:00.000Z", "last_seen": "2026-11-25T09:00:00.000Z", "count": 3}
    programs = [{"path": path, "parent": "/bin/sh", **seen} for path in ("/usr/bin/node", "/bin/sh")]
    node.send(("snapshot", whole("images", [{"id": DIGEST, "name": "shop/console:1", "digest": DIGEST, "size": 1}])))
    node.send(("profile", {"image_digest": DIGEST, "image": "shop/console:1", "programs": programs}))
    page = open_page(served, cookie, "/profiles")
    expect(row(page, "shop/console:1")).to_contain_text("Discover")
    row(page, "shop/console:1").locator("td").first.click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("2 programs")
    expect(drawer).to_contain_text("/usr/bin/node")
    drawer.get_by_role("button", name="Promote to Monitor").click()
    page.get_by_role("tooltip").get_by_role("button", name="Promote to Monitor").click()
    expect(drawer).to_contain_text("Alerts on every program that is not in the profile")
    expect(row(page, "shop/console:1")).to_contain_text("Monitor")
    drawer.get_by_role("textbox", name="Add a program").fill("/usr/bin/curl")
    drawer.get_by_role("button", name="Add a program").click()
    expect(drawer.locator("tr", has_text="/usr/bin/curl")).to_contain_text("by hand")
    drawer.get_by_role("checkbox", name="/bin/sh", exact=True).check()
    drawer.get_by_role("button", name="Remove 1").click()
    page.get_by_role("tooltip").get_by_role("button", name="Remove").click()
    expect(drawer).to_contain_text("2 programs")
    expect(drawer.get_by_role("checkbox", name="/bin/sh", exact=True)).to_have_count(0)
    (profile,) = served.get("/profiles?image=shop/console:1", admin)["items"]
    held = served.get(f"/profiles/{profile['id']}", admin)
    assert {one["path"] for one in held["programs"]} == {"/usr/bin/node", "/usr/bin/curl"}
    assert held["mode"] == "monitor"
    page = open_page(served, cookie, "/profiles", locale="zh-CN")
    expect(row(page, "shop/console:1")).to_contain_text("监控")
