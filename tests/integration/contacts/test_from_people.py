"""All people of a message become contacts; what a signature tells is offered."""

from __future__ import annotations

from tests.support.contact_pages import EDIT, add, cards_of
from tests.support.messages import message
from tests.support.visits import Visitor

FORM = "main form"
TEXT = "Bonjour,\nle 12.03.2024\n\n-- \nZoé Petit\nTél. 04 72 00 00 01\nwww.lycee.example\n> 06 99 99 99 99\n"


def test_sender_and_recipients_are_added_once_and_taken_back(alice: Visitor, fill) -> None:
    add(alice, "Bob", "bob@x.example")
    [uid] = fill(
        alice,
        message("Sortie", sender="Zoé Petit <zoe@x.example>", To=f"{alice.address}, Bob <BOB@x.example>", Cc="ann@x.example"),
    )
    link = alice.get(f"/message/{uid}/INBOX").link("Add people to contacts…")
    page, other_window = alice.get(link), alice.get(link)
    assert [box["value"] for box in page.all("[name=email]:not([disabled])")] == ["zoe@x.example", "ann@x.example"]
    added = alice.submit(page, FORM)
    assert "2 contacts added." in added.notices and added.address.startswith(f"/message/{uid}/")
    assert sorted(cards_of(alice)) == ["Bob", "Zoé Petit", "ann@x.example"]
    assert "Nobody was added" in alice.submit(other_window, FORM).notices
    alice.submit(added, "#notices form")
    assert list(cards_of(alice)) == ["Bob"]


def test_only_people_of_the_message_are_added(alice: Visitor, fill) -> None:
    [uid] = fill(alice, message("Sortie", sender="zoe@x.example"))
    page = alice.get(f"/contacts/of/{uid}/INBOX")
    alice.submit(page, FORM, email=["evil@elsewhere.example", "zoe@x.example"])
    assert list(cards_of(alice)) == ["zoe@x.example"]


def test_a_signature_fills_the_form_to_be_checked(alice: Visitor, fill) -> None:
    [uid] = fill(alice, message("Sortie", TEXT, sender="Zoé Petit <zoe@x.example>"))
    page = alice.get(f"/contacts/of/{uid}/INBOX")
    form = alice.get(page.link("Add Zoé Petit with these details"))
    assert form.all("[name=phone]")[0]["value"] == "04 72 00 00 01" and cards_of(alice) == {}
    alice.submit(form, EDIT, action="save")
    card = cards_of(alice)["Zoé Petit"]
    assert "TEL:04 72 00 00 01" in card and "URL:www.lycee.example" in card and "06 99" not in card and "12.03" not in card
