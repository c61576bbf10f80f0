"""Contacts and groups in the form of a message."""

from __future__ import annotations

from tests.support.compose_form import FORM, value_of, write
from tests.support.contact_pages import EDIT, add, group
from tests.support.visits import Visitor
from webmail.database.connection import db
from webmail.models import AttachmentRow, Outbox, User


def test_contacts_and_groups_come_first_among_people(alice: Visitor, bob: Visitor) -> None:
    add(alice, "Bobby", "bobby@x.example")
    group(alice, "Bons amis", "bobby@x.example", "carl@x.example")
    entries = [one["data-entry"] for one in alice.get("/recipients?words=bo").all("[role=option]")]
    assert entries[:2] == ["Bobby <bobby@x.example>, carl@x.example", "Bobby <bobby@x.example>"]
    colleague = bob.address.partition("@")[0]
    assert any(bob.address in one["data-entry"] for one in alice.get(f"/recipients?words={colleague}").all("[role=option]"))


def test_a_group_is_chosen_and_left_on_the_page_of_people(alice: Visitor) -> None:
    add(alice, "Ann", "ann@x.example")
    group(alice, "Parents", "ann@x.example", "carl@x.example")
    page = write(alice, action="choose", subject="s")
    token = page.one(".people-table tr:has(.tick) [name=to][value^='group:']")["value"]
    page = alice.submit(page, "form.people", to=[token], action="done")
    assert value_of(page, "to") == "Ann <ann@x.example>, carl@x.example"
    page = alice.submit(page, FORM, action="choose")
    assert page.one(f"[name=to][value='{token}']").has_attr("checked")
    assert value_of(alice.submit(page, "form.people", to=[], action="done"), "to") == ""


def test_the_name_of_a_group_is_enough_to_send(alice: Visitor) -> None:
    page = group(alice, "Parents 3ᵉ B", "Ann <ann@x.example>", "carl@x.example")
    assert value_of(alice.get(page.one("main .btn-primary")["href"]), "to") == "ann@x.example, carl@x.example"
    write(alice, to="parents 3e b, dora@x.example", subject="s", body="b", action="send")
    with db.connection_context():
        sent = Outbox.select().join(User).where(User.address == alice.address).get()
    assert all(address in sent.recipients for address in ("ann@x.example", "carl@x.example", "dora@x.example"))
    assert write(alice, to="Nobody at all", subject="s", body="b", action="send").status == 422


def test_a_group_follows_its_contacts(alice: Visitor) -> None:
    person = add(alice, "Ann", "ann@x.example")
    page = group(alice, "Parents", "ann@x.example")
    alice.submit(alice.get(person.link("Edit")), EDIT, action="save", email=["new@x.example"], email_use=[""])
    assert "new@x.example" in alice.get(page.address).text
    assert group(alice, "Bad", "no address").status == 422
    left = alice.submit(alice.get(person.link("Edit")), EDIT, action="save", groups=[])
    assert "Parents" not in left.one("main").get_text()


def test_contacts_are_attached_as_cards(alice: Visitor, bob: Visitor) -> None:
    add(alice, "Zoé Petit", "zoe@x.example")
    other = add(bob, "Secret").address.removeprefix("/contacts/")
    page = write(alice, action="contacts", subject="kept", body="text")
    tick = page.one("[name=contact]")["value"]
    searched = alice.submit(page, "form.people", contact=[tick], words="nobody", action="search")
    assert searched.all("[name=contact]") == []
    form = alice.submit(searched, "form.people", kept=[tick, other], action="attach")
    assert "1 contact attached." in form.notices and value_of(form, "subject") == "kept"
    assert "Zoé Petit.vcf" in form.one("#attachments").get_text()
    with db.connection_context():
        assert [row.type for row in AttachmentRow.select().where(AttachmentRow.filename == "Zoé Petit.vcf")] == ["text/vcard"]
    assert bob.get(f"{page.address.partition('?')[0]}").status == 404
