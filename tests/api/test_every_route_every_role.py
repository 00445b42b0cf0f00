"""Every route, caller and id: the response, and that callers without permission change nothing (cases 1, 2, 5, 9, 12, 13).

The permissions come from core/permissions.py. A route that is missing in CALLS fails with its name.
"""

import shutil
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from api.http.rate_limits import Limits
from app import create_app
from core.permissions import GRANTED, Permission
from notifier import MemoryMailer
from tests.conftest import ENGINES, SECRET, Given
from tests.support.caller import Caller
from tests.support.route_calls import CALLS, NEW, REPLY, USER
from tests.support.rows import file_url
from tests.support.world import World, make_world

KEY = "admin-key of every server"


SHARED = {"GetArticle"}  # every customer of the company sees the same
PUBLIC = {
    "AnswerChallenge",
    "AcceptInvitation",
    "AskForCode",
    "AskForNewPassword",
    "ConfirmAddress",
    "EndNotice",
    "ExchangeOidcSignIn",
    "FinishOidcSignIn",
    "EnterAsGuest",
    "GetHealth",
    "GetSignInOptions",
    "ReceiveEmail",
    "RegisterCompany",
    "RegisterCustomer",
    "SetNewPassword",
    "SignIn",
    "StartOidcSignIn",
    "SignInWithCode",
    "SignOut",
    "StaySignedIn",
}


def operations(app):
    """operation → (method, rule, permission) of every route under /api."""
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                name = rule.endpoint.rpartition(".")[2]
                found[name] = (method, rule.rule, app.view_functions[rule.endpoint].permission)
    return found


ROUTES = operations(create_app(Given()))  # which opens nothing


def test_every_route_is_in_the_matrix():
    assert {name for name, (*_, may) in ROUTES.items() if may is Permission.PUBLIC} == PUBLIC
    assert set(ROUTES) - PUBLIC == set(CALLS)


@pytest.fixture(scope="module", params=ENGINES)
def engine(request):
    return request.param


@contextmanager
def app_of_world(folder, url):
    """An app whose store is at that address, until the block ends."""
    given = Given(data_dir=folder, database_url=url, api_key=KEY, secret_key=SECRET, embeddings="static")
    app = create_app(given, mailer=MemoryMailer())
    yield app
    app.extensions["runtime"].stop()


@pytest.fixture(scope="module")
def files_of_world(tmp_path_factory):
    """A world that is stopped, and the folder with its files. SQLite, because its file opens faster than JSON."""
    folder = tmp_path_factory.mktemp("files")
    with app_of_world(folder, file_url("sqlite", folder)) as app:
        return make_world(app, Caller(app.test_client(), KEY)), folder


@pytest.fixture
def world(engine, tmp_path, request):
    """A world for a call that changes it: on a copy of the files, where the store has files."""
    if engine == "postgresql":
        with request.getfixturevalue("postgresql").fresh() as url, app_of_world(tmp_path, url) as app:
            yield make_world(app, Caller(app.test_client(), KEY))
        return
    stopped, folder = request.getfixturevalue("files_of_world")
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    with app_of_world(tmp_path, file_url("sqlite", tmp_path)) as app:
        callers = {name: replace(caller, client=app.test_client()) for name, caller in stopped.callers.items()}
        yield World(app, callers, stopped.ids)


@pytest.fixture(scope="module")
def world_of_module(engine, tmp_path_factory, request):
    """A world for all calls that change nothing, as each of their tests checks."""
    folder = tmp_path_factory.mktemp("world")
    with ExitStack() as after:
        if engine == "postgresql":
            url = after.enter_context(request.getfixturevalue("postgresql").fresh())
        else:
            url = file_url(engine, folder)
        app = after.enter_context(app_of_world(folder, url))
        yield make_world(app, Caller(app.test_client(), KEY))


@pytest.fixture
def unchanged_world(world_of_module):
    """The world of the module, whose counters of calls begin anew and whose rows are the same after the test."""
    world, before = world_of_module, world_of_module.rows()
    world.app.extensions["limits"] = Limits(world.app.extensions["runtime"].settings)
    yield world
    assert world.rows() == before


ROLES = ("customer", "agent", "admin")
ROLE = {"customer": "customer", "other customer": "customer", "agent": "agent", "admin": "admin"}
ROLE |= {"agent elsewhere": "agent", "admin elsewhere": "admin"}
ROLE |= {"acting key": "admin", "signed-in customer": "customer"}
ROLE |= {"reading admin": "admin", "reading customer": "customer"}
READERS = ("reading admin", "reading customer")
# POST routes that store nothing. A new one belongs here only if it changes nothing that anybody can see.
READING_POSTS = {"AskAboutTicket", "AskKnowledge", "SummarizeTicket", "TestRouting", "TriageText"}
STOPPED = {"nobody": 401, "revoked key": 401, "expired key": 401, "signed out": 401}
STOPPED |= {"key without the scope": 403, "key that may not act": 403}
STOPPED |= {"customer key without a customer": 403, "acting for nobody": 403}


def send(caller, method, path, call, **more):
    return caller.call(method, path + call.query, call.body, **more)


@pytest.mark.parametrize("operation", CALLS)
def test_callers_without_permission_are_refused_and_change_nothing(unchanged_world, operation):
    method, rule, permission = ROUTES[operation]
    path = unchanged_world.path(rule, unchanged_world.ids)
    for name, caller in unchanged_world.callers.items():
        denied = STOPPED.get(name) or (None if permission in GRANTED[ROLE[name]] else 403)
        if name in READERS and method != "GET" and operation not in READING_POSTS:
            denied = 403
        if denied:
            assert send(caller, method, path, CALLS[operation]).status_code == denied, name


OF_NO_COMPANY = {"ListChoices", "GetEventSample"}  # what they answer is the same for every company
OF_ONE_THING = [name for name in CALLS if "<" in ROUTES[name][1] and name not in OF_NO_COMPANY]


@pytest.mark.parametrize("operation", OF_ONE_THING)
def test_rows_of_others_are_404_like_missing_rows(unchanged_world, operation):
    world, (method, rule, permission) = unchanged_world, ROUTES[operation]
    call = CALLS[operation]
    strangers = [
        name
        for name in ("other customer", "agent elsewhere", "admin elsewhere")
        if permission in GRANTED[ROLE[name]] and not (operation in SHARED and name == "other customer")
    ]
    for name in strangers:
        tried = [
            world.ids,
            *({place: nowhere for place in world.ids} for nowhere in (str(uuid.uuid4()), "nobody@example.com", "7")),
        ]
        answers = [send(world.callers[name], method, world.path(rule, ids), call) for ids in tried]
        # Platforms end a subscription more than once, so that is answered the same whether or not it is there.
        assert {answer.status_code for answer in answers} == {200 if operation == "DeleteWebhook" else 404}, name
        assert len({answer.get_data() for answer in answers}) == 1, name
    assert strangers


GRANTS = [(operation, name) for operation in CALLS for name in ROLES if ROUTES[operation][2] in GRANTED[name]]


def served(world, operation, name):
    """Whether a caller gets what the call answers when it works."""
    method, rule, _ = ROUTES[operation]
    path = world.path(rule, {**world.ids, "name": "statuses"} if operation == "ListChoices" else world.ids)
    return send(world.callers[name], method, path, CALLS[operation]).status_code == CALLS[operation].ok


@pytest.mark.parametrize(("operation", "name"), [grant for grant in GRANTS if ROUTES[grant[0]][0] == "GET"])
def test_callers_with_permission_read_and_change_nothing(unchanged_world, operation, name):
    assert served(unchanged_world, operation, name)


@pytest.mark.parametrize(("operation", "name"), [grant for grant in GRANTS if ROUTES[grant[0]][0] != "GET"])
def test_callers_with_permission_are_served(world, operation, name):
    assert served(world, operation, name)


READS = [name for name in CALLS if ROUTES[name][0] == "GET" and name not in OF_NO_COMPANY]


@pytest.mark.parametrize("operation", [*READS, *sorted(READING_POSTS)])
def test_a_read_only_key_reads_what_its_role_may_read(unchanged_world, operation):
    method, rule, permission = ROUTES[operation]
    path, once = unchanged_world.path(rule, unchanged_world.ids), {"headers": {"Idempotency-Key": "kept nowhere"}}
    for name in READERS:
        if permission in GRANTED[ROLE[name]]:
            answer = send(unchanged_world.callers[name], method, path, CALLS[operation], **once)
            assert answer.status_code == CALLS[operation].ok


@pytest.mark.parametrize("name", ["agent elsewhere", "admin elsewhere"])
@pytest.mark.parametrize("operation", READS)
def test_no_response_to_another_company_holds_data_of_this_one(world_of_module, operation, name):
    world, (method, rule, _) = world_of_module, ROUTES[operation]
    text = send(world.callers[name], method, world.path(rule, world.ids), CALLS[operation]).get_data(as_text=True)
    assert not [
        word for word in (*world.ids.values(), "eve@example.com", "first@example.com", "Question about") if word in text
    ]


SMUGGLED = [
    ("POST", "/api/tickets", {**NEW, "customer_email": "x@example.com", "assigned_to": "first@example.com"}, 400),
    ("POST", "/api/tickets", {**NEW, "customer_email": "x@example.com", "agent_email": "first@example.com"}, 400),
    ("PUT", "/api/tickets/{own}", {"assigned_to": "first@example.com"}, 400),
    ("POST", "/api/tickets/{own}/assign", {"agent_email": "first@example.com"}, 400),
    ("POST", "/api/tickets/{own}/assign", {"agent_email": "{user_id}"}, 400),
    ("PUT", "/api/tickets/{own}", {"id": "{ticket_id}"}, 400),
    ("PUT", "/api/tickets/{own}", {"customer_id": "{ticket_id}"}, 400),
    ("PUT", "/api/tickets/{own}", {"customer_row": "{ticket_id}"}, 400),
    ("POST", "/api/tickets/{own}/replies", {**REPLY, "ticket_id": "{ticket_id}"}, 400),
    ("POST", "/api/tickets", {**NEW, "customer_email": "x@example.com", "company_id": "default"}, 400),
    ("GET", "/api/tickets?company_id=default", None, 400),
    ("GET", "/api/users?company_id=default", None, 400),
    ("POST", "/api/users", {**USER, "company_id": "default"}, 400),
    ("POST", "/api/keys", {"name": "k", "role": "agent", "company_id": "default"}, 400),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), SMUGGLED)
def test_an_id_of_another_company_in_a_body_or_query_is_refused(world, method, path, body, status):
    stranger = world.callers["admin elsewhere"]
    stranger.post("/api/users", {**USER, "email": "agent@other.example"})
    own = stranger.ticket(customer_email="own@other.example")["id"]
    before = world.rows()
    filled = body and {name: str(value).format(**world.ids) for name, value in body.items()}
    answer = stranger.call(method, path.format(own=own), filled)
    assert answer.status_code == status
    assert world.rows() == before
    assert "first@example.com" not in answer.get_data(as_text=True).replace(str(filled), "")


@pytest.mark.parametrize(
    "query",
    [
        "assigned_to=first@example.com",
        "customer_email=ada@example.com",
        "q=Question",
        "customer_id=c",
        "user=ada@example.com&role=customer",
    ],
)
def test_filters_match_no_other_company(unchanged_world, query):
    stranger = unchanged_world.callers["admin elsewhere"]
    assert stranger.get(f"/api/tickets?{query}").json["total"] == 0
    assert stranger.get("/api/audit?subject_id=" + unchanged_world.ids["ticket_id"]).json["total"] == 0


def test_names_are_unique_only_within_a_company(world):
    mine, theirs = world.callers["admin"], world.callers["admin elsewhere"]
    for caller in (mine, theirs):
        ticket = caller.ticket(
            external_id="x-1", customer_id="c-1", customer_email="same@example.com", client_reference="once"
        )
        assert ticket["external_id"] == "x-1"
    assert mine.get("/api/tickets?customer_email=same@example.com").json["total"] == 1
    assert theirs.get("/api/tickets?customer_email=same@example.com").json["total"] == 1
