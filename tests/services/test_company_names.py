"""A company name is refused if it reads or looks like an existing one."""

import pytest

from core.company_names import look_key, name_key
from tests.support.accounts import ACME
from tests.support.caller import Caller

ALIKE = {
    "capitals and width": ["Acme", "ACME", "\uff21\uff43\uff4d\uff45"],
    "characters that cannot be seen": [
        "Acme",
        "A\u034fcme",
        "Ac\u3164me",
        "Acm\u2062e",
        "Acme\ufe0f",
        "A\U000e0041cme",
        "A cme",
    ],
    "Cyrillic": ["Chase", "\u0421h\u0430\u0455\u0435"],
    "Greek": ["Hotel", "\u0397otel", "H\u03bftel"],
    "mathematical letters": ["Acme", "\U0001d400cme"],
    "digits": ["Oslo", "0slo", "Os1o"],
    "I, l and 1": ["IBM", "ibm", "lBM", "1BM"],
    "several letters": ["modern", "rnodern"],
}


@pytest.mark.parametrize("names", ALIKE.values(), ids=ALIKE)
def test_names_that_look_alike_have_one_key(names):
    assert len({look_key(name) for name in names}) == 1


def test_names_that_look_different_have_different_keys():
    names = [
        "Acme",
        "Nova",
        "Vova",
        "M\u00fcller",
        "Muller",
        "\u041c\u043e\u0441\u043a\u0432\u0430",
        "\u65e5\u672c",
        "Acme 2",
        "Acme 3",
    ]
    assert len({look_key(name) for name in names}) == len({name_key(name) for name in names}) == len(names)


@pytest.mark.parametrize("name", ["\u03bd\u03ad\u03b1", "\u041c\u043e\u0441\u043a\u0432\u0430", "Stra\u00dfe"])
def test_a_name_is_found_in_any_case(name):
    assert name_key(name) == name_key(name.upper())


def test_a_company_that_looks_like_another_is_refused(app):
    nobody = Caller(app.test_client())
    nobody.data(nobody.post("/api/companies", ACME), 201)
    for name in ("\u0410cme", "Acm\u0435", "A\u115fcme", "defau1t", "d\u0435fault"):
        response = nobody.post("/api/companies", {**ACME, "company": name})
        assert (response.status_code, response.json["data"]["code"]) == (409, "company_taken"), name
    for name in ("\u034f", "\u3164\u115f"):
        assert nobody.post("/api/companies", {**ACME, "company": name}).status_code == 400, name
