"""The pages of duplicates: found, compared, merged, taken back, told apart."""

from __future__ import annotations

import base64

from tests.support.contact_pages import add, cards_of, import_file
from tests.support.visits import Visitor

MERGE = "form.compare-form"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def test_two_cards_of_one_person_are_merged_and_taken_back(alice: Visitor) -> None:
    add(alice, "Ann Roi", "ann@x.example", note="first")
    add(alice, "Anne Le Roi", "ann@x.example", "roi@y.example", note="second")
    before = cards_of(alice)
    page = alice.get(alice.get("/contacts").link("Find duplicates"))
    assert "Same email address" in page.text
    compared = alice.get(page.link("Compare"))
    assert compared.one("[data-choice=name] input[checked]")["value"] == "0"
    merged = alice.submit(compared, MERGE, action="merge", name="1", note="both")
    assert "2 contacts merged into “Anne Le Roi”." in merged.notices and "No duplicates found." in merged.text
    [card] = cards_of(alice).values()
    assert "NOTE:first\\nsecond" in card and "roi@y.example" in card
    again = alice.submit(compared, MERGE, action="merge")
    assert "already been merged or removed" in again.notices
    alice.submit(merged, "#notices form")
    assert cards_of(alice) == before


def test_people_who_are_not_the_same_stay_apart(alice: Visitor) -> None:
    for _ in range(2):
        add(alice, "Ann")
    compared = alice.get(alice.get("/contacts/duplicates").link("Compare"))
    page = alice.submit(compared, MERGE, action="different")
    assert "No duplicates found." in page.text and "No duplicates found." in alice.get("/contacts/duplicates").text
    assert alice.submit(page, "#notices form").all("[data-alike]")


def test_a_card_that_changed_meanwhile_is_not_merged_unseen(alice: Visitor) -> None:
    add(alice, "Ann", "a@x.example")
    page = add(alice, "Ann", "b@x.example")
    compared = alice.get(alice.get("/contacts/duplicates").link("Compare"))
    alice.submit(alice.get(page.link("Edit")), "form.writing", action="save", note="new")
    refused = alice.submit(compared, MERGE, action="merge")
    assert refused.status == 409 and len(alice.get("/contacts").all(".contacts li")) == 2
    assert alice.submit(refused, MERGE, action="merge").status == 200
    assert len(cards_of(alice)) == 1


def test_somebody_elses_contacts_cannot_be_compared(alice: Visitor, bob: Visitor) -> None:
    theirs = add(bob, "Secret").address.rpartition("/")[2]
    mine = add(alice, "Ann").address.rpartition("/")[2]
    page = alice.get(f"/contacts/duplicates/compare?uid={theirs}&uid={mine}")
    assert page.address == "/contacts/duplicates" and "Secret" not in page.text


def test_a_photo_is_shown_only_if_it_is_one(alice: Visitor) -> None:
    for name, data, status in (
        ("Ann", PNG, 200),
        ("Bob", b"<svg onload='alert(1)'/>", 404),
        ("Zoé", b"\x89PNG\r\n\x1a\nrubbish", 404),
    ):
        text = f"BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nPHOTO;ENCODING=b;TYPE=PNG:{base64.b64encode(data).decode()}\nEND:VCARD\n"
        page = import_file(alice, text.encode())
        answer = alice.get(alice.get(page.link(name)).address + "/photo")
        assert answer.status == status, name
        if status == 200:
            assert "sandbox" in answer.response.headers["Content-Security-Policy"] and answer.response.get_data() == PNG
