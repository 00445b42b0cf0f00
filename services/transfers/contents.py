"""What a transfer holds: its files with their tables and columns, and what stays out of it with the reason."""

from functools import cache

from sqlalchemy import Table

from database import tables

FORMAT = 1
# Files in the order in which they are imported: a row stands behind those that it refers to.
TABLES: dict[str, Table] = {
    "users": tables.users,
    "teams": tables.teams,
    "routing_rules": tables.routing_rules,
    "customers": tables.customers,
    "articles": tables.articles,
    "macros": tables.macros,
    "views": tables.views,
    "notice_texts": tables.notice_texts,
    "incidents": tables.incidents,
    "tickets": tables.tickets,
    "conversations": tables.conversations,
    "replies": tables.replies,
    "history": tables.events,
    "attachments": tables.attachments,
    "examples": tables.examples,
    "merges": tables.merges,
    "drafts": tables.drafts,
    "citations": tables.citations,
    "inbound_mails": tables.inbound_mails,
    "inbound_originals": tables.inbound_originals,
}
# A column that is added to the users stays out until it stands here: it may be a secret.
_OF_USERS = "id email name role team available capacity last_assigned_at disabled notices_off created_at".split()
LEFT_OUT: dict[str, str] = {
    "ai_usage": "It counts the calls of the model of this server, for its daily budget.",
    "api_keys": "Keys are secrets.",
    "bulk_items": "They undo a bulk within 15 minutes.",
    "bulks": "They undo a bulk within 15 minutes.",
    "deliveries": "They were sent to webhooks of this server.",
    "erased_people": "They follow from the SECRET_KEY of this server.",
    "exchange_codes": "They sign in within a minute.",
    "idempotency": "Stored answers are of calls to this server.",
    "inbound_addresses": "The setting inbound_addresses names them.",
    "inbound_keys": "They tell repeated messages of this server's channels apart.",
    "jobs": "Work of this server.",
    "mail_counts": "They count the mails of this server in an hour.",
    "presence": "It says who is at a ticket right now.",
    "second_factors": "They are secrets, and follow from the SECRET_KEY of this server.",
    "sessions": "Sign-ins hold for one server.",
    "sign_in_tokens": "Links and codes of this server's mails are secrets.",
    "stale_days": "Days that statistics have not counted yet.",
    "tallies": "Counted from the tickets.",
    "ticket_sums": "Counted from the tickets.",
    "ticket_tags": "Read from the tickets.",
    "transfers": "They stand for files of this server.",
    "webhooks": "Their addresses often hold a secret, and their signatures follow from the SECRET_KEY of this server.",
    "word_sums": "Counted from the tickets.",
}


@cache
def columns_of(name: str) -> tuple[str, ...]:
    """The columns of a file of rows."""
    if name == "users":
        return tuple(_OF_USERS)
    return tuple(str(column.name) for column in TABLES[name].columns if column.name != "company_id")
