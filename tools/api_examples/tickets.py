"""The story of a ticket: from the first message to the second solution, told by an admin."""

from tools.api_examples.steps import Chapter, Step, equals, filled, includes, same

CUSTOMER = "ada.{{runId}}@example.com"
AS_CUSTOMER = {"X-On-Behalf-Of": CUSTOMER}
NEW_TICKET = {
    "title": "Cannot open my invoice",
    "description": "The invoice of this month does not open. How can I get it?",
    "customer_email": CUSTOMER,
    "customer_name": "Ada Lovelace",
    "external_id": "order-{{runId}}",
}

LOOK_AROUND = Chapter(
    "Look around",
    "What needs no ticket.",
    [
        Step(
            operation="GetHealth",
            name="Health",
            checks={
                "is open": equals("status", '"ok"'),
                "says where the data is": 'expect(answer.storage).to.include.keys("engine", "durable")',
            },
        ),
        Step(
            operation="GetHostHealth",
            name="Health for hosts",
            checks={
                "is open": equals("status", '"ok"'),
                "says which version runs": filled("version"),
            },
        ),
        Step(
            operation="ListChoices",
            name="Look up statuses",
            about="Also priorities, categories, teams, tiers and agents.",
            path={"name": "statuses"},
            checks={
                "holds new and resolved": 'expect(answer.map((choice) => choice.key)).to.include.members(["new", "resolved"])',
            },
        ),
        Step(
            operation="ListChoices",
            name="Look up agents",
            about="Once a desk has agents, only they are given tickets: the first, unless the variable agent names another.",
            path={"name": "agents"},
            checks={
                "are pairs of key and label": "expect(answer.every((choice) => choice.key && choice.label)).to.equal(true)",
            },
            script=(
                "const agents = answer.map((choice) => choice.key);",
                'if (agents.length && !agents.includes(pm.variables.get("agent"))) pm.collectionVariables.set("agent", agents[0]);',
            ),
        ),
    ],
)

LIFE = Chapter(
    "The life of a ticket",
    "From the first message to the second solution.",
    [
        Step(
            operation="CreateTicket",
            name="Create a ticket",
            about="The Idempotency-Key makes it safe to send twice.",
            status=201,
            headers={"Idempotency-Key": "{{runId}}"},
            body=NEW_TICKET,
            saves={"ticketId": "id", "version": "version", "openedAt": "created_at"},
            checks={
                "gives the ticket an id and a number": 'expect(answer).to.include.keys("id", "number")',
                "triages it": filled("category"),
                "names the version as ETag": 'expect(pm.response.headers.get("ETag")).to.equal(`"${answer.version}"`)',
            },
        ),
        Step(
            operation="CreateTicket",
            name="Create it again with the same key",
            about="The stored answer comes back; nothing is done twice.",
            status=201,
            headers={"Idempotency-Key": "{{runId}}"},
            body=NEW_TICKET,
            checks={
                "is the same ticket": same("id", "ticketId"),
                "is marked as a replay": 'expect(pm.response.headers.get("Idempotent-Replay")).to.equal("true")',
            },
        ),
        Step(
            operation="CreateTicket",
            name="Create one with a misspelt field",
            about="A typo must not be lost: nothing is created, and the nearest known field is named.",
            status=400,
            code="invalid_fields",
            body={
                "title": "Never created",
                "description": "A typo must not be lost.",
                "customer_email": CUSTOMER,
                "priorty": "low",
            },
            checks={
                "names the field": includes("answer.errors.map((error) => error.field)", '"priorty"'),
                "names the nearest known one": includes("pm.response.json().message", '"priority"'),
            },
        ),
        Step(
            operation="GetTicket",
            name="Read the ticket",
            checks={
                "is the ticket asked for": same("id", "ticketId"),
                "keeps the customer": equals("customer_name", '"Ada Lovelace"'),
            },
        ),
        Step(
            operation="ListTickets",
            name="List tickets by filters",
            query={"status": "open", "customer_email": CUSTOMER, "sort": "-created_at", "limit": "10"},
            checks={
                "holds exactly the new ticket": 'expect(answer.map((ticket) => ticket.id)).to.eql([pm.variables.get("ticketId")])',
            },
        ),
        Step(
            operation="ListTickets",
            name="Find it by words",
            query={"q": "invoice", "external_id": "order-{{runId}}"},
            checks={
                "finds the ticket": includes("answer.map((ticket) => ticket.id)", 'pm.variables.get("ticketId")'),
            },
        ),
        Step(
            operation="ListTickets",
            name="Read the first page",
            query={"limit": "1", "offset": "0"},
            checks={
                "holds one ticket": "expect(answer).to.have.lengthOf(1)",
                "says how many there are": "expect(pm.response.json().total).to.be.at.least(1)",
            },
        ),
        Step(
            operation="GetTicket",
            name="Read it as the customer",
            about="A key with the scope act_for_customers acts for exactly this customer, who is not shown how the desk decides.",
            headers=AS_CUSTOMER,
            checks={
                "is the ticket asked for": same("id", "ticketId"),
                "does not explain the triage": 'expect(answer).not.to.have.property("triage_reasons")',
            },
        ),
        Step(
            operation="UpdateTicket",
            name="Update the ticket",
            about="The version is the one that was read; the call is refused when somebody else changed the ticket since.",
            body={"tags": ["invoice"], "product": "Billing portal", "version": "{{#version}}"},
            checks={
                "changes what is given": 'expect(answer.tags).to.eql(["invoice"])',
                "leaves what is not": equals("title", '"Cannot open my invoice"'),
                "raises the version": 'expect(answer.version).to.be.above(Number(pm.variables.get("version")))',
            },
        ),
        Step(
            operation="UpdateTicket",
            name="Update it with the stale version",
            about="Nothing is overwritten; the answer holds the ticket as it is now.",
            status=412,
            code="stale_version",
            body={"product": "Lost", "version": "{{#version}}"},
            checks={"holds the ticket as it is": equals("current.product", '"Billing portal"')},
        ),
        Step(
            operation="PatchTicket",
            name="Empty a field",
            about="null and empty text mean not given; what is to be emptied is named.",
            body={"clear": ["product"], "priority": "high"},
            checks={
                "empties it": equals("product", '""'),
                "changes the rest": equals("priority", '"high"'),
            },
        ),
        Step(
            operation="GetAiResponse",
            name="Read the AI response",
            checks={
                "says how far it is": 'expect(answer.ai_status).to.be.oneOf(["off", "pending", "done", "failed"])',
            },
        ),
        Step(
            operation="CreateAiResponse",
            name="Have a new AI response written",
            body={},
            checks={"is written": equals("ai_status", '"done"'), "says something": filled("ai_response")},
        ),
        Step(
            operation="AssignTicket",
            name="Assign the ticket",
            body={"agent_email": "{{agent}}", "user": "lead@example.com"},
            checks={"is assigned": equals("status", '"assigned"'), "names the agent": filled("assigned_to")},
        ),
        Step(
            operation="CreateReply",
            name="Reply to the customer",
            status=201,
            body={"body": "You find every invoice under Account, Invoices."},
            checks={"is public": equals("internal", "false"), "is an agent's": equals("author_role", '"agent"')},
        ),
        Step(
            operation="CreateReply",
            name="Add an internal note",
            status=201,
            body={"body": "The download was blocked by a browser setting.", "internal": True},
            checks={
                "is a note": equals("internal", "true"),
                "keeps its text": equals("body", '"The download was blocked by a browser setting."'),
            },
        ),
        Step(
            operation="ListReplies",
            name="List the replies",
            checks={
                "ends with the reply and the note": "expect(answer.slice(-2).map((entry) => entry.internal)).to.eql([false, true])",
            },
        ),
        Step(
            operation="CreateReply",
            name="Answer as the customer",
            status=201,
            headers=AS_CUSTOMER,
            body={"body": "Found it, thank you."},
            checks={
                "is the customer's": equals("author_role", '"customer"'),
                "keeps its text": equals("body", '"Found it, thank you."'),
            },
        ),
        Step(
            operation="ListReplies",
            name="List the replies as the customer",
            headers=AS_CUSTOMER,
            checks={
                "shows no note": "expect(answer.some((entry) => entry.internal)).to.equal(false)",
                "ends with the customer's answer": 'expect(answer.slice(-1)[0].author_role).to.equal("customer")',
            },
        ),
        Step(
            operation="ResolveTicket",
            name="Resolve the ticket",
            body={"resolution": "The invoice opens now.", "user": "{{agent}}"},
            checks={
                "is resolved": equals("status", '"resolved"'),
                "keeps the resolution": equals("resolution", '"The invoice opens now."'),
            },
        ),
        Step(
            operation="ResolveTicket",
            name="Resolve it again",
            about="What is resolved must be reopened first.",
            status=409,
            code="move_not_allowed",
            body={"resolution": "Once more."},
        ),
        Step(
            operation="ReopenTicket",
            name="Reopen the ticket",
            body={},
            checks={
                "is in work again": equals("status", '"in_progress"'),
                "has no solution any more": 'expect(answer).not.to.have.property("resolved_at")',
            },
        ),
        Step(
            operation="UnassignTicket",
            name="Take it back from the agent",
            body={},
            checks={"is nobody's": equals("assigned_to", '""'), "is new again": equals("status", '"new"')},
        ),
        Step(
            operation="ListTicketHistory",
            name="Read the history",
            checks={
                "begins with the creation": 'expect(answer[0].action).to.equal("created")',
                "knows the moves": 'expect(answer.map((event) => event.action)).to.include.members(["assigned", "reopened"])',
            },
        ),
    ],
)
