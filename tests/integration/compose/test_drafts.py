"""The form and its drafts: visits without scripts, on a real Dovecot."""

from __future__ import annotations

from tests.support.compose_form import FORM, PDF, file, text_of, value_of, write
from webmail.models import DraftRow, Outbox

# --- the form --------------------------------------------------------------------------------------------------------


def test_a_mailto_link_fills_the_form(alice):
    page = alice.get("/compose?to=bob@x.example&cc=carl@x.example&subject=%3Cb%3E&body=one%0A%0A%20two")
    assert [value_of(page, name) for name in ("to", "cc", "subject")] == ["bob@x.example", "carl@x.example", "<b>"]
    assert text_of(page) == "one\n\n two"


def test_opening_a_form_leaves_nothing_behind(alice):
    for _ in range(3):
        alice.get("/compose")
    assert DraftRow.select().count() == 0


def test_a_wrong_address_is_marked_and_nothing_typed_is_lost(alice):
    page = write(alice, to="bob@x.example, no sense", subject="s", body="\n  long text\n", action="send")
    assert page.status == 422
    field = page.one("[name=to]")
    assert field["aria-invalid"] == "true"
    assert "no sense" in page.one(f"#{field['aria-describedby']}").get_text()
    assert field["value"] == "bob@x.example, no sense"
    assert text_of(page) == "\n  long text\n"
    assert text_of(alice.get(page.one(FORM)["action"])) == "\n  long text\n"
    assert Outbox.select().count() == 0


def test_a_message_needs_somebody_to_go_to(alice):
    page = write(alice, subject="s", body="b", action="send")
    assert page.status == 422
    assert page.one("[name=to]")["aria-invalid"] == "true"


def test_what_may_have_been_forgotten_is_asked_once(alice, bob, work, stored):
    page = write(alice, to=bob.address, body="see the attachment", action="send")
    assert page.status == 422
    assert "no subject" in page.text
    assert "attachment" in page.one("#asked").get_text()
    alice.submit(page, FORM, action="send-anyway")
    work()
    assert len(stored(bob, "INBOX")) == 1


def test_somebody_elses_draft_can_not_be_reached(alice, bob):
    page = write(alice, body="secret", action="save")
    address = page.one(FORM)["action"]
    assert bob.get(address).status == 404
    token = bob.get("/compose").one(f"{FORM} [name=csrf_token]")["value"]
    assert bob.post(address, {"body": "overwritten", "csrf_token": token}).status == 404
    assert text_of(alice.get(address)) == "secret"


# --- drafts ----------------------------------------------------------------------------------------------------------


def test_a_saved_draft_is_in_drafts_once_however_often_it_is_saved(alice, stored):
    page = write(alice, to="Bob <bob@x.example>", bcc="dora@x.example", subject="Été", body="first", action="save")
    assert "Saved in Drafts at" in page.text
    for text in ("second", "third", "third"):
        page = alice.submit(page, FORM, body=text, action="save")
    [draft] = stored(alice, "Drafts")
    assert {"\\Draft", "\\Seen"} <= draft.flags
    assert draft["Subject"] == "Été"
    assert draft["Bcc"] == "dora@x.example"
    assert draft.get_body().get_content().strip() == "third"


def test_saving_what_did_not_change_does_nothing(alice, stored):
    page = write(alice, body="text", action="save")
    before = stored(alice, "Drafts")[0].uid
    alice.submit(page, FORM, action="save")
    assert stored(alice, "Drafts")[0].uid == before


def test_a_draft_is_taken_up_again_where_it_was_left(alice, stored):
    page = write(alice, to="bob@x.example", subject="s", body="text", attachments=file(), action="save")
    [draft] = stored(alice, "Drafts")
    again = alice.get(f"/draft/{draft.uid}/Drafts")
    assert again.one(FORM)["action"] == page.one(FORM)["action"]
    assert "liste.pdf" in again.text


def test_a_draft_of_another_program_comes_with_its_files(alice, stored):
    write(
        alice,
        to="Bob G <bob@x.example>",
        bcc="d@x.example",
        subject="Réunion",
        body="one\n\ntwo",
        attachments=file(),
        action="save",
    )
    DraftRow.delete().execute()  # as if written elsewhere
    [draft] = stored(alice, "Drafts")
    page = alice.get(f"/draft/{draft.uid}/Drafts")
    assert [value_of(page, n) for n in ("to", "bcc", "subject")] == ["Bob G <bob@x.example>", "d@x.example", "Réunion"]
    assert text_of(page).rstrip() == "one\n\ntwo"
    assert alice.get(f"/draft/{draft.uid}/Drafts").one(FORM)["action"] == page.one(FORM)["action"]
    alice.submit(page, FORM, body="changed", action="save")
    [draft] = stored(alice, "Drafts")
    assert draft.get_body().get_content().strip() == "changed"
    assert [part.get_content() for part in draft.iter_attachments()] == [PDF]


def test_autosave_answers_with_one_line_and_the_draft_s_address(alice, stored):
    page = alice.get("/compose")
    address = page.one(FORM)["action"]
    saved = alice.submit(page, FORM, body="typing", action="autosave", htmx="saved")
    assert "Saved in Drafts at" in saved.one("#saved").get_text()
    assert saved.all("form.compose-form") == []
    assert saved.headers["HX-Replace-Url"] == address
    assert len(stored(alice, "Drafts")) == 1
    assert text_of(alice.get(address)) == "typing"


def test_a_page_that_is_left_saves_without_an_answer(alice, bob, work, stored):
    page = write(alice, to=bob.address, subject="s", body="first", action="save")
    left = alice.submit(page, FORM, body="second", action="autosave")
    assert (left.status, left.html) == (204, "")
    assert stored(alice, "Drafts")[0].get_body().get_content().strip() == "second"
    alice.submit(page, FORM, body="second", action="send")
    assert alice.submit(page, FORM, body="late", action="autosave").status == 204
    work()
    assert alice.submit(page, FORM, body="late", action="autosave").status == 204
    assert DraftRow.select().count() == 0
    assert stored(bob, "INBOX")[0].get_body().get_content().strip() == "second"


def test_a_draft_is_discarded_only_when_one_says_so(alice, stored):
    page = write(alice, body="text", attachments=file(), action="save")
    asked = alice.submit(page, FORM, action="discard")
    assert len(stored(alice, "Drafts")) == 1
    assert "discarded" in alice.submit(asked, FORM, action="discard-now").notices
    assert stored(alice, "Drafts") == []
    assert DraftRow.select().count() == 0


def test_files_are_listed_and_can_be_removed(alice):
    page = write(alice, body="text", attachments=[file("a.pdf"), file("b.pdf", b"x" * 2048)], action="attach")
    assert "a.pdf" in page.text
    assert "2 KB" in page.text
    button = next(b for b in page.all("button[name=action]") if b.get("aria-label") == "Remove a.pdf")
    page = alice.submit(page, FORM, action=button["value"])
    assert "a.pdf" not in page.text
    assert "b.pdf" in page.text
    assert text_of(page) == "text"


def test_a_file_too_large_keeps_the_text(alice):
    page = write(alice, body="precious", attachments=file("film.mp4", b"x" * 2_400_000), action="attach")
    assert page.status == 422
    words = page.one("#attachments-error").get_text().replace("\xa0", " ")
    assert all(told in words for told in ("film.mp4", "2.3 MB", "2.2 MB"))
    assert text_of(page) == "precious"
    assert text_of(alice.get(page.one(FORM)["action"])) == "precious"
