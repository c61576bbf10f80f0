"""Formatted text, language and options, as visits without scripts."""

from __future__ import annotations

from tests.support.bobs_letter import letter
from tests.support.compose_form import FORM, chosen, text_of, value_of, write
from webmail.models import DraftRow, Outbox


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
    assert [name for name in got if name.lower().startswith("x-traboule")] == ["X-Traboule-Proof"]


TABLE = "Voici :\n\n| Jour  | Salle |\n| ----- | ----- |\n| lundi | B12   |\n"


def test_a_table_typed_with_bars_is_shown_sent_and_kept(alice, bob, work, stored):
    page = write(alice, to=bob.address, subject="Salles", body=TABLE, format="markdown", action="preview")
    assert [cell.get_text() for cell in alice.get(page.one("#rendered iframe")["src"]).all("td")] == ["lundi", "B12"]
    (draft,) = stored(alice, "Drafts")
    DraftRow.delete().execute()
    page = alice.get(f"/draft/{draft.uid}/Drafts")  # on another machine
    assert text_of(page).rstrip() == TABLE.rstrip()
    alice.submit(page, FORM, action="send")
    work()
    (message,) = stored(bob, "INBOX")
    html, text = (message.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("html", "plain"))
    assert html.count("<th ") == 2 and ">B12</td>" in html and text.rstrip() == TABLE.rstrip()
