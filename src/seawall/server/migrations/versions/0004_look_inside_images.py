"""Look inside images."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this version."""
    _found()
    _registries()
    _scans()
    _policy()
    _more()


def _found() -> None:
    """What was found in files."""
    op.create_table(
        "image_findings",
        sa.Column("scan", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.String(length=160), nullable=False),
        sa.Column("rule", sa.String(length=128), nullable=False),
        sa.Column("title", sa.String(length=512), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("severity_rank", sa.Integer(), nullable=False),
        sa.Column("certainty", sa.String(length=16), nullable=False),
        sa.Column("path", sa.String(length=1024), nullable=False),
        sa.Column("layer", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("identity", sa.String(length=128), nullable=False),
        sa.Column("first_seen", sa.String(length=32), nullable=False),
        sa.Column("suppressed", sa.String(length=512), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("scan", "kind", "number"),
    )
    with op.batch_alter_table("image_findings", schema=None) as batch_op:
        batch_op.create_index("image_findings_rule", ["kind", "rule", "image_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_image_findings_image_id"), ["image_id"], unique=False)


def _registries() -> None:
    """Where images come from."""
    op.create_table(
        "registries",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("url", sa.String(length=1024), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("webhook", sa.String(length=64), nullable=False),
        sa.Column("synced_at", sa.String(length=32), nullable=True),
        sa.Column("next_at", sa.String(length=32), nullable=True),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_by", sa.String(length=255), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "registry_images",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("registry", sa.String(length=40), nullable=False),
        sa.Column("repository", sa.String(length=512), nullable=False),
        sa.Column("tag", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=160), nullable=False),
        sa.Column("platform", sa.String(length=64), nullable=False),
        sa.Column("image_id", sa.String(length=160), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=True),
        sa.Column("first_seen", sa.String(length=32), nullable=False),
        sa.Column("last_seen", sa.String(length=32), nullable=False),
        sa.Column("changed_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("registry_images", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_registry_images_image_id"), ["image_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_registry_images_registry"), ["registry"], unique=False)


def _scans() -> None:
    """Scans of many images, and when they are due."""
    op.create_table(
        "image_scan_targets",
        sa.Column("scan", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.String(length=160), nullable=False),
        sa.Column("target", sa.String(length=1024), nullable=False),
        sa.Column("registry", sa.String(length=40), nullable=False),
        sa.Column("job", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("started_at", sa.String(length=32), nullable=True),
        sa.Column("finished_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("scan", "number"),
    )
    with op.batch_alter_table("image_scan_targets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_image_scan_targets_job"), ["job"], unique=False)
        batch_op.create_index(batch_op.f("ix_image_scan_targets_state"), ["state"], unique=False)
    op.create_table(
        "image_scans",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("schedule", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("scanners", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("deadline", sa.String(length=32), nullable=False),
        sa.Column("finished_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("image_scans", schema=None) as batch_op:
        batch_op.create_index("image_scans_created", ["created_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_image_scans_schedule"), ["schedule"], unique=False)
    op.create_table(
        "image_schedules",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.Column("next_at", sa.String(length=32), nullable=True),
        sa.Column("last_scan", sa.String(length=40), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_by", sa.String(length=255), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )


def _policy() -> None:
    """What images have to be like, and what nobody wants to be told of."""
    op.create_table(
        "image_ignores",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("until", sa.String(length=32), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "image_policies",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_by", sa.String(length=255), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )


def _more() -> None:
    """More of what is known. All is judged again, so that the new columns are filled."""
    with op.batch_alter_table("cves", schema=None) as batch_op:
        batch_op.add_column(sa.Column("risk", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("poc", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("epss", sa.Float(), nullable=True))
    with op.batch_alter_table("inventories", schema=None) as batch_op:
        batch_op.add_column(sa.Column("suppressed", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("verdict", sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("secrets", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("malware", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("config", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("risk", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("decision", sa.String(length=16), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("reasons", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("vulnerabilities", schema=None) as batch_op:
        batch_op.add_column(sa.Column("risk", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("poc", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("details", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("suppressed", sa.String(length=512), nullable=False, server_default=""))
    with op.batch_alter_table("packages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("more", sa.JSON(), nullable=False, server_default="{}"))
    op.execute("UPDATE inventories SET judged_with = ''")
