"""Fixed statistics for SQLite's query planner, so that query plans do not depend on the last ANALYZE."""

from sqlalchemy import Connection

# sqlite.org/fileformat2.html#stat1tab: rows in all, then rows that share the first column of the index, the first two, …
# Always those of a large store. With its own counts SQLite plans for the size at the last ANALYZE. Without any it expects ten
# tickets of a company, and reads all of them to find those of one customer.
TYPICAL = {
    ("tickets", "ix_tickets_created"): "100000 5000 1 1",
    ("tickets", "ix_tickets_updated"): "100000 5000 1 1",
    ("tickets", "ix_tickets_status"): "100000 5000 600 1 1",
    ("tickets", "ix_tickets_customer"): "100000 5000 10 1 1",
    ("tickets", "ix_tickets_assigned"): "100000 5000 100 1 1",
    ("tickets", "ix_tickets_urgency"): "100000 5000 100 1 1",
    ("tickets", "ix_tickets_priority"): "100000 5000 1250 50 1 1",
    ("tickets", "ix_tickets_by_priority"): "100000 5000 1250 1 1",
    ("tickets", "ix_tickets_category"): "100000 5000 1000 1 1",
    ("tickets", "ix_tickets_team"): "100000 5000 1000 1 1",
    ("tickets", "ix_tickets_sentiment"): "100000 5000 1600 1 1",
    ("tickets", "ix_tickets_tier"): "100000 5000 1250 1 1",
    ("tickets", "ix_tickets_source"): "100000 5000 700 1 1",
    ("tickets", "ix_tickets_topic"): "100000 5000 500 1 1",
    ("tickets", "ix_tickets_product"): "100000 5000 500 1 1",
    ("tickets", "ix_tickets_due"): "100000 5000 50 1 1",
    ("tickets", "ix_tickets_waiting"): "100000 5000 1 1 1",
    ("tickets", "ix_tickets_incident"): "2000 500 20",
    ("tickets", "ix_tickets_sla_next"): "20000 1",
    ("tickets", "ix_tickets_team_queue"): "2000 100 20 1 1 1",
    ("tickets", "ix_tickets_unescalated"): "1000 50 1",
    ("tickets", "ix_tickets_sla"): "100000 5000 1000 1 1",
    ("tickets", "ix_tickets_merged"): "2000 100 1",
    ("tickets", "ix_tickets_snoozed"): "2000 1",
    ("tickets", "ix_tickets_asleep"): "2000 100 20 1 1",
    ("tickets", "ix_tickets_first_response"): "60000 5000 2 1 1 1",
    ("tickets", "ix_tickets_resolution"): "60000 5000 2 1 1 1",
    ("tickets", "ix_tickets_resolved"): "60000 5000 2 1 1 1",
    ("tickets", "ix_tickets_agent_response"): "60000 5000 50 1 1 1",
    ("tickets", "ix_tickets_agent_resolution"): "60000 5000 50 1 1 1",
    ("tickets", "uq_tickets_number"): "100000 5000 1",
    ("ticket_tags", "ticket_tags"): "100000 5000 100 1 1",
    ("tallies", "tallies"): "20000 1000 100 20 10 5 3 2 1 1",
    ("ticket_sums", "ticket_sums"): "100000 5000 1000 20 5 1",
    ("word_sums", "word_sums"): "200000 10000 2000 100 10 2 1",
    ("stale_days", "stale_days"): "200 10 1",
    ("citations", "uq_citations_ticket"): "50000 1 1",
    ("citations", "ix_citations_article"): "50000 2500 50 25",
    ("events", "ix_events_company"): "500000 25000 10 1",
    ("events", "ix_events_subject"): "500000 5 1 1",
}


def set_planner_statistics(connection: Connection) -> None:
    """Replaces the statistics that SQLite measured. They apply to connections that are opened later."""
    connection.exec_driver_sql("PRAGMA analysis_limit=100")
    connection.exec_driver_sql("ANALYZE")
    connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    rows = [(table, index, shape) for (table, index), shape in TYPICAL.items()]
    connection.exec_driver_sql("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", rows)
