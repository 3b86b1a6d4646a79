"""Migrations: they lead to the tables in the code, keep what is there, and happen whole or not at all."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from seawall.core.errors import SeawallError
from seawall.server import schema
from seawall.server.db import open_writes

LATER = '''
"""Add a column."""
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = {down!r}
def upgrade() -> None:
    op.create_table("made_later", sa.Column("id", sa.Integer, primary_key=True))
    with op.batch_alter_table("users") as table:
        table.add_column(sa.Column("shoe_size", sa.Integer))
    {more}
'''


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_writes(tmp_path / "x.db")
    yield made
    made.dispose()


def later(folder: Path, more: str = "pass") -> Path:
    """A copy of the migrations with one more."""
    copied = folder / "migrations"
    shutil.copytree(schema.MIGRATIONS, copied, ignore=shutil.ignore_patterns("__pycache__"))
    newest = sorted(path.stem.split("_")[0] for path in (copied / "versions").glob("*.py"))[-1]
    (copied / "versions" / "9999_later.py").write_text(LATER.format(down=newest, more=more))
    return copied


def put_user(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("insert into users values ('ann', 'viewer', 'x', 0, '2026-01-01T00:00:00.000Z')"))


def test_the_migrations_lead_to_the_tables_of_the_code(engine: Engine) -> None:
    schema.upgrade(engine)
    schema.upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.gathered()) == [], "python -m seawall.server.schema NAME writes one"


def test_an_older_database_is_brought_up_and_keeps_what_it_has(engine: Engine, tmp_path: Path) -> None:
    schema.upgrade(engine)
    put_user(engine)
    schema.upgrade(engine, later(tmp_path))
    with engine.connect() as connection:
        assert connection.execute(text("select name, shoe_size from users")).all() == [("ann", None)]
        assert inspect(connection).has_table("made_later")
    with pytest.raises(SeawallError, match="9999, which this server does not know"):
        schema.upgrade(engine)


def test_a_migration_that_fails_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    schema.upgrade(engine)
    put_user(engine)
    with pytest.raises(ValueError, match="in the middle"):
        schema.upgrade(engine, later(tmp_path, 'raise ValueError("in the middle")'))
    with engine.connect() as connection:
        assert not inspect(connection).has_table("made_later")
        assert "shoe_size" not in [column["name"] for column in inspect(connection).get_columns("users")]
        assert connection.execute(text("select name from users")).all() == [("ann",)]
    schema.upgrade(engine)


def test_a_database_without_a_version_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        schema.gathered().create_all(connection)
    with pytest.raises(SeawallError, match="before the first release"):
        schema.upgrade(engine)
