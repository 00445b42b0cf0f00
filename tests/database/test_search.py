"""Full-text search with `q`: every engine finds the same tickets, ordered by relevance, for any text."""

import re
import sqlite3
import string
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from core.models import CUSTOMER_TICKET_FIELDS, LIMITS
from database.search import postgres_index, sqlite_index, statements
from database.search import words as word_rules
from database.search.words import MAX_WORDS, SEARCHED, company_prefix, search_words, split_words
from database.tables import tickets
from tests.support.caller import Caller
from tests.support.rows import ONE, TWO, actor, add_company, add_customer, add_ticket, open_store
from tests.support.search_texts import QUERIES, TICKETS

pytestmark = pytest.mark.every_engine


def fill(store):
    """Adds the tickets, and a ticket of another company with all their words."""
    add_company(store)
    add_company(store, TWO)
    with store.unit_of_work(None, write=True) as uow:
        ada = add_customer(uow)
        more = {
            2: {"tags": ["vip gold", 'a"b']},
            4: {"product": "Lamp", "external_id": "order-77"},
            6: {"resolution": "Unplugged it."},
        }
        for number, (title, description) in TICKETS.items():
            fields = {"title": title, "description": description, "customer_email": "ada@example.com"}
            add_ticket(uow, ada, number, **fields, **more.get(number, {}))
        everything = " ".join(f"{title} {description}" for title, description in TICKETS.values())
        add_ticket(uow, add_customer(uow, "eve", TWO), 1, TWO, title="All", description=everything)
    return store


def ask(store, words, *, best_first=False, searcher=None):
    """The numbers of the tickets found."""
    with store.unit_of_work(searcher or actor(ONE)) as uow:
        matches = uow.search(uow.query(tickets, tickets.c.number), words, best_first=best_first)
        numbers = [row["number"] for row in uow.find(matches)]
        assert uow.count(uow.search(uow.query(tickets), words)) == len(numbers)
    return numbers


@pytest.fixture
def store(tmp_path, database_url):
    filled_store = fill(open_store(tmp_path, database_url))
    yield filled_store
    filled_store.close()


def test_a_query_finds_the_same_tickets_on_every_engine(store):
    for best_first in (False, True):
        assert {words: set(ask(store, words, best_first=best_first)) for words in QUERIES} == QUERIES


def test_a_word_is_found_by_each_of_its_prefixes(store):
    all_words = {word for text in TICKETS.values() for word in re.findall("[a-z]+", " ".join(text).lower())}
    for word in all_words - {"z" * 600}:
        by = {number for number, text in TICKETS.items() if re.search(rf"\b{word}", " ".join(text).lower())}
        for end in range(3, len(word) + 1):
            assert set(ask(store, word[:end])) >= by, word[:end]


@pytest.fixture(scope="module")
def stores(tmp_path_factory, postgresql):
    """All three, with the same tickets."""
    with postgresql.fresh() as url:
        folders = {kind: tmp_path_factory.mktemp(kind) for kind in ("json", "sqlite", "postgresql")}
        urls = {"json": "json:", "sqlite": f"sqlite:///{folders['sqlite'] / 'foyer.db'}", "postgresql": url}
        filled_stores = [fill(open_store(folders[kind], urls[kind])) for kind in urls]
        yield filled_stores
        for store in filled_stores:
            store.close()


PARTS = sorted({part for text in TICKETS.values() for part in " ".join(text).split()} - {"word"})
ODD = st.sampled_from(
    [*PARTS, *"\"*:^(){}[]+-~\\'%_,;|&!<>@#", "NEAR(", "AND", "OR", "NOT", "\x00", "\u0301", "\u00ad"]
)
PIECES = st.one_of(ODD, st.text(max_size=12), st.sampled_from(PARTS).flatmap(lambda w: st.sampled_from([w[:2], w[1:]])))
LINES = st.lists(PIECES, max_size=12).flatmap(lambda of: st.sampled_from([" ".join(of), "".join(of)]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=LINES)
def test_every_engine_finds_the_same_tickets_for_any_text(stores, text):
    results = [set(ask(store, text, best_first=True)) for store in stores]
    assert results[0] == results[1] == results[2]


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60))
def test_a_ticket_with_any_text_is_found_by_each_of_its_words(stores, text):
    for store in stores:
        with store.unit_of_work(None, write=True) as uow:
            uow.update_where(tickets, tickets.c.number == 8, tickets.c.company_id == ONE, description=text)
        for word in split_words(text)[:5]:
            assert 8 in ask(store, word), store.name
        assert not text.strip() or 8 in ask(store, text), store.name


def test_results_are_ordered_by_relevance_and_then_newest_first(store):
    with store.unit_of_work(actor(ONE), write=True) as uow:
        ada = uow.find(uow.query(tickets, tickets.c.customer_row))[0]["customer_row"]
        for number, (title, description) in {
            21: ("A question", "Somewhere there is a lantern among other words, of which there are many."),
            22: ("Lantern", "It is broken."),
            23: ("Another question", "Much about a lantern: lantern, lantern and lanterns, nothing but lanterns."),
            24: ("Same", "Equal torch."),
            25: ("Same", "Equal torch."),
        }.items():
            add_ticket(uow, ada, number, title=title, description=description)
    assert ask(store, "lantern", best_first=True) == [22, 23, 21]
    assert ask(store, "torch", best_first=True) == [25, 24]
    assert ask(store, "#22 lan", best_first=True) == [22]
    assert ask(store, "2", best_first=True)[0] == 2


def test_tickets_of_one_company_do_not_change_the_order_of_another(store):
    def add(company, number, title):
        with store.unit_of_work(actor(company), write=True) as uow:
            who = uow.find(uow.query(tickets, tickets.c.customer_row))[0]["customer_row"]
            add_ticket(uow, who, number, company=company, title=title)

    add(ONE, 31, "kestrel beacon beacon")
    add(ONE, 32, "kestrel kestrel beacon")
    before = ask(store, "kestrel beacon", best_first=True)
    for number in range(40, 48):
        add(TWO, number, "kestrel")
    assert ask(store, "kestrel beacon", best_first=True) == before == [32, 31]


def test_sort_replaces_relevance_and_pages_by_relevance_fit_together(admin):
    for n in range(9):
        admin.ticket(title="Lantern" if n % 4 == 0 else f"Question {n}", description="lantern " * (n % 3 + 1))
    best = [ticket["number"] for ticket in admin.data(admin.get("/api/tickets?q=lantern"))]
    assert set(best[:3]) == {1, 5, 9}
    assert sorted(best) == list(range(1, 10))
    paged = []
    for offset in range(0, 9, 2):
        page = admin.get(f"/api/tickets?q=lantern&limit=2&offset={offset}")
        assert page.json["total"] == 9
        paged += [ticket["number"] for ticket in page.json["data"]]
    assert paged == best
    for sort, expected in (("created_at", list(range(1, 10))), ("-created_at", list(range(9, 0, -1)))):
        assert [t["number"] for t in admin.data(admin.get(f"/api/tickets?q=lantern&sort={sort}"))] == expected


def test_the_index_follows_every_change(admin):
    ticket = admin.ticket(title="Lantern", description="It glows.", customer_email="ada@example.com")
    path = f"/api/tickets/{ticket['id']}"

    def total(words):
        return admin.get("/api/tickets", query_string={"q": words}).json["total"]

    assert [total(words) for words in ("lantern", "torches", "glowing", "eve", "ada")] == [1, 0, 1, 0, 1]
    admin.data(admin.put(path, {"title": "Torch", "tags": ["blue"]}))
    assert [total(words) for words in ("lantern", "torches", "glowing", "blue")] == [0, 1, 1, 1]
    admin.data(admin.put(path, {"status": "in_progress"}))
    assert [total(words) for words in ("torches", "blue")] == [1, 1]
    admin.data(admin.post(f"{path}/resolve", {"resolution": "Bought a candle."}))
    assert [total(words) for words in ("torch", "candles", "#1")] == [1, 1, 1]
    other = admin.ticket(title="Torch")
    assert total("torch") == 2
    admin.data(admin.delete(f"/api/tickets/{other['id']}"))
    assert total("torch") == 1
    admin.data(admin.delete("/api/customers/ada@example.com"))
    assert [total(words) for words in ("torch", "candle", "ada", "blue", "glow")] == [0] * 5
    assert [total(words) for words in ("erased", "1")] == [1, 1]


def test_imported_tickets_are_found(admin):
    rows = [
        {"title": f"Imported {n}", "description": "A lantern.", "customer_email": "bob@example.com"} for n in range(3)
    ]
    assert admin.data(admin.post("/api/import", rows))["created"] == 3
    assert admin.get("/api/tickets?q=lanterns bob").json["total"] == 3


def fail_after_adding_a_ticket(store):
    with store.unit_of_work(actor(ONE), write=True) as uow:
        ada = uow.find(uow.query(tickets, tickets.c.customer_row))[0]["customer_row"]
        add_ticket(uow, ada, 30, title="Lantern")
        raise ZeroDivisionError


def test_a_ticket_that_is_rolled_back_is_not_found(store):
    with pytest.raises(ZeroDivisionError):
        fail_after_adding_a_ticket(store)
    assert ask(store, "lantern") == []


def test_results_are_the_same_after_a_restart_and_after_a_kill(tmp_path, database_url):
    store = fill(open_store(tmp_path, database_url))
    before = {words: ask(store, words, best_first=True) for words in QUERIES}
    if store.name == "json":
        store._engine._release()  # as kill -9 leaves it: the journal is not folded in
    else:
        store.close()
    for _ in range(2):
        second_store = open_store(tmp_path, database_url)
        assert {words: ask(second_store, words, best_first=True) for words in QUERIES} == before
        second_store.close()


def test_customers_find_only_their_own_tickets_by_fields_they_see(admin, customer, stranger):
    ticket = admin.ticket(customer_email="ada@example.com", title="Lantern")
    admin.ticket(customer_email="eve@example.com", title="Lantern of Eve")
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": "A secretnote", "internal": True}), 201)
    admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"assigned_to": "hidden.agent@example.com"}))
    assert [ticket["id"] for ticket in customer.data(customer.get("/api/tickets?q=lanterns"))] == [ticket["id"]]
    for words in ("secretnote", "hidden", "eve"):
        assert customer.get(f"/api/tickets?q={words}").json["total"] == 0, words
    assert stranger.get("/api/tickets?q=lantern").json["total"] == 0
    assert admin.get("/api/tickets?q=lantern").json["total"] == 2
    assert set(SEARCHED) <= set(CUSTOMER_TICKET_FIELDS)


def test_a_search_reads_a_limited_number_of_tickets_the_newest_first(store, monkeypatch):
    for module in (sqlite_index, postgres_index):
        monkeypatch.setattr(module, "MAX_CANDIDATES", 3)
    monkeypatch.setattr(statements, "MAX_RANKED", 2)
    monkeypatch.setattr(statements, "MAX_LITERAL_TICKETS", 3)
    with store.unit_of_work(actor(ONE), write=True) as uow:
        ada = uow.find(uow.query(tickets, tickets.c.customer_row))[0]["customer_row"]
        for number, title in enumerate(["Lantern *", "Torch *", "Torch", "Lantern", "Lantern lantern", "Torch"], 21):
            add_ticket(uow, ada, number, title=title, description="A lantern or a torch.")
    assert ask(store, "lantern torch", best_first=True) == [25, 26, 24]  # the two newest by relevance, then by age
    assert ask(store, "*") == []


def test_a_search_uses_the_longest_words_and_a_limited_number_of_forms(store):
    with store.unit_of_work(None, write=True) as uow:
        for company, letter in ((ONE, "z"), (TWO, "a")):
            person = uow.find(select(tickets.c.customer_row).where(tickets.c.company_id == company))[0]["customer_row"]
            words = " ".join(f"international{letter}{number}" for number in range(300))
            add_ticket(uow, person, 50, company=company, title="Odd", description=words)
    sentence = " ".join([*string.ascii_lowercase, *("international" * 2 + letter for letter in "abcdefgh"), "lantern"])
    assert search_words(sentence) == ["international" * 2 + letter for letter in "abcdefgh"]
    with store.unit_of_work(actor(ONE)) as uow:
        if store.name == "postgresql":
            query = postgres_index._query("", ["international", *(3 * letter for letter in "abcdefg")])
            assert query.count("'") == 2 * 3 * MAX_WORDS
            return
        words = ["international", "internationalize", *list("abcdef")]
        query = sqlite_index.match_expression(uow._connection, words, company=ONE, customer="")
    assert query.count('"') <= 2 * (3 * MAX_WORDS + sqlite_index.MAX_EXPANSIONS)
    terms = re.findall('"([^"]*)"', query)
    assert sum("international" in term for term in terms) > sqlite_index.MAX_EXPANSIONS // 2
    assert all(term.startswith(company_prefix(ONE)) for term in terms), "no word of another company is read"
    assert ask(store, "internationala") == []
    assert ask(store, "internationalz") == ask(store, "international") == [50]


def test_searches_do_not_wait_for_each_other():
    barrier = Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: (barrier.wait(), word_rules._thread.tokenizer)[1], range(2))
    assert first is not second


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_missing_or_outdated_index_is_rebuilt(tmp_path, database_url):
    fill(open_store(tmp_path, database_url)).close()
    file = tmp_path / "foyer.db"
    for damage in (
        "DROP TRIGGER ticket_words_u",
        "DROP TABLE ticket_words",
        "DROP TABLE ticket_vocabulary",
        "DROP TABLE ticket_words; CREATE VIRTUAL TABLE ticket_words USING fts5(title, rest, content='')",
    ):
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.executescript(damage)
        store = open_store(tmp_path, database_url)
        assert ask(store, "cafe") == [1], damage
        store.close()


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_index_is_rebuilt_when_vacuum_renumbers_rows(tmp_path, store, monkeypatch):
    with store.unit_of_work(None, write=True) as uow:
        uow.delete(tickets, tickets.c.number < 4)
    moments = iter(["before", "after"])
    monkeypatch.setattr(sqlite_index, "_last", lambda connection: next(moments))
    store.scrub()
    assert ask(store, "newsletter") == [8]
    assert ask(store, "cafe") == []


def test_q_accepts_any_text_within_the_limit(app):
    admin = Caller(app.test_client(), "admin-key")
    admin.ticket()
    for words in QUERIES:
        if len(words) <= LIMITS["q"] and "\ud800" not in words:
            response = admin.get("/api/tickets", query_string={"q": words})
            assert response.status_code == 200, (words, response.json)
