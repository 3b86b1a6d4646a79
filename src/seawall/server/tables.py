"""The server's own tables: people, tokens, agents and jobs. Every room has its own in its store.py.

Times are core.clock texts: their order as text is their order in time, in every database.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, MetaData, RowMapping, String, Table, Text

Row = Mapping[str, Any] | RowMapping
"""A row by the names of its columns."""

METADATA = MetaData()

USERS = Table(
    "users",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("password", String(256), nullable=False),
    Column("must_change_password", Boolean, nullable=False),
    Column("created_at", String(32), nullable=False),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    # The hash of the cookie: who reads the database cannot log in with it.
    Column("id", String(64), primary_key=True),
    Column("user", String(64), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("used_at", String(32), nullable=False),
)

TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("created_at", String(32), nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("used_at", String(32)),
)

ENROLMENT_TOKENS = Table(
    "enrolment_tokens",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("uses_left", Integer, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("expires_at", String(32), nullable=False),
)

AGENTS = Table(
    "agents",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("name", String(256), nullable=False),
    Column("version", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("host_id", String(128), nullable=False, index=True),
    Column("address", String(64), nullable=False),
    Column("cpu", Float),
    Column("rss", Integer),
    Column("degrade", Integer, nullable=False),
    Column("degrade_reason", Text, nullable=False),
    Column("sensor_state", String(16), nullable=False),
    Column("dropped", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("conflicts", Integer, nullable=False),
    Column("instance", String(64), nullable=False),
    Column("heartbeat", JSON, nullable=False),
    Column("enrolled_at", String(32), nullable=False),
    Column("last_seen", String(32), nullable=False),
    Column("certificate_expires_at", String(32), nullable=False),
    # Set instead of deleting the row: a certificate that is still valid must be known as one that is not welcome.
    Column("deleted_at", String(32)),
    Index("agents_last_seen", "last_seen", "id"),
)

INSTANCES = Table(
    "agent_instances",
    METADATA,
    Column("agent_id", String(32), primary_key=True),
    Column("instance", String(64), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("address", String(64), nullable=False),
    Column("first_seen", String(32), nullable=False),
    Column("last_seen", String(32), nullable=False),
)

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("target", String(512), nullable=False),
    Column("agent_id", String(32), nullable=False),
    Column("args", JSON, nullable=False),
    # The first argument: what is worked on, by its id.
    Column("subject", String(160), nullable=False),
    Column("state", String(16), nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("progress", Float, nullable=False),
    Column("message", Text, nullable=False),
    Column("error", Text, nullable=False),
    # What the agent said came of it, for orders that have more to tell than done or failed.
    Column("result", JSON),
    Column("created_at", String(32), nullable=False),
    Column("deadline", String(32), nullable=False),
    Column("finished_at", String(32)),
    Index("jobs_open", "agent_id", "state"),
    Index("jobs_created", "created_at", "id"),
    Index("jobs_subject", "kind", "subject", "id"),
)
