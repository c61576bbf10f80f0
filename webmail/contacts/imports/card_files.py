"""Card files: a file of another program (vCard, CSV, LDIF), read as cards, with what was not understood; cards as such files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from webmail.contacts import book_access, store
from webmail.mime.formats.address_books import csv_contacts, csv_headers, csv_out, csv_table, ldif, ldif_contacts, ldif_out
from webmail.mime.formats.address_books.csv_table import CsvTable, header_key
from webmail.mime.formats.address_books.entry import Remark, entry_of
from webmail.mime.formats.cards import vcard_import, vcard_versions
from webmail.mime.formats.cards.vcard_import import CardFile
from webmail.models import Collection, Contact, User

_HEAD = 300_000  # bytes from which the columns of a table are told
_SHOWN = 3  # rows
_MOST_LOOKED_AT = 500  # rows in which a column may hold something
_FRENCH = frozenset(
    ("prenom", "nom", "nom de famille", "nom complet", "societe", "telephone", "adresse de messagerie", "courriel")
)


class FileKind(StrEnum):
    """What a file is."""

    CARDS = "vcard"
    TABLE = "csv"
    LDIF = "ldif"
    UNKNOWN = ""


class ExportStyle(StrEnum):
    """What contacts can be saved as."""

    AS_KEPT = "vcard"
    VCARD_3 = "vcard3"
    VCARD_4 = "vcard4"
    GOOGLE = "google"
    OUTLOOK = "outlook"
    LDIF = "ldif"


@dataclass(frozen=True, slots=True)
class CsvColumns:
    """Which field each column holds (a key of `csv_headers`, "" for none), and whether the first row names them."""

    keys: tuple[str, ...]
    has_header: bool = True

    def to_json(self) -> dict[str, Any]:
        return {"keys": list(self.keys), "has_header": self.has_header}

    @classmethod
    def from_json(cls, data: dict[str, Any] | None) -> CsvColumns | None:
        return cls(tuple(map(str, data["keys"])), bool(data["has_header"])) if data else None


@dataclass(frozen=True, slots=True)
class ColumnLook:
    """A column as the mapping page shows it: its name, the first values, and the field that it seems to hold."""

    name: str
    values: tuple[str, ...]
    key: str


@dataclass(frozen=True, slots=True)
class FileLook:
    """The beginning of a file. `columns` of a table; `known`: they are understood without asking."""

    kind: FileKind
    columns: tuple[ColumnLook, ...] = ()
    has_header: bool = True
    known: bool = True


def look(data: bytes, columns: CsvColumns | None = None) -> FileLook:
    """What a file is, from its beginning; with `columns`, as they were chosen. Never raises."""
    text = csv_table.text_of(_head(data))
    kind = _kind_of(text)
    if kind is not FileKind.TABLE:
        return FileLook(kind)
    table = csv_table.table(text, _MOST_LOOKED_AT, columns.has_header if columns else None)
    width = max(len(cells) for cells in (table.header, *(cells for _line, cells in table.rows)))
    keys = columns.keys if columns else _keys(table, width)
    filled = [any(number < len(cells) and cells[number] for _line, cells in table.rows) for number in range(width)]
    shown = [cells for _line, cells in table.rows[:_SHOWN]]
    found = tuple(
        ColumnLook(
            table.header[number] if number < len(table.header) else "",
            tuple(cells[number] if number < len(cells) else "" for cells in shown),
            keys[number] if number < len(keys) else "",
        )
        for number in range(width)
    )
    known = table.has_header and csv_headers.is_known(keys, filled)
    return FileLook(kind, found, table.has_header, known)


def read(data: bytes, columns: CsvColumns | None = None) -> CardFile:
    """The cards of a file; `columns` of a table, else as its header tells. Never raises; linear time."""
    text = csv_table.text_of(data)
    remarks: list[Remark] = []
    match _kind_of(text):
        case FileKind.CARDS:
            return vcard_import.cards_in(text, store.MOST)
        case FileKind.LDIF:
            entries = ldif_contacts.entries(text, store.MOST, remarks)
        case FileKind.TABLE:
            table = csv_table.table(text, store.MOST, columns.has_header if columns else None)
            keys = columns.keys if columns else _keys(table, len(table.header))
            french = any(header_key(name) in _FRENCH for name in table.header)
            entries = csv_contacts.entries(table, keys, remarks, french=french)
            remarks += table.remarks
        case _:
            return CardFile(())
    return vcard_import.cards_from(entries, store.MOST, remarks)


def _head(data: bytes) -> bytes:
    if len(data) <= _HEAD:
        return data
    return data[: data.rfind(b"\n", 0, _HEAD) + 1 or _HEAD]


def _kind_of(text: str) -> FileKind:
    if "BEGIN:VCARD" in text[:_HEAD].upper():
        return FileKind.CARDS
    if ldif.is_ldif(text):
        return FileKind.LDIF
    table = csv_table.table(text[:_HEAD], _SHOWN)
    rows = [table.header, *(cells for _line, cells in table.rows)]
    several = sum(len(cells) > 1 for cells in rows) == len(rows) > 1
    addresses = any("@" in cell for cells in rows for cell in cells)
    return FileKind.TABLE if (several or addresses) and "\0" not in text[:_HEAD] else FileKind.UNKNOWN


def _keys(table: CsvTable, width: int) -> tuple[str, ...]:
    found = csv_headers.guessed(table.header)
    return (*found, *[""] * (width - len(found)))


# --- out -------------------------------------------------------------------------------------------------------------


def saved_as(cards: Iterable[str], style: ExportStyle) -> Iterator[str]:
    """Cards as a file, in pieces."""
    match style:
        case ExportStyle.GOOGLE | ExportStyle.OUTLOOK:
            yield from csv_out.as_csv(map(entry_of, cards), style.value)
        case ExportStyle.LDIF:
            yield from ldif_out.as_ldif(map(entry_of, cards))
        case ExportStyle.VCARD_3 | ExportStyle.VCARD_4:
            version = "3.0" if style is ExportStyle.VCARD_3 else "4.0"
            yield from (vcard_versions.in_version(card, version) for card in cards)
        case _:
            yield from cards


def of_user(user: User, uids: Sequence[str] | None = None, book: Collection | None = None) -> list[str]:
    """The cards of a person's own books, or of one book that they read, or those with these `uid`s in any of them; groups last,
    by name. 1 query, 2 more with `uids`."""
    if uids is not None:
        here = book_access.visible(user) & Contact.uid.in_(list(uids)[:500])
    else:
        here = Contact.user == user if book is None else Contact.collection == book
    found: Any = Contact.select(Contact.vcard).where(here).order_by(Contact.kind.desc(), Contact.sort, Contact.id)
    return [card for (card,) in found.tuples()]
