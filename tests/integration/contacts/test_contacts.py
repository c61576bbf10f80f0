"""The pages of contacts: added, found, changed, removed, taken back."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.support.contact_pages import EDIT, add, cards_of, group, import_file
from tests.support.visits import Page, Visitor
from webmail.contacts import store


def names(page: Page) -> list[str]:
    return [link.get_text() for link in page.all(".contacts a")]


def test_a_contact_is_added_found_changed_and_removed(alice: Visitor) -> None:
    assert "No contacts yet" in alice.get("/contacts").text
    page = add(
        alice, "", "elodie@x.example", given="Élodie", family="Cœur", phone=["06 12 34 56 78"], phone_use=["cell"], note="a\nb"
    )
    assert "Élodie Cœur was added to your contacts." in page.notices and "06 12 34 56 78" in page.text
    assert names(alice.get("/contacts?words=coeur")) == ["Élodie Cœur"] and names(alice.get("/contacts?words=zzz")) == []
    edit = alice.get(page.link("Edit"))
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
    assert page.status == 422 and "“no address” is not an email address." in page.one("#email-1-error").get_text()
    assert page.one("[name=note]").get_text().strip() == "kept" and page.all("[name=phone]")[0]["value"] == "06"
    for wrong in (page, add(alice, "")):
        assert wrong.one("main [role=alert] a")["href"] == f"#{wrong.all('[aria-invalid=true]')[0]['id']}"
    assert add(alice, "").status == 422 and add(alice, "x" * 300).status == 422 and cards_of(alice) == {}
    more = alice.submit(page, EDIT, action="more")
    assert more.status == 200 and len(more.all("[name=phone]")) == 5 and more.one("[name=note]").get_text().strip() == "kept"


def test_a_group_inside_that_the_form_does_not_list_stays_inside(alice: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("A", "B", "Z"):
        group(alice, name)
    whole = alice.get(alice.get("/contacts").link("Z"))
    form = alice.get(whole.link("Edit"))
    page = alice.submit(form, EDIT, groups=[box["value"] for box in form.all("[name=groups]")])
    monkeypatch.setattr(store, "MOST_GROUPS", 1)
    page = alice.submit(alice.get(page.link("Edit")), EDIT, name="Z", groups=[])
    assert [link.get_text() for link in page.all(".contacts a")] == ["B"]


def test_what_is_typed_survives_a_lost_session(alice: Visitor) -> None:
    for path, name in (("/contacts/new", "note"), ("/contacts/groups/new", "people")):
        form = alice.get(path)
        alice.client.delete_cookie("traboule")
        asked = alice.submit(form, EDIT, name="Ann", **{name: "typed <b>"})
        back = alice.submit(asked, "form[action='/login']", username=alice.address, password=alice.password)
        assert back.address == path and "not saved yet" in back.notices
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
        assert again.status == 409 and "already saved" in again.notices
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
    assert "up to 1 contacts" in refused.notices
    alice.submit(page, "form[action$='/remove']")
    assert "Undone for 1 contact" in alice.submit(removed, "#notices form").notices


def test_a_change_of_another_window_is_not_overwritten(alice: Visitor) -> None:
    page = add(alice, "Ann")
    first, second = (alice.get(page.link("Edit")) for _ in range(2))
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
    import_file(alice, text.encode())
    page = alice.get("/contacts")
    assert len(names(page)) == 50 and len(names(alice.get(page.link("More contacts")))) == 30
    assert len(names(alice.get(page.link("E")))) == 40


def test_every_field_is_kept_shown_and_changed_without_touching_others(alice: Visitor) -> None:
    import_file(alice, b'BEGIN:VCARD\nVERSION:4.0\nUID:9\nFN:Ann Roi\nBDAY:20000101T10\nX-ODD;Y="a,b":1\\,2;3\nEND:VCARD\n')
    one = alice.get(alice.get("/contacts").link("Ann Roi"))
    edit = alice.get(one.link("Edit"))
    page = alice.submit(
        edit, EDIT, action="save", street="1 rue A\nesc. 2", code="69001", city="Lyon", postal_use="home", site="https://x.example",
        anniversary="3/2", categories="Amis, 3B, Amis", nickname="Nan",
    )  # fmt: skip
    for words in ("1 rue A", "69001 Lyon", "https://x.example", "3 February", "Amis", "3B", "Nan"):
        assert words in page.text, words
    card = cards_of(alice)["Ann Roi"]
    for line in ("VERSION:4.0", "BDAY:20000101T10", 'X-ODD;Y="a,b":1\\,2;3', "ADR;TYPE=HOME:;;1 rue A\\nesc. 2;Lyon;;69001;",
                 "ANNIVERSARY:--0203", "CATEGORIES:Amis,3B"):  # fmt: skip
        assert line in card.split("\r\n"), line
    again = alice.get(page.link("Edit"))
    assert len(again.all("[name=street]")) == 2 and again.one("[name=anniversary]")["value"] == "03/02"
    refused = alice.submit(again, EDIT, action="save", birthday="soon", street=["2 rue B", ""])
    assert refused.status == 422 and refused.all("[name=street]")[0].get_text().strip() == "2 rue B"
    alice.submit(again, EDIT, action="save")
    assert cards_of(alice)["Ann Roi"] == card, "saved without a change, nothing changes"


def test_a_photo_is_made_small_shown_and_removed(alice: Visitor) -> None:
    into = io.BytesIO()
    Image.new("RGB", (1200, 600), "red").save(into, "PNG", pnginfo=None)
    page = add(alice, "Ann", photo=(io.BytesIO(into.getvalue()), "ann.png"))
    shown = alice.get(page.one(".contact-head img")["src"]).response
    with Image.open(io.BytesIO(shown.get_data())) as picture:
        assert (picture.format, picture.size) == ("JPEG", (512, 256)) and shown.content_type == "image/jpeg"
    bad = alice.submit(alice.get(page.link("Edit")), EDIT, action="save", photo=(io.BytesIO(b"<svg/>"), "x.svg"))
    assert bad.status == 422 and "This photo can’t be read" in bad.text
    page = alice.submit(alice.get(page.link("Edit")), EDIT, action="save", no_photo="y")
    assert not page.all(".contact-head img") and "PHOTO" not in cards_of(alice)["Ann"]
