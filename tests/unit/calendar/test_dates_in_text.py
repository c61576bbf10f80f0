"""Days that a message names, and calendar files taken apart."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.support.calendar_texts import calendar, times
from tests.support.cpu_time import cpu_seconds
from webmail.calendar.dates_in_text import MOST, dates_in
from webmail.mime.formats.calendar_split import events_in
from webmail.mime.formats.calendar_text import BrokenText

SENT = datetime(2026, 11, 27, 10)  # a Friday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Bonjour,\nLe conseil de classe aura lieu jeudi 3 décembre de 17h à 19h en salle 12.\nCordialement",
            ["2026-12-03 17:00"],
        ),
        (
            "Hello,\n\nLet's meet on 8 December at 2pm. Or on Wednesday 9 December at 10am?",
            ["2026-12-08 14:00", "2026-12-09 10:00"],
        ),
        ("Rendez-vous demain à 8h30.", ["2026-11-28 08:30"]),
        ("Il reste 3 places, 20 euros.", []),
        ("Mes excuses pour ce retard.", []),
        ("> Le 3 décembre à 10h\nD'accord !", []),
        ("Le lun. 23 nov. 2026 à 10:00, Bob a écrit :\n> bonjour", []),
        ("On 23 Nov 2026 at 10:00, Bob wrote:\n> hello", []),
        ("De: Bob\nEnvoyé: lundi 30 novembre 2026 10:00", []),
        ("La sortie du 3 mars 2020 était belle.", []),
        ("Le 3 décembre à 10h. Le 3 décembre à 10h.", ["2026-12-03 10:00"]),
    ],
)
def test_days_are_found_in_sentences(text, expected):
    found = dates_in(text, SENT, "fr")
    assert [f"{one.start:%Y-%m-%d %H:%M}" for one in found] == expected


def test_it_takes_no_time_whatever_the_text():
    with cpu_seconds(3):
        assert len(dates_in("le 3 décembre à 10h lundi mardi tous les jours. " * 3000, SENT, "fr")) <= MOST
        dates_in("lundi " * 20_000, SENT, "fr")


def test_a_file_is_one_object_for_each_event():
    zone = "BEGIN:VTIMEZONE\r\nTZID:{}\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    one, two = calendar("DTSTART;TZID=A:20261208T090000|SUMMARY:Un"), calendar("DTSTART:20261209T090000Z|SUMMARY:Deux", uid="two")
    event = two[two.index("BEGIN:VEVENT") : two.index("END:VCALENDAR")]
    text = one.replace("BEGIN:VEVENT", "METHOD:REQUEST\r\n" + zone.format("A") + zone.format("B") + "BEGIN:VEVENT", 1)
    method, found = events_in(text.replace("END:VCALENDAR", event + "END:VCALENDAR"))
    assert method == "request" and [uid for uid, _text in found] == ["one", "two"]
    assert (
        "TZID:A" in found[0][1] and "TZID:B" not in found[0][1] and "METHOD" not in found[0][1] and "VTIMEZONE" not in found[1][1]
    )
    assert times(found[1][1]) == ["2026-12-09 10:00 Deux"]


_DEEP = "BEGIN:VEVENT\r\nUID:a\r\n" + "BEGIN:A\r\n" * 3000 + "END:A\r\n" * 3000 + "END:VEVENT\r\n"


@pytest.mark.parametrize(
    "text",
    [
        "", "hello", "BEGIN:VCALENDAR\r\n", "BEGIN:VEVENT\r\nEND:VEVENT\r\n", "x" * 1_000_001,
        f"BEGIN:VCALENDAR\r\n{_DEEP}END:VCALENDAR\r\n",
    ],
)  # fmt: skip
def test_what_is_no_calendar_is_refused(text):
    with pytest.raises(BrokenText):
        events_in(text)
