"""Browser and system in plain words."""

import pytest

from core import devices

LIKE_GECKO = "AppleWebKit/537.36 (KHTML, like Gecko)"
CALLERS = [
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox on Windows"),
    (f"Mozilla/5.0 (Windows NT 10.0) {LIKE_GECKO} Chrome/131.0 Safari/537.36 Edg/131.0", "Edge on Windows"),
    (f"Mozilla/5.0 (X11; Linux x86_64) {LIKE_GECKO} Chrome/131.0 Safari/537.36", "Chrome on Linux"),
    (f"Mozilla/5.0 (Linux; Android 14; SM-S918B) {LIKE_GECKO} Chrome/131.0 Mobile Safari/537.36", "Chrome on Android"),
    (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) {LIKE_GECKO} Version/18.1 Safari/605.1.15", "Safari on Mac"),
    (
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {LIKE_GECKO} CriOS/131.0 Safari/604.1",
        "Chrome on iPhone",
    ),
    ("curl/8.5.0", "curl"),
    ("<script>alert(1)</script>", "Unknown device"),
    ("", "Unknown device"),
]


@pytest.mark.parametrize(("user_agent", "name"), CALLERS)
def test_a_device_has_a_plain_name(user_agent, name):
    assert devices.name(user_agent) == name
