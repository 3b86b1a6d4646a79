"""The server as people meet it: a real process, TLS, the first password, sessions, tokens, roles, static files."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import Enrolled, Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("state")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def admin(served: Served) -> str:
    return served.command("token", "create", "test-admin", "--role", "admin")


def test_first_login_leads_to_a_new_password(tmp_path: Path) -> None:
    served = Served(tmp_path / "state").start()
    try:
        first = served.state / "first-password"
        assert stat.S_IMODE(first.stat().st_mode) == 0o600
        assert stat.S_IMODE((served.state / "seawall.db").stat().st_mode) == 0o600
        password = first.read_text().strip()
        status, answer, headers = served.call("POST", "/api/v1/session", {"username": "admin", "password": password})
        assert (status, answer["user"]["must_change_password"]) == (200, True)
        cookie = headers["set-cookie"]
        assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=strict"))
        session = {"Cookie": cookie.partition(";")[0]}

        assert served.call("GET", "/api/v1/alerts", headers=session)[0:2] == (
            403,
            {"error": "password must be changed", "hint": "POST /api/v1/session/password with {old, new}"},
        )
        change = {"old": password, "new": "correct horse battery"}
        assert served.call("POST", "/api/v1/session/password", change, headers=session)[0] == 403, "no CSRF value"
        signed = session | {"X-Seawall-CSRF": answer["csrf"]}
        assert served.call("POST", "/api/v1/session/password", change | {"new": "short"}, headers=signed)[0] == 422
        assert served.call("POST", "/api/v1/session/password", change, headers=signed)[0] == 200
        assert not first.exists()
        assert served.call("GET", "/api/v1/alerts", headers=session)[0] == 200
        assert served.call("DELETE", "/api/v1/session", headers=signed)[0] == 204
        assert served.call("GET", "/api/v1/session", headers=session)[0] == 401

        renewed = served.command("server", "reset-password")
        login = {"username": "admin", "password": renewed}
        assert served.call("POST", "/api/v1/session", login)[1]["user"]["must_change_password"] is True
    finally:
        served.stop()


def test_guessing_is_slowed_down(tmp_path: Path) -> None:
    served = Served(tmp_path / "state").start()
    try:
        wrong = {"username": "admin", "password": "wrong"}
        answers = [served.call("POST", "/api/v1/session", wrong)[0] for _ in range(7)]
        assert answers == [401] * 5 + [429] * 2
    finally:
        served.stop()


def test_roles_and_revoking(served: Served, admin: str) -> None:
    viewer = served.command("token", "create", "looker", "--role", "viewer")
    assert served.call("GET", "/api/v1/agents", token=viewer)[0] == 200
    status, answer, _ = served.call("POST", "/api/v1/agents/enrolment-tokens", {}, viewer)
    assert status == 403
    assert "admin" in answer["error"]
    assert served.call("GET", "/api/v1/tokens", token=viewer)[0] == 403
    listed = served.get("/tokens", admin)["items"]
    assert {row["name"] for row in listed} >= {"looker", "test-admin"}
    assert all("hash" not in row for row in listed)
    served.command("token", "revoke", "looker")
    assert served.call("GET", "/api/v1/agents", token=viewer)[0] == 401


def test_nobody_gets_in_without_a_login(served: Served) -> None:
    description = served.call("GET", "/api/openapi.json")[1]
    assert description["openapi"].startswith("3.1")
    ids = [call["operationId"] for path in description["paths"].values() for call in path.values()]
    assert len(ids) == len(set(ids))
    open_paths = {"/api/v1/session"}  # POST logs in; GET and DELETE answer 401 below
    hook = "/api/v1/registries/{id}/webhook"  # for registries, which show the token in its address
    assert served.call("POST", hook.replace("{id}", "reg_x") + "?token=x", {})[0] == 404
    for path, calls in description["paths"].items():
        if path == hook:
            continue
        for method in calls:
            if path.startswith("/api/v1") and not (path in open_paths and method == "post"):
                status = served.call(method.upper(), path.replace("{", "").replace("}", ""), {})[0]
                assert status == 401, (method, path, status)


def test_errors_have_one_form(served: Served, admin: str) -> None:
    for method, path, body, status in (
        ("GET", "/api/v1/agents?nonsense=1", None, 422),
        ("GET", "/api/v1/agents?cursor=!!", None, 422),
        ("GET", "/api/v1/agents/nobody", None, 404),
        ("GET", "/api/v1/nothing", None, 404),
        ("POST", "/api/v1/agents/enrolment-tokens", {"uses": 0}, 422),
        ("POST", "/api/v1/tokens", {"name": "../x"}, 422),
    ):
        found, answer, _ = served.call(method, path, body, admin)
        assert found == status, (path, answer)
        assert set(answer) == {"error", "hint"}
        assert answer["error"]


def test_console_headers_and_no_way_out_of_its_folder(served: Served) -> None:
    status, _, headers = served.call("GET", "/")
    assert status in (200, 503)  # 503 with words when the console is not built
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    for path in ("/../config.py", "/%2e%2e/config.py", "/assets/../../app.py", "//etc/passwd"):
        _, body, _ = served.call("GET", path)
        assert "import" not in str(body)
        assert "root:" not in str(body)


def test_enrolment_tokens_end(served: Served, admin: str) -> None:
    token = served.enrolment_token(admin, uses=1)
    agent = Enrolled(served, token, hostname="once", host_id="once")
    assert served.get(f"/agents/{agent.id}", admin)["name"] == "once"
    with pytest.raises(AssertionError, match="used up"):
        Enrolled(served, token, hostname="twice", host_id="twice")
    with pytest.raises(AssertionError, match="unknown"):
        Enrolled(served, "made-up", hostname="twice", host_id="twice")
    status, made, _ = served.call("POST", "/api/v1/agents/enrolment-tokens", {"ttl_hours": 0.00001}, admin)
    assert status == 201
    with pytest.raises(AssertionError, match="expired"):
        Enrolled(served, made["token"], hostname="late", host_id="late")


def test_install_command_is_safe_to_paste(served: Served, admin: str) -> None:
    import hashlib

    _, made, _ = served.call("POST", "/api/v1/agents/enrolment-tokens", {}, admin)
    assert made["token"].startswith("sw-enrol-"), "one that began with - would be an option on a command line"
    _, script, _ = served.call("GET", "/install/agent.sh")
    assert hashlib.sha256(script.encode()).hexdigest() in made["command"]
    assert made["token"] in made["command"]


def test_two_servers_cannot_share_a_state(served: Served) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "seawall", "server", "run", "--state", str(served.state), "--port", "0"]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "another server" in done.stderr.decode()
