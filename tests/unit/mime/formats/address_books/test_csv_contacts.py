"""CSV files of other programs: read as contacts, every column in its place or told of."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import fields
from pathlib import Path

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.formats.address_books import csv_contacts, csv_headers, csv_table
from webmail.mime.formats.address_books.csv_out import GOOGLE, OUTLOOK, as_csv, harmless
from webmail.mime.formats.address_books.entry import BookEntry, Labelled, Postal, Remark, RemarkKind, card_of, entry_of

CORPORA = Path(os.environ.get("TRABOULE_CORPORA", Path(__file__).resolve().parents[6] / "shared" / "corpora"))
OUTLOOK_FRENCH = (
    '"Titre","Prénom","Deuxième prénom","Nom","Suffixe","Société","Service","Titre","Rue (bureau)","Rue (bureau) 2",'
    '"Ville (bureau)","Dép/Région (bureau)","Code postal (bureau)","Pays/Région (bureau)","Rue (domicile)","Ville (domicile)",'
    '"Code postal (domicile)","Télécopie (bureau)","Téléphone (bureau)","Téléphone 2 (bureau)","Téléphone (domicile)",'
    '"Tél. mobile","Adresse de messagerie","Type de messagerie","Nom complet de l\'adresse de messagerie",'
    '"Adresse de messagerie 2","Anniversaire","Anniversaire de mariage ou fête","Catégories","Conjoint(e)","Notes",'
    '"Nom de l\'assistant(e)","Page Web","Kilométrage"\r\n'
    '"Mme","Élodie","Anne","Cœur","","Lycée Ampère","Maths","Professeure","31 rue de la Bourse","Bât. B","Lyon","Rhône","69002",'
    '"France","1 quai Perrache","Lyon","69001","04 00 00 00 01","04 00 00 00 02","04 00 00 00 03","04 00 00 00 04",'
    '"06 12 34 56 78","elodie@x.example","SMTP","Élodie Cœur","el@y.example","3/2/1980","0/0/00","Amis;Lycée","Paul","ligne 1\r\n'
    'ligne 2","Zoé","https://x.example","12"\r\n'
)
THUNDERBIRD_FRENCH = (
    "Prénom,Nom de famille,Nom à afficher,Surnom,Première adresse électronique,Adresse électronique secondaire,"
    "Pseudo de messagerie,Tél. professionnel,Tél. personnel,Numéro de fax,Numéro de pager,Tél. portable,Adresse privée,"
    "Adresse privée 2,Ville,Région,Code postal,Pays/État,Adresse professionnelle,Adresse professionnelle 2,Ville,Région,"
    "Code postal,Pays/État,Profession,Service,Organisation,Site web 1,Site web 2,Année de naissance,Mois,Jour,Notes\n"
    "Ann,Roi,Ann Roi,Nan,ann@x.example,roi@x.example,annie,1,2,3,4,5,1 rue A,esc. 2,Lyon,Rhône,69001,France,2 rue B,,Paris,IDF,"
    "75001,France,Prof,Maths,Lycée,https://a.example,https://b.example,1991,2,20,bonjour\n"
)


def read(text: str | bytes) -> tuple[list[BookEntry], list[Remark]]:
    table = csv_table.table(csv_table.text_of(text.encode() if isinstance(text, str) else text), 10_000)
    remarks = list(table.remarks)
    keys = csv_headers.guessed(table.header)
    french = any(csv_table.header_key(name) == "prenom" for name in table.header)
    return csv_contacts.entries(table, keys, remarks, french=french), remarks


def differences(one: BookEntry, other: BookEntry) -> list[str]:
    return [
        each.name for each in fields(BookEntry) if each.name != "line" and getattr(one, each.name) != getattr(other, each.name)
    ]


def test_outlooks_french_file_is_understood_column_by_column() -> None:
    [one], remarks = read(OUTLOOK_FRENCH.encode("cp1252"))
    assert (one.prefix, one.given, one.middle, one.family, one.title) == ("Mme", "Élodie", "Anne", "Cœur", "Professeure")
    assert (one.organisation, one.department, one.birthday, one.anniversary) == ("Lycée Ampère", "Maths", "1980-02-03", "")
    work, home = one.postals
    assert (work.street, work.city, work.region, work.code) == ("31 rue de la Bourse\nBât. B", "Lyon", "Rhône", "69002")
    assert (home.use, home.street, home.city, home.code) == ("home", "1 quai Perrache", "Lyon", "69001")
    assert [(point.value[-2:], point.types) for point in one.phones] == [
        ("01", ("work", "fax")), ("02", ("work",)), ("03", ("work",)), ("04", ("home",)), ("78", ("cell",)),
    ]  # fmt: skip
    assert [point.value for point in one.emails] == ["elodie@x.example", "el@y.example"]
    assert one.categories == ["Amis", "Lycée"] and one.related == [("spouse", "Paul"), ("assistant", "Zoé")]
    assert one.note == "ligne 1\nligne 2" and remarks == [Remark(0, RemarkKind.COLUMN, "Kilométrage")]


def test_thunderbirds_french_file_names_a_town_twice() -> None:
    [one], remarks = read(THUNDERBIRD_FRENCH)
    assert [(postal.use, postal.city, postal.code) for postal in one.postals] == [
        ("home", "Lyon", "69001"), ("work", "Paris", "75001"),
    ]  # fmt: skip
    assert (one.birthday, one.role, one.nickname, remarks) == ("1991-02-20", "Prof", "Nan", [])
    assert one.ims == [Labelled("annie", ("aim",))]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_charsets_and_separators_are_found_out(encoding: str, separator: str) -> None:
    text = separator.join(("Nom complet", "Adresse de messagerie", "Notes")) + "\r\n"
    text += separator.join(('"Cœur, Élodie; dite ""É"""', "e@x.example", '"a\r\n\r\nb"')) + "\r\n"
    [one], remarks = read(text.encode(encoding))
    assert (one.name, one.emails[0].value, one.note, remarks) == ('Cœur, Élodie; dite "É"', "e@x.example", "a\n\nb", [])


def test_what_is_not_understood_is_told_with_its_line() -> None:
    text = "Name,E-mail,Birthday,Shoe size\nAnn,ann@x.example,31/31/1990,41\n\n,,,12\nBob,no address,,,beyond\n"
    found, remarks = read(text)
    assert [one.full_name for one in found] == ["Ann", "Bob"]
    assert sorted(remarks, key=lambda one: one.line) == [
        Remark(0, RemarkKind.COLUMN, "Shoe size"), Remark(2, RemarkKind.DATE, "31/31/1990"), Remark(4, RemarkKind.NO_NAME, "12"),
        Remark(5, RemarkKind.CELLS, "beyond"), Remark(5, RemarkKind.ADDRESS, "no address"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "day"),
    [(("1/2/1990", "13/2/1990"), "1990-02-01"), (("1/2/1990", "2/13/1990"), "1990-01-02"), (("1/2/1990", ""), "1990-01-02")],
)
def test_days_and_months_are_told_apart_by_the_other_dates(cells: tuple[str, str], day: str) -> None:
    found, _remarks = read("Name,Birthday\n" + "".join(f"x{n},{cell}\n" for n, cell in enumerate(cells)))
    assert found[0].birthday == day


def test_a_first_row_with_a_person_in_it_is_no_header() -> None:
    table = csv_table.table("Ann Roi;ann@x.example\nBob;bob@x.example\n", 10)
    assert not table.has_header and len(table.rows) == 2


def test_hostile_tables_are_bounded() -> None:
    with cpu_seconds(3):
        for text in ('Name\n"' + "a" * 300_000, "Name\n" + "x," * 500_000, "," * 1_000_000, '"' * 1_000_000, "a\n" * 200_000):
            found, _remarks = read(text)
            assert len(found) <= 10_000
    _found, remarks = read('Name,Note\nAnn,"never closed\n' + "b\n" * 200_000)
    assert [one.kind for one in remarks] == [RemarkKind.QUOTES]


@pytest.mark.skipif(not CORPORA.is_dir(), reason="no corpora beside the checkout or in TRABOULE_CORPORA")
@pytest.mark.parametrize("name", ["all", "gmail"])
def test_roundcubes_samples_come_in_property_by_property(name: str) -> None:
    folder = CORPORA / "csv-roundcube"
    [one], remarks = read((folder / f"{name}.csv").read_bytes())
    expected = entry_of((folder / f"{name}.vcf").read_text())
    ours = entry_of(card_of(one))
    assert remarks == []
    assert {point.value for point in expected.emails} == {point.value for point in ours.emails}
    assert {point.value for point in expected.phones} == {point.value for point in ours.phones}
    assert {point.value for point in expected.sites} == {point.value for point in ours.sites}
    assert sorted(expected.ims, key=str) == sorted(ours.ims, key=str)
    assert sorted(expected.related) == sorted(ours.related)
    assert {(postal.street, postal.city, postal.code, postal.country) for postal in expected.postals} == {
        (postal.street, postal.city, postal.code, postal.country) for postal in ours.postals
    }
    single = (
        "name",
        "prefix",
        "given",
        "middle",
        "family",
        "suffix",
        "nickname",
        "organisation",
        "department",
        "title",
        "birthday",
    )
    for each in (*single, "anniversary", "gender", "maiden", "note"):
        assert getattr(expected, each) == getattr(ours, each), each


FULL = BookEntry(
    name="Élodie Cœur", prefix="Mme", given="Élodie", family="Cœur", nickname="Lo", organisation="Lycée", department="Maths",
    title="Prof", birthday="1980-02-03", anniversary="2001-01-01", note="a\nb", gender="female",
    emails=[Labelled("e@x.example", ("home",)), Labelled("w@x.example", ("work",))],
    phones=[Labelled("04", ("work", "fax")), Labelled("+33 6 12 34 56 78", ("cell",))],
    postals=[Postal("home", "", "BP 1", "", "1 rue A\nesc. 2", "Lyon", "Rhône", "69001", "France")],
    sites=[Labelled("https://x.example")], related=[("spouse", "Paul")], categories=["Amis", "3B"],
)  # fmt: skip


@pytest.mark.parametrize(("style", "lost"), [(GOOGLE, []), (OUTLOOK, ["name", "emails"])])
def test_what_is_saved_is_read_back(style: str, lost: list[str]) -> None:
    [back], remarks = read("".join(as_csv([FULL], style)))
    assert (differences(entry_of(card_of(FULL)), back), remarks) == (lost, [])


def test_what_has_no_column_goes_to_the_note() -> None:
    one = BookEntry(
        name="Ann", phones=[Labelled(f"0{n}") for n in range(30)], emails=[Labelled(f"{n}@x.example") for n in range(9)]
    )
    for style in (GOOGLE, OUTLOOK):
        text = "".join(as_csv([one], style))
        assert all(f"0{n}" in text for n in range(30)) and all(f"{n}@x.example" in text for n in range(9)), style


@pytest.mark.parametrize("cell", ["=1+2", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", " =1", "|x", "+33;=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    one = BookEntry(
        name=cell, given=cell, note=cell, organisation=cell, emails=[Labelled(cell)], phones=[Labelled(cell)], categories=[cell]
    )
    for style in (GOOGLE, OUTLOOK):
        for row in csv.reader(io.StringIO("".join(as_csv([one], style)))):
            assert not any(value.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "|")) for value in row)
    [back], _remarks = read("".join(as_csv([one], GOOGLE)))
    assert back.given == cell.strip()


def test_telephone_numbers_stay_what_they_are() -> None:
    assert harmless("+33 6 12 34 56 78") == "+33 6 12 34 56 78" and harmless("+1-2!A1") == "'+1-2!A1"
