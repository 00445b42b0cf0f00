"""Texts without what tells who wrote them."""

import pytest

from ai.anonymous_text import anonymised

ADA = {"names": ["Ada Lovelace", "ada.king@example.com"], "ids": ["cus_88"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello Bob,\nit works.", "Hello [name],\nit works."),
        ("Ask Ada, ADA LOVELACE or ada lovelace; Ada's phone.", "Ask [name] or [name]; [name]'s phone."),
        ("My name is Grace Hopper and I pay.", "My name is [name] and I pay."),
        ("Mrs Miller and Herr Müller called.", "[name] and [name] called."),
        ("It works.\n\nKind regards,\nGrace H.", "It works.\n\nKind regards, [name]"),
        ("King found it.", "[name] found it."),
        ("Mail ADA.King@Example.com or x＠example.com.", "Mail [address] or [address]."),
        ("See https://shop.example/o?id=7, or www.example.com.", "See [link], or [link]."),
        ("From 203.0.113.7.", "From [address]."),
        ("Call +44 20 7946 0958 now.", "Call [number] now."),
        ("Order ORD-12345, invoice INV2026-004, #42.", "Order [number], invoice [number], [number]."),
        ("Customer CUS_88 pays.", "Customer [number] pays."),
        ("12 Main Street; Musterstraße 5, 10115 Berlin.", "[address]; [address], [number] Berlin."),
        ("Card 4111 1111 1111 1111, password: hunter22", "Card [card], password: [password]"),
    ],
)
def test_what_tells_who_it_was_is_replaced_by_its_kind(text, expected):
    assert anonymised(text, **ADA) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Error 0x80070005 in version 2.10.3 since 2026-11-29.",
        "It will take adamant people 1,204 rows and 12.50.",
        "Open Settings > Billing and press Save. C++, R&D, port 27017.",
        "日本語のテキスト 😀",
        "",
    ],
)
def test_all_other_text_stays(text):
    assert anonymised(text, **ADA) == text


def test_a_name_that_is_a_word_stays_a_word_in_small_letters():
    assert anonymised("I will ask Will.", names=["Will Smith"]) == "I will ask [name]."


def test_a_post_in_an_address_is_no_name():
    assert anonymised("Our Support helps.", names=["support@example.com"]) == "Our Support helps."
