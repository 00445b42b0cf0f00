"""Search by what people know: numbers, words with signs, letters typed the plain way; the same on every engine."""

import pytest

pytestmark = pytest.mark.every_engine


def opened(admin, *titles):
    return [admin.ticket(title=title, description="Text", customer_email="ada@example.com")["id"] for title in titles]


def found(admin, words, **filters):
    return [row["id"] for row in admin.data(admin.get("/api/tickets", query_string={"q": words, **filters}))]


@pytest.mark.parametrize("words", ["#3", "3", "# 3", "Re: [#3] Anything else", "\uff03\uff13", "Fwd: AW: #3"])
def test_the_ticket_whose_number_is_named_comes_first(admin, words):
    ids = opened(admin, "3 lamps", "Chair", "Desk", "Item 3, 3, 3", "Re: [#3] Anything else")
    assert found(admin, words)[0] == ids[2]


def test_a_number_of_another_company_finds_nothing(admin, other_admin):
    opened(admin, "Chair", "Desk")
    other_admin.ticket()
    assert found(other_admin, "#2") == []


def test_a_customer_finds_only_their_own_ticket_by_number(admin, customer):
    admin.ticket(customer_email="eve@example.com")
    own = admin.ticket(customer_email="ada@example.com")
    assert found(customer, "#1") == []
    assert found(customer, "#2") == [own["id"]]


@pytest.mark.parametrize(("number", "place"), [("2", 1), ("2.0", 1)])
def test_the_filter_number_finds_one_ticket(admin, number, place):
    ids = opened(admin, "Chair", "Desk", "Lamp")
    response = admin.get(f"/api/tickets?number={number}")
    assert ([row["id"] for row in admin.data(response)], response.json["total"]) == ([ids[place]], 1)
    assert admin.get("/api/tickets?number=99").json["total"] == 0
    assert admin.get("/api/tickets?number=x").status_code == 400


SIGNED = {
    "C++": ["c plus", "C++ crashes", "vitamin C"],
    "C#": ["c sharp", "about c#.", "vitamin C"],
    "R&D": ["R D", "The (R&D) team", "D and R"],
    "2.10": ["10 of 2", "Version 2.10, beta", "2 10"],
    ".NET": ["net worth", ".NET fails", "Net"],
    "a+b@x.example": ["a b x example", "write to a+b@x.example", "x example a b"],
}


@pytest.mark.parametrize("words", SIGNED)
def test_a_ticket_with_the_signs_as_written_comes_first(admin, words):
    ids = opened(admin, *SIGNED[words])
    assert found(admin, words)[0] == ids[1]


@pytest.mark.parametrize(("words", "title"), [("C", "Computer"), ("r d", "Red door"), ("10", "100 lamps")])
def test_a_word_of_one_or_two_signs_is_a_whole_word(admin, words, title):
    opened(admin, title)
    assert found(admin, words) == []


FOLDED = {
    "\uff11\uff12\uff13\uff14": "Order 1234",
    "1234": "Order \uff11\uff12\uff13\uff14",
    "office": "o\ufb03ce chair",
    "Lodz": "Łódź",
    "łódź": "Lodz",
    "strasse": "Straße",
    "straße": "STRASSE",
    "елка": "ёлка",
    "ёлка": "Елка",
    "Sorensen": "Sørensen",
    "aether": "Æther",
    "\uff83\uff9a\uff8b\uff9e": "テレビ",
}


@pytest.mark.parametrize(("words", "title"), FOLDED.items(), ids=ascii)
def test_letters_are_found_as_people_type_them(admin, words, title):
    ids = opened(admin, title, "Nothing")
    assert found(admin, words) == ids[:1]
