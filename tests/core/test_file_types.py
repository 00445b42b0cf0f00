"""What a file is by its bytes, and the name that is shown of it (case 32)."""

import io
import zipfile

import pytest

from core import file_names, file_types
from core.file_names import MOST

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + bytes(40)
COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(500)
PROGRAM = b"MZ\x90\x00" + bytes(60)


def a_zip():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return file.getvalue()


TYPES = [
    (PNG, "a.png", "image/png"),
    (PNG, "invoice.pdf", "image/png"),
    (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(30), "photo", "image/jpeg"),
    (b"GIF89a" + bytes(20) + a_zip(), "a.jar", "image/gif"),
    (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "a.pdf", "application/pdf"),
    (b"%PDF-1.4 nothing but text", "a.txt", "application/pdf"),
    (a_zip(), "a.zip", "application/zip"),
    (a_zip(), "a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (a_zip(), "a.jar", "application/java-archive"),
    (COMPOUND, "a.xls", "application/vnd.ms-excel"),
    (COMPOUND, "a.msi", "application/octet-stream"),
    (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2", "a.mp4", "video/mp4"),
    (PROGRAM, "a.png", "application/vnd.microsoft.portable-executable"),
    (b"BMW broke down yesterday.", "a.txt", "text/plain"),
    ("Grüße aus Köln".encode(), "a.txt", "text/plain"),
    ("Grüße aus Köln".encode("latin-1"), "a.txt", "text/plain"),
    ("Привет".encode("cp1251"), "a.txt", "text/plain"),
    ("Grüße".encode("utf-16"), "a.txt", "text/plain"),
    (b"a,b\n1,2\n", "a.csv", "text/csv"),
    (b'{"a": 1}', "a.json", "application/json"),
    (b"<!DOCTYPE html><p>", "a.txt", "text/html"),
    (b"\xef\xbb\xbf \n<!-- a -->\n<ScRiPt src=x>", "a.txt", "text/html"),
    (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.png", "image/svg+xml"),
    (b"<?xml version='1.0'?><!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x'><svg/>", "a.jpg", "image/svg+xml"),
    (b"<?xml version='1.0'?><a/>", "a.xml", "text/xml"),
    (b"<ada@example.com> wrote: hello", "a.txt", "text/plain"),
    (b"#!/bin/sh\nrm -rf /", "a.txt", "text/x-script"),
    (bytes(range(256)), "a.bin", "application/octet-stream"),
    (b"\x7fELF\x02\x01\x01" + bytes(50), "a.txt", "application/octet-stream"),
]


@pytest.mark.parametrize(("content", "name", "media"), TYPES)
def test_the_type_is_read_from_the_bytes(content, name, media):
    assert file_types.of_bytes(content, name) == media


@pytest.mark.parametrize(
    ("media", "patterns", "accepted"),
    [
        ("image/png", ["image/*"], True),
        ("image/png", ["application/pdf"], False),
        ("image/svg+xml", ["image/*"], False),
        ("image/svg+xml", ["image/svg+xml"], True),
        ("text/html", ["text/*"], False),
        ("application/pdf", [], False),
    ],
)
def test_a_pattern_never_accepts_what_a_browser_may_run(media, patterns, accepted):
    assert file_types.accepts(patterns, media) is accepted


NAMES = [
    ("invoice.pdf", "invoice.pdf"),
    ("../../etc/passwd", "passwd"),
    ("C:\\Users\\ada\\photo.png", "photo.png"),
    (".htaccess", "htaccess"),
    ("...", "file"),
    ("", "file"),
    ("a\u202egpj.exe", "agpj.exe"),
    ("a\u200bb\ufeff.txt", "ab.txt"),
    ("a\x00b\x1b[31m\n.txt", "ab[31m .txt"),
    ("a<b>|c?.txt", "a_b__c_.txt"),
    ("evil.exe. . ", "evil.exe"),
    ("CON", "_CON"),
    ("lpt1.txt", "_lpt1.txt"),
    ("Fu\u0308r.txt", "F\u00fcr.txt"),
    ("\u202e\u200b", "file"),
    ("日本語.pdf", "日本語.pdf"),
    ("x" * 500 + ".pdf", "x" * (MOST - 4) + ".pdf"),
    ("x" * 500, "x" * MOST),
    ("half \ud800.txt", "half .txt"),
]


@pytest.mark.parametrize(("name", "shown"), NAMES, ids=ascii)
def test_a_shown_name_has_no_folder_and_nothing_hidden(name, shown):
    assert file_names.clean(name) == shown
    assert file_names.clean(shown) == shown


@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("a.exe", True),
        ("invoice.pdf.EXE", True),
        ("invoice.exe.pdf", False),
        ("a\uff0eexe", True),
        ("a.\uff45xe", True),
        ("a.svg", True),
        ("a.html", True),
        ("exe", False),
        ("a.docx", False),
        ("a.docm", True),
    ],
    ids=ascii,
)
def test_a_name_that_would_run_is_told_from_others(name, program):
    assert file_names.is_program(file_names.clean(name)) is program
