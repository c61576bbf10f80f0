"""Contacts from files and into files: looked at first, then imported, taken back, and saved in every format."""

from __future__ import annotations

import io

import pytest

from tests.support.contact_pages import CARD, cards_of, import_file, send_file
from tests.support.visits import Visitor

OUTLOOK = (
    "Title,First Name,Last Name,E-mail Address,Mobile Phone,Home City\r\n,Élodie,Cœur,elodie@x.example,06 12 34 56 78,Lyon\r\n"
)
UNKNOWN = "Qui;Où joindre;Truc\nÉlodie Cœur;elodie@x.example;bleu\nAnn Roi;ann@x.example;vert\n".encode("cp1252")
CHOOSE = "form[action$='/columns']"
TAKE = "form[action^='/contacts/import/']"


def test_a_file_is_imported_exported_and_taken_back(alice: Visitor, bob: Visitor) -> None:
    form = alice.get("/contacts/import")
    broken = "BEGIN:VCARD\nEND:VCARD\n"
    report = alice.submit(form, "form[enctype]", file=(io.BytesIO((CARD + broken).encode()), "zoe.vcf"))
    assert "1 new contact" in report.text and "line 8" in report.text and cards_of(alice) == {}
    page = alice.submit(report, TAKE, action="import")
    assert "1 contact added." in page.notices and "1 could not be read." in page.notices
    assert alice.get("/contacts/export").response.get_data(as_text=True) == CARD
    assert alice.get(f"{alice.get(page.link('Zoé Petit')).address}/card").response.get_data(as_text=True) == CARD
    again = send_file(alice, CARD.encode())
    assert "1 is already there" in again.text and not again.all("button[value=import]")
    assert bob.get("/contacts/export").response.get_data() == b""
    alice.submit(page, "#notices form")
    assert cards_of(alice) == {}


@pytest.mark.parametrize("content", [b"", b"no card", b"\xff\xfe\x00\x00" * 50, b"\0" * 300])
def test_a_file_that_is_none_is_refused(alice: Visitor, content: bytes) -> None:
    page = send_file(alice, content, "x.vcf")
    assert page.status == 422 and page.one(".field-error").get_text()


def test_cards_without_an_end_are_told_one_by_one(alice: Visitor) -> None:
    page = send_file(alice, b"BEGIN:VCARD\n" * 300)
    assert "this card has no end" in page.text and "and 100 more" in page.text and not page.all("button[value=import]")


def test_outlooks_table_is_understood_without_a_question(alice: Visitor) -> None:
    page = import_file(alice, OUTLOOK.encode("utf-16"), "outlook.csv")
    assert "1 contact added." in page.notices
    card = cards_of(alice)["Élodie Cœur"]
    assert "TEL;TYPE=CELL:06 12 34 56 78" in card and "ADR;TYPE=HOME:;;;Lyon;;;" in card


def test_unknown_columns_are_asked_for_and_kept_over_an_error(alice: Visitor) -> None:
    page = send_file(alice, UNKNOWN, "liste.csv")
    assert [one.get_text() for one in page.all("th label")] == ["Qui", "Où joindre", "Truc"] and "Ann Roi" in page.text
    fields = [one.get_text() for one in page.all("#column-1 option")]
    assert len(set(fields)) == len(fields)  # a closed list, and a text browser, show no headings
    refused = alice.submit(page, CHOOSE, column=["note", "", "note+"])
    assert refused.status == 422 and refused.one("[role=alert]")
    assert [one["value"] for one in refused.all("select option[selected]")] == ["note", "note+"]
    report = alice.submit(refused, CHOOSE, column=["name", "email", "note+"])
    assert "2 new contacts" in report.text
    assert report.one(TAKE).get_text().split() == ["Import", "Change", "columns", "Cancel"]  # as text browsers show them
    assert alice.get(report.link("Change columns")).all("option[selected][value=email]")
    alice.submit(report, TAKE, action="import")
    assert sorted(cards_of(alice)) == ["Ann Roi", "Élodie Cœur"]
    assert "NOTE:Truc: bleu" in cards_of(alice)["Élodie Cœur"]


def test_a_mobile_number_is_enough_and_the_name_of_the_file_stays(alice: Visitor) -> None:
    page = alice.submit(send_file(alice, UNKNOWN, "liste.csv"), CHOOSE, column=["phone.cell", "note", ""])
    assert page.status == 200 and "liste.csv" in page.text
    again = alice.submit(alice.get(page.link("Change columns")), CHOOSE, column=["name", "email", ""])
    assert "liste.csv" in again.text


def test_a_file_that_was_imported_or_dropped_is_gone(alice: Visitor, bob: Visitor) -> None:
    report = send_file(alice, CARD.encode())
    assert "no longer here" in bob.get(report.address).notices
    taken = [alice.submit(report, TAKE, action="import") for _ in range(2)]
    assert "1 contact added." in taken[0].notices and "no longer here" in taken[1].notices
    dropped = send_file(alice, CARD.encode())
    alice.submit(dropped, TAKE, action="cancel")
    assert "no longer here" in alice.get(dropped.address).notices
    assert alice.get("/contacts/import/nothing").status == 404


def test_contacts_are_saved_in_every_format_and_read_back(alice: Visitor) -> None:
    import_file(alice, OUTLOOK.encode(), "outlook.csv")
    import_file(alice, b"BEGIN:VCARD\nVERSION:3.0\nFN:=1+2\nEMAIL:evil@x.example\nEND:VCARD\n")
    for style, ending in (("vcard3", "vcf"), ("vcard4", "vcf"), ("google", "csv"), ("outlook", "csv"), ("ldif", "ldif")):
        answer = alice.get(f"/contacts/export?as={style}").response
        assert f".{ending}" in answer.headers["Content-Disposition"] and answer.headers["X-Content-Type-Options"] == "nosniff"
        if ending == "csv":
            assert "'=1+2" in answer.get_data(as_text=True)
        report = send_file(alice, answer.get_data(), f"again.{ending}")
        assert "2 are already there" in report.text or "get more details" in report.text, style
        assert "new contact" not in report.text, style


def test_an_ldif_brings_groups_with_their_members(alice: Visitor) -> None:
    text = (
        "version: 1\n\ndn: cn=Ann Roi,mail=ann@x.example\nobjectclass: inetOrgPerson\ncn: Ann Roi\nmail: ann@x.example\n\n"
        "dn: cn=3B\nobjectclass: groupOfNames\ncn: 3B\nmember: cn=Ann Roi,mail=ann@x.example\nmember: cn=Lost\n"
    )
    page = send_file(alice, text.encode(), "livre.ldif")
    assert "cn=Lost" in page.one("[data-remarks]").get_text()
    group = alice.get(alice.submit(page, TAKE, action="import").link("3B"))
    assert "Ann Roi" in group.text and "Group of 1 person" in group.text
