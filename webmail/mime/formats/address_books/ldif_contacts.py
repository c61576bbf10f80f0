"""LDIF contacts: records of people and groups (Thunderbird's mozillaAbPersonAlpha, inetOrgPerson, groupOfNames) as entries."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

from webmail.mime.formats.address_books.csv_contacts import EntryRow
from webmail.mime.formats.address_books.entry import BookEntry, Postal, Remark, RemarkKind, tell
from webmail.mime.formats.address_books.ldif import LdifRecord, records
from webmail.mime.headers.encoded_words import tidy

_FIELDS = {
    "displayname": "name", "cn": "name", "commonname": "name", "givenname": "given", "gn": "given", "sn": "family",
    "surname": "family", "mozillanickname": "nickname", "xmozillanickname": "nickname", "nickname": "nickname",
    "o": "organisation", "company": "organisation", "organizationname": "organisation", "ou": "department",
    "department": "department", "departmentnumber": "department", "orgunit": "department", "title": "title",
    "personaltitle": "prefix", "employeetype": "role", "businesscategory": "role", "dateofbirth": "birthday",
    "birthyear": "birth.year", "birthmonth": "birth.month", "birthday": "birth.day",
    "mail": "email", "rfc822mailbox": "email", "mozillasecondemail": "email", "xmozillasecondemail": "email",
    "mailalternateaddress": "email", "mailforwardingaddress": "email",
    "telephonenumber": "phone.work", "homephone": "phone.home", "hometelephonenumber": "phone.home", "mobile": "phone.cell",
    "cellphone": "phone.cell", "mobiletelephonenumber": "phone.cell", "pager": "phone.pager", "pagerphone": "phone.pager",
    "facsimiletelephonenumber": "phone.work.fax", "fax": "phone.work.fax", "homefacsimiletelephonenumber": "phone.home.fax",
    "mozillahomestreet": "adr.home.street", "homestreet": "adr.home.street", "mozillahomestreet2": "adr.home.street2",
    "mozillahomelocalityname": "adr.home.city", "mozillahomestate": "adr.home.region",
    "mozillahomepostalcode": "adr.home.code", "mozillahomecountryname": "adr.home.country",
    "street": "adr.work.street", "streetaddress": "adr.work.street", "mozillaworkstreet2": "adr.work.street2",
    "l": "adr.work.city", "locality": "adr.work.city", "localityname": "adr.work.city", "st": "adr.work.region",
    "region": "adr.work.region", "postalcode": "adr.work.code", "postofficebox": "adr.work.pobox",
    "c": "adr.work.country", "countryname": "adr.work.country", "co": "adr.work.country",
    "mozillahomeurl": "url.home", "homeurl": "url.home", "mozillaworkurl": "url.work", "workurl": "url.work",
    "labeleduri": "url", "url": "url", "description": "note", "notes": "note", "nsaimid": "im.aim",
    "mozilla_aimscreenname": "im.aim", "mozillaaimscreenname": "im.aim",
    "custom1": "note+", "custom2": "note+", "custom3": "note+", "custom4": "note+", "mozillacustom1": "note+",
    "mozillacustom2": "note+", "mozillacustom3": "note+", "mozillacustom4": "note+", "roomnumber": "note+",
    "carlicense": "note+", "manager": "related.manager", "secretary": "related.assistant",
}  # fmt: skip
_NEVER = (
    "objectclass", "modifytimestamp", "modifytimestamp2", "createtimestamp", "uid", "initials", "mozillausehtmlmail",
    "xmozillausehtmlmail", "xmozillaanyphone", "changetype", "userpassword", "entryuuid", "creatorsname", "modifiersname",
    "entrycsn", "entrydn", "structuralobjectclass", "subschemasubentry", "hassubordinates", "preferredlanguage",
)  # fmt: skip
_GROUPS = {"groupofnames", "groupofuniquenames", "group", "mailgroup", "inetmailgroup"}
_PEOPLE = {"person", "inetorgperson", "organizationalperson", "mozillaabpersonalpha", "mozillaabpersonobsolete", "pabperson",
           "pitypeperson", "abperson", "contact"}  # fmt: skip
_MAIL_IN_NAME = re.compile(r"(?:^|[,+]) *mail=([^,+]+)", re.IGNORECASE)
_SPACE = uuid.UUID("5b2c6f0a-6f2f-4c07-9b51-2f8c9a4c7d11")  # for UIDs that come out the same each time


def entries(text: str, most: int, remarks: list[Remark]) -> list[BookEntry]:
    """An entry for each person and group, groups last; what is not understood is added to `remarks`."""
    people: list[BookEntry] = []
    groups: list[tuple[BookEntry, LdifRecord]] = []
    uids: dict[str, str] = {}
    unknown: dict[str, int] = {}
    for record in records(text, remarks):
        classes = record.classes
        if len(people) + len(groups) >= most:
            tell(remarks, Remark(record.line, RemarkKind.TOO_MANY, str(most)))
            break
        if classes & _GROUPS:
            one = BookEntry(
                record.line, name=tidy(record.first("cn", "displayname")), note=record.first("description"), group=True
            )
            groups.append((one, record))
        elif not classes or classes & _PEOPLE or record.first("mail"):
            one = _person(record, remarks, unknown)
            people.append(one)
        else:
            continue  # a folder or a server of a directory
        one.uid = str(uuid.uuid5(_SPACE, _plain(record.name))) if record.name else ""
        uids[_plain(record.name)] = one.uid
    for one, record in groups:
        one.members = list(_members(record, uids, remarks))
    remarks += [Remark(line, RemarkKind.COLUMN, name) for name, line in unknown.items()]
    return [one for one in people if _named(one, remarks)] + [one for one, _record in groups if _named(one, remarks)]


def _named(entry: BookEntry, remarks: list[Remark]) -> bool:
    if not entry.full_name:
        tell(remarks, Remark(entry.line, RemarkKind.NO_NAME))
    return bool(entry.full_name)


def _person(record: LdifRecord, remarks: list[Remark], unknown: dict[str, int]) -> BookEntry:
    row = EntryRow(record.line, remarks, month_first=False)
    row.one.name = tidy(record.first("displayname", "cn", "commonname"))
    for name, value in record.attributes:
        key = _FIELDS.get(name, "")
        if name in ("jpegphoto", "photo", "thumbnailphoto") and isinstance(value, bytes):
            row.one.photo = row.one.photo or value
        elif isinstance(value, bytes) or not value.strip() or key == "name" or name in _NEVER:
            continue
        elif name in ("postaladdress", "mozillapostaladdress", "homepostaladdress", "mozillahomepostaladdress"):
            use = "home" if "home" in name else "work"
            row.one.postals.append(Postal(use, street="\n".join(part.strip() for part in value.split("$"))))
        elif not key:
            unknown.setdefault(name, record.line)
        else:
            row.take(key, _site(value) if key.startswith("url") else value, name)
    return row.entry([], [], [])


def _site(value: str) -> str:
    """labeledURI has words behind the address (RFC 2079)."""
    return value.split(" ", 1)[0]


def _members(record: LdifRecord, uids: dict[str, str], remarks: list[Remark]) -> Iterable[str]:
    for name in dict.fromkeys(record.all("member", "uniquemember", "mgrprfc822mailmember", "rfc822mailmember")):
        found = _MAIL_IN_NAME.search(name)
        if uid := uids.get(_plain(name)):
            yield uid
        elif found or ("@" in name and "=" not in name):
            yield "mailto:" + tidy(found[1] if found else name).lower()
        else:
            tell(remarks, Remark(record.line, RemarkKind.MEMBER, name[:80]))


def _plain(name: str) -> str:
    """A distinguished name for comparing."""
    return ",".join(part.strip() for part in name.lower().split(","))
