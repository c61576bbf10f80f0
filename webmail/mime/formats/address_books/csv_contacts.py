"""CSV contacts: the rows of a table as entries, by the field that each column holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from webmail.mime.formats.address_books import csv_headers
from webmail.mime.formats.address_books.csv_headers import IGNORED
from webmail.mime.formats.address_books.csv_table import CsvTable
from webmail.mime.formats.address_books.entry import RELATIONS, SERVICES, BookEntry, Labelled, Postal, Remark, RemarkKind, tell
from webmail.mime.headers.encoded_words import tidy

_SEVERAL = " ::: "  # Google's, between several values of one cell
_OWN_GROUPS = ("mycontacts", "my contacts", "starred", "favoris", "mes contacts")  # of Google: everybody, and no group
_MARKED = ("=", "+", "-", "@", "|", "%")
_NO_DATE = re.compile(r"[0/.-]+")
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?|(\d{4})(\d\d)(\d\d)")
_WRITTEN = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})(?: .*)?")
_DAY_ALONE = re.compile(r"--(\d\d)-?(\d\d)")
_GOOGLE_TYPES = {"work fax": ("work", "fax"), "home fax": ("home", "fax"), "mobile": ("cell",), "home page": ("homepage",)}
_KNOWN_TYPES = frozenset(("home", "work", "cell", "main", "pager", "fax", "car", "profile", "blog", "homepage", "video", "other"))
_GOOGLE_PARTS = {
    "street": "street", "city": "city", "po box": "pobox", "region": "region", "postal code": "code", "country": "country",
    "extended address": "extended",
}  # fmt: skip


def month_first(table: CsvTable, keys: Sequence[str], french: bool) -> bool:
    """Whether 1/2/1991 is the 2nd of January: told by the dates that leave no choice, else by the language of the header."""
    at = [number for number, key in enumerate(keys) if key in ("birthday", "anniversary")]
    for _line, cells in table.rows:
        for number in at:
            found = _WRITTEN.fullmatch(cells[number]) if number < len(cells) else None
            if found and (int(found[1]) > 12) != (int(found[2]) > 12):
                return int(found[2]) > 12
    return not french


def entries(table: CsvTable, keys: Sequence[str], remarks: list[Remark], *, french: bool = False) -> list[BookEntry]:
    """An entry for each row. What is not understood is added to `remarks`; a row that names nobody is left out, with one."""
    names = [*table.header, *(f"{number + 1}" for number in range(len(table.header), len(keys)))]
    for name, key, number in zip(names, keys, range(len(keys)), strict=False):
        if key == "" and any(number < len(cells) and cells[number] for _line, cells in table.rows):
            tell(remarks, Remark(0, RemarkKind.COLUMN, name[:80]))
    first = month_first(table, keys, french)
    found = []
    for line, cells in table.rows:
        if any(cells[len(keys) :]):
            tell(remarks, Remark(line, RemarkKind.CELLS, ", ".join(filter(None, cells[len(keys) :]))[:80]))
        one = EntryRow(line, remarks, first).entry(names, keys, cells)
        if one.full_name:
            found.append(one)
        else:
            tell(remarks, Remark(line, RemarkKind.NO_NAME, ", ".join(filter(None, cells))[:80]))
    return found


def harmless_undone(cell: str) -> str:
    """Without the apostrophe that programs put before a cell that would else be a formula."""
    return cell[1:].strip() if cell[:1] == "'" and cell[1:].lstrip().startswith(_MARKED) else cell


@dataclass(slots=True)
class EntryRow:
    """Fills one entry, field by field."""

    line: int
    remarks: list[Remark]
    month_first: bool
    one: BookEntry = field(default_factory=BookEntry)
    postals: dict[str, Postal] = field(default_factory=dict)
    google: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    birth: dict[str, str] = field(default_factory=dict)
    seen: set[tuple[str, str]] = field(default_factory=set)  # (kind, value): a cell may hold thousands

    def entry(self, names: Sequence[str], keys: Sequence[str], cells: Sequence[str]) -> BookEntry:
        self.one.line = self.line
        for name, key, cell in zip(names, keys, cells, strict=False):
            value = harmless_undone(cell)
            if value and key and key != IGNORED:
                self.take(key, value, name)
        self._numbered()
        self.one.postals += [postal for postal in self.postals.values() if any(postal.parts)]
        if self.birth.get("day") and self.birth.get("month"):
            day, month, year = (self.birth.get(part, "") for part in ("day", "month", "year"))
            self.one.birthday = self.date(f"{year}-{month}-{day}" if year else f"--{month.zfill(2)}-{day.zfill(2)}")
        return self.one

    def take(self, key: str, value: str, name: str) -> None:
        kind, _dot, rest = key.partition(".")
        match kind:
            case csv_headers.NOTE:
                self._to_note(f"{name}: {value}")
            case "note":
                self._to_note(value)
            case "birthday" | "anniversary":
                setattr(self.one, kind, getattr(self.one, kind) or self.date(value))
            case "birth":
                self.birth[rest] = value
            case "categories":
                self.categories(value)
            case "email" | "phone" | "url":
                self.points(kind, value, rest)
            case "adr":
                use, _dot, part = rest.partition(".")
                self.postal(self.postals.setdefault(use, Postal(use)), part, value)
            case "im":
                self.one.ims.append(Labelled(value, (rest,) if rest else ()))
            case "related":
                self.one.related.append((rest, value))
            case "g":
                about, number, part = rest.split(".", 2)
                self.google.setdefault((about, number), {})[part] = value
            case _ if not getattr(self.one, kind):
                setattr(self.one, kind, tidy(value)[:300])
            case _:
                self._to_note(f"{name}: {value}")

    def _to_note(self, text: str) -> None:
        self.one.note = f"{self.one.note}\n{text}".strip()

    def points(self, kind: str, value: str, rest: str, label: str = "") -> None:
        types = tuple(word for word in rest.split(".") if word)
        label = "assistant" if "assistant" in types else label
        types = tuple(word for word in types if word != "assistant")
        into = {"email": self.one.emails, "phone": self.one.phones, "url": self.one.sites}[kind]
        for one in value.split(_SEVERAL):
            text = tidy(one)[:320]
            if kind == "email" and "@" not in text:
                tell(self.remarks, Remark(self.line, RemarkKind.ADDRESS, text[:80]))
            if text and (kind, text) not in self.seen:
                self.seen.add((kind, text))
                into.append(Labelled(text, types, label))

    @staticmethod
    def postal(into: Postal, part: str, value: str) -> None:
        if part in ("street", "street2", "street3"):
            into.street = f"{into.street}\n{value}".strip()
        else:
            setattr(into, part, getattr(into, part) or tidy(value))

    def categories(self, value: str) -> None:
        mark = _SEVERAL if _SEVERAL in value else ";" if ";" in value else ","
        for word in value.split(mark.strip(" ") if mark == _SEVERAL else mark):
            name = tidy(word).removeprefix("* ").strip()
            if name and name.lower() not in _OWN_GROUPS and ("categories", name) not in self.seen:
                self.seen.add(("categories", name))
                self.one.categories.append(name[:100])

    def date(self, text: str) -> str:
        """As in a card; "" with a remark if it is none. Outlook writes 0/0/00 where there is none."""
        if _NO_DATE.fullmatch(text):
            return ""
        if found := _DAY_ALONE.fullmatch(text):
            year, month, day = "--", found[1], found[2]
        elif found := _ISO.fullmatch(text):
            year, month, day = (found[number] or found[number + 3] for number in (1, 2, 3))
        elif found := _WRITTEN.fullmatch(text):
            month, day = (found[1], found[2]) if self.month_first else (found[2], found[1])
            year = found[3]
        else:
            year, month, day = "", "0", "0"
        if not (year and 1 <= int(month) <= 12 and 1 <= int(day) <= 31):
            tell(self.remarks, Remark(self.line, RemarkKind.DATE, text[:80]))
            return ""
        return f"{year}-{int(month):02}-{int(day):02}" if year != "--" else f"--{int(month):02}-{int(day):02}"

    # --- Google's numbered columns ---

    def _numbered(self) -> None:
        for (kind, _number), parts in self.google.items():
            label = parts.get("type", parts.get("label", "")).removeprefix("* ").strip()
            value = parts.get("value", "")
            match kind:
                case "e mail" | "phone" | "website" if value:
                    types = _google_types(label)
                    own = "" if types or label.lower() in ("", "other", "autre") else label
                    where = {"e mail": "email", "phone": "phone", "website": "url"}[kind]
                    self.points(where, value, ".".join(types), own)
                case "address":
                    self._google_postal(parts, label)
                case "im" if value:
                    service = parts.get("service", label).lower().replace("google talk", "gtalk")
                    self.one.ims.append(Labelled(value, (service,) if service in SERVICES else ()))
                case "relation" if value:
                    self.one.related.append((label.lower() if label.lower() in RELATIONS else label, value))
                case "event" if value:
                    if label.lower() in ("anniversary", "anniversaire") and not self.one.anniversary:
                        self.one.anniversary = self.date(value)
                    else:
                        self._to_note(f"{label}: {value}")
                case "organization":
                    self._google_organisation(parts)
                case "custom field" | "jot" | "calendar link" if value:
                    self._to_note(f"{label}: {value}" if label else value)

    def _google_postal(self, parts: dict[str, str], label: str) -> None:
        use = label.lower() if label.lower() in ("home", "work") else ""
        postal = Postal(use, "" if use or label.lower() in ("", "other") else label)
        for part, value in parts.items():
            if part in _GOOGLE_PARTS:
                setattr(postal, _GOOGLE_PARTS[part], value.replace(_SEVERAL, "\n"))
        if not any(postal.parts):
            postal.street = parts.get("formatted", "")
        if any(postal.parts):
            self.one.postals.append(postal)

    def _google_organisation(self, parts: dict[str, str]) -> None:
        for part, of in (("name", "organisation"), ("title", "title"), ("department", "department")):
            if parts.get(part) and not getattr(self.one, of):
                setattr(self.one, of, tidy(parts[part].split(_SEVERAL)[0])[:300])
        for part in ("symbol", "location", "job description"):
            if parts.get(part):
                self._to_note(f"{part.capitalize()}: {parts[part]}")


def _google_types(label: str) -> tuple[str, ...]:
    word = label.lower()
    if word in _GOOGLE_TYPES:
        return _GOOGLE_TYPES[word]
    return (word,) if word in _KNOWN_TYPES and word != "other" else ()
