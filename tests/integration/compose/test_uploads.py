"""A file that comes by itself (static/js/compose/attach.js): the text, typed on meanwhile, is not touched by it."""

from __future__ import annotations

import re

from tests.support.compose_form import FORM, file, text_of, value_of, write
from webmail.models import DraftRow


def alone(person, page, *files):
    """What attach.js sends: the file, and whose form it is; never the text."""
    address = page.one(FORM)["action"]
    data = {"action": "attach", "writer": value_of(page, "writer"), "attachments": list(files)}
    if token := page.all(f"{FORM} [name=csrf_token]"):
        data["csrf_token"] = token[0]["value"]
    return person.post(address, data, htmx="attachments")


def test_the_text_stays_and_only_the_list_of_files_is_answered(alice):
    page = write(alice, subject="s", body="déjà là", action="save")
    answer = alone(alice, page, file("a.pdf"))
    assert answer.status == 200 and not answer.all("textarea")
    assert "a.pdf" in answer.one("#attachments li").get_text()
    [row] = DraftRow.select()
    assert (row.body, row.subject, row.attachments.count()) == ("déjà là", "s", 1)


def test_it_may_be_the_first_thing_of_a_message(alice):
    page = alice.get("/compose")
    alone(alice, page, file("a.pdf"))
    saved = alice.submit(page, FORM, body="le texte vient après", action="autosave", htmx="saved")
    assert "another window" not in saved.text
    [row] = DraftRow.select()
    assert (row.body, row.attachments.count()) == ("le texte vient après", 1)
    again = alice.get(f"/compose/{row.id}")
    assert text_of(again) == "le texte vient après"
    room = int(again.one("#attachments")["data-room"])
    assert 0 < room < int(page.one("#attachments")["data-room"])


def test_what_is_too_large_is_said_beside_the_field(alice):
    page = write(alice, body="texte", action="save")
    answer = alone(alice, page, file("film.mp4", b"x" * 2_400_000))
    assert answer.status == 422
    assert re.search("film.mp4", answer.one("#attachments-error").get_text())
    assert DraftRow.get().attachments.count() == 0


def test_nobody_attaches_to_somebody_else_s_draft(alice, bob):
    page = write(alice, body="texte", action="save")
    address = page.one(FORM)["action"]
    own = bob.get("/compose")
    own.one(FORM)["action"] = address
    assert alone(bob, own, file("a.pdf")).status == 404
    assert DraftRow.get().attachments.count() == 0
