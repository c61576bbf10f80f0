"""People columns: which column of a file of people holds what, by its heading in French or English, or by what is in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from webmail.mime.formats.address_books import csv_table
from webmail.mime.formats.address_books.csv_table import CsvTable, header_key

LARGEST = 5_000_000  # bytes of a file
MOST_LINES = 10_000
MOST_COLUMNS = 60
FIELDS = ("address", "name", "given", "family", "groups", "quota", "role", "ends", "recovery", "language")
_SEVERAL = ("groups",)  # fields that several columns may hold
_HEADINGS = {
    "address": "address, adresse, email, e mail, mail, mel, courriel, adresse e mail, adresse mail, adresse de messagerie, email "
    "address, e mail address, adresse electronique, mail address, user name, username, login, identifiant, nom d utilisateur, "
    "compte, account, upn, userprincipalname",
    "name": "name, full name, display name, displayname, nom complet, nom et prenom, prenom et nom, nom prenom, prenom nom, nom "
    "affiche, nom a afficher, cn, eleve, student, person, personne",
    "given": "given name, givenname, first name, firstname, first, prenom, prenoms, prenom usuel, prenom 1, forename",
    "family": "family name, familyname, last name, lastname, last, surname, nom, nom de famille, nom d usage, nom usuel, sn",
    "groups": "group, groups, groupe, groupes, class, classes, classe, division, divisions, service, services, code division, "
    "libelle classe, form, department, departement, team, equipe, categories",
    "quota": "quota, space, espace, room, mailbox size, taille de la boite, stockage, storage",
    "role": "role, roles, profil, profile, fonction, statut, status, type",
    "ends": "ends, end, end date, last day, dernier jour, ends on, fin, date de fin, fin le, expires, expiry, expiration, "
    "date d expiration, "
    "jusqu au, until",
    "recovery": "recovery address, recovery email, recovery, adresse de secours, e mail de secours, courriel de secours, "
    "personal email, private email, adresse personnelle, e mail personnel, courriel personnel, other email, autre adresse",
    "language": "language, langue, lang, locale",
}
_KEYS = {heading.strip(): key for key, headings in _HEADINGS.items() for heading in headings.split(",")}
_NEEDED = ({"address"}, {"name"}, {"given", "family"})  # one of these says who a line is about
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x89PNG", b"\xff\xd8\xff")


class NotPeopleFileError(ValueError):
    """The file can't be read as a table of people; the message is a word for why."""


@dataclass(frozen=True, slots=True)
class PeopleColumns:
    """Which of FIELDS each column holds, "" for none, and whether the first row names them."""

    keys: tuple[str, ...]
    has_header: bool = True

    @property
    def are_enough(self) -> bool:
        """Whether each line says who it is about."""
        return any(wanted <= set(self.keys) for wanted in _NEEDED)

    @property
    def doubled(self) -> str:
        """A field that two columns hold, though it can be one alone; "" for none."""
        return next((key for key in FIELDS if key not in _SEVERAL and self.keys.count(key) > 1), "")


@dataclass(frozen=True, slots=True)
class PeopleLine:
    """A line of the file: its number, and what its columns say by field. Of `groups` all, in their order."""

    number: int
    cells: dict[str, str]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PeopleTable:
    """A file as a table: headings, the first rows, and the columns as they are understood."""

    table: CsvTable
    columns: PeopleColumns
    cut: int = 0  # the line from which on nothing was read, since there are too many; 0: all was

    @property
    def headings(self) -> list[str]:
        width = len(self.columns.keys)
        return [*self.table.header, *[""] * width][:width]

    def samples(self, column: int, most: int = 3) -> list[str]:
        """The first values of a column."""
        cells = (row[column] for _line, row in self.table.rows[:50] if column < len(row) and row[column])
        return [one for one, _number in zip(cells, range(most), strict=False)]


def read(data: bytes, columns: PeopleColumns | None = None) -> PeopleTable:
    """The table of a file; `columns`: as somebody chose them. Raises NotPeopleFileError. Linear time."""
    if data.startswith(_SPREADSHEETS):
        raise NotPeopleFileError("spreadsheet")
    text = csv_table.text_of(data)
    if "\0" in text[:100_000]:
        raise NotPeopleFileError("not-text")
    table = csv_table.table(text, MOST_LINES, columns.has_header if columns else None)
    width = min(max((len(cells) for cells in (table.header, *(cells for _line, cells in table.rows))), default=0), MOST_COLUMNS)
    if not table.rows or not width:
        raise NotPeopleFileError("empty")
    found = columns.keys if columns else _guessed(table, width)
    keys = tuple([*found, *[""] * width][:width])
    cut = next((one.line for one in table.remarks if one.kind == "too-many"), 0)
    return PeopleTable(table, PeopleColumns(keys, table.has_header), cut)


def lines(read_table: PeopleTable) -> list[PeopleLine]:
    """What each line says, by field."""
    keys = read_table.columns.keys
    found = []
    for number, row in read_table.table.rows:
        cells, groups = dict[str, str](), list[str]()
        for key, cell in zip(keys, row, strict=False):
            value = unquoted(cell)
            if key == "groups":
                groups += [
                    one for part in value.replace("\n", ";").replace("|", ";").split(";") if (one := " ".join(part.split()))
                ]
            elif key and value:
                cells[key] = " ".join(value.split())[:500]
        found.append(PeopleLine(number, cells, tuple(dict.fromkeys(one[:200] for one in groups[:100]))))
    return found


def unquoted(cell: str) -> str:
    """Without the apostrophe that programs put before a cell which would else be a formula."""
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in "=+-@|%" else cell


def unit_of(read_table: PeopleTable) -> str:
    """The unit in the heading of the column of quotas ("Quota (Mo)"), where its numbers have none: "M", "G" or ""."""
    for key, heading in zip(read_table.columns.keys, read_table.headings, strict=True):
        if key == "quota":
            said = set(header_key(heading).split())
            return "G" if said & {"go", "gb", "gio", "gib"} else "M" if said & {"mo", "mb", "mio", "mib"} else ""
    return ""


def _guessed(table: CsvTable, width: int) -> list[str]:
    found = [_key_of(heading) for heading in table.header]
    found += [""] * (width - len(found))
    seen: set[str] = set()
    for number, key in enumerate(found):  # the first of several, but of what may be several
        if key in seen and key not in _SEVERAL:
            found[number] = ""
        seen.add(key)
    if "address" not in found:
        for number in range(width):
            cells = [row[number] for _line, row in table.rows[:50] if number < len(row) and row[number]]
            if not found[number] and cells and sum("@" in cell for cell in cells) * 2 > len(cells):
                found[number] = "address"
                break
    return found


def _key_of(heading: str) -> str:
    key = header_key(heading)
    if key in _KEYS:
        return _KEYS[key]
    without_unit = " ".join(word for word in key.split() if word not in ("go", "gb", "mo", "mb", "octets", "bytes"))
    return _KEYS.get(without_unit, "")


# --- saved -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SavedColumns:
    """Columns by their headings, so that they are found again in a file with others, or in another order."""

    by_heading: dict[str, str] = field(default_factory=dict)
    in_order: tuple[str, ...] = ()  # of a file without headings

    @classmethod
    def from_table(cls, found: PeopleTable) -> SavedColumns:
        if not found.columns.has_header:
            return cls(in_order=found.columns.keys)
        pairs = zip(map(header_key, found.headings), found.columns.keys, strict=True)
        return cls({heading: key for heading, key in pairs if heading})

    def fit(self, found: PeopleTable) -> bool:
        """Whether each column that they name is there."""
        if not found.columns.has_header:
            return bool(self.in_order) and len(self.in_order) <= len(found.columns.keys)
        there = set(map(header_key, found.headings))
        return bool(self.by_heading) and {heading for heading, key in self.by_heading.items() if key} <= there

    def applied(self, found: PeopleTable) -> PeopleColumns:
        width = len(found.columns.keys)
        if not found.columns.has_header:
            return PeopleColumns(tuple([*self.in_order, *[""] * width][:width]), has_header=False)
        return PeopleColumns(tuple(self.by_heading.get(header_key(heading), "") for heading in found.headings))

    def to_json(self) -> dict[str, Any]:
        return {"by_heading": self.by_heading, "in_order": list(self.in_order)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SavedColumns:
        return cls(_fields_of(data.get("by_heading", {}).items()), tuple(key for _h, key in _fields_in(data.get("in_order", []))))


def _fields_of(pairs: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    return {str(heading): str(key) for heading, key in pairs if key in (*FIELDS, "")}


def _fields_in(keys: Sequence[Any]) -> list[tuple[int, str]]:
    return [(number, str(key) if key in FIELDS else "") for number, key in enumerate(keys)]
