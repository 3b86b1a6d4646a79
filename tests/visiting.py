"""How a test comes in as a person does: first password, a password of one's own, a session."""

from typing import Any

from serving import Served

PASSWORD = "correct horse battery"


def log_in(served: Served, name: str, first_password: str) -> dict[str, Any]:
    """Log in with a first password and change it; the session as a browser keeps it."""
    credentials = {"username": name, "password": first_password}
    status, answer, headers = served.call("POST", "/api/v1/session", credentials)
    assert status == 200, answer
    key, _, value = headers["set-cookie"].partition(";")[0].partition("=")
    signed = {"Cookie": f"{key}={value}", "X-Seawall-CSRF": answer["csrf"]}
    change = {"old": first_password, "new": PASSWORD}
    status, answer, _ = served.call("POST", "/api/v1/session/password", change, headers=signed)
    assert status == 200, answer
    place = {"url": f"https://127.0.0.1:{served.port}", "httpOnly": True, "secure": True, "sameSite": "Strict"}
    return {"name": key, "value": value, **place}
