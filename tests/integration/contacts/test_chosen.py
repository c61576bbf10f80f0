"""Chosen contacts written to, printed, saved; a QR code; groups with counts, inside each other."""

from __future__ import annotations

import pytest

from tests.support.contact_pages import EDIT, add, cards_of, group, import_file
from tests.support.visits import Visitor

CHOSEN = "#chosen"


@pytest.fixture
def known(alice: Visitor) -> None:
    add(alice, "Ann", "ann@x.example", phone=["06 12"], phone_use=["cell"])
    add(alice, "Silent")
    group(alice, "Inner", "ann@x.example", "bob@x.example")


def test_selected_contacts_are_written_to(alice: Visitor, known: None) -> None:
    page = alice.get("/contacts")
    every = [one["value"] for one in page.all(f"{CHOSEN} [name=uid]")]
    assert len(every) == 3 and "group of 2" in page.text
    form = alice.submit(page, CHOSEN, uid=every, action="write")
    assert form.one("[name=to]")["value"] == "Ann <ann@x.example>, bob@x.example", "each once"
    assert "Tick the contacts first." in alice.submit(page, CHOSEN, action="write").notices


def test_selected_contacts_are_printed_and_saved(alice: Visitor, bob: Visitor, known: None) -> None:
    page = alice.get("/contacts")
    first = page.all(f"{CHOSEN} [name=uid]")[0]["value"]
    printed = alice.submit(page, CHOSEN, uid=[first], action="print")
    assert "06 12" in printed.text and "Silent" not in printed.one("main").get_text()
    assert "Silent" in alice.get(page.link("Print")).text
    saved = alice.submit(page, CHOSEN, uid=[first], action="export").response
    assert saved.get_data(as_text=True).count("BEGIN:VCARD") == 1 and ".vcf" in saved.headers["Content-Disposition"]
    assert bob.get(f"/contacts/chosen?uid={first}&action=export").response.get_data() == b""


def test_a_card_becomes_a_picture_for_a_telephone(alice: Visitor) -> None:
    long = "".join(f"EMAIL:{'x' * 200}{n}@x.example\n" for n in range(15))
    page = import_file(alice, f"BEGIN:VCARD\nVERSION:3.0\nFN:Zoé {'é' * 150}\n{long}NOTE:{'n' * 9000}\nEND:VCARD\n".encode())
    one = alice.get(page.link("Zoé"))
    assert alice.get(one.link("QR code")).all(".contact-qr svg")


def test_groups_inside_groups_are_written_to_once(alice: Visitor, known: None) -> None:
    group(alice, "Outer", "zoe@x.example", "bob@x.example")
    outer = alice.get(alice.get("/contacts?kind=group").link("Outer"))
    edit = alice.get(outer.link("Edit"))
    inner = edit.one("[name=groups]")["value"]
    page = alice.submit(edit, EDIT, groups=[inner])
    assert "Group of 3 people" in page.text and "group of 2" in page.text
    assert alice.get(page.link("Edit")).one("[name=groups]").has_attr("checked")
    inside = alice.get(alice.get(page.link("Inner")).link("Edit"))
    assert alice.submit(inside, EDIT, groups=[one["value"] for one in inside.all("[name=groups]")]).status == 200
    assert "Group of 3 people" in alice.get(page.address).text, "round about"
    assert "X-ADDRESSBOOKSERVER-MEMBER" in cards_of(alice)["Inner"]
    suggested = alice.get("/recipients?words=outer").text
    assert "Outer" in suggested
