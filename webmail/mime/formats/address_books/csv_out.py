"""CSV out: entries as the table that Google or Outlook reads, with no cell that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from webmail.mime.formats.address_books.entry import BookEntry, Labelled, Postal

GOOGLE, OUTLOOK = "google", "outlook"
_MOST = {"E-mail": 6, "Phone": 14, "Address": 4, "Website": 6, "Relation": 4, "IM": 6}  # columns of each in Google's file
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_NUMBER = re.compile(r"\+\d[\d ().-]*")  # a telephone number: nothing in it can name a function or a cell
_MARK = "\ufeff"  # without it, Excel reads the file as cp1252
_OUTLOOK = (
    "Title", "First Name", "Middle Name", "Last Name", "Suffix", "Nickname", "Company", "Department", "Job Title",
    "Business Street", "Business City", "Business State", "Business Postal Code", "Business Country/Region",
    "Business Address PO Box", "Home Street", "Home City", "Home State", "Home Postal Code", "Home Country/Region",
    "Home Address PO Box", "Other Street", "Other City", "Other State", "Other Postal Code", "Other Country/Region",
    "Other Address PO Box", "Business Fax", "Business Phone", "Business Phone 2", "Company Main Phone", "Home Fax",
    "Home Phone", "Home Phone 2", "Mobile Phone", "Other Phone", "Pager", "Primary Phone", "Car Phone", "Anniversary",
    "Assistant's Name", "Birthday", "Categories", "E-mail Address", "E-mail Display Name", "E-mail 2 Address",
    "E-mail 3 Address", "Gender", "Manager's Name", "Notes", "Profession", "Spouse", "Web Page", "Personal Web Page",
)  # fmt: skip
_PHONES = (  # the words of TYPE that each column of Outlook's takes, the most exact first
    (("work", "fax"), ("Business Fax",)), (("home", "fax"), ("Home Fax",)), (("fax",), ("Business Fax", "Home Fax")),
    (("pager",), ("Pager",)), (("car",), ("Car Phone",)), (("cell",), ("Mobile Phone",)), (("main",), ("Primary Phone",)),
    (("work",), ("Business Phone", "Business Phone 2", "Company Main Phone")), (("home",), ("Home Phone", "Home Phone 2")),
    ((), ("Other Phone", "Primary Phone")),
)  # fmt: skip


def as_csv(entries: Iterable[BookEntry], style: str) -> Iterator[str]:
    """The file in pieces, UTF-8 with a mark, one row for each entry that is no group."""
    header = list(_OUTLOOK) if style == OUTLOOK else _google_header()
    yield _MARK + _row(header)
    for one in entries:
        if not one.group:
            cells = _outlook(one) if style == OUTLOOK else _google(one)
            yield _row([harmless(cells.get(name, "")) for name in header])


def _row(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe comes before = + - @ and the like, which reading it here
    takes away again. Telephone numbers stay as they are, since other programs would keep the apostrophe."""
    if cell.lstrip(" ").startswith(_DANGEROUS) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


# --- Google ----------------------------------------------------------------------------------------------------------


def _google_header() -> list[str]:
    names = ["First Name", "Middle Name", "Last Name", "Name Prefix", "Name Suffix", "Nickname", "File As", "Organization Name",
             "Organization Title", "Organization Department", "Birthday", "Gender", "Maiden Name", "Notes", "Labels"]  # fmt: skip
    parts = {
        "IM": ("Service", "Value"),
        "Address": ("Label", "Street", "Extended Address", "City", "Region", "Postal Code", "Country", "PO Box"),
    }
    for kind, count in _MOST.items():
        names += [f"{kind} {number} - {part}" for number in range(1, count + 1) for part in parts.get(kind, ("Label", "Value"))]
    return [*names, "Event 1 - Label", "Event 1 - Value"]


def _google(entry: BookEntry) -> dict[str, str]:
    cells = {
        "First Name": entry.given, "Middle Name": entry.middle, "Last Name": entry.family, "Name Prefix": entry.prefix,
        "Name Suffix": entry.suffix, "Nickname": entry.nickname, "File As": entry.name, "Organization Name": entry.organisation,
        "Organization Title": entry.title or entry.role, "Organization Department": entry.department, "Birthday": entry.birthday,
        "Gender": entry.gender, "Maiden Name": entry.maiden, "Labels": " ::: ".join(entry.categories),
    }  # fmt: skip
    more: list[str] = []
    for kind, points in (("E-mail", entry.emails), ("Phone", entry.phones), ("Website", entry.sites)):
        for number, point in enumerate(points, 1):
            if number <= _MOST[kind]:
                cells |= {f"{kind} {number} - Label": _google_label(point), f"{kind} {number} - Value": point.value}
            else:
                more.append(point.value)
    for number, postal in enumerate(entry.postals, 1):
        if number <= _MOST["Address"]:
            cells |= {f"Address {number} - {name}": value for name, value in _google_postal(postal).items()}
        else:
            more.append(", ".join(postal.lines))
    for number, (relation, name) in enumerate(entry.related[: _MOST["Relation"]], 1):
        cells |= {f"Relation {number} - Label": relation.title(), f"Relation {number} - Value": name}
    for number, point in enumerate(entry.ims[: _MOST["IM"]], 1):
        cells |= {f"IM {number} - Service": next(iter(point.types), ""), f"IM {number} - Value": point.value}
    more += [point.value for point in entry.ims[_MOST["IM"] :]] + [name for _kind, name in entry.related[_MOST["Relation"] :]]
    if entry.anniversary:
        cells |= {"Event 1 - Label": "Anniversary", "Event 1 - Value": entry.anniversary}
    return cells | {"Notes": "\n".join(filter(None, (entry.note, *more)))}


def _google_label(point: Labelled) -> str:
    types = set(point.types)
    if {"fax", "work"} <= types or {"fax", "home"} <= types:
        return f"{'Work' if 'work' in types else 'Home'} Fax"
    words = {"cell": "Mobile", "homepage": "Home Page"}
    return point.label or next((words.get(word, word.title()) for word in point.types), "")


def _google_postal(postal: Postal) -> dict[str, str]:
    return {
        "Label": postal.label or postal.use.title(), "Street": postal.street, "Extended Address": postal.extended,
        "City": postal.city, "Region": postal.region, "Postal Code": postal.code, "Country": postal.country,
        "PO Box": postal.pobox,
    }  # fmt: skip


# --- Outlook ---------------------------------------------------------------------------------------------------------


def _outlook(entry: BookEntry) -> dict[str, str]:
    cells = {
        "Title": entry.prefix, "First Name": entry.given, "Middle Name": entry.middle, "Last Name": entry.family, "Suffix":
        entry.suffix, "Nickname": entry.nickname, "Company": entry.organisation, "Department": entry.department, "Job Title":
        entry.title, "Birthday": entry.birthday, "Anniversary": entry.anniversary, "Categories": ";".join(entry.categories),
        "Gender": entry.gender, "Profession": entry.role,
    }  # fmt: skip
    if not (entry.given or entry.family):
        cells["Last Name"] = entry.full_name
    more: list[str] = []
    for point, name in zip(entry.emails, ("E-mail Address", "E-mail 2 Address", "E-mail 3 Address"), strict=False):
        cells[name] = point.value
    cells["E-mail Display Name"] = entry.name if entry.emails else ""
    more += [point.value for point in entry.emails[3:]]
    for phone in entry.phones:
        _put(cells, next(columns for types, columns in _PHONES if set(types) <= set(phone.types)), phone.value, more)
    for postal in entry.postals:
        place = {"work": "Business", "home": "Home"}.get(postal.use, "Other")
        parts = {"Street": "\n".join(filter(None, (postal.extended, postal.street))), "City": postal.city, "State": postal.region,
                 "Postal Code": postal.code, "Country/Region": postal.country, "Address PO Box": postal.pobox}  # fmt: skip
        if any(cells.get(f"{place} {name}") for name in parts):
            more.append(", ".join(postal.lines))
        else:
            cells |= {f"{place} {name}": value for name, value in parts.items()}
    for site in entry.sites:
        _put(cells, ("Personal Web Page", "Web Page") if "home" in site.types else ("Web Page",), site.value, more)
    for kind, name in entry.related:
        columns = {"spouse": ("Spouse",), "manager": ("Manager's Name",), "assistant": ("Assistant's Name",)}.get(kind, ())
        _put(cells, columns, name, more)
    return cells | {"Notes": _note(entry, more)}


def _put(cells: dict[str, str], columns: Sequence[str], value: str, more: list[str]) -> None:
    """Into the first of these columns that is free, else into the note."""
    free = next((name for name in columns if not cells.get(name)), "")
    if free:
        cells[free] = value
    else:
        more.append(value)


def _note(entry: BookEntry, more: Sequence[str]) -> str:
    ims = [f"{next(iter(point.types), 'im')}: {point.value}" for point in entry.ims]
    return "\n".join(filter(None, (entry.note, *more, *ims)))
