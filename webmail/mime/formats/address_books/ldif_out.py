"""LDIF out: entries as records that Thunderbird and directories read (RFC 2849, mozillaAbPersonAlpha, groupOfNames)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping

from webmail.mime.formats.address_books.entry import BookEntry, Postal

_SAFE = re.compile(r"[\x01-\x09\x0b\x0c\x0e-\x1f!-9;=-\x7f][\x01-\x09\x0b\x0c\x0e-\x7f]*")
_SPECIAL = re.compile(r'([,+"\\<>;=#\x00])')
_WIDTH = 76
_PERSON = ("top", "person", "organizationalPerson", "inetOrgPerson", "mozillaAbPersonAlpha")


def as_ldif(entries: Iterable[BookEntry]) -> Iterator[str]:
    """The file in pieces. Members of groups are named by the records of this same file, or by their address."""
    people = list(entries)
    names = {one.uid.removeprefix("urn:uuid:"): _name(one) for one in people}
    yield "version: 1\n"
    for one in people:
        lines = _group(one, names) if one.group else _person(one)
        yield "\n" + "".join(_line(name, value) for name, value in [("dn", _name(one)), *lines] if value)


def _name(entry: BookEntry) -> str:
    parts = [f"cn={_escaped(entry.full_name)}"]
    if entry.emails:
        parts.append(f"mail={_escaped(entry.emails[0].value)}")
    return ",".join(parts)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text.replace("\0", ""))


def _person(entry: BookEntry) -> list[tuple[str, str | bytes]]:
    emails = [point.value for point in entry.emails]
    year, month, day = (
        (entry.birthday.replace("--", "-").split("-") + ["", "", ""])[:3] if "-" in entry.birthday else ("", "", "")
    )
    lines: list[tuple[str, str | bytes]] = [("objectclass", kind) for kind in _PERSON]
    lines += [
        ("cn", entry.full_name), ("displayName", entry.full_name), ("givenName", entry.given),
        ("sn", entry.family or entry.full_name), ("mozillaNickname", entry.nickname), ("o", entry.organisation), ("ou",
        entry.department), ("title", entry.title), ("personalTitle", entry.prefix), ("employeeType", entry.role), ("birthyear",
        year), ("birthmonth", month), ("birthday", day), ("description", entry.note),
    ]  # fmt: skip
    lines += [("mail" if not at else "mozillaSecondEmail" if at == 1 else "mailAlternateAddress", value)
              for at, value in enumerate(emails)]  # fmt: skip
    for phone in entry.phones:
        lines.append((_phone_name(phone.types), phone.value))
    for postal in entry.postals:
        lines += _postal(postal)
    for site in entry.sites:
        name = next((f"mozilla{use.title()}Url" for use in ("home", "work") if use in site.types), "labeledURI")
        lines.append((name, site.value))
    if entry.photo.startswith(b"\xff\xd8"):
        lines.append(("jpegPhoto", entry.photo))
    return lines


def _phone_name(types: tuple[str, ...]) -> str:
    if "fax" in types:
        return "homeFacsimileTelephoneNumber" if "home" in types else "facsimileTelephoneNumber"
    return next(
        (name for word, name in (("cell", "mobile"), ("pager", "pager"), ("home", "homePhone")) if word in types),
        "telephoneNumber",
    )


def _postal(postal: Postal) -> list[tuple[str, str | bytes]]:
    street, _mark, more = "\n".join(filter(None, (postal.extended, postal.street))).partition("\n")
    if postal.use == "home":
        names = tuple(
            f"mozillaHome{part}" for part in ("Street", "Street2", "LocalityName", "State", "PostalCode", "CountryName")
        )
        street = "\n".join(filter(None, (postal.pobox, street))) if postal.pobox else street
        return list(zip(names, (street, more, postal.city, postal.region, postal.code, postal.country), strict=True))
    if postal.use != "work":
        return [("postalAddress", "$".join(postal.lines))]
    names = ("street", "mozillaWorkStreet2", "l", "st", "postalCode", "c")
    parts = zip(names, (street, more, postal.city, postal.region, postal.code, postal.country), strict=True)
    return [*parts, ("postOfficeBox", postal.pobox)]


def _group(entry: BookEntry, names: Mapping[str, str]) -> list[tuple[str, str | bytes]]:
    lines: list[tuple[str, str | bytes]] = [("objectclass", "top"), ("objectclass", "groupOfNames"), ("cn", entry.full_name),
                                            ("description", entry.note)]  # fmt: skip
    for member in entry.members:
        address = member[7:] if member.lower().startswith("mailto:") else ""
        uid = member[9:] if member.lower().startswith("urn:uuid:") else member
        lines.append(("member", f"cn={_escaped(address)},mail={_escaped(address)}" if address else names.get(uid, "")))
    return lines


def _line(name: str, value: str | bytes) -> str:
    data = value if isinstance(value, bytes) else value.encode("utf-8", "replace")
    if isinstance(value, bytes) or not _SAFE.fullmatch(value) or value.endswith(" "):
        text = f"{name}:: {base64.b64encode(data).decode()}"
    else:
        text = f"{name}: {value}"
    rest = [text[at : at + _WIDTH - 1] for at in range(_WIDTH, len(text), _WIDTH - 1)]
    return "\n ".join([text[:_WIDTH], *rest]) + "\n"
