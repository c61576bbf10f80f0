"""Tables of RFC 5546: each method, by what is in the calendar, by the role, for one event, a series, one of it, and one of it
without the series."""

from __future__ import annotations

import pytest

from tests.support.calendar_texts import calendar, times
from tests.support.meetings import ANN, BOB, MOVED, NOON, ONCE, SECOND, SERIES, ZONE, answer, said
from webmail.itip import answers
from webmail.itip.outcome import Effect
from webmail.itip.receiving import receive

THERE = {
    "nothing": "",
    "once": calendar(ONCE),
    "series": calendar(SERIES),
    "changed": calendar(SERIES, MOVED),
    "one": calendar(MOVED),
}
NEWER = {"once": ONCE, "series": SERIES, "one": MOVED}
REPLY = "SEQUENCE:1|ORGANIZER:mailto:ann@x.example|ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@x.example"


def _newer(kind: str) -> str:
    return NEWER[kind].replace("SEQUENCE:1", "SEQUENCE:2")


@pytest.mark.parametrize(
    ("there", "sent", "effect"),
    [
        ("nothing", "once", "new"), ("nothing", "series", "new"), ("nothing", "one", "new"),
        ("once", "once", "changed"), ("once", "series", "changed"), ("once", "one", "changed"),
        ("series", "once", "changed"), ("series", "series", "changed"), ("series", "one", "changed"),
        ("changed", "once", "changed"), ("changed", "series", "changed"), ("changed", "one", "changed"),
        ("one", "once", "changed"), ("one", "series", "changed"), ("one", "one", "changed"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["REQUEST", "PUBLISH"])
def test_a_newer_version_counts(method: str, there: str, sent: str, effect: str) -> None:
    found = receive(THERE[there], said(method, _newer(sent)), BOB)
    assert found.effect == effect
    assert found.text


@pytest.mark.parametrize("kind", ["once", "series", "one"])
def test_the_same_again_changes_nothing_and_an_older_one_neither(kind: str) -> None:
    there = receive("", said("REQUEST", _newer(kind)), BOB).text
    assert receive(there, said("REQUEST", _newer(kind)), BOB).effect == Effect.SAME
    assert receive(there, said("REQUEST", NEWER[kind]), BOB).effect == Effect.OLD
    assert receive(there, said("REQUEST", NEWER[kind]), BOB).text == ""


def test_one_of_a_series_leaves_the_others() -> None:
    found = receive(THERE["series"], said("REQUEST", MOVED.replace("SEQUENCE:1", "SEQUENCE:2")), BOB)
    assert times(found.text)[:3] == ["2026-12-08 09:00 Conseil", "2026-12-15 14:00 Conseil", "2026-12-22 09:00 Conseil"]
    assert found.at == ("20261215T090000",)


def test_one_that_the_series_does_not_have_is_not_taken() -> None:
    stray = MOVED.replace("20261215T090000", "20261216T090000")
    assert receive(THERE["series"], said("REQUEST", stray), BOB).text == ""


def test_one_without_a_series_is_joined_by_another_and_then_by_the_series() -> None:
    other = MOVED.replace("20261215", "20261222")
    both = receive(THERE["one"], said("REQUEST", other), BOB).text
    assert times(both) == ["2026-12-15 14:00 Conseil", "2026-12-22 14:00 Conseil"]
    whole = receive(both, said("REQUEST", SERIES.replace("SEQUENCE:1", "SEQUENCE:2")), BOB).text
    assert len(times(whole)) == 10


def test_what_was_said_of_one_after_a_version_of_the_series_stays() -> None:
    there = calendar(SERIES, MOVED.replace("SEQUENCE:1", "SEQUENCE:5"))
    whole = receive(there, said("REQUEST", SERIES.replace("SEQUENCE:1", "SEQUENCE:3")), BOB).text
    assert times(whole)[1] == "2026-12-15 14:00 Conseil"
    whole = receive(there, said("REQUEST", SERIES.replace("SEQUENCE:1", "SEQUENCE:6")), BOB).text
    assert times(whole)[1] == "2026-12-15 09:00 Conseil"


def test_one_is_named_in_another_zone_or_by_windows() -> None:
    for named in ("RECURRENCE-ID:20261215T080000Z", 'RECURRENCE-ID;TZID="Romance Standard Time":20261215T090000'):
        found = receive(THERE["changed"], said("REQUEST", MOVED.replace(SECOND, named).replace("SEQUENCE:1", "SEQUENCE:2")), BOB)
        assert found.effect == Effect.CHANGED
        assert found.text.count("RECURRENCE-ID") == 1


# --- CANCEL ---


@pytest.mark.parametrize(
    ("there", "sent", "effect", "cancelled"),
    [
        ("nothing", "SEQUENCE:2", "unknown", 0), ("nothing", f"{SECOND}|SEQUENCE:2", "unknown", 0),
        ("once", "SEQUENCE:2", "cancelled", 1), ("once", f"{SECOND}|SEQUENCE:2", "unknown", 0),
        ("once", f"RECURRENCE-ID{ZONE}:20261208T090000|SEQUENCE:2", "cancelled", 1),
        ("series", "SEQUENCE:2", "cancelled", 1), ("series", f"{SECOND}|SEQUENCE:2", "cancelled", 1),
        ("series", f"{SECOND}|SEQUENCE:0", "old", 0), ("series", "SEQUENCE:0", "old", 0),
        ("series", f"RECURRENCE-ID{ZONE}:20261216T090000|SEQUENCE:2", "unknown", 0),
        ("changed", "SEQUENCE:2", "cancelled", 2), ("changed", f"{SECOND}|SEQUENCE:2", "cancelled", 1),
        ("one", "SEQUENCE:2", "cancelled", 1), ("one", f"{SECOND}|SEQUENCE:2", "cancelled", 1),
        ("one", f"RECURRENCE-ID{ZONE}:20261222T090000|SEQUENCE:2", "unknown", 0),
    ],
)  # fmt: skip
def test_a_cancellation(there: str, sent: str, effect: str, cancelled: int) -> None:
    found = receive(THERE[there], said("CANCEL", f"{sent}|ORGANIZER:mailto:ann@x.example"), BOB)
    assert (found.effect, found.text.count("STATUS:CANCELLED")) == (effect, cancelled)
    if found.text:
        assert receive(found.text, said("CANCEL", f"{sent}|ORGANIZER:mailto:ann@x.example"), BOB).effect == Effect.SAME


def test_one_cancelled_does_not_cancel_the_series() -> None:
    whole = SERIES.replace("SEQUENCE:1", "SEQUENCE:2")
    for sent in ((whole, f"{SECOND}|SEQUENCE:2|STATUS:CANCELLED"), (f"{whole}|EXDATE{ZONE}:20261215T090000",)):
        found = receive(THERE["series"], said("CANCEL", *sent), BOB)
        assert (found.effect, found.at) == (Effect.CANCELLED, ("20261215T090000",))
        assert found.text.count("STATUS:CANCELLED") == 1


def test_this_and_the_following_are_cancelled() -> None:
    sent = said("CANCEL", f"RECURRENCE-ID;RANGE=THISANDFUTURE{ZONE}:20261222T090000|SEQUENCE:2")
    assert len(times(receive(THERE["series"], sent, BOB).text)) == 2


# --- ADD, DECLINECOUNTER, what is no message ---


def test_a_time_is_added_to_a_series() -> None:
    extra = ONCE.replace("20261208T0900", "20261210T0900").replace("20261208T1000", "20261210T1100")
    sent = said("ADD", extra.replace("SEQUENCE:1", "SEQUENCE:2"))
    found = receive(THERE["series"], sent, BOB)
    assert times(found.text)[:3] == ["2026-12-08 09:00 Conseil", "2026-12-10 09:00 Conseil", "2026-12-15 09:00 Conseil"]
    assert receive(found.text, sent, BOB).effect == Effect.SAME
    assert receive("", sent, BOB).effect == Effect.INCOMPLETE


def test_the_organiser_keeps_the_time() -> None:
    found = receive(THERE["once"], said("DECLINECOUNTER", f"{REPLY}|COMMENT:Désolée"), BOB)
    assert (found.effect, found.text, found.comment) == (Effect.REFUSED, "", "Désolée")


@pytest.mark.parametrize("method", ["FOO", "REPLY", "COUNTER", "ADD", "REQUEST", "CANCEL", "REFRESH"])
def test_nonsense_changes_nothing(method: str) -> None:
    for event in ("SUMMARY:x", "DTSTART:x|RECURRENCE-ID:y", "DTSTART:99999999T999999Z|ATTENDEE:x"):
        for there in (THERE["series"], THERE["one"], "x"):
            if method != "CANCEL" or there == "x":
                assert receive(there, said(method, event), BOB).text == ""


# --- what is mine ---


def test_an_update_keeps_what_is_mine() -> None:
    there = receive("", said("REQUEST", f"{ONCE}|DESCRIPTION:Ordre du jour"), BOB).text
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT7M\r\nEND:VALARM\r\n"
    mine = f"CATEGORIES:Moi\r\nTRANSP:TRANSPARENT\r\nCOLOR:red\r\nCLASS:PRIVATE\r\n{alarm}END:VEVENT"
    there = there.replace("Ordre du jour", "Ordre du jour\\nPrendre le projecteur").replace("END:VEVENT", mine)
    there = answers.answered(there, "", BOB, "accepted", NOON).text
    newer = f"{ONCE}|DESCRIPTION:Ordre du jour|LOCATION:B12|CATEGORIES:Ann".replace("SEQUENCE:1", "SEQUENCE:2")
    found = receive(there, said("REQUEST", newer), BOB).text
    for line in (
        "LOCATION:B12",
        "CATEGORIES:Moi",
        "TRANSP:TRANSPARENT",
        "COLOR:red",
        "CLASS:PRIVATE",
        "TRIGGER:-PT7M",
        "projecteur",
    ):
        assert found.count(line) == 1
    assert "CATEGORIES:Ann" not in found
    assert answer(found, "bob") == "accepted"
    other = said("REQUEST", newer.replace("20261208T0900", "20261208T0930").replace("SEQUENCE:2", "SEQUENCE:3"))
    assert answer(receive(found, other, BOB).text, "bob") == "needs-action"


def test_an_answer_to_one_stays_when_the_series_is_sent_again() -> None:
    there = receive("", said("REQUEST", SERIES, MOVED), BOB).text
    there = answers.answered(there, "", BOB, "accepted", NOON).text
    there = answers.answered(there, "20261215T090000", BOB, "declined", NOON).text
    again = [one.replace("SEQUENCE:1", "SEQUENCE:2|LOCATION:B12") for one in (SERIES, MOVED)]
    found = receive(there, said("REQUEST", *again), BOB).text
    assert (answer(found, "bob"), answer(found, "bob", 1)) == ("accepted", "declined")


def test_nothing_is_answered_for_me() -> None:
    sent = said("REQUEST", ONCE.replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED"))
    assert answer(receive("", sent, BOB).text, "bob") == "needs-action"


# --- REPLY ---


@pytest.mark.parametrize(
    ("there", "sent", "effect"),
    [
        ("nothing", REPLY, "unknown"), ("nothing", f"{SECOND}|{REPLY}", "unknown"),
        ("once", REPLY, "answered"), ("once", f"{SECOND}|{REPLY}", "unknown"),
        ("series", REPLY, "answered"), ("series", f"{SECOND}|{REPLY}", "answered"),
        ("series", f"RECURRENCE-ID{ZONE}:20261216T090000|{REPLY}", "unknown"),
        ("changed", REPLY, "answered"), ("changed", f"{SECOND}|{REPLY}", "answered"),
        ("one", f"{SECOND}|{REPLY}", "answered"), ("one", REPLY, "answered"),
        ("once", REPLY.replace("SEQUENCE:1", "SEQUENCE:0"), "old"),
        ("once", REPLY.replace("bob", "mallory"), "uninvited"),
        ("once", REPLY.replace("ACCEPTED", "NEEDS-ACTION"), "unusable"),
        ("once", REPLY.replace("SEQUENCE:1|ORGANIZER:mailto:ann@x.example|", ""), "answered"),  # Exchange
    ],
)  # fmt: skip
def test_a_guest_answers(there: str, sent: str, effect: str) -> None:
    found = receive(THERE[there], said("REPLY", sent), ANN)
    assert found.effect == effect
    assert bool(found.text) == (effect == "answered")


def test_one_component_answers_a_series_with_exceptions() -> None:
    found = receive(THERE["changed"], said("REPLY", REPLY), ANN)
    assert (answer(found.text, "bob"), answer(found.text, "bob", 1)) == ("accepted", "accepted")
    assert answer(found.text, "cat") == "needs-action"


def test_one_that_was_answered_otherwise_stays_so() -> None:
    there = receive(THERE["series"], said("REPLY", f"{SECOND}|{REPLY}".replace("ACCEPTED", "DECLINED")), ANN).text
    found = receive(there, said("REPLY", REPLY, stamp="20260102T000000Z"), ANN).text
    assert (answer(found, "bob"), answer(found, "bob", 1)) == ("accepted", "declined")
    assert len(times(found)) == 10


def test_the_latest_of_three_answers_counts_in_whatever_order_they_come() -> None:
    given = [("ACCEPTED", "20260101T100000Z"), ("DECLINED", "20260101T110000Z"), ("ACCEPTED", "20260101T120000Z")]
    messages = [said("REPLY", REPLY.replace("ACCEPTED", word), stamp=stamp) for word, stamp in given]
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        there = THERE["once"]
        for number in order:
            there = receive(there, messages[number], ANN).text or there
        assert answer(there, "bob") == "accepted"


def test_an_answer_changes_nothing_else() -> None:
    sent = said("REPLY", f"{REPLY}|DTSTART{ZONE}:20270101T000000|SUMMARY:x|ATTENDEE;PARTSTAT=DECLINED:mailto:cat@x.example")
    found = receive(THERE["once"], sent, ANN)
    assert answer(found.text, "cat") == "needs-action"
    assert times(found.text) == ["2026-12-08 09:00 Conseil"]


def test_somebody_comes_instead_of_a_guest() -> None:
    sent = REPLY.replace("PARTSTAT=ACCEPTED", 'PARTSTAT=DELEGATED;DELEGATED-TO="mailto:dan@x.example"')
    there = receive(THERE["once"], said("REPLY", sent), ANN).text
    found = receive(there, said("REPLY", REPLY.replace("bob", "dan")), ANN)
    assert (answer(found.text, "bob"), answer(found.text, "dan")) == ("delegated", "accepted")


# --- COUNTER, REFRESH ---


def test_another_time_is_proposed_and_changes_nothing() -> None:
    event = f"DTSTART{ZONE}:20261208T140000|DTEND{ZONE}:20261208T150000|{REPLY}|COMMENT:Plus tard ?"
    found = receive(THERE["once"], said("COUNTER", event), ANN)
    assert (found.effect, found.text, found.comment) == (Effect.PROPOSED, "", "Plus tard ?")
    assert f"{found.start:%H:%M}-{found.end:%H:%M}" == "13:00-14:00"
    assert receive(THERE["once"], said("COUNTER", event.replace("bob", "mallory")), ANN).effect == Effect.UNINVITED
    assert receive(THERE["once"], said("COUNTER", event.replace("SEQUENCE:1", "SEQUENCE:0")), ANN).effect == Effect.OLD
    assert receive("", said("COUNTER", event), ANN).effect == Effect.UNKNOWN


def test_a_guest_asks_for_the_latest_version() -> None:
    assert receive(THERE["once"], said("REFRESH", REPLY), ANN).effect == Effect.WANTED
    assert receive(THERE["once"], said("REFRESH", REPLY.replace("bob", "mallory")), ANN).effect == Effect.UNINVITED
