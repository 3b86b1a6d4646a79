"""Accounts: secrets are hashes, sessions end, the brake holds, the last administrator stays."""

import pytest
from sqlalchemy import Connection, select

from seawall.core import clock
from seawall.lists import Refused
from seawall.server import accounts
from seawall.server.guard import Brake
from seawall.server.tables import SESSIONS, TOKENS, USERS

NOW = 1_800_000_000.0
TEXT = clock.format_time(NOW)


def test_no_secret_is_stored_in_clear(connection: Connection) -> None:
    accounts.add_user(connection, "ann", "a good password", role="viewer", now=TEXT)
    secret, csrf = accounts.open_session(connection, "ann", "::1", TEXT)
    token = accounts.create_token(connection, "ci", "viewer", "ann", TEXT)["token"]
    everything = repr([connection.execute(select(table)).all() for table in (USERS, SESSIONS, TOKENS)])
    assert "a good password" not in everything
    assert secret not in everything
    assert token not in everything
    assert csrf in everything, "the CSRF value is of no use without the cookie"


def test_a_session_ends_by_rest_and_by_age(connection: Connection) -> None:
    accounts.add_user(connection, "ann", "a good password", role="viewer", now=TEXT)
    secret, _ = accounts.open_session(connection, "ann", "::1", TEXT)

    def alive(after: float) -> bool:
        return accounts.session(connection, secret, seconds=NOW + after, idle=3600, longest=86400) is not None

    assert alive(3599)
    assert not alive(3601)
    key = accounts.digest(secret)
    accounts.touch_session(connection, key, clock.format_time(NOW + 86000))
    assert alive(86399)
    assert not alive(86401)
    accounts.sweep_sessions(connection, NOW + 90000, 3600, 86400)
    assert connection.execute(select(SESSIONS)).first() is None


def test_passwords(connection: Connection) -> None:
    accounts.add_user(connection, "ann", "a good password", role="viewer", now=TEXT)
    assert accounts.check_password(connection, "ann", "a good password")
    for name, word in (("ann", "A good password"), ("ann", ""), ("bob", "a good password"), ("ann", "x" * 10_000)):
        assert not accounts.check_password(connection, name, word)
    for bad in ("short", "x" * 600):
        with pytest.raises(Refused):
            accounts.add_user(connection, "bob", bad, role="viewer", now=TEXT)


def test_changing_a_password_ends_other_sessions(connection: Connection) -> None:
    accounts.add_user(connection, "ann", "a good password", role="viewer", now=TEXT)
    mine, _ = accounts.open_session(connection, "ann", "::1", TEXT)
    other, _ = accounts.open_session(connection, "ann", "::2", TEXT)
    login = accounts.session(connection, mine, seconds=NOW, idle=60, longest=60)
    assert login is not None
    accounts.change_password(connection, login, "another password")
    assert accounts.session(connection, mine, seconds=NOW, idle=60, longest=60) is not None
    assert accounts.session(connection, other, seconds=NOW, idle=60, longest=60) is None


def test_the_last_administrator_stays(connection: Connection) -> None:
    with pytest.raises(Refused, match="last administrator"):
        accounts.remove_user(connection, "admin")
    accounts.add_user(connection, "eve", "a good password", role="admin", now=TEXT)
    accounts.remove_user(connection, "admin")


@pytest.mark.parametrize("name", ["", " ", "../x", "-x", "a" * 65, "a b", "a\n"])
def test_odd_names_are_refused(connection: Connection, name: str) -> None:
    with pytest.raises(Refused):
        accounts.create_token(connection, name, "viewer", "ann", TEXT)


def test_roles_and_names_of_tokens(connection: Connection) -> None:
    with pytest.raises(Refused, match="role"):
        accounts.create_token(connection, "ci", "root", "ann", TEXT)
    secret = accounts.create_token(connection, "ci", "operator", "ann", TEXT)["token"]
    with pytest.raises(Refused, match="already"):
        accounts.create_token(connection, "ci", "viewer", "ann", TEXT)
    found = accounts.token(connection, secret)
    assert found is not None
    assert (found[0].name, found[0].role) == ("token:ci", "operator")
    accounts.revoke_token(connection, "ci")
    assert accounts.token(connection, secret) is None
    assert accounts.token(connection, "") is None


def test_the_brake(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    brake = Brake(3, 60, keys=100)
    for _ in range(3):
        brake.check("a")
        brake.failed("a")
    with pytest.raises(Refused) as caught:
        brake.check("a")
    assert caught.value.status == 429
    brake.check("b")
    for number in range(500):
        brake.failed(f"x{number}")
    assert len(brake._failures) <= 101, "a flood of addresses does not fill the memory"
    for _ in range(3):
        brake.failed("a")
    real = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: real + 61)
    brake.check("a")
