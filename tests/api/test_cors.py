"""CORS headers of plain answers: made once for each origin, the same at the first and at every later request."""

import pytest

from api.http.cors import MOST_ORIGINS

MINE, EVE = "https://mine.example", "https://eve.example"


@pytest.mark.parametrize(
    ("allowed", "origin", "shown", "varies"),
    [
        ("*", "", ["*"], False),
        ("*", EVE, [EVE], True),
        (MINE, "", [MINE], False),
        (MINE, MINE, [MINE], False),
        (MINE, EVE, [], False),
        (f"{MINE},{EVE}", "", [EVE], True),
        (f"{MINE},{EVE}", EVE, [EVE], True),
    ],
)
def test_each_origin_gets_its_own_headers_whoever_asked_before(open_app, allowed, origin, shown, varies):
    client = open_app(cors_origins=allowed).test_client()
    others = [{}, {"Origin": MINE}, {"Origin": EVE}, {"Origin": MINE, "Access-Control-Request-Private-Network": "true"}]
    for path, status in (("/api/health", 200), ("/api/tickets", 401), ("/api/nope", 404)):
        for other in others:
            client.get(path, headers=other)
            answer = client.get(path, headers={"Origin": origin} if origin else {})
            assert answer.status_code == status
            assert answer.headers.getlist("Access-Control-Allow-Origin") == shown
            assert ("Origin" in answer.headers.getlist("Vary")) is varies
            assert "Access-Control-Allow-Private-Network" not in answer.headers


def test_more_origins_than_are_kept_get_their_headers(app):
    client = app.test_client()
    for number in [*range(MOST_ORIGINS + 2), 0]:
        origin = f"https://{number}.example"
        answer = client.get("/api/health", headers={"Origin": origin})
        assert answer.headers.getlist("Access-Control-Allow-Origin") == [origin]
