"""Ratings: who may give one, when, with what, and what is kept of it."""

import re

import pytest

from auth.tokens import Tokens
from core.permissions import ACT_FOR_CUSTOMERS
from tests.conftest import OTHER_COMPANY, add_key
from tests.support.caller import Caller
from tests.support.clock import Clock

ADA = {"X-On-Behalf-Of": "ada@example.com"}


@pytest.fixture
def resolved(admin):
    """A ticket of Ada that is resolved."""
    return resolve(admin, admin.ticket()["id"])


def resolve(admin, ticket_id):
    return admin.data(admin.post(f"/api/tickets/{ticket_id}/resolve", {"resolution": "Done."}))


def acting(app, person="ada@example.com"):
    """A key that acts for that customer."""
    if "acting key" not in app.extensions:
        app.extensions["acting key"] = add_key(app.extensions["runtime"], "admin", scopes=[ACT_FOR_CUSTOMERS])
    return Caller(app.test_client(), app.extensions["acting key"], {"X-On-Behalf-Of": person})


def send_mail(app):
    app.extensions["runtime"].runner.run_due()


def path(ticket):
    return f"/api/tickets/{ticket['id']}/csat"


def link_token(app, ticket, company="default", **more):
    runtime = app.extensions["runtime"]
    return runtime.tokens.rating(ticket["id"], company, now=more.get("now") or runtime.storage.real_now())


def test_a_customer_rates_and_the_ticket_and_its_history_show_it(app, admin, resolved):
    rated = acting(app).post(path(resolved), {"score": 4, "comment": "Quick, thank you."})
    ticket = acting(app).data(rated)
    assert (ticket["csat_score"], ticket["version"]) == (4, resolved["version"] + 1)
    assert "assigned_to" not in ticket  # the customer's shape
    assert rated.headers["ETag"] == f'"{ticket["version"]}"'
    history = admin.data(admin.get(f"/api/tickets/{resolved['id']}/history"))
    assert [(row["field"], row["to"]) for row in history if row["action"] == "rated"] == [
        ("csat_score", "4"),
        ("csat_comment", "Quick, thank you."),
    ]
    assert admin.data(admin.get(f"/api/tickets/{resolved['id']}"))["csat_score"] == 4


def test_the_token_of_the_mail_rates_without_credentials(open_app, mailer):
    app = open_app(api_key="the key of a test", public_url="https://desk.example.com")
    admin, nobody = Caller(app.test_client(), "the key of a test"), Caller(app.test_client())
    ticket = resolve(admin, admin.ticket()["id"])
    send_mail(app)
    mail = next(notice for notice in mailer.sent if notice.kind == "resolved")
    token = re.search(r"https://desk\.example\.com/rate#(\S+)", mail.text)[1]
    assert f"/rate#{token}" in mail.html
    data = nobody.data(nobody.post(path(ticket), {"score": 5, "token": token}))
    assert data["csat_score"] == 5
    history = admin.data(admin.get(f"/api/tickets/{ticket['id']}/history"))
    assert history[-1]["actor"] == "ada@example.com"


def test_without_a_public_address_the_mail_has_no_link(app, admin, resolved, mailer):
    send_mail(app)
    mail = next(notice for notice in mailer.sent if notice.kind == "resolved")
    assert "rate" not in mail.text.lower()


def test_staff_may_not_rate_even_with_the_token(app, admin, agent, stranger, resolved):
    for caller in (admin, agent, stranger):
        refused = caller.post(path(resolved), {"score": 5, "token": link_token(app, resolved)})
        assert (refused.status_code, refused.json["data"]["code"]) == (403, "forbidden")
    assert "csat_score" not in admin.data(admin.get(f"/api/tickets/{resolved['id']}"))


def test_bad_tokens_and_unknown_tickets_get_the_same_404(app, admin, resolved):
    nobody, other = Caller(app.test_client()), resolve(admin, admin.ticket(customer_email="eve@example.com")["id"])
    good = link_token(app, resolved)
    runtime = app.extensions["runtime"]
    now = runtime.storage.real_now()
    erased = resolve(admin, admin.ticket(customer_email="gone@example.com")["id"])
    of_erased = link_token(app, erased)
    admin.data(admin.delete("/api/customers/gone@example.com"))
    tried = [
        (resolved["id"], "nonsense"),
        (resolved["id"], good[:-2]),
        (resolved["id"], Tokens("another secret of 32 bytes or more").rating(resolved["id"], "default", now=now)),
        (resolved["id"], link_token(app, resolved, OTHER_COMPANY)),
        (resolved["id"], link_token(app, resolved, now="2026-01-01T00:00:00.000Z")),
        (resolved["id"], runtime.tokens.confirmation(resolved["id"], "ada@example.com", "default", now=now)),
        (resolved["id"], runtime.tokens.access(resolved["id"], "s", now=now)),
        (other["id"], good),
        ("019ac000-0000-7000-8000-000000000000", link_token(app, {"id": "019ac000-0000-7000-8000-000000000000"})),
        ("no such id", good),
        (erased["id"], of_erased),
    ]
    answers = [nobody.post(f"/api/tickets/{ticket}/csat", {"score": 5, "token": token}) for ticket, token in tried]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.get_data() for answer in answers}) == 1


def test_nobody_without_a_token_is_401_and_another_customer_404(app, resolved):
    response = Caller(app.test_client()).post(path(resolved), {"score": 5})
    assert response.status_code == 401
    assert response.json["message"].startswith("Send the token of the link in the mail")
    assert acting(app, "eve@example.com").post(path(resolved), {"score": 5}).status_code == 404
    assert acting(app, "eve@example.com").post("/api/tickets/none/csat", {"score": 5}).status_code == 404


def test_a_link_opens_nothing_but_the_rating(app, resolved):
    token = link_token(app, resolved)
    for headers in ({"Authorization": f"Bearer {token}"}, {"X-API-Key": token}):
        assert app.test_client().get(f"/api/tickets/{resolved['id']}", headers=headers).status_code == 401
        refused = app.test_client().post(path(resolved), json={"score": 5}, headers=headers)
        assert refused.status_code == 401


def test_opening_the_link_rates_nothing(app, admin, resolved):
    page = app.test_client().get("/rate")
    assert page.status_code == 200
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
    assert app.test_client().get(path(resolved)).status_code == 405
    assert "csat_score" not in admin.data(admin.get(f"/api/tickets/{resolved['id']}"))


def test_a_rating_may_be_changed_for_a_week_and_then_it_is_final(open_app):
    clock = Clock()
    app = open_app(api_key="the key of a test", clock=clock)
    admin, ada = Caller(app.test_client(), "the key of a test"), acting(app)
    ticket = resolve(admin, admin.ticket()["id"])
    ada.data(ada.post(path(ticket), {"score": 2}))
    clock.forward(days=6, hours=23)
    ada.data(ada.post(path(ticket), {"score": 3}))
    version = ada.data(ada.post(path(ticket), {"score": 3}))["version"]  # the same again changes nothing
    assert version == ticket["version"] + 2
    clock.forward(hours=2)  # a week after the first one
    late = ada.post(path(ticket), {"score": 5})
    assert (late.status_code, late.json["data"]["code"]) == (409, "rating_final")


def test_a_ticket_that_is_resolved_again_may_be_rated_again(open_app):
    clock = Clock()
    app = open_app(api_key="the key of a test", clock=clock)
    admin, ada = Caller(app.test_client(), "the key of a test"), acting(app)
    ticket = resolve(admin, admin.ticket()["id"])
    ada.data(ada.post(path(ticket), {"score": 1}))
    clock.forward(days=8)
    assert admin.data(admin.post(f"/api/tickets/{ticket['id']}/reopen"))["csat_score"] == 1
    early = ada.post(path(ticket), {"score": 5})
    assert (early.status_code, early.json["data"]["code"]) == (409, "not_resolved")
    resolve(admin, ticket["id"])
    assert ada.data(ada.post(path(ticket), {"score": 5}))["csat_score"] == 5


@pytest.mark.parametrize("score", [0, 6, -1, 2.5, "five", True, [5], None])
def test_other_scores_are_refused(app, resolved, score):
    refused = acting(app).post(path(resolved), {"score": score})
    assert (refused.status_code, refused.json["data"]["errors"][0]["field"]) == (400, "score")


@pytest.mark.parametrize("score", ["4", 4.0])
def test_a_score_is_a_number_in_any_form(app, resolved, score):
    assert acting(app).data(acting(app).post(path(resolved), {"score": score}))["csat_score"] == 4


def test_a_comment_is_kept_as_text_and_goes_with_the_customer(app, admin, resolved):
    evil = "=HYPERLINK(1) <b>{{ 7*7 }}</b> of Ada"
    acting(app).data(acting(app).post(path(resolved), {"score": 1, "comment": evil}))
    history = f"/api/tickets/{resolved['id']}/history"
    assert evil in [row["to"] for row in admin.data(admin.get(history))]
    admin.data(admin.delete("/api/customers/ada@example.com"))
    assert "HYPERLINK" not in admin.get(history).get_data(as_text=True)
    assert admin.data(admin.get(f"/api/tickets/{resolved['id']}"))["csat_score"] == 1  # the figure stays
