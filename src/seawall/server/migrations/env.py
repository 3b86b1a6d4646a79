"""Alembic's entry: runs migrations on the connection that schema.upgrade or schema.draft brings."""

from alembic import context

from seawall.server.schema import gathered

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=gathered(),
    render_as_batch=True,
    transactional_ddl=True,
    compare_type=True,
)
context.run_migrations()
