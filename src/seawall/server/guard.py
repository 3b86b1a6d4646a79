"""Who may come in by the API's door: sessions, tokens, roles, the CSRF value, and a brake for guessers."""

import hmac
import threading
import time
from collections import deque
from collections.abc import Callable

import structlog
from fastapi import Request
from sqlalchemy import Connection

from seawall.core import clock
from seawall.lists import Refused, User
from seawall.server import accounts
from seawall.server.accounts import Login
from seawall.server.config import Config
from seawall.server.db import Busy, Database, alone

LOG = structlog.get_logger("seawall.guard")

COOKIE = "seawall_session"
CSRF_HEADER = "x-seawall-csrf"
SAFE = ("GET", "HEAD", "OPTIONS")


class Brake:
    """At most `limit` failures within `seconds` for one key; kept in memory, bounded."""

    def __init__(self, limit: int, seconds: float, keys: int = 10_000) -> None:
        self._limit, self._seconds, self._keys = limit, seconds, keys
        self._failures: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def check(self, key: str) -> None:
        """Raise Refused (429) when the key has failed too often."""
        with self._lock:
            if len(self._recent(key)) >= self._limit:
                raise Refused("too many failed attempts", f"wait {self._seconds:.0f} seconds", 429)

    def failed(self, key: str) -> None:
        """Count a failure."""
        with self._lock:
            self._recent(key).append(time.monotonic())

    def passed(self, key: str) -> None:
        """Forget the failures of a key."""
        with self._lock:
            self._failures.pop(key, None)

    def _recent(self, key: str) -> deque[float]:
        if len(self._failures) > self._keys:
            self._failures.clear()
        recent = self._failures.setdefault(key, deque(maxlen=self._limit))
        while recent and recent[0] < time.monotonic() - self._seconds:
            recent.popleft()
        return recent


class Guard:
    """Tells who asks. One object for the whole API."""

    def __init__(self, database: Database, config: Config) -> None:
        self._database = database
        self.idle = config.session_idle_hours * 3600.0
        self.longest = config.session_days * 86400.0
        self.logins = Brake(5, 60.0)
        self.enrolments = Brake(20, 60.0)

    def require(self, role: str) -> Callable[[Request], User]:
        """A dependency that lets in users of this role or a higher one."""
        least = accounts.ROLES.index(role)

        def check(request: Request) -> User:
            user = self.user(request)
            if accounts.ROLES.index(user.role) < least:
                raise Refused(f"this needs the role {role}; you are {user.role}", "ask an administrator", 403)
            return user

        return check

    def user(self, request: Request) -> User:
        """Who asks. Refused: 401 without a login, 403 with a bad CSRF value or an unchanged first password."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._by_token(secret.strip())
        login = self.login(request)
        if login.must_change_password:
            raise Refused("password must be changed", "POST /api/v1/session/password with {old, new}", 403)
        return login.user

    def login(self, request: Request) -> Login:
        """The cookie's session, whatever its password's state."""
        secret = request.cookies.get(COOKIE, "")
        login = None
        if secret:
            with self._database.reading() as connection:
                login = accounts.session(connection, secret, seconds=time.time(), idle=self.idle, longest=self.longest)
        if login is None:
            raise Refused("not logged in", "log in, or send Authorization: Bearer TOKEN", 401)
        if request.method not in SAFE:
            sent = request.headers.get(CSRF_HEADER, "")
            if not hmac.compare_digest(sent.encode(), login.csrf.encode()):
                raise Refused(f"the header {CSRF_HEADER} is missing or wrong", "send the session's csrf", 403)
        if login.touch:
            self._later(lambda connection: accounts.touch_session(connection, login.session, clock.now()))
        return login

    def _by_token(self, secret: str) -> User:
        with self._database.reading() as connection:
            found = accounts.token(connection, secret)
        if found is None:
            raise Refused("the token is not valid", "`seawall token create` makes one", 401)
        user, row = found
        if accounts.token_stale(row, time.time()):
            self._later(lambda connection: accounts.touch_token(connection, row["id"], clock.now()))
        return user

    def _later(self, touch: Callable[[Connection], None]) -> None:
        """Write without waiting; it is only a note of use, so a full queue may lose it."""
        try:
            self._database.submit(alone(touch))
        except Busy:
            LOG.debug("note of use lost: the writer is busy")
