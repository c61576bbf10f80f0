"""Answers, and other ways to go on from a message, as visits without scripts."""

from __future__ import annotations

import pytest

from tests.support.bobs_letter import letter
from tests.support.compose_form import FORM, chosen, text_of, value_of, write
from tests.support.messages import message
from tests.support.settings_pages import choose
from webmail.models import DraftRow


@pytest.mark.parametrize(("said", "language"), [("fr-FR, en", "fr"), ("EN", "en"), ("tlh", ""), ('fr"x', "")])
def test_an_answer_is_in_the_language_of_what_it_answers(alice, fill, said, language):
    message = letter()
    message["Content-Language"] = said
    [uid] = fill(alice, message)
    page = alice.get(f"/reply/{uid}/INBOX")
    assert page.one("#body").get("lang", "") == language
    assert [one["value"] for one in page.all("#language option[selected]")] == ([language] if language else [])
    assert not page.one("details#options").has_attr("open")
    assert alice.get(f"/forward/{uid}/INBOX").one("#body").get("lang") is None


def test_one_may_prefer_formatted_text_and_no_quotation(alice, fill):
    [uid] = fill(alice, letter())
    choose(alice, write_format="markdown", quote="none")
    page = alice.get(f"/reply/{uid}/INBOX")
    assert (chosen(page, "format"), text_of(page)) == ("markdown", "")
    choose(alice, quote="above")
    assert text_of(alice.get(f"/reply/{uid}/INBOX")).endswith("> Second point.\n\n")


def test_an_answer_to_the_list(alice, fill):
    [uid] = fill(alice, letter(List_Post="<mailto:club@x.example>", Cc="dora@x.example"))
    page = alice.get(f"/message/{uid}/INBOX")
    page = alice.get(page.link("Reply to list"))
    assert (value_of(page, "to"), value_of(page, "cc")) == ("club@x.example", "")


def test_only_what_is_selected_is_quoted(alice, fill):
    [uid] = fill(alice, letter())
    page = alice.get(f"/message/{uid}/INBOX")
    token = page.all("[name=csrf_token]")[0]["value"]
    for _again in range(2):
        page = alice.post(f"/reply/{uid}/INBOX", {"csrf_token": token, "selected": "Second point.\r\n"})
    assert "> Second point." in text_of(page)
    assert "Premier" not in text_of(page)
    assert DraftRow.select().count() == 1


def test_the_message_answered_is_archived_with_the_answer_and_marked_there(alice, fill, work, stored):
    [uid] = fill(alice, letter())
    page = alice.submit(alice.get(f"/reply/{uid}/INBOX"), FORM, to="bob@x.example", subject="", action="archive")
    assert page.status == 422  # no subject: it is asked, and the wish is not forgotten
    assert stored(alice, "INBOX")
    alice.submit(page, FORM, action="send-anyway")
    assert stored(alice, "INBOX") == []
    work()
    [away] = stored(alice, "Archive")
    assert "\\Answered" in away.flags


def test_a_new_message_has_nothing_to_archive(alice, bob):
    assert alice.get("/compose").all("button[value=archive]") == []
    page = write(alice, to=bob.address, subject="a", body="a", action="archive")
    assert page.address.startswith("/mailbox/INBOX")


def test_any_message_can_be_edited_as_new(alice, fill):
    message = letter(References="<0@x>", Cc="dora@x.example")
    message.add_attachment(b"bytes", maintype="application", subtype="x-a", filename="a.bin")
    [uid] = fill(alice, message)
    page = alice.get(alice.get(f"/message/{uid}/INBOX").link("Edit as new"))
    assert (value_of(page, "to"), value_of(page, "cc"), value_of(page, "subject")) == (
        "alice@x.example",
        "dora@x.example",
        "Sortie",
    )
    assert (value_of(page, "references"), value_of(page, "in_reply_to")) == ("", "")
    assert "Premier point." in text_of(page)
    assert "a.bin" in page.text


def test_an_empty_line_above_the_quotation_survives_text_browsers(alice, fill):
    [uid] = fill(alice, letter())
    page = alice.get(f"/reply/{uid}/INBOX")
    shown = page.one("#body").get_text().removeprefix("\n").replace("\r\n", "\n")
    assert shown.startswith(" \n")  # lynx, links and elinks drop lines without a blank
    saved = alice.submit(page, FORM, body="Demain" + shown, action="save")
    assert text_of(saved) == "Demain" + shown[1:]


def test_an_answer_is_headed_as_one(alice, fill):
    fill(alice, message("Salut", sender="Bob <bob@x.example>"))
    row = alice.get("/mailbox/INBOX").one("[data-row]")["data-uid"]
    for way, heading in (("reply", "Reply"), ("forward", "Forward")):
        page = alice.get(f"/{way}/{row}/INBOX")
        assert page.one("h1").get_text() == heading and page.one("form.compose-form")["aria-label"] == heading
    assert alice.get("/compose").one("h1").get_text() == "New message"


def test_a_text_browser_is_shown_one_save_and_no_marks(alice):
    page = alice.get("/compose")
    assert [one["value"] for one in page.all("form.compose-form button") if one.get_text().strip() == "Save"] == ["save"]
    assert not page.all("[data-mark]") and not page.one("button[value=enter]").get_text()
