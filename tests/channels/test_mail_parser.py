"""The parser of incoming mail: charsets, HTML, broken MIME, very many parts; and fuzzing: it never raises."""

from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.html_text import as_text
from channels.mail_parser import MAIL, MOST_PARTS, parse, recipients_of
from channels.posted_mail import FORM, JSON
from channels.reply_text import is_forward, reply_of, without_signature

HEAD = b"From: Ada <ada@example.com>\r\nTo: support@desk.example\r\nSubject: Hello\r\n"

CHARSETS = {
    "utf-8": "Größe ✓ 日本",
    "iso-8859-1": "Größe",
    "windows-1251": "Привет",
    "koi8-r": "Привет",
    "shift_jis": "日本語",
    "iso-2022-jp": "日本語",
    "gb2312": "中文",
    "big5": "中文",
    "euc-kr": "한국어",
    "utf-16": "Größe",
    "utf-7": "Größe",
    "iso-8859-8": "שלום",
}


@pytest.mark.parametrize("charset", CHARSETS)
def test_text_in_any_charset(charset):
    text = CHARSETS[charset]
    head = HEAD + f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode()
    assert parse(MAIL, head + text.encode(charset)).text == text


@pytest.mark.parametrize("charset", ["x-unknown", "", "punycode", "unicode_escape", "hex", "utf-8; x", "\x00"])
def test_an_unknown_or_wrong_charset_loses_no_word(charset):
    body = HEAD + b"Content-Type: text/plain; charset=" + charset.encode() + b"\r\n\r\nHello Gr\xfc\xdfe"
    assert parse(MAIL, body).text.startswith("Hello Gr")


def test_encoded_words_raw_bytes_and_folded_lines_in_headers():
    subject = b"Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?= =?x-none?b?????=\r\n fehlt\r\n"
    mail = parse(MAIL, b"From: J\xc3\xb6rg <joerg@example.com>\r\n" + subject + b"\r\nx")
    assert (mail.sender, mail.sender_name) == ("joerg@example.com", "Jörg")
    assert mail.subject.startswith("Größe")
    assert mail.subject.endswith("fehlt")


def test_html_becomes_text_with_links_and_without_scripts():
    html = (
        "<html><head><title>t</title><style>p{}</style></head><body><p>Hello <b>you</b>,<br>see <a href='https://a.example/x'>"
        "this</a> or <a href='javascript:alert(1)'>that</a>.</p><ul><li>one<li>two</ul><script>alert(1)</script>"
        "<blockquote>old words</blockquote><!-- hidden --><table><tr><td>a<td>b</table>&amp; done</body>"
    )
    mail = parse(MAIL, HEAD + b"Content-Type: text/html\r\n\r\n" + html.encode())
    assert (
        mail.text
        == "Hello you,\nsee this (https://a.example/x) or that.\n\n- one\n- two\n\n> old words\n>\na b\n\n& done"
    )


def test_the_plain_alternative_is_taken_and_html_when_it_is_blank():
    message = EmailMessage()
    message["From"] = "ada@example.com"
    message.set_content("plain words")
    message.add_alternative("<p>html words</p>", subtype="html")
    assert parse(MAIL, message.as_bytes()).text == "plain words"
    blank = message.as_bytes().replace(b"plain words", b" ")
    assert parse(MAIL, blank).text == "html words"


def test_a_thousand_parts_survive():
    parts = b"".join(
        b"--X\r\nContent-Type: application/pdf; name=f%d.pdf\r\n\r\ndata %d\r\n" % (i, i) for i in range(1_000)
    )
    mail = parse(MAIL, HEAD + b"Content-Type: multipart/mixed; boundary=X\r\n\r\n" + parts + b"--X--\r\n")
    assert [file.name for file in mail.files] == [f"f{i}.pdf" for i in range(1_000)]
    assert mail.files[-1].content == b"data 999"
    assert MOST_PARTS > 1_000


def nested(kind: bytes, depth: int) -> bytes:
    """A mail of parts within each other."""
    return b"".join(b"Content-Type: %s; boundary=b%d\r\n\r\n--b%d\r\n" % (kind, i, i) for i in range(depth))


BROKEN = {
    "nothing": b"",
    "no blank line": HEAD,
    "no headers": b"\r\njust words",
    "no From": b"Subject: x\r\n\r\nwords",
    "two From": b"From: a@example.com\r\nFrom: b@example.com\r\n\r\nwords",
    "From without an address": b"From: Somebody\r\n\r\nwords",
    "From with bare commas": b"From: Lovelace, Ada <ada@example.com>\r\n\r\nwords",
    "no boundary": HEAD + b"Content-Type: multipart/mixed\r\n\r\nwords",
    "boundary never used": HEAD + b"Content-Type: multipart/mixed; boundary=X\r\n\r\nwords",
    "not closed": HEAD + b"Content-Type: multipart/mixed; boundary=X\r\n\r\n--X\r\n\r\nwords",
    "bad base64": HEAD + b"Content-Transfer-Encoding: base64\r\n\r\nwords!!",
    "bad quoted-printable": HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\nwords =ZZ =",
    "unknown encoding": HEAD + b"Content-Transfer-Encoding: x-none\r\n\r\nwords",
    "uuencoded": HEAD + b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\nwords\r\n",
    "NUL everywhere": HEAD.replace(b"Hello", b"He\x00llo") + b"\r\nwo\x00rds words",
    "half characters": HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\nwords \xed\xa0\x80",
    "only CR": HEAD.replace(b"\r\n", b"\r") + b"\rwords",
    "mbox line": b"From ada@example.com Mon Jan 1\r\n" + HEAD + b"\r\nwords",
    "a long line": HEAD + b"\r\n" + b"words " * 50_000,
    "a long header": b"Subject: " + b"x" * 500_000 + b"\r\n" + HEAD + b"\r\nwords",
    "very many headers": b"X-A: b\r\n" * 100_000 + HEAD + b"\r\nwords",
    "very many parameters": HEAD + b"Content-Type: text/plain" + b"; a=b" * 100_000 + b"\r\n\r\nwords",
    "deep": HEAD + nested(b"multipart/mixed", 1_500) + b"\r\nwords",
    "deep alternatives": HEAD + nested(b"multipart/alternative", 25) + b"\r\nwords",
    "mails within mails": HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 3_000 + b"words",
    "a report without parts": HEAD
    + b"Content-Type: multipart/report; report-type=delivery-status; boundary=X\r\n\r\nx",
    "an odd Message-ID": HEAD + b"Message-ID: <>\r\nReferences: <a <b> c> <d@e>\r\n\r\nwords",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_mail_is_read_as_far_as_it_can_be(name):
    mail = parse(MAIL, BROKEN[name])
    recipients_of(MAIL, BROKEN[name])
    assert "\x00" not in mail.text + mail.subject
    mail.text.encode()
    if name not in (
        "nothing",
        "no blank line",
        "mails within mails",
        "a report without parts",
        "bad base64",
        "only CR",
    ):
        assert "words" in mail.text or "words" in str([file.content for file in mail.files])


@pytest.mark.parametrize(
    ("media", "body"),
    [
        (FORM, b"x"),
        (f"{FORM}; boundary=X", b"--X--"),
        (f"{FORM}; boundary=X", b"--X\r\nContent-Disposition: form-data\r\n\r\nwords\r\n--X--"),
        (JSON, b"{"),
        (JSON, b"[]"),
        (JSON, b'{"Headers": [null, 1], "Attachments": [{}], "From": 7, "Subject": "s"}'),
        (JSON, b'{"RawEmail": "\\ud800"}'),
        ("application/x-www-form-urlencoded", b"email=&a=%FF"),
        ("application/x-www-form-urlencoded", b"a=b&" * 10_000),
        ("", b"words"),
        ("x" * 10_000, b"words"),
    ],
)
def test_a_broken_form_is_read_as_far_as_it_can_be(media, body):
    mail = parse(media, body)
    recipients_of(media, body)
    mail.text.encode()


pieces = st.sampled_from(
    [
        *(value[:2_000] for value in BROKEN.values()),
        *(
            b"From: ",
            b"\r\n",
            b"\r\n\r\n",
            b"--X",
            b"--X--",
            b"=?utf-8?q?",
            b"?=",
            b"Content-Type: ",
            b"multipart/mixed; boundary=X",
        ),
        *(
            b"message/rfc822",
            b"text/html",
            b"; charset=",
            b"<a href=",
            b"<![CDATA[",
            b"<!--",
            b"\xff\xfe",
            b"\x00",
            b"References: <",
        ),
        *(
            b"Content-Disposition: attachment; filename*0*=utf-8''",
            b"Content-Transfer-Encoding: base64",
            b"multipart/report",
        ),
    ]
)
mails = st.lists(st.one_of(pieces, st.binary(max_size=60)), max_size=25).map(b"".join)


@given(body=mails, media=st.sampled_from([MAIL, f"{FORM}; boundary=X", JSON, "application/x-www-form-urlencoded"]))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_bytes_make_the_parser_raise(body, media):
    mail = parse(media, body)
    recipients_of(media, body)
    for text in (mail.sender, mail.sender_name, mail.subject, mail.text, *mail.headers.values()):
        text.encode()
        assert "\x00" not in text
    assert "\n" not in mail.subject + mail.sender_name
    reply_of(mail.text)


@given(text=st.text(max_size=2_000))
@settings(max_examples=100, deadline=None)
def test_html_and_replies_of_any_text(text):
    as_text(text)
    assert reply_of(text).strip() or not text.strip()


REPLIES = {
    "Gmail": (
        "It is still wrong.\n\nOn Mon, Jan 5, 2026 at 9:00 AM Support <s@d.example> wrote:\n\n> Your request\n> x\n"
    ),
    "Outlook": (
        "It is still wrong.\n\n________________________________\nFrom: Support <s@d.example>\nSent: Monday\nTo: Ada\n"
        "Subject: x\n\nYour request"
    ),
    "German": (
        "It is still wrong.\n\nAm Mo., 5. Jan. 2026 um 09:00 Uhr schrieb Support <s@d.example>:\n\n> Deine Anfrage"
    ),
    "a telephone": ("It is still wrong.\n\nSent from my iPhone\n\nOn Monday, Support wrote:\n> x"),
    "a signature": ("It is still wrong.\n\n-- \nAda Lovelace\n+44 20 1234\n"),
    "only quotes": ("It is still wrong.\n> a\n> b"),
}


@pytest.mark.parametrize("program", REPLIES)
def test_quoted_mail_and_signatures_are_cut(program):
    assert reply_of(REPLIES[program]) == "It is still wrong."


def test_text_without_quotes_stays_and_a_reply_of_quotes_alone_too():
    assert reply_of("One\n\nTwo: three\n- four") == "One\n\nTwo: three\n- four"
    assert reply_of("> only a quote") == "> only a quote"
    assert without_signature("a\n-- \nAda") == "a"
    assert is_forward("Fwd: x")
    assert not is_forward("Forward")


def test_a_long_text_is_not_cut_in_its_middle():
    text = "\n".join(f"Line {number} of the report." for number in range(600))
    assert reply_of(text) == text
