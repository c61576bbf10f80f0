"""Messages with HTML beside their text, what they wish, what only a draft remembers; and messages sent on as they are."""

import email
import email.policy
from datetime import UTC, datetime

import pytest

from webmail.errors import UnsafeValueError
from webmail.mail import Address, Attachment, Draft, Identity
from webmail.mime import builder

ALICE = Identity("Alice", "alice@x.example")
BOB = Address("Bob", "bob@x.example")
WHEN = datetime(2026, 11, 24, 12, tzinfo=UTC)


def built(include_bcc=False, **fields):
    raw = builder.build(Draft(**{"identity": ALICE, "to": (BOB,), "text": "**a**", **fields}), date=WHEN, include_bcc=include_bcc)
    return email.message_from_bytes(raw, policy=email.policy.default), raw


def test_text_and_html_are_alternatives_the_better_one_last():
    message, raw = built(html="<p><strong>é</strong></p>" * 200, text="**é** " * 100)
    assert message.get_content_type() == "multipart/alternative"
    plain, html = message.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert plain["Content-Type"].params["format"] == "flowed"
    assert html.get_content().strip() == "<p><strong>é</strong></p>" * 200
    assert max(map(len, raw.split(b"\r\n"))) <= 998


def test_files_stand_beside_the_alternatives():
    message, _ = built(html="<p>a</p>", attachments=(Attachment("a.bin", "application/x-a", 5, lambda: [b"bytes"]),))
    first, second = message.iter_parts()
    assert (message.get_content_type(), first.get_content_type()) == ("multipart/mixed", "multipart/alternative")
    assert second.get_content() == b"bytes"


def test_plain_text_stays_plain():
    message, raw = built()
    assert message.get_content_type() == "text/plain"
    assert b"html" not in raw


def test_what_the_writer_wishes():
    message, _ = built(priority="high", read_receipt=True, language="fr")
    assert message["X-Priority"].startswith("1")
    assert message["Importance"] == "high"
    assert message["Disposition-Notification-To"] == "Alice <alice@x.example>"
    assert message["Content-Language"] == "fr"
    message, _ = built()
    assert not any(message[name] for name in ("X-Priority", "Importance", "Disposition-Notification-To", "Content-Language"))


def test_only_a_draft_has_its_note_and_bcc():
    secret = {"bcc": (Address("", "eve@x.example"),), "note": "format=markdown"}
    assert built(include_bcc=True, **secret)[0][builder.NOTE] == "format=markdown"
    _, raw = built(**secret)
    assert b"X-Traboule" not in raw
    assert b"eve@" not in raw
    assert b"Bcc" not in raw


# --- sent on ---------------------------------------------------------------------------------------------------------

ORIGINAL = (
    b"Return-Path: <x@x.example>\r\nDelivered-To: alice@x.example\r\nReceived: from a\r\n by b\r\nFrom: Carl <carl@x.example>\r\n"
    b"To: alice@x.example\r\nBcc: eve@x.example,\r\n mallory@x.example\r\nX-Traboule-Draft: a=b\r\nSubject: =?utf-8?q?Caf=C3=A9?=\r\n"
    b"Message-ID: <1@x>\r\nDKIM-Signature: v=1;\r\n b=abc\r\n\r\nBcc: in the text\r\n\r\n.\r\nend"
)


def sent_on(original=ORIGINAL, to=(BOB,), message_id="<2@x>"):
    return builder.resent(original, ALICE, to, message_id=message_id, date=WHEN)


def test_it_is_whole_below_the_block_that_says_who_sent_it_on():
    raw = sent_on()
    assert raw.startswith(
        b"Resent-From: Alice <alice@x.example>\r\nResent-To: Bob <bob@x.example>\r\n"
        b"Resent-Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nResent-Message-ID: <2@x>\r\nReceived: from a\r\n by b\r\nFrom: Carl"
    )
    assert raw.endswith(b"\r\n\r\nBcc: in the text\r\n\r\n.\r\nend")
    assert b"\r\nDKIM-Signature: v=1;\r\n b=abc\r\n\r\n" in raw


def test_it_tells_nothing_of_one_s_own_mailbox():
    head = sent_on().partition(b"\r\n\r\n")[0]
    for private in (b"eve@", b"mallory@", b"Bcc", b"X-Traboule", b"Delivered-To", b"Return-Path"):
        assert private not in head


def test_line_ends_become_crlf():
    assert sent_on(ORIGINAL.replace(b"\r\n", b"\n")) == sent_on()


@pytest.mark.parametrize("original", [b"", b"\n\ntext", b"no header", b"Subject: x"])
def test_a_broken_message_is_sent_on_too(original):
    assert sent_on(original).startswith(b"Resent-From: ")


def test_nothing_gets_into_the_head_from_an_address():
    with pytest.raises(UnsafeValueError):
        sent_on(to=(Address("x\r\nBcc: eve@x.example", "bob@x.example"),))
    with pytest.raises(UnsafeValueError):
        sent_on(message_id="<2@x>\r\nX: y")
