"""Mails for tests, posted as each service posts them."""

import io
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any

import orjson

SECRET = "the secret of the tests, long enough"


class Mail(EmailMessage):
    """A mail that a person wrote."""


def mail(
    sender: str, subject: str, text: str, *, to: str = "support@desk.example", message_id: str = "", **headers: str
) -> Mail:
    """A mail with these headers; underscores in names stand for hyphens, "" as message_id makes a new one."""
    message = Mail()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = message_id or make_msgid(domain="example.com")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def posted(app: Any, body: Any = None, *, content_type: str = "message/rfc822", **request: Any) -> dict[str, Any]:
    """Posts a mail, which must be taken; the data of the answer."""
    if body is not None:
        request["data"] = body.as_bytes() if isinstance(body, EmailMessage) else body
    headers = {"X-Inbound-Secret": SECRET}
    response = app.test_client().post("/api/inbound/email", headers=headers, content_type=content_type, **request)
    assert response.status_code == 200, response.get_data(as_text=True)
    data: dict[str, Any] = response.json["data"]
    return data


def as_sendgrid(message: EmailMessage, *, raw: bool, to: str = "") -> dict[str, Any]:
    """The form of SendGrid's Inbound Parse."""
    envelope = orjson.dumps({"to": [to or "support@desk.example"], "from": "bounce@example.com"}).decode()
    form: dict[str, Any] = {"envelope": envelope, "spam_score": "0.1", "charsets": '{"text":"utf-8","subject":"UTF-8"}'}
    if raw:
        return {"data": {**form, "email": message.as_bytes().decode()}, "content_type": "multipart/form-data"}
    text = message.get_body(("plain",))
    headers = "".join(f"{name}: {value}\n" for name, value in message.items())
    form |= {"headers": headers, "from": message["From"], "to": message["To"], "subject": message["Subject"]}
    form |= {"text": text.get_content() if text else "", "attachments": "1"}
    for number, part in enumerate(message.iter_attachments(), 1):
        form[f"attachment{number}"] = (io.BytesIO(part.get_content()), part.get_filename(), part.get_content_type())
    return {"data": form, "content_type": "multipart/form-data"}


def as_mailgun(message: EmailMessage, *, raw: bool) -> dict[str, Any]:
    """The form of a route of Mailgun, for an address that ends with mime (`raw`) or another one."""
    form: dict[str, Any] = {"recipient": "support@desk.example", "sender": "bounce@example.com", "token": "t"}
    if raw:
        return {"data": {**form, "body-mime": message.as_bytes().decode()}, "content_type": "multipart/form-data"}
    text = message.get_body(("plain",))
    headers = orjson.dumps([[name, value] for name, value in message.items()]).decode()
    form |= {"from": message["From"], "subject": message["Subject"], "message-headers": headers}
    form |= {"body-plain": text.get_content() if text else "", "stripped-text": "other", "attachment-count": "1"}
    for number, part in enumerate(message.iter_attachments(), 1):
        form[f"attachment-{number}"] = (io.BytesIO(part.get_content()), part.get_filename(), part.get_content_type())
    return {"data": form, "content_type": "multipart/form-data"}


def as_postmark(message: EmailMessage) -> dict[str, Any]:
    """The JSON of Postmark's inbound webhook."""
    import base64

    text = message.get_body(("plain",))
    files = [
        {
            "Name": part.get_filename(),
            "Content": base64.b64encode(part.get_content()).decode(),
            "ContentType": part.get_content_type(),
        }
        for part in message.iter_attachments()
    ]
    headers = [{"Name": "Message-ID", "Value": message["Message-ID"]}]
    body = {"From": message["From"], "To": message["To"], "Subject": message["Subject"], "Headers": headers}
    body |= {"OriginalRecipient": "support@desk.example", "TextBody": text.get_content() if text else ""}
    return {"data": orjson.dumps({**body, "HtmlBody": "", "Attachments": files}), "content_type": "application/json"}
