"""Run by alembic: applies the migrations on the connection that the ledger hands over."""

from alembic import context

from lpmanager.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="lpmanager_schema",
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
