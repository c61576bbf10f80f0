"""Sending, answering, filing: visits without scripts, on a real Dovecot and a real submission server."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.compose_form import FORM, PDF, file, text_of, value_of, write
from tests.support.settings_pages import choose
from tests.support.visits import Visitor
from webmail.compose.drafts import draft_message
from webmail.compose.outbox import filing
from webmail.models import DraftRow, Outbox, OutboxState, User
from webmail.storage.local import MARK

# --- sending ---------------------------------------------------------------------------------------------------------


def test_a_message_with_a_file_arrives_and_is_filed_once(alice, bob, work, stored, app):
    page = write(
        alice,
        to=bob.address,
        bcc="dora@elsewhere.example",
        subject="Été",
        body="Bonjour,\n.\nœuf",
        attachments=file(),
        action="save",
    )
    page = alice.submit(page, FORM, action="send")
    assert page.address.startswith("/mailbox/INBOX")
    assert "on its way" in page.notices
    work()
    work()
    [got] = stored(bob, "INBOX")
    assert got["Subject"] == "Été"
    assert got["Bcc"] is None
    assert got.get_body().get_content().replace("\r\n", "\n").rstrip() == "Bonjour,\n.\nœuf"
    assert [(part.get_filename(), part.get_content()) for part in got.iter_attachments()] == [("liste.pdf", PDF)]
    [sent] = stored(alice, "Sent")
    assert sent["Message-ID"] == got["Message-ID"]
    assert sent["Bcc"] == "dora@elsewhere.example"
    assert sent.flags >= {"\\Seen"}
    assert stored(alice, "Drafts") == []
    row = Outbox.get()
    assert (row.state, row.filed, bytes(row.content), row.credential) == (OutboxState.SENT, True, b"", None)
    assert DraftRow.select().count() == 0
    assert [file.name for file in Path(app.extensions["settings"].uploads_folder).iterdir()] == [MARK]


def test_what_is_asked_about_and_what_leaves_is_one_rendering(alice, bob, monkeypatch):
    page = write(alice, to=bob.address, subject="s", body="**b**", format="markdown", attachments=file(), action="save")
    rendered = []
    monkeypatch.setattr(
        draft_message, "render_body", lambda *given, of=draft_message.render_body: rendered.append(1) or of(*given)
    )
    alice.submit(page, FORM, action="send")
    assert Outbox.get().state == OutboxState.WAITING and len(rendered) == 1


def test_a_name_without_a_domain_is_somebody_of_the_house(alice, bob, work, stored):
    write(alice, to=bob.address.partition("@")[0], subject="s", body="b", action="send")
    work()
    assert stored(bob, "INBOX")[0]["To"] == bob.address


def test_addresses_that_all_would_see_can_be_moved_to_bcc(alice):
    many = "\r\n".join(f"p{i}@x.example" for i in range(21))
    asked = write(alice, to=many, cc="c@x.example", subject="s", body="b", action="send")
    assert asked.one("textarea[name=to]").get_text().count(", ") == 20
    assert "All 22 recipients" in asked.one("#asked").get_text()
    moved = alice.submit(asked, FORM, action="to-bcc")
    assert (value_of(moved, "to"), value_of(moved, "cc")) == ("", "")
    assert moved.one("textarea[name=bcc]").get_text().count("@") == 22
    assert Outbox.select().count() == 0


def test_the_notice_of_a_sent_message_becomes_its_outcome(alice, bob, work):
    write(alice, to=bob.address, subject="s", body="b", action="send", follow=False)
    notice = next(n for n in alice.get("/mailbox/INBOX").all(".notice") if "on its way" in n.get_text())
    going = alice.get(notice["hx-get"], htmx="notices").one(".notice")
    assert "Sending now" in going.get_text()
    assert going["hx-get"] == notice["hx-get"]
    work()
    done = alice.get(notice["hx-get"]).one(".notice")
    assert done.get_text(strip=True) == "Sent."
    assert not done.has_attr("hx-get")
    assert bob.get(notice["hx-get"]).status == 404


def test_an_address_that_was_refused_is_told_in_words_until_one_hides_it(alice, bob, work):
    write(alice, to=f"{bob.address}, nobody@lycee.example", subject="s", body="b", action="send", follow=False)
    state = f"/outbox/{Outbox.get().id}/state"
    work()
    assert "not delivered to 1 of 2 recipients" in alice.get(state).one(".notice-danger").get_text()
    page = alice.get("/outbox")
    assert "Sent to 1, refused for 1" in page.text
    assert "nobody@lycee.example This address does not exist. The server said: 550" in page.text
    assert alice.get("/mailbox/INBOX").one("a[href='/outbox'] b").get_text() == "1"
    alice.submit(page, ".outbox-row form", action="dismiss")
    assert alice.get("/mailbox/INBOX").all("a[href='/outbox'] b") == []


def test_a_second_click_sends_nothing_and_says_the_same(alice, bob, work, stored):
    form = alice.get("/compose")
    once = alice.submit(form, FORM, to=bob.address, subject="s", body="b", action="send", follow=False)
    twice = alice.submit(form, FORM, to=bob.address, subject="s", body="b", action="send", follow=False)
    assert once.location == twice.location
    work()
    thrice = alice.submit(form, FORM, to=bob.address, subject="s", body="b", action="send", follow=False)
    assert thrice.location == once.location
    work()
    assert len(stored(bob, "INBOX")) == 1
    assert alice.get("/mailbox/INBOX").notices.count("on its way") == 1
    assert DraftRow.select().count() == 0


def test_another_text_after_sending_becomes_another_message(alice, bob, work, stored):
    form = alice.get("/compose")
    alice.submit(form, FORM, to=bob.address, subject="s", body="first", action="send")
    page = alice.submit(form, FORM, to=bob.address, subject="s", body="second", action="send")
    assert "already been sent" in page.notices
    assert page.one(FORM)["action"] != form.one(FORM)["action"]
    assert text_of(page) == "second"
    work()
    assert [m.get_body().get_content().strip() for m in stored(bob, "INBOX")] == ["first"]


def test_an_undone_message_comes_back_to_its_form(services, alice, bob, work, stored, app):
    app.extensions["settings"] = replace(app.extensions["settings"], undo_seconds=60)
    page = write(alice, to=bob.address, subject="s", body="hasty", action="send")
    page = alice.submit(page, ".notice form")
    assert text_of(page) == "hasty"
    assert "cancelled" in page.notices
    work()
    assert stored(bob, "INBOX") == []
    app.extensions["settings"] = replace(app.extensions["settings"], undo_seconds=0)
    alice.submit(page, FORM, body="considered", action="send")
    work()
    assert [m.get_body().get_content().strip() for m in stored(bob, "INBOX")] == ["considered"]


def test_a_refused_message_says_why_and_can_be_edited(alice, work, stored):
    write(alice, to="nobody-at-all@lycee.example", subject="to nobody", body="b", action="send")
    work()
    page = alice.get("/outbox")
    assert "Not sent" in page.text
    assert re.search(r"5\d\d ", page.text)
    page = alice.submit(page, ".outbox-row form", action="edit")
    assert value_of(page, "to") == "nobody-at-all@lycee.example"
    assert len(stored(alice, "Drafts")) == 1


# --- answering and forwarding ----------------------------------------------------------------------------------------


def test_an_answer_joins_the_thread_and_marks_the_original(alice, bob, letter, work, stored):
    page = bob.get(f"/reply/{letter.uid}/INBOX")
    assert alice.address in value_of(page, "to")
    assert value_of(page, "subject") == "Re: Sortie"
    assert "> Départ à 8 h" in text_of(page)
    assert DraftRow.select().count() == 0
    bob.submit(page, FORM, action="send-anyway")
    work()
    [answer] = stored(alice, "INBOX")
    assert answer["In-Reply-To"] == answer["References"] == letter["Message-ID"]
    assert "\\Answered" in stored(bob, "INBOX")[0].flags


def test_a_forwarded_message_carries_its_files(alice, bob, letter, work, stored):
    page = bob.get(f"/forward/{letter.uid}/INBOX")
    assert "liste.pdf" in page.text
    assert "Départ à 8 h" in text_of(page)
    assert bob.get(f"/forward/{letter.uid}/INBOX").one(FORM)["action"] == page.one(FORM)["action"]
    bob.submit(page, FORM, to=alice.address, action="send-anyway")
    work()
    [got] = stored(alice, "INBOX")
    assert got["Subject"] == "Fwd: Sortie"
    assert [part.get_content() for part in got.iter_attachments()] == [PDF]
    assert "$Forwarded" in stored(bob, "INBOX")[0].flags


def test_a_message_can_be_forwarded_whole(alice, bob, letter, work, stored):
    page = bob.get(f"/forward/{letter.uid}/INBOX?as=attachment")
    bob.submit(page, FORM, to=alice.address, body="fyi", action="send-anyway")
    work()
    [got] = stored(alice, "INBOX")
    [whole] = got.iter_attachments()
    assert whole.get_content_type() == "message/rfc822"
    assert whole.get_content()["Message-ID"] == letter["Message-ID"]


# --- when things break after SMTP ------------------------------------------------------------------------------------


class Killed(BaseException):
    pass


@pytest.mark.parametrize("after", ["_copy_to_sent", "_remove_draft", "_mark_source"])
def test_a_worker_that_dies_while_filing_files_once(alice, bob, letter, work, stored, monkeypatch, after):
    """It dies when the step is done on the server but not noted."""
    page = bob.get(f"/reply/{letter.uid}/INBOX")
    page = bob.submit(page, FORM, body="yes", action="save")
    bob.submit(page, FORM, action="send-anyway")

    def die(_row, **_values):
        raise Killed

    step = getattr(filing, after)

    def dying(*args):
        with monkeypatch.context() as patch:
            patch.setattr(filing, "_note", die)
            step(*args)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(filing, after, dying)
        work()
    Outbox.update(lease=None).execute()
    work()
    assert len(stored(bob, "Sent")) == 1
    assert len(stored(alice, "INBOX")) == 1
    assert stored(bob, "Drafts") == []
    assert "\\Answered" in stored(bob, "INBOX")[0].flags
    assert not filing.is_unfinished(Outbox.select().order_by(Outbox.id.desc()).get())


def test_no_room_for_the_copy_is_not_a_failure_to_send(app, services, make_account, bob, work, stored):
    poor = Visitor(app, make_account("poor", quota=20_000)).sign_in()
    write(poor, to=bob.address, subject="s", body="b", attachments=file(), action="send-anyway")
    work()
    assert len(stored(bob, "INBOX")) == 1
    page = poor.get("/outbox")
    assert "Not sent" not in page.text
    assert "Sent: " in page.text
    assert "Your mailbox is full" in page.text
    assert "The copy could not be saved to Sent" in page.text


def test_the_time_for_undoing_is_a_preference(alice, bob):
    page = choose(alice, undo_seconds="30")
    assert page.one("select[name=undo_seconds] option[selected]")["value"] == "30"
    page = write(alice, to=bob.address, subject="s", body="b", action="send")
    assert "in 30 s." in page.notices
    assert "in 30 s." in alice.get("/mailbox/INBOX").notices  # it stays for as long
    page = alice.submit(alice.get("/mailbox/INBOX"), ".notice form")
    assert "in 30 s." not in page.notices
    assert User.get(User.address == alice.address).preferences


def test_another_text_after_the_first_has_left_is_never_swallowed(alice, bob, work, stored):
    form = alice.get("/compose")
    alice.submit(form, FORM, to=bob.address, subject="s", body="first", action="send")
    work()
    again = alice.submit(form, FORM, to=bob.address, subject="s", body="first", action="send")
    assert "not sent again" in again.notices
    page = alice.submit(form, FORM, to=bob.address, subject="s", body="second", action="send")
    assert text_of(page) == "second"
    alice.submit(page, FORM, action="send")
    work()
    assert [m.get_body().get_content().strip() for m in stored(bob, "INBOX")] == ["first", "second"]
