"""What a mail to a customer carries so that the answer finds its ticket: a signed reference, and the ids it follows."""

from collections.abc import Mapping
from typing import Any

from auth.references import References
from services.inbound import addresses, records
from storage import Row, UnitOfWork

TO_CUSTOMERS = ("ticket_received", "ai_answer", "resolved")
MOST_IDS = 5


def goes_to_customer(job: Row) -> bool:
    """Whether the mail of a job goes to the ticket's customer."""
    by_agent = job["payload"].get("reply", {}).get("author_role") == "agent"
    return job["kind"] in TO_CUSTOMERS or (job["kind"] == "public_reply" and by_agent)


def header_fields(uow: UnitOfWork, references: References, job: Row) -> Mapping[str, Any]:
    """What a mail's headers hold: its reference, the customer's earlier ids, and the address for answers with a plus
    part."""
    if not job["ticket_id"] or not goes_to_customer(job):
        return {}
    reference = references.make(uow.actor.company_id, job["ticket_id"])
    fields: dict[str, Any] = {"reference": reference}
    fields["earlier_ids"] = records.message_ids(uow, job["ticket_id"], most=MOST_IDS)
    own = addresses.of_company(uow)
    if own and (address := addresses.tagged(own[0], reference)):
        fields["reply_to"] = address
    return fields
