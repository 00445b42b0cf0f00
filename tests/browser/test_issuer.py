"""Coming back from the OpenID Connect issuer: the page reads the fragment, and leaves nothing of it in the address."""

import pytest


@pytest.mark.parametrize(
    ("fragment", "sentence"),
    [
        ("problem=expired", "This sign-in was begun too long ago"),
        ("problem=not_allowed", "You have no access here."),
    ],
)
def test_a_problem_is_told_in_words(tab, fragment, sentence):
    page = tab.open(f"/desk#{fragment}")
    page.get_by_text(sentence).wait_for()
    assert page.url == f"{tab.desk.url}/desk"


def test_a_code_that_is_over_leads_to_signing_in(tab):
    with tab.expecting(401):
        page = tab.open("/portal#session=over")
        page.get_by_text("This sign-in is over.").wait_for()
    assert page.url == f"{tab.desk.url}/portal"
    assert page.get_by_label("E-mail").is_visible()
