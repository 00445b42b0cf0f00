"""Signing in at an OpenID Connect issuer: the button, the way there and back, and a page that leaves nothing in its address."""

import pytest

from tests.fakes.fake_issuer import issuer
from tests.fakes.running_server import KEY, free_port, running_server
from tools.screenshots.desk import Desk


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


def test_the_button_leads_to_the_issuer_and_back_and_a_refusal_comes_back_as_a_sentence(open_tab, tmp_path):
    with issuer() as fake:
        fake.flow.person = {
            "sub": "ada-1",
            "email": "ada@foyer.example",
            "email_verified": True,
            "name": "Ada Berg",
            "roles": ["agent"],
        }
        port = free_port()
        settings = {"OIDC_ISSUER": fake.url, "OIDC_CLIENT_ID": "foyer", "OIDC_LABEL": "Sign in at Berg & Co"}
        with running_server(tmp_path, PORT=str(port), PUBLIC_URL=f"http://127.0.0.1:{port}", **settings) as url:
            tab = open_tab(desk=Desk(url, KEY))
            tab.other_origins.add(fake.url)
            page = tab.open("/desk/open")
            page.get_by_role("link", name="Sign in at Berg & Co").click()
            page.locator(".who", has_text="Ada Berg").wait_for()
            assert page.url == f"{url}/desk/open", "back on the same page, and nothing left in the address"
            [form] = fake.flow.used
            assert form["code_verifier"], "the issuer checked it against the challenge"
            page.get_by_role("button", name="Ada Berg").click()
            page.get_by_role("menuitem", name="Sign out").click()
            page.get_by_label("E-mail").wait_for()
            fake.flow.refusal = "access_denied"
            page.get_by_role("link", name="Sign in at Berg & Co").click()
            page.get_by_text("The sign-in was ended at your organisation.").wait_for()
            assert page.url == f"{url}/desk/open"
            fake.flow.refusal, fake.flow.claims = "", {"nonce": "of somebody else"}
            page.get_by_role("link", name="Sign in at Berg & Co").click()
            page.get_by_text("Your organisation's answer is not valid.").wait_for()
            assert page.get_by_label("E-mail").is_visible()
            tab.check()
