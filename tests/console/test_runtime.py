"""The runtime room's engines: each on a page of its own, what needs somebody, one alert with all that belongs to it."""

import re

import pytest
from playwright.sync_api import Page, expect

from serving import Enrolled, alert, heartbeat
from visiting import log_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
WEB = {"id": "e" * 64, "name": "engine-web", "image": "shop/web:1", "image_id": "sha256:1", "image_digest": ""}
PEER = {"family": "inet", "host": "203.0.113.9", "port": 4444}
DIALLED = {"kind": "exec", "result": 0, "stdio": [{"fd": 0, "type": "inet", "peer": PEER, "outgoing": True}]}
ENGINES = {
    "escape": (
        "Container escape",
        "容器逃逸",
        "Way out",
        {"kind": "connect", "peer": {"family": "unix", "path": "/x"}},
    ),
    "reverse-shell": ("Reverse shell", "反弹 Shell", "Peer", DIALLED),
    "abnormal-process": ("Abnormal process", "异常进程", "Command line", {"kind": "exec"}),
    "file-tampering": (
        "File tampering",
        "文件篡改",
        "How changed",
        {"kind": "open", "file": {"path": "/etc/cron.d/x"}},
    ),
    "risky-syscall": (
        "High-risk syscall",
        "高危系统调用",
        "System call",
        {"kind": "call", "syscall": "bpf", "result": -1},
    ),
    "malware": (
        "Malware",
        "恶意文件",
        "SHA-256",
        {"kind": "scan", "sample": {"sha256": "9" * 64, "verdict": "malicious"}},
    ),
    "network": ("Network", "网络", "Peer", {"kind": "send", "dns": {"name": "bad.example.org"}}),
}
SEEN = {
    "escape": "Runtime API",
    "reverse-shell": "203.0.113.9:4444",
    "abnormal-process": "bash -i",
    "file-tampering": "/etc/cron.d/x",
    "risky-syscall": "EPERM",
    "malware": "9999999999999999",
    "network": "bad.example.org",
}


@pytest.fixture(scope="module")
def node(served, admin) -> Enrolled:
    made = Enrolled(served, served.enrolment_token(admin), hostname="engines", host_id="engines")
    made.send(heartbeat(host={"id": "engines", "name": "engines"}))
    return made


@pytest.fixture(scope="module")
def one_each(node) -> None:
    """An alert of every engine, of one container."""
    process = {"pid": 42, "exe": "/bin/bash", "name": "bash", "args": ["bash", "-i"], "user": "root", "cwd": "/srv"}
    shim = {"pid": 7, "exe": "/usr/bin/containerd-shim", "name": "containerd-shim", "args": [], "in_container": False}
    node.send(
        *(
            alert(
                title=f"engine {place}",
                title_zh=f"引擎 {place}",
                category=place.replace("-", "_"),
                rule="runtime_socket_used" if place == "escape" else "reverse_shell_socket",
                container=WEB,
                process=process,
                ancestors=[shim],
                evidence=evidence,
                mitre=["T1611"],
                why="because it is bad",
                advice="look at it",
            )
            for place, (_, _, _, evidence) in ENGINES.items()
        )
    )


def row(page: Page, text: str):
    return page.locator("tr.opens", has_text=text)


@pytest.mark.parametrize("place", ENGINES)
@pytest.mark.usefixtures("one_each")
def test_each_engine_has_its_page_with_its_columns(open_page, served, cookie, place):
    english, chinese, column, _ = ENGINES[place]
    page = open_page(served, cookie)
    entry = page.get_by_role("menuitem", name=english)
    expect(entry.locator(".menu-count")).to_have_text(re.compile(r"\d"))
    entry.click()
    expect(page).to_have_url(re.compile(rf"/runtime/{place}\?state=new"))
    expect(page.get_by_role("heading", name=english, exact=True)).to_be_visible()
    expect(page.get_by_role("columnheader", name=column)).to_be_visible()
    expect(row(page, f"engine {place}")).to_contain_text(SEEN[place])
    page.locator("[data-test=language]").click()
    page.get_by_role("menuitem", name="中文").click()
    expect(page.get_by_role("heading", name=chinese, exact=True)).to_be_visible()
    expect(row(page, f"引擎 {place}")).to_be_visible()


@pytest.mark.usefixtures("one_each")
def test_what_needs_somebody_is_counted_and_leads_there(open_page, served, cookie, node):
    page = open_page(served, cookie, "/runtime/malware?state=new")
    now = page.locator("[data-test=now]")
    expect(now).to_contain_text("1 new alert")
    expect(now.get_by_role("link", name="engine-web")).to_be_visible()
    node.send(
        alert(
            title="second malware", category="malware", severity="high", result="blocked", action="block", container=WEB
        )
    )
    expect(now).to_contain_text("2 new alerts")
    now.get_by_role("link", name="1 Blocked").click()
    expect(page).to_have_url(re.compile(r"/runtime/malware\?state=new&result=blocked"))
    expect(page.locator("tr.opens")).to_have_count(1)

    page.get_by_role("checkbox", name="Select all").check()
    page.get_by_role("button", name="Mark handled", exact=True).click()
    expect(page.get_by_text("Nothing matches these filters")).to_be_visible()
    page.get_by_role("tab", name="Handled").click()
    expect(row(page, "second malware")).to_be_visible()
    expect(now).to_contain_text("1 new alert")


@pytest.mark.usefixtures("one_each")
def test_one_alert_tells_who_where_what_and_what_else(open_page, served, cookie):
    page = open_page(served, cookie, "/runtime/reverse-shell?state=new")
    row(page, "engine reverse-shell").locator("td").nth(2).click()
    expect(page).to_have_url(re.compile(r"/runtime/reverse-shell/[\w-]+\?state=new"))
    drawer = page.get_by_role("dialog")
    sentence = drawer.locator("[data-test=sentence]")
    expect(sentence).to_contain_text("bash as root in engine-web: handed its input and output to 203.0.113.9:4444.")
    expect(sentence).to_contain_text("nothing was stopped")
    expect(drawer.locator("[data-test=chain] li").first).to_contain_text("outside the container")
    expect(drawer.locator("[data-test=chain] li").last).to_contain_text("in /srv")
    technique = drawer.get_by_role("link", name="T1611 Escape to Host")
    expect(technique).to_have_attribute("href", "https://attack.mitre.org/techniques/T1611/")
    timeline = drawer.locator("[data-test=timeline]")
    expect(timeline.locator(".this")).to_contain_text("engine reverse-shell")
    timeline.get_by_role("link", name="engine escape").click()
    expect(drawer).to_contain_text("connected to /x")
    drawer.get_by_role("button", name="Close").click()
    expect(page).to_have_url(re.compile(r"/runtime/reverse-shell\?state=new"))


@pytest.mark.usefixtures("one_each")
def test_a_waiver_is_seen_before_it_is_made_and_taken_back(open_page, served, cookie, admin):
    page = open_page(served, cookie, "/runtime/file-tampering?q=engine")
    row(page, "engine file-tampering").locator("td").nth(2).click()
    page.get_by_role("dialog").get_by_role("button", name="Waive").click()
    ask = page.get_by_role("dialog", name="Do not tell me of this again")
    foreseen = ask.locator("[data-test=foreseen]")
    expect(foreseen).to_contain_text("It would have silenced 1 occurrence")
    expect(foreseen).to_contain_text("engine file-tampering")
    ask.get_by_text("/etc/cron.d/x").click()
    ask.get_by_text("/bin/bash").click()
    ask.get_by_text("shop/web:1").click()
    expect(ask).to_contain_text("This silences the rule everywhere")
    expect(foreseen).not_to_contain_text("It would have silenced 1 occurrence")
    ask.get_by_text("/etc/cron.d/x").click()
    ask.get_by_role("button", name="Waive").click()
    expect(ask).to_contain_text("A waiver needs a reason")
    ask.get_by_label("Reason").fill("our own deployment writes it")
    ask.get_by_text("7 days", exact=True).click()
    ask.get_by_role("button", name="Waive").click()
    expect(page.get_by_text("It ends by itself on")).to_be_visible()
    (made,) = served.get("/waivers", admin)["items"]
    assert made["fields"] == {"fd.name": "/etc/cron.d/x"}
    assert (made["owner"], made["reason"]) == ("admin", "our own deployment writes it")

    page = open_page(served, cookie, "/waivers")
    title = served.get(f"/rules/{made['rules'][0]}", admin)["title"]["en"] if made["titles"] else made["rules"][0]
    expect(row(page, "our own deployment")).to_contain_text(title)
    row(page, "our own deployment").locator("td").nth(2).click()
    drawer = page.get_by_role("dialog", name="Waiver", exact=True)
    expect(drawer).to_contain_text("admin")
    expect(drawer.locator("[data-test=foreseen]")).to_contain_text("engine file-tampering")
    drawer.get_by_role("button", name="Change").click()
    edit = page.get_by_role("dialog", name="Change")
    edit.get_by_label("Reason").fill("still our own deployment")
    edit.get_by_text("no end").click()
    edit.get_by_role("button", name="Save").click()
    expect(drawer).to_contain_text("still our own deployment")
    assert served.get(f"/waivers/{made['id']}", admin)["expires_at"] is None
    drawer.get_by_role("button", name="Take back").click()
    page.get_by_role("tooltip").get_by_role("button", name="Take back").click()
    expect(page.get_by_text("Nothing is waived")).to_be_visible()
    assert served.get("/waivers", admin)["total"] == 0


def test_a_node_that_does_not_see_is_said_where_alerts_are_read(open_page, served, cookie, admin):
    blind = Enrolled(served, served.enrolment_token(admin), hostname="blind-one", host_id="blind-one")
    sensor = {"state": "off", "reason": "the kernel has no BTF", "programs": [], "events": 0, "dropped": {}}
    host = {"id": "blind-one", "name": "blind-one"}
    protection = {"level": 0, "means": {"exec": "none"}, "reasons": {"lsm": "not in the kernel"}, "enforce": False}
    blind.send(heartbeat(host=host, sensor=sensor, protection=protection))
    page = open_page(served, cookie, "/runtime/escape")
    expect(page.locator("[data-test=watch]")).to_contain_text("blind-one: blind, the sensor is off")
    page.locator("[data-test=watch]").get_by_role("link", name="blind-one").click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("Nothing is seen on this node")
    expect(drawer).to_contain_text("not in the kernel")
    drawer.get_by_role("button", name="Close").click()
    expect(row(page, "blind-one")).to_contain_text("Blind")
    served.call("DELETE", f"/api/v1/agents/{blind.id}", token=admin)


@pytest.mark.usefixtures("one_each")
def test_a_viewer_of_the_room_changes_nothing(open_page, served, admin):
    body = {"name": "onlooker", "password": "first of the onlooker", "role": "viewer"}
    assert served.call("POST", "/api/v1/users", body, admin)[0] == 201
    cookie = log_in(served, "onlooker", "first of the onlooker")
    page = open_page(served, cookie, "/runtime/escape?q=engine")
    row(page, "engine escape").locator("td").nth(2).click()
    drawer = page.get_by_role("dialog")
    expect(drawer.locator("[data-test=sentence]")).to_be_visible()
    for name in ("Mark handled", "Waive", "Respond"):
        expect(drawer.get_by_role("button", name=name)).to_have_count(0)
    page = open_page(served, cookie, "/runtime/settings")
    expect(page.get_by_text("Administrators change these.")).to_be_visible()
    expect(page.get_by_role("switch", name="Enforcing")).to_be_disabled()
    page = open_page(served, cookie, "/rule-groups")
    expect(page.get_by_role("switch", name="Reverse shells")).to_be_disabled()


def test_enforcing_is_asked_once_and_noted(open_page, served, cookie, admin):
    page = open_page(served, cookie, "/runtime/settings")
    enforcing = page.get_by_role("switch", name="Enforcing")
    enforcing.click()
    page.get_by_role("dialog").get_by_role("button", name="Switch on").click()
    expect(enforcing).to_be_checked()
    assert served.get("/runtime/settings", admin)["enforce"] is True
    expect(page.locator("tr", has_text="settings/change").first).to_contain_text("enforce")
    enforcing.click()
    expect(enforcing).not_to_be_checked()
    page = open_page(served, cookie, "/runtime/settings", locale="zh-CN", color_scheme="dark")
    expect(page.get_by_role("heading", name="运行时设置")).to_be_visible()
    expect(page.get_by_role("heading", name="变更审计")).to_be_visible()
