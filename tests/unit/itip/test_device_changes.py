"""What a program may change of a meeting, by who its person is: single meetings and series."""

from __future__ import annotations

import pytest

from tests.support.calendar_texts import calendar
from tests.support.meetings import ANN, BOB, MALLORY, MOVED, ONCE, PEOPLE, SECOND, SERIES, ZONE
from webmail.itip import device_changes
from webmail.itip.device_changes import OF_GUEST, OF_ORGANISER, SAME_ORGANISER, ForbiddenChangeError, MeetingRole

MINE = "PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@"
ACCEPTED = "PARTSTAT=ACCEPTED:mailto:bob@"
OF_SECOND = f"{SECOND}|DTSTART{ZONE}:20261215T090000|DTEND{ZONE}:20261215T100000|SUMMARY:Conseil|SEQUENCE:1|{PEOPLE}"
THIRD = OF_SECOND.replace("1215T", "1222T")
OTHERS = OF_SECOND.replace("Conseil", "Piscine")
OUTSIDE = OF_SECOND.replace("1215T", "1216T")
DELEGATE = '|ATTENDEE;DELEGATED-FROM="mailto:bob@x.example":mailto:dan@x.example'
LEFT_OUT = f"|EXDATE{ZONE}:20261215T090000"

ALLOWED = {
    "their answer": ([ONCE], [ONCE.replace(MINE, ACCEPTED)]),
    "their answer to all of a series": ([SERIES, MOVED], [SERIES.replace(MINE, ACCEPTED), MOVED.replace(MINE, ACCEPTED)]),
    "their answer to one of a series": ([SERIES], [SERIES, OF_SECOND.replace(MINE, ACCEPTED)]),
    "and to another one": ([SERIES, MOVED], [SERIES, MOVED, THIRD.replace(MINE, ACCEPTED)]),
    "their answer to one like the others is taken back": ([SERIES, OF_SECOND.replace(MINE, ACCEPTED)], [SERIES]),
    "one that they don't want to see": ([SERIES], [SERIES + LEFT_OUT]),
    "one that was moved, too": ([SERIES, MOVED], [SERIES + LEFT_OUT]),
    "somebody instead of them": ([ONCE], [ONCE.replace(MINE, "PARTSTAT=DELEGATED:mailto:bob@") + DELEGATE]),
    "a newer version": ([ONCE], [ONCE.replace("SEQUENCE:1", "SEQUENCE:2").replace("T09", "T08")]),
    "the only one that they are invited to": ([MOVED], [MOVED.replace(MINE, ACCEPTED)]),
}  # fmt: skip
FORBIDDEN = {
    "one at another time": ([SERIES], [SERIES, MOVED]),
    "one with another title": ([SERIES], [SERIES, OTHERS]),
    "one that there is not": ([SERIES], [SERIES, OUTSIDE]),
    "one that was moved as it was before": ([SERIES, MOVED], [SERIES]),
    "one that was left out again": ([SERIES + LEFT_OUT], [SERIES]),
    "another rule": ([SERIES], [SERIES.replace("COUNT=10", "COUNT=5")]),
    "one of them alone": ([SERIES], [OF_SECOND]),
    "without another guest": ([ONCE], [ONCE.replace("mailto:cat@x.example", "mailto:dan@x.example")]),
}  # fmt: skip


@pytest.mark.parametrize("change", ALLOWED, ids=str)
def test_a_guest_may_change(change: str) -> None:
    before, after = ALLOWED[change]
    device_changes.check(calendar(*before), calendar(*after), BOB)


@pytest.mark.parametrize("change", FORBIDDEN, ids=str)
def test_a_guest_may_not_change(change: str) -> None:
    before, after = FORBIDDEN[change]
    with pytest.raises(ForbiddenChangeError) as refused:
        device_changes.check(calendar(*before), calendar(*after), BOB)
    assert refused.value.condition == OF_GUEST
    device_changes.check(calendar(*before), calendar(*after), ANN)


def test_an_organiser_stays_one() -> None:
    given_away = ONCE.replace("mailto:ann@", "mailto:mallory@")
    with pytest.raises(ForbiddenChangeError) as refused:
        device_changes.check(calendar(ONCE), calendar(given_away), ANN)
    assert refused.value.condition == OF_ORGANISER
    device_changes.check(
        calendar(ONCE), calendar("DTSTART:20261208T090000Z|SUMMARY:Alone"), ANN
    )  # who uninvites all has no meeting
    with pytest.raises(ForbiddenChangeError) as refused:
        device_changes.check("", calendar(SERIES, MOVED.replace("mailto:ann@", "mailto:mallory@")), ANN)
    assert refused.value.condition == SAME_ORGANISER


def test_who_one_is_in_a_meeting() -> None:
    text = calendar(ONCE)
    found = [device_changes.role(text, me) for me in (ANN, BOB, MALLORY)]
    assert found == [MeetingRole.ORGANISER, MeetingRole.GUEST, MeetingRole.NONE]
    assert device_changes.role("ATTENDEE ORGANIZER BEGIN:VCALENDAR", ANN) is MeetingRole.NONE is device_changes.role("", ANN)
    device_changes.check(calendar(ONCE), "no calendar", BOB)  # whoever stores it refuses it


def test_what_the_server_knows_is_put_back_where_a_program_leaves_it_out() -> None:
    known = ONCE.replace(MINE, "PARTSTAT=ACCEPTED;SCHEDULE-STATUS=2.0;X-TRABOULE-ANSWERED=20261201T100000Z:mailto:bob@")
    hidden = calendar(known + "|X-TRABOULE-GUESTS:HIDDEN")
    stale = device_changes.with_server_parts(hidden, calendar(ONCE), ANN, answers=True).replace("\r\n ", "")
    assert "PARTSTAT=ACCEPTED" in stale and "X-TRABOULE-ANSWERED" in stale and "X-TRABOULE-GUESTS:HIDDEN" in stale
    changed = device_changes.with_server_parts(hidden, calendar(ONCE), ANN).replace("\r\n ", "")
    assert "PARTSTAT=ACCEPTED" not in changed and "SCHEDULE-STATUS=2.0" in changed and "X-TRABOULE-ANSWERED" not in changed
    assert device_changes.with_server_parts(calendar(ONCE), calendar(ONCE), ANN) == calendar(ONCE)
