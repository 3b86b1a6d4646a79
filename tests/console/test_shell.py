"""What is around every page: words, languages, themes, the live indicator, keys, and the place that is not there."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import expect

from conftest import ROOT
from serving import Enrolled, Served, alert, heartbeat
from visiting import log_in

SOURCE = ROOT / "console" / "src"
FOLDERS = sorted(file.parent for file in SOURCE.rglob("en.json"))
PLURAL = re.compile(r"_(zero|one|two|few|many|other)$")
NAMESPACE = re.compile(r"useTranslation\('(\w+)'\)")
SAID = re.compile(r"(?<![\w.])t\(\s*(['`])(.+?)\1")
VALUE = re.compile(r"\{\{(\w+)\}\}")


def flat(tree: dict, above: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in tree.items():
        found |= flat(value, f"{above}{key}.") if isinstance(value, dict) else {above + key: value}
    return found


def words(folder: Path, language: str) -> dict[str, str]:
    return flat(json.loads((folder / f"{language}.json").read_text()))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_both_languages_have_the_same_words(folder):
    english, chinese = words(folder, "en"), words(folder, "zh")
    assert {PLURAL.sub("", key) for key in english} == {PLURAL.sub("", key) for key in chinese}
    assert all(text.strip() for text in [*english.values(), *chinese.values()])
    for key, text in chinese.items():
        assert set(VALUE.findall(text)) <= set(VALUE.findall(english[key])), key
    assert not [key for key in english if key.endswith("_one") and key[:-4] + "_other" not in english]


def test_every_word_that_a_page_says_is_there():
    known = {folder.name: words(folder, "en") for folder in FOLDERS}
    checked = 0
    for file in SOURCE.rglob("*.ts*"):
        text = file.read_text()
        rooms = [*NAMESPACE.findall(text), "shell"]
        for quote, said in SAID.findall(text):
            named, _, key = said.rpartition(":")
            places = [named] if named else rooms
            start = key.split("${")[0] if quote == "`" else key
            if not start or "${" in named:
                continue
            checked += 1
            keys = [PLURAL.sub("", one) for place in places for one in known[place]]
            hit = any(one.startswith(start) for one in keys) if "${" in key else key in keys
            assert hit, f"{file.relative_to(SOURCE)}: {said}"
    assert checked > 100


@pytest.mark.browser
def test_the_language_changes_at_once_and_stays(page):
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.locator("[data-test=language]").click()
    page.get_by_role("menuitem", name="中文").click()
    expect(page.get_by_role("heading", name="总览")).to_be_visible()
    expect(page.get_by_role("menuitem", name="告警")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.reload()
    expect(page.get_by_role("heading", name="总览")).to_be_visible()


@pytest.mark.browser
def test_a_chinese_browser_is_answered_in_chinese(open_page, served, cookie):
    page = open_page(served, cookie, "/alerts", locale="zh-CN")
    expect(page.get_by_role("heading", name="告警")).to_be_visible()
    expect(page.get_by_label("搜索此列表")).to_be_visible()


@pytest.mark.browser
def test_dark_as_the_system_and_light_as_chosen(open_page, served, cookie):
    page = open_page(served, cookie, color_scheme="dark")
    html = page.locator("html")
    expect(html).to_have_attribute("data-theme", "dark")
    darkness = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("[data-test=theme]").click()
    page.get_by_role("menuitem", name="Light").click()
    expect(html).to_have_attribute("data-theme", "light")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != darkness
    page.reload()
    expect(html).to_have_attribute("data-theme", "light")


@pytest.mark.browser
def test_the_theme_is_there_before_the_application(open_page, served, cookie):
    """No flash: with the application held back, the page is dark already."""
    page = open_page(served, cookie, color_scheme="dark")
    page.route("**/assets/*.js", lambda route: None)
    page.goto(f"https://127.0.0.1:{served.port}/", wait_until="commit")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.locator("#root > *").count() == 0
    page.unroute_all(behavior="ignoreErrors")


def test_the_page_has_no_script_of_its_own(served):
    _, text, headers = served.call("GET", "/")
    scripts = re.findall(r"<script[^>]*>", text)
    assert scripts
    assert all("src=" in script for script in scripts)
    assert "script-src 'self'" in headers["content-security-policy"]


@pytest.mark.browser
def test_an_address_that_is_nowhere(open_page, served, cookie):
    page = open_page(served, cookie, "/no/such/page")
    expect(page.get_by_text("Nothing is at /no/such/page")).to_be_visible()
    page.get_by_role("link", name="To the overview").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


@pytest.mark.browser
def test_a_server_that_goes_away_is_said_and_comes_back(open_page, tmp_path):
    server = Served(tmp_path / "state").start()
    try:
        session = log_in(server, "admin", (server.state / "first-password").read_text().strip())
        page = open_page(server, session, complaints=False)
        live = page.locator("[data-test=live]")
        expect(live).to_have_text("Live")
        server.stop()
        expect(live).to_have_text("Not connected")
        server.start()
        expect(live).to_have_text("Live", timeout=30_000)
    finally:
        server.stop()


@pytest.mark.browser
def test_a_list_is_walked_by_keys(open_page, served, admin, cookie):
    node = Enrolled(served, served.enrolment_token(admin), hostname="keys", host_id="keys")
    node.send(heartbeat(), alert(title="first of the keys"), alert(title="second of the keys"))
    page = open_page(served, cookie, "/alerts?q=of+the+keys")
    rows = page.locator("tr.opens")
    expect(rows).to_have_count(2)
    page.keyboard.press("/")
    search = page.get_by_label("Search this list")
    expect(search).to_be_focused()
    page.keyboard.press("Escape")
    expect(search).not_to_be_focused()
    for key in "jjk":
        page.keyboard.press(key)
    expect(rows.first).to_have_class(re.compile(r"\bat\b"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/alerts/[\w-]+\?q=of\+the\+keys"))
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(page).to_have_url(re.compile(r"/alerts\?q=of\+the\+keys"))


@pytest.mark.browser
def test_jumping_finds_by_name(open_page, served, admin, cookie):
    node = Enrolled(served, served.enrolment_token(admin), hostname="jump", host_id="jump")
    node.send(heartbeat(), alert(title="to be jumped at"))
    page = open_page(served, cookie)
    page.get_by_role("combobox", name=re.compile("Jump")).fill("jumped")
    page.get_by_text("to be jumped at").last.click()
    expect(page.get_by_role("dialog")).to_contain_text("to be jumped at")


def test_nothing_is_named_twice():
    """Two rooms with one folder's name would share words."""
    names = sorted(folder.name for folder in FOLDERS)
    assert all(one != other for one, other in pairwise(names))
