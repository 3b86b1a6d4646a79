"""The way in, as a new user goes it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from serving import Served

pytestmark = pytest.mark.browser
CHOSEN = "a password of my own"


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that nobody has logged in to."""
    server = Served(tmp_path_factory.mktemp("fresh")).start()
    yield server
    server.stop()


def enter(page: Page, password: str) -> None:
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def choose(page: Page, old: str, new: str, again: str) -> None:
    page.get_by_label("The password you have now").fill(old)
    page.get_by_label("New password", exact=True).fill(new)
    page.get_by_label("New password once more").fill(again)
    page.get_by_role("button", name="Change the password").click()


def test_the_first_login_ends_with_a_password_of_ones_own(fresh, open_page):
    first = (fresh.state / "first-password").read_text().strip()
    page = open_page(fresh, path="/agents")
    enter(page, "wrong")
    expect(page.get_by_text("User name or password is wrong")).to_be_visible()
    enter(page, first)
    expect(page.get_by_role("heading", name="Choose your password")).to_be_visible()
    choose(page, first, CHOSEN, "another one")
    expect(page.get_by_text("The two are not the same")).to_be_visible()
    choose(page, first, CHOSEN, CHOSEN)
    expect(page.get_by_role("heading", name="Agents")).to_be_visible()
    expect(page).to_have_url(re.compile("/agents$"))

    page.locator("[data-test=user]").click()
    page.get_by_text("Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    enter(page, CHOSEN)
    expect(page.get_by_role("heading", name="Agents")).to_be_visible()


def test_a_session_that_ended_leads_back_to_the_login(fresh, open_page):
    first = (fresh.state / "first-password").read_text().strip()
    page = open_page(fresh, complaints=False)
    enter(page, first)
    choose(page, first, CHOSEN, CHOSEN)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    fresh.command("server", "reset-password")
    page.get_by_role("menuitem", name="Rules").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
