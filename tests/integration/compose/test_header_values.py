"""Sixty hostile values through the form to what a real SMTP server receives: no header and no recipient comes in by any of them."""

from __future__ import annotations

import email
import email.policy
import json

from tests.support.compose_form import FORM, write
from webmail.models import Outbox

EVIL = "evil@y.example"
HEADERS = {
    "Received", "Return-Path", "From", "To", "Cc", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
    "Content-Transfer-Encoding", "In-Reply-To", "References", "X-Traboule-Proof",
    "Authentication-Results",  # by the mail server
}  # fmt: skip
ENDS = ["\r\n", "\n", "\r", "\0", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
SUBJECTS = [f"s{end}Bcc: {EVIL}" for end in ENDS] + ["s\r\n\r\nbody", "s\r\n X-Evil: 1", "x" * 2000, "é" * 1500]
ADDRESSES = [f"bob@x.example{end}Bcc: {EVIL}" for end in ENDS] + [
    f'"Bob{end}Bcc: {EVIL}" <bob@x.example>' for end in ENDS[3:]
] + [
    f"bob@x.example>\r\nRCPT TO:<{EVIL}", f"bob@x.example> RCPT TO:<{EVIL}", f"bob@x.example, Bcc: {EVIL}", f"Bcc: {EVIL};",
    "x" * 3000 + " <bob@x.example>", "bob@x.example\r\nX-Evil: 1", "bob@x.example\r\nSubject: other", "bob@\r\nx.example",
]  # fmt: skip
BODIES = [
    "a\r\n.\r\nMAIL FROM:<evil@y.example>\r\nRCPT TO:<evil@y.example>\r\nDATA\r\nb",
    "a\n.\nMAIL FROM:<evil@y.example>", "a\r.\rMAIL FROM:<evil@y.example>", "a\n.\r\nDATA", "a\r\n.\nDATA", "a\r.\r\nDATA",
    ".", "..", "...\r\n.\r\n..", ".\r\n", "a\0b\r\n.\r\n", "From me\r\nFrom you", "a\x85.\x85b", "a\u2028.\u2028b", "\r\r\r\n\n.\n",
]  # fmt: skip
HIDDEN = [("in_reply_to", f"<a@b>\r\nBcc: {EVIL}"), ("references", f"<a@b>\r\n\r\nBcc: {EVIL}"), ("source_mailbox", "a\r\nb"),
          ("identity", "0\r\n"), ("back", "//evil.example\r\nX: y"), ("source_flag", "\\Seen\r\n")]  # fmt: skip
BAD = [("subject", value) for value in SUBJECTS] + [(("to", "cc", "bcc")[i % 3], value) for i, value in enumerate(ADDRESSES)]
KEPT = [("body", value) for value in BODIES] + HIDDEN


def test_there_are_sixty():
    assert len(BAD) + len(KEPT) >= 60


def test_what_can_not_stand_in_a_header_comes_back_marked(alice):
    for field, value in BAD:
        fields = {"to": "bob@x.example", "subject": "s", "body": "kept"} | {field: value}
        page = write(alice, **fields, action="send-anyway")
        assert page.status == 422, (field, value)
        assert page.one(f"#{field}-error").get_text(), (field, value)
        assert page.one(f"[name={field}]")["aria-invalid"] == "true"
        assert "kept" in page.one("textarea[name=body]").get_text()
        assert Outbox.select().count() == 0, (field, value)


def test_what_is_marked_once_and_sent_again_has_nothing_hidden(alice, work, outside):
    before = set(outside.glob("*.eml"))
    page = write(alice, to="bob@x.example", subject=f"s\u2028Bcc: {EVIL}", body="b", action="send")
    alice.submit(page, FORM, action="send")
    work()
    [letter] = set(outside.glob("*.eml")) - before
    message = email.message_from_bytes(letter.read_bytes(), policy=email.policy.default)
    assert message["Subject"] == f"s Bcc: {EVIL}"
    assert message["Bcc"] is None


def test_bodies_and_hidden_fields_make_one_message_with_our_headers_each(alice, work, outside):
    before = set(outside.glob("*.eml"))
    for number, (field, value) in enumerate(KEPT):
        write(alice, **{"to": "bob@x.example", "subject": f"n{number}", "body": "b"} | {field: value}, action="send-anyway")
    work()
    letters = sorted(set(outside.glob("*.eml")) - before)
    assert len(letters) == len(KEPT)
    found = {}
    for letter in letters:
        message = email.message_from_bytes(letter.read_bytes(), policy=email.policy.default)
        found[message["Subject"]] = message
        assert set(message) <= HEADERS, letter.read_text()
        assert EVIL.encode() not in letter.read_bytes().partition(b"\r\n\r\n")[0]
        assert EVIL not in json.dumps(json.loads(letter.with_suffix(".json").read_text()))
    assert len(found) == len(KEPT)
    for number, value in enumerate(BODIES):
        got = found[f"n{number}"].get_body().get_content()
        lines = value.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
        read = [
            line.removeprefix(" ") if line.startswith((" From", " >", "  ")) else line for line in got.rstrip("\n").split("\n")
        ]
        assert [line.rstrip() for line in read] == [line.rstrip() for line in lines], value
