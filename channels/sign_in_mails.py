"""The mails that help somebody to sign in: an invitation, a link to a new password, a code. In English or German.

Only the opening is a company's to word. What lets somebody in, how long, and what to do about it is added here.
"""

from typing import Any
from urllib.parse import urlencode

from channels import notice_words
from channels.notice_text import as_html, deliverable, message_id, one_line
from channels.notices import About, Notice

GERMAN = "de"
_PAGES = {"invitation": "accept", "password_reset": "reset"}
_ROUTES = {"invitation": "accept", "password_reset": "reset/confirm"}
# kind -> how long, and what to do if somebody else asked: in English, in German
_CLOSINGS = {
    "invitation": (
        "It works once, within 7 days. If you did not expect this, ignore this mail.",
        "Das geht einmal, innerhalb von 7 Tagen. Wenn Sie das nicht erwartet haben, ignorieren Sie diese Mail.",
    ),
    "password_reset": (
        "It works once, within an hour. If it was not you, ignore this mail: your password stays as it is.",
        "Das geht einmal, innerhalb einer Stunde. Wenn Sie das nicht waren, ignorieren Sie diese Mail: Ihr Passwort bleibt.",
    ),
    "sign_in_code": (
        "It works once, within 10 minutes. Tell it to nobody. If it was not you, ignore this mail.",
        "Er gilt einmal, innerhalb von 10 Minuten. Sagen Sie ihn niemandem. Wenn Sie das nicht waren, ignorieren Sie diese Mail.",
    ),
}
_UNNAMED = ("this help desk", "diesem Helpdesk")
_BY_LINK = ("Or open this link:", "Oder öffnen Sie diesen Link:")


def sign_in_mail(
    kind: str, to: str, token: str, *, code: str = "", language: str = "", company: str = "", **about: Any
) -> Notice | None:
    """The mail of a kind of SIGN_IN_KINDS; None for an address that takes no mail. Keywords as of the other notices.

    `token` is the one of the link; `code` goes beside it. `company` is the name that signing in takes.
    """
    context, in_german = About(**about), language == GERMAN
    if not (address := deliverable(to)):
        return None
    name = context.company_name or _UNNAMED[in_german]
    words = context.words.get(kind)
    subject, opening = notice_words.written(kind, words, {"company_name": name}, in_german=in_german)
    url, by_link = context.public_url.rstrip("/"), _BY_LINK[in_german]
    way_in = _by_code(to, token, code, company, url, by_link) if code else _by_token(kind, token, url)
    parts = {"opening": opening} | way_in
    parts["closing"] = _CLOSINGS[kind][in_german]
    text, own_id = "\n\n".join(parts.values()) + "\n", message_id(context.job_id, context.domain)
    sender = one_line(context.from_name), deliverable(context.reply_to)
    return Notice(kind, 0, address, one_line(subject), text, as_html(parts), own_id, "", *sender)


def link_of(kind: str, token: str, public_url: str) -> str:
    """The page that takes the token. A fragment reaches no server and no log."""
    return f"{public_url.rstrip('/')}/{_PAGES[kind]}#{token}"


def _by_token(kind: str, token: str, url: str) -> dict[str, str]:
    return {"link": link_of(kind, token, url)} if url else {"quoted": f"POST /api/auth/{_ROUTES[kind]}: {token}"}


def _by_code(to: str, token: str, code: str, company: str, url: str, by_link: str) -> dict[str, str]:
    if not url:
        return {"quoted": code}
    query = urlencode({"code": token, "email": to, "company": company})
    return {"quoted": code, "instead": by_link, "link": f"{url}/portal#{query}"}
