"""The chat over HTTP: answers with sources, one conversation per customer, nothing lost, nothing shown to others."""

from concurrent.futures import ThreadPoolExecutor

import pytest

ARTICLE = {
    "title": "How long refunds take",
    "body": "A refund goes back to the card and arrives after five working days.",
    "category": "billing",
}
QUESTION = "How long does a refund to the card take to arrive?"
OFFER = "Shall I bring in a person?"


def say(caller, message, status=200, **fields):
    body = {"message": message, "customer_email": "ada@example.com", **fields}
    return caller.data(caller.post("/api/chat", body), status)


def roles_of(caller, conversation_id):
    conversation = caller.data(caller.get(f"/api/chat/{conversation_id}"))
    return [message["role"] for message in conversation["messages"]]


@pytest.fixture
def article(admin):
    return admin.data(admin.post("/api/knowledge", ARTICLE), 201)


@pytest.mark.every_engine
def test_a_question_is_answered_from_the_article_and_kept_as_a_ticket(admin, article, mailer, run_jobs):
    answer = say(admin, QUESTION, customer_name="Ada", product="Card")
    assert ARTICLE["body"] in answer["reply"]
    assert answer["citations"] == [{"article_id": article["id"], "title": ARTICLE["title"]}]
    assert (answer["ai_source"], answer["escalation"], answer["escalation_reason"]) == ("knowledge", False, "")
    assert 0.45 <= answer["ai_confidence"] <= 1
    ticket = admin.data(admin.get(f"/api/tickets/{answer['ticket_id']}"))
    assert (ticket["source"], ticket["status"], ticket["title"]) == ("chat", "ai_responded", QUESTION)
    assert (ticket["customer_name"], ticket["product"], ticket["number"]) == ("Ada", "Card", answer["number"])
    assert ticket["ai_citations"] == [article["id"]]
    thread = admin.data(admin.get(f"/api/tickets/{answer['ticket_id']}/replies"))
    assert [(reply["author_role"], reply["body"]) for reply in thread] == [
        ("customer", QUESTION),
        ("ai", answer["reply"]),
    ]
    run_jobs()
    assert mailer.sent == []


def test_the_smallest_client_sends_user_id_and_message(admin):
    answer = admin.data(admin.post("/api/chat", {"user_id": "u-1", "message": "Hello"}))
    assert answer["reply"]
    assert answer["escalation"] is False
    customer = admin.data(admin.get("/api/customers/u-1"))
    assert customer["total_tickets"] == 1


def test_what_no_article_answers_gets_the_offer_of_a_person_and_no_guess(admin, article):
    answer = say(admin, "Which colour does the moon have on Tuesdays?")
    assert OFFER in answer["reply"]
    assert (answer["ai_source"], answer["citations"]) == ("canned", [])


def test_a_conversation_goes_on_without_its_id_and_another_customer_has_another(admin):
    first, second = say(admin, "Hello"), say(admin, "Hello again")
    other = say(admin, "Hello", customer_email="eve@example.com")
    assert first["conversation_id"] == second["conversation_id"] != other["conversation_id"]
    assert first["conversation_id"] == first["ticket_id"]
    assert roles_of(admin, first["conversation_id"]) == ["customer", "ai", "customer", "ai"]


def test_an_article_that_is_unpublished_is_cited_nowhere_any_more(admin, article):
    answer = say(admin, QUESTION)
    admin.put(f"/api/knowledge/{article['id']}", {"status": "draft"})
    messages = admin.data(admin.get(f"/api/chat/{answer['conversation_id']}/messages"))
    assert [message["citations"] for message in messages] == [[], []]
    assert OFFER in say(admin, QUESTION)["reply"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["message"]),
        ({"message": "  ", "user_id": "u"}, ["message"]),
        ({"message": "x" * 20_001, "user_id": "u"}, ["message"]),
        ({"message": "Hello"}, ["customer_email"]),
        ({"message": "Hello", "customer_id": "a", "user_id": "b"}, ["user_id"]),
        ({"message": "Hello", "user_id": "u", "mesage": "x"}, ["mesage"]),
        ({"message": "Hello", "customer_email": "not an address"}, ["customer_email"]),
    ],
)
def test_bad_messages_are_refused_by_field_and_store_nothing(admin, body, fields):
    answer = admin.post("/api/chat", body)
    assert answer.status_code == 400
    assert {error["field"] for error in answer.json["data"]["errors"]} & set(fields)
    assert admin.get("/api/tickets").json["total"] == 0


@pytest.mark.parametrize("message", ["x" * 20_000, "😀😀", "?", "私はログインできません", "<b>{{x}}</b> %s"])
def test_odd_messages_are_kept_as_they_are_and_answered(admin, message):
    answer = say(admin, message)
    assert answer["reply"]
    assert "{{x}}" not in answer["reply"]
    messages = admin.data(admin.get(f"/api/chat/{answer['conversation_id']}/messages"))
    assert messages[0]["body"] == message


FOREIGN = ["00000000-0000-0000-0000-000000000000", "7", "x/../y", "ü" * 30]


def test_conversations_of_others_and_of_nobody_are_404_with_the_same_bytes(admin, stranger, customer):
    of_eve = say(admin, "Hello", customer_email="eve@example.com")["conversation_id"]
    mail_ticket = admin.ticket()["id"]
    tried = [
        customer.post("/api/chat", {"message": "Hello", "conversation_id": of_eve}),
        stranger.post("/api/chat", {"message": "Hello", "customer_email": "a@b.example", "conversation_id": of_eve}),
        admin.post("/api/chat", {"message": "Hello", "customer_email": "ada@example.com", "conversation_id": of_eve}),
        admin.post("/api/chat", {"message": "Hello", "user_id": "eve", "conversation_id": of_eve}),
        admin.post("/api/chat", {"message": "Hello", "conversation_id": mail_ticket}),
        *(admin.post("/api/chat", {"message": "Hello", "conversation_id": name}) for name in FOREIGN),
        customer.get(f"/api/chat/{of_eve}"),
        admin.get(f"/api/chat/{mail_ticket}/messages"),
    ]
    assert {answer.status_code for answer in tried} == {404}
    assert len({answer.get_data() for answer in tried}) == 1
    assert roles_of(admin, of_eve) == ["customer", "ai"]


def test_with_the_id_alone_the_message_is_of_the_conversations_customer(admin):
    first = say(admin, "Hello")["conversation_id"]
    again = admin.data(admin.post("/api/chat", {"message": "Hello again", "conversation_id": first}))
    assert again["conversation_id"] == first


def test_a_new_customer_writes_fifty_messages_at_once_into_one_conversation(app, customer, admin):
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda number: customer.post("/api/chat", {"message": f"Message {number}"}), range(50)))
    data = [customer.data(answer) for answer in answers]
    assert len({answer["conversation_id"] for answer in data}) == 1
    messages = admin.data(admin.get(f"/api/chat/{data[0]['conversation_id']}/messages"))
    written = [message["body"] for message in messages if message["role"] == "customer"]
    assert sorted(written) == sorted(f"Message {number}" for number in range(50))
    replies = [answer["reply"] for answer in data if answer["reply"]]
    said = [message["body"] for message in messages if message["role"] != "customer"]
    assert sorted(said) == sorted(replies)


def test_a_repeated_message_with_the_same_reference_is_done_once(admin):
    first = say(admin, "Hello", client_reference="m-1")
    assert say(admin, "Hello", client_reference="m-1") == first
    assert roles_of(admin, first["conversation_id"]) == ["customer", "ai"]


def test_polling_lists_what_is_new_and_an_empty_304_when_nothing_is(admin):
    conversation = say(admin, "Hello")["conversation_id"]
    path = f"/api/chat/{conversation}/messages"
    answer = admin.get(path)
    last, etag = answer.json["data"][-1]["id"], answer.headers["ETag"]
    unchanged = admin.client.get(path, headers={"X-API-Key": admin.key, "If-None-Match": etag})
    assert (unchanged.status_code, unchanged.get_data(), unchanged.headers["ETag"]) == (304, b"", etag)
    assert admin.data(admin.get(f"{path}?after={last}")) == []
    say(admin, "Where is my parcel?")
    newer = admin.data(admin.get(f"{path}?after={last}"))
    assert [message["role"] for message in newer] == ["customer", "ai"]
    changed = admin.client.get(path, headers={"X-API-Key": admin.key, "If-None-Match": etag})
    assert changed.status_code == 200
    assert admin.get(f"{path}?after={conversation}").status_code == 400


def test_the_newest_messages_come_without_after_and_the_total_is_all(admin):
    conversation = say(admin, "Hello")["conversation_id"]
    say(admin, "Hello again")
    page = admin.get(f"/api/chat/{conversation}/messages?limit=1").json
    assert (page["total"], page["data"][0]["role"]) == (4, "ai")


def test_a_conversation_with_people_goes_on_after_days_and_one_ended_by_silence_within_one(admin):
    first = say(admin, "I want a human")["conversation_id"]
    assert say(admin, "Still waiting")["conversation_id"] == first


def test_an_erased_conversation_is_not_repeated_by_its_reference(admin):
    say(admin, "I am Ada Lovelace", client_reference="m-1")
    admin.data(admin.delete("/api/customers/ada@example.com"))
    again = say(admin, "I am Ada Lovelace", client_reference="m-1")
    assert again["number"] == 2


def test_files_go_with_messages_and_internal_ones_are_in_no_list(customer, admin):
    conversation = customer.data(customer.post("/api/chat", {"message": "Let me talk to a person"}))["conversation_id"]
    files = f"/api/tickets/{conversation}/attachments"

    def attach(caller, name, **fields):
        return caller.data(caller.post(files, {"name": name, "content": "SGVsbG8=", **fields}), 201)["id"]

    attach(customer, "first.txt")
    named = {"conversation_id": conversation, "attachment_ids": [attach(customer, "second.txt")]}
    customer.data(customer.post("/api/chat", {"message": "Here it is", **named}))
    attach(admin, "secret.txt", internal=True)
    reply = {"body": "Thank you", "attachment_ids": [attach(admin, "answer.txt")]}
    admin.data(admin.post(f"/api/tickets/{conversation}/replies", reply), 201)
    for path in (f"/api/chat/{conversation}", f"/api/chat/{conversation}/messages"):
        for caller in (customer, admin):
            data = caller.data(caller.get(path))
            messages = data if isinstance(data, list) else data["messages"]
            names = [[file["name"] for file in message["attachments"]] for message in messages]
            assert names == [["first.txt"], [], ["second.txt"], ["answer.txt"]]
    again = customer.post("/api/chat", {"message": "Again", **named})
    assert (again.status_code, again.json["data"]["errors"][0]["field"]) == (400, "attachment_ids")


def test_the_first_message_of_a_conversation_takes_no_files(customer):
    answer = customer.post("/api/chat", {"message": "Hello", "attachment_ids": ["a-file"]})
    assert (answer.status_code, answer.json["data"]["errors"][0]["field"]) == (400, "attachment_ids")
    assert customer.get("/api/tickets").json["total"] == 0


def test_notes_are_in_no_list_of_messages(admin, customer):
    conversation = customer.data(customer.post("/api/chat", {"message": "Let me talk to a person"}))["conversation_id"]
    admin.post(f"/api/tickets/{conversation}/replies", {"body": "A secret note", "internal": True})
    for caller in (admin, customer):
        assert "secret" not in caller.get(f"/api/chat/{conversation}").get_data(as_text=True)
        assert roles_of(caller, conversation) == ["customer", "system"]


@pytest.mark.every_engine
def test_a_closed_conversation_opens_again_with_a_later_message(customer, admin):
    conversation = customer.data(customer.post("/api/chat", {"message": "Hello"}))["conversation_id"]
    closed = customer.data(customer.post(f"/api/chat/{conversation}/close"))
    assert (closed["status"], closed["ended_by"]) == ("closed", "customer")
    assert customer.data(customer.post(f"/api/chat/{conversation}/close"))["status"] == "closed"
    other = customer.data(customer.post("/api/chat", {"message": "Something else"}))
    assert other["conversation_id"] != conversation
    again = customer.data(customer.post("/api/chat", {"message": "Still broken", "conversation_id": conversation}))
    assert (again["conversation_id"], again["status"]) == (conversation, "ai_responded")
    assert customer.data(customer.get(f"/api/chat/{conversation}"))["ended_by"] == ""


def test_an_erased_customer_leaves_no_words_in_the_conversation(admin):
    conversation = say(admin, "My name is Ada Lovelace")["conversation_id"]
    admin.data(admin.delete("/api/customers/ada@example.com"))
    text = admin.get(f"/api/chat/{conversation}").get_data(as_text=True)
    assert "Lovelace" not in text
    assert admin.post("/api/chat", {"message": "Hello", "conversation_id": conversation}).status_code == 409
