"""From "Scan now" in the console to what is in a real image; what is not known never looks clean."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from conftest import docker_cli
from seawall.core.ids import new_id
from seawall.node.docker import Docker
from serving import Served
from visiting import log_in

pytestmark = [pytest.mark.browser, pytest.mark.docker, pytest.mark.timeout(420)]
NAME = "seawall-console-images:3.11"
FEEDS = ("alpine-secdb.tar.gz", "kev.json.gz")


@pytest.fixture(scope="module")
def image(dockerd: Docker, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real Alpine 3.11, its database telling of an older OpenSSL in a layer of its own; a container runs it."""
    base = docker_cli("load", "-i", str(data / "images" / "alpine-311.tar.gz")).split()[-1]
    told = tmp_path_factory.mktemp("image") / "installed"
    container = docker_cli("create", base, "sleep", "600")
    docker_cli("cp", f"{container}:/lib/apk/db/installed", str(told))
    told.write_text(told.read_text().replace("V:1.1.1d-r3", "V:1.1.1d-r0"))
    docker_cli("cp", str(told), f"{container}:/lib/apk/db/installed")
    changes = (f"LABEL of={new_id()}", "ENV PASSWORD=hunter2", "EXPOSE 8080", "USER nobody")
    docker_cli("commit", *(word for one in changes for word in ("--change", one)), container, NAME)
    docker_cli("rm", container)
    runs = docker_cli("run", "-d", "--network", "none", NAME, "sleep", "600")
    yield docker_cli("image", "inspect", "--format", "{{.Id}}", NAME)
    docker_cli("rm", "-f", runs)
    docker_cli("rmi", "-f", NAME)


@pytest.fixture(scope="module")
def known(served: Served, admin: str, image: str, agent: str) -> str:
    """The image's id as soon as the server knows it."""
    served.until(lambda: served.call("GET", f"/api/v1/images/{image}", token=admin)[0] == 200, 30)
    return image


def bring(served: Served, data: Path) -> None:
    command = [sys.executable, "-m", "seawall", "intel", "import", "--db", str(served.state / "intel.db")]
    files = [str(data / "feeds" / name) for name in FEEDS]
    subprocess.run([*command, *files], check=True, timeout=120, capture_output=True)


def go(page: Page, served: Served, path: str) -> None:
    page.goto(f"https://127.0.0.1:{served.port}{path}")


def row(page: Page, image: str) -> Locator:
    return page.locator(f'tr[data-row-key="{image}"]')


def tab(page: Page, name: str) -> None:
    page.get_by_role("dialog").get_by_role("tab", name=re.compile(f"^{name}")).click()


@pytest.mark.usefixtures("calm")
def test_from_scan_now_to_findings(page, served, admin, known, data):
    go(page, served, "/images?q=seawall-console-images")
    expect(page.get_by_text("No advisories are imported")).to_be_visible()
    expect(row(page, known)).to_contain_text("Not scanned")
    row(page, known).get_by_role("button", name="Scan now").click()
    # Without advisories the packages are read, and nothing is said to be clean.
    expect(row(page, known)).to_contain_text("Not checked", timeout=60_000)
    expect(row(page, known)).not_to_contain_text("None known")

    row(page, known).locator("td").nth(1).click()
    drawer = page.get_by_role("dialog")
    shown = drawer.get_by_role("tabpanel")
    expect(drawer.locator("[data-test=verdict]")).to_contain_text("Not checked")
    tab(page, "Vulnerabilities")
    expect(drawer).to_contain_text("no advisories are imported")
    expect(shown.locator("tr.ant-table-row")).to_have_count(0)
    tab(page, "Packages")
    expect(drawer).to_contain_text("14 rows")
    expect(shown.locator("tr.ant-table-row", has_text="musl").first).to_contain_text("Not checked")

    bring(served, data)
    served.until(lambda: served.get(f"/images/{known}", admin)["scan"]["judged"], 60)
    scan = served.get(f"/images/{known}", admin)["scan"]
    # Nobody reloads and nobody scans again: the page hears of it.
    expect(drawer.locator("[data-test=verdict]")).not_to_contain_text("Not checked")
    for severity, count in scan["vulnerabilities"].items():
        if count:
            mark = drawer.locator(f"[data-test=verdict] .severity.{severity}")
            expect(mark).to_contain_text(str(count))
    expect(shown.locator("tr.ant-table-row", has_text="libcrypto1.1")).to_contain_text("1.1.1d-r0")

    tab(page, "Vulnerabilities")
    found = shown.locator("tr.ant-table-row", has_text="CVE-2019-1551").filter(has_text="libssl1.1")
    expect(found).to_contain_text("1.1.1d-r3")
    drawer.get_by_text("By layer", exact=True).click()
    expect(drawer.locator(".ant-collapse-item")).to_have_count(1)
    layers = served.get(f"/images/{known}/inventory", admin)["layers"]
    newest = max(layer["index"] for layer in layers if layer["size"])
    expect(drawer.locator(".ant-collapse-item b").first).to_have_text(str(newest))

    tab(page, "Summary")
    expect(drawer).to_contain_text("Alpine Linux v3.11")
    expect(drawer).to_contain_text("8080/tcp")
    expect(drawer).to_contain_text("PASSWORD")
    expect(drawer).not_to_contain_text("hunter2")
    tab(page, "Layers")
    expect(drawer.locator(".layers li")).to_have_count(len(layers))


def test_a_cve_leads_to_its_images(page, served, known, admin):
    if not (served.get(f"/images/{known}", admin)["scan"] or {}).get("judged"):
        pytest.skip("needs the scan of the test before")
    go(page, served, "/vulnerabilities?q=CVE-2019-1551")
    one = page.locator('tr[data-row-key="CVE-2019-1551"]')
    expect(one).to_contain_text("libcrypto1.1")
    expect(one).to_contain_text("Available")
    one.click()
    expect(page).to_have_url(re.compile("/vulnerabilities/CVE-2019-1551"))
    drawer = page.get_by_role("dialog")
    hit = drawer.locator("tr.ant-table-row", has_text="libcrypto1.1")
    expect(hit).to_contain_text("1.1.1d-r3")
    expect(hit.locator("td").last).to_have_text("1")
    hit.get_by_role("link", name=NAME).click()
    expect(page).to_have_url(re.compile(f"/images/{re.escape(known).replace(':', '(:|%3A)')}"))


def test_a_failed_scan_says_why(open_page, served, cookie, known, admin):
    """An image that is removed between being seen and being read."""
    name = f"seawall-console-gone:{new_id()[-8:].lower()}"
    container = docker_cli("create", NAME, "true")
    gone = docker_cli("commit", "--change", f"LABEL of={new_id()}", container, name)
    docker_cli("rm", container)
    served.until(lambda: served.call("GET", f"/api/v1/images/{gone}", token=admin)[0] == 200, 30)
    page = open_page(served, cookie, f"/images/{gone}", complaints=False)
    drawer = page.get_by_role("dialog")
    expect(drawer.locator("[data-test=verdict]")).to_contain_text("Not scanned")
    docker_cli("rmi", "-f", name)
    drawer.get_by_role("button", name="Scan now").first.click()
    # Either the scan fails with its reason, or the server has heard meanwhile that the image is gone.
    expect(page.get_by_text(re.compile("Scan failed|there is no image|No such image", re.I)).first).to_be_visible()


def test_viewers_see_no_button(open_page, served, known, admin):
    first = "a password for one login"
    wish = {"name": "looker", "password": first, "role": "viewer"}
    assert served.call("POST", "/api/v1/users", wish, admin)[0] == 201
    page = open_page(served, log_in(served, "looker", first), "/images?q=seawall-console-images")
    expect(row(page, known)).to_be_visible()
    expect(page.get_by_role("button", name="Scan now")).to_have_count(0)


def test_in_chinese_and_what_the_feeds_are(open_page, served, cookie, known, data):
    bring(served, data)
    page = open_page(served, cookie, "/intel", locale="zh-CN", color_scheme="dark")
    expect(page.get_by_role("heading", name="漏洞情报")).to_be_visible()
    expect(page.locator("tr.ant-table-row", has_text="kev")).to_be_visible()
    go(page, served, f"/images/{known}?tab=packages")
    expect(page.get_by_role("dialog")).to_contain_text("共 14 条")
