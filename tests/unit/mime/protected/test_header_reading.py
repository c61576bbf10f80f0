"""Headers inside a protected part: both styles, and how the outer ones differ."""

from __future__ import annotations

import pytest

from webmail.mime.headers import headers
from webmail.mime.parser import from_bytes
from webmail.mime.protected import header_reading
from webmail.mime.protected.header_reading import protected_headers

OUTER = headers.envelope(
    b"From: Ann <ann@x.example>\r\nTo: bob@x.example\r\nSubject: ...\r\nDate: Wed, 14 Oct 2020 14:36:08 -0400\r\n\r\n"
)


def inside(params: str, subject: str = "The exam", more: str = "") -> bytes:
    return (
        f"Content-Type: text/plain{params}\r\nFrom: Ann <ann@x.example>\r\nTo: bob@x.example\r\n"
        f"Date: Wed, 14 Oct 2020 14:36:08 -0400\r\nSubject: {subject}\r\n{more}\r\nSubject: no header\r\n"
    ).encode()


@pytest.mark.parametrize("params", ['; hp="cipher"', "; hp=clear", '; protected-headers="v1"'])
def test_both_styles_are_read(params):
    found = protected_headers(inside(params))
    assert found and found.envelope.subject == "The exam"
    assert found.encrypted == ("cipher" in params)
    assert header_reading.combined(OUTER, found).subject == "The exam"
    assert header_reading.differences(OUTER, found) == ()


def test_headers_that_nobody_calls_protected_are_not():
    assert protected_headers(inside("")) is None
    nested = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + inside('; hp="cipher"') + b"\r\n--b--"
    assert protected_headers(nested) is None


def test_a_hidden_subject_is_no_difference_and_another_one_is():
    found = protected_headers(inside('; hp="clear"'))
    assert found
    outer = headers.envelope(b"From: ann@x.example\r\nTo: bob@x.example\r\nSubject: Pay at once\r\n\r\n")
    assert header_reading.differences(outer, found) == ("subject",)
    told = protected_headers(inside('; hp="cipher"', more="HP-Outer: Subject: Pay at once\r\n"))
    assert told and header_reading.differences(outer, told) == ()


def test_another_sender_recipient_or_date_is_a_difference():
    found = protected_headers(inside('; hp="clear"'))
    assert found
    outer = headers.envelope(
        b"From: eve@x.example\r\nTo: bob@x.example, eve@x.example\r\nSubject: The exam\r\nDate: Thu, 15 Oct 2020 14:36:08 -0400\r\n\r\n"
    )
    assert header_reading.differences(outer, found) == ("from", "to", "date")
    assert header_reading.combined(outer, found).sender[0].email == "eve@x.example"


def test_the_copy_of_the_headers_in_a_text_is_left_out():
    root = from_bytes(b'Content-Type: text/plain; hp-legacy-display="1"\r\n\r\n')
    assert header_reading.without_legacy_text("Subject: The exam\r\n\r\nHello\r\n", root) == "Hello\n"
    assert header_reading.without_legacy_text("Hello", root) == "Hello"
    html = '<p>a</p><div class="header-protection-legacy-display"><pre>Subject: x</pre></div><p>b</p>'
    assert header_reading.without_legacy_html(html, root) == "<p>a</p><p>b</p>"
    assert header_reading.without_legacy_html(html, from_bytes(b"Content-Type: text/html\r\n\r\n")) == html
