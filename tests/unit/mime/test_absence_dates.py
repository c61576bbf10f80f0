"""Until when somebody is away, as automatic replies say it: right, or not at all."""

from __future__ import annotations

from datetime import date

import pytest

from webmail.mime.text.absence_dates import AwayDays, absence_in
from webmail.mime.text.text_parts import first_text

SENT = date(2026, 12, 1)  # a Tuesday


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Bonjour,\nJe suis absent jusqu’au 12 décembre.\nCordialement", "2026-12-12"),
        ("Je suis absente jusqu'au samedi 12 décembre 2026 inclus.", "2026-12-12"),
        ("Absent du 3 au 12/12/2026. En cas d'urgence : 04 72 00 00 00", "2026-12-12"),
        ("Je serai en congés du lundi 30 novembre au 1er janvier.", "2027-01-01"),
        ("I am out of the office until December 12th, 2026.", "2026-12-12"),
        ("I'm on leave\nuntil Saturday, 12 December.", "2026-12-12"),
        ("Out of office until 2026-12-12", "2026-12-12"),
        ("I am away from 3 December to 12 December. For anything urgent, write to Bob.", "2026-12-12"),
        ("Je suis absent jusqu’au 12 décembre.\n\n> Merci de répondre, je suis absent jusqu'au 3 décembre", "2026-12-12"),
        ("Je suis absent jusqu'au 12 décembre. I am away until 12 December.", "2026-12-12"),
    ],
)
def test_until_when(text: str, day: str) -> None:
    assert absence_in(text, SENT) == AwayDays(until=date.fromisoformat(day))


@pytest.mark.parametrize(
    "text",
    ["Je serai de retour au bureau le lundi 14 décembre.", "I will be back in the office on Monday 14 December.",
     "I am returning on December 14."],
)  # fmt: skip
def test_from_when_they_are_back(text: str) -> None:
    assert absence_in(text, SENT) == AwayDays(back=date(2026, 12, 14))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Votre demande est enregistrée. L'offre est valable jusqu'au 12 décembre.",
        "The shop is open until 12 December.",
        "I am away until Monday 12 December.",  # a Saturday
        "I am out of office until 3/4/2027.",  # who knows which is the month
        "Je suis absent jusqu'au 31 février.",
        "Je suis absent jusqu'au 12 novembre 2026.",  # over
        "Je suis absent jusqu'au 12 décembre 2031.",
        "Absent jusqu'au 12 décembre. Absente jusqu'au 13 décembre.",
        "Je suis absent jusqu'à vendredi.",
        "Le 3 décembre, Zoé a écrit :\nJe suis absente jusqu'au 12 décembre",
        "> I am away until 12 December",
        "du " * 1_000 + "absent",
        "absent " + "jusqu'au " * 300,
    ],
)
def test_a_wrong_day_is_worse_than_none(text: str) -> None:
    assert absence_in(text, SENT) == AwayDays()


def test_the_text_of_a_beginning_is_read_and_hostile_ones_say_nothing() -> None:
    head = b"Date: Tue, 1 Dec 2026 10:00:00 +0100\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    assert first_text(head + "Déjà".encode()) == ("Déjà", SENT)
    deep = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (at, at) for at in range(3_000))
    for raw in (b"", b"\xff\x00", deep, head.replace(b"utf-8", b"x-none") + b"a", b"Date: x\r\n\r\n"):
        assert isinstance(first_text(raw)[0], str)
