"""Calendars and contacts of many people in bulk, as typed: twice, changed there, broken, and of people who are not here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.test_main import database, run, settings  # noqa: F401 - fixtures
from webmail.models import CalendarObject, Collection, Contact, User

_CARDS = """BEGIN:VCARD
VERSION:3.0
UID:anne
FN:Anne Martin
EMAIL:anne@example.org
END:VCARD
"""


def calendar(*events: tuple[str, str, str]) -> str:
    """A file of (uid, title, hour)."""
    inside = "".join(
        f"BEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20260901T080000Z\nDTSTART:20260907T{hour}0000Z\nDTEND:20260907T{hour}3000Z\n"
        f"SUMMARY:{title}\nEND:VEVENT\n"
        for uid, title, hour in events
    )
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//old//EN\n{inside}END:VCALENDAR\n".replace("\n", "\r\n")


@pytest.fixture
def folder(tmp_path: Path, run) -> Path:  # noqa: F811
    run("accounts add alice --no-password")
    mine = tmp_path / "old" / "alice@lycee.example"
    mine.mkdir(parents=True)
    (mine / "calendar.ics").write_text(calendar(("a", "Council", "08"), ("b", "Exam", "10")))
    (mine / "Lessons 6e.ics").write_text(calendar(("c", "Maths", "09")))
    (mine / "people.vcf").write_text(_CARDS)
    (mine / "notes.txt").write_text("nobody's business")
    return tmp_path / "old"


def calendars() -> dict[str, int]:
    found = Collection.select().where(Collection.kind == "calendar")
    return {row.props: CalendarObject.select().where(CalendarObject.collection == row).count() for row in found}


def test_all_comes_once_each_calendar_by_its_name(run, folder: Path) -> None:  # noqa: F811
    code, said = run(f"import files {folder}")
    assert code == 0 and "3 files; events: 3 imported, 0 other ones here" in said and "contacts: 1 new" in said
    counts = calendars()
    assert sorted(counts.values()) == [1, 2] and [n for props, n in counts.items() if "Lessons 6e" in props] == [1]
    code, said = run(f"import files {folder}")
    assert code == 0 and "events: 0 imported" in said and "contacts: 0 new, 0 completed; 4 there already" in said
    assert calendars() == counts and Contact.select().count() == 1


def test_the_last_run_brings_the_difference(run, folder: Path) -> None:  # noqa: F811
    run(f"import files {folder}")
    file = folder / "alice@lycee.example" / "calendar.ics"
    file.write_text(calendar(("a", "Council", "14"), ("b", "Exam", "10"), ("d", "Party", "16")))
    code, said = run(f"import files {folder}")
    assert code == 0 and "events: 1 imported, 1 other ones here, which stay" in said
    assert "T080000Z" in CalendarObject.get(CalendarObject.uid == "a").text
    code, said = run(f"import files {folder} --replace")
    assert code == 0 and "events: 1 imported, 0 other" in said
    assert "T140000Z" in CalendarObject.get(CalendarObject.uid == "a").text


def test_what_is_broken_stops_no_other_file_and_nobody_else(run, folder: Path) -> None:  # noqa: F811
    run("accounts add bob --no-password")
    (folder / "bob@lycee.example").mkdir()
    (folder / "bob@lycee.example" / "people.vcf").write_text(_CARDS)
    (folder / "gone@lycee.example").mkdir()
    (folder / "alice@lycee.example" / "Agenda.ics").write_text("no calendar")
    (folder / "alice@lycee.example" / "link.ics").symlink_to("/etc/passwd")
    code, said = run(f"import files {folder}")
    assert code == 1 and "Agenda.ics: it has no events" in said and "link.ics" not in said
    assert "gone@lycee.example: there is no such account here" in said and "the files of 2 of 3 did not come whole" in said
    assert sorted(row.user.address for row in Contact.select().join(User)) == ["alice@lycee.example", "bob@lycee.example"]
    assert CalendarObject.select().count() == 3


def test_one_person_alone_and_an_empty_folder(run, folder: Path, tmp_path: Path) -> None:  # noqa: F811
    (folder / "gone@lycee.example").mkdir()
    assert run(f"import files {folder} --only alice")[0] == 0
    code, said = run(f"import files {folder} --only carol")
    assert code == 1 and "no folder of carol@lycee.example" in said
    (tmp_path / "empty").mkdir()
    assert run(f"import files {tmp_path / 'empty'}")[0] == 1
