"""What leaves is read by libical, as a guest of GNOME or KDE does: it keeps the rules of its method, and each side sees the same dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.support.calendar_texts import calendar, takings
from tests.support.libical import Libical, NotHere
from tests.support.meetings import ANN, BOB, MOVED, NOON, ONCE, PEOPLE, SECOND, SERIES, ZONE
from webmail.itip import answers, distribution, guest_list, incoming, proposals
from webmail.itip.messages import ItipMessage
from webmail.mime.formats.calendars.component_tree import Component, component, parsed
from webmail.mime.formats.recurrence import series


@pytest.fixture(scope="module")
def libical() -> Iterator[Libical]:
    try:
        with Libical() as found:
            yield found
    except NotHere as reason:
        pytest.skip(str(reason))


def changed(before: str, after: str, **more: str) -> tuple[str, list[ItipMessage]]:
    found = distribution.distributed(before, after, ANN, NOON, **more)
    return found.text, list(found.messages)


class Guest:
    """Somebody whose program keeps components by RECURRENCE-ID, as RFC 5546, 2.1.5 tells, and has libical read them."""

    def __init__(self, libical: Libical) -> None:
        self.libical = libical
        self.zones: dict[str, Component] = {}
        self.events: dict[tuple[str, str], Component] = {}

    def take(self, messages: list[ItipMessage], address: str) -> None:
        for message in messages:
            if address not in message.recipients:
                continue
            assert self.libical.faults(message.text) == []
            root = parsed(message.text)
            self.zones.update({zone.text("TZID"): zone for zone in root.parts("VTIMEZONE")})
            for event in root.parts("VEVENT"):
                uid, at = event.value("UID"), event.value("RECURRENCE-ID")
                if not at:  # a whole one replaces all there is
                    self.events = {key: event for key, event in self.events.items() if key[0] != uid}
                if message.method == "CANCEL" and not at:
                    continue
                self.events[uid, at] = event

    def moments(self) -> list[int]:
        found: list[int] = []
        for uid in {uid for uid, _at in self.events}:
            mine = [event for (other, _at), event in self.events.items() if other == uid]
            found += self.libical.moments(str(component("VCALENDAR", *self.zones.values(), *mine)))
        return sorted(found)


def test_all_that_leaves_keeps_the_rules_of_its_method(libical: Libical) -> None:
    sent: list[ItipMessage] = []
    once, first = changed("", calendar(ONCE), comment="À bientôt")
    sent += first
    sent += changed(once, once.replace("T090000", "T110000").replace("T100000", "T120000"), acting="dan@x.example")[1]
    sent += changed(once, once.replace("cat@", "dan@"))[1]
    sent += changed("", guest_list.hide(once))[1]
    sent += changed(once, "")[1]
    whole, invited = changed("", calendar(SERIES, MOVED))
    sent += invited
    sent += changed(whole, series.take_one(whole, "20261222T090000"))[1]
    for text in (once, whole):
        for word in ("accepted", "tentative", "declined"):
            sent += answers.answered(text, "", BOB, word, NOON, "Oui").messages
    sent += answers.answered(whole, "20261215T090000", BOB, "declined", NOON).messages
    sent += distribution.again(once, ANN, NOON, ["cat@x.example"], comment="Rappel")
    for text, at, day in ((once, "", 8), (whole, "20261222T090000", 22)):
        start, end = datetime(2026, 12, day, 14), datetime(2026, 12, day, 15)
        counter = answers.proposed(text, at, BOB, start, end, NOON, "Plus tard ?").messages
        sent += counter
        sent += proposals.declined(text, incoming.read(counter[0].text)[0], NOON, "Non")
    assert {one.method for one in sent} == {"REQUEST", "CANCEL", "REPLY", "COUNTER", "DECLINECOUNTER"}
    found = [(one.method, fault) for one in sent for fault in libical.faults(one.text)]
    # its table lets no SEQUENCE through where a proposal is declined; RFC 5546, 3.2.8 asks for one above 0
    assert [fault for fault in found if fault[0] != "DECLINECOUNTER" or "SEQUENCE" not in fault[1]] == []


def test_a_guest_with_libical_sees_a_series_of_200_at_each_step(libical: Libical) -> None:
    """Made with 12 exceptions and 40 guests, changed from the 7th on, one left out, cancelled."""
    people = "".join(f"|ATTENDEE:mailto:g{n}@x.example" for n in range(38)) + "|" + PEOPLE
    whole = f"DTSTART{ZONE}:20261201T150000|DTEND{ZONE}:20261201T160000|SUMMARY:Cours|RRULE:FREQ=DAILY;COUNT=200|{people}"
    days = [f"202612{day:02}" for day in range(10, 22)]
    moved = [
        f"RECURRENCE-ID{ZONE}:{day}T150000|DTSTART{ZONE}:{day}T170000|DTEND{ZONE}:{day}T180000|SUMMARY:Cours|{people}"
        for day in days
    ]
    guests = {address: Guest(libical) for address in ("bob@x.example", "g7@x.example")}

    def all_see(*texts: str) -> None:
        planned = sorted(one.start for text in texts if text for one in takings(text))
        for guest in guests.values():
            assert guest.moments() == planned

    def tell(before: str, after: str) -> str:
        text, messages = changed(before, after)
        for address, guest in guests.items():
            guest.take(messages, address)
        return text

    made = tell("", calendar(whole, *moved))
    all_see(made)
    ended = tell(made, series.end_before(made, "20261207T150000"))
    following = tell("", series.from_on(made, "20261207T150000", "two"))
    all_see(ended, following)
    less = tell(following, series.take_one(following, "20261230T150000"))
    all_see(ended, less)
    assert len(guests["bob@x.example"].moments()) == 199
    tell(less, "")
    all_see(ended)


def test_libical_finds_what_breaks_the_rules(libical: Libical) -> None:
    """Who answers is one guest."""
    broken = calendar(f"{SECOND}|{ONCE}").replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REPLY")
    assert any("ATTENDEE" in fault for fault in libical.faults(broken))
