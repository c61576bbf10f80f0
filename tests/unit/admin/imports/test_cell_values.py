"""What people type into a table: sizes, days, languages, names."""

from __future__ import annotations

from datetime import date

import pytest

from webmail.admin.imports import cell_values
from webmail.admin.imports.cell_values import NumberedName

G, M = 1024**3, 1024**2


@pytest.mark.parametrize(
    ("text", "unit", "size"),
    [
        ("2G", "", 2 * G), ("500 Mo", "", 500 * M), ("1,5 Go", "", 3 * G // 2), ("500", "M", 500 * M), ("2GiB", "M", 2 * G),
        ("0", "", 0), ("500", "", None), ("plenty", "", None), ("-1G", "", None), ("9999T", "", None), ("1073741824", "", G),
    ],
)  # fmt: skip
def test_a_quota(text: str, unit: str, size: int | None) -> None:
    assert cell_values.quota(text, unit) == size


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2027-08-31", date(2027, 8, 31)), ("31/08/2027", date(2027, 8, 31)), ("1.9.2027", date(2027, 9, 1)),
        ("2027-08-31 00:00:00", date(2027, 8, 31)), ("31/02/2027", None), ("31/08/27", None), ("soon", None),
    ],
)  # fmt: skip
def test_a_day(text: str, found: date | None) -> None:
    assert cell_values.day(text) == found


def test_languages_and_roles() -> None:
    assert [cell_values.language(one) for one in ("Français", "fr-FR", "English", "EN_us", "Klingon")] == [
        "fr",
        "fr",
        "en",
        "en",
        None,
    ]
    assert cell_values.is_administrator("Administrateur")
    assert not cell_values.is_administrator("Élève")


@pytest.mark.parametrize(
    ("given", "family", "rule", "made"),
    [
        ("Élodie", "Lefèvre", "given.family", "elodie.lefevre"), ("Jean-Paul", "d’Œuvre", "gfamily", "jdoeuvre"),
        ("Anne Marie", "Le Goff", "family.given", "legoff.annemarie"), ("Zoë", "Straße", "g.family", "z.strasse"),
        ("", "Cher", "given.family", "cher"), ("李", "王", "given.family", ""),
    ],
)  # fmt: skip
def test_an_address_is_made_of_a_name(given: str, family: str, rule: str, made: str) -> None:
    assert cell_values.local_part(given, family, rule) == made


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert NumberedName("a.b").free({"a.b", "a.b2"}.__contains__) == "a.b3"
    assert NumberedName("a.b").free(set().__contains__) == "a.b"
    long = NumberedName("a" * 64)
    assert long.free({"a" * 64}.__contains__) == "a" * 59 + "2"
    assert [long.position(one) for one in ("a" * 64, "a" * 59 + "12", "a" * 59 + "02", "a" * 59, "b")] == [1, 12, 0, 0, 0]
