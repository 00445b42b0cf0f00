"""Words in PostgreSQL's search index get the prefix of their company. The next start fills the index again.

The index of SQLite is not part of the migrations: opening a file rebuilds it when its definition changed.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("DELETE FROM ticket_words")
