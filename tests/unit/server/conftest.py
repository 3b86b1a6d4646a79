"""A server's parts over a real database, without sockets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from seawall.server import run
from seawall.server.config import Config, load
from seawall.server.db import Database, open_writes
from seawall.server.live import Hub
from seawall.server.parts import Installer, Parts


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load(tmp_path, environment={})


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    opened = run.open_database(config, Hub())
    yield opened
    opened.close()


@pytest.fixture
def parts(config: Config, database: Database) -> Parts:
    return run.assemble(config, database, Hub(), lambda: Installer(b"#!/bin/sh\n", b"archive"))


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A transaction that is thrown away. The writer's own connection is its thread's for ever; this is another."""
    engine = open_writes(database.path)
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()
    engine.dispose()
