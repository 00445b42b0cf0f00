"""Links in a reply, by the top-level domains of IANA, and the list of these domains."""

import pytest

from ai.reply_checks.links import ENDINGS, addresses, folded
from tools.models.top_level_domains import top_level

LIST = """
===BEGIN ICANN DOMAINS===
// a comment
com
co.uk
*.ck
!www.ck
рф
===END ICANN DOMAINS===
github.io
"""


def test_top_level_domains_come_from_the_icann_part_of_the_list():
    assert top_level(LIST) == ["ck", "com", "uk", "рф"]


def test_the_file_names_its_source_and_holds_every_kind_of_ending():
    head, *lines = ENDINGS.read_text(encoding="utf-8").splitlines()
    endings = {word for line in lines if not line.startswith("#") for word in line.split()}
    assert "publicsuffix.org" in head
    assert {"com", "de", "museum", "guru", "zip", "рф", "भारत", "中国", "한국"} <= endings
    assert len(endings) > 1_400


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Evil.COM", {"evil.com"}),
        ("a.b.evil.travelersinsurance", {"a.b.evil.travelersinsurance"}),
        ("evil.xn--p1ai", {"evil.xn--p1ai"}),
        ("https://a.example/x", {"a.example/x", "a.example"}),
        ("1.2.3.4", {"1.2.3.4"}),
        ("1.2.3.400", set()),
        ("1.2.3.4.5", set()),
        ("version 1.2.3.4", set()),
        ("fe80::1", {"fe80::1"}),
        ("10:30:45 std::vector Add::Face", set()),
        ("config.py e.g. z.B. i.e. 2.0 10.30", set()),
        ("file.txt, main.cpp, index.html", set()),
    ],
)
def test_links_and_addresses_are_recognized(text, found):
    assert addresses(folded(text)) == found
