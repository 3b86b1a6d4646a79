"""The first page: every figure is right, leads to the list that it counts, and is never zero where nothing is known."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from serving import Enrolled, Served, alert, heartbeat
from visiting import log_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of its own: the counts are ours alone."""
    server = Served(tmp_path_factory.mktemp("quiet")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def session(quiet):
    return log_in(quiet, "admin", (quiet.state / "first-password").read_text().strip())


def need(page: Page, title: str):
    return page.locator(".need", has_text=title)


def test_counts_and_where_they_lead(open_page, quiet, session):
    page = open_page(quiet, session)
    expect(need(page, "New critical and high alerts").locator(".figure")).to_contain_text("0")
    expect(need(page, "Exploited vulnerabilities in images")).to_contain_text("no image scanned yet")
    expect(need(page, "Exploited vulnerabilities in images").locator(".figure")).to_contain_text("–")
    expect(need(page, "Failed baseline checks")).to_contain_text("not run yet")
    expect(need(page, "Failed baseline checks").locator(".figure")).to_contain_text("–")
    expect(page.get_by_text("No alerts yet")).to_be_visible()

    token = quiet.command("token", "create", "counter", "--role", "admin")
    node = Enrolled(quiet, quiet.enrolment_token(token), hostname="blind", host_id="blind")
    blind = {"state": "off", "reason": "no BTF", "programs": [], "events": 0, "dropped": {}}
    node.send(
        heartbeat(host={"id": "blind", "name": "blind"}, sensor=blind),
        alert(title="one of the critical ones"),
        alert(severity="high", category="escape"),
        alert(severity="high", category="escape"),
        alert(severity="low", category="network"),
    )
    # Nobody reloads: the page hears of it.
    alerts = need(page, "New critical and high alerts")
    expect(alerts.locator(".figure")).to_contain_text("3")
    expect(alerts).to_contain_text("1 of them critical")
    expect(need(page, "Nodes not fully watched")).to_contain_text("1 blind")
    expect(page.get_by_role("link", name="one of the critical ones")).to_be_visible()
    expect(page.get_by_role("link", name="2 Container escape")).to_be_visible()
    expect(page.locator(".menu-count").first).to_have_text("3")

    alerts.click()
    expect(page).to_have_url(re.compile(r"/alerts\?state=new&severity=critical,high"))
    expect(page.locator("tr.opens")).to_have_count(3)


def test_the_trend_is_drawn_in_both_themes(open_page, quiet, session):
    for scheme in ("light", "dark"):
        page = open_page(quiet, session, color_scheme=scheme)
        expect(
            page.locator(".panel", has_text="Alerts of the last 24 hours").locator(".panel-body svg").first
        ).to_be_visible()
