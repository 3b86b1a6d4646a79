"""Tables of the runtime room: what came from the nodes, and what people decided about it.

Times are core.clock texts. Rows that people make carry who made and who changed them.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()
MAX_TEXT = 512
MAX_REMARK = 2000
MAX_DIGEST = 400
"""Characters of what names an image: `sha256:…`, with the repository in front where the runtime tells it so."""
MAX_PATH = 1024
"""Characters of a program's path in a profile."""


def _made() -> tuple[Column[Any], ...]:
    return (
        Column("created_by", String(255), nullable=False),
        Column("created_at", String(32), nullable=False),
        Column("updated_by", String(255), nullable=False),
        Column("updated_at", String(32), nullable=False),
    )


ALERTS = Table(
    "alerts",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("agent_id", String(64), nullable=False),
    Column("key", String(64), nullable=False),
    Column("host_id", String(64), nullable=False),
    Column("host_name", String(255), nullable=False),
    Column("rule", String(128), nullable=False),
    Column("title", String(MAX_TEXT), nullable=False),
    Column("title_zh", String(MAX_TEXT), nullable=False),
    Column("category", String(32), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("severity_rank", Integer, nullable=False),
    Column("action", String(16), nullable=False),
    Column("result", String(32), nullable=False),
    Column("container_id", String(128), nullable=False),
    Column("container_name", String(MAX_TEXT), nullable=False),
    Column("image", String(MAX_TEXT), nullable=False),
    Column("image_digest", String(MAX_DIGEST), nullable=False, server_default=""),
    Column("exe", String(MAX_TEXT), nullable=False),
    Column("means", String(16), nullable=False, server_default=""),
    # How many responses were asked for from this alert.
    Column("responses", Integer, nullable=False, server_default="0"),
    Column("first_seen", String(32), nullable=False),
    Column("last_seen", String(32), nullable=False),
    Column("count", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("remark", String(MAX_REMARK), nullable=False),
    Column("handled_by", String(255), nullable=False),
    Column("handled_at", String(32), nullable=False),
    Column("data", JSON, nullable=False),
    UniqueConstraint("agent_id", "key", name="alerts_same"),
    Index("alerts_last_seen", "last_seen", "id"),
    Index("alerts_state", "state", "last_seen", "id"),
    Index("alerts_severity", "severity_rank", "id"),
    # Counts by state, severity and category are read from this alone, never from the wide rows.
    Index("alerts_counts", "state", "severity", "category"),
    Index("alerts_container", "container_id", "last_seen"),
    Index("alerts_host", "host_id", "last_seen"),
    Index("alerts_rule", "rule", "last_seen"),
)
"""`data` is the latest occurrence as the node sent it."""

SEEN = Table(
    "alert_ids",
    METADATA,
    Column("agent_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("seen_at", String(32), nullable=False, index=True),
)

HOURS = Table(
    "alert_hours",
    METADATA,
    Column("hour", String(13), primary_key=True),
    Column("severity", String(16), primary_key=True),
    Column("count", Integer, nullable=False),
)
"""Occurrences by hour (`2026-11-23T17`), for the trend."""

SETTINGS = Table(
    "runtime_settings",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("updated_by", String(255), nullable=False),
    Column("updated_at", String(32), nullable=False),
)
"""What an administrator has set, over the configuration's defaults; and the number of the policy's last change."""

PLANS = Table(
    "runtime_plans",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("compiled_at", String(32), nullable=False),
    Column("body", JSON, nullable=False),
)
"""The last good plan, for a server that starts with a policy that does not compile."""

AUDIT = Table(
    "runtime_audit",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("at", String(32), nullable=False),
    Column("who", String(255), nullable=False),
    Column("act", String(64), nullable=False),
    Column("thing", String(160), nullable=False),
    Column("what", Text, nullable=False),
    Index("runtime_audit_at", "at", "id"),
)
"""Who changed the policy or acted on a node: kept also when the thing itself is deleted."""

GROUPS = Table(
    "rule_groups",
    METADATA,
    Column("id", String(128), primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("updated_by", String(255), nullable=False),
    Column("updated_at", String(32), nullable=False),
)
"""Groups of rules that somebody has switched; all others are as they are packaged."""

RULE_FILES = Table(
    "rule_files",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("format", String(16), nullable=False),
    Column("text", Text, nullable=False),
    # The last text without errors: it stays in force while the newest has some.
    Column("good", Text),
    Column("enabled", Boolean, nullable=False),
    Column("rules", Integer, nullable=False),
    Column("errors", JSON, nullable=False),
    Column("scope", JSON, nullable=False),
    *_made(),
)

USER_RULES = Table(
    "user_rules",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("title", String(MAX_TEXT), nullable=False),
    Column("action", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("form", JSON, nullable=False),
    Column("scope", JSON, nullable=False),
    # As it stands in the plan: a native rule file of one rule.
    Column("text", Text, nullable=False),
    *_made(),
)

WAIVERS = Table(
    "runtime_waivers",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("rules", JSON, nullable=False),
    Column("fields", JSON, nullable=False),
    Column("condition", Text, nullable=False),
    Column("owner", String(255), nullable=False),
    Column("reason", String(MAX_REMARK), nullable=False),
    # Never is allowed to administrators.
    Column("expires_at", String(32), index=True),
    Column("silenced", Integer, nullable=False),
    Column("last_silenced", String(32)),
    *_made(),
)

SILENCED = Table(
    "runtime_silenced",
    METADATA,
    Column("day", String(10), primary_key=True),
    Column("waiver_id", String(40), primary_key=True),
    Column("rule", String(128), primary_key=True),
    Column("count", Integer, nullable=False),
)
"""Alerts that the nodes held back, by day; `rule` is "" where the node did not tell it."""

PROFILES = Table(
    "profiles",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("image_digest", String(MAX_DIGEST), nullable=False, unique=True),
    Column("image", String(MAX_TEXT), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("programs", Integer, nullable=False),
    Column("learned_since", String(32), nullable=False),
    # When the newest program was learned; null when none was yet.
    Column("last_new", String(32)),
    Column("fallback_at", String(32)),
    Column("fallback_reason", String(MAX_TEXT)),
    *_made(),
)

PROFILE_PROGRAMS = Table(
    "profile_programs",
    METADATA,
    Column("profile_id", String(40), primary_key=True),
    Column("path", String(MAX_PATH), primary_key=True),
    Column("parent", String(MAX_PATH), nullable=False),
    Column("first_seen", String(32), nullable=False),
    Column("last_seen", String(32), nullable=False),
    Column("count", Integer, nullable=False),
    Column("source", String(16), nullable=False),
)

VIOLATIONS = Table(
    "profile_violations",
    METADATA,
    Column("image_digest", String(MAX_DIGEST), primary_key=True),
    Column("at", String(32), primary_key=True),
    Column("blocked", Boolean, primary_key=True),
    Column("count", Integer, nullable=False),
    Index("profile_violations_at", "at"),
)
"""Programs that were not in an image's profile, in steps of ten seconds."""

RESPONSES = Table(
    "responses",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("action", String(32), nullable=False),
    Column("agent_id", String(64), nullable=False),
    Column("host_id", String(64), nullable=False),
    Column("host_name", String(255), nullable=False),
    Column("container_id", String(128), nullable=False),
    Column("container_name", String(MAX_TEXT), nullable=False),
    Column("target", String(MAX_PATH), nullable=False),
    Column("args", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("result", String(32), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("message", Text, nullable=False),
    Column("means", String(16), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("undone_by", String(40)),
    Column("undo_of", String(40)),
    Column("alert_id", String(64)),
    Column("job_id", String(40)),
    Column("created_by", String(255), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("updated_by", String(255), nullable=False),
    Column("updated_at", String(32), nullable=False),
    Column("finished_at", String(32)),
    Column("data", JSON, nullable=False),
    Index("responses_created", "created_at", "id"),
    Index("responses_alert", "alert_id"),
    Index("responses_in_force", "action", "state"),
    Index("responses_target", "agent_id", "container_id"),
)

RULE_TESTS = Table(
    "rule_tests",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("hours", Integer, nullable=False),
    Column("rules", JSON, nullable=False),
    Column("errors", JSON, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("created_at", String(32), nullable=False, index=True),
)

RULE_TEST_NODES = Table(
    "rule_test_nodes",
    METADATA,
    Column("test_id", String(40), primary_key=True),
    Column("agent_id", String(64), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    # What the node had recorded: from when until when.
    Column("since", String(32)),
    Column("until", String(32)),
    Column("events", Integer, nullable=False),
    Column("hits", Integer, nullable=False),
    Column("alerts", JSON, nullable=False),
    Column("error", Text, nullable=False),
)
