"""Guests of the chat, and what a sign-in page is told (cases 1, 6, 7, 9, 10, 12, 38)."""

import base64

import jwt
import pytest

from database.tables import customers, sign_in_tokens, users
from tests.conftest import OTHER_COMPANY
from tests.support.accounts import at, bearing, rows
from tests.support.caller import Caller

pytestmark = pytest.mark.every_engine
OPEN_TO_GUESTS = {
    "SendChatMessage",
    "GetConversation",
    "ListMessages",
    "CloseConversation",
    "CreateAttachment",
    "ListAttachments",
    "GetAttachment",
    "DeleteAttachment",
    "RateTicket",
    "GetArticle",
    "SearchKnowledge",
}


@pytest.fixture
def nobody(app):
    return Caller(app.test_client())


def enter(nobody, **body):
    return nobody.data(nobody.post("/api/auth/guest", body))


def chatting(nobody, message="My parcel is lost.", **body):
    """A guest and the id of their conversation."""
    guest = bearing(nobody, enter(nobody)["access_token"])
    return guest, guest.data(guest.post("/api/chat", {"message": message, **body}))["conversation_id"]


def test_a_guest_chats_attaches_closes_and_rates(nobody, app, admin):
    guest = bearing(nobody, enter(nobody, name="Kim")["access_token"])
    conversation = guest.data(guest.post("/api/chat", {"message": "My parcel is lost."}))["conversation_id"]
    path = f"/api/chat/{conversation}"
    assert guest.data(guest.post("/api/chat", {"message": "It is blue."}))["conversation_id"] == conversation
    assert guest.data(guest.get(path))["messages"][0]["author_name"] == "Kim"
    assert guest.get(f"{path}/messages").json["total"] >= 3
    files = f"/api/tickets/{conversation}/attachments"
    file = guest.data(guest.post(files, {"name": "a.txt", "content": "SGVsbG8="}), 201)
    assert guest.get(files).json["total"] == 1
    assert guest.get(f"/api/attachments/{file['id']}").get_data() == b"Hello"
    assert guest.delete(f"/api/attachments/{file['id']}").status_code == 200
    assert guest.data(guest.post(f"{path}/close", {}))["status"] == "closed"
    assert guest.data(guest.post(f"/api/tickets/{conversation}/csat", {"score": 4}))["csat_score"] == 4
    [customer] = admin.data(admin.get("/api/customers"))
    assert (customer["name"], customer["customer_id"][:6], customer["email"]) == ("Kim", "guest:", "")
    assert rows(app, users) == []


def test_a_guest_leaves_no_row_before_the_first_message(nobody, app):
    enter(nobody, name="Kim")
    assert rows(app, customers) == rows(app, users) == rows(app, sign_in_tokens) == []


def test_guests_may_call_what_is_declared_for_them_and_nothing_else(nobody, app):
    guest, conversation = chatting(nobody)
    open_routes = set()
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if not rule.rule.startswith("/api/") or getattr(view, "limit", None) or not getattr(view, "permission", None):
            continue
        path = rule.rule.replace("<name:", "<")
        for name in rule.arguments:
            path = path.replace(f"<{name}>", conversation)
        for method in rule.methods - {"OPTIONS", "HEAD"}:
            if getattr(view, "guests", ""):
                open_routes.add(rule.endpoint.rpartition(".")[2])
            elif view.permission != "public":
                answer = guest.call(method, path, None if method in ("GET", "DELETE") else {})
                assert (answer.status_code, answer.json["message"][:6]) == (403, "Guests"), path
    assert open_routes | {"RateTicket"} == OPEN_TO_GUESTS


def test_case_6_a_guest_sees_only_their_own_conversation(nobody, admin):
    of_ada = admin.ticket(customer_email="ada@example.com", source="chat")["id"]
    other, of_other = chatting(nobody, "Secret of the other guest.")
    small = {"name": "a.txt", "content": "SGVsbG8="}
    file = other.data(other.post(f"/api/tickets/{of_other}/attachments", small), 201)["id"]
    guest, own = chatting(nobody)
    taken = guest.post("/api/chat", {"message": "See here.", "conversation_id": own, "attachment_ids": [file]})
    assert taken.status_code in (400, 404)
    assert {
        guest.get(f"/api/attachments/{file}").status_code,
        guest.delete(f"/api/attachments/{file}").status_code,
    } == {404}
    for ticket in (of_ada, of_other):
        answers = [
            guest.get(f"/api/chat/{ticket}"),
            guest.get(f"/api/chat/{ticket}/messages"),
            guest.post(f"/api/chat/{ticket}/close", {}),
            guest.get(f"/api/tickets/{ticket}/attachments"),
            guest.post(f"/api/tickets/{ticket}/attachments", small),
            guest.post(f"/api/tickets/{ticket}/csat", {"score": 1}),
            guest.post("/api/chat", {"message": "Let me in.", "conversation_id": ticket}),
        ]
        assert {answer.status_code for answer in answers} == {404}
    assert guest.get(f"/api/chat/{own}").status_code == 200


def test_case_12_an_address_that_a_guest_gives_opens_nothing_and_mails_nobody(nobody, admin, mailer, run_jobs):
    of_ada = admin.ticket(customer_email="ada@example.com")["id"]
    run_jobs()
    mailer.sent.clear()
    guest, own = chatting(nobody, customer_email="ada@example.com")
    guest.data(guest.post("/api/chat", {"message": "Again.", "customer_email": "ada@example.com"}))
    assert guest.get(f"/api/chat/{of_ada}").status_code == 404
    thread = admin.data(admin.get(f"/api/tickets/{own}/replies"))
    notes = [reply["body"] for reply in thread if reply["internal"]]
    [note] = [note for note in notes if "gave this" in note]  # once
    assert note == "The guest gave this e-mail address, which is not confirmed: ada@example.com"
    assert "ada@example.com" not in guest.get(f"/api/chat/{own}").get_data(as_text=True)
    assert admin.get("/api/tickets?customer_email=ada@example.com").json["total"] == 1
    run_jobs()
    assert [notice.to for notice in mailer.sent] == []


def test_cases_6_7_38_a_guest_searches_what_the_company_publishes_and_no_more(nobody, admin, other_admin):
    kettle = {"title": "Reset the kettle", "body": "Hold the power button of the kettle for ten seconds."}
    own = admin.data(admin.post("/api/knowledge", kettle), 201)["id"]
    admin.data(admin.post("/api/knowledge", {**kettle, "status": "draft"}), 201)
    elsewhere = other_admin.data(other_admin.post("/api/knowledge", kettle), 201)["id"]
    guest = bearing(nobody, enter(nobody)["access_token"])

    def hits(question="How do I reset the kettle?"):
        return guest.data(guest.get("/api/search/knowledge", query_string={"q": question, "k": 20}))

    assert [hit["article_id"] for hit in hits()] == [own]
    assert guest.get(f"/api/knowledge/{elsewhere}").status_code == 404
    assert guest.get("/api/knowledge").status_code == 403, "a guest lists nothing"
    admin.data(admin.put(f"/api/knowledge/{own}", {"status": "draft"}))
    assert hits() == []
    assert guest.get(f"/api/knowledge/{own}").status_code == 404


@pytest.mark.parametrize("engine", ["json"])
def test_searches_of_guests_are_limited_by_address_whoever_they_are(nobody):
    guests = [bearing(nobody, enter(nobody)["access_token"]) for _ in range(2)]
    statuses = [guest.get("/api/search/knowledge?q=kettle").status_code for guest in guests for _ in range(16)]
    assert statuses == [200] * 30 + [429] * 2


@pytest.mark.parametrize("name", ["customer_id", "X-On-Behalf-Of"])
def test_case_12_a_guest_is_nobody_else(nobody, admin, name):
    admin.ticket(customer_id="c-1", customer_email="ada@example.com")
    guest, _ = chatting(nobody)
    body = {"message": "Hello.", **({name: "c-1"} if name == "customer_id" else {})}
    headers = {} if name == "customer_id" else {name: "c-1"}
    assert guest.post("/api/chat", body, headers=headers).status_code == 403


def test_a_guest_who_becomes_a_known_customer_is_a_guest_no_more(nobody, admin):
    entered = enter(nobody)
    guest = bearing(nobody, entered["access_token"])
    guest.data(guest.post("/api/chat", {"message": "Hello."}))
    admin.ticket(customer_email="ada@example.com", customer_id=entered["customer_id"])
    assert guest.post("/api/chat", {"message": "What did Ada write?"}).status_code == 401
    assert nobody.post("/api/auth/refresh", {"refresh_token": entered["refresh_token"]}).status_code == 401


def test_case_9_switching_guests_off_ends_their_tokens_for_good(nobody, admin):
    entered = enter(nobody)
    guest = bearing(nobody, entered["access_token"])
    conversation = guest.data(guest.post("/api/chat", {"message": "Hello."}))["conversation_id"]
    admin.data(admin.put("/api/settings", {"chat_guests": False}))
    assert nobody.post("/api/auth/guest", {}).status_code == 403
    assert nobody.get("/api/auth/options").json["data"]["chat_guests"] is False
    for switched in (False, True):
        admin.data(admin.put("/api/settings", {"chat_guests": switched}))
        assert guest.get(f"/api/chat/{conversation}").status_code == 401
        assert nobody.post("/api/auth/refresh", {"refresh_token": entered["refresh_token"]}).status_code == 401
    assert chatting(nobody)


def test_case_1_a_guest_belongs_to_one_company(nobody, admin, other_admin):
    elsewhere = bearing(nobody, enter(nobody, company=OTHER_COMPANY)["access_token"])
    there = elsewhere.data(elsewhere.post("/api/chat", {"message": "Hello."}))["conversation_id"]
    guest, here = chatting(nobody)
    assert (guest.get(f"/api/chat/{there}").status_code, elsewhere.get(f"/api/chat/{here}").status_code) == (404, 404)
    assert other_admin.get("/api/tickets").json["total"] == 1
    other_admin.data(other_admin.put("/api/settings", {"chat_guests": False}))
    assert (guest.get(f"/api/chat/{here}").status_code, elsewhere.get(f"/api/chat/{there}").status_code) == (200, 401)


def test_a_guest_stays_the_same_and_signs_out_at_once(nobody, runtime):
    entered = enter(nobody)
    renewed = nobody.data(nobody.post("/api/auth/refresh", {"refresh_token": entered["refresh_token"]}))
    assert renewed["customer_id"] == renewed["user"]["id"] == entered["customer_id"]
    assert nobody.post("/api/auth/logout", {"refresh_token": renewed["refresh_token"]}).status_code == 200
    for token in (entered, renewed):
        assert bearing(nobody, token["access_token"]).post("/api/chat", {"message": "Hello."}).status_code == 401
        assert nobody.post("/api/auth/refresh", {"refresh_token": token["refresh_token"]}).status_code == 401
    assert nobody.post("/api/auth/logout", {"refresh_token": renewed["refresh_token"]}).status_code == 200


def test_the_tokens_of_guests_do_not_stand_for_one_another(nobody, runtime):
    entered = enter(nobody)
    assert bearing(nobody, entered["refresh_token"]).post("/api/chat", {"message": "Hello."}).status_code == 401
    assert nobody.post("/api/auth/refresh", {"refresh_token": entered["access_token"]}).status_code == 401
    claims = jwt.decode(entered["access_token"], options={"verify_signature": False})
    for change in ({"sub": "guest:another"}, {"company": OTHER_COMPANY}, {"aud": "foyer:access"}):
        forged = jwt.encode({**claims, **change}, "x" * 48, "HS256")
        assert bearing(nobody, forged).post("/api/chat", {"message": "Hello."}).status_code == 401


def test_an_erased_guest_is_gone(nobody, admin):
    entered = enter(nobody, name="Kim Possible")
    guest = bearing(nobody, entered["access_token"])
    conversation = guest.data(guest.post("/api/chat", {"message": "I am Kim Possible."}))["conversation_id"]
    admin.data(admin.delete(f"/api/customers/{entered['customer_id']}"))
    assert "Kim" not in admin.get(f"/api/tickets/{conversation}/replies").get_data(as_text=True)
    assert entered["customer_id"] not in admin.get("/api/audit").get_data(as_text=True)
    assert guest.post("/api/chat", {"message": "Hi.", "conversation_id": conversation}).status_code in (404, 409)


@pytest.mark.parametrize("engine", ["json"])
def test_case_10_guests_are_limited_by_their_real_address(nobody):
    spoofed = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(21)]
    statuses = [nobody.post("/api/auth/guest", {}, headers=headers).status_code for headers in spoofed]
    assert statuses == [200] * 20 + [429]
    assert nobody.post("/api/auth/guest", {}, **at("198.51.100.7")).status_code == 200


@pytest.mark.parametrize("engine", ["json"])
def test_messages_of_guests_are_limited_by_address_whoever_they_are(nobody, admin):
    admin.data(admin.put("/api/settings", {"human_first": True}))  # nothing is computed for an answer
    statuses = []
    for _ in range(4):
        guest, _ = chatting(nobody)
        statuses += [guest.post("/api/chat", {"message": "Hello."}).status_code for _ in range(7)]
        if 429 in statuses:
            break
    assert statuses.count(200) + 4 == 30


@pytest.mark.parametrize("engine", ["json"])
def test_case_29_files_of_guests_leave_room_for_everybody_else(open_app):
    app = open_app(attachments_quota_megabytes=4)
    nobody, admin = Caller(app.test_client()), Caller(app.test_client(), "admin-key")
    half = {"name": "a.txt", "content": base64.b64encode(b"a" * (512 * 1024)).decode()}
    statuses = []
    for _ in range(3):  # each a guest of their own
        guest, conversation = chatting(nobody)
        statuses.append(guest.post(f"/api/tickets/{conversation}/attachments", half).status_code)
    assert statuses == [201, 201, 409]
    admin.data(admin.post(f"/api/tickets/{conversation}/attachments", half), 201)


def test_the_options_say_how_people_come_in(nobody, admin, app, open_app):
    data = nobody.data(nobody.get("/api/auth/options"))
    assert data == {
        "company": "default",
        "name": "default",
        "password": True,
        "codes": True,
        "registration": False,
        "chat_guests": True,
        "opens": "",
    }
    admin.data(admin.put("/api/settings", {"registration": True, "mail_name": "Acme Support"}))
    data = nobody.data(nobody.get("/api/auth/options?company=DEFAULT"))
    assert (data["name"], data["registration"]) == ("Acme Support", True)
    unknown = nobody.get("/api/auth/options?company=nowhere")
    assert (unknown.status_code, unknown.json["message"][:29]) == (404, "There is no company of this n")


@pytest.mark.parametrize("engine", ["json"])
def test_without_a_mail_server_there_are_no_codes(open_app):
    from notifier import ConsoleMailer

    app = open_app(mailer=ConsoleMailer())
    admin, nobody = Caller(app.test_client(), "admin-key"), Caller(app.test_client())
    admin.data(admin.put("/api/settings", {"registration": True}))
    data = nobody.data(nobody.get("/api/auth/options"))
    assert (data["codes"], data["registration"]) == (False, False)
