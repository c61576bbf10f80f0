"""Days that a message names, and calendar files taken apart."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.support.calendar_texts import calendar, times
from tests.support.cpu_time import cpu_seconds
from webmail.calendar.quick_entry.dates_in_text import MOST, dates_in
from webmail.mime.formats.calendars.calendar_split import events_in
from webmail.mime.formats.calendars.component_tree import BrokenTextError

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
        ("Réunion avancée à 16 h, salle des professeurs", ["2026-11-27 16:00 salle des professeurs"]),
        ("Réunion avancée à 9 h", ["2026-11-28 09:00"]),
        (
            "Conseil de classe du 3 décembre\nBonjour,\nLa réunion est avancée à 16 h, salle des professeurs.",
            ["2026-12-03 16:00 salle des professeurs"],
        ),
        (
            "Réunion avancée à 16 h\nBonjour,\nLa réunion de ce soir est avancée à 16 h, salle des professeurs. Merci.",
            ["2026-11-27 16:00 salle des professeurs"],
        ),
        ("La réunion de jeudi est avancée à 16h.", ["2026-12-03 16:00"]),
        ("La réunion de 16h est reportée à vendredi prochain.", ["2026-12-04 16:00"]),
        ("La réunion est décalée de 15h à 16h demain.", ["2026-11-28 16:00"]),
        ("The meeting on Tuesday is moved to 4pm in the staff room.", ["2026-12-01 16:00 staff room"]),
        ("Le conseil aura lieu jeudi 3 décembre. Rendez-vous à 17h en salle 12.", ["2026-12-03 17:00 salle 12"]),
        ("See you on Tuesday at 3pm. We meet in room 12.", ["2026-12-01 15:00 room 12"]),
        ("Le conseil de classe de la troisième B aura lieu comme convenu le jeudi\n3 décembre à 17h.", ["2026-12-03 17:00"]),
        ("Je viens lun. 30 nov. à 14h30 chez M. Petit.", ["2026-11-30 14:30 M. Petit"]),
        ("On se voit à midi au CDI ?", ["2026-11-27 12:00 CDI"]),
        ("Il a mis de 2 h à 3 h pour venir.", []),
        ("Ouvert 24h/24, 16 € par mois, tél. 04 72 00 12 34, version 3.11.", []),
        ("Merci de votre message du 12 novembre.", []),
        ("Réunion demain à 16 h. Remise des bulletins le 18 décembre à 17h30.", ["2026-11-28 16:00", "2026-12-18 17:30"]),
        ("La réunion a lieu tous les lundis à 8h.", []),
        ("x " * 400 + "rendez-vous jeudi à 14h", ["2026-12-03 14:00"]),
    ],
)
def test_days_are_found_in_sentences(text, expected):
    found = dates_in(text, SENT, "fr")
    named = [one for one in expected if len(one) > 16]
    assert [f"{one.start:%Y-%m-%d %H:%M} {one.place}".strip()[: None if named else 16] for one in found] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Le devoir est à rendre vendredi.", True),
        ("Merci de compléter ce formulaire pour le 12 décembre.", True),
        ("Please send the marks, deadline Friday.", True),
        ("Send me the list by Monday.", True),
        ("La réunion prévue pour le 12 décembre aura lieu en salle 4.", False),
        ("Le conseil de classe aura lieu jeudi 3 décembre à 17h.", False),
        ("Let's meet on 8 December at 2pm.", False),
    ],
)
def test_what_is_to_be_done_until_a_day_is_told_from_what_takes_place(text, expected):
    [found] = dates_in(text, SENT, "fr")
    assert found.is_deadline is expected


def test_it_takes_no_time_whatever_the_text():
    with cpu_seconds(3):
        assert len(dates_in("le 3 décembre à 10h lundi mardi tous les jours. " * 3000, SENT, "fr")) <= MOST
        for text in (
            "lundi ",
            "à 8h\n",
            "a\n",
            "x",
            "salle à 8h. ",
            "avancé de à 16 h reporté à ",
            "Ab. ",
            "> ",
            "le 3 mars\u0301 ",
        ):
            dates_in(text * 20_000, SENT, "fr")


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
    with pytest.raises(BrokenTextError):
        events_in(text)
