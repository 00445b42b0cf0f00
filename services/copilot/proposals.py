"""Proposes an article from a resolved ticket: a draft that names nobody, for a person to read, change and publish."""

import re

from ai.extracts import best_sentences
from ai.reply_checks.guards import plain_text
from core.errors import conflict
from core.models import FINISHED, LIMITS
from database.tables import articles as table
from services.copilot.identities import eraser
from services.knowledge import articles
from services.tickets import changes, replies
from storage import Row, UnitOfWork

PROBLEM_SENTENCES = 4
MOST_REPLIES = 20  # newest public entries of the thread that are looked at
FEWEST_WORDS = 8  # of an agent's reply that adds to the resolution
UNTITLED = "Untitled"
_MARKS = re.compile(r"^[ \t]*(?:[#>]+[ \t]*|[-=_*]{2,}[ \t]*$|```.*$|~~~.*$)", re.MULTILINE)


def source_of(ticket_id: str) -> str:
    """The `source` of the article that is proposed from a ticket."""
    return f"ticket/{ticket_id}"


def propose(uow: UnitOfWork, ticket_id: str, *, said_by: str = "") -> tuple[Row, bool]:
    """The article proposed from a ticket, and whether it is new. The same ticket always gives the same article.

    Raises AppError 404, and 409 for a ticket that is not resolved, is erased or tells no solution.
    """
    ticket = changes.get_for_update(uow, ticket_id)
    if ticket["status"] not in FINISHED:
        raise conflict("not_resolved", f"Ticket #{ticket['number']} is not resolved. Resolve it first.")
    existing = uow.first(uow.query(table).where(table.c.source == source_of(ticket_id)))
    if existing is not None:
        return existing, False
    return articles.create(uow, _fields(uow, ticket), said_by=said_by), True


def _fields(uow: UnitOfWork, ticket: Row) -> Row:
    without_names = eraser(uow, ticket)

    def cleaned(text: str) -> str:
        """A text without names, tags and marks that would make a heading or a quotation."""
        return _MARKS.sub("", plain_text(without_names(text)).replace("![", "[")).strip()

    thread = replies.recent_public(uow, ticket["id"], most=MOST_REPLIES)
    answers = [cleaned(entry["body"]) for entry in thread if entry["author_role"] == "agent"]
    steps = next((answer for answer in reversed(answers) if len(answer.split()) >= FEWEST_WORDS), "")
    resolution = cleaned(ticket["resolution"])
    solution = "\n\n".join(dict.fromkeys(filter(None, (resolution, steps))))
    if not solution:
        raise conflict("no_solution", f"Ticket #{ticket['number']} tells no solution. Give it a resolution.")
    title = " ".join(cleaned(ticket["title"]).split()) or UNTITLED
    problem = " ".join(best_sentences(cleaned(ticket["description"]), title, PROBLEM_SENTENCES))
    return {
        "title": title[: LIMITS["title"]],
        "body": f"{problem}\n\n## Solution\n\n{solution}".strip(),
        "category": ticket["category"],
        "status": "draft",
        "source": source_of(ticket["id"]),
    }


def forget_tickets(uow: UnitOfWork, ticket_ids: list[str]) -> None:
    """Deletes what was proposed from erased tickets and no person has published."""
    sources = [source_of(ticket_id) for ticket_id in ticket_ids]
    for article in uow.find(uow.query(table).where(table.c.source.in_(sources), table.c.status == "draft")):
        articles.remove(uow, article)
