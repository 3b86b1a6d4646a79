"""People, sessions and API tokens in the database. Secrets are stored as hashes only."""

import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import Connection, delete, func, insert, select, update

from seawall.core import clock, ids
from seawall.lists import Refused, User
from seawall.server.tables import SESSIONS, TOKENS, USERS, Row

ROLES = ("viewer", "operator", "admin")
"""Each may do all that the one before may."""
FIRST_USER = "admin"
MIN_PASSWORD = 10
MAX_PASSWORD = 512
MARK = "sw_"
"""In front of every API token, so that a scanner for secrets finds a leaked one."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_TOUCH_SECONDS = 60.0
"""How stale `used_at` may be: a read should rarely cost a write."""

# RFC 9106 asks for more memory than a small server has to spare; these are OWASP's minimum.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODY = _HASHER.hash(secrets.token_hex())
"""Verified when there is no such user, so that an unknown name takes as long as a wrong password."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who is logged in with a cookie."""

    user: User
    csrf: str
    must_change_password: bool
    session: str
    """The id of the session: the cookie's hash."""
    touch: bool = False
    """Whether `used_at` should be renewed."""


def digest(secret: str) -> str:
    """Hash of a random secret of full length: no salt and no slow hash needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def first_start(connection: Connection, path: Path, now: str) -> str | None:
    """Make the first user with a random password, written to `path`; None when there are users already."""
    if connection.execute(select(func.count()).select_from(USERS)).scalar_one():
        return None
    password = secrets.token_urlsafe(15)
    _write_secret(path, password)
    add_user(connection, FIRST_USER, password, role="admin", now=now, must_change=True)
    return password


def reset_password(connection: Connection, name: str, path: Path) -> str:
    """Give a user a new random password, to be changed at the next login; the user's sessions end."""
    password = secrets.token_urlsafe(15)
    values = {"password": _HASHER.hash(password), "must_change_password": True}
    if connection.execute(update(USERS).where(USERS.c.name == name).values(values)).rowcount == 0:
        known = ", ".join(connection.execute(select(USERS.c.name).order_by(USERS.c.name)).scalars()) or "none yet"
        raise Refused(f"there is no user {name!r}", f"users: {known}", 404)
    connection.execute(delete(SESSIONS).where(SESSIONS.c.user == name))
    _write_secret(path, password)
    return password


def add_user(
    connection: Connection, name: str, password: str, *, role: str, now: str, must_change: bool = False
) -> dict[str, Any]:
    """A new user; raises Refused when the name is taken or the password too short."""
    _check_name(name)
    _check_role(role)
    _check_password(password)
    if connection.execute(select(USERS.c.name).where(USERS.c.name == name)).first():
        raise Refused(f"there is a user {name!r} already", "choose another name", 409)
    row = {"name": name, "role": role, "must_change_password": must_change, "created_at": now}
    connection.execute(insert(USERS).values(**row, password=_HASHER.hash(password)))
    return row


def users(connection: Connection) -> list[dict[str, Any]]:
    """All users, without their passwords."""
    columns = (USERS.c.name, USERS.c.role, USERS.c.must_change_password, USERS.c.created_at)
    return [dict(row) for row in connection.execute(select(*columns).order_by(USERS.c.name)).mappings()]


def remove_user(connection: Connection, name: str) -> None:
    """Delete a user and end its sessions. The last administrator stays."""
    admins = connection.execute(select(USERS.c.name).where(USERS.c.role == "admin")).scalars().all()
    if list(admins) == [name]:
        raise Refused("the last administrator cannot be deleted", "make another one first", 409)
    if connection.execute(delete(USERS).where(USERS.c.name == name)).rowcount == 0:
        raise Refused(f"there is no user {name!r}", status=404)
    connection.execute(delete(SESSIONS).where(SESSIONS.c.user == name))


def check_password(connection: Connection, name: str, password: str) -> bool:
    """Whether this is the user's password. Slow on purpose; takes as long for a name that does not exist."""
    stored = connection.execute(select(USERS.c.password).where(USERS.c.name == name)).scalar()
    try:
        _HASHER.verify(stored or _NOBODY, password[:MAX_PASSWORD])
    except (Argon2Error, InvalidHashError):
        return False
    return stored is not None


def change_password(connection: Connection, login: Login, new: str) -> None:
    """Set a user's own password; other sessions of the user end."""
    _check_password(new)
    values = {"password": _HASHER.hash(new), "must_change_password": False}
    connection.execute(update(USERS).where(USERS.c.name == login.user.name).values(values))
    others = (SESSIONS.c.user == login.user.name) & (SESSIONS.c.id != login.session)
    connection.execute(delete(SESSIONS).where(others))


def open_session(connection: Connection, name: str, address: str, now: str) -> tuple[str, str]:
    """A new session of a user: the cookie's secret and the CSRF value."""
    secret, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    row = {"id": digest(secret), "user": name, "csrf": csrf, "address": address, "created_at": now, "used_at": now}
    connection.execute(insert(SESSIONS).values(row))
    return secret, csrf


def session(connection: Connection, secret: str, seconds: float, idle: float, longest: float) -> Login | None:
    """Who the cookie belongs to, or None when it is unknown or too old."""
    key = digest(secret)
    statement = select(SESSIONS, USERS.c.role, USERS.c.must_change_password).join(
        USERS, USERS.c.name == SESSIONS.c.user
    )
    row = connection.execute(statement.where(SESSIONS.c.id == key)).mappings().first()
    if row is None or row["used_at"] < clock.format_time(seconds - idle):
        return None
    if row["created_at"] < clock.format_time(seconds - longest):
        return None
    touch = row["used_at"] < clock.format_time(seconds - _TOUCH_SECONDS)
    return Login(User(row["user"], row["role"]), row["csrf"], row["must_change_password"], key, touch)


def touch_session(connection: Connection, id: str, now: str) -> None:
    """Note that a session was used."""
    connection.execute(update(SESSIONS).where(SESSIONS.c.id == id).values(used_at=now))


def close_session(connection: Connection, id: str) -> None:
    """Log out."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.id == id))


def sweep_sessions(connection: Connection, seconds: float, idle: float, longest: float) -> None:
    """Forget sessions that are over."""
    old = (SESSIONS.c.used_at < clock.format_time(seconds - idle)) | (
        SESSIONS.c.created_at < clock.format_time(seconds - longest)
    )
    connection.execute(delete(SESSIONS).where(old))


def create_token(connection: Connection, name: str, role: str, by: str, now: str) -> dict[str, Any]:
    """A new API token; `token` in the answer is the secret, never to be seen again."""
    _check_name(name)
    _check_role(role)
    if connection.execute(select(TOKENS.c.id).where(TOKENS.c.name == name)).first():
        raise Refused(f"there is a token {name!r} already", "revoke it, or choose another name", 409)
    secret = MARK + secrets.token_urlsafe(32)
    row = {"id": ids.new_id("token"), "name": name, "role": role, "created_at": now, "created_by": by, "used_at": None}
    connection.execute(insert(TOKENS).values(**row, hash=digest(secret)))
    return {**row, "token": secret}


def token(connection: Connection, secret: str) -> tuple[User, Row] | None:
    """Who a token speaks for, and its row; None when it is unknown or revoked."""
    if not secret.startswith(MARK):
        return None
    row = connection.execute(select(TOKENS).where(TOKENS.c.hash == digest(secret))).mappings().first()
    return (User(f"token:{row['name']}", row["role"]), row) if row else None


def token_stale(row: Row, seconds: float) -> bool:
    """Whether a token's `used_at` should be renewed."""
    return row["used_at"] is None or row["used_at"] < clock.format_time(seconds - _TOUCH_SECONDS)


def touch_token(connection: Connection, id: str, now: str) -> None:
    """Note that a token was used."""
    connection.execute(update(TOKENS).where(TOKENS.c.id == id).values(used_at=now))


def tokens(connection: Connection) -> Sequence[dict[str, Any]]:
    """All tokens, without their hashes."""
    columns = [column for column in TOKENS.c if column.name != "hash"]
    return [dict(row) for row in connection.execute(select(*columns).order_by(TOKENS.c.name)).mappings()]


def revoke_token(connection: Connection, id_or_name: str) -> None:
    """Delete a token; it stops to work at once."""
    named = (TOKENS.c.id == id_or_name) | (TOKENS.c.name == id_or_name)
    if connection.execute(delete(TOKENS).where(named)).rowcount == 0:
        raise Refused(f"there is no token {id_or_name!r}", "`seawall token list` shows them", 404)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Refused(f"{name!r} is not a name", "1 to 64 letters, digits and . _ @ -, starting with a letter or digit")


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Refused(f"there is no role {role!r}", f"use one of: {', '.join(ROLES)}")


def _check_password(password: str) -> None:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Refused(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters", "several words are a good one")


def _write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read, never through a link that someone else put there."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
