"""Messages reported as phishing, and what is taken back: visits without scripts on a real Dovecot."""

from __future__ import annotations

import email
import email.policy

import pytest

from tests.support.strangers import OURS, message, report
from webmail.database.connection import db
from webmail.models import DraftRow, Outbox, PhishingReport, User


def test_a_report_leaves_with_the_message_and_can_be_taken_back(alice, opened, imap_of, checking_app):
    page = opened(message(subject="Gagnez"))
    told = report(alice, page)
    assert "Reported" in told.notices
    client = imap_of(alice.address)
    client.select_folder("Junk")
    [(uid, values)] = client.fetch(client.search(), ["FLAGS"]).items()
    assert {b"$Phishing", b"$Junk"} <= set(values[b"FLAGS"])
    with db.connection_context():
        row = Outbox.get()
        assert "security@ministry.example" in row.recipients
        sent = email.message_from_bytes(bytes(row.content), policy=email.policy.default)
        attached = [part for part in sent.walk() if part.get_content_type() == "message/rfc822"]
        assert attached[0].get_content()["Subject"] == "Gagnez"
        assert PhishingReport.get().sender == "ann@far.example"
    back = alice.submit(told, "form[action='/report/undo']")
    assert "Nothing was reported" in back.notices
    client.select_folder("INBOX")
    [values] = client.fetch(client.search(), ["FLAGS"]).values()
    assert b"$Phishing" not in values[b"FLAGS"]
    with db.connection_context():
        assert Outbox.get().state == "cancelled"
        assert PhishingReport.select().count() == 0


def test_who_may_write_to_nobody_more_reports_all_the_same(alice, opened, imap_of):
    page = opened(message(subject="Gagnez"))
    with db.connection_context():
        user = User.get(User.address == alice.address)
        User.update(recipients_per_hour=1).where(User.id == user.id).execute()
        Outbox.create(user=user, draft="x" * 32, message_id="<x@x>", sender=alice.address, content=b"", due=user.created, subject="",
                      recipients="[]", state="sent", people=1, filed=True)  # fmt: skip
    told = report(alice, page)
    assert told.status == 200 and "Marked as phishing and moved to Junk." in told.notices
    with db.connection_context():
        assert PhishingReport.get().outbox == 0
        assert Outbox.select().count() == 1 and DraftRow.select().count() == 0
    alice.submit(told, "form[action='/report/undo']")
    client = imap_of(alice.address)
    assert client.select_folder("INBOX")[b"EXISTS"] == 1


@pytest.mark.parametrize("before", [[], [b"$NotJunk"]])
def test_what_was_reported_by_mistake_is_as_it_was_and_the_offer_is_gone(alice, fill, imap_of, before):
    [uid] = fill(alice, message())
    client = imap_of(alice.address)
    client.select_folder("INBOX")
    client.add_flags([uid], before)
    told = report(alice, alice.get(f"/message/{uid}/INBOX"))
    alice.submit(told, "form[action='/report/undo']")
    assert not alice.get("/mailbox/INBOX").all("form[action='/report/undo']")
    client.select_folder("INBOX")
    [values] = client.fetch(client.search(), ["FLAGS"]).values()
    assert (b"$NotJunk" in values[b"FLAGS"]) == bool(before)
    assert not {b"$Junk", b"$Phishing"} & set(values[b"FLAGS"])


def test_nothing_calls_a_message_legitimate_beside_a_danger(alice, fill, imap_of):
    uids = fill(alice, message(Authentication_Results=f"{OURS}; dmarc=fail header.from=far.example"), message())
    client = imap_of(alice.address)
    client.select_folder("INBOX")
    client.add_flags(uids, ["$NotJunk", "projet-x"])
    chips = [[c.get_text() for c in alice.get(f"/message/{uid}/INBOX").all("article .tag")] for uid in uids]
    assert chips == [["projet-x"], ["Not junk", "projet-x"]]


def test_a_report_that_left_stays_in_the_list(alice, opened):
    told = report(alice, opened(message()))
    with db.connection_context():
        Outbox.update(state="sent", sent_at=Outbox.created).execute()
    assert "had already been sent" in alice.submit(told, "form[action='/report/undo']").notices
    with db.connection_context():
        assert PhishingReport.select().count() == 1


def test_a_message_is_reported_once(alice, opened):
    page = opened(message())
    report(alice, page)
    assert report(alice, page).status == 404
    with db.connection_context():
        assert (Outbox.select().count(), PhishingReport.select().count()) == (1, 1)


def test_reports_under_another_uidvalidity_or_of_nothing_are_refused(alice, opened):
    page = opened(message())
    token = page.one(".list-bar [name=csrf_token]")["value"]
    url = f"/report/{page.one('.list-bar [name=uids]')['value']}/INBOX"
    assert alice.post(url, {"csrf_token": token, "v": "1"}).status == 410
    assert alice.post(url, {"csrf_token": token}).status == 410
    for uids in ("", "0", "1,2", str(2**32)):
        assert alice.submit(page, "form.list-bar", action="report", uids=uids).status == 400
    assert alice.post("/report/99/INBOX", {"csrf_token": token, "v": page.one(".list-bar [name=v]")["value"]}).status == 404
    assert alice.post("/report/undo", {"csrf_token": token, "mailbox": "INBOX", "uid": "0", "v": "7"}).status in (400, 410)
