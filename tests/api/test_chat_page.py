"""Who may show the chat in a frame, and what other pages answer."""

import pytest

from tests.conftest import OTHER_COMPANY

OURS, THEIRS = "https://shop.example.com", "http://localhost:8080"


@pytest.fixture
def engine() -> str:
    """Headers know no storage."""
    return "json"


def policy(response) -> str:
    return response.headers["Content-Security-Policy"].partition("frame-ancestors ")[2].partition(";")[0]


def test_only_the_chat_of_a_company_that_names_a_site_may_be_framed_and_only_there(app, admin):
    client = app.test_client()
    before = client.get("/chat")
    assert (policy(before), before.headers.getlist("X-Frame-Options")) == ("'none'", ["DENY"])
    settings = admin.data(admin.put("/api/settings", {"chat_origins": [OURS.upper() + "/", THEIRS, OURS]}))
    assert settings["chat_origins"] == [OURS, THEIRS]

    framed = client.get("/chat?company=default", headers={"If-None-Match": before.headers["ETag"]})
    assert framed.status_code == 200, "a page whose policy changed is sent again"
    assert (policy(framed), "X-Frame-Options" in framed.headers) == (f"{OURS} {THEIRS}", False)
    assert "trusted-types 'none'" in framed.headers["Content-Security-Policy"]
    assert framed.headers["X-Content-Type-Options"] == "nosniff"
    for path in (f"/chat?company={OTHER_COMPANY}", "/chat?company=nobody", "/portal", "/desk", "/", "/api/settings"):
        response = client.get(path)
        assert policy(response) == "'none'", path
        assert response.headers.getlist("X-Frame-Options") == ["DENY"], path

    admin.put("/api/settings", {"clear": ["chat_origins"]})
    assert policy(client.get("/chat")) == "'none'"


def test_an_origin_that_a_hand_wrote_into_the_data_opens_nothing(app, runtime, monkeypatch):
    monkeypatch.setattr("services.settings.of_company", lambda _: {"chat_origins": ["*", "https://a.example; x", OURS]})
    assert policy(app.test_client().get("/chat")) == OURS


def test_naming_a_site_changes_nothing_about_calls_from_it(app, admin):
    ask = {"Origin": OURS, "Access-Control-Request-Method": "POST"}
    before = dict(app.test_client().options("/api/chat", headers=ask).headers)
    admin.put("/api/settings", {"chat_origins": [OURS]})
    after = dict(app.test_client().options("/api/chat", headers=ask).headers)
    assert {**after, "X-Request-ID": ""} == {**before, "X-Request-ID": ""}


def test_the_script_for_other_sites_is_small_and_kept_for_an_hour(app):
    response = app.test_client().get("/embed.js", headers={"Origin": OURS})
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "public, max-age=3600"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Access-Control-Allow-Origin" not in response.headers
    assert len(response.data) < 4096
