"""Alembic's entry: runs migrations on the connection that schema.upgrade brings."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, render_as_batch=True, transactional_ddl=True)
context.run_migrations()
