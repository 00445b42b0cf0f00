"""Chats and their files, as the tests in a browser make and read them."""

from typing import Any

from tools.screenshots.desk import Desk


def only_chat(desk: Desk) -> str:
    (ticket,) = desk.call("GET", "/api/tickets?source=chat")
    return str(ticket["id"])


def file(name: str, size: int = 4) -> dict[str, Any]:
    return {"name": name, "mimeType": "text/plain", "buffer": b"a" * size}


def reply_with_a_file(desk: Desk, conversation: str, body: str) -> None:
    """An agent answers with the file `answer.txt`."""
    path = f"/api/tickets/{conversation}"
    attachment = desk.call("POST", f"{path}/attachments", {"name": "answer.txt", "content": "SGVsbG8="})
    desk.call("POST", f"{path}/replies", {"body": body, "attachment_ids": [attachment["id"]]})


def names_of_files(desk: Desk, conversation: str) -> dict[str, list[str]]:
    """The files of each message that has one, by its words."""
    messages = desk.call("GET", f"/api/chat/{conversation}")["messages"]
    return {one["body"]: [file["name"] for file in one["attachments"]] for one in messages if one["attachments"]}
