"""Further fields of a contact's form: filled in, shown, changed, and kept where they are not touched."""

from __future__ import annotations

from tests.support.contact_pages import EDIT, add, cards_of, import_file
from tests.support.visits import Visitor

CARD = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:77\r\nFN:Ann Roux\r\nN:Roux;Ann;Mary,Jane;Dr;PhD\r\nORG:Lyc\xc3\xa9e;Maths;Room 2\r\n"
    b"EMAIL:ann@x.example\r\nX-JABBER:ann@jabber.example\r\nIMPP:icq:12345\r\nX-SOCIALPROFILE;type=twitter:https://social.example/a\r\n"
    b"item1.X-ABRELATEDNAMES:Paul\r\nitem1.X-ABLabel:_$!<Spouse>!$_\r\nX-KEPT;A=b:1\\,2\r\nEND:VCARD\r\n"
)


def test_all_of_them_are_saved_and_shown(alice: Visitor) -> None:
    page = add(
        alice, "", "ann@x.example", given="Ann", family="Roux", honorific="Dr", middle="Mary", suffix="PhD", organisation="Lycée",
        department="Maths", profile=["https://social.example/a"], im=["ann@j.example"], im_kind=["jabber"], related=["Paul"],
        related_kind=["spouse"],
    )  # fmt: skip
    for words in (
        "Lycée, Maths",
        "https://social.example/a",
        "ann@j.example",
        "XMPP (Jabber)",
        "Spouse",
        "Paul",
        "Dr Ann Mary Roux PhD",
    ):
        assert words in page.text, words
    card = cards_of(alice)["Ann Roux"]
    for line in (
        "N:Roux;Ann;Mary;Dr;PhD",
        "ORG:Lycée;Maths",
        "IMPP:xmpp:ann@j.example",
        "X-SOCIALPROFILE:https://social.example/a",
    ):
        assert line in card.split("\r\n"), line
    form = alice.get(page.link("Edit"))
    assert form.one("details.more-fields").has_attr("open")
    assert (form.one("[name=honorific]")["value"], form.one("[name=department]")["value"]) == ("Dr", "Maths")


def test_what_is_not_touched_stays_as_it_was(alice: Visitor) -> None:
    import_file(alice, CARD)
    before = cards_of(alice)["Ann Roux"]
    page = alice.get(alice.get("/contacts").link("Ann Roux"))
    alice.submit(alice.get(page.link("Edit")), EDIT, action="save")
    assert cards_of(alice)["Ann Roux"] == before
    saved = alice.submit(alice.get(page.link("Edit")), EDIT, action="save", note="New")
    assert "Contact saved." in saved.notices, saved.text
    assert cards_of(alice)["Ann Roux"] == before.replace("END:VCARD", "NOTE:New\r\nEND:VCARD")
    alice.submit(alice.get(page.link("Edit")), EDIT, action="save", organisation="Collège")
    assert "ORG:Collège;Maths;Room 2" in cards_of(alice)["Ann Roux"]


def test_they_are_folded_away_where_there_are_none(alice: Visitor) -> None:
    form = alice.get("/contacts/new")
    assert not form.one("details.more-fields").has_attr("open")
    more = alice.submit(form, EDIT, action="more", im=["a@b"], im_kind=["matrix"])
    assert more.one("details.more-fields").has_attr("open")
    assert [box["value"] for box in more.all("[name=im]")] == ["a@b", ""]
