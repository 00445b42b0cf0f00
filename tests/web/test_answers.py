"""What the server answers to customers and guests has German words: by the code of a refusal, and by the form of a sentence."""

import re
from pathlib import Path

import pytest

from web.assets import HERE

ROOT = HERE.parent
# What the pages of customers, of guests and of signing in call.
ANSWERING = (
    "core/errors.py api/routes.py api/auth*.py api/chat.py api/csat.py api/solving.py api/replies.py api/attachments.py "
    "api/oidc_sign_in.py api/second_factor.py api/sessions.py api/http/*.py services/accounts/*.py services/chat/*.py "
    "services/tickets/csat.py services/attachments/*.py services/idempotency.py auth/*.py"
)
CODE = re.compile(r"""(?:conflict|bad_request)\(\s*"([a-z_]+)"|,\s*"([a-z_]+)",\s*\d{3}\b|code="([a-z_]+)\"""")
GERMAN = (HERE / "app/words/answers_german.js").read_text("utf-8")
# Each field says what is wrong with it itself.
APART = {"invalid_fields"}


@pytest.fixture
def engine() -> str:
    """Pages know no storage."""
    return "json"


def test_every_refusal_of_these_routes_has_german_words():
    files = [path for pattern in ANSWERING.split() for path in ROOT.glob(pattern)]
    codes = {code for path in files for found in CODE.findall(Path(path).read_text("utf-8")) for code in found if code}
    assert len(codes) > 40
    german = set(re.findall(r"^  ([a-z_]+): \"", GERMAN, re.MULTILINE))
    assert sorted(codes - german - APART) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "title is required.",
        "content is required: the file in base64, or a form with the file.",
        "name may have at most 120 characters; this has 130.",
        "password must be text of at most 200 characters.",
        "password must have at least 8 characters. A few words make a good one.",
        "email must be an e-mail address, like ada@example.com.",
        "token is not valid any more. Sign in again, and a new link is sent.",
        "This link is not valid any more. Ask for a new one.",
        "The file is empty.",
        "A file that ends in .exe is not accepted: it may be a program.",
        "By its bytes this file is image/svg+xml, which is not accepted. An admin can change attachment_types.",
    ],
)
def test_the_common_sentences_about_a_field_have_a_german_form(sentence):
    forms = re.findall(r"^  \[/(.+)/, ", GERMAN, re.MULTILINE)
    assert len([form for form in forms if re.search(form, sentence)]) == 1
