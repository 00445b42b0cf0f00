"""The tools: for each the operation of the REST API that it calls, the arguments it takes, and what an AI is told of it.

A tool does nothing by itself. Its operation decides who may, what is valid and what is recorded. So a new tool is one entry here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

TICKET = "id number title status priority category sentiment customer_email customer_name customer_id assigned_team"
TICKET_ROW = f"{TICKET} assigned_to sla_status next_action tags created_at updated_at version"
TICKET_NOW = f"{TICKET} assigned_to ai_status ai_response resolution version"
STATS = "total_tickets open_tickets backlog average_urgency first_response_seconds_median first_response_seconds_p90 "
STATS += "resolution_seconds_median resolution_seconds_p90 sla_met_percent csat_average csat_count ai_resolution_rate "
STATS += "ai_confirmed ai_assumed ai_handed_over ai_reopened by_status by_priority by_category by_team by_sentiment by_source "
STATS += "backlog_by_age agents previous"


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool over one operation. Arguments have the names of the REST fields, unless `renamed` says otherwise."""

    name: str
    title: str
    about: str  # what an AI reads to choose it
    operation: str
    arguments: str = ""  # names of REST fields, and of parameters of the path
    renamed: Mapping[str, str] = field(default_factory=dict)  # argument -> REST field
    required: tuple[str, ...] = ()  # besides those that the operation requires
    fixed: Mapping[str, object] = field(default_factory=dict)  # REST fields that the tool always sends
    path: Mapping[str, str] = field(default_factory=dict)  # parameters of the path that the tool always sends
    shows: tuple[str, ...] = ()  # fields of its result that are shown; () for all
    also: Mapping[str, str] = field(default_factory=dict)  # part of the result -> further operation on the same path
    # Operation on the same path that a dry run calls too, where the operation of the tool cannot be rolled back.
    dry_check: str = ""
    staff: bool = False  # not for customers, whom the operation would refuse or tell nothing

    @property
    def fields(self) -> dict[str, str]:
        """Each argument with its REST field."""
        return {name: self.renamed.get(name, name) for name in self.arguments.split()}


TOOLS = (
    Tool(
        name="search_tickets",
        title="Search tickets",
        about="Lists support tickets by words and filters, the newest or best first. Use it to find the id of a ticket, "
        "also by its number. limit is 50 when not given; take 10 to 20, and offset for the next page.",
        operation="ListTickets",
        arguments="query status priority category assigned_team assigned_to customer_email customer_id customer_tier tag number "
        "view sla_status unassigned created_after created_before updated_since sort limit offset",
        renamed={"query": "q"},
        shows=tuple(TICKET_ROW.split()),
    ),
    Tool(
        name="get_ticket",
        title="Read a ticket",
        about="Reads one ticket with its whole thread of replies, oldest first. Read it before you answer or change it.",
        operation="GetTicket",
        arguments="ticket_id",
        also={"replies": "ListReplies"},
    ),
    Tool(
        name="create_ticket",
        title="Open a ticket",
        about="Opens a support ticket for a customer. Give customer_email or customer_id, unless you call as the customer. "
        "Leave out what you do not know: category, priority and team are then decided by triage.",
        operation="CreateTicket",
        arguments="title description customer_email customer_id customer_name product tags category priority external_id",
        shows=tuple(TICKET_NOW.split()),
    ),
    Tool(
        name="reply_to_ticket",
        title="Reply to a ticket",
        about="Sends a public reply, which is mailed to the customer. It cannot be taken back, so show the text to a person "
        "first. For a note among colleagues use add_note.",
        operation="CreateReply",
        arguments="ticket_id body author_name version",
    ),
    Tool(
        name="add_note",
        title="Add an internal note",
        about="Adds a note to a ticket that only agents see. Nothing is sent to the customer.",
        operation="CreateReply",
        arguments="ticket_id body author_name version",
        fixed={"internal": True},
        staff=True,
    ),
    Tool(
        name="assign_ticket",
        title="Assign a ticket",
        about="Gives a ticket to an agent (agent_email, as list_people names them), or with auto to the free one with the "
        "fewest open tickets. Give one of the two.",
        operation="AssignTicket",
        arguments="ticket_id agent_email auto version",
        shows=tuple(TICKET_NOW.split()),
    ),
    Tool(
        name="set_status",
        title="Change the status of a ticket",
        about="Moves a ticket to another status. resolved also takes resolution, a text that is sent to the customer; handoff "
        "says that a person is needed now. A move that is not possible is refused with the reason.",
        operation="PatchTicket",
        arguments="ticket_id status resolution version",
        required=("status",),
        shows=tuple(TICKET_NOW.split()),
    ),
    Tool(
        name="set_priority",
        title="Change the priority of a ticket",
        about="Sets how urgent a ticket is. Agreed times follow from it.",
        operation="PatchTicket",
        arguments="ticket_id priority version",
        required=("priority",),
        shows=tuple(TICKET_NOW.split()),
    ),
    Tool(
        name="similar_tickets",
        title="Find similar resolved tickets",
        about="Lists resolved tickets that are like this one, with how they were resolved, the best first.",
        operation="ListSimilarTickets",
        arguments="ticket_id k",
    ),
    Tool(
        name="triage_text",
        title="Triage a text",
        about="Says which category, priority, sentiment and team a text would get, and why. Nothing is stored. Give text, or "
        "title and description.",
        operation="TriageText",
        arguments="text title description customer_tier",
    ),
    Tool(
        name="search_knowledge",
        title="Search the articles",
        about="Finds the passages of published articles that answer a question best. To get one answer use ask_knowledge.",
        operation="SearchKnowledge",
        arguments="query k",
        renamed={"query": "q"},
    ),
    Tool(
        name="ask_knowledge",
        title="Ask the articles",
        about="Answers a question from published articles, with the articles it rests on. When escalation is true, a person "
        "must answer: use request_human. Nothing is stored.",
        operation="AskKnowledge",
        arguments="question",
    ),
    Tool(
        name="draft_reply",
        title="Draft a reply",
        about="Writes a draft of a reply to a ticket for an agent to read and change. Nothing is sent.",
        operation="DraftReply",
        arguments="ticket_id tone instructions",
        dry_check="GetTicket",
    ),
    Tool(
        name="request_human",
        title="Bring in a person",
        about="Hands a customer to a person of the support team: message says what the customer needs, in their words. It goes "
        "on with conversation_id, or opens a conversation for customer_email or customer_id. For a ticket that is no chat use "
        "set_status with handoff.",
        operation="SendChatMessage",
        arguments="message conversation_id customer_email customer_id customer_name",
        fixed={"person": True},
    ),
    Tool(
        name="list_views",
        title="List the saved views",
        about="Lists saved filters of tickets with the number of tickets in each. search_tickets takes their id as view.",
        operation="ListViews",
        fixed={"standard": True},
        shows=("id", "name", "count", "sort", "shared", "filter"),
    ),
    Tool(
        name="get_stats",
        title="Read the statistics",
        about="Counts tickets by status, priority, category, team and agent, with response times, agreed times and ratings; of "
        "all time, or of a period, team or agent.",
        operation="GetStats",
        arguments="from to team agent",
        shows=tuple(STATS.split()),
    ),
    Tool(
        name="list_people",
        title="List the agents",
        about="Lists the agents whom tickets can be assigned to: key is what assign_ticket takes, label is their name.",
        operation="ListChoices",
        path={"name": "agents"},
        staff=True,
    ),
    Tool(
        name="whoami",
        title="Say who I am",
        about="Says as whom these tools are called: the role, the company and the permissions.",
        operation="GetMe",
    ),
)
BY_NAME = {tool.name: tool for tool in TOOLS}
