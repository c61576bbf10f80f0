"""Reminders to guests of a meeting leave and arrive: by a click, and by itself two days before, to those who have not replied."""

from __future__ import annotations

from datetime import date, timedelta

from tests.support.visits import Visitor
from webmail.calendar.guests import reminder_rounds
from webmail.calendar.notifications import guest_letters
from webmail.database.connection import db
from webmail.models import GuestReminder, Outbox

FORM = "form[data-event-form]"
DAY = (date.today() + timedelta(days=30)).isoformat()


def invitations(client, address: str) -> int:
    """How many of them arrived for a guest."""
    client.select_folder("INBOX")
    client.noop()
    return len(client.search(["SUBJECT", "Conseil des guests", "TO", address]))


def leave(visitor: Visitor, deliver) -> None:
    """Undo's time is over, and the worker comes by."""
    with db.connection_context():
        Outbox.update(due=Outbox.created).execute()
    deliver()


def test_guests_who_have_not_replied_are_reminded_by_a_click_and_two_days_before(
    checking_app, alice, make_account, imap_of, deliver
):
    bob, cat = Visitor(checking_app, make_account("bob")).sign_in(), make_account("cat")
    fields = {"title": "Conseil des guests", "start": DAY, "start_hour": "17:00", "end": DAY, "end_hour": "18:00"}
    event = alice.submit(
        alice.get("/calendar/events/new"), FORM, **fields, invite=f"{bob.address}, {cat}", remind_guests="1", action="save"
    ).address
    leave(alice, deliver)
    boxes = {address: imap_of(address) for address in (bob.address, cat)}
    assert {address: invitations(box, address) for address, box in boxes.items()} == {bob.address: 1, cat: 1}
    [uid] = boxes[bob.address].search(["SUBJECT", "Conseil des guests"])
    bob.submit(bob.get(f"/message/{uid}/INBOX"), "form[action^='/calendar/from/']", action="accept")
    leave(bob, deliver)
    alice.submit(alice.get(event), "form[action$='/remind']")
    leave(alice, deliver)
    assert {address: invitations(box, address) for address, box in boxes.items()} == {bob.address: 1, cat: 2}
    with db.connection_context(), checking_app.app_context():
        due, settings = GuestReminder.get().due, checking_app.extensions["settings"]
        for _round in range(2):
            reminder_rounds.sweep(lambda user: guest_letters.posting(user, settings), due)
    leave(alice, deliver)
    assert {address: invitations(box, address) for address, box in boxes.items()} == {bob.address: 1, cat: 3}
