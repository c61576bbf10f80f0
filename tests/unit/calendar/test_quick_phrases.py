"""Quick entry: phrases as teachers, secretaries, parents and associations write them, said on Friday 27 November 2026 at ten.

`tests/samples/quick_entry/` has each with what it means: when | title | place | how it repeats | remarks, then other events (++), days
left out (--), not in school holidays (TERM) and what is shown as not understood (???).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.support.cpu_time import cpu_seconds
from tests.unit.calendar.test_quick_entry import told
from webmail.calendar.quick_entry.quick_entry import Understood, read

NOW = datetime(2026, 11, 27, 10)  # a Friday
TUESDAY = datetime(2026, 12, 1, 9)
SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "quick_entry"


def whole(found: Understood) -> str:
    """All that was understood in one line."""
    others = []
    for start, end in found.more:
        if isinstance(start, datetime):
            others.append(f"{start:%m-%d %H:%M}-{end:%H:%M}")
        else:
            others.append(f"{start:%m-%d}" + ("" if start == end else f"..{end:%m-%d}"))
    parts = [
        told(found), "++ " + "; ".join(others) if others else "", "-- " + ",".join(map(str, found.skipped)) if found.skipped else "",
        "TERM" if found.in_term else "", "??? " + " / ".join(found.unclear) if found.unclear else "",
    ]  # fmt: skip
    return " ".join(filter(None, parts))


def phrases(name: str) -> dict[str, str]:
    lines = (SAMPLES / f"{name}.txt").read_text().splitlines()
    return {lines[number]: lines[number + 1].strip() for number in range(0, len(lines), 2)}


@pytest.mark.parametrize(("name", "language"), [("french", "fr"), ("english", "en")])
def test_phrases_mean_what_who_writes_them_means(name, language):
    wanted = phrases(name)
    assert len(wanted) > 250
    assert {words: whole(read(words, NOW, language)) for words in wanted} == wanted


@pytest.mark.parametrize(
    ("words", "means"),
    [
        ("Friday week lunch", "2026-12-11|lunch"),
        ("vendredi en huit déjeuner", "2026-12-11|déjeuner"),
        ("mercredi et jeudi de la semaine prochaine formation", "2026-12-09|formation ++ 12-10"),
        ("du lundi au vendredi 8h-9h accueil", "2026-12-07 08:00-09:00|accueil||daily x5"),
        ("Mon & Wed 10am yoga", "2026-12-07 10:00-11:00|yoga ++ 12-09 10:00-11:00"),
        ("dans 2 heures dentiste", "2026-12-01 11:00-12:00|dentiste"),
        ("dernier vendredi du mois bilan", "2026-12-25|bilan"),
        ("le 8 et le 9 décembre forum", "2026-12-08|forum ++ 12-09"),
        ("week-end prochain rando", "2026-12-05..2026-12-06|rando"),
        ("réunion à 8h", "2026-12-02 08:00-09:00|réunion|||tomorrow"),
    ],
)  # fmt: skip
def test_on_another_day(words, means):
    assert whole(read(words, TUESDAY, "fr")) == means


@pytest.mark.parametrize("words", [
    "lundi " * 50, "lundi, " * 40, "1 " * 150, "8, " * 100, "le 8 et le " * 30, "8h et " * 50, "du 3 au " * 40, "sauf le 8, " * 30, "1/" * 150,
    "0" * 300, "1.1" * 100, "salle " * 50, "de la " * 50, "au Ab Ab " * 33, "one " * 75, "half past " * 30, "+33 " * 75, "12 december " * 25,
    "8 et 9, " * 40, "(1h30 " * 40, "01 02 03 04 " * 25, "e@e." * 75, "every first monday and " * 13, "x10 " * 75, "midi à " * 43,
    "jusqu'au 3 mars " * 18, "\x01\x02" * 150, "toutes les deux semaines " * 12,
])  # fmt: skip
def test_hostile_words_take_no_time(words):
    read("lundi 8h", NOW, "fr")
    with cpu_seconds(0.5):
        for language in ("fr", "en"):
            found = read(words, NOW, language)
            assert found.end >= found.start and len(found.more) <= 20
