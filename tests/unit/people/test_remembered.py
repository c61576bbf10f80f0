"""Whom suggestions remember: listed, forgotten, taken back; trust is not touched."""

from __future__ import annotations

from datetime import datetime

from webmail.mail import Address
from webmail.models import Acquaintance, Correspondent, Outbox, User, now
from webmail.people import correspondents
from webmail.people.suggestions import remembered

THEN = datetime(2026, 3, 1)


def test_written_to_come_first_and_each_once(alice: User) -> None:
    Correspondent.create(user=alice, address="ann@x.example", count=3, last=THEN)
    Acquaintance.create(user=alice, address="ann@x.example", name="Ann", count=9, last=now())
    Acquaintance.create(user=alice, address="zoé@xn--bcher-kva.example", name="Zoé", count=99, last=THEN)
    ann, zoe = remembered.listing(alice)
    assert (ann.name, ann.written, ann.received) == ("Ann", 3, 9) and ann.last > THEN
    assert (zoe.shown, zoe.written, zoe.received) == ("zoé@bücher.example", 0, 99)
    assert [one.address for one in remembered.listing(alice, "zoe buch")] == [zoe.address]


def test_forgotten_is_hidden_but_still_written_to_and_comes_back_by_writing(alice: User) -> None:
    Correspondent.create(user=alice, address="ann@x.example", count=3)
    Acquaintance.create(user=alice, address="ann@x.example")
    assert remembered.forget(alice, "ann@x.example")
    assert not remembered.forget(alice, "ann@x.example")
    assert remembered.listing(alice) == [] and correspondents.has_written(alice, "ann@x.example")
    remembered.take_back(alice, "ann@x.example")
    assert len(remembered.listing(alice)) == 1
    remembered.forget(alice, "ann@x.example")
    row = Outbox(user=alice, draft="d", message_id="<1@x>", recipients="[]", sender=alice.address, content=b"", refused="{}")
    correspondents.note(row, (Address("Ann", "ann@x.example"),))
    assert [(one.address, one.written) for one in remembered.listing(alice)] == [("ann@x.example", 4)]


def test_nobody_forgets_for_another(alice: User, bob: User) -> None:
    Correspondent.create(user=bob, address="ann@x.example")
    assert not remembered.forget(alice, "ann@x.example")
    assert remembered.listing(alice) == [] and len(remembered.listing(bob)) == 1
