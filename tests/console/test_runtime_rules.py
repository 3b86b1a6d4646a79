"""Rules as people work with them: groups, by form, files in the editor, Falco's as they are, tests of them."""

import re

import pytest
from playwright.sync_api import Page, expect

from serving import Enrolled, alert, heartbeat

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
RULE = """- rule: console_scanner
  title: {en: A scanner of the console runs, zh: 扫描器运行}
  category: abnormal_process
  severity: high
  kinds: [exec]
  condition: container.id != host and proc.exename in (nmap)
"""
FALCO = """- macro: started
  condition: (evt.type in (execve, execveat) and evt.dir=<)

- rule: Console falco rule
  desc: A program of the test runs
  condition: started and proc.name = nmap
  output: nmap runs (command=%proc.cmdline)
  priority: WARNING
  tags: [T1046]
"""


def row(page: Page, text: str):
    return page.locator("tr.opens", has_text=text)


def typed(page: Page, text: str) -> None:
    page.get_by_label("Rules as YAML").fill(text)


def test_a_group_is_switched_off_after_one_question(open_page, served, cookie, admin):
    page = open_page(served, cookie, "/rule-groups")
    network = page.get_by_role("switch", name="Network", exact=True)
    expect(network).to_be_checked()
    network.click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("tell and stop nothing any more, on every node")
    question.get_by_role("button", name="Switch off").click()
    expect(network).not_to_be_checked()
    served.until(lambda: served.get("/rules?group=network&enabled=true", admin)["total"] == 0)
    network.click()
    expect(page.get_by_text("Network is on")).to_be_visible()
    expect(network).to_be_checked()


def test_a_rule_shows_how_it_is_written_and_when_it_fires(open_page, served, cookie):
    page = open_page(served, cookie, "/rules?category=reverse_shell")
    row(page, "Reverse shell on a network connection").locator("td").nth(1).click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("stdio_dialled_out")
    expect(drawer.get_by_text("stays silent").first).to_be_visible()
    expect(drawer.get_by_role("link", name="T1059.004 Unix Shell")).to_be_visible()
    page = open_page(served, cookie, "/rules", locale="zh-CN")
    expect(row(page, "反弹 Shell").first).to_contain_text("系统")
    page.get_by_role("tab", name="规则组").click()
    expect(page.get_by_role("switch", name="容器逃逸")).to_be_checked()


def test_a_mistake_is_named_on_its_line_and_the_file_comes_into_force(open_page, served, cookie, admin):
    page = open_page(served, cookie, "/rule-files/new")
    checked = page.locator("[data-test=checked]")
    expect(checked).to_contain_text("No errors")
    typed(page, RULE.replace("proc.exename", "proc.exenam"))
    expect(checked).to_contain_text("1 error")
    expect(page.locator(".editor-gutter .wrong")).to_have_text(re.compile("[16]"))
    checked.get_by_role("button", name=re.compile("line")).first.click()
    expect(page.get_by_label("Rules as YAML")).to_be_focused()
    typed(page, RULE)
    expect(checked).to_contain_text("A scanner of the console runs")
    expect(page.locator(".editor-gutter .wrong")).to_have_count(0)
    page.get_by_label("Name").fill("console scanners")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(r"/rule-files/rules_"))
    (made,) = [one for one in served.get("/rule-files", admin)["items"] if one["name"] == "console scanners"]
    served.until(lambda: served.get(f"/rule-files/{made['id']}", admin)["in_force"] == "all", 20)

    typed(page, RULE + "# more\n")
    page.get_by_role("menuitem", name="Waivers").click()
    expect(page.get_by_role("dialog")).to_contain_text("Leave without saving?")
    page.get_by_role("button", name="Stay").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved: 1 rule in force").last).to_be_visible()
    page.close()

    page = open_page(served, cookie, "/rule-files")
    expect(row(page, "console scanners")).to_contain_text("in force")
    page.get_by_role("switch", name="Use console scanners").click()
    expect(row(page, "console scanners")).to_contain_text("not in use")
    row(page, "console scanners").get_by_role("button", name="Delete").click()
    page.get_by_role("tooltip").get_by_role("button", name="Delete").click()
    expect(row(page, "console scanners")).to_have_count(0)


def test_a_falco_file_is_taken_as_it_is(open_page, served, cookie, tmp_path):
    file = tmp_path / "console_falco.yaml"
    file.write_text(FALCO)
    page = open_page(served, cookie, "/rule-files")
    page.locator("input[type=file]").set_input_files(file)
    expect(page).to_have_url(re.compile(r"/rule-files/rules_"))
    expect(page.locator("[data-test=checked]")).to_contain_text("Console falco rule")
    expect(page.get_by_role("radio", name="Falco")).to_be_checked()


def test_a_rule_by_form_needs_no_yaml(open_page, served, cookie, admin):
    page = open_page(served, cookie, "/user-rules")
    page.get_by_role("button", name="New simple rule").first.click()
    form = page.get_by_role("dialog")
    form.get_by_label("Rule", exact=True).fill("No curl in the shop")
    form.get_by_role("button", name="Save").click()
    expect(form).to_contain_text("Fill in one of them at least")
    program = form.get_by_label("Program")
    program.fill("curl")
    program.press("Enter")
    form.get_by_text("Block", exact=True).click()
    form.get_by_role("button", name="Save").click()
    expect(row(page, "No curl in the shop")).to_contain_text("Block")
    (made,) = served.get("/user-rules", admin)["items"]
    assert (made["process"], made["action"], made["where"]) == (["curl"], "block", "container")
    row(page, "No curl in the shop").locator("td").first.click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("proc.exename = curl")
    drawer.get_by_role("button", name="Delete").click()
    page.get_by_role("tooltip").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No simple rules yet")).to_be_visible()


def test_a_test_says_what_each_node_covers(open_page, served, cookie, admin):
    """The node answers by hand, as its agent would."""
    node = Enrolled(served, served.enrolment_token(admin), hostname="recorder", host_id="recorder")
    host = {"id": "recorder", "name": "recorder"}
    node.send(heartbeat(host=host, capabilities={"orders": ["runtime.replay"]}))
    page = open_page(served, cookie, "/rule-files/new")
    page.get_by_role("button", name="Test on the last 24 h").click()
    page.get_by_role("dialog").get_by_role("button", name="Test", exact=True).click()
    status, value = node.call("GET", "/v1/agent/orders?wait=10")
    assert status == 200
    (order,) = value["orders"]
    sample = alert(title="would have fired")[1]
    span = {"from": "2026-11-24T10:00:00.000Z", "to": "2026-11-25T10:00:00.000Z", "events": 1234, "hits": 3}
    node.send(("replay", {"test": order["args"]["test"], "alerts": [sample], **span}))
    node.send(("order", {"id": order["id"], "state": "done", "progress": 1}))
    replay = page.locator("[data-test=replay]")
    expect(replay).to_contain_text("It would have fired 3 times")
    expect(replay).to_contain_text("recorder")
    expect(replay).to_contain_text("1,234 events")
    expect(replay).to_contain_text("would have fired")
    served.call("DELETE", f"/api/v1/agents/{node.id}", token=admin)
