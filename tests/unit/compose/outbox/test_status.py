"""What waits and what failed, as every page tells it."""

from tests.support.outbox import deliver, pending
from webmail.compose.outbox import queue, status


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
