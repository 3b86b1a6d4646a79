"""Findings: what happens, what is inside, what should be."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this version."""
    _runtime()
    _images()
    _baseline()


def _runtime() -> None:
    """What happens now."""
    op.create_table(
        "alert_hours",
        sa.Column("hour", sa.String(length=13), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "severity"),
    )
    op.create_table(
        "alert_ids",
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("seen_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", "id"),
    )
    with op.batch_alter_table("alert_ids", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_ids_seen_at"), ["seen_at"], unique=False)
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("host_id", sa.String(length=64), nullable=False),
        sa.Column("host_name", sa.String(length=255), nullable=False),
        sa.Column("rule", sa.String(length=128), nullable=False),
        sa.Column("title", sa.String(length=512), nullable=False),
        sa.Column("title_zh", sa.String(length=512), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("severity_rank", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("result", sa.String(length=32), nullable=False),
        sa.Column("container_id", sa.String(length=128), nullable=False),
        sa.Column("container_name", sa.String(length=512), nullable=False),
        sa.Column("image", sa.String(length=512), nullable=False),
        sa.Column("exe", sa.String(length=512), nullable=False),
        sa.Column("first_seen", sa.String(length=32), nullable=False),
        sa.Column("last_seen", sa.String(length=32), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("remark", sa.String(length=2000), nullable=False),
        sa.Column("handled_by", sa.String(length=255), nullable=False),
        sa.Column("handled_at", sa.String(length=32), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("agent_id", "key", name="alerts_same"),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index("alerts_container", ["container_id"], unique=False)
        batch_op.create_index("alerts_counts", ["state", "severity", "category"], unique=False)
        batch_op.create_index("alerts_last_seen", ["last_seen", "id"], unique=False)
        batch_op.create_index("alerts_rule", ["rule", "last_seen"], unique=False)
        batch_op.create_index("alerts_severity", ["severity_rank", "id"], unique=False)
        batch_op.create_index("alerts_state", ["state", "last_seen", "id"], unique=False)


def _images() -> None:
    """What is inside."""
    op.create_table(
        "cves",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("severity_rank", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("kev", sa.Boolean(), nullable=False),
        sa.Column("fixed", sa.Boolean(), nullable=False),
        sa.Column("title", sa.String(length=512), nullable=False),
        sa.Column("url", sa.String(length=1024), nullable=False),
        sa.Column("packages", sa.Text(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("first_seen", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("cves", schema=None) as batch_op:
        batch_op.create_index("cves_severity", ["severity_rank", "id"], unique=False)
    op.create_table(
        "inventories",
        sa.Column("image_id", sa.String(length=160), nullable=False),
        sa.Column("scan", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("host_id", sa.String(length=64), nullable=False),
        sa.Column("host_name", sa.String(length=255), nullable=False),
        sa.Column("scanned_at", sa.String(length=32), nullable=False),
        sa.Column("packages", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("judged", sa.Boolean(), nullable=False),
        sa.Column("judged_with", sa.String(length=64), nullable=False),
        sa.Column("judged_at", sa.String(length=32), nullable=True),
        sa.Column("judge_error", sa.Text(), nullable=False),
        sa.Column("unchecked", sa.Integer(), nullable=False),
        sa.Column("kev", sa.Integer(), nullable=False),
        sa.Column("fixable", sa.Integer(), nullable=False),
        sa.Column("critical", sa.Integer(), nullable=False),
        sa.Column("high", sa.Integer(), nullable=False),
        sa.Column("medium", sa.Integer(), nullable=False),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("info", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("image_id"),
    )
    with op.batch_alter_table("inventories", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inventories_judged_with"), ["judged_with"], unique=False)
    op.create_table(
        "inventory_parts",
        sa.Column("scan", sa.String(length=64), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.String(length=160), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("scan", "part"),
    )
    with op.batch_alter_table("inventory_parts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inventory_parts_image_id"), ["image_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_inventory_parts_received_at"), ["received_at"], unique=False)
    op.create_table(
        "packages",
        sa.Column("scan", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("version", sa.String(length=512), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("purl", sa.String(length=1024), nullable=False),
        sa.Column("source_name", sa.String(length=512), nullable=False),
        sa.Column("source_version", sa.String(length=512), nullable=False),
        sa.Column("arch", sa.String(length=64), nullable=False),
        sa.Column("license", sa.String(length=512), nullable=False),
        sa.Column("owned", sa.Boolean(), nullable=False),
        sa.Column("path", sa.String(length=1024), nullable=False),
        sa.Column("layer", sa.Integer(), nullable=False),
        sa.Column("locations", sa.JSON(), nullable=False),
        sa.Column("checked", sa.Boolean(), nullable=True),
        sa.Column("vulnerabilities", sa.Integer(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=True),
        sa.Column("severity_rank", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scan", "number"),
    )
    op.create_table(
        "vulnerabilities",
        sa.Column("image_id", sa.String(length=160), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("package", sa.String(length=512), nullable=False),
        sa.Column("installed", sa.String(length=512), nullable=False),
        sa.Column("fixed", sa.String(length=512), nullable=False),
        sa.Column("fixable", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("severity_rank", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("cvss", sa.String(length=255), nullable=False),
        sa.Column("epss", sa.Float(), nullable=True),
        sa.Column("kev", sa.Boolean(), nullable=False),
        sa.Column("title", sa.String(length=512), nullable=False),
        sa.Column("url", sa.String(length=1024), nullable=False),
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("purl", sa.String(length=1024), nullable=False),
        sa.Column("path", sa.String(length=1024), nullable=False),
        sa.Column("layer", sa.Integer(), nullable=False),
        sa.Column("first_seen", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("image_id", "number"),
    )
    with op.batch_alter_table("vulnerabilities", schema=None) as batch_op:
        batch_op.create_index("vulnerabilities_cve", ["id", "image_id"], unique=False)


def _baseline() -> None:
    """What should be."""
    op.create_table(
        "baseline_facts",
        sa.Column("id", sa.String(length=400), nullable=False),
        sa.Column("host_id", sa.String(length=128), nullable=False),
        sa.Column("host_name", sa.String(length=256), nullable=False),
        sa.Column("agent_id", sa.String(length=32), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("baseline_facts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_baseline_facts_host_id"), ["host_id"], unique=False)
    op.create_table(
        "baseline_results",
        sa.Column("id", sa.String(length=500), nullable=False),
        sa.Column("benchmark", sa.String(length=64), nullable=False),
        sa.Column("check", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("severity_rank", sa.Integer(), nullable=False),
        sa.Column("asset", sa.String(length=400), nullable=False),
        sa.Column("asset_id", sa.String(length=256), nullable=False),
        sa.Column("asset_kind", sa.String(length=32), nullable=False),
        sa.Column("asset_name", sa.String(length=256), nullable=False),
        sa.Column("host_id", sa.String(length=128), nullable=False),
        sa.Column("host_name", sa.String(length=256), nullable=False),
        sa.Column("agent_id", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.String(length=32), nullable=False),
        sa.Column("judged_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("baseline_results", schema=None) as batch_op:
        batch_op.create_index("baseline_results_check", ["benchmark", "check", "outcome"], unique=False)
        batch_op.create_index(batch_op.f("ix_baseline_results_asset"), ["asset"], unique=False)
    op.create_table(
        "baseline_runs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agent_id", sa.String(length=32), nullable=False),
        sa.Column("benchmark", sa.String(length=64), nullable=False),
        sa.Column("started_by", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.String(length=32), nullable=False),
        sa.Column("finished_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", "agent_id"),
    )
    with op.batch_alter_table("baseline_runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_baseline_runs_benchmark"), ["benchmark"], unique=False)
    op.create_table(
        "baseline_waivers",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("check", sa.String(length=64), nullable=False),
        sa.Column("selector", sa.JSON(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("expires_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
