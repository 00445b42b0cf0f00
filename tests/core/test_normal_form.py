"""Plain addresses are told without the library, which says the same of them."""

import pytest
from email_validator import EmailNotValidError, validate_email

from core.normal_form import _PLAIN, valid_email

LABEL = "b" * 63
PLAIN = [
    "ada@example.com",
    "a.b_c+d-1@mail.example.co.uk",
    f"{'a' * 64}@{LABEL}.com",
    "a@1.com",
    "a@home.arpa",
]
BESIDE_PLAIN = [
    "xn--a@example.com",
    f"{'a' * 65}@example.com",
    f"a@{LABEL}b.com",
    f"a@{'.'.join([LABEL] * 4)}.com",
    "a@xn--a.com",
    "a@b--c.com",
    "a@-b.com",
    "a@b-.com",
    "a@b..com",
    ".a@example.com",
    "a@localhost",
    "a@1.2.3.4",
    "a b@example.com",
    "@example.com",
    "a@",
]


@pytest.mark.parametrize("address", PLAIN)
def test_a_plain_address_is_its_own_one_form_to_the_library_too(address):
    checked = validate_email(address, check_deliverability=False, globally_deliverable=False)
    assert valid_email(address) == checked.normalized == address
    assert _PLAIN.fullmatch(address)


@pytest.mark.parametrize("address", BESIDE_PLAIN)
def test_what_is_nearly_plain_is_what_the_library_says(address):
    assert not _PLAIN.fullmatch(address)
    try:
        checked = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        with pytest.raises(EmailNotValidError):
            valid_email(address)
    else:
        assert valid_email(address) == checked.normalized
