"""Every recipe does what it says, with the key that `flask connect` makes, which may do nothing else (cases 5, 12, 14, 35)."""

import json
import re

import pytest

from commands.connect import ADDRESS, FOLDER, make_key, read_recipe, tools
from core.permissions import ACT_FOR_CUSTOMERS, SCOPES, Permission
from tests.recipes.player import VALUES, Player, page_requests, play_n8n, play_node_red
from tests.support.caller import Caller

NAMED = {"Idempotency-Key", "X-On-Behalf-Of", "Content-Type", "X-API-Key", "x-apikey"}
WITH_REQUESTS = [tool for tool in tools() if tool not in ("n8n", "node-red")]
FLOW = json.loads((FOLDER / "node-red" / "flow.json").read_text())
FORM = {"Subject": VALUES["title"], "Message": VALUES["description"], "E-mail": VALUES["email"]}


def workflow(name):
    return json.loads((FOLDER / "n8n" / name).read_text())


def player_of(app, runtime, tool):
    return Player(app.test_client(), make_key(runtime, "", read_recipe(tool), days=1))


def permissions_of(app, player):
    """The permissions of the routes that were called."""
    adapter = app.url_map.bind("")
    called = set()
    for request, response in player.sent:
        endpoint, _ = adapter.match(response.request.path, method=request.method)
        called.add(getattr(app.view_functions[endpoint], "permission", Permission.PUBLIC))
    return called - {Permission.PUBLIC}


def check_key(app, runtime, tool, player):
    """The key has each permission that the recipe uses, and no other."""
    scopes = set(read_recipe(tool).scopes)
    if scopes:
        assert permissions_of(app, player) == scopes - {ACT_FOR_CUSTOMERS}
    others = ("/api/keys", "/api/settings", "/api/users")
    caller = Caller(app.test_client(), player.key)
    for path in others if scopes else ():
        assert caller.get(path).status_code == 403, path


@pytest.mark.parametrize("tool", WITH_REQUESTS)
def test_the_requests_of_a_page_do_what_it_says(app, runtime, admin, tool):
    ticket = admin.ticket()
    player = player_of(app, runtime, tool)
    requests = page_requests(tool, player.key, ticket)
    assert requests
    for request in requests:
        assert set(request.headers) <= NAMED
        response = player.send(request)
        if request.method == "GET":
            continue
        data, path = response.json["data"], request.url.removeprefix(ADDRESS)
        if path == "/api/tickets":
            stored = admin.data(admin.get(f"/api/tickets/{data['id']}"))
            assert (stored["title"], stored["description"]) == (VALUES["title"], VALUES["description"])
            assert stored["customer_email"] == VALUES["email"]
            if "Idempotency-Key" in request.headers:
                again = player.send(request)
                assert (again.json["data"]["id"], again.headers["Idempotent-Replay"]) == (data["id"], "true")
        elif path.endswith("/assign"):
            assert data["assigned_to"] == VALUES["agent_email"]
        elif path.endswith("/replies"):
            assert data["body"] == VALUES["body"]
        else:
            assert path.endswith("/resolve")
            assert (data["status"], data["resolution"]) == ("resolved", VALUES["body"])
    check_key(app, runtime, tool, player)


def test_n8n_opens_a_ticket_from_a_form_and_tells_of_it_once(app, runtime, admin):
    player, memory = player_of(app, runtime, "n8n"), {}
    poll, form = workflow("new-ticket-to-message.json"), workflow("form-to-ticket.json")
    play_n8n(poll, player, memory, {})
    assert player.elsewhere == []
    for _ in range(2):  # an execution that is tried again has the same id
        play_n8n(form, player, memory, FORM)
    (ticket,) = admin.get("/api/tickets").json["data"]
    assert [ticket[name] for name in ("title", "description", "customer_email", "source")] == [
        *(VALUES[name] for name in ("title", "description", "email")),
        "web",
    ]
    for _ in range(2):
        play_n8n(poll, player, memory, {})
    assert [message["text"] for message in player.elsewhere] == [message_of(ticket)]
    check_key(app, runtime, "n8n", player)


def test_node_red_opens_a_ticket_from_a_form_and_tells_of_it_once(app, runtime, admin):
    player, memory = player_of(app, runtime, "node-red"), {}
    play_node_red(FLOW, player, memory, "Every minute", {"payload": 0})
    form = {name: VALUES[name] for name in ("title", "description", "email")}
    for _ in range(2):
        answer = play_node_red(FLOW, player, memory, "Form", {"_msgid": "a1", "payload": form})
    (ticket,) = admin.get("/api/tickets").json["data"]
    assert [ticket[name] for name in ("title", "description", "customer_email", "source")] == [*form.values(), "web"]
    expected = {"headers": {}, "payload": {"message": f"Ticket #{ticket['number']} is open."}, "statusCode": 201}
    assert {name: answer[0][name] for name in expected} == expected
    for _ in range(2):
        play_node_red(FLOW, player, memory, "Every minute", {"payload": 0})
    assert [message["text"] for message in player.elsewhere] == [message_of(ticket)]
    check_key(app, runtime, "node-red", player)


def message_of(ticket):
    """What a chat is told; a title mentions nobody there."""
    title = re.sub("[<>@]", " ", ticket["title"])
    return f"#{ticket['number']} {title} ({ticket['priority']}, {ticket['assigned_team']})"


@pytest.mark.parametrize("tool", tools())
def test_a_page_has_numbered_steps_known_scopes_and_a_line_in_the_index(tool):
    recipe = read_recipe(tool)
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", recipe.steps, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 2
    assert set(recipe.scopes) <= set(SCOPES)
    assert f"({tool}.md)" in (FOLDER / "README.md").read_text()
    for name in re.findall(rf"`{tool}/([\w.-]+)`", (FOLDER / f"{tool}.md").read_text()):
        assert (FOLDER / tool / name) in recipe.files


def test_no_file_holds_a_secret_and_every_address_is_an_example():
    for path in FOLDER.rglob("*"):
        text = path.read_text() if path.is_file() else ""
        assert not re.search(r"fk_\w", text), path
        hosts = set(re.findall(r"https?://([\w.-]+)", text))
        assert hosts <= {"desk.example.com", "chat.example.com", "localhost", "github.com"}, path
