"""vCard details, the further fields: postal addresses, sites, days, categories, nickname, photo, the rest of the name, the
department, instant messages, profiles and related people, read and changed line by line.

As in vcard_edit.py, only lines of what was changed are written anew, in the version of the card; all others stay byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from webmail.mime.formats.address_books.entry import day_of, photo_line
from webmail.mime.formats.cards import vcard_lines
from webmail.mime.formats.cards.vcard_edit import MOST_POINTS, VcardProperty, as_text, lines_of
from webmail.mime.formats.cards.vcard_lines import VcardLine, escaped, made, written
from webmail.mime.formats.cards.vcard_people import (
    PROFILES,
    RELATED,
    ImAddress,
    RelatedPerson,
    im_line,
    im_of,
    is_im,
    label_of,
    profile_line,
    related_lines,
    related_of,
)
from webmail.mime.headers.encoded_words import tidy

_USES = ("home", "work")
_ANNIVERSARIES = ("ANNIVERSARY", "X-ANNIVERSARY", "X-EVOLUTION-ANNIVERSARY")
_READ = {
    "NICKNAME", "BDAY", "CATEGORIES", "ADR", "URL", "N", "ORG", "X-DEPARTMENT", "X-ABLABEL", "FBURL",
    *_ANNIVERSARIES, *PROFILES, *RELATED,
}  # fmt: skip
_DAY = re.compile(r"(\d{4}|-)-(\d\d)-(\d\d)")
_OMITTED = "1604"  # the year that Apple writes where there is none, a leap year


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """`street` may have several lines. PO box and extended address stand in it too, as its first lines."""

    street: str = ""
    code: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    use: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.street or self.code or self.city or self.region or self.country)


@dataclass(frozen=True, slots=True)
class MoreDetails:
    """What the form of a contact has beside `ContactDetails`. Days are 1980-02-03, or --02-03 without a year, or other words."""

    nickname: str = ""
    birthday: str = ""
    anniversary: str = ""
    postals: tuple[PostalAddress, ...] = ()
    sites: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    prefix: str = ""
    middle: str = ""
    suffix: str = ""
    organisation: str = ""
    department: str = ""
    ims: tuple[ImAddress, ...] = ()
    profiles: tuple[str, ...] = ()
    related: tuple[RelatedPerson, ...] = ()
    busy_url: str = ""  # where they publish when they are busy (FBURL)


def read_more(card: str) -> MoreDetails:
    """Never raises."""
    return _more(_parsed(_lines(card)))


def changed_more(card: str, new: MoreDetails) -> str:
    """The card with these fields; lines of those that are as before do not change."""
    lines, before = _lines(card), read_more(card)
    version = _version(lines)
    if new.nickname != before.nickname:
        lines = _set(lines, ("NICKNAME",), [made("NICKNAME", escaped(new.nickname))] if new.nickname else [])
    if new.birthday != before.birthday:
        lines = _set(lines, ("BDAY",), [_day_line("BDAY", new.birthday, version)] if new.birthday else [])
    if new.anniversary != before.anniversary:
        name = "ANNIVERSARY" if version == "4.0" else "X-ANNIVERSARY"
        lines = _set(lines, _ANNIVERSARIES, [_day_line(name, new.anniversary, version)] if new.anniversary else [])
    if new.categories != before.categories:
        text = ",".join(map(escaped, new.categories))
        lines = _set(lines, ("CATEGORIES",), [made("CATEGORIES", text)] if text else [])
    if new.busy_url != before.busy_url:
        lines = _set(lines, ("FBURL",), [made("FBURL", new.busy_url)] if new.busy_url else [])
    lines = _with_names(lines, before, new)
    lines = _with_values(lines, "ADR".__eq__, new.postals, _postal, _postal_line)
    lines = _with_values(lines, "URL".__eq__, new.sites, _plain, _site_line)
    lines = _with_values(lines, is_im, new.ims, im_of, im_line)
    lines = _with_values(lines, PROFILES.__contains__, new.profiles, _plain, partial(profile_line, version=version))
    return as_text(_with_related(lines, new.related, version))


def with_photo(card: str, data: bytes) -> str:
    """The card with this picture (JPEG, from `pictures.for_card`) instead of its own; without one for b""."""
    lines = _lines(card)
    line = photo_line(data, _version(lines)) if data else ""
    return as_text(_set(lines, ("PHOTO",), [line] if line else []))


def _lines(card: str) -> list[VcardProperty]:
    return lines_of(line for line in card.split("\r\n") if line)


def _version(lines: Iterable[VcardProperty]) -> str:
    return "4.0" if any(line.name == "VERSION" and "4." in line.raw for line in lines) else "3.0"


def _parse(line: VcardProperty) -> VcardLine | None:
    return vcard_lines.parsed(vcard_lines.unfolded(line.raw))


def _parsed(lines: Iterable[VcardProperty]) -> list[VcardLine]:
    return [found for line in lines if (line.name in _READ or is_im(line.name)) and (found := _parse(line)) is not None]


def _more(lines: Sequence[VcardLine]) -> MoreDetails:
    def first(*names: str) -> VcardLine | None:
        return next((line for line in lines if line.name in names and line.value), None)

    nickname, birthday, anniversary = first("NICKNAME"), first("BDAY"), first(*_ANNIVERSARIES)
    categories = [tidy(word) for line in lines if line.name == "CATEGORIES" for word in line.listed]
    postals = [_postal(line) for line in lines if line.name == "ADR"]
    sites = [_plain(line) for line in lines if line.name == "URL"]
    name, units = first("N"), first("ORG")
    parts = [*(map(tidy, name.fields) if name else ()), *[""] * 5]
    organisation, *below = map(tidy, units.fields) if units else [""]
    own = first("X-DEPARTMENT")
    labels = _labels(lines)
    return MoreDetails(
        nickname=tidy(nickname.text) if nickname else "",
        birthday=day_of(birthday) if birthday else "", anniversary=day_of(anniversary) if anniversary else "",
        postals=tuple(postal for postal in postals if not postal.is_empty)[:MOST_POINTS],
        sites=tuple(filter(None, sites))[:MOST_POINTS], categories=tuple(dict.fromkeys(filter(None, categories))),
        busy_url=_plain(busy) if (busy := first("FBURL")) else "",
        middle=parts[2], prefix=parts[3], suffix=parts[4], organisation=organisation,
        department=", ".join(filter(None, below)) or (tidy(own.text) if own else ""),
        ims=tuple(im for line in lines if is_im(line.name) and not (im := im_of(line)).is_empty)[:MOST_POINTS],
        profiles=tuple(filter(None, (_plain(line) for line in lines if line.name in PROFILES)))[:MOST_POINTS],
        related=tuple(
            one for line in lines if line.name in RELATED and not (one := related_of(line, labels)).is_empty
        )[:MOST_POINTS],
    )  # fmt: skip


def _plain(line: VcardLine) -> str:
    return tidy(line.text)


def _labels(lines: Iterable[VcardLine]) -> dict[str, str]:
    return {line.group: label_of(line) for line in lines if line.name == "X-ABLABEL" and line.group}


def _postal(line: VcardLine) -> PostalAddress:
    box, extended, street, city, region, code, country = [*(part.strip() for part in line.fields), *[""] * 7][:7]
    whole = "\n".join(filter(None, (box, extended, street)))
    use = next((use for use in _USES if use in line.types), "")
    return PostalAddress(whole, tidy(code), tidy(city), tidy(region), tidy(country), use)


# --- writing ---------------------------------------------------------------------------------------------------------


def _set(lines: list[VcardProperty], names: Sequence[str], new: Sequence[str]) -> list[VcardProperty]:
    """These lines instead of all of those names, in the place of the first of them."""
    at = next((number for number, line in enumerate(lines) if line.name in names), len(lines))
    kept = [line for line in lines if line.name not in names]
    return [*kept[:at], *(VcardProperty(line, line.partition(":")[0].partition(";")[0]) for line in new), *kept[at:]]


def _with_names(lines: list[VcardProperty], before: MoreDetails, new: MoreDetails) -> list[VcardProperty]:
    """The parts of the name that have no other place, the organisation and its department; what else stands there stays."""
    if (new.middle, new.prefix, new.suffix) != (before.middle, before.prefix, before.suffix):
        parts = _parts(lines, "N", 5)
        for at, text, old in ((2, new.middle, before.middle), (3, new.prefix, before.prefix), (4, new.suffix, before.suffix)):
            parts[at] = escaped(text) if text != old else parts[at]
        lines = _put(lines, "N", ";".join(parts))
    if new.organisation != before.organisation or new.department != before.department:
        units = _parts(lines, "ORG", 1)
        units[0] = escaped(new.organisation) if new.organisation != before.organisation else units[0]
        if new.department != before.department:
            units[1:] = [escaped(new.department)] if new.department else []
            lines = _set(lines, ("X-DEPARTMENT",), [])
        lines = _put(lines, "ORG", ";".join(units)) if any(units) else _set(lines, ("ORG",), [])
    return lines


def _parts(lines: Iterable[VcardProperty], name: str, count: int) -> list[str]:
    """The components of a structured value as they are written, at least so many."""
    found = next((parsed for line in lines if line.name == name and (parsed := _parse(line)) is not None), None)
    parts = vcard_lines.split(found.value, ";") if found else []
    return [*parts, *[""] * (count - len(parts))]


def _put(lines: list[VcardProperty], name: str, value: str) -> list[VcardProperty]:
    """This (escaped) value in the first line of its name, which keeps all else; in a new one where there is none."""
    for at, line in enumerate(lines):
        if line.name == name and (found := _parse(line)) is not None:
            return [*lines[:at], VcardProperty(written(replace(found, value=value)), name), *lines[at + 1 :]]
    return [*lines, VcardProperty(made(name, value), name)]


def _day_line(name: str, day: str, version: str) -> str:
    found = _DAY.fullmatch(day)
    if not found:
        return made(name, escaped(day), (), [("VALUE", "text")])
    year, month, date = found.groups()
    if version == "4.0":
        return made(name, f"{year if year != '-' else '--'}{month}{date}")
    if year == "-":
        return made(name, f"{_OMITTED}-{month}-{date}", (), [("X-APPLE-OMIT-YEAR", _OMITTED)])
    return made(name, f"{year}-{month}-{date}")


def _postal_line(postal: PostalAddress, before: VcardLine | None) -> VcardLine:
    where = ["", "", escaped(postal.street)]
    if before is not None and _postal(before).street == postal.street:  # so that a PO box stays one
        where = [*vcard_lines.split(before.value, ";"), "", "", ""][:3]
    value = ";".join((*where, *map(escaped, (postal.city, postal.region, postal.code, postal.country))))
    if before is None:
        return VcardLine("ADR", value, (("TYPE", postal.use.upper()),) if postal.use else ())
    kept = [(name, word) for name, word in before.params if name not in ("LABEL", "TYPE", "")]
    types = [word for word in before.types if word not in _USES] + ([postal.use] if postal.use else [])
    return replace(before, value=value, params=(*kept, *(("TYPE", word.upper()) for word in types)))


def _site_line(site: str, before: VcardLine | None) -> VcardLine:
    return replace(before, value=escaped(site)) if before is not None else VcardLine("URL", escaped(site))


Value = TypeVar("Value", PostalAddress, ImAddress, str)


def _with_values(
    lines: list[VcardProperty], ours: Callable[[str], bool], wanted: Sequence[Value],
    visible: Callable[[VcardLine], Value], write: Callable[[Value, VcardLine | None], VcardLine],
) -> list[VcardProperty]:  # fmt: skip
    """Lines of these names (`ours`) with these values: unchanged ones stay; another value at the same position counts as edited
    and keeps its label and parameters."""
    old: list[tuple[VcardProperty, VcardLine, Value]] = []
    for line in lines:
        if ours(line.name) and (found := _parse(line)) is not None:
            value = visible(found)
            if value and (isinstance(value, str) or not value.is_empty):
                old.append((line, found, value))
    old = old[:MOST_POINTS]
    if [value for _line, _found, value in old] == list(wanted):
        return lines
    free = dict(enumerate(old))
    new: dict[int, VcardProperty] = {}
    for at, value in enumerate(wanted):
        same = next((number for number, one in free.items() if one[2] == value), None)
        if same is not None:
            new[at] = free.pop(same)[0]
    for at, value in enumerate(wanted):
        if at not in new:
            before = free.pop(at, None)
            changed = write(value, before[1] if before else None)
            new[at] = VcardProperty(written(changed), changed.name)
    there = {id(line) for line, _found, _value in old}
    groups = {found.group for _line, found, _value in old} - {line.raw.partition(".")[0] for line in new.values()} - {""}
    labels = tuple(f"{group.upper()}.X-AB" for group in groups)
    before_it = next((number for number, line in enumerate(lines) if id(line) in there), len(lines))
    stays = [id(line) not in there and not (labels and line.raw.upper().startswith(labels)) for line in lines]
    head: list[VcardProperty] = [line for line, kept in zip(lines[:before_it], stays, strict=False) if kept]
    tail: list[VcardProperty] = [line for line, kept in zip(lines[before_it:], stays[before_it:], strict=True) if kept]
    return [*head, *(new[number] for number in range(len(wanted))), *tail]


def _with_related(lines: list[VcardProperty], wanted: Sequence[RelatedPerson], version: str) -> list[VcardProperty]:
    """The lines of these people: those of others go with their labels, new ones come last."""
    found = [(line, parsed) for line in lines if line.name in (*RELATED, "X-ABLABEL") and (parsed := _parse(line)) is not None]
    labels = _labels(parsed for _line, parsed in found)
    left, gone, groups = list(wanted), set(), set()
    people = [(line, parsed) for line, parsed in found if line.name in RELATED and not related_of(parsed, labels).is_empty]
    for line, parsed in people[:MOST_POINTS]:
        one = related_of(parsed, labels)
        if one in left:
            left.remove(one)
        else:
            gone.add(id(line))
            groups |= {parsed.group.upper()} - {""}
    tails = tuple(f"{group}.X-AB" for group in groups)
    kept = [line for line in lines if id(line) not in gone and not (tails and line.raw.upper().startswith(tails))]
    for one in left:
        taken = [line.raw.partition(".")[0] for line in kept]
        kept += [
            VcardProperty(raw, "X-ABLABEL" if "X-ABLabel" in raw else "RELATED") for raw in related_lines(one, version, taken)
        ]
    return kept
