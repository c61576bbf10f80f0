"""What leaves an organiser, to whom, and what guests make of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.calendar_texts import calendar, times
from tests.support.meetings import ANN, BOB, MOVED, NOON, ONCE, PEOPLE, SERIES, ZONE, answer
from webmail.itip import distribution, guest_list, incoming
from webmail.itip.distribution import Distributed
from webmail.itip.messages import ItipMessage
from webmail.itip.receiving import receive
from webmail.mime.formats.recurrence import series

DAN = "|ATTENDEE;CN=Dan:mailto:dan@x.example"


def distributed(before: str, after: str) -> Distributed:
    return distribution.distributed(before, after, ANN, NOON)


def told(messages: tuple[ItipMessage, ...]) -> list[str]:
    """Each message in a line: "REQUEST bob cat 20261215T090000"."""
    return sorted(" ".join([one.method, *(to.partition("@")[0] for to in one.recipients), *one.at]) for one in messages)


def test_a_new_event_invites_all_but_its_organiser() -> None:
    found = distributed("", calendar(f"{ONCE}|ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@x.example"))
    assert told(found.messages) == ["REQUEST bob cat"]
    assert found.messages[0].sender == "ann@x.example"


def test_new_guests_are_asked_for_an_answer() -> None:
    found = distributed("", calendar(ONCE + DAN))
    assert "PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:dan" in found.text.replace("\r\n ", "")


def test_another_time_raises_the_number_and_asks_all_again() -> None:
    before = calendar(ONCE.replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED"))
    found = distributed(before, before.replace("T1000", "T1030"))
    assert told(found.messages) == ["REQUEST bob cat"]
    assert "SEQUENCE:2" in found.text
    assert answer(found.text, "bob") == "needs-action"


def test_another_place_asks_nobody_again() -> None:
    first = distributed("", calendar(ONCE.replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED")))
    before = first.text
    found = distributed(before, before.replace("SUMMARY", "LOCATION:B12\r\nSUMMARY"))
    assert told(found.messages) == ["REQUEST bob cat"]
    assert "SEQUENCE:1" in found.text
    assert answer(found.text, "bob") == "accepted"
    mine = receive("", incoming.read(first.messages[0].text)[0], BOB).text
    assert receive(mine, incoming.read(found.messages[0].text)[0], BOB).effect == "changed"


@pytest.mark.parametrize(
    "mine", ["CATEGORIES:x", "COLOR:red", "TRANSP:TRANSPARENT", "X-TRABOULE-A:b", "BEGIN:VALARM\r\nEND:VALARM"]
)
def test_what_is_mine_tells_nobody(mine: str) -> None:
    before = calendar(ONCE)
    assert distributed(before, before.replace("END:VEVENT", f"{mine}\r\nEND:VEVENT")).messages == ()
    sent = distributed("", before.replace("END:VEVENT", f"{mine}\r\nEND:VEVENT")).messages[0].text
    assert mine.startswith("TRANSP") or mine.partition("\r")[0] not in sent


def test_guests_come_and_go() -> None:
    assert told(distributed(calendar(ONCE), calendar(ONCE + DAN)).messages) == ["REQUEST dan"]
    found = distributed(calendar(ONCE + DAN), calendar(ONCE))
    assert told(found.messages) == ["CANCEL dan"]
    assert "SEQUENCE:2" in found.messages[0].text


@pytest.mark.parametrize("after", ["", calendar(f"{ONCE}|STATUS:CANCELLED")])
def test_an_event_is_cancelled(after: str) -> None:
    found = distributed(calendar(ONCE), after)
    assert told(found.messages) == ["CANCEL bob cat"]
    assert receive(calendar(ONCE), incoming.read(found.messages[0].text)[0], BOB).effect == "cancelled"
    assert not after or distributed(found.text, "").messages == ()


def test_one_of_a_series_is_left_out_moved_or_cancelled() -> None:
    before = calendar(SERIES)
    out = distributed(before, series.take_one(before, "20261215T090000"))
    assert told(out.messages) == ["CANCEL bob cat 20261215T090000"]
    moved = distributed(before, calendar(SERIES, MOVED))
    assert told(moved.messages) == ["REQUEST bob cat 20261215T090000"]
    cancelled = distributed(before, calendar(SERIES, f"{MOVED}|STATUS:CANCELLED"))
    assert told(cancelled.messages) == ["CANCEL bob cat 20261215T090000"]
    back = distributed(calendar(SERIES, MOVED), before)
    assert told(back.messages) == ["REQUEST bob cat"]


def test_a_guest_of_one_alone() -> None:
    found = distributed(calendar(SERIES, MOVED), calendar(SERIES, MOVED + DAN))
    assert told(found.messages) == ["REQUEST dan 20261215T090000"]
    found = distributed(calendar(SERIES, MOVED + DAN), "")
    assert told(found.messages) == ["CANCEL bob cat", "CANCEL dan 20261215T090000"]
    alone = MOVED.replace("|ATTENDEE;CN=Cat;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:cat@x.example", "")
    assert told(distributed(calendar(SERIES, MOVED), calendar(SERIES, alone)).messages) == ["CANCEL cat 20261215T090000"]


@pytest.mark.parametrize("agent", ["CLIENT", "NONE", "X-OTHER"])
def test_guests_whom_another_program_tells(agent: str) -> None:
    there = calendar(ONCE.replace("ATTENDEE;CN=Cat", f"ATTENDEE;SCHEDULE-AGENT={agent};CN=Cat"))
    found = distributed("", there)
    assert told(found.messages) == ["REQUEST bob"]
    assert "SCHEDULE-AGENT" not in found.messages[0].text


def test_what_is_over_and_what_others_organise_is_never_sent() -> None:
    past = calendar(ONCE.replace("20261208", "20251208"))
    assert distributed("", past).messages == distributed(past, "").messages == ()
    other = calendar(ONCE)
    assert distribution.distributed(other, "", BOB, NOON).messages == ()
    assert distribution.distributed("", other, BOB, NOON).text == other
    assert distributed("", calendar(f"DTSTART{ZONE}:20261208T090000|SUMMARY:x")).messages == ()
    late = distribution.distributed("", calendar(SERIES), ANN, datetime(2027, 1, 1, tzinfo=UTC))
    assert told(late.messages) == ["REQUEST bob cat"]


def test_who_is_only_named_gets_no_mail() -> None:
    lines = "|ATTENDEE;ROLE=NON-PARTICIPANT:mailto:dan@x.example|ATTENDEE;CUTYPE=ROOM;RSVP=FALSE:mailto:b12@x.example"
    assert told(distributed("", calendar(ONCE + lines)).messages) == ["REQUEST bob cat"]
    assert told(distributed("", calendar(f"{ONCE}|ATTENDEE;CUTYPE=ROOM;RSVP=TRUE:mailto:b12@x.example")).messages) == [
        "REQUEST bob cat b12"
    ]


def test_guests_do_not_see_each_other() -> None:
    found = distributed("", guest_list.hide(calendar(ONCE)))
    assert told(found.messages) == ["REQUEST bob", "REQUEST cat"]
    assert "mailto:cat" not in found.messages[0].text
    assert "X-TRABOULE" not in found.messages[0].text
    gone = distributed(found.text, "")
    assert told(gone.messages) == ["CANCEL bob", "CANCEL cat"]
    assert "mailto:cat" not in gone.messages[0].text


def test_the_same_is_told_once_and_again_only_when_asked() -> None:
    first, second = (
        distributed("", calendar(ONCE)),
        distribution.distributed("", calendar(ONCE), ANN, datetime(2026, 12, 2, tzinfo=UTC)),
    )
    assert first.messages[0].digest("bob@x.example") == second.messages[0].digest("BOB@x.example")
    assert first.messages[0].digest("bob@x.example") != first.messages[0].digest("cat@x.example")
    (again,) = distribution.again(first.text, ANN, NOON, ["cat@x.example"], comment="Rappel")
    assert (told((again,)), "COMMENT:Rappel" in again.text) == (["REQUEST cat"], True)


def test_a_series_of_200_with_12_exceptions_and_40_guests() -> None:
    """Made, changed from the 7th on, one left out, cancelled: each side is right at each step."""
    people = "".join(f"|ATTENDEE:mailto:g{n}@x.example" for n in range(38)) + "|" + PEOPLE
    whole = f"DTSTART{ZONE}:20261201T150000|DTEND{ZONE}:20261201T160000|SUMMARY:Cours|RRULE:FREQ=DAILY;COUNT=200|{people}"
    days = [f"202612{day:02}" for day in range(10, 22)]
    changed = [
        f"RECURRENCE-ID{ZONE}:{day}T150000|DTSTART{ZONE}:{day}T170000|DTEND{ZONE}:{day}T180000|SUMMARY:Cours|{people}"
        for day in days
    ]
    made = distributed("", calendar(whole, *changed))
    assert [len(one.recipients) for one in made.messages] == [40]
    bob = receive("", incoming.read(made.messages[0].text)[0], BOB).text
    assert times(bob) == times(made.text)
    before, at = made.text, "20261207T150000"
    ended = distributed(before, series.end_before(before, at))
    following = distributed("", series.from_on(before, at, "two"))
    bob = receive(bob, incoming.read(ended.messages[0].text)[0], BOB).text
    other = receive("", incoming.read(following.messages[0].text)[0], BOB).text
    assert (len(times(bob)), len(times(other))) == (6, 194)
    assert times(other) == times(following.text)
    out = distributed(following.text, series.take_one(following.text, "20261230T150000"))
    assert [one.at for one in out.messages] == [("20261230T150000",)]
    other = receive(other, incoming.read(out.messages[0].text)[0], BOB).text
    assert (len(times(out.text)), other.count("STATUS:CANCELLED")) == (193, 1)
    gone = distributed(out.text, "")
    assert [one.method for one in gone.messages] == ["CANCEL"]
    other = receive(other, incoming.read(gone.messages[0].text)[0], BOB).text
    assert other.count("STATUS:CANCELLED") == other.count("BEGIN:VEVENT")
