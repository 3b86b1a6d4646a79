"""A real browser in front of a real server with the built console. What the browser complains of fails the test."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright

from seawall.agent import resident
from seawall.server import static
from serving import Served
from visiting import log_in

expect.set_options(timeout=20_000)

BRIDGE = "ERR_NETWORK_CHANGED"
"""Chromium drops what it loads whenever a container starts or ends on the machine: that is not of the console."""

Opener = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    assert (static.FOLDER / "index.html").is_file(), "the console is not built: make build"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("server")).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def admin(served: Served) -> str:
    return served.command("token", "create", "test-admin", "--role", "admin")


@pytest.fixture(scope="session")
def cookie(served: Served) -> dict[str, Any]:
    """A session of the first administrator, who has a password of their own by now."""
    return log_in(served, "admin", (served.state / "first-password").read_text().strip())


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Opener]:
    """Opens a window of its own; `complaints=False` for tests in which the server goes away."""
    contexts, troubles = [], []

    def complain(message: ConsoleMessage) -> None:
        # Whether somebody is logged in is asked once; that nobody is, browsers call an error.
        nobody = "401" in message.text and message.location["url"].endswith("/api/v1/session")
        if message.type in ("error", "warning") and not nobody and BRIDGE not in message.text:
            troubles.append(f"{message.type}: {message.text} ({message.location})")

    def opened(
        served: Served, cookie: dict[str, Any] | None = None, path: str = "/", complaints: bool = True, **options: Any
    ) -> Page:
        size = {"width": 1440, "height": 900}
        wanted = {"locale": "en-GB", "viewport": size, "reduced_motion": "reduce", "ignore_https_errors": True}
        context = browser.new_context(**{**wanted, **options})
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        if cookie is not None:
            context.add_cookies([cookie])
        page = context.new_page()
        if complaints:
            page.on("console", complain)
            page.on("pageerror", lambda error: troubles.append(f"exception: {error}"))
        dropped = []
        page.on("requestfailed", lambda request: BRIDGE in (request.failure or "") and dropped.append(request.url))
        for _ in range(5):
            dropped.clear()
            try:
                page.goto(f"https://127.0.0.1:{served.port}{path}")
            except Error as error:
                if BRIDGE not in error.message and "interrupted by another navigation" not in error.message:
                    raise
                continue
            if not dropped:
                break
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def page(open_page: Opener, served: Served, cookie: dict[str, Any]) -> Page:
    """The console as the administrator finds it, in English."""
    return open_page(served, cookie)


@pytest.fixture(scope="session")
def agent(served: Served, admin: str, dockerd: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The resident agent of this host, sensor and all; its id."""
    state = tmp_path_factory.mktemp("node")
    status, made, _ = served.call("POST", "/api/v1/agents/enrolment-tokens", {}, admin)
    assert status == 201
    fingerprint = made["command"].rsplit(" ", 1)[-1]
    words = ["--server", f"https://127.0.0.1:{served.port}", "--token", made["token"], "--ca-fingerprint", fingerprint]
    command = [sys.executable, "-m", "seawall", "agent", "enroll", *words, "--state", str(state)]
    said = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    name = re.search(r"agent_\w+", said.stdout + said.stderr)[0]
    with Path(state / "agent.log").open("wb") as log:
        process = subprocess.Popen(resident.command(state), env=resident.environment(state), stderr=log)

    def sensing() -> Any:
        return served.get(f"/agents/{name}", admin)["sensor"]["state"] == "on"

    served.until(sensing, 60)
    yield name
    process.terminate()
    process.wait(20)


@pytest.fixture
def calm(served: Served, admin: str, agent: str) -> None:
    """The agent does what it is asked at once: it gives up nothing for the sake of a node that was busy just now."""
    served.until(lambda: served.get(f"/agents/{agent}", admin)["degrade"] == 0, 150)
