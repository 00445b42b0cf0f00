"""The story of what is on record: the audit, files to take out, and everything about one customer, held and erased."""

from tools.api_examples.steps import Chapter, Step, equals, includes, is_true
from tools.api_examples.tickets import CUSTOMER

RECORDS = Chapter(
    "Records and privacy",
    "What happened, what can be taken out, and what is held about a person; for admins.",
    [
        Step(
            operation="ListAuditEvents",
            name="List what happened to the ticket",
            query={"subject": "ticket", "subject_id": "{{ticketId}}", "limit": "3"},
            checks={
                "tells of this ticket alone": "expect(answer.every((event) => event.subject_id === "
                'pm.variables.get("ticketId"))).to.equal(true)',
                "says who did it": "expect(answer.every((event) => event.actor)).to.equal(true)",
            },
        ),
        Step(
            operation="ListJobs",
            name="List the jobs that were given up",
            about="Mails and AI answers; waiting lists those that are still to be done.",
            query={"state": "dead", "limit": "3"},
            checks={"lists dead jobs alone": 'expect(answer.every((job) => job.state === "dead")).to.equal(true)'},
        ),
        Step(
            operation="RetryJob",
            name="Try a job again that is not there",
            about="With the id of a dead job of the list before, it is tried again at once.",
            status=404,
            code="not_found",
            path={"job_id": "{{ticketId}}"},
            body={},
        ),
        Step(
            operation="ExportTickets",
            name="Export tickets as JSON",
            about="Without a period, all of them.",
            query={"created_after": "{{openedAt}}"},
            checks={
                "holds the imported one": includes(
                    "answer.map((ticket) => ticket.external_id)", '`row-${pm.variables.get("runId")}`'
                ),
                "holds the threads": "expect(answer.every((ticket) => Array.isArray(ticket.replies))).to.equal(true)",
            },
        ),
        Step(
            operation="ExportTickets",
            name="Export tickets as CSV",
            query={"format": "csv", "created_after": "{{openedAt}}"},
            plain=True,
            checks={
                "is a file": 'expect(pm.response.headers.get("Content-Disposition")).to.include(".csv")',
                "begins with the names of the fields": 'expect(pm.response.text()).to.include(\'"id","number","title"\')',
            },
        ),
        Step(
            operation="ExportCustomer",
            name="Export everything about the customer",
            path={"name": CUSTOMER},
            checks={
                "is the customer asked for": equals("customer.name", '"Ada Lovelace"'),
                "holds their tickets": "expect(answer.tickets).to.have.lengthOf(2)",
            },
        ),
        Step(
            operation="EraseCustomer",
            name="Erase the customer",
            about="Everything that says who they were goes; their tickets stay, empty. It cannot be undone.",
            path={"name": CUSTOMER},
            checks={"is erased": is_true("erased"), "says how much was theirs": equals("tickets", "2")},
        ),
        Step(
            operation="GetCustomer",
            name="Read the erased customer",
            status=404,
            code="not_found",
            path={"name": CUSTOMER},
        ),
        Step(
            operation="GetTicket",
            name="Read a ticket of the erased customer",
            checks={
                "is nobody's": equals("customer_email", '""'),
                "tells nothing": 'expect(answer.description).not.to.include("invoice")',
            },
        ),
    ],
)
