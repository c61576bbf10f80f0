"""Confirmations of reading: visits without scripts on a real Dovecot."""

from __future__ import annotations

import email
import email.policy
from typing import Any

import pytest

from tests.support.settings_pages import choose
from tests.support.strangers import OURS, message
from webmail.database.connection import db
from webmail.models import Outbox

RECEIPT = "form[action^='/receipt/']"


def test_a_confirmation_leaves_only_on_one_s_word_and_is_asked_once(alice, opened, imap_of):
    page = opened(message(Disposition_Notification_To="ann@far.example"))
    assert "requested a read receipt" in page.one(RECEIPT).get_text()
    with db.connection_context():
        assert Outbox.select().count() == 0
    done = alice.submit(page, RECEIPT, answer="send")
    assert "on its way" in done.notices
    assert not done.all(RECEIPT)
    with db.connection_context():
        row = Outbox.get()
        assert (row.sender, row.recipients, row.people) == ("", '["ann@far.example"]', 1)
        sent: Any = email.message_from_bytes(bytes(row.content), policy=email.policy.default)
    assert sent.get_content_type() == "multipart/report"
    assert sent.get_param("report-type") == "disposition-notification"
    words, fields = sent.iter_parts()
    assert "displayed" in words.get_content()
    assert f"Final-Recipient: rfc822;{alice.address}" in fields.as_string()
    assert "manual-action/MDN-sent-manually; displayed" in fields.as_string()
    alice.submit(page, RECEIPT, answer="send")
    with db.connection_context():
        assert Outbox.select().count() == 1


def test_no_means_no_and_is_not_asked_again(alice, opened):
    page = opened(message(Disposition_Notification_To="ann@far.example"))
    assert not alice.submit(page, RECEIPT, answer="no").all(RECEIPT)
    with db.connection_context():
        assert Outbox.select().count() == 0


def test_a_confirmation_to_elsewhere_says_where(opened):
    page = opened(b"Return-Path: <other@evil.example>\r\n" + message(Disposition_Notification_To="ann@far.example"))
    assert "would go to ann@far.example" in page.one(RECEIPT).get_text()


def test_lists_and_machines_get_no_confirmation(opened):
    for name, value in (("List-Id", "<a.b>"), ("Precedence", "bulk"), ("Auto-Submitted", "auto-generated")):
        assert not opened(message(Disposition_Notification_To="ann@far.example", **{name: value})).all(RECEIPT)


def test_who_never_wants_to_be_asked_is_not(alice, opened):
    choose(alice, receipts="inside")
    assert not opened(message(Disposition_Notification_To="ann@far.example")).all(RECEIPT)
    inside = message(f"Bob <bob@{OURS}>", Disposition_Notification_To=f"bob@{OURS}")
    assert opened(inside).all(RECEIPT)
    choose(alice, receipts="never")
    assert not opened(inside).all(RECEIPT)


def test_a_confirmation_arrives_under_the_null_sender(alice, opened, deliver, outside):
    before = set(outside.glob("*.json"))
    page = opened(message(Disposition_Notification_To="ann@far.example"))
    alice.submit(page, RECEIPT, answer="send")
    deliver()
    [arrived] = set(outside.glob("*.json")) - before
    assert '"sender": "<>"' in arrived.read_text()


PROVEN = f"Authentication-Results: {OURS}; dkim=pass header.d={OURS}\r\n".encode()
BOB = f"bob@{OURS}"  # no name: other tests have accounts of any name, whom it would seem to imitate


def asking(sender: str = BOB, to: str = f"bob@{OURS}", above: bytes = PROVEN) -> bytes:
    return above + message(sender, Disposition_Notification_To=to)


def test_who_allowed_it_tells_proven_colleagues_at_once_and_once_only(alice, opened):
    choose(alice, receipts="inside-sent")
    page = opened(asking())
    assert not page.all(RECEIPT)
    assert f"was sent to bob@{OURS}" in page.notices
    again = alice.get(page.address)
    assert "was sent" not in again.notices and not again.all(RECEIPT)
    with db.connection_context():
        assert Outbox.select().count() == 1
        content = bytes(Outbox.get().content).decode()
    assert "automatic-action/MDN-sent-automatically; displayed" in content


@pytest.mark.parametrize(
    "content",
    [
        asking(above=b""),
        asking(above=PROVEN.replace(b"=pass", b"=fail")),
        asking(above=PROVEN.replace(OURS.encode(), b"evil.example")),
        asking("Ann <ann@far.example>", "ann@far.example", PROVEN.replace(f"d={OURS}".encode(), b"d=far.example")),
        asking(to="ann@far.example"),
        asking(to=f"eve@{OURS}"),
        asking(to=f"bob@{OURS}, eve@{OURS}"),
        asking(above=b"Return-Path: <other@evil.example>\r\n" + PROVEN),
    ],
    ids=["unproven", "failed", "proven by a stranger", "from outside", "to outside", "to another", "to several", "elsewhere"],
)
def test_what_is_not_proven_or_goes_elsewhere_is_asked_about(alice, opened, content):
    choose(alice, receipts="inside-sent")
    page = opened(content)
    assert "requested a read receipt" in page.one(RECEIPT).get_text()
    with db.connection_context():
        assert Outbox.select().count() == 0


def test_nothing_is_sent_for_a_page_that_nobody_has_seen(alice, fill):
    choose(alice, receipts="inside-sent")
    url = f"/message/{fill(alice, asking())[-1]}/INBOX"
    alice.client.head(url)
    alice.client.get(url, headers={"Sec-Purpose": "prefetch"})
    assert alice.client.get(url, headers={"X-Traboule-Prefetch": "1"}).status_code == 204  # else nothing would be sent at last
    with db.connection_context():
        assert Outbox.select().count() == 0
    assert "was sent" in alice.get(url).notices
