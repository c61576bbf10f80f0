"""Messages sent on as they are."""

from datetime import UTC, datetime

import pytest

from webmail.compose.outbox import queue, resend
from webmail.errors import NotAllowedError
from webmail.mail import Address, Envelope, Identity, Message, Structure
from webmail.models import Correspondent, Outbox
from webmail.people import correspondents

WHEN = datetime(2026, 11, 24, tzinfo=UTC)
RECEIVED = Message("INBOX", 11, 22, frozenset(), 100, WHEN, Envelope(subject="Sortie", message_id="<3@x>"), Structure())


def send_on(alice, settings, identity=None, original=b"From: carl@x.example\r\nTo: dora@x.example\r\n\r\nhello\r\n"):
    me = identity or Identity("Alice", alice.address)
    return resend.send_on(alice, RECEIVED, original, me, (Address("Bob", "bob@x.example"),), settings, None)


def test_a_message_sent_on_waits_in_the_outbox(alice, settings):
    row = Outbox.get(Outbox.id == send_on(alice, settings).id)
    assert (row.sender, row.recipients, row.source_flag) == (alice.address, '["bob@x.example"]', "$Forwarded")
    assert bytes(row.content).startswith(b"Resent-From: ")


def test_nobody_sends_on_as_somebody_else(alice, settings):
    with pytest.raises(NotAllowedError):
        send_on(alice, settings, Identity("", "headmaster@lycee.example"))


def test_one_has_not_written_to_those_whom_its_author_wrote_to(alice, settings):
    correspondents.note(send_on(alice, settings))
    assert [row.address for row in Correspondent.select()] == ["bob@x.example"]


def test_a_second_click_sends_nothing_on_again(alice, settings):
    def click(form="f", to="bob@x.example"):
        me, original = Identity("Alice", alice.address), b"From: carl@x.example\r\n\r\nhello\r\n"
        return resend.send_on(alice, RECEIVED, original, me, (Address("", to),), settings, None, form)

    first = click()
    assert (click().id, Outbox.select().count()) == (first.id, 1)
    queue.undo(alice, first.id)
    again = click()
    assert (again.id, again.state, bytes(again.content)[:13]) == (first.id, "waiting", b"Resent-From: ")
    assert len({first.id, click(to="eve@x.example").id, click(form="g").id}) == 3
