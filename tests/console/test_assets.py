"""What runs where, as a person sees it: live, in both languages, with everything that is named leading to it."""

import re
import subprocess

import pytest
from playwright.sync_api import expect

from conftest import docker_cli

pytestmark = [pytest.mark.browser, pytest.mark.docker, pytest.mark.kernel, pytest.mark.timeout(180)]


@pytest.fixture
def name(request) -> str:
    """A container's name that no other test has, so that a row which is about to go is not taken for it."""
    return f"seawall-console-{request.node.name}"


@pytest.fixture
def start(bash_image, name):
    """Starts the container of the test; it is gone afterwards."""
    _remove(name)

    def started(*arguments: str) -> str:
        return docker_cli("run", "-d", "--name", name, *arguments, bash_image, "sleep", "600")

    yield started
    _remove(name)


def _remove(name: str) -> None:
    subprocess.run(["docker", "rm", "-f", name], capture_output=True, timeout=60, check=False)


@pytest.fixture
def row(name):
    return lambda page: page.locator("tr.opens", has_text=name)


def test_a_new_container_shows_by_itself(page, agent, start, name, row):
    page.get_by_role("link", name="Containers").first.click()
    expect(page.get_by_role("heading", name="Containers")).to_be_visible()
    expect(row(page)).to_have_count(0)
    risky = ("--cap-add", "NET_ADMIN", "--security-opt", "seccomp=unconfined")
    start(*risky, "-e", "SECRET_KEY=hidden", "--memory", "64m", "-v", "/etc/hostname:/h:ro")
    expect(row(page)).to_be_visible(timeout=5000)
    expect(row(page)).to_contain_text("Running")
    expect(row(page)).to_contain_text("Unconfined, Capabilities added")

    row(page).click()
    drawer = page.locator(".ant-drawer")
    expect(drawer).to_contain_text("Rights and limits")
    expect(drawer).to_contain_text("NET_ADMIN")
    expect(drawer).to_contain_text("67.1 MB")
    expect(drawer).to_contain_text("SECRET_KEY")
    expect(drawer).not_to_contain_text("hidden")
    expect(drawer).to_contain_text("/etc/hostname → /h")
    expect(drawer).to_contain_text("image not scanned")

    drawer.get_by_role("tab", name=re.compile("Processes")).click()
    expect(page).to_have_url(re.compile(r"tab=processes"))
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"/containers$"))

    _remove(name)
    expect(row(page)).to_have_count(0)


def test_a_filter_is_in_the_address_and_stays(page, agent, start, row):
    start()
    page.goto(page.url.rstrip("/") + "/containers?state=exited")
    expect(page.get_by_text("Nothing matches these filters")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Nothing matches these filters")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(row(page)).to_be_visible()
    expect(page).not_to_have_url(re.compile("state="))


def test_hosts_name_their_agent_and_containers(page, agent, start, name):
    start()
    page.get_by_role("link", name="Hosts").first.click()
    expect(page.locator("tr.opens").first).to_contain_text("Online")
    page.locator("tr.opens").first.click()
    drawer = page.locator(".ant-drawer")
    expect(drawer).to_contain_text("Who watches it")
    expect(drawer).to_contain_text("Online")
    expect(drawer.locator("tr.opens", has_text=name)).to_be_visible()
    drawer.get_by_text(name).click()
    expect(page).to_have_url(re.compile(r"/containers/[0-9a-f]{64}"))


def test_processes_of_containers_only(page, agent, start, row):
    start()
    page.goto(page.url.rstrip("/") + "/processes?container_id=!")
    expect(page.get_by_title("In containers only").first).to_be_visible()
    expect(row(page)).to_contain_text("sleep 600", timeout=80_000)
    expect(page.get_by_text("on the host")).to_have_count(0)


def test_processes_and_ports_are_listed(page, agent):
    page.get_by_role("link", name="Processes").first.click()
    page.get_by_label("Search this list").fill("dockerd")
    expect(page.locator("tr.opens", has_text="dockerd").first).to_be_visible()
    page.locator("tr.opens", has_text="dockerd").first.click()
    expect(page.locator(".ant-drawer")).to_contain_text("Working folder")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Ports").first.click()
    expect(page.locator("tr.opens").first).to_be_visible()
    expect(page.get_by_text("From the network").or_(page.get_by_text("Loopback only")).first).to_be_visible()


@pytest.mark.usefixtures("agent")
def test_in_chinese(open_page, served, cookie, start, row):
    start("--cap-add", "NET_ADMIN")
    page = open_page(served, cookie, "/containers", locale="zh-CN")
    expect(page.get_by_role("heading", name="容器")).to_be_visible()
    expect(row(page)).to_contain_text("运行中")
    row(page).click()
    expect(page.locator(".ant-drawer")).to_contain_text("权限与限制")
