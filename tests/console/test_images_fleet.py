"""Images at scale in the console: scan all, look into findings, policies, registries, decisions, downloads."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from console.conftest import Opener
from console.test_images import bring, go, image, known
from serving import Served

pytestmark = [pytest.mark.browser, pytest.mark.docker, pytest.mark.timeout(420)]
SHOTS = os.environ.get("SEAWALL_SHOTS", "")
_ = (image, known)


@pytest.fixture(scope="module")
def advised(served: Served, data: Path, known: str) -> Iterator[str]:
    bring(served, data)
    yield known


def shot(page: Page, name: str) -> None:
    """For people who look at what was built."""
    if SHOTS:
        page.wait_for_timeout(600)
        page.screenshot(path=f"{SHOTS}/{name}.png")


def test_all_images_are_scanned_at_once_and_found_things_are_shown(page: Page, served: Served, advised: str) -> None:
    go(page, served, "/image-scans")
    shot(page, "scans-empty")
    page.get_by_role("button", name="New scan").click()
    page.get_by_role("dialog").get_by_role("combobox", name="Scope").click()
    page.get_by_title("With running containers").click()
    expect(page.get_by_text(re.compile(r"^\d+ images?$"))).to_be_visible()
    shot(page, "scan-new")
    page.get_by_role("button", name="Begin").click()
    page.locator("td", has_text="With running containers").first.click()
    expect(page.get_by_role("dialog").get_by_text("Done").first).to_be_visible(timeout=240_000)
    shot(page, "scan-drawer")
    go(page, served, f"/images/{advised}")
    page.get_by_role("tab", name="Configuration").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.locator("tbody tr[data-row-key]").first).to_be_visible()
    shot(page, "image-config")
    page.get_by_role("tab", name="Secrets").click()
    expect(drawer.locator("tbody tr[data-row-key]").or_(drawer.get_by_text("Nothing was found")).first).to_be_visible()
    shot(page, "image-secrets")
    drawer.get_by_role("button", name="download Download", exact=True).click()
    with page.expect_download() as started:
        page.get_by_text("SBOM (CycloneDX)").click()
    assert started.value.suggested_filename.endswith(".cdx.json")
    go(page, served, "/misconfigurations")
    expect(page.locator("tbody tr[data-row-key]").first).to_be_visible()
    shot(page, "misconfigurations")
    go(page, served, "/images")
    expect(page.locator(f'tr[data-row-key="{advised}"]')).to_be_visible()
    shot(page, "images")


def test_a_policy_decides_and_an_ignore_takes_a_finding_out(
    page: Page, served: Served, admin: str, advised: str
) -> None:
    go(page, served, "/image-policies")
    page.get_by_role("button", name="New policy").click()
    page.get_by_role("dialog").get_by_role("textbox", name="Name", exact=True).fill("no exploited ones")
    page.get_by_role("dialog").get_by_label("known to be exploited").check()
    page.get_by_role("dialog").get_by_role("combobox", name="Configuration").click()
    page.get_by_title("Low or worse").last.click()
    shot(page, "policy-new")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("td", has_text="no exploited ones")).to_be_visible()
    shot(page, "policies")
    page.get_by_role("tab", name="Images").click()
    decided = page.locator(f'tr[data-row-key="{advised}"]')
    expect(decided.get_by_text("Observed")).to_be_visible(timeout=30_000)
    shot(page, "decisions")
    before = served.get(f"/images/{advised}/misconfigurations", admin)
    go(page, served, "/misconfigurations?q=" + before["items"][0]["check"])
    page.get_by_role("button", name="Ignore").first.click()
    page.get_by_role("dialog").get_by_role("textbox", name="Reason").fill("ticket 7")
    expect(page.get_by_text("have these names")).to_be_visible()
    shot(page, "ignore")
    page.get_by_role("dialog").get_by_role("button", name="Ignore").click()
    served.until(lambda: served.get(f"/images/{advised}/misconfigurations", admin)["total"] < before["total"], 30)
    go(page, served, "/image-policies")
    page.get_by_role("tab", name="Ignored").click()
    expect(page.get_by_text("ticket 7")).to_be_visible()
    shot(page, "ignores")


def test_a_registry_that_cannot_be_entered_says_why(page: Page, served: Served) -> None:
    go(page, served, "/registries")
    shot(page, "registries-empty")
    page.get_by_role("button", name="Add a registry").click()
    page.get_by_role("dialog").get_by_role("textbox", name="Name", exact=True).fill("nobody")
    page.get_by_role("dialog").get_by_role("textbox", name="Address").fill("127.0.0.1:1")
    shot(page, "registry-new")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("webhook?token=")).to_be_visible()
    page.get_by_role("button", name="Close").last.click()
    expect(page.locator("td", has_text="Failed")).to_be_visible(timeout=60_000)
    shot(page, "registries")


def test_the_same_in_chinese_and_dark(open_page: Opener, served: Served, cookie: dict[str, Any]) -> None:
    page = open_page(served, cookie, locale="zh-CN", color_scheme="dark")
    for path in ("/image-scans", "/registries", "/image-policies", "/misconfigurations", "/images"):
        go(page, served, path)
        expect(page.get_by_role("heading").first).to_be_visible()
        shot(page, "zh" + path.replace("/", "-"))
