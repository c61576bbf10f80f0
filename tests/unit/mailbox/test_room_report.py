"""Room report: senders and old newsletters are added up in bounded memory, whatever the mailbox holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from webmail.imap.mailbox_list.space_usage import CountedMessage
from webmail.mail import Address
from webmail.mailbox.quota import space_report
from webmail.mailbox.quota.space_report import RoomReport

OLD, NEW = datetime(2025, 1, 2, tzinfo=UTC), datetime(2026, 7, 2, tzinfo=UTC)


def one(address: str, size: int = 100, received: datetime = OLD, uid: int = 1, **more: bool) -> CountedMessage:
    return CountedMessage(uid, size, received, Address("", address), more.get("is_list", False), more.get("can_be_left", False))


def report() -> RoomReport:
    return RoomReport("2026-01-01")


def test_a_million_senders_take_no_more_memory_than_some_thousands() -> None:
    found = report()
    for start in range(0, 20_000, 500):
        found.add([one(f"s{n}@x.example", 10 + n % 7) for n in range(start, start + 500)], "INBOX", 1)
        found.add([one("big@x.example", 5_000)], "INBOX", 1)
    assert len(found.senders) <= 2 * space_report._MOST_KEPT
    told = found.dumped(20, 50)
    assert told["senders"][0]["address"] == "big@x.example" and told["senders"][0]["size"] == 40 * 5_000
    assert len(told["senders"]) == 20 and len(json.dumps(told)) < 10_000


def test_it_goes_on_where_it_was() -> None:
    found = report()
    found.add([one("a@x.example", is_list=True, can_be_left=True, uid=7)], "INBOX", 3)
    again = RoomReport.load(json.loads(json.dumps(found.dumped())))
    assert again == found


def test_the_way_to_leave_is_that_of_the_newest_message() -> None:
    found = report()
    found.add([one("a@x.example", is_list=True, can_be_left=True, uid=1)], "INBOX", 3)
    found.add([one("a@x.example", is_list=True, can_be_left=True, uid=9, received=NEW)], "INBOX", 3)
    found.add([one("b@x.example", is_list=True, uid=10)], "INBOX", 3)
    assert (found.newsletters["a@x.example"].uid, found.newsletters["a@x.example"].count) == (9, 1)
    assert found.newsletters["b@x.example"].uid == 0


def test_messages_without_a_sender_count_but_have_no_row() -> None:
    found = report()
    found.add([one("")], "INBOX", 1)
    assert found.messages == 1 and found.senders == {}
