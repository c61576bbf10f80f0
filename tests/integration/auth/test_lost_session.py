"""A session that ends while somebody writes: not a word is lost."""

from __future__ import annotations

import io
from collections.abc import Callable

from flask import Flask

from tests.support import worker
from tests.support.visits import Page, Visitor

FORM = "form.compose-form"


def writing(person: Visitor) -> Page:
    return person.get("/compose")


def test_the_text_travels_through_the_sign_in_page_and_comes_back(person: Visitor) -> None:
    page = writing(person)
    person.client.delete_cookie("traboule")
    asked = person.submit(
        page, FORM, action="send", to="bob@lycee.example", subject="Été", body="Un long texte\n\nécrit <b>avec</b> soin"
    )
    assert asked.status == 401 and "Your text is safe" in asked.text
    wrong = person.submit(asked, "form[action='/login']", username=person.address, password="wrong")
    assert wrong.status == 401
    back = person.submit(wrong, "form[action='/login']", username=person.address, password=person.password)
    assert "Nothing was sent" in back.notices
    assert back.one("[name=to]")["value"] == "bob@lycee.example"
    assert back.one("[name=subject]")["value"] == "Été"
    assert (
        back.one("[name=body]").get_text().removeprefix("\n").replace("\r\n", "\n") == "Un long texte\n\nécrit <b>avec</b> soin"
    )
    assert "You will need to choose your files again" not in asked.text
    assert person.get("/outbox").all("[data-state]") == []
    assert back.address.startswith("/compose/")


def test_with_htmx_the_page_stays_and_says_what_to_do(person: Visitor) -> None:
    page = writing(person)
    person.client.delete_cookie("traboule")
    piece = person.submit(page, FORM, htmx="main", action="send", to="bob@lycee.example", body="texte")
    assert piece.status == 401 and piece.headers["HX-Retarget"] == "#notices" and "HX-Redirect" not in piece.headers
    assert "still on this page" in piece.text and piece.one("a[target=_blank]")["href"] == "/login"


def test_after_signing_in_elsewhere_the_old_form_comes_back_with_its_text(person: Visitor) -> None:
    page = writing(person)
    person.client.delete_cookie("traboule")
    person.sign_in()
    again = person.submit(page, FORM, action="send", to="bob@lycee.example", subject="S", body="mon texte")
    assert again.status == 400 and "press the button again" in again.notices
    assert again.one("[name=body]").get_text().strip() == "mon texte"
    worker.alive()
    sent = person.submit(again, FORM, action="send")
    worker.gone()
    assert sent.status == 200 and "Sending in" in sent.notices


def test_files_that_are_kept_stay_and_those_on_their_way_are_said_to_be_lost(person: Visitor) -> None:
    def late() -> Page:
        return person.submit(page, FORM, action="send", attachments=(io.BytesIO(b"two"), "deux.txt"), **changes)

    page = person.submit(writing(person), FORM, action="attach", attachments=(io.BytesIO(b"one"), "un.txt"))
    changes = {"csrf_token": "old"}
    stale = late()
    assert "You will need to choose your files again" in stale.notices and "un.txt" in stale.one("#attachments").get_text()
    person.client.delete_cookie("traboule")
    changes = {}
    asked = late()
    assert asked.status == 401 and "You will need to choose your files again" in asked.text
    back = person.submit(asked, "form[action='/login']", username=person.address, password=person.password)
    files = back.one("#attachments").get_text()
    assert "un.txt" in files and "deux.txt" not in files


def test_pieces_of_an_old_form_bring_todays_token(person: Visitor) -> None:
    page = person.submit(writing(person), FORM, action="save", body="un")
    stale = {"csrf_token": "old", "body": "un deux"}
    saved = person.submit(page, FORM, htmx="saved", action="autosave", **stale)
    assert saved.status == 400 and not saved.notices.count("press the button")
    files = person.submit(page, FORM, htmx="attachments", action="attach", attachments=(io.BytesIO(b"1"), "un.txt"), **stale)
    assert files.status == 400 and "press the button again" in files.html and "un.txt" not in files.html
    for piece in (saved, files):
        token = piece.one("#form-token[hx-swap-oob]")["value"]
        again = person.submit(page, FORM, htmx="saved", action="autosave", body="un deux", csrf_token=token)
        assert again.status == 200 and not again.all("#form-token")
    assert not page.all("[hx-swap-oob]") and len(page.all(f"{FORM} [name=csrf_token]")) == 1


def test_the_text_of_one_person_is_not_shown_to_another(app: Flask, person: Visitor, make_account: Callable[..., str]) -> None:
    saved = person.submit(writing(person), FORM, action="save", to="bob@lycee.example", subject="Secret", body="secret")
    draft = saved.one(FORM)["action"]
    other = Visitor(app, make_account()).sign_in()
    assert other.get(draft).status == 404
    token = other.get("/compose").one(f"{FORM} [name=csrf_token]")["value"]
    stolen = other.post(draft, {"csrf_token": token, "action": "save", "body": "x"})
    assert "secret" not in stolen.html
    stale = other.post(draft, {"csrf_token": "old", "action": "save", "body": "x"})
    assert stale.status == 400 and "secret" not in stale.html.lower()
