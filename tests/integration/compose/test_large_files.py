"""Large files of a message: a link in place of an attachment, which works from the moment that the message leaves."""

from __future__ import annotations

import hashlib
import re

import pytest

from tests.support.compose_form import FORM, file, text_of, write
from tests.support.transfer_ground import pieces_of
from tests.support.worker import jobs_of
from webmail import create_app
from webmail.compose.drafts import draft_cleanup
from webmail.compose.large_files import large_changes
from webmail.compose.outbox import link_gate
from webmail.database.connection import db
from webmail.models import ContentState, DraftRow, Outbox, OutboxState, StoredContent, Transfer, TransferFile, TransferState, now
from webmail.transfers import content, store
from webmail.transfers.uploads import checking

FILM = b"film" * 700_000  # 2.8 MB: as an attachment more than the 3 MB of a message here


@pytest.fixture
def app(services, tmp_path, app):
    """The same, with an address that links can have."""
    settings = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    del settings["instance"], settings["jobs_file"], settings["uploads_folder"]
    values = {"undo_seconds": 0, "message_limit_mb": 3, "secure_cookies": False, "public_url": "https://mail.lycee.example"}
    return create_app(tmp_path / "links", **{**settings, **values})


@pytest.fixture
def settings(app):
    return app.extensions["settings"]


@pytest.fixture
def work(app, work):
    """The worker comes by, and looks for messages whose files have come."""
    jobs = jobs_of(app)
    jobs.context = app.app_context

    def run():
        with db.connection_context():
            link_gate.arrived()
        work()

    return run


def with_film(person, **fields):
    """A message with a film that was too large: the form that offers to send it as a link."""
    return write(person, subject="Le film", body="Voici.", attachments=file("film.mp4", FILM, "video/mp4"), **fields)


def sending(person, page, action="send"):
    return person.submit(page, FORM, action=action)


def press(person, page, name):
    button = next(one for one in page.all("#links button") if one["value"].startswith(f"{name}:"))
    return person.submit(page, FORM, action=button["value"])


def coming(row, settings):
    """A file that is announced, as the script does before it sends the first byte."""
    with db.connection_context():
        return large_changes.announce(row, "film.mp4", len(FILM), "video/mp4", settings)


def arrive(row, settings, data=FILM):
    """All bytes of it."""
    with db.connection_context():
        stored = StoredContent.get_by_id(row.content_id)
        content.append(stored, stored.received, pieces_of(data[stored.received :]), settings)
        checking.check(stored, settings)


def test_a_file_that_is_too_large_goes_as_a_link_without_a_second_upload(alice, bob, work, stored, settings):
    asked = with_film(alice, to=bob.address, action="send")
    assert asked.status == 422 and Outbox.select().count() == 0
    assert "“film.mp4” is too large (2.7 MB of 2.2 MB). Send it as a link instead." in asked.text
    refused = sending(alice, asked)
    assert "is not part of the message yet" in refused.notices + refused.text and Outbox.select().count() == 0
    kept = press(alice, refused, "keep-link")
    assert "film.mp4" in kept.one("#links").text and kept.all("#link-days option[selected]")[0]["value"] == "15"
    sent = sending(alice, kept)
    assert sent.address.startswith("/mailbox"), sent.text
    assert Transfer.get().state == TransferState.OPEN, "nothing is published before the message leaves"
    work()
    [got] = stored(bob, "INBOX")
    text = got.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert text.startswith("Voici.\n\n1 fichier volumineux (2,7\u00a0Mo), disponible jusqu’au ")
    assert f"• film.mp4 (2,7\u00a0Mo)\n   SHA-256: {hashlib.sha256(FILM).hexdigest()}\n" in text
    token = re.search(r"^https://mail\.lycee\.example/t/([\w-]{27})$", text, re.MULTILINE)[1]
    with db.connection_context():
        opened = store.by_token(token)
        assert opened is not None and opened.transfer.subject == "Le film"
        assert 14 < (opened.transfer.expires - now()).total_seconds() / 86400 <= 15
    assert not list(got.iter_attachments())
    [filed] = stored(alice, "Sent")
    assert token in filed.get_body(("plain",)).get_content()
    assert DraftRow.select().count() == 0 and Transfer.get().state == TransferState.READY


def test_formatted_mail_has_a_block_above_signature_and_quotation(alice, bob, work, stored, settings):
    body = "**Voici.**\n\n-- \nAlice\n\nLe 3 mai, Bob a écrit :\n> et le film ?\n"
    page = write(
        alice, to=bob.address, subject="s", body=body, format="markdown", attachments=file("a & b.mp4", FILM), action="attach"
    )
    kept = press(alice, page, "keep-link")
    kept = alice.submit(kept, FORM, link_days="30", action="save")
    sending(alice, kept)
    work()
    [got] = stored(bob, "INBOX")
    html = got.get_body(("html",)).get_content()
    assert "<strong>Voici.</strong>" in html and "largefiles" not in html
    assert "a &amp; b.mp4" in html and hashlib.sha256(FILM).hexdigest() in html
    assert html.index("/t/") < html.index("Alice") < html.index("et le film")
    text = got.get_body(("plain",)).get_content()
    assert text.index("/t/") < text.index("Alice") and "largefiles" not in text
    assert (Transfer.get().expires - now()).days in (29, 30)


def test_a_message_waits_for_its_file_and_leaves_by_itself(alice, bob, work, stored, settings):
    page = write(alice, to=bob.address, subject="Le film", body="Voici.", action="save")
    row = coming(DraftRow.get(), settings)
    said = sending(alice, alice.get(page.address))
    assert "as soon as “film.mp4” is uploaded" in said.notices
    work()
    box = alice.get("/outbox")
    assert "Waiting for “film.mp4” (0% uploaded)" in box.text
    assert stored(bob, "INBOX") == [] and Transfer.get().state == TransferState.OPEN
    assert Outbox.get().state == OutboxState.WAITING
    work()
    arrive(row, settings)
    assert stored(bob, "INBOX") == []
    work()
    [got] = stored(bob, "INBOX")
    assert hashlib.sha256(FILM).hexdigest() in got.get_body(("plain",)).get_content()
    assert Transfer.get().state == TransferState.READY


def test_what_waits_for_its_file_can_be_called_back_with_all_that_it_had(alice, bob, work, settings):
    page = write(alice, to=bob.address, subject="Le film", body="Voici.", action="save")
    coming(DraftRow.get(), settings)
    sending(alice, alice.get(page.address))
    work()
    again = alice.submit(alice.get("/outbox"), "form[action^='/outbox/']", action="undo")
    assert text_of(again).startswith("Voici.") and "film.mp4" in again.one("#links").text
    assert Outbox.get().state == OutboxState.CANCELLED and Transfer.get().state == TransferState.OPEN


def test_a_refused_file_stops_the_message_with_clear_words(alice, bob, work, stored, settings):
    page = write(alice, to=bob.address, subject="Le film", body="Voici.", action="save")
    row = coming(DraftRow.get(), settings)
    sending(alice, alice.get(page.address))
    work()
    with db.connection_context():
        StoredContent.update(state=ContentState.REFUSED, finding="Eicar").where(StoredContent.id == row.content_id).execute()
    work()
    box = alice.get("/outbox")
    assert "“film.mp4” was refused because it may be harmful" in box.text
    assert stored(bob, "INBOX") == [] and Outbox.get().state == OutboxState.FAILED
    form = alice.submit(box, "form[action^='/outbox/']", action="edit")
    assert "film.mp4" in form.one("#links").text
    assert "may be harmful" in sending(alice, form).one("#attachments-error").text
    gone = press(alice, form, "drop-link")
    assert not gone.all("#links")


@pytest.mark.parametrize(("end", "words"), [("admin", "was closed"), ("idle", "was never fully uploaded")])
def test_a_link_that_was_closed_or_an_upload_given_up_stops_it_too(alice, bob, work, settings, end, words):
    page = write(alice, to=bob.address, subject="Le film", body="Voici.", action="save")
    row = coming(DraftRow.get(), settings)
    sending(alice, alice.get(page.address))
    work()
    with db.connection_context():
        if end == "admin":
            store.close(Transfer.get(), "admin")
        else:
            old = now() - store.ABANDONED * 2
            StoredContent.update(touched=old).where(StoredContent.id == row.content_id).execute()
    work()
    assert words in alice.get("/outbox").text and Outbox.get().state == OutboxState.FAILED


def test_an_attachment_becomes_a_link_and_an_attachment_again(alice, settings):
    page = write(alice, subject="s", body="b", attachments=file("liste.pdf"), action="attach")
    row = DraftRow.get()
    page = alice.submit(page, FORM, action=f"as-link:{row.attachments.get().id}")
    assert DraftRow.get().attachments.count() == 0
    assert "liste.pdf" in page.one("#links").text and "being checked" not in page.text
    page = press(alice, page, "as-file")
    assert [one.filename for one in DraftRow.get().attachments] == ["liste.pdf"]
    assert TransferFile.select().count() == 0 and not page.all("#links")


def test_discarding_the_draft_drops_the_files(alice, settings):
    with_film(alice, action="save")
    assert StoredContent.select().count() == 1
    page = alice.get(f"/compose/{DraftRow.get().id}")
    alice.submit(page, FORM, action="discard-now")
    assert (DraftRow.select().count(), Transfer.select().count(), StoredContent.select().count()) == (0, 0, 0)


def test_the_files_of_a_draft_that_is_gone_are_swept_and_no_others(alice, settings):
    with_film(alice, action="save")
    with db.connection_context():
        Transfer.update(created=now() - store.ABANDONED * 3).execute()
        StoredContent.update(touched=now() - store.ABANDONED * 3).execute()
        store.sweep(settings)
        draft_cleanup.sweep(settings)
        assert Transfer.get().state == TransferState.OPEN, "a draft of last week keeps its files"
        DraftRow.delete().execute()
        draft_cleanup.sweep(settings)
        assert (Transfer.select().count(), StoredContent.select().count()) == (0, 0)


def test_the_copy_in_drafts_names_the_files_and_is_opened_again_without_their_block(alice, stored, settings):
    page = with_film(alice, format="markdown", action="attach")
    page = press(alice, page, "keep-link")
    alice.submit(page, FORM, action="save")
    [copy] = stored(alice, "Drafts")
    text = copy.get_body(("plain",)).get_content()
    assert "film.mp4" in text and "/t/" in text
    first = DraftRow.get()
    # its row is gone, as after a month; the files are there as yet
    with db.connection_context():
        DraftRow.delete().execute()
    again = alice.get(f"/draft/{copy.uid}/Drafts")
    assert text_of(again).rstrip() == "Voici." and "film.mp4" in again.one("#links").text
    assert DraftRow.get().id != first.id and StoredContent.select().count() == 1


def test_a_message_written_anew_has_a_link_of_its_own(alice, bob, work, stored, settings):
    page = press(alice, with_film(alice, to=bob.address, action="attach"), "keep-link")
    sending(alice, page)
    work()
    [sent] = stored(alice, "Sent")
    again = alice.get(f"/draft/{sent.uid}/Sent?as=new")
    assert text_of(again).rstrip() == "Voici." and "film.mp4" in again.one("#links").text
    alice.submit(again, FORM, action="send")
    work()
    links = {re.search(r"/t/([\w-]+)", one.get_body(("plain",)).get_content())[1] for one in stored(bob, "INBOX")}
    assert len(links) == 2 and StoredContent.select().count() == 1
    with db.connection_context():
        assert all(store.by_token(one) for one in links)


def test_the_link_stays_in_what_is_answered_and_forwarded(alice, bob, work, stored, settings):
    page = press(alice, with_film(alice, to=f"{bob.address}, {alice.address}", format="markdown", action="attach"), "keep-link")
    sending(alice, page)
    work()
    [got] = stored(bob, "INBOX")
    link = re.search(r"https://\S+/t/[\w-]+", got.get_body(("plain",)).get_content())[0]
    forward = bob.get(f"/forward/{got.uid}/INBOX?format=")
    assert link in text_of(forward) and not forward.all("#links")
    assert f"> {link}" in text_of(bob.get(f"/reply/{got.uid}/INBOX?format="))
    own = stored(alice, "INBOX")[0]
    forward = alice.get(f"/forward/{own.uid}/INBOX?format=")
    assert link in text_of(forward), "one's own link is forwarded as it is"


def test_two_windows_of_one_draft_each_have_the_files(alice, settings):
    page = press(alice, with_film(alice, action="attach"), "keep-link")
    other = alice.get(page.address)
    alice.submit(page, FORM, body="Un texte.", action="save")
    apart = alice.submit(other, FORM, body="Un autre.", action="save")
    assert "separate draft" in apart.notices and "film.mp4" in apart.one("#links").text
    assert DraftRow.select().count() == Transfer.select().count() == 2 and StoredContent.select().count() == 1
    alice.submit(apart, FORM, action="discard-now")
    assert Transfer.select().count() == StoredContent.select().count() == 1


def test_sending_later_waits_for_its_hour_then_for_its_file(alice, bob, work, stored, settings):
    page = write(alice, to=bob.address, subject="Le film", body="Voici.", action="save")
    row = coming(DraftRow.get(), settings)
    alice.submit(alice.get(page.address), FORM, action="later:tomorrow")
    assert Outbox.get().scheduled is not None
    work()
    with db.connection_context():
        Outbox.update(due=now(), scheduled=now()).execute()
    work()
    assert stored(bob, "INBOX") == [] and "Waiting for “film.mp4”" in alice.get("/outbox").text
    arrive(row, settings)
    work()
    assert len(stored(bob, "INBOX")) == 1


def test_nobody_changes_the_files_of_somebody_else(alice, bob, settings):
    page = press(alice, with_film(alice, action="attach"), "keep-link")
    address, number = page.one(FORM)["action"], TransferFile.get().id
    own = bob.get("/compose")
    for action in (f"drop-link:{number}", f"as-file:{number}", f"keep-link:{number}"):
        bob.submit(own, FORM, action=action)
        own.one(FORM)["action"] = address
        assert bob.submit(own, FORM, action=action).status == 404
        own = bob.get("/compose")
    assert TransferFile.select().count() == 1


def large_form(page):
    return page.one("main form")["action"]


def test_the_page_of_large_files_takes_them_without_scripts_and_leads_back(alice, bob, work, stored, settings):
    form = write(alice, to=bob.address, subject="Le film", body="Voici.", action="large")
    assert form.address.endswith("/large") and Transfer.select().count() == 0, "looking at it makes nothing"
    nothing = b'--x\r\nContent-Disposition: form-data; name="files"; filename=""\r\n\r\n\r\n--x--\r\n'
    kind = "multipart/form-data; boundary=x"
    empty = alice.client.post(large_form(form), data=nothing, content_type=kind, follow_redirects=True)
    assert "Choose at least one file" in empty.text
    back = alice.post(large_form(form), {"files": [file("film.mp4", FILM), file("notes.txt", b"n")]})
    assert text_of(back).startswith("Voici.") and "2 files will be sent as a link" in back.notices
    assert [one.get_text(" ").split()[0] for one in back.all("#links li span:first-of-type")][:1] == ["film.mp4"]
    sending(alice, back)
    work()
    [got] = stored(bob, "INBOX")
    assert "2 fichiers volumineux" in got.get_body(("plain",)).get_content()
    assert alice.get(form.address.partition("?")[0], follow=False).status in (303, 404)


def test_its_form_needs_the_token_of_its_address(alice, settings):
    form = write(alice, subject="s", body="b", action="large")
    address = large_form(form).partition("?")[0]
    for token in ("", "csrf=x"):
        assert alice.post(f"{address}?{token}", {"files": file("film.mp4", b"x")}, follow=False).status in (302, 303, 400)
    assert TransferFile.select().count() == 0


def test_a_file_that_was_broken_off_comes_again_while_its_message_waits(alice, bob, work, stored, settings):
    page = write(alice, to=bob.address, subject="Le film", body="Voici.", action="save")
    row = coming(DraftRow.get(), settings)
    with db.connection_context():
        content.append(StoredContent.get_by_id(row.content_id), 0, [FILM[:100_000]], settings)
    sending(alice, alice.get(page.address))
    work()
    box = alice.get("/outbox")
    form = alice.get(box.link("Continue uploading"))
    assert "will be sent as soon as" in form.text and "3% uploaded" in form.text
    alice.post(large_form(form), {"files": file("film.mp4", FILM)})
    assert [one.path for one in TransferFile.select()] == ["film.mp4"]
    work()
    [got] = stored(bob, "INBOX")
    assert "• film.mp4 (" in got.get_body(("plain",)).get_content()
