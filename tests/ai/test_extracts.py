"""Summaries without a model: sentences of the ticket, and none that it does not hold."""

import pytest

from ai.extracts import MOST_LISTED, MOST_SENTENCE, sentences, summarise

TICKET = {
    "title": "Cannot open my invoice",
    "description": "Hello,\n\nThe invoice of this month does not open on my phone. I tried another browser already. "
    "It shows E-55.\n> quoted words of an older mail\n\nBest regards,\nAda",
    "customer_name": "Ada Lovelace",
    "resolution": "",
}
AGENT = {"author_role": "agent", "body": "Hello Ada, which version do you use? Please restart."}
CUSTOMER = {"author_role": "customer", "body": "I restarted it. Can I get a PDF by mail?"}
NOTE = {"author_role": "agent", "body": "Checked the logs: nothing.", "internal": True}


def test_a_summary_tells_who_asked_what_and_what_was_said_last():
    summary = summarise(TICKET, [AGENT, CUSTOMER, NOTE], mood="neutral")
    assert summary.summary == (
        "Ada Lovelace wrote: Cannot open my invoice. The invoice of this month does not open on my phone. "
        "I tried another browser already. Last, the customer wrote: I restarted it."
    )
    assert summary.customer_wants == "Can I get a PDF by mail?"
    assert summary.tried == ["I tried another browser already.", "I restarted it.", "Checked the logs: nothing."]
    assert (summary.open_questions, summary.mood) == (["Can I get a PDF by mail?"], "neutral")


@pytest.mark.parametrize(
    ("thread", "open_questions"),
    [
        ([AGENT], ["Hello Ada, which version do you use?"]),
        ([AGENT, CUSTOMER], ["Can I get a PDF by mail?"]),
        ([AGENT, CUSTOMER, AGENT], ["Hello Ada, which version do you use?"]),
        ([CUSTOMER, {**AGENT, "author_role": "ai"}], ["Can I get a PDF by mail?"]),
        ([CUSTOMER, {**NOTE, "body": "Who knows?"}], ["Can I get a PDF by mail?"]),
        ([], []),
    ],
)
def test_a_question_is_open_until_the_other_side_writes(thread, open_questions):
    assert summarise(TICKET, thread, mood="neutral").open_questions == open_questions


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("Das geht nicht. Bitte senden Sie die Rechnung. Danke", "Bitte senden Sie die Rechnung."),
        ("Ça ne marche pas. Je voudrais la facture.", "Je voudrais la facture."),
        ("No funciona. Necesito la factura.", "Necesito la factura."),
        ("It is broken.", "Cannot open my invoice"),
    ],
)
def test_what_the_customer_wants_is_a_sentence_of_theirs_or_the_title(said, wanted):
    assert summarise({**TICKET, "description": said}, [], mood="neutral").customer_wants == wanted


def test_a_resolved_ticket_says_how():
    assert "It was resolved: Updated." in summarise({**TICKET, "resolution": "Updated."}, [], mood="neutral").summary


@pytest.mark.parametrize("text", ["😀", "", "?", "\n" * 5_000, "a" * 20_000, "? " * 9_000])
def test_a_text_without_sentences_has_a_short_summary(text):
    summary = summarise({**TICKET, "description": text}, [{**CUSTOMER, "body": text}] * 40, mood="neutral")
    assert summary.summary
    assert len(summary.summary) < 4 * (MOST_SENTENCE + 40)
    assert len(summary.tried) <= MOST_LISTED


def test_greetings_and_quoted_lines_are_no_sentences():
    assert sentences(TICKET["description"])[0] == "The invoice of this month does not open on my phone."
    assert not [line for line in sentences(TICKET["description"]) if "Hello" in line or "quoted" in line]
