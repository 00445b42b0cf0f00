"""Alembic's entry: runs the steps on the connection that migrations.upgrade was given."""

from alembic import context

from database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
with context.begin_transaction():
    context.run_migrations()
