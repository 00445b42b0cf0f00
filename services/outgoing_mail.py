"""Whom a company's mail is from, and whether a mail may go: decided here for every mail of every company."""

from email.utils import parseaddr

from models import DEFAULT_COMPANY
from services import settings
from storage import Desk, Row


def sender(desk: Desk, payload: Row, *, mail_from: str, support_email: str) -> dict[str, str]:
    """Keywords of a notice: from_name, reply_to and support_email (whom it alerts or names), each "" when not set.

    `mail_from` and `support_email` are the environment's. Its name and support address serve the operator's company alone.
    """
    own = settings.current(desk)
    operators = desk.actor.company_id == DEFAULT_COMPANY
    return {
        "from_name": own["mail_name"] or (parseaddr(mail_from)[0] if operators else ""),
        "reply_to": own["reply_to"],
        "support_email": payload.get("support_email") or (support_email if operators else ""),
    }
