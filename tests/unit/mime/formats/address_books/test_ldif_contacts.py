"""LDIF: records of people and groups in and out."""

from __future__ import annotations

import base64
from dataclasses import fields

from tests.support.cpu_time import cpu_seconds
from webmail.mime.formats.address_books import ldif, ldif_contacts
from webmail.mime.formats.address_books.entry import BookEntry, Labelled, Postal, Remark, RemarkKind, card_of, entry_of
from webmail.mime.formats.address_books.ldif_out import as_ldif

NAME = base64.b64encode("Élodie Cœur".encode()).decode()
THUNDERBIRD = f"""version: 1
# saved by Thunderbird
dn:: {base64.b64encode("cn=Élodie Cœur,mail=elodie@x.example".encode()).decode()}
objectclass: top
objectclass: mozillaAbPersonAlpha
cn:: {NAME}
givenName:: {base64.b64encode("Élodie".encode()).decode()}
sn:: {base64.b64encode("Cœur".encode()).decode()}
mail: elodie@x.example
mozillaSecondEmail: el@y.example
telephoneNumber: 04 00
homePhone: 04 01
mobile: 06 00
facsimileTelephoneNumber: 04 02
mozillaHomeStreet: 1 quai
 Perrache
mozillaHomeLocalityName: Lyon
l: Paris
birthyear: 1980
birthmonth: 2
birthday: 3
description;lang-fr: bonjour
mozillaCustom1: sport
shoeSize: 41
jpegPhoto:< file:///etc/passwd

dn: cn=3B
objectclass: groupOfNames
cn: 3B
member:: {base64.b64encode("cn=Élodie Cœur,mail=elodie@x.example".encode()).decode()}
member: cn=Elsewhere,mail=else@x.example
member: cn=Lost

dn: ou=people,dc=example
objectclass: organizationalUnit
ou: people

dn: cn=Gone
changetype: delete
"""


def test_thunderbirds_file_is_understood_line_by_line() -> None:
    remarks: list[Remark] = []
    person, group = ldif_contacts.entries(THUNDERBIRD, 100, remarks)
    assert (person.name, person.given, person.family, person.birthday) == ("Élodie Cœur", "Élodie", "Cœur", "1980-02-03")
    assert [(point.value, point.types) for point in person.phones] == [
        ("04 00", ("work",)), ("04 01", ("home",)), ("06 00", ("cell",)), ("04 02", ("work", "fax")),
    ]  # fmt: skip
    assert [(postal.use, postal.street, postal.city) for postal in person.postals] == [
        ("home", "1 quaiPerrache", "Lyon"), ("work", "", "Paris"),
    ]  # fmt: skip
    assert person.note == "bonjour\nmozillacustom1: sport" and person.photo == b""
    assert (group.group, group.members) == (True, [person.uid, "mailto:else@x.example"])
    assert [(one.kind, one.detail) for one in remarks] == [
        (RemarkKind.FETCHED, "jpegPhoto:< file:///etc/passwd"), (RemarkKind.CHANGE, "delete cn=Gone"),
        (RemarkKind.MEMBER, "cn=Lost"), (RemarkKind.COLUMN, "shoesize"),
    ]  # fmt: skip


def test_what_is_saved_is_read_back() -> None:
    one = BookEntry(
        name="Élodie Cœur", given="Élodie", family="Cœur", nickname="Lo", organisation="Lycée", department="Maths", title="Prof",
        birthday="1980-02-03", note=" a\nb ", uid="u1", emails=[Labelled("e@x.example"), Labelled("w@x.example")],
        phones=[Labelled("1", ("work",)), Labelled("2", ("home",)), Labelled("3", ("cell",)), Labelled("4", ("work", "fax"))],
        postals=[Postal("home", street="1 rue A", city="Lyon", code="69001"), Postal("work", street="2 rue B", city="Paris")],
        sites=[Labelled("https://x.example", ("work",))], photo=b"\xff\xd8\xff\xe0picture",
    )  # fmt: skip
    group = BookEntry(name="3B", group=True, uid="u2", members=["urn:uuid:u1", "mailto:bob@x.example"])
    remarks: list[Remark] = []
    text = "".join(as_ldif([entry_of(card_of(one)), entry_of(card_of(group))]))
    person, back = ldif_contacts.entries(text, 100, remarks)
    kept = [each.name for each in fields(BookEntry) if each.name not in ("line", "uid", "note")]
    assert {name: getattr(person, name) for name in kept} == {name: getattr(one, name) for name in kept}
    assert person.note == "a\nb" and remarks == []
    assert back.members == [person.uid, "mailto:bob@x.example"]
    assert max(map(len, text.splitlines())) <= 76


def test_a_value_cannot_break_out_of_its_line() -> None:
    one = BookEntry(name="Ann\nmail: evil@x.example", note="x\n\ndn: cn=Evil\ncn: Evil")
    text = "".join(as_ldif([one]))
    assert "cn: Evil" not in text and len(ldif_contacts.entries(text, 10, [])) == 1


def test_hostile_files_take_linear_time() -> None:
    with cpu_seconds(4):
        for text in ("dn: x\n" + " a\n" * 400_000, "dn: x\n" * 200_000, "dn: x\n" + "member: cn=a\n" * 200_000, "a" * 3_000_000):
            assert len(ldif_contacts.entries(text, 1000, [])) <= 1000
    assert not ldif.is_ldif("BEGIN:VCARD") and not ldif.is_ldif(" \n" * 50_000)
