"""Origins of sites that may show the chat."""

import pytest

from core.origins import is_origin, parse

GOOD = {
    "https://shop.example.com": "https://shop.example.com",
    " HTTPS://Shop.Example.com:443/ ": "https://shop.example.com",
    "http://localhost:8080": "http://localhost:8080",
    "http://127.0.0.1:80": "http://127.0.0.1",
    "https://bücher.example": "https://xn--bcher-kva.example",
    "http://[::1]:3000": "http://[::1]:3000",
}
BAD = (
    "*",
    "https://*.example.com",
    "example.com",
    "https://",
    "https://a.example/path",
    "https://a.example?x",
    "https://a.example#x",
    "https://user@a.example",
    "https://a.example; script-src *",
    "https://a.example https://b.example",
    "https://a.example:99999",
    "https://a.example:0",
    "javascript:alert(1)",
    "data:text/html,x",
    "null",
    "'self'",
    "",
)


@pytest.mark.parametrize("text", GOOD)
def test_an_origin_is_kept_as_a_browser_writes_it(text):
    assert parse(text) == GOOD[text]
    assert is_origin(GOOD[text])


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_single_origin_is_refused(text):
    with pytest.raises(ValueError):
        parse(text)
    assert not is_origin(text)
