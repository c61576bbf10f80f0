"""Who may change what is in my calendar, and what a card says of it."""

from __future__ import annotations

import pytest

from tests.support.calendar_texts import calendar
from tests.support.meetings import ANN, BOB, MOVED, ONCE, SERIES, said
from webmail.itip import people
from webmail.itip.differences import differences
from webmail.itip.permission import MailSender, Permission, permission

UPDATE = ONCE.replace("SEQUENCE:1", "SEQUENCE:50")
REPLY = "SEQUENCE:1|ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@x.example"
OWN = "DTSTART:20261208T090000Z|SUMMARY:Privé"


@pytest.mark.parametrize(
    ("there", "method", "sent", "sender", "proven", "expected"),
    [
        ("", "REQUEST", UPDATE, "mallory@x.example", False, Permission.GRANTED),  # a new one may be added
        (ONCE, "REQUEST", UPDATE, "Ann@X.example", True, Permission.GRANTED),
        (ONCE, "REQUEST", UPDATE, "ann@x.example", False, Permission.UNPROVEN),
        (ONCE, "REQUEST", UPDATE, "mallory@x.example", True, Permission.UNPROVEN),
        (ONCE, "CANCEL", UPDATE, "mallory@x.example", True, Permission.UNPROVEN),
        (ONCE, "REQUEST", UPDATE.replace("ann@", "mallory@"), "mallory@x.example", True, Permission.ORGANISER),
        (ONCE, "REQUEST", UPDATE.replace("ORGANIZER", 'ORGANIZER;SENT-BY="mailto:m@x.example"'), "m@x.example", True,
         Permission.UNPROVEN),
        (ONCE.replace("ORGANIZER", 'ORGANIZER;SENT-BY="mailto:sec@x.example"'), "REQUEST", UPDATE, "sec@x.example", True,
         Permission.GRANTED),
        (ONCE, "REQUEST", UPDATE, "deputy@x.example", True, Permission.GRANTED),
        (OWN, "REQUEST", UPDATE, "ann@x.example", True, Permission.OWN),
        (OWN, "CANCEL", OWN, "mallory@x.example", True, Permission.OWN),
        (OWN, "", OWN, "bob@x.example", True, Permission.GRANTED),
        (ONCE.replace("ORGANIZER;CN=Ann:mailto:ann", "ORGANIZER:mailto:bob"), "CANCEL", UPDATE, "ann@x.example", True,
         Permission.OWN),
    ],
)  # fmt: skip
def test_an_event_is_changed_by_its_organiser_alone(
    there: str, method: str, sent: str, sender: str, proven: bool, expected: Permission
) -> None:
    text = calendar(there) if there else ""
    deputies = people.keys(["deputy@x.example"])
    assert permission(text, said(method, sent), MailSender(sender, proven), BOB, deputies) == expected


@pytest.mark.parametrize(
    ("sender", "proven", "expected"),
    [("bob@x.example", True, "granted"), ("bob@x.example", False, "unproven"), ("cat@x.example", True, "unproven")],
)
def test_an_answer_is_given_by_the_guest_alone(sender: str, proven: bool, expected: str) -> None:
    assert permission(calendar(ONCE), said("REPLY", REPLY), MailSender(sender, proven), ANN) == expected


def test_what_changes_is_told_old_and_new() -> None:
    after = (
        UPDATE.replace("T0900", "T0930").replace("Conseil", "Conseil d’école")
        + "|LOCATION:B12|ATTENDEE;CN=Dan:mailto:dan@x.example"
    )
    found = {one.name: (one.before, one.after) for one in differences(calendar(ONCE), calendar(after))}
    assert found.keys() == {"time", "title", "place", "guests"}
    assert found["title"] == ("Conseil", "Conseil d’école")
    assert found["guests"] == ("", "Dan")
    assert f"{found['time'][0].start:%H:%M} {found['time'][1].start:%H:%M}" == "08:00 08:30"  # type: ignore[union-attr]


def test_what_changes_of_one_of_a_series() -> None:
    (found,) = differences(calendar(SERIES), calendar(SERIES, MOVED))
    assert (found.name, found.at, f"{found.before.start:%H} {found.after.start:%H}") == ("time", "20261215T090000", "08 13")  # type: ignore[union-attr]
    assert differences(calendar(SERIES), calendar(SERIES)) == differences("x", "y") == []
