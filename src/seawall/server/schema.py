"""All tables of the product, gathered from the rooms, and the migrations that lead to them."""

import importlib
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, create_engine, inspect

from seawall.core.errors import SeawallError
from seawall.server import tables

STORES = ("seawall.assets.store", "seawall.images.tables", "seawall.runtime.store", "seawall.baseline.store")
"""Modules whose METADATA holds tables of the server's database."""

MIGRATIONS = Path(__file__).parent / "migrations"


def gathered() -> MetaData:
    """One MetaData with every room's tables. Raises ValueError if two rooms use one name."""
    whole = MetaData()
    for metadata in (tables.METADATA, *(_metadata(name) for name in STORES)):
        for table in metadata.tables.values():
            if table.name in whole.tables:
                raise ValueError(f"two rooms have a table {table.name!r}")
            table.to_metadata(whole)
    return whole


def _metadata(name: str) -> MetaData:
    metadata: MetaData = getattr(importlib.import_module(name), "METADATA", MetaData())
    return metadata


def upgrade(engine: Engine, migrations: Path = MIGRATIONS) -> None:
    """Bring the database to this version's tables, all or nothing. Refuses one that a newer version has written."""
    config = settings(migrations)
    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}
    with engine.begin() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in known:
            raise SeawallError(
                f"the database is at version {current}, which this server does not know",
                "a newer Seawall has written it: install that version again, or restore a backup",
            )
        if current is None and inspect(connection).has_table(tables.USERS.name):
            raise SeawallError(
                "the database is of a version before the first release",
                "move seawall.db away; the server makes a new one, and the agents tell again what runs",
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def draft(name: str) -> Path:
    """For developers: write the migration that leads from the last one to the tables in the code, to be looked through.

    `python -m seawall.server.schema "Note when a host was seen"`
    """
    config = settings(MIGRATIONS)
    number = f"{len(list((MIGRATIONS / 'versions').glob('*.py'))) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/empty.db")
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            made = command.revision(config, name, autogenerate=True, rev_id=number)
        engine.dispose()
    if made is None or isinstance(made, list):
        raise SeawallError("no migration was written")
    return Path(made.path)


def settings(migrations: Path) -> AlembicConfig:
    """Alembic's settings: where the migrations are."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


if __name__ == "__main__":
    draft(sys.argv[1])
