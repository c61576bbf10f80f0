"""Who really sent a message: the line above it, reporting, confirmations; visits without scripts on a real Dovecot."""

from __future__ import annotations

import email
import email.policy
import time
from email.message import EmailMessage
from typing import Any

import pytest

from tests.visits import Page, Visitor
from tests.writing import write
from webmail import create_app
from webmail.compose.outbox import delivery
from webmail.database.connection import db
from webmail.models import Correspondent, DraftRow, Outbox, PhishingReport, User

OURS = "lycee.example"


@pytest.fixture
def app(services, tmp_path):
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    del values["instance"], values["jobs_file"], values["uploads_folder"]
    more = {"undo_seconds": 60, "secure_cookies": False, "authserv_id": OURS, "phishing_address": "security@ministry.example"}
    app = create_app(tmp_path / "instance", **{**values, **more})
    yield app
    with db.connection_context():
        for table in (Outbox, DraftRow, Correspondent, PhishingReport):
            table.delete().execute()


@pytest.fixture
def alice(app, make_account):
    return Visitor(app, make_account("alice")).sign_in()


def message(sender: str = "Ann <ann@far.example>", text: str = "Bonjour", **headers: str) -> bytes:
    made = EmailMessage(policy=email.policy.SMTP)
    made["From"], made["To"], made["Subject"] = sender, "alice@lycee.example", headers.pop("subject", "Bonjour")
    made["Message-ID"] = f"<{time.monotonic_ns()}@far.example>"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return bytes(made)


@pytest.fixture
def opened(alice, fill):
    """The page of a message that alice got."""

    def read(content: bytes, mailbox: str = "INBOX") -> Page:
        uids = fill(alice, content, mailbox=mailbox)
        page = alice.get(f"/message/{uids[-1]}/{mailbox}")
        assert page.status == 200
        return page

    return read


@pytest.fixture
def deliver(app):
    """What the worker does in a minute."""

    def run():
        jobs = app.extensions["jobs"]
        with db.connection_context():
            ready = delivery.sweep(jobs.settings)
        for outbox_id in ready:
            jobs.deliver(outbox_id)

    return run


def warnings(page: Page) -> list[str]:
    return [" ".join(p.get_text(" ", strip=True).split()).removeprefix("▲ ") for p in page.all(".trust li")]


def line(page: Page) -> str:
    return " ".join(page.one(".trust summary").get_text(" ", strip=True).split())


# --- the line --------------------------------------------------------------------------------------------------------


def test_mail_from_inside_is_said_calmly(opened):
    page = opened(message(f"Bob Girard <bob@{OURS}>"))
    assert line(page) == f"✓ bob@{OURS} · inside your establishment"
    assert warnings(page) == []
    assert not page.all(".trust form")


def test_a_stranger_s_first_message_is_the_first_and_the_second_is_not(opened):
    assert "first message from this address" in line(opened(message()))
    assert "first message" not in line(opened(message()))
    assert "outside your establishment" in line(opened(message()))


def test_somebody_one_wrote_to_is_no_stranger(opened, alice):
    with db.connection_context():
        Correspondent.create(user=User.get(User.address == alice.address), address="ann@far.example", name="Ann")
    page = opened(message("Ann <Ann@Far.example>"))
    assert "you have written to this address" in line(page)
    assert "first message" not in line(page)


def test_who_was_sent_to_is_known_from_then_on(alice, opened, deliver):
    write(alice, to="Ann <ann@far.example>", subject="s", body="b", action="send-anyway")
    with db.connection_context():
        Outbox.update(due=Outbox.created).execute()
    deliver()
    assert "you have written to this address" in line(opened(message()))


def test_the_checks_of_our_server_are_told_in_words(opened):
    passed = f"{OURS}; spf=pass smtp.mailfrom=far.example; dkim=pass header.d=far.example; dmarc=pass header.from=far.example"
    page = opened(message(Authentication_Results=passed))
    assert "genuine" in line(page)
    assert "DKIM" in page.one(".trust dl").get_text()
    page = opened(message(Authentication_Results=f"{OURS}; dmarc=fail header.from=far.example"))
    assert "check failed" in line(page)
    assert warnings(page)[0].startswith("Danger: the checks of your mail server say")


def test_the_checks_of_others_are_nothing(opened):
    page = opened(message(Authentication_Results="evil.example; dmarc=pass header.from=far.example"))
    assert "genuine" not in line(page)
    assert "reported no check" in page.one(".trust dl").get_text()


def test_a_phishing_message_says_all_that_is_wrong_with_it(opened):
    text = "Urgent : confirmez votre mot de passe avant 24 heures."
    page = opened(message("Support <support@lycee.exarnple>", text, Reply_To="x@evil.example", subject="Votre compte"))
    told = " ".join(warnings(page))
    assert "asks for a password" in told
    assert "an answer would go to x@evil.example" in told
    assert warnings(page)[0].startswith("Danger:")


def test_a_colleague_s_name_with_another_address_is_told(opened, app, alice):
    with db.connection_context():
        User.update(name="Alice Leroy").where(User.address == alice.address).execute()
    assert "this is the name of Alice Leroy" in " ".join(warnings(opened(message("Leroy Alicé <a@far.example>"))))


def test_hostile_headers_still_give_a_page_quickly(opened):
    many = b"".join(b"Authentication-Results: lycee.example; dmarc=pass " + b"(" * 9_000 + b"\r\n" for _ in range(100))
    long = b"Authentication-Results: lycee.example; " + b"dkim=pass;\r\n " * 80_000 + b"\r\n"
    for head in (many, long, b"Received: x\r\n" * 5000 + many):
        began = time.monotonic()
        page = opened(head + message())
        assert "ann@far.example" in line(page)
        assert time.monotonic() - began < 3


def test_odd_senders_still_give_a_page(opened):
    for sender in (
        b"",
        b"From: \r\n",
        b"From: a\r\n",
        b"From: <>\r\n",
        b'From: "@"@"\r\n',
        b"From: x@\xff\xfe\r\n",
        b"From: a@b, c@d\r\n",
    ):
        page = opened(sender + b"Subject: x\r\n\r\ntext\r\n")
        assert page.all(".trust")


# --- reporting -------------------------------------------------------------------------------------------------------


def report(alice: Visitor, page: Page) -> Page:
    button = next(b for b in page.all("button[formaction]") if "phishing" in b.get_text())
    form = {f["name"]: f["value"] for f in page.all(".list-bar input[name]")}
    return alice.post(str(button["formaction"]), form)


def test_a_report_leaves_with_the_message_and_can_be_taken_back(alice, opened, imap_of, app):
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
    assert "nothing was reported" in back.notices
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
    assert told.status == 200 and "Marked as phishing, and moved to the junk." in told.notices
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
    assert "had left already" in alice.submit(told, "form[action='/report/undo']").notices
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
    url = str(next(b for b in page.all("button[formaction]") if "phishing" in b.get_text())["formaction"])
    token = page.one(".list-bar [name=csrf_token]")["value"]
    assert alice.post(url, {"csrf_token": token, "v": "1"}).status == 410
    assert alice.post(url, {"csrf_token": token}).status == 410
    assert alice.post("/report/99/INBOX", {"csrf_token": token, "v": page.one(".list-bar [name=v]")["value"]}).status == 404
    assert alice.post("/report/undo", {"csrf_token": token, "mailbox": "INBOX", "uid": "0", "v": "7"}).status in (400, 410)


def test_only_the_administrator_sees_the_reports(alice, opened, app, make_account):
    report(alice, opened(message(subject="Gagnez <b>")))
    assert alice.get("/admin/reports").status == 403
    chief = Visitor(app, make_account("chief")).sign_in()
    with db.connection_context():
        User.update(role="admin").where(User.address == chief.address).execute()
    page = chief.get("/admin/reports")
    assert alice.address in page.text
    assert "Gagnez <b>" in page.text
    assert chief.get("/admin/reports?page=x").status == 200
    assert chief.get("/admin/reports", htmx="main").status == 200


# --- confirmations ---------------------------------------------------------------------------------------------------

RECEIPT = "form[action^='/receipt/']"


def test_a_confirmation_leaves_only_on_one_s_word_and_is_asked_once(alice, opened, imap_of):
    page = opened(message(Disposition_Notification_To="ann@far.example"))
    assert "asks you to confirm" in page.one(RECEIPT).get_text()
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
    page = alice.get("/settings")
    alice.submit(page, "form[action='/settings']", receipts="inside")
    assert not opened(message(Disposition_Notification_To="ann@far.example")).all(RECEIPT)
    inside = message(f"Bob <bob@{OURS}>", Disposition_Notification_To=f"bob@{OURS}")
    assert opened(inside).all(RECEIPT)
    alice.submit(page, "form[action='/settings']", receipts="never")
    assert not opened(inside).all(RECEIPT)


def test_a_confirmation_arrives_under_the_null_sender(alice, opened, deliver, outside):
    before = set(outside.glob("*.json"))
    page = opened(message(Disposition_Notification_To="ann@far.example"))
    alice.submit(page, RECEIPT, answer="send")
    deliver()
    [arrived] = set(outside.glob("*.json")) - before
    assert '"sender": "<>"' in arrived.read_text()
