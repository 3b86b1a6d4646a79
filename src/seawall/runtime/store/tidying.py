"""What nobody will ask for again goes."""

from sqlalchemy import Connection

from seawall.core import clock
from seawall.runtime.store import policy, profiles, replays, responses, waivers

RESPONSE_DAYS = 180
TEST_DAYS = 7


def tidy(connection: Connection, seconds: float) -> None:
    """One sweep, at `seconds` since the epoch."""

    def before(days: float) -> str:
        return clock.format_time(seconds - days * 86400)

    waivers.forget(connection, before(waivers.RECENT_DAYS + 1))
    profiles.forget(connection, before(profiles.KEEP_DAYS))
    responses.forget(connection, before(RESPONSE_DAYS))
    replays.forget(connection, before(TEST_DAYS))
    policy.forget(connection, before(policy.AUDIT_DAYS))
