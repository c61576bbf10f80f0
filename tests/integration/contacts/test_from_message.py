"""Where messages meet contacts: senders, cards, images."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from tests.support.contact_pages import CARD, add, cards_of
from tests.support.visits import Page, Visitor


def message(sender: str = "Zoé Petit <zoe@x.example>", text: str = "Bonjour", card: str = "", html: str = "") -> EmailMessage:
    one = EmailMessage()
    one["From"], one["To"], one["Subject"] = sender, "alice@lycee.example", "Sortie"
    one.set_content(text)
    if html:
        one.add_alternative(html, subtype="html")
    if card:
        one.add_attachment(card.encode(), "text", "vcard", filename="zoe.vcf")
    return one


def test_a_sender_becomes_a_contact_and_is_known_from_then_on(alice: Visitor, fill) -> None:
    [uid] = fill(alice, message())
    page = alice.get(f"/message/{uid}/INBOX")
    assert "in your contacts" not in page.one(".trust").get_text()
    button = page.one("button[value^=person]")
    page = press(alice, page, button)
    assert page.address.startswith(f"/message/{uid}/") and "Zoé Petit was added to your contacts." in page.notices
    assert "in your contacts" in page.one(".trust").get_text() and page.link("View contact").startswith("/contacts/")
    assert "already in your contacts" in press(alice, page, button).notices
    undone = alice.submit(press(alice, page, button), "#notices form:has([name=undo])")
    assert undone.address.startswith(f"/message/{uid}/") and cards_of(alice) == {}


def press(visitor: Visitor, page: Page, button) -> Page:
    here = page.all(".list-bar [name=here]")  # gone once the sender is a contact: then it is pressed on an older page
    fields = {"here": here[0]["value"] if here else page.address, button["name"]: button["value"]}
    return visitor.submit(page, "form.list-bar", **fields)


def test_whoever_uses_the_name_of_a_contact_is_not_added_to_it(alice: Visitor, fill) -> None:
    add(alice, "Zoé Petit", "zoe@x.example")
    [uid] = fill(alice, message("Zoe PETIT <evil@elsewhere.example>"))
    page = alice.get(f"/message/{uid}/INBOX")
    assert "You know Zoé Petit by another address: zoe@x.example." in page.one(".trust").get_text()
    form = press(alice, page, page.one("button[value^=person]"))
    assert form.address.startswith("/contacts/new") and "You already have a contact called" in form.notices
    assert list(cards_of(alice)) == ["Zoé Petit"] and form.all("[name=email]")[0]["value"] == "evil@elsewhere.example"


@pytest.mark.parametrize("sender", ["z0e@x.example", "zoe@contact5.example"])
def test_addresses_that_look_like_a_contacts_are_told(alice: Visitor, fill, sender: str) -> None:
    add(alice, "Zoé", "zoe@x.example", "other@contacts.example")
    [uid] = fill(alice, message(f"Any <{sender}>"))
    assert "looks like" in alice.get(f"/message/{uid}/INBOX").one(".trust").get_text()


def test_the_card_of_a_message_is_added_then_updated(alice: Visitor, fill) -> None:
    richer = CARD.replace("X-KEPT:1", "X-KEPT:1\r\nTEL:06 12 34 56 78")
    first, second = fill(alice, message(card=CARD), message(card=richer))
    take = "form[action*='/contacts/from/']"
    page = alice.submit(alice.get(f"/message/{first}/INBOX"), take)
    assert "1 contact added." in page.notices and page.address.startswith(f"/message/{first}/")
    assert cards_of(alice) == {"Zoé Petit": CARD}
    assert "already in your contacts" in alice.submit(alice.get(f"/message/{first}/INBOX"), take).notices
    review = alice.submit(alice.get(f"/message/{second}/INBOX"), take)
    assert "06 12 34 56 78" in review.text and "TEL" not in cards_of(alice)["Zoé Petit"]
    done = alice.submit(review, take, action="update")
    assert "1 contact updated." in done.notices and "TEL:06 12 34 56 78" in cards_of(alice)["Zoé Petit"]
    assert alice.get(f"/contacts/from/{first}/1/INBOX").status == 404


def test_remote_images_of_contacts_load_where_one_wants_that(alice: Visitor, fill) -> None:
    add(alice, "Zoé Petit", "zoe@x.example")
    [uid] = fill(alice, message(html='<p>x<img src="https://far.example/a.png"></p>'))
    page = alice.get(f"/message/{uid}/INBOX")
    assert "images=1" not in page.one("iframe")["src"]
    page = alice.submit(page, "form.images", action="contacts", sender=None)
    assert "Images from your contacts will be shown" in page.notices and "images=1" in page.one("iframe")["src"]
