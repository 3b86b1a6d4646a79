"""Indicators as people work with them: one of one's own, a list brought, one of it allowed, the list gone again."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
LIST = "# Botnet C2\n45.9.148.61\n45.9.148.62\n45.9.148.63\nevil-console.example\n45.9.149.0/25\nno indicator at all\n"


def row(page: Page, text: str):
    return page.locator("tbody tr", has_text=text)


def test_an_entry_of_ones_own_is_added_with_an_end_and_removed(open_page, served, cookie, admin):
    page = open_page(served, cookie, "/indicators", complaints=False)  # a refusal is one of the browser's complaints
    page.get_by_role("button", name="Add an indicator").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Indicator").fill("nonsense")
    dialog.locator(".ant-btn-primary").click()
    expect(dialog).to_contain_text("no address, network, domain or SHA-256")
    dialog.get_by_label("Indicator").fill("198.51.100.77")
    dialog.get_by_label("Until").click()
    page.get_by_title("30 days").click()
    dialog.get_by_label("Note").fill("seen by the console")
    dialog.locator(".ant-btn-primary").click()
    expect(dialog).to_be_hidden()
    expect(row(page, "198.51.100.77")).to_contain_text("Blocked")
    [entry] = served.get("/indicators?own=true&q=198.51.100.77", admin)["items"]
    assert (entry["about"], bool(entry["expires_at"])) == ("seen by the console", True)
    page.get_by_role("button", name="Remove 198.51.100.77").click()
    page.get_by_role("button", name="Remove", exact=True).last.click()
    expect(row(page, "198.51.100.77")).to_have_count(0)
    assert served.get("/indicators?own=true&q=198.51.100.77", admin)["total"] == 0


def test_a_list_is_brought_one_of_it_allowed_and_the_list_removed(open_page, served, cookie, admin, tmp_path):
    file = tmp_path / "console-c2.txt"
    file.write_text(LIST)
    page = open_page(served, cookie, "/indicators")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import a list").click()
    chooser.value.set_files(file)
    expect(page.get_by_text("console-c2: 5 indicators; 1 lines are none")).to_be_visible()
    page.get_by_role("button", name="Allow evil-console.example").click()
    page.get_by_role("button", name="Allow", exact=True).last.click()
    expect(page.get_by_text("evil-console.example is allowed")).to_be_visible()
    served.until(lambda: served.get("/indicators?own=true&kind=allowed", admin)["total"] == 1)
    page.get_by_role("button", name="Remove the list console-c2").click()
    page.get_by_role("button", name="Remove list", exact=True).last.click()
    expect(page.locator("[data-list=console-c2]")).to_have_count(0)
    assert served.get("/indicators?source=console-c2", admin)["total"] == 0
    for entry in served.get("/indicators?own=true", admin)["items"]:
        served.call("DELETE", f"/api/v1/indicators/{entry['id']}", None, admin)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_chinese_light_and_dark(open_page, served, cookie, scheme):
    page = open_page(served, cookie, "/indicators?kind=mining", locale="zh-CN", color_scheme=scheme)
    expect(page.get_by_role("heading", name="威胁指标")).to_be_visible()
    expect(page.get_by_role("link", name="威胁指标")).to_be_visible()
    expect(row(page, "矿池").first).to_contain_text("永久")
    expect(page.get_by_role("button", name="导入列表")).to_be_visible()
    assert not re.search("indicator\\.", page.locator("main").inner_text())
