"""Replies that are awaited, on a real Dovecot: asked for on the form or later, found wherever they are filed, reminded of once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from email.message import EmailMessage

import pytest

from tests.support import strangers
from tests.support.compose_form import FORM, write
from tests.support.visits import Visitor
from tests.support.worker import jobs_of
from webmail import preferences
from webmail.compose.outbox import delivery
from webmail.database.connection import db
from webmail.message.arrivals import arrival_rounds, awaited_rounds, missed_mail
from webmail.message.notifications import awaited_letters
from webmail.models import AwaitedReply, Outbox, OutboxState, SystemMessage, User, now

DAY = (date.today() + timedelta(days=3)).isoformat()
OTHER = (date.today() + timedelta(days=7)).isoformat()


@pytest.fixture
def zoe(checking_app, make_account):
    """She waits for Bob to answer."""
    visitor = Visitor(checking_app, make_account("zoe")).sign_in()
    send(visitor, "Devis", DAY)
    work(visitor)
    yield visitor
    with db.connection_context():
        User.delete().where(User.address == visitor.address).execute()


def send(visitor: Visitor, subject: str, day: str = ""):
    return write(visitor, to="bob@x.example", subject=subject, body="b", answer_by=day, action="send-anyway")


def work(visitor: Visitor) -> None:
    """Send what waits: the time to undo it is over."""
    jobs = jobs_of(visitor.client.application)
    with db.connection_context():
        Outbox.update(due=now()).where(Outbox.state == OutboxState.WAITING).execute()
        ready = delivery.sweep(jobs.settings)
    for outbox_id in ready:
        jobs.deliver(outbox_id)


def look(visitor: Visitor) -> None:
    app = visitor.client.application
    with db.connection_context(), app.app_context():
        missed_mail.sweep(app.extensions["settings"])
        arrival_rounds.sweep(app.extensions["settings"])


def remind(visitor: Visitor) -> None:
    """Its day has come."""
    with db.connection_context():
        AwaitedReply.update(due=now() - timedelta(minutes=1)).execute()
    app = visitor.client.application
    with db.connection_context(), app.app_context():
        settings = replace(app.extensions["settings"], system_address="webmail@lycee.example")
        awaited_rounds.sweep(settings, awaited_letters.writer(settings))


def row() -> AwaitedReply:
    with db.connection_context():
        return AwaitedReply.get()


def answer(
    sender: str = "bob@x.example", subject: str = "Re: Devis", to_it: str = "", text: str = "Bonjour", **more: str
) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = f"Bob <{sender}>", "zoe@x.example", subject
    made["Message-ID"], made["In-Reply-To"] = f"<{len(more)}{len(subject)}@x.example>", to_it or row().message_id
    for name, value in more.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


def sent_row(visitor: Visitor) -> str:
    return visitor.get("/mailbox/Sent", reload=True).one("[data-row]").get_text(" ")


def test_it_is_marked_in_the_list_and_told_on_its_page(zoe, imap_of):
    assert "Awaiting a reply" in sent_row(zoe)
    found = row()
    page = zoe.get(f"/message/{found.uid}/Sent")
    assert "You will be reminded on" in page.one("[data-awaited=open]").get_text()
    client = imap_of(zoe.address)
    client.select_folder("Sent", readonly=True)
    head = client.fetch([found.uid], ["BODY[HEADER]", "FLAGS"])[found.uid]
    assert b"$AwaitingReply" in head[b"FLAGS"]
    assert b"Disposition-Notification" not in head[b"BODY[HEADER]"] and b"await" not in head[b"BODY[HEADER]"].lower()
    assert "Devis" in zoe.get("/awaited").one("[data-awaited=open]").get_text()
    assert "Devis" in " ".join(zoe.get("/mailbox/INBOX?query=tag:$AwaitingReply&scope=all").rows)


@pytest.mark.parametrize("mailbox", ["INBOX", "Devis"])
def test_an_answer_ends_it_wherever_it_is_filed(zoe, fill, imap_of, mailbox):
    client = imap_of(zoe.address)
    if mailbox != "INBOX":
        client.create_folder(mailbox)
    fill(zoe, answer(), mailbox=mailbox)
    look(zoe)
    assert row().answered and row().answerer == "Bob" and not row().marked
    assert "Awaiting a reply" not in sent_row(zoe)
    line = zoe.get(f"/message/{row().uid}/Sent").one("[data-awaited=over]")
    assert "Bob replied on" in line.get_text()
    assert zoe.get(line.select_one("a")["href"]).one("h1").get_text().strip().startswith("Re: Devis")
    remind(zoe)
    assert not zoe.get("/mailbox/INBOX").all("#awaited-due .notice")


def test_an_answer_that_was_read_and_deleted_before_anybody_looked_counts(zoe, fill, imap_of):
    [uid] = fill(zoe, answer())
    zoe.get(f"/message/{uid}/INBOX")
    client = imap_of(zoe.address)
    client.select_folder("INBOX")
    client.delete_messages([uid])
    client.expunge()
    assert row().answered and not row().marked


def test_what_programs_send_is_told_and_does_not_count(zoe, fill):
    fill(zoe, answer(subject="Absent jusqu’au 12", Auto_Submitted="auto-replied"), answer(zoe.address, subject="Moi-même"))
    look(zoe)
    assert not row().answered
    page = zoe.get("/awaited")
    assert "Bob sent an automatic reply on" in page.text and "Absent jusqu’au 12" in page.text
    assert "Absent until" not in page.text, "the text says no day"


def test_until_when_somebody_is_away_is_told_where_their_reply_says_so(zoe, fill):
    day = date.today() + timedelta(days=20)
    text = f"Bonjour,\r\nJe suis absent jusqu’au {day:%d/%m/%Y} inclus.\r\n"
    fill(zoe, answer(subject="Absence", text=text, Auto_Submitted="auto-replied"))
    look(zoe)
    assert row().automatic_until == f"until {day}" and not row().answered
    assert "Absent until" in zoe.get("/awaited").text


def test_a_bounce_is_told_as_such(zoe, fill):
    bounce = (
        "From: MAILER-DAEMON@x.example\r\nTo: zoe@x.example\r\nSubject: Undelivered\r\nMessage-ID: <b@x.example>\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\r\n\r\n--B\r\n\r\nSorry.\r\n'
        "--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x.example\r\n\r\n"
        "Final-Recipient: rfc822; bob@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--B\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: Devis\r\nMessage-ID: {row().message_id}\r\n\r\n--B--\r\n"
    )
    fill(zoe, bounce.encode())
    look(zoe)
    assert not row().answered
    assert "It was not delivered to bob@x.example." in zoe.get("/awaited").text


def test_one_is_reminded_once_and_decides(zoe):
    remind(zoe)
    banner = zoe.get("/mailbox/INBOX").one("#awaited-due [role=status]")
    assert "Nobody has replied to “Devis”." in banner.get_text()
    told = row().told
    remind(zoe)
    assert row().told == told
    again = zoe.get(banner.select_one("a")["href"])
    assert "bob@x.example" in str(again.one("[name=to]"))
    page = zoe.submit(zoe.get("/awaited"), "[data-awaited=told] form", action="wait", day=OTHER)
    assert "You will be reminded on" in page.notices and not zoe.get("/mailbox/INBOX").all("#awaited-due .notice")
    page = zoe.submit(zoe.get("/awaited"), "[data-awaited=open] form", action="end", day=OTHER)
    assert "no longer waiting" in page.notices and "Awaiting a reply" not in sent_row(zoe)
    assert "waiting for a reply again" in zoe.submit(page, ".notice form").notices
    assert "Awaiting a reply" in sent_row(zoe) and "Devis" in zoe.get("/awaited").text


def test_an_answer_that_nobody_told_of_is_found_before_the_reminder(zoe, fill):
    fill(zoe, answer())
    remind(zoe)
    assert row().answered and not row().told


def test_by_mail_too_for_who_wants_that_and_only_once(zoe):
    with db.connection_context():
        user = User.get(User.address == zoe.address)
        preferences.change(user, reminders="both")
    remind(zoe)
    remind(zoe)
    with db.connection_context():
        [letter] = SystemMessage.select().where(SystemMessage.recipient == zoe.address, SystemMessage.kind == "reminder")
    assert letter.subject == "Nobody has replied to “Devis”" and "/awaited" in letter.body


def test_it_is_asked_for_on_the_page_of_a_message_that_was_sent(zoe, imap_of):
    send(zoe, "Plus tard")
    work(zoe)
    client = imap_of(zoe.address)
    client.select_folder("Sent", readonly=True)
    uid = max(client.search(["ALL"]))
    page = zoe.get(f"/message/{uid}/Sent")
    after = zoe.submit(page, "details.awaited form", day=OTHER)
    assert "You will be reminded on" in after.notices
    assert "Plus tard" in zoe.get("/awaited").text
    client.select_folder("Sent", readonly=True)
    assert b"$AwaitingReply" in client.fetch([uid], ["FLAGS"])[uid][b"FLAGS"]


def test_one_that_was_answered_before_it_is_asked_for_is_told_at_once(zoe, fill, imap_of):
    send(zoe, "Plus tard")
    work(zoe)
    client = imap_of(zoe.address)
    client.select_folder("Sent", readonly=True)
    uid = max(client.search(["ALL"]))
    page = zoe.get(f"/message/{uid}/Sent")
    name = client.fetch([uid], ["ENVELOPE"])[uid][b"ENVELOPE"].message_id.decode()
    fill(zoe, answer(to_it=name))
    after = zoe.submit(page, "details.awaited form", day=OTHER)
    assert (
        "already been answered" in after.notices
        and "Bob replied on" in after.text
        and "Plus tard" not in zoe.get("/awaited").text
    )


def test_one_that_was_moved_is_found(zoe, imap_of):
    client = imap_of(zoe.address)
    client.select_folder("Sent")
    client.create_folder("Archive") if not client.folder_exists("Archive") else None
    client.move([row().uid], "Archive")
    with db.connection_context():
        number = AwaitedReply.get().id
    assert zoe.get(f"/awaited/{number}/message").one("h1").get_text().startswith("Devis")


def test_what_is_undone_is_not_awaited(zoe):
    page = write(zoe, to="bob@x.example", subject="Non", body="b", answer_by=DAY, day=DAY, hour="07:00", action="later:at")
    assert page.status == 200
    with db.connection_context():
        sent = Outbox.get(Outbox.subject == "Non")
        assert AwaitedReply.select().where(AwaitedReply.subject == "Non").count() == 1
    form = zoe.submit(zoe.get("/outbox"), "#scheduled form:has([value=undo])", action="undo")
    with db.connection_context():
        assert AwaitedReply.select().where(AwaitedReply.subject == "Non").count() == 0
    assert form.one(f"{FORM} [name=answer_by] option[selected]")["value"] == DAY and sent.draft


def test_a_day_before_it_leaves_is_none(zoe):
    page = write(zoe, to="bob@x.example", subject="Non", body="b", answer_by=DAY, day=OTHER, hour="07:00", action="later:at")
    assert page.status == 422 and "after the message is sent" in page.one("#answer_by-error").get_text()


def test_where_no_worker_can_look_a_visit_does(services, make_account, fill, tmp_path):
    """With the mail password alone, which nobody keeps."""
    with strangers.checking_app(services, tmp_path / "other", token_key_file="", passkey_sign_in=False) as app:
        yann = Visitor(app, make_account("yann")).sign_in()
        for subject in ("Devis", "Sans réponse"):
            send(yann, subject, DAY)
        work(yann)
        assert "the next time you open a list" in yann.get("/awaited").text
        with db.connection_context():
            first = AwaitedReply.get(AwaitedReply.subject == "Devis")
            AwaitedReply.update(due=now() - timedelta(minutes=1)).execute()
        made = answer(to_it=first.message_id)
        fill(yann, made)
        page = yann.get("/mailbox/INBOX", reload=True)
        assert "Nobody has replied to “Sans réponse”." in page.one("#awaited-due [role=status]").get_text()
        assert AwaitedReply.get(AwaitedReply.subject == "Devis").answered
        with db.connection_context():
            User.delete().where(User.address == yann.address).execute()
