"""What waits and what failed, as every page tells it."""

from tests.support.outbox import deliver, pending
from webmail.compose.outbox import queue, status
from webmail.models import Outbox, OutboxState


def test_what_is_pending_is_counted(here, alice, bob):
    assert pending(alice).total == 0
    first, second, third = (here.enqueue(here.draft()) for _ in range(3))
    assert pending(alice) == status.OutboxStatus(waiting=3, failed=0)
    queue.undo(alice, first.id)
    here.server.faults = ["550@rcpt", "ok"]
    deliver(here, second)
    assert pending(alice) == status.OutboxStatus(waiting=1, failed=1)
    deliver(here, third)
    queue.dismiss(alice, second.id)
    assert pending(alice).total == 0
    assert pending(bob).total == 0


def test_a_message_in_trouble_says_how_many_were_refused(here, alice):
    assert status.troubled_message(alice) is None
    here.server.faults = ["550@rcpt"]
    deliver(here, here.enqueue(here.draft()))
    Outbox.update(subject="x" * 70).execute()
    one = status.troubled_message(alice)
    assert (one.subject, one.state, one.people) == ("x" * 59 + "…", OutboxState.FAILED, 3)
    row = Outbox.get()
    row.state, row.refused, row.people = OutboxState.SENT, '{"a@x.example": "550 no", "b@x.example": "550 no"}', 14
    row.save()
    one = status.troubled_message(alice)
    assert (one.state, one.refused, one.people) == (OutboxState.SENT, 2, 14)
