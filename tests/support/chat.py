"""What the tests of the chat share: an article, questions, and how a customer writes."""

ADA = {"customer_email": "ada@example.com"}
ARTICLE = {
    "title": "How long refunds take",
    "body": "A refund goes back to the card and arrives after five working days.",
}
QUESTION = "How long does a refund to the card take to arrive?"
UNKNOWN = "Which colour does the moon have on Tuesdays?"
ANSWERED = {
    "reply": "It takes five working days.",
    "kind": "answer",
    "articles": [1],
    "wants_person": False,
}  # by the model


def say(caller, message, **fields):
    """Sends a message as Ada, and returns what the chat answers."""
    return caller.data(caller.post("/api/chat", {"message": message, **ADA, **fields}))
