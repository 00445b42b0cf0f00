"""What SQLite's query planner is told about the size of a desk, so that plans do not depend on the day's counts."""

from sqlalchemy import Connection

# sqlite.org/fileformat2.html#stat1tab: rows in all, then rows that share the first column of the index, the first two, …
# A grown desk, always: with its own counts SQLite plans for the size at the last ANALYZE, and with none it takes a company
# for ten rows and walks all its tickets to find those of one customer.
TYPICAL = {
    ("tickets", "ix_tickets_created"): "100000 5000 1 1",
    ("tickets", "ix_tickets_updated"): "100000 5000 1 1",
    ("tickets", "ix_tickets_status"): "100000 5000 600 1 1",
    ("tickets", "ix_tickets_customer"): "100000 5000 10 1 1",
    ("tickets", "ix_tickets_assigned"): "100000 5000 100 1 1",
    ("tickets", "ix_tickets_urgency"): "100000 5000 100 1 1",
    ("tickets", "ix_tickets_priority"): "100000 5000 1250 50 1 1",
    ("tickets", "uq_tickets_number"): "100000 5000 1",
    ("events", "ix_events_company"): "500000 25000 10 1",
    ("events", "ix_events_subject"): "500000 5 1 1",
}


def teach_planner(connection: Connection) -> None:
    """Puts the typical shape of a desk in place of what SQLite measured; connections made later plan by it."""
    connection.exec_driver_sql("PRAGMA analysis_limit=100")
    connection.exec_driver_sql("ANALYZE")
    connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    rows = [(table, index, shape) for (table, index), shape in TYPICAL.items()]
    connection.exec_driver_sql("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", rows)
