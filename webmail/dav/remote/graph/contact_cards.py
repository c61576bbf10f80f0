"""Contacts as Graph has them, as vCards (RFC 2426) and back. Pure functions.

What a card says that Graph has no property for comes back from the extended property, as of events: see `extra_lines`.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from webmail.dav.remote.graph import extra_lines
from webmail.dav.remote.graph.extra_lines import ExtraLines, value_without_breaks
from webmail.mime.formats.cards.vcard_lines import VcardLine, escaped, folded, lines_in, made, parsed, unfolded

Json = dict[str, Any]
_HEAD = ("BEGIN:VCARD", "VERSION:3.0", "PRODID:-//Traboule//Microsoft 365//EN")
_NEVER = {"UID", "REV", "PRODID", "VERSION"}
_MOST_MAILS, _MOST_PHONES = 3, 2
_STREETS = ("street", "city", "state", "postalCode", "countryOrRegion")  # as ADR has them, from its third part
_ADDRESSES = {"homeAddress": ("HOME",), "businessAddress": ("WORK",), "otherAddress": ()}
_NAMES = ("surname", "givenName", "middleName", "title", "generation")  # as N has them


class UnreadableContactError(ValueError):
    """Not a contact that a book can have."""


# --- Graph's, as a card ----------------------------------------------------------------------------------------------


def is_incomplete(contact: Json) -> bool:
    """Whether its card has lines that are too long for Graph: only the card here has them."""
    return bool(extra_lines.of_event(contact).left_out.get(""))


def card_from(contact: Json, here: str = "") -> str:
    """`here`: the card as it is here, for lines that are too long for Graph. Raises UnreadableContactError."""
    extra = extra_lines.of_event(contact)
    lines = _lines_of(contact, extra)
    for name, (before, instead) in extra.parts.get("", {}).items():
        if extra_lines.digest(lines.get(name, [])) == before:
            plain = map(value_without_breaks, instead)
            lines[name] = [one for one in plain if (line := parsed(one)) is not None and line.name == name]
    own = _by_name(here) if here else {}
    for name, before in extra.left_out.get("", {}).items():
        if name in own and name not in _NEVER and extra_lines.digest(lines.get(name, [])) == before:
            lines[name] = own[name]
    return "\r\n".join([*_HEAD, *(folded(one) for named in lines.values() for one in named), "END:VCARD", ""])


def _lines_of(contact: Json, extra: ExtraLines) -> dict[str, list[str]]:
    try:
        return _by_name("\r\n".join(_texts(contact, extra.uid or str(contact.get("id") or ""))))
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise UnreadableContactError(f"{type(error).__name__}: {error}"[:200]) from error


def _texts(contact: Json, uid: str) -> list[str]:
    names = [_text(contact, name) for name in _NAMES]
    shown = _text(contact, "displayName") or " ".join(filter(None, (names[1], names[0]))) or _text(contact, "companyName")
    mails = [str(one.get("address") or "").strip() for one in contact.get("emailAddresses") or []]
    found = [
        made("UID", value_without_breaks(uid)),
        made("FN", escaped(shown or next(filter(None, mails), "") or "?")),
        made("N", ";".join(map(escaped, names))),
    ]
    found += [made("NICKNAME", escaped(nick))] if (nick := _text(contact, "nickName")) else []
    found += [made("EMAIL", escaped(mail), ["internet"]) for mail in mails if mail]
    found += [made("TEL", escaped(phone), types) for phone, types in _phones(contact)]
    for key, types in _ADDRESSES.items():
        parts = [_text(contact.get(key) or {}, name) for name in _STREETS]
        found += [made("ADR", ";;" + ";".join(map(escaped, parts)), types)] if any(parts) else []
    company, department = _text(contact, "companyName"), _text(contact, "department")
    found += (
        [made("ORG", f"{escaped(company)};{escaped(department)}" if department else escaped(company))]
        if company or department
        else []
    )
    found += [made("TITLE", escaped(job))] if (job := _text(contact, "jobTitle")) else []
    found += [made("URL", value_without_breaks(site), ["work"])] if (site := _text(contact, "businessHomePage")) else []
    found += [made("IMPP", value_without_breaks(str(im))) for im in contact.get("imAddresses") or [] if im]
    if birthday := str(contact.get("birthday") or "")[:10]:
        found.append(made("BDAY", date.fromisoformat(birthday).isoformat()))
    found += [made("NOTE", escaped(note))] if (note := _note(contact)) else []
    categories = [str(one) for one in contact.get("categories") or []]
    return found + ([made("CATEGORIES", ",".join(map(escaped, categories)))] if categories else [])


def _phones(contact: Json) -> list[tuple[str, tuple[str, ...]]]:
    found = [(str(contact.get("mobilePhone") or ""), ("cell",))]
    found += [(str(one), ("work",)) for one in contact.get("businessPhones") or []]
    found += [(str(one), ("home",)) for one in contact.get("homePhones") or []]
    return [(phone.strip(), types) for phone, types in found if phone.strip()]


def _text(contact: Json, name: str) -> str:
    return " ".join(str(contact.get(name) or "").split())


def _note(contact: Json) -> str:
    text = str(contact.get("personalNotes") or "").replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()


# --- a card, as Graph's ----------------------------------------------------------------------------------------------


def contact_from(card: str) -> Json:
    """What is to be there."""
    lines = lines_in(card)
    names = _fields(lines, "N", len(_NAMES))
    company = _fields(lines, "ORG", 2)
    found: Json = {
        "displayName": _first(lines, "FN"),
        **dict(zip(_NAMES, names, strict=True)),
        "nickName": _first(lines, "NICKNAME"),
        "emailAddresses": [{"address": mail, "name": _first(lines, "FN")} for mail in _mails(lines)],
        "mobilePhone": "", "businessPhones": [], "homePhones": [],
        **{key: {} for key in _ADDRESSES},
        "companyName": company[0], "department": company[1],
        "jobTitle": _first(lines, "TITLE"),
        "businessHomePage": next((line.text.strip() for line in lines if line.name == "URL"), ""),
        "imAddresses": [line.text.strip() for line in lines if line.name == "IMPP"][:3],
        "birthday": _birthday(lines),
        "personalNotes": _note({"personalNotes": next((line.text for line in lines if line.name == "NOTE"), "")}),
        "categories": list(dict.fromkeys(word for line in lines if line.name == "CATEGORIES" for word in line.listed)),
    }  # fmt: skip
    for line in lines:
        if line.name == "TEL":
            _put_phone(found, line)
        elif line.name == "ADR":
            _put_address(found, line)
    return found


def _first(lines: list[VcardLine], name: str) -> str:
    return " ".join(next((line.text for line in lines if line.name == name), "").split())


def _fields(lines: list[VcardLine], name: str, count: int) -> list[str]:
    found = next((line.fields for line in lines if line.name == name), [])
    return [" ".join(one.split()) for one in (*found, *[""] * count)][:count]


def _mails(lines: list[VcardLine]) -> list[str]:
    return [mail for line in lines if line.name == "EMAIL" and "@" in (mail := line.text.strip())][:_MOST_MAILS]


def _put_phone(contact: Json, line: VcardLine) -> None:
    phone, types = line.text.strip().removeprefix("tel:"), line.types
    if not phone or "fax" in types or "pager" in types:
        return
    if "cell" in types and not contact["mobilePhone"]:
        contact["mobilePhone"] = phone
        return
    key = "homePhones" if "home" in types else "businessPhones"
    if len(contact[key]) < _MOST_PHONES:
        contact[key].append(phone)


def _put_address(contact: Json, line: VcardLine) -> None:
    key = "homeAddress" if "home" in line.types else "businessAddress" if "work" in line.types else "otherAddress"
    parts = [" ".join(one.split()) for one in (*line.fields, *[""] * 7)][2:7]
    if not contact[key]:
        contact[key] = {name: part for name, part in zip(_STREETS, parts, strict=True) if part}


def _birthday(lines: list[VcardLine]) -> str | None:
    text = _first(lines, "BDAY")[:10].replace("-", "")
    try:
        return f"{date(int(text[:4]), int(text[4:6]), int(text[6:8])).isoformat()}T00:00:00Z"
    except ValueError:
        return None


def differing(wanted: Json, there: Json) -> Json:
    """What has to be changed there."""
    return {key: value for key, value in wanted.items() if value != there.get(key)}


def uid_in(card: str) -> str:
    return next((line.text.strip() for line in lines_in(card) if line.name == "UID"), "")


def extra_of(card: str, there: Json | None = None) -> ExtraLines:
    """What a card says beside what Graph's properties give. `there`: the contact, with what nobody writes here."""
    extra = ExtraLines(uid_in(card))
    stored = {"singleValueExtendedProperties": extra_lines.as_property(extra)}
    given = _lines_of({**(there or {}), **contact_from(card), **stored}, extra)
    here = _by_name(card)
    entries: dict[str, list[Any]] = {}
    for name in sorted({*here, *given} - _NEVER):
        before, after = given.get(name, []), here.get(name, [])
        if sorted(before) != sorted(after):
            entries[name] = [extra_lines.digest(before), after]
    extra.parts = {"": entries} if entries else {}
    return extra


def _by_name(card: str) -> dict[str, list[str]]:
    """Its lines, unfolded."""
    found: dict[str, list[str]] = {}
    for raw in unfolded(card).split("\n"):
        line = parsed(raw)
        if line is not None and line.name not in ("BEGIN", "END"):
            found.setdefault(line.name, []).append(raw.strip())
    return found
