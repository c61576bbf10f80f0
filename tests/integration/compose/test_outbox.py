"""Outbox as people see it: what waits, why, what to do; and that sending is stopped."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.compose_form import write
from webmail.compose.outbox import send_later
from webmail.models import Outbox, OutboxState, Worker, now

STOPPED = "Sending is not working at the moment."


def outbox_row(page):
    return " ".join(page.one(".outbox-row").get_text(" ").split())


# --- a message that waits for another try ----------------------------------------------------------------------------


def test_a_message_that_waits_can_be_tried_at_once(alice, bob, work, stored):
    write(alice, to=bob.address, subject="s", body="b", action="send")
    wait = {"error": "not-reached: refused", "due": now() + timedelta(hours=1), "attempts": 3}
    Outbox.update(**wait).execute()
    page = alice.get("/outbox")
    assert [b.get_text() for b in page.all(".outbox-row button")] == ["Try now", "Cancel and edit"]
    work()
    assert stored(bob, "INBOX") == []
    page = alice.submit(page, ".outbox-row form", action="try")
    assert "Trying again now" in page.notices
    row = outbox_row(page)
    assert "Sending now. Refresh this page" in row and "could not be reached" not in row and "Try now" not in row
    follow = page.one(".outbox-row [hx-get]")["hx-get"]
    assert alice.get(follow).status == 204, "still being tried"
    work()
    assert len(stored(bob, "INBOX")) == 1
    assert "Sent:" in outbox_row(alice.get(follow))
    assert bob.get(follow).status == 404
    Outbox.update(state=OutboxState.SENDING, due=now() - timedelta(minutes=3)).execute()
    assert not alice.get(follow).all("[hx-get]"), "nobody asks for ever"


def test_a_copy_for_sent_that_waits_can_be_tried_at_once(alice, bob, work, stored):
    write(alice, to=bob.address, subject="s", body="b", action="send")
    work()
    Outbox.update(
        filed=False, content=b"Subject: s\r\n\r\nb", error="not-reached: refused", due=now() + timedelta(hours=1)
    ).execute()
    page = alice.get("/outbox")
    assert [b.get_text() for b in page.all(".outbox-row button")] == ["Try now"]
    page = alice.submit(page, ".outbox-row form", action="try")
    row = outbox_row(page)
    assert "Saving the copy to Sent." in row and "could not be reached" not in row
    work()
    assert Outbox.get().filed
    assert alice.get("/outbox").all(".outbox-row button") == []


def test_others_can_not_try_it(alice, bob):
    write(alice, to=bob.address, subject="s", body="b", action="send")
    Outbox.update(error="not-reached: refused", due=now() + timedelta(hours=1)).execute()
    token = bob.get("/compose").one("form.compose-form [name=csrf_token]")["value"]
    assert bob.post(f"/outbox/{Outbox.get().id}", {"action": "try", "csrf_token": token}).status == 404
    assert Outbox.get().due > now()


def test_a_failed_message_that_is_kept_is_a_draft_again_and_the_page_says_so(alice, bob):
    write(alice, to=bob.address, subject="Sortie", body="b", action="send")
    Outbox.update(state=OutboxState.FAILED, error="refused: 550").execute()
    page = alice.submit(alice.get("/outbox"), ".outbox-row form", action="dismiss")
    assert "“Sortie” is back in your drafts." in page.notices
    assert page.all(".outbox-row") == []
    draft = alice.get(page.one(".notice a")["href"])
    assert draft.one("form.compose-form [name=subject]")["value"] == "Sortie"


# --- no worker is alive ----------------------------------------------------------------------------------------------


@pytest.fixture
def stopped(alice):
    Worker.update(seen=now() - timedelta(minutes=3)).execute()


def test_the_outbox_says_that_sending_is_stopped(alice, bob, stopped):
    assert STOPPED not in alice.get("/outbox").text  # nothing waits
    write(alice, to=bob.address, subject="s", body="b", action="send")
    page = alice.get("/outbox")
    told = page.one("#stopped").get_text()
    assert STOPPED in told and "safe here" in told and "Tell your administrator" in told
    assert "Waiting until sending works again." in outbox_row(page)
    Worker.update(seen=now()).execute()
    assert STOPPED not in alice.get("/outbox").text


def test_the_notice_after_send_says_that_sending_is_stopped(alice, bob, stopped, app):
    app.extensions["settings"] = replace(app.extensions["settings"], undo_seconds=30)
    page = write(alice, to=bob.address, subject="s", body="b", action="send")
    assert STOPPED in page.notices and "Sending in" not in page.notices and "on its way" not in page.notices
    assert page.one(".notice form")
    Outbox.update(due=now()).execute()
    assert STOPPED in alice.get(f"/outbox/{Outbox.get().id}/state").text


def test_the_note_about_a_scheduled_message_says_that_sending_is_stopped(alice, bob, stopped):
    page = write(alice, to=bob.address, subject="s", body="b", action="later:tomorrow")
    assert send_later.waits(Outbox.get())
    assert "The message will be sent on" in page.notices and STOPPED in page.notices


def test_with_a_worker_the_seconds_are_there_to_count_down(alice, bob, app):
    app.extensions["settings"] = replace(app.extensions["settings"], undo_seconds=30)
    page = write(alice, to=bob.address, subject="s", body="b", action="send")
    [words] = page.all("[data-left]")
    assert words.get_text() == "Sending in 30 s."
    assert 25 < float(words["data-left"]) <= 30
    assert "countdown.js" in words["data-script"]


# --- names -----------------------------------------------------------------------------------------------------------


def test_the_banner_names_the_message(alice, work):
    write(alice, to="nobody-at-all@lycee.example", subject="Class <b>trip", body="b", action="send")
    work()
    assert Outbox.get().state == OutboxState.FAILED
    assert "“Class <b>trip” was not sent." in alice.get("/mailbox/INBOX").notices
    write(alice, to="nobody-at-all@lycee.example", subject="t", body="b", action="send")
    work()
    assert "2 messages could not be sent to everyone." in alice.get("/mailbox/INBOX").notices


def test_domains_are_shown_in_their_own_letters_unless_they_deceive(alice, work):
    write(alice, to="info@bücher.example", subject="livres", body="b", action="send")
    assert "To: info@bücher.example" in outbox_row(alice.get("/outbox"))
    work()
    sent = alice.get("/mailbox/Sent")
    assert "info@bücher.example" in sent.one("[data-row]").get_text()
    message = alice.get(sent.link("livres"))
    assert "info@bücher.example" in message.text and "xn--bcher" not in message.one(".letterhead").get_text()
    Outbox.update(state=OutboxState.WAITING, recipients='["a@xn--80ak6aa92e.com"]').execute()
    assert "a@xn--80ak6aa92e.com" in outbox_row(alice.get("/outbox"))


def test_the_room_for_files_is_told_before_any_is_attached(alice):
    assert "Up to 2.2 MB of files in total" in alice.get("/compose").one("#room-for-files").get_text().replace("\xa0", " ")
