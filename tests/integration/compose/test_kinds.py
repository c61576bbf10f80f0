"""Formatted text, options, and other ways to go on from a message, as visits without scripts."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from tests.writing import FORM, text_of, value_of, write
from webmail.models import DraftRow, Outbox


def letter(**headers):
    message = EmailMessage()
    given = {"From": "Bob <bob@x.example>", "To": "alice@x.example", "Subject": "Sortie", "Message-ID": "<1@x>", **headers}
    for name, value in given.items():
        message[name.replace("_", "-")] = value
    message.set_content("Premier point.\n\nSecond point.\n")
    return message


def chosen(page, name):
    return page.one(f"select[name={name}] option[selected]")["value"]


# --- formatted text --------------------------------------------------------------------------------------------------


def test_a_formatted_message_arrives_as_text_and_html(alice, bob, work, stored):
    write(alice, to=bob.address, subject="Été", body="**Bonjour**", format="markdown", language="fr", action="send")
    work()
    [got] = stored(bob, "INBOX")
    assert got.get_body(("plain",)).get_content().strip() == "**Bonjour**"
    assert "<strong>Bonjour</strong>" in got.get_body(("html",)).get_content()
    assert got["Content-Language"] == "fr"
    sent = alice.get(alice.get("/mailbox/Sent").one("[data-row] .s a")["href"])
    assert alice.get(sent.one("[data-message-body] iframe")["src"]).one(".mail strong").get_text() == "Bonjour"


def test_plain_text_is_the_default(alice, bob, work, stored):
    write(alice, to=bob.address, subject="a", body="**Bonjour**", action="send")
    work()
    assert stored(bob, "INBOX")[0].get_content_type() == "text/plain"


def test_the_preview_shows_what_readers_will_see(alice):
    page = write(alice, subject="a", body="**fort** <script>x</script>", format="markdown", action="preview")
    assert (page.status, text_of(page)) == (200, "**fort** <script>x</script>")
    frame = page.one("#rendered iframe")
    assert "allow-scripts" not in frame["sandbox"]
    shown = alice.get(frame["src"])
    assert shown.one(".mail strong").get_text() == "fort"
    assert not shown.all("script")
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert alice.submit(page, FORM, action="save").all("#rendered") == []


def test_nobody_previews_somebody_else_s_draft(alice, bob):
    page = write(alice, subject="a", body="geheim", action="preview")
    assert bob.get(page.one("#rendered iframe")["src"]).status == 404


def test_a_draft_comes_back_as_it_was_written_on_any_device(alice, fill):
    [uid] = fill(alice, letter())
    page = alice.submit(
        alice.get(f"/reply/{uid}/INBOX"), FORM, body="*a*", format="markdown", priority="high", language="de", read_receipt="on",
        delivery_receipt="on", action="save",
    )  # fmt: skip
    row = DraftRow.get()
    DraftRow.delete().execute()  # as on another installation, or a month later
    page = alice.get(f"/draft/{row.saved_uid}/Drafts")
    assert [chosen(page, name) for name in ("format", "priority", "language")] == ["markdown", "high", "de"]
    assert len(page.all(".compose-options input[checked]")) == 2
    assert page.one("#body")["lang"] == "de"
    assert (value_of(page, "source_uid"), value_of(page, "source_flag")) == (str(uid), "\\Answered")


def test_the_wish_of_a_stranger_s_message_is_not_followed(alice, fill):
    [uid] = fill(alice, letter(X_Traboule_Draft="format=markdown; read_receipt=1; source_uid=1; source_flag=%5CAnswered"))
    page = alice.get(f"/draft/{uid}/INBOX?as=new")
    assert page.all("select[name=format] option[selected]") == []
    assert value_of(page, "source_flag") == ""


def test_options_are_in_what_is_sent(alice, bob, work, stored):
    write(alice, to=bob.address, subject="a", body="a", priority="low", read_receipt="on", delivery_receipt="on", action="send")
    assert Outbox.get().dsn
    work()
    [got] = stored(bob, "INBOX")
    assert got["Importance"] == "low"
    assert alice.address in got["Disposition-Notification-To"]
    assert not [name for name in got if name.lower().startswith("x-traboule")]


@pytest.mark.parametrize(("said", "language"), [("fr-FR, en", "fr"), ("EN", "en"), ("tlh", ""), ('fr"x', "")])
def test_an_answer_is_in_the_language_of_what_it_answers(alice, fill, said, language):
    message = letter()
    message["Content-Language"] = said
    [uid] = fill(alice, message)
    page = alice.get(f"/reply/{uid}/INBOX")
    assert page.one("#body").get("lang", "") == language
    assert [one["value"] for one in page.all("#language option[selected]")] == ([language] if language else [])
    assert not page.one("details.compose-more:has(#language)").has_attr("open")
    assert alice.get(f"/forward/{uid}/INBOX").one("#body").get("lang") is None


def test_one_may_prefer_formatted_text_and_no_quotation(alice, fill):
    [uid] = fill(alice, letter())
    alice.submit(alice.get("/settings"), "form.form", write_format="markdown", quote="none")
    page = alice.get(f"/reply/{uid}/INBOX")
    assert (chosen(page, "format"), text_of(page)) == ("markdown", "")
    alice.submit(alice.get("/settings"), "form.form", quote="above")
    assert text_of(alice.get(f"/reply/{uid}/INBOX")).endswith("> Second point.\n\n")


# --- answers ---------------------------------------------------------------------------------------------------------


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


# --- sending on ------------------------------------------------------------------------------------------------------


def test_a_message_is_sent_on_whole(alice, bob, fill, work, stored):
    [uid] = fill(alice, letter(Bcc="eve@x.example", DKIM_Signature="v=1; b=x"))
    page = alice.get(alice.get(f"/message/{uid}/INBOX").link("Send on as it is"))
    page = alice.submit(page, "form.form", to=bob.address)
    assert "on its way" in page.notices
    work()
    [got] = stored(bob, "INBOX")
    assert (got["From"], got["Message-ID"], got["DKIM-Signature"]) == ("Bob <bob@x.example>", "<1@x>", "v=1; b=x")
    assert (got["Resent-To"], got["Bcc"]) == (bob.address, None)
    assert alice.address in got["Resent-From"]
    assert "$Forwarded" in stored(alice, "INBOX")[0].flags
    assert len(stored(alice, "Sent")) == 1


@pytest.mark.parametrize("to", ["", "not an address", "a@x.example\r\nBcc: eve@x.example"])
def test_it_is_sent_on_to_addresses_only(alice, fill, to):
    [uid] = fill(alice, letter())
    page = alice.submit(alice.get(f"/send-on/{uid}/INBOX"), "form.form", to=to)
    assert page.status == 422
    assert page.one("#to-error")
    assert Outbox.select().count() == 0


def test_what_is_sent_on_can_be_stopped(alice, bob, fill):
    [uid] = fill(alice, letter())
    alice.submit(alice.get(f"/send-on/{uid}/INBOX"), "form.form", to=bob.address)
    row = Outbox.get()
    token = alice.get("/outbox").all("[name=csrf_token]")[0]["value"]
    page = alice.post(f"/outbox/{row.id}", {"csrf_token": token, "action": "undo"})
    assert (page.status, page.address) == (200, "/outbox")
    assert "Nothing was sent" in page.notices


@pytest.mark.parametrize("address", ["/send-on/999/INBOX", "/send-on/0/INBOX", "/send-on/1/Nowhere", "/reply/999/INBOX?list=1"])
def test_a_message_that_is_not_there(alice, address):
    assert alice.get(address).status == 404


def test_somebody_else_s_identity_is_refused(alice, bob, fill):
    [uid] = fill(alice, letter())
    page = alice.submit(alice.get(f"/send-on/{uid}/INBOX"), "form.form", to=bob.address, identity="987654")
    assert page.status == 422
