"""Full-text search: PostgreSQL keeps each ticket's words in a table of its own. What a file needs is made when it is opened."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    op.create_table(
        "ticket_words",
        sa.Column("ticket_id", sa.Text(collation="C"), nullable=False),
        sa.Column("words", TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_words_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_ticket_words")),
    )
    # Kept in the row: PostgreSQL takes reading what it keeps elsewhere for free, and would rather read all than ask the index.
    op.execute("ALTER TABLE ticket_words ALTER COLUMN words SET STORAGE MAIN")
    # New words wait in a list that every search reads; it stays short.
    op.execute("CREATE INDEX ix_ticket_words ON ticket_words USING gin (words) WITH (gin_pending_list_limit = 256)")
    # Who changes a ticket's texts takes it out of the index; the desk puts it back in the same transaction. What an older
    # Foyer beside this one, or a person, changes is put back at the next start.
    of = "number title description tags customer_email customer_name customer_id product external_id resolution".split()
    new, old = (", ".join(f"{row}.{name}" for name in of) for row in ("NEW", "OLD"))
    op.execute(
        "CREATE FUNCTION ticket_words_are_old() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF ({new}) IS DISTINCT FROM ({old}) THEN DELETE FROM ticket_words WHERE ticket_id = OLD.id; END IF; "
        "RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER ticket_words_u AFTER UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION ticket_words_are_old()"
    )
