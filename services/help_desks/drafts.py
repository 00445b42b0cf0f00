"""A ticket of another help desk on its way here: what all products have in common.

A product's mapper fills a draft in; `finish` makes the values of an import row of it. A text that is too long becomes several
entries of the thread. What is cut or left out is noted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate

from core.models import FINISHED, LIMITS
from services.help_desks import texts
from services.help_desks.records import Book, LeftOut, Mapped, Person
from services.help_desks.writing import MOST_REPLIES
from storage import Row

OPEN = "open"  # ours to work on; whether it is new, assigned or in progress follows from agent and thread
MOST_TEXT = 2_000_000  # characters of all messages of a ticket, so that it fits into one request
NO_TEXT = "(no text)"
ATTACHMENTS = "attached files: an export holds links, no files"
CUSTOM_FIELDS = "custom fields: there are none here"


@dataclass(slots=True)
class Entry:
    """A message or note. Without a `role` it follows from its author."""

    body: str
    created: str = ""
    author: Person | None = None
    internal: bool = False
    role: str = ""


@dataclass(slots=True)
class Draft:
    """A ticket as its product says it, in our words; `name` is its external_id, like zendesk:123."""

    product: str
    id: str
    title: str = ""
    description: str = ""
    status: str = OPEN
    priority: str = ""
    source: str = "other"
    subject_of: str = ""  # the product it is about
    created: str = ""
    updated: str = ""
    resolved: str = ""
    closed: str = ""
    resolution: str = ""
    tags: list[str] = field(default_factory=list)
    requester: Person | None = None
    assignee: Person | None = None
    entries: list[Entry] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The external_id of the ticket here."""
        return f"{self.product.lower()}:{self.id}"

    def leave_out(self, what: str, example: str = "") -> None:
        """Notes that something of the ticket was left out."""
        self.left_out.append((what, f"{self.name} {example}".strip()))

    def leave_out_all(self, what: str, examples: Iterable[str]) -> None:
        """Notes that something was left out once for each example."""
        for example in examples:
            self.leave_out(what, example)


def finish(draft: Draft, book: Book) -> Mapped:
    """The import row of a ticket, its customer, and what was left out. Raises ValueError for a ticket without an id."""
    if not draft.id:
        raise ValueError("This ticket has no id.")
    _settle_description(draft)
    _settle_times(draft)
    customer = _customer(draft, book)
    values: Row = {"external_id": draft.name, "title": _title(draft), "source": draft.source, "tags": _tags(draft)}
    values |= {name: customer[name] for name in ("customer_email", "customer_id") if customer.get(name)}
    if values.get("customer_email"):
        values.pop("customer_id", None)  # the address alone: who has another id here would be refused
    assigned = _assigned(draft, book)
    description, *rest = texts.pieces(draft.description, LIMITS["description"])
    head = [Entry(text, draft.created, draft.requester, role="customer") for text in rest]
    replies = _replies(draft, [*head, *draft.entries])
    values |= {"description": description, "replies": replies, "status": _status(draft, assigned)}
    optional = {"assigned_to": assigned, "priority": draft.priority, "product": draft.subject_of[: LIMITS["product"]]}
    optional |= {"created_at": draft.created}
    if draft.status in FINISHED:
        optional |= {"resolved_at": draft.resolved, "resolution": _resolution(draft)}
        optional |= {"closed_at": draft.closed if draft.status == "closed" else ""}
    values |= {name: value for name, value in optional.items() if value}
    return Mapped(draft.name, values, draft.left_out, customer)


def _settle_description(draft: Draft) -> None:
    """The first message is the description: it is not repeated in the thread, and replaces a description that is missing."""
    draft.entries.sort(key=lambda entry: entry.created or draft.created)
    first = draft.entries[0] if draft.entries else None
    if first and not first.internal and (not draft.description or texts.same(first.body, draft.description)):
        draft.description = draft.description or first.body
        del draft.entries[0]
    if not draft.description:
        draft.description = draft.title or NO_TEXT
        draft.leave_out("texts of tickets: the export has none, so the title stands for it")


def _settle_times(draft: Draft) -> None:
    """Puts the times in order. A time that is missing becomes that of the nearest message or change."""
    public = [entry.created for entry in draft.entries if entry.created and not entry.internal]
    if not draft.created:
        draft.created = min(public, default=draft.updated)
        draft.leave_out("times of opening: the export has none, so the first message or change stands for it")
    for entry in draft.entries:
        entry.created = entry.created or draft.created or draft.updated
    if draft.status not in FINISHED or not draft.created:
        return
    if not draft.resolved and not draft.closed:
        draft.leave_out("times of resolution: the export has none, so the last message stands for it")
    draft.resolved = max(draft.resolved or draft.closed or max(public, default=draft.updated), draft.created)
    draft.closed = max(draft.closed or draft.updated, draft.resolved)


def _customer(draft: Draft, book: Book) -> Row:
    person, prefix = draft.requester, draft.product.lower()
    if person is None:
        draft.leave_out("requesters: the export names none, so the ticket belongs to an unknown customer")
        return {"customer_id": f"{prefix}:unknown", "customer_name": "Unknown"}
    if not person.email:
        draft.leave_out(
            "addresses of requesters: the export has none, so they are known by their id and get no mail", person.name
        )
    return customer_values(person, book, prefix)


def customer_values(person: Person, book: Book, prefix: str) -> Row:
    """The customer fields of a person. With an address `customer_id` is their own id, else an id like zendesk:9003."""
    there = f"{prefix}:{person.id}"[: LIMITS["customer_id"]]
    own_id = person.own_id if len(person.own_id) <= LIMITS["customer_id"] else ""
    values = {
        "customer_email": person.email,
        "customer_id": own_id if person.email else there,
        "customer_name": texts.of_text(person.name).replace("\n", " ")[: LIMITS["name"]],
        "customer_tier": book.tier_of(person),
    }
    return {name: value for name, value in values.items() if value}


def _title(draft: Draft) -> str:
    title = " ".join(draft.title.split())
    if len(title) > LIMITS["title"]:
        draft.leave_out(f"ends of titles: at most {LIMITS['title']} characters are kept")
    return title[: LIMITS["title"]].strip()


def _tags(draft: Draft) -> list[str]:
    every = list(dict.fromkeys(tag for tag in (" ".join(tag.split()) for tag in draft.tags) if tag))
    kept = [tag for tag in every if len(tag) <= LIMITS["tag"]][: LIMITS["tags"]]
    what = f"tags: a ticket has at most {LIMITS['tags']} of {LIMITS['tag']} characters"
    draft.leave_out_all(what, [tag[: LIMITS["tag"]] for tag in every if tag not in kept])
    return kept


def _assigned(draft: Draft, book: Book) -> str:
    """The agent here, else "" and a note that names who had the ticket."""
    person = draft.assignee
    if person is None:
        return ""
    if agent := book.agent_here(person):
        return agent
    who = " ".join(filter(None, (person.name, f"<{person.email}>" if person.email else ""))) or person.id
    draft.entries.insert(
        0, Entry(f"Assigned in {draft.product} to {who}.", draft.created, internal=True, role="system")
    )
    draft.leave_out("agents: nobody at work here has that address, so an internal note names them", who)
    return ""


def _status(draft: Draft, assigned: str) -> str:
    if draft.status != OPEN:
        return draft.status
    if not assigned:
        return "new"
    answered = any(not entry.internal and _role(draft, entry) == "agent" for entry in draft.entries)
    return "in_progress" if answered else "assigned"


def _role(draft: Draft, entry: Entry) -> str:
    """The author_role of an entry. The requester is a customer, and so is anybody who is known to be no agent."""
    if entry.role:
        return entry.role
    if entry.author is None:
        return "system" if entry.internal else "agent"
    requester = draft.requester
    if requester and (entry.author.id == requester.id or (requester.email and entry.author.email == requester.email)):
        return "agent" if entry.internal else "customer"
    is_customer = (entry.author.name or entry.author.email) and not entry.author.is_agent and not entry.internal
    return "customer" if is_customer else "agent"


def _replies(draft: Draft, entries: list[Entry]) -> list[Row]:
    replies = [
        {
            "author_role": _role(draft, entry),
            "author_name": _author_name(draft, entry),
            "author_email": entry.author.email if entry.author else "",
            "body": body,
            "internal": entry.internal,
            "created_at": entry.created,
        }
        for entry in entries
        for body in texts.pieces(entry.body or NO_TEXT, LIMITS["body"])
    ]
    sizes = accumulate(len(str(reply["body"])) for reply in replies)
    kept = min(MOST_REPLIES, sum(size <= MOST_TEXT for size in sizes))
    if kept < len(replies):
        what = f"messages: a ticket brings the first {MOST_REPLIES:,} and {MOST_TEXT:,} characters of them at most"
        draft.leave_out(what, f"{len(replies) - kept} left out")
    return replies[:kept]


def _author_name(draft: Draft, entry: Entry) -> str:
    role = _role(draft, entry)
    if role == "system":
        return "System"
    name = texts.of_text(entry.author.name if entry.author else "").replace("\n", " ")[: LIMITS["name"]]
    return name or ("Support" if role == "agent" else (draft.requester.name if draft.requester else ""))


def _resolution(draft: Draft) -> str:
    if len(draft.resolution) > LIMITS["resolution"]:
        draft.leave_out(f"ends of resolutions: at most {LIMITS['resolution']:,} characters are kept")
    return draft.resolution[: LIMITS["resolution"]].strip()
