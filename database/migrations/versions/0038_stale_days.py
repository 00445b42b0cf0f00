"""A job counts days for statistics, not each change of a ticket. Such a change costs less."""

from alembic import op

from database import ticket_sums

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

REPLACED = (
    *("ticket_sums_insert", "ticket_sums_import", "ticket_sums_delete", "ticket_sums_change", "ticket_sums_time"),
    *("ticket_sums_move", "word_sums_change"),
    *("stale_days_insert", "stale_days_delete", "stale_days_update", "stale_days_of_ticket", "stale_days_delete_sums"),
)


def upgrade() -> None:
    connection = op.get_bind()
    on_sqlite = connection.dialect.name == "sqlite"
    for name in REPLACED:
        connection.exec_driver_sql(
            f"DROP TRIGGER IF EXISTS {name}" if on_sqlite else f"DROP FUNCTION IF EXISTS {name}() CASCADE"
        )
    for table in ("ticket_sums", "word_sums", "stale_days"):
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
    for statement in ticket_sums.create(on_sqlite=on_sqlite):
        connection.exec_driver_sql(statement)
