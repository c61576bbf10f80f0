"""Files of people as schools and town halls write them: separators, charsets, headings."""

from __future__ import annotations

import pytest

from webmail.admin.imports import people_columns
from webmail.admin.imports.people_columns import NotPeopleFileError, PeopleColumns, SavedColumns

FRENCH = "Nom;Prénom;Classe;Adresse e-mail;Quota (Mo);Date de fin\nLefèvre;Élodie;6A;elodie@lycee.example;500;31/08/2027\n"
ENGLISH = "Last name,First name,Class,Email,Language\nLefèvre,Élodie,6A,elodie@lycee.example,French\n"


def first_line(data: bytes) -> people_columns.PeopleLine:
    return people_columns.lines(people_columns.read(data))[0]


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_french_table_is_understood_in_every_charset(charset: str) -> None:
    line = first_line(FRENCH.encode(charset))
    assert (line.cells["family"], line.cells["given"], line.groups) == ("Lefèvre", "Élodie", ("6A",))
    assert (line.cells["address"], line.cells["quota"], line.cells["ends"]) == ("elodie@lycee.example", "500", "31/08/2027")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_every_separator_is_found_out(separator: str) -> None:
    line = first_line(ENGLISH.replace(",", separator).encode())
    assert line.cells == {"family": "Lefèvre", "given": "Élodie", "address": "elodie@lycee.example", "language": "French"}


def test_quoted_line_breaks_belong_to_their_cell() -> None:
    found = people_columns.read(b'Name,Email,Groups\r\n"Alice\r\nLeroy",a@x.example,"Maths\n6A"\r\nBob,b@x.example,6B\r\n')
    alice, bob = people_columns.lines(found)
    assert (alice.number, alice.cells["name"], alice.groups) == (2, "Alice Leroy", ("Maths", "6A"))
    assert (bob.number, bob.groups) == (5, ("6B",))


def test_a_file_without_headings_is_read_by_what_is_in_it() -> None:
    found = people_columns.read(b"alice@x.example;Alice Leroy\nbob@x.example;Bob\n")
    assert not found.columns.has_header
    assert found.columns.keys == ("address", "")
    assert len(people_columns.lines(found)) == 2


def test_a_column_that_is_there_twice_counts_once_but_groups_all_count() -> None:
    found = people_columns.read(b"Email;Mail;Classe;Groupes\na@x.example;b@x.example;6A;Chorale;Latin\n")
    assert found.columns.keys == ("address", "", "groups", "groups", "")
    assert people_columns.lines(found)[0].groups == ("6A", "Chorale")


def test_the_unit_of_quotas_may_stand_in_the_heading() -> None:
    assert people_columns.unit_of(people_columns.read(FRENCH.encode())) == "M"


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"PK\x03\x04....", "spreadsheet"), (b"", "empty"), (b"Name;Email\n", "empty"), (b"a\0b" * 9, "not-text")],
)
def test_what_is_no_table_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(NotPeopleFileError, match=why):
        people_columns.read(content)


def test_a_file_of_ten_thousand_lines_is_cut_and_says_where() -> None:
    found = people_columns.read(b"email\n" + b"a@x.example\n" * 10_005)
    assert len(found.table.rows) == people_columns.MOST_LINES
    assert found.cut == 10_002


def test_columns_are_enough_when_they_say_who() -> None:
    assert PeopleColumns(("given", "family")).are_enough
    assert not PeopleColumns(("given", "groups")).are_enough
    assert PeopleColumns(("address", "address")).doubled == "address"
    assert PeopleColumns(("address", "groups", "groups")).doubled == ""


def test_saved_columns_find_theirs_in_another_order() -> None:
    saved = SavedColumns.from_table(people_columns.read(b"Truc;Machin\nx;y\n", PeopleColumns(("address", "name"))))
    again = SavedColumns.from_json(saved.to_json())
    other = people_columns.read(b"Machin;Autre;Truc\ny;z;x\n")
    assert again.fit(other)
    assert again.applied(other).keys == ("name", "", "address")
    assert not again.fit(people_columns.read(b"Machin;Autre\ny;z\n"))
