"""Writing, saving, sending, filing: visits without scripts, on a real Dovecot and a real submission server."""

from __future__ import annotations

import email
import email.policy
import io
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.visits import Visitor
from webmail import create_app
from webmail.compose import copies, filing, outbox
from webmail.models import DraftRow, Outbox, OutboxState, db, now

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 2000
FORM = "form.compose-form"


@pytest.fixture
def app(services, tmp_path):
    settings = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    del settings["instance"], settings["jobs_file"], settings["uploads_folder"]
    app = create_app(tmp_path / "instance", **{**settings, "undo_seconds": 0, "message_limit_mb": 3, "secure_cookies": False})
    yield app
    with db.connection_context():
        Outbox.delete().execute()
        DraftRow.delete().execute()


@pytest.fixture
def alice(app, make_account):
    return Visitor(app, make_account("alice")).sign_in()


@pytest.fixture
def bob(app, make_account):
    return Visitor(app, make_account("bob")).sign_in()


@pytest.fixture
def work(app):
    """What the worker does in a minute."""

    def run():
        jobs = app.extensions["jobs"]
        with db.connection_context():
            ready = outbox.sweep(jobs.settings)
        for outbox_id in ready:
            jobs.deliver(outbox_id)

    return run


@pytest.fixture
def stored(imap_of):
    """The messages of somebody's mailbox, parsed, with UID and flags."""

    def read(person, mailbox):
        client = imap_of(person.address)
        if not client.folder_exists(mailbox):
            return []
        client.select_folder(mailbox, readonly=True)
        found = client.fetch(client.search(["ALL"]), ["BODY.PEEK[]", "FLAGS"])
        messages = []
        for uid, values in sorted(found.items()):
            message = email.message_from_bytes(values[b"BODY[]"], policy=email.policy.default)
            message.uid, message.flags = uid, {f.decode() for f in values[b"FLAGS"]}
            messages.append(message)
        return messages

    return read


def write(person, **fields):
    page = person.get(fields.pop("at", "/compose"))
    return person.submit(page, FORM, **fields)


def file(name="liste.pdf", content=PDF, kind="application/pdf"):
    return (io.BytesIO(content), name, kind)


def text_of(page):
    return page.one("textarea[name=body]").get_text().removeprefix("\n").replace("\r\n", "\n")


def value_of(page, name):
    return page.one(f"[name={name}]").get("value", "")


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
    assert "Draft saved at" in page.text
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
    assert "Draft saved at" in saved.one("#saved").get_text()
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
    assert all(told in words for told in ("film.mp4", "2.3 MB", "3 MB"))
    assert text_of(page) == "precious"
    assert text_of(alice.get(page.one(FORM)["action"])) == "precious"


def test_text_that_was_never_saved_gets_into_drafts(alice, stored, app):
    """The browser was closed after a form that came back with an error."""
    write(alice, to="no sense", subject="s", body="precious", action="send")
    assert stored(alice, "Drafts") == []
    hours = timedelta(hours=2)
    DraftRow.update(**{name: now() - hours * factor for name, factor in (("created", 2), ("updated", 1))}).execute()
    with db.connection_context():
        assert copies.rescue(app.extensions["settings"]) == 1
        assert copies.rescue(app.extensions["settings"]) == 0
    [draft] = stored(alice, "Drafts")
    assert draft.get_body().get_content().strip() == "precious"


# --- sending ---------------------------------------------------------------------------------------------------------


def test_a_message_with_a_file_arrives_and_is_filed_once(alice, bob, work, stored, app):
    page = write(
        alice,
        to=bob.address,
        bcc="dora@elsewhere.example",
        subject="Été",
        body="Bonjour,\n.\nœuf",
        attachments=file(),
        action="save",
    )
    page = alice.submit(page, FORM, action="send")
    assert page.address.startswith("/mailbox/INBOX")
    assert "on its way" in page.notices
    work()
    work()
    [got] = stored(bob, "INBOX")
    assert got["Subject"] == "Été"
    assert got["Bcc"] is None
    assert got.get_body().get_content().replace("\r\n", "\n").rstrip() == "Bonjour,\n.\nœuf"
    assert [(part.get_filename(), part.get_content()) for part in got.iter_attachments()] == [("liste.pdf", PDF)]
    [sent] = stored(alice, "Sent")
    assert sent["Message-ID"] == got["Message-ID"]
    assert sent["Bcc"] == "dora@elsewhere.example"
    assert sent.flags >= {"\\Seen"}
    assert stored(alice, "Drafts") == []
    row = Outbox.get()
    assert (row.state, row.filed, bytes(row.content), row.credential) == (OutboxState.SENT, True, b"", None)
    assert DraftRow.select().count() == 0
    assert list(Path(app.extensions["settings"].uploads_folder).iterdir()) == []


def test_a_name_without_a_domain_is_somebody_of_the_house(alice, bob, work, stored):
    write(alice, to=bob.address.partition("@")[0], subject="s", body="b", action="send")
    work()
    assert stored(bob, "INBOX")[0]["To"] == bob.address


def test_addresses_that_all_would_see_can_be_moved_to_bcc(alice):
    many = "\r\n".join(f"p{i}@x.example" for i in range(21))
    asked = write(alice, to=many, cc="c@x.example", subject="s", body="b", action="send")
    assert asked.one("textarea[name=to]").get_text().count(", ") == 20
    assert "all 22 addresses" in asked.one("#asked").get_text()
    moved = alice.submit(asked, FORM, action="to-bcc")
    assert (value_of(moved, "to"), value_of(moved, "cc")) == ("", "")
    assert moved.one("textarea[name=bcc]").get_text().count("@") == 22
    assert Outbox.select().count() == 0


def test_the_notice_of_a_sent_message_becomes_its_outcome(alice, bob, work):
    write(alice, to=bob.address, subject="s", body="b", action="send", follow=False)
    notice = next(n for n in alice.get("/mailbox/INBOX").all(".notice") if "on its way" in n.get_text())
    going = alice.get(notice["hx-get"], htmx="notices").one(".notice")
    assert "Being sent" in going.get_text()
    assert going["hx-get"] == notice["hx-get"]
    work()
    done = alice.get(notice["hx-get"]).one(".notice")
    assert done.get_text(strip=True) == "Sent."
    assert not done.has_attr("hx-get")
    assert bob.get(notice["hx-get"]).status == 404


def test_an_address_that_was_refused_is_told_in_words_until_one_hides_it(alice, bob, work):
    write(alice, to=f"{bob.address}, nobody@lycee.example", subject="s", body="b", action="send", follow=False)
    state = f"/outbox/{Outbox.get().id}/state"
    work()
    assert "not to everyone" in alice.get(state).one(".notice-danger").get_text()
    page = alice.get("/outbox")
    assert "Sent to 1, refused for 1" in page.text
    assert "nobody@lycee.example This address does not exist. The server said: 550" in page.text
    assert alice.get("/mailbox/INBOX").one("a[href='/outbox'] b").get_text() == "1"
    alice.submit(page, ".outbox-row form", action="dismiss")
    assert alice.get("/mailbox/INBOX").all("a[href='/outbox'] b") == []


def test_a_second_click_sends_nothing_and_says_the_same(alice, bob, work, stored):
    form = alice.get("/compose")
    once = alice.submit(form, FORM, to=bob.address, subject="s", body="b", action="send", follow=False)
    twice = alice.submit(form, FORM, to=bob.address, subject="s", body="b", action="send", follow=False)
    assert once.location == twice.location
    work()
    thrice = alice.submit(form, FORM, to=bob.address, subject="s", body="b", action="send", follow=False)
    assert thrice.location == once.location
    work()
    assert len(stored(bob, "INBOX")) == 1
    assert alice.get("/mailbox/INBOX").notices.count("on its way") == 1
    assert DraftRow.select().count() == 0


def test_another_text_after_sending_becomes_another_message(alice, bob, work, stored):
    form = alice.get("/compose")
    alice.submit(form, FORM, to=bob.address, subject="s", body="first", action="send")
    page = alice.submit(form, FORM, to=bob.address, subject="s", body="second", action="send")
    assert "left already" in page.notices
    assert page.one(FORM)["action"] != form.one(FORM)["action"]
    assert text_of(page) == "second"
    work()
    assert [m.get_body().get_content().strip() for m in stored(bob, "INBOX")] == ["first"]


def test_an_undone_message_comes_back_to_its_form(services, alice, bob, work, stored, app):
    app.extensions["settings"] = replace(app.extensions["settings"], undo_seconds=60)
    page = write(alice, to=bob.address, subject="s", body="hasty", action="send")
    page = alice.submit(page, ".notice form")
    assert text_of(page) == "hasty"
    assert "stopped" in page.notices
    work()
    assert stored(bob, "INBOX") == []
    app.extensions["settings"] = replace(app.extensions["settings"], undo_seconds=0)
    alice.submit(page, FORM, body="considered", action="send")
    work()
    assert [m.get_body().get_content().strip() for m in stored(bob, "INBOX")] == ["considered"]


def test_a_refused_message_says_why_and_can_be_edited(alice, work, stored):
    write(alice, to="nobody-at-all@lycee.example", subject="to nobody", body="b", action="send")
    work()
    page = alice.get("/outbox")
    assert "Not sent" in page.text
    assert re.search(r"5\d\d ", page.text)
    page = alice.submit(page, ".outbox-row form", action="edit")
    assert value_of(page, "to") == "nobody-at-all@lycee.example"
    assert len(stored(alice, "Drafts")) == 1


# --- answering and forwarding ----------------------------------------------------------------------------------------


@pytest.fixture
def letter(alice, bob, work, stored):
    """A message from alice in bob's inbox."""
    write(alice, to=bob.address, subject="Sortie", body="Départ à 8 h", attachments=file(), action="send-anyway")
    work()
    return stored(bob, "INBOX")[0]


def test_an_answer_joins_the_thread_and_marks_the_original(alice, bob, letter, work, stored):
    page = bob.get(f"/reply/{letter.uid}/INBOX")
    assert alice.address in value_of(page, "to")
    assert value_of(page, "subject") == "Re: Sortie"
    assert "> Départ à 8 h" in text_of(page)
    assert DraftRow.select().count() == 0
    bob.submit(page, FORM, action="send-anyway")
    work()
    [answer] = stored(alice, "INBOX")
    assert answer["In-Reply-To"] == answer["References"] == letter["Message-ID"]
    assert "\\Answered" in stored(bob, "INBOX")[0].flags


def test_a_forwarded_message_carries_its_files(alice, bob, letter, work, stored):
    page = bob.get(f"/forward/{letter.uid}/INBOX")
    assert "liste.pdf" in page.text
    assert "Départ à 8 h" in text_of(page)
    assert bob.get(f"/forward/{letter.uid}/INBOX").one(FORM)["action"] == page.one(FORM)["action"]
    bob.submit(page, FORM, to=alice.address, action="send-anyway")
    work()
    [got] = stored(alice, "INBOX")
    assert got["Subject"] == "Fwd: Sortie"
    assert [part.get_content() for part in got.iter_attachments()] == [PDF]
    assert "$Forwarded" in stored(bob, "INBOX")[0].flags


def test_a_message_can_be_forwarded_whole(alice, bob, letter, work, stored):
    page = bob.get(f"/forward/{letter.uid}/INBOX?as=attachment")
    bob.submit(page, FORM, to=alice.address, body="fyi", action="send-anyway")
    work()
    [got] = stored(alice, "INBOX")
    [whole] = got.iter_attachments()
    assert whole.get_content_type() == "message/rfc822"
    assert whole.get_content()["Message-ID"] == letter["Message-ID"]


# --- when things break after SMTP ------------------------------------------------------------------------------------


class Killed(BaseException):
    pass


@pytest.mark.parametrize("after", ["_copy_to_sent", "_remove_draft", "_mark_source"])
def test_a_worker_that_dies_while_filing_files_once(alice, bob, letter, work, stored, monkeypatch, after):
    """It dies when the step is done on the server but not noted."""
    page = bob.get(f"/reply/{letter.uid}/INBOX")
    page = bob.submit(page, FORM, body="yes", action="save")
    bob.submit(page, FORM, action="send-anyway")

    def die(_row, **_values):
        raise Killed

    step = getattr(filing, after)

    def dying(*args):
        with monkeypatch.context() as patch:
            patch.setattr(filing, "_note", die)
            step(*args)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(filing, after, dying)
        work()
    Outbox.update(lease=None).execute()
    work()
    assert len(stored(bob, "Sent")) == 1
    assert len(stored(alice, "INBOX")) == 1
    assert stored(bob, "Drafts") == []
    assert "\\Answered" in stored(bob, "INBOX")[0].flags
    assert not filing.is_unfinished(Outbox.select().order_by(Outbox.id.desc()).get())


def test_no_room_for_the_copy_is_not_a_failure_to_send(app, services, make_account, bob, work, stored):
    poor = Visitor(app, make_account("poor", quota=20_000)).sign_in()
    write(poor, to=bob.address, subject="s", body="b", attachments=file(), action="send-anyway")
    work()
    assert len(stored(bob, "INBOX")) == 1
    page = poor.get("/outbox")
    assert "Not sent" not in page.text
    assert "Sent: " in page.text
    assert "no room left in your mailbox" in page.text
    assert "No copy could be put into the Sent folder" in page.text
