"""Birthdays filled in while a contact changes: whoever comes later knows the card of now."""

from __future__ import annotations

import threading

import pytest

from tests.support.contact_pages import add
from tests.support.visits import Visitor
from webmail.calendar import birthdays
from webmail.contacts import store
from webmail.database.connection import db
from webmail.models import CalendarObject, Collection, Contact, User


def _texts(user: User) -> list[str]:
    mine = (Collection.user == user) & (Collection.derived == birthdays.DERIVED)
    return [row.text for row in CalendarObject.select(CalendarObject.text).join(Collection).where(mine)]


@pytest.mark.parametrize("begun", [True, False])
def test_a_change_that_is_not_over_yet_is_not_lost(alice: Visitor, begun: bool) -> None:
    """The worker begins while a request has changed the card and not committed: before or after the person is known to it."""
    add(alice, "Bob", "bob@lycee.example", birthday="1/2/1980")
    changed, filling = threading.Event(), threading.Event()
    with db.connection_context():
        user = User.get(User.address == alice.address)
        if begun:
            birthdays.choose(user, True, "en")

    def change() -> None:
        with db.connection_context(), db.atomic():
            row = Contact.get(Contact.user == user)
            store.put(user, row.vcard.replace("1980-02-01", "1980-05-06"), row)
            changed.set()
            filling.wait(0.3)  # on PostgreSQL the worker waits for this transaction from now on; on SQLite it did from the start

    thread = threading.Thread(target=change)
    thread.start()
    assert changed.wait(5)
    with db.connection_context():
        with db.atomic():
            birthdays._begun(user, "en")
        birthdays.fill(user.id)
        filling.set()
        thread.join(10)
        [text] = _texts(user)
        assert "DTSTART;VALUE=DATE:19800506" in text
