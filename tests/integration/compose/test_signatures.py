"""Formatted signatures, as visits without scripts: written, shown, with a picture, sent, kept by drafts, made plain again."""

from __future__ import annotations

import pytest

from tests.support.compose_form import FORM, file, text_of, write
from tests.support.images import picture
from tests.support.settings_pages import choose
from webmail.models import AttachmentRow, DraftRow

PAGE = "form.form"


def add(person, **fields):
    fields = {"name": "Lycée", "text": "**Alice**\n- maths", "format": "markdown", "action": "save", **fields}
    return person.submit(person.get("/settings/signatures/new"), PAGE, **fields)


def edit(person, **fields):
    return person.submit(person.get(address_of(person)), PAGE, **{"action": "save", **fields})


def address_of(person):
    return person.get("/settings/signatures").link("Edit Lycée")


@pytest.fixture
def signed(alice):
    """Alice, who writes formatted and signs so."""
    choose(alice, write_format="markdown")
    add(alice)
    return alice


def test_the_list_shows_it_as_its_readers_see_it(signed):
    card = signed.get("/settings/signatures").one("main .card")
    assert card.find("strong").get_text() == "Alice" and card.find("li").get_text() == "maths"


def test_a_preview_saves_nothing_and_nothing_in_it_runs(alice):
    page = add(alice, text="**A** <script>x</script> [a](javascript:x) ![b](https://far.example/x.png)", action="preview")
    preview = page.one("#preview")
    assert preview.find("strong").get_text() == "A"
    assert not preview.find_all(["script", "img"]) and "javascript" not in str(preview.find_all("a"))
    assert "No signatures yet" in alice.get("/settings/signatures").text
    assert "**bold**" in page.text


def test_both_parts_of_a_sent_message_have_it(signed, bob, work, stored):
    write(signed, to=bob.address, subject="Salut", body="Bonjour" + text_of(signed.get("/compose")), action="send")
    work()
    (message,) = stored(bob, "INBOX")
    html, text = (message.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("html", "plain"))
    assert "<strong>Alice</strong>" in html and "<li>maths</li>" in html
    assert text == "Bonjour\n\n-- \nAlice\n\n- maths\n"


def test_a_picture_is_put_in_and_sent_inside_the_message(signed, bob, work, stored):
    page = edit(signed, picture=file("logo.png", picture(), "image/png"), action="picture")
    assert "![logo](logo-" in str(page.one("[name=text]"))
    shown = signed.get("/settings/signatures").one(".answer img")["src"]
    assert signed.get(shown).headers["Content-Type"] == "image/png"
    assert bob.get(shown).status == 404
    write(signed, to=bob.address, subject="Salut", body="Bonjour" + text_of(signed.get("/compose")), action="send")
    work()
    (message,) = stored(bob, "INBOX")
    (part,) = [one for one in message.walk() if one.get_content_maintype() == "image"]
    html = message.get_body(("related", "html")).get_body(("html",)).get_content()
    assert f"cid:{part['Content-ID'].strip('<>')}" in html
    assert list(message.iter_attachments()) == [] or part not in message.iter_attachments()


def test_the_preview_of_a_message_shows_the_picture(signed):
    edit(signed, picture=file("logo.png", picture(), "image/png"), action="picture")
    page = write(signed, body="Bonjour" + text_of(signed.get("/compose")), action="preview")
    frame = signed.get(page.one("#rendered iframe")["src"])
    assert signed.get(frame.one("img")["src"]).status == 200


def test_a_draft_found_in_the_folder_again_has_it_without_a_file(signed, stored):
    edit(signed, picture=file("logo.png", picture(), "image/png"), action="picture")
    text = "Bonjour" + text_of(signed.get("/compose"))
    write(signed, subject="Salut", body=text, action="save")
    (draft,) = stored(signed, "Drafts")
    DraftRow.delete().execute()
    page = signed.get(f"/draft/{draft.uid}/Drafts")
    assert text_of(page).rstrip() == text.rstrip() and not list(AttachmentRow.select())
    assert page.one("#signature option[selected]").get_text() == "Lycée"


def test_what_is_no_picture_is_refused_and_the_words_stay(signed):
    page = edit(signed, text="**Alice** Martin", picture=file("logo.svg", b"<svg/>", "image/svg+xml"), action="picture")
    assert page.status == 422 and "This picture can’t be read" in page.text and "Martin" in str(page.one("[name=text]"))


def test_it_goes_back_to_plain_text(signed):
    edit(signed, picture=file("logo.png", picture(), "image/png"), action="picture")
    page = edit(signed, format="")
    assert page.one(".ready").get_text() == "Alice\n\n- maths"
    assert not signed.get(address_of(signed)).all("[data-src]")


def test_the_other_format_takes_the_other_form(signed):
    page = signed.get("/compose?format=")
    assert text_of(page).endswith("-- \nAlice\n\n- maths\n")
    option = page.one("#signature option[selected]")
    assert (option["data-formatted"], option["data-plain"]) == ("**Alice**\n- maths", "Alice\n\n- maths")
    page = signed.submit(page, FORM, format="markdown", signature=option["value"], action="sign")
    assert text_of(page).endswith("-- \n**Alice**\n- maths\n")
