"""The story beside the tickets: figures, customers, flows, settings, files; what is refused; and what is cleaned up."""

from tools.api_examples.steps import Chapter, Step, equals, includes, is_true
from tools.api_examples.tickets import AS_CUSTOMER, CUSTOMER

NOBODY = "00000000-0000-4000-8000-000000000000"
CSV = "title,description,customer_email,external_id\nOpening hours,When are you open?,ada.{{runId}}@example.com,row-{{runId}}\n"
NEWEST_FIRST = "expect(answer.map((ticket) => ticket.{0})).to.eql(answer.map((ticket) => ticket.{0}).sort().reverse())"

OVERVIEW = Chapter(
    "Overview",
    "What dashboards, flows and admins read.",
    [
        Step(
            operation="GetStats",
            name="Statistics",
            checks={
                "counts the tickets": "expect(answer.total_tickets).to.be.at.least(1)",
                "is ready for charts": 'expect(answer.by_status[0]).to.have.all.keys("key", "label", "count")',
            },
        ),
        Step(
            operation="GetStats",
            name="Statistics as a customer",
            about="The figures are for agents and admins.",
            status=403,
            code="forbidden",
            headers=AS_CUSTOMER,
        ),
        Step(
            operation="ListCustomers",
            name="List customers",
            query={"q": CUSTOMER, "limit": "10"},
            checks={"finds the customer": includes("answer.map((customer) => customer.name)", '"Ada Lovelace"')},
        ),
        Step(
            operation="GetCustomer",
            name="Read a customer",
            path={"name": CUSTOMER},
            checks={
                "is the customer asked for": equals("name", '"Ada Lovelace"'),
                "counts their tickets": "expect(answer.total_tickets).to.be.at.least(1)",
            },
        ),
        Step(
            operation="OnNewTicket",
            name="Poll for new tickets",
            query={"limit": "10"},
            checks={"is the newest first": NEWEST_FIRST.format("created_at")},
        ),
        Step(
            operation="OnTicketUpdated",
            name="Poll for updated tickets",
            about="Only what changed later than after: a flow sends the newest time it saw, and misses none.",
            query={"after": "{{openedAt}}", "limit": "10"},
            checks={
                "holds a change": "expect(answer).not.to.be.empty",
                "is the latest change first": NEWEST_FIRST.format("updated_at"),
            },
        ),
        Step(
            operation="GetSettings",
            name="Read the settings",
            saves={"aiEnabled": "ai_enabled"},
            checks={"says whether the model may be asked": 'expect(answer.ai_enabled).to.be.a("boolean")'},
        ),
        Step(
            operation="UpdateSettings",
            name="Save the settings",
            about="Saves what was just read, so nothing changes; send true or false instead.",
            body={"ai_enabled": "{{#aiEnabled}}"},
            checks={
                "keeps what was saved": 'expect(String(answer.ai_enabled)).to.equal(String(pm.variables.get("aiEnabled")))',
            },
        ),
    ],
)

FILES = Chapter(
    "Import",
    "Tickets from elsewhere; the imported one is deleted at the end.",
    [
        Step(
            operation="ImportTickets",
            name="Import a CSV file",
            about="The first line names ticket fields.",
            body=CSV,
            media="text/csv",
            checks={
                "makes one ticket of one row": "expect([answer.read, answer.created]).to.eql([1, 1])",
                "refuses nothing": "expect(answer.errors).to.eql([])",
            },
        ),
        Step(
            operation="ImportTickets",
            name="Import the same as JSON",
            about="The row is here already, by its external_id, so it is skipped; a row that cannot be used is told by its place.",
            body=[
                {"description": "When are you open?", "customer_email": CUSTOMER, "external_id": "row-{{runId}}"},
                {"description": "Whose is this?", "customer_email": "nobody"},
            ],
            checks={
                "skips what is here": "expect([answer.read, answer.created, answer.skipped]).to.eql([2, 0, 1])",
                "names the row that cannot be used": "expect(answer.errors.map((error) => error.line)).to.eql([2])",
            },
        ),
        Step(
            operation="ListTickets",
            name="Find the imported ticket",
            query={"external_id": "row-{{runId}}"},
            saves={"importedId": "0.id"},
            checks={
                "is there once": "expect(answer).to.have.lengthOf(1)",
                "comes from an import": 'expect(answer[0].source).to.equal("import")',
            },
        ),
        Step(
            operation="FillDemo",
            name="Fill the desk with demo tickets",
            about="Refused here: only an empty desk is filled, and this one has tickets.",
            status=409,
            code="not_empty",
            body={},
        ),
    ],
)

ERRORS = Chapter(
    "Errors",
    "What is refused, and how it is said.",
    [
        Step(operation="ListTickets", name="Without a key", status=401, code="unauthorized", credential=""),
        Step(
            operation="ListTickets",
            name="An unknown filter",
            status=400,
            code="invalid_fields",
            query={"statu": "open"},
            checks={"names the nearest known one": includes("pm.response.json().message", '"status"')},
        ),
        Step(
            operation="ListTickets",
            name="A method that does not exist",
            about="Allow names those that do.",
            status=405,
            code="method_not_allowed",
            method="PATCH",
            body={},
            checks={"names those that do": 'expect(pm.response.headers.get("Allow")).to.include("POST")'},
        ),
        Step(
            operation="GetTicket",
            name="An unknown id",
            about="Another company's id is answered with the same words.",
            status=404,
            code="not_found",
            path={"ticket_id": NOBODY},
        ),
        Step(
            operation="CreateTicket",
            name="Not JSON",
            status=415,
            code="not_json",
            body="title=Never created",
            media="text/plain",
        ),
    ],
)

CLEAN_UP = Chapter(
    "Clean up",
    "Deletes what was made; only admins may.",
    [
        Step(
            operation="DeleteTicket",
            name="Delete the ticket",
            checks={"is deleted": is_true("deleted")},
        ),
        Step(
            operation="DeleteTicket",
            name="Delete the imported ticket",
            path={"ticket_id": "{{importedId}}"},
            checks={"is deleted": is_true("deleted")},
        ),
        Step(operation="GetTicket", name="Read what is deleted", status=404, code="not_found"),
    ],
)
