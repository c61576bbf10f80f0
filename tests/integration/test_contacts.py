"""Contacts as visits: their pages, and where messages and the form of a message meet them."""

from __future__ import annotations

import io
from email.message import EmailMessage

import pytest

from tests.visits import Page, Visitor
from tests.writing import FORM, value_of, write
from webmail.contacts import store
from webmail.database.connection import db
from webmail.models import AttachmentRow, Contact, Outbox, User

EDIT = "form.writing"
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:42\r\nFN:Zoé Petit\r\nEMAIL:zoe@x.example\r\nX-KEPT:1\r\nEND:VCARD\r\n"


@pytest.fixture
def alice(person: Visitor) -> Visitor:
    return person


@pytest.fixture
def bob(app, make_account) -> Visitor:
    return Visitor(app, make_account("bob")).sign_in()


def add(visitor: Visitor, name: str, *emails: str, **more: object) -> Page:
    fields = {"name": name, "email": list(emails), "email_use": [""] * len(emails), **more}
    return visitor.submit(visitor.get("/contacts/new"), EDIT, action="save", **fields)


def group(visitor: Visitor, name: str, *people: str) -> Page:
    return visitor.submit(visitor.get("/contacts/groups/new"), EDIT, name=name, people="\n".join(people))


def cards_of(visitor: Visitor) -> dict[str, str]:
    with db.connection_context():
        user = User.get(User.address == visitor.address)
        return {row.name: row.vcard for row in Contact.select().where(Contact.user == user)}


def names(page: Page) -> list[str]:
    return [link.get_text() for link in page.all(".contacts a")]


def message(sender: str = "Zoé Petit <zoe@x.example>", text: str = "Bonjour", card: str = "", html: str = "") -> EmailMessage:
    one = EmailMessage()
    one["From"], one["To"], one["Subject"] = sender, "alice@lycee.example", "Sortie"
    one.set_content(text)
    if html:
        one.add_alternative(html, subtype="html")
    if card:
        one.add_attachment(card.encode(), "text", "vcard", filename="zoe.vcf")
    return one


# --- the pages -------------------------------------------------------------------------------------------------------


def test_a_contact_is_added_found_changed_and_removed(alice: Visitor) -> None:
    assert "No contacts yet" in alice.get("/contacts").text
    page = add(
        alice, "", "elodie@x.example", given="Élodie", family="Cœur", phone=["06 12 34 56 78"], phone_use=["cell"], note="a\nb"
    )
    assert "Élodie Cœur is in your contacts now." in page.notices and "06 12 34 56 78" in page.text
    assert names(alice.get("/contacts?words=coeur")) == ["Élodie Cœur"] and names(alice.get("/contacts?words=zzz")) == []
    edit = alice.get(page.link("Change"))
    saved = alice.submit(
        edit, EDIT, action="save", family="Leroy", email=["elodie@x.example", "el@work.example"], email_use=["", "work"]
    )
    assert "Élodie Leroy" in saved.one("h1").get_text() and "el@work.example" in saved.text
    assert "EMAIL;TYPE=WORK:el@work.example" in cards_of(alice)["Élodie Leroy"]
    removed = alice.submit(saved, "form[action$='/remove']")
    assert "Élodie Leroy was removed" in removed.notices and cards_of(alice) == {}
    back = alice.submit(removed, "#notices form")
    assert "Undone for 1 contact." in back.notices and list(cards_of(alice)) == ["Élodie Leroy"]


def test_a_form_that_is_refused_keeps_what_was_typed(alice: Visitor) -> None:
    page = add(alice, "", "no address", phone=["06"], phone_use=["cell"], note="kept")
    assert page.status == 422 and "“no address” is not an e-mail address." in page.one("#email-errors").get_text()
    assert page.one("[name=note]").get_text().strip() == "kept" and page.all("[name=phone]")[0]["value"] == "06"
    assert add(alice, "").status == 422 and add(alice, "x" * 300).status == 422 and cards_of(alice) == {}
    more = alice.submit(page, EDIT, action="more")
    assert more.status == 200 and len(more.all("[name=phone]")) == 5 and more.one("[name=note]").get_text().strip() == "kept"


def test_what_is_typed_survives_a_lost_session(alice: Visitor) -> None:
    for path, name in (("/contacts/new", "note"), ("/contacts/groups/new", "people")):
        form = alice.get(path)
        alice.client.delete_cookie("traboule")
        asked = alice.submit(form, EDIT, name="Ann", **{name: "typed <b>"})
        back = alice.submit(asked, "form[action='/login']", username=alice.address, password=alice.password)
        assert back.address == path and "Nothing was saved yet" in back.notices
        assert (
            back.one(f"{EDIT} [name={name}]").get_text().strip() == "typed <b>"
            and back.one(f"{EDIT} [name=name]")["value"] == "Ann"
        )
    assert cards_of(alice) == {}


def test_a_form_sent_twice_makes_one_contact(alice: Visitor) -> None:
    for path, fields in (("/contacts/new", {"name": "Ann", "action": "save"}), ("/contacts/groups/new", {"name": "3B"})):
        form = alice.get(path)
        assert {alice.submit(form, EDIT, **fields).address for _ in range(2)} == {alice.submit(form, EDIT, **fields).address}
    assert sorted(cards_of(alice)) == ["3B", "Ann"]


def test_a_form_gone_back_to_and_sent_with_other_words_changes_what_it_made(alice: Visitor) -> None:
    for path, field in (("/contacts/new", "note"), ("/contacts/groups/new", "people")):
        form = alice.get(path)
        alice.submit(form, EDIT, name="Ann", action="save", **{field: "a@x.example"})
        again = alice.submit(form, EDIT, name="Ann", action="save", **{field: "b@x.example"})
        assert again.status == 409 and "saved already" in again.notices
        assert "b@x.example" in alice.submit(again, EDIT, action="save").text
    assert len(names(alice.get("/contacts"))) == 2


def test_a_second_click_on_remove_is_no_error(alice: Visitor) -> None:
    page = add(alice, "Ann")
    alice.submit(page, "form[action$='/remove']")
    again = alice.submit(page, "form[action$='/remove']")
    assert again.status == 200 and "Ann was removed" in again.notices
    assert "Undone" in alice.submit(again, "#notices form").notices


def test_an_undo_for_which_there_is_no_room_says_so_and_stays_possible(alice: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    removed = alice.submit(add(alice, "Ann"), "form[action$='/remove']")
    monkeypatch.setattr(store, "MOST", 1)
    page = add(alice, "Bob")
    refused = alice.submit(removed, "#notices form")
    assert "contacts at most" in refused.notices
    alice.submit(page, "form[action$='/remove']")
    assert "Undone for 1 contact" in alice.submit(removed, "#notices form").notices


def test_a_change_of_another_window_is_not_overwritten(alice: Visitor) -> None:
    page = add(alice, "Ann")
    first, second = (alice.get(page.link("Change")) for _ in range(2))
    alice.submit(first, EDIT, action="save", note="first")
    refused = alice.submit(second, EDIT, action="save", note="second")
    assert refused.status == 409 and refused.one("[name=note]").get_text().strip() == "second"
    assert "NOTE:first" in cards_of(alice)["Ann"]
    assert "second" in alice.submit(refused, EDIT, action="save").text


def test_somebody_elses_contacts_do_not_exist(alice: Visitor, bob: Visitor) -> None:
    address = add(bob, "Secret", "secret@x.example").address
    token = alice.get("/contacts/new").one(f"{EDIT} [name=csrf_token]")["value"]
    for path in (address, f"{address}/edit", f"{address}/card"):
        assert alice.get(path).status == 404
    assert alice.post(f"{address}/edit", {"csrf_token": token, "name": "x"}).status == 404
    assert alice.post(f"{address}/remove", {"csrf_token": token}).notices == ""
    assert "Secret" not in alice.get("/contacts").text and "secret" not in alice.get("/recipients?words=secret").html
    assert list(cards_of(bob)) == ["Secret"]


def test_htmx_gets_the_page_alone(alice: Visitor) -> None:
    add(alice, "Ann")
    page = alice.get("/contacts", htmx="main")
    assert page.html.lstrip().startswith("<title>") and page.one("main") and not page.all("body")


def test_odd_addresses_do_no_harm(alice: Visitor) -> None:
    page = add(alice, '<img src=x onerror="alert(1)">"; x', "ann@x.example", note="<script>")
    assert page.all("img, main script") == []
    for query in ("?page=0", "?page=999999999999", "?page=x", "?letter=%25", "?words=%00%25_'&kind=x"):
        assert alice.get(f"/contacts{query}").status == 200


def test_many_contacts_come_page_by_page_and_by_letter(alice: Visitor) -> None:
    text = "".join(f"BEGIN:VCARD\nVERSION:3.0\nFN:{letter}nne {n}\nEND:VCARD\n" for letter in "AÉ" for n in range(40))
    alice.submit(alice.get("/contacts/import"), "form[enctype]", file=(io.BytesIO(text.encode()), "all.vcf"))
    page = alice.get("/contacts")
    assert len(names(page)) == 50 and len(names(alice.get(page.link("More contacts")))) == 30
    assert len(names(alice.get(page.link("E")))) == 40


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_file_is_imported_exported_and_taken_back(alice: Visitor, bob: Visitor) -> None:
    form = alice.get("/contacts/import")
    broken = "BEGIN:VCARD\nEND:VCARD\n"
    page = alice.submit(form, "form[enctype]", file=(io.BytesIO((CARD + broken).encode()), "zoe.vcf"))
    assert "1 contact was added." in page.notices and "1 could not be read." in page.notices
    assert alice.get("/contacts/export").response.get_data(as_text=True) == CARD
    assert alice.get(f"{alice.get(page.link('Zoé Petit')).address}/card").response.get_data(as_text=True) == CARD
    again = alice.submit(form, "form[enctype]", file=(io.BytesIO(CARD.encode()), "zoe.vcf"))
    assert "1 was there already." in again.notices
    assert bob.get("/contacts/export").response.get_data() == b""
    alice.submit(page, "#notices form")
    assert cards_of(alice) == {}


@pytest.mark.parametrize("content", [b"", b"no card", b"\xff\xfe\x00\x00" * 50, b"BEGIN:VCARD\n" * 1000])
def test_a_file_that_is_none_is_refused(alice: Visitor, content: bytes) -> None:
    page = alice.submit(alice.get("/contacts/import"), "form[enctype]", file=(io.BytesIO(content), "x.vcf"))
    assert page.status == 422 and page.one(".field-error").get_text()


# --- messages --------------------------------------------------------------------------------------------------------


def test_a_sender_becomes_a_contact_and_is_known_from_then_on(alice: Visitor, fill) -> None:
    [uid] = fill(alice, message())
    page = alice.get(f"/message/{uid}/INBOX")
    assert "in your contacts" not in page.one(".trust").get_text()
    button = page.one("button[name=person]")
    page = press(alice, page, button)
    assert page.address.startswith(f"/message/{uid}/") and "Zoé Petit is in your contacts now." in page.notices
    assert "in your contacts" in page.one(".trust summary").get_text() and page.link("Open the contact").startswith("/contacts/")
    assert "already in your contacts" in press(alice, page, button).notices
    undone = alice.submit(press(alice, page, button), "#notices form:has([name=undo])")
    assert undone.address.startswith(f"/message/{uid}/") and cards_of(alice) == {}


def press(visitor: Visitor, page: Page, button) -> Page:
    token = page.one(".list-bar [name=csrf_token]")["value"]
    return visitor.post(button["formaction"], {"csrf_token": token, button["name"]: button["value"]})


def test_whoever_uses_the_name_of_a_contact_is_not_added_to_it(alice: Visitor, fill) -> None:
    add(alice, "Zoé Petit", "zoe@x.example")
    [uid] = fill(alice, message("Zoe PETIT <evil@elsewhere.example>"))
    page = alice.get(f"/message/{uid}/INBOX")
    assert "you know Zoé Petit under another address: zoe@x.example." in page.one(".trust").get_text()
    form = press(alice, page, page.one("button[name=person]"))
    assert form.address.startswith("/contacts/new") and "You have a contact of this name already" in form.notices
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
    assert "1 contact was added." in page.notices and page.address.startswith(f"/message/{first}/")
    assert cards_of(alice) == {"Zoé Petit": CARD}
    assert "already in your contacts" in alice.submit(alice.get(f"/message/{first}/INBOX"), take).notices
    review = alice.submit(alice.get(f"/message/{second}/INBOX"), take)
    assert "06 12 34 56 78" in review.text and "TEL" not in cards_of(alice)["Zoé Petit"]
    done = alice.submit(review, take, action="update")
    assert "1 was completed." in done.notices and "TEL:06 12 34 56 78" in cards_of(alice)["Zoé Petit"]
    assert alice.get(f"/contacts/from/{first}/1/INBOX").status == 404


def test_remote_images_of_contacts_load_where_one_wants_that(alice: Visitor, fill) -> None:
    add(alice, "Zoé Petit", "zoe@x.example")
    [uid] = fill(alice, message(html='<p>x<img src="https://far.example/a.png"></p>'))
    page = alice.get(f"/message/{uid}/INBOX")
    assert "images=1" not in page.one("iframe")["src"]
    page = alice.submit(page, "form.images", action="contacts", sender=None)
    assert "Images from your contacts will be shown" in page.notices and "images=1" in page.one("iframe")["src"]


# --- writing ---------------------------------------------------------------------------------------------------------


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
    alice.submit(alice.get(person.link("Change")), EDIT, action="save", email=["new@x.example"], email_use=[""])
    assert "new@x.example" in alice.get(page.address).text
    assert group(alice, "Bad", "no address").status == 422
    left = alice.submit(alice.get(person.link("Change")), EDIT, action="save", groups=[])
    assert "Parents" not in left.one("main").get_text()


def test_contacts_are_attached_as_cards(alice: Visitor, bob: Visitor) -> None:
    add(alice, "Zoé Petit", "zoe@x.example")
    other = add(bob, "Secret").address.removeprefix("/contacts/")
    page = write(alice, action="contacts", subject="kept", body="text")
    tick = page.one("[name=contact]")["value"]
    searched = alice.submit(page, "form.people", contact=[tick], words="nobody", action="search")
    assert searched.all("[name=contact]") == []
    form = alice.submit(searched, "form.people", kept=[tick, other], action="attach")
    assert "1 contact is attached." in form.notices and value_of(form, "subject") == "kept"
    assert "Zoé Petit.vcf" in form.one("#attachments").get_text()
    with db.connection_context():
        assert [row.type for row in AttachmentRow.select().where(AttachmentRow.filename == "Zoé Petit.vcf")] == ["text/vcard"]
    assert bob.get(f"{page.address.partition('?')[0]}").status == 404
