"""Signing and encrypting while one writes: visits without scripts, on real servers, read by GnuPG as somebody outside would."""

from __future__ import annotations

import email
import email.policy
import json
import shutil

import pytest

from tests.support.compose_form import FORM, PDF, chosen, file, text_of, value_of, write
from tests.support.keys import PASSPHRASE, Gpg, decrypted, give_key, know
from webmail.crypto import openpgp_messages
from webmail.crypto.openpgp_certificates import read_certificate
from webmail.database.connection import db
from webmail.keys import known_certificates, wkd_lookup
from webmail.mime.protected import envelopes
from webmail.models import AttachmentRow, DraftRow, KeyOrigin, Outbox, OutboxState, Session, User

pytestmark = pytest.mark.skipif(not all(map(shutil.which, ("sqop", "gpg"))), reason="needs sqop and gpg")
WORD = "Zwiebelkuchenrezept"


@pytest.fixture
def anne(app, alice):
    """Alice, with a key."""
    alice.key = give_key(app, alice)
    return alice


@pytest.fixture
def outside(tmp_path):
    """Somebody elsewhere, with GnuPG and a key."""
    gpg = Gpg(tmp_path / "gpg")
    gpg.certificate = gpg.make("Erik <erik@elsewhere.example>")
    return gpg


def parsed(content: bytes):
    return email.message_from_bytes(content, policy=email.policy.default)


def left() -> list:
    """The messages that are on their way, in order."""
    with db.connection_context():
        return list(Outbox.select().order_by(Outbox.id))


def armored(message) -> bytes:
    return [part for part in message.walk() if part.get_content_type() == "application/octet-stream"][0].get_payload(decode=True)


def test_people_without_keys_see_nothing_of_it(alice):
    page = alice.get("/compose")
    assert not page.all("#protection") and "crypt" not in page.one(FORM).get_text()


def test_the_row_says_before_send_what_it_will_be(app, anne, outside):
    page = write(anne, to="erik@elsewhere.example", body="x", action="save")
    assert "won’t be encrypted or signed" in page.one("#protection").get_text()
    page = anne.submit(page, FORM, protection="both", action="protection")
    row = page.one("#protection").get_text()
    assert "can’t be encrypted for 1 of 1 recipient" in row and "erik@elsewhere.example: no key is known" in row
    know(app, anne, "erik@elsewhere.example", outside.certificate)
    page = anne.submit(page, FORM, action="protection")
    assert "will be encrypted for 1 recipient, and signed (OpenPGP)" in page.one("#protection").get_text()


def test_an_encrypted_message_arrives_and_is_read_by_its_recipients(app, anne, bob, outside, work, stored):
    bobs = give_key(app, bob)
    outside.take(anne.key.certificate)
    know(app, anne, bob.address, bobs.certificate)
    know(app, anne, "erik@elsewhere.example", outside.certificate)
    form = write(
        anne,
        cc="erik@elsewhere.example",
        to=bob.address,
        subject=f"About {WORD}",
        body=f"{WORD} é",
        protection="both",
        attachments=file(f"{WORD}.pdf"),
    )
    asked = anne.submit(form, FORM, action="send")
    assert "passphrase" in asked.one("#asks-passphrase").get_text() and text_of(asked) == f"{WORD} é"
    assert left() == []
    wrong = anne.submit(asked, FORM, passphrase="wrong one entirely", action="send")
    assert "Wrong passphrase" in wrong.text and left() == []
    done = anne.submit(wrong, FORM, passphrase=PASSPHRASE, action="send")
    assert "on its way" in done.notices and WORD not in done.notices
    work()
    work()
    [got] = stored(bob, "INBOX")
    assert got.get_content_type() == "multipart/encrypted" and got["Subject"] == "..." and WORD not in got.as_string()
    content, status = outside.decrypted(armored(got))
    read = decrypted(armored(got), bobs, anne.key.certificate)
    assert read.content == content and [one.state for one in read.signatures] == ["good"]
    inner = parsed(content)
    assert "GOODSIG" in status and inner["Subject"] == f"About {WORD}"
    assert inner.get_body().get_content().strip() == f"{WORD} é"
    assert [(part.get_filename(), part.get_content()) for part in inner.iter_attachments()] == [(f"{WORD}.pdf", PDF)]
    [sent] = stored(anne, "Sent")
    assert WORD not in sent.as_string() and sent["Message-ID"] == got["Message-ID"]
    assert parsed(decrypted(armored(sent), anne.key).content)["Subject"] == f"About {WORD}"
    assert stored(anne, "Drafts") == [] and left()[0].subject == "..."


def test_a_signed_message_is_verified_by_others(app, anne, outside, bob, work, stored):
    outside.take(anne.key.certificate)
    form = write(anne, to=bob.address, subject="s", body="From me \n-- \né", protection="sign", attachments=file(), action="save")
    asked = anne.submit(form, FORM, action="send")
    anne.submit(asked, FORM, passphrase=PASSPHRASE, action="send")
    work()
    [got] = stored(bob, "INBOX")
    assert got.get_content_type() == "multipart/signed" and got["Autocrypt"].startswith(f"addr={anne.address}")
    raw = got.as_bytes(policy=email.policy.default.clone(linesep="\r\n", cte_type="7bit", max_line_length=None))
    boundary = f"--{got.get_boundary()}".encode()
    content = raw.split(boundary)[1].removeprefix(b"\r\n").removesuffix(b"\r\n")
    signature = list(got.iter_parts())[1].get_payload().encode()
    assert "GOODSIG" in outside.verified(content, signature)
    assert "BADSIG" in outside.verified(content.replace(b"liste", b"Liste"), signature)


def test_hidden_recipients_get_copies_of_their_own(app, anne, bob, outside, work, stored):
    bobs = give_key(app, bob)
    know(app, anne, bob.address, bobs.certificate)
    know(app, anne, "erik@elsewhere.example", outside.certificate)
    form = write(anne, to="erik@elsewhere.example", bcc=bob.address, subject="s", body="b", protection="encrypt")
    done = anne.submit(form, FORM, action="send")
    assert "on its way" in done.notices  # nothing is signed: no passphrase
    main, copy = left()
    assert json.loads(main.recipients) == ["erik@elsewhere.example"] and json.loads(copy.recipients) == [bob.address]
    told = [openpgp_messages.recipients(armored(parsed(bytes(row.content)))).key_ids for row in (main, copy)]
    ids = set(read_certificate(bobs.certificate).facts().key_ids)
    assert [len(one) for one in told] == [2, 1] and not ids & set(told[0])
    assert anne.get("/outbox").text.count("erik@") >= 1 and bob.address not in anne.get("/outbox").text
    work()
    work()
    [got] = stored(bob, "INBOX")
    assert got["Bcc"] is None and got["To"] == "erik@elsewhere.example"
    assert parsed(decrypted(armored(got), bobs).content).get_content().strip() == "b"
    assert [sent["Bcc"] for sent in stored(anne, "Sent")] == [bob.address]


def test_undoing_takes_the_hidden_copies_back_and_asks_nothing(app, anne, bob, outside, work, stored):
    from dataclasses import replace

    app.extensions["settings"] = replace(app.extensions["settings"], undo_seconds=60)
    bobs = give_key(app, bob)
    know(app, anne, bob.address, bobs.certificate)
    know(app, anne, "erik@elsewhere.example", outside.certificate)
    page = write(
        anne, to="erik@elsewhere.example", bcc=bob.address, body="hasty", protection="encrypt", subject="s", action="send"
    )
    back = anne.submit(page, ".notice form")
    assert "cancelled" in back.notices and {row.state for row in left()} == {OutboxState.CANCELLED}
    assert "is encrypted" in back.text  # its text asks for the passphrase, the undoing did not
    app.extensions["settings"] = replace(app.extensions["settings"], undo_seconds=0)
    work()
    assert stored(bob, "INBOX") == []
    opened = anne.submit(back, "#open-keys", passphrase=PASSPHRASE)
    assert text_of(opened) == "hasty" and value_of(opened, "subject") == "s"
    anne.submit(opened, FORM, action="send")
    assert [row.state for row in left()].count(OutboxState.WAITING) == 2
    work()
    work()
    assert len(stored(bob, "INBOX")) == 1


def test_a_word_of_an_encrypted_draft_is_nowhere(app, anne, stored, tmp_path):
    page = anne.get("/compose")
    page = anne.submit(
        page, FORM, to="erik@elsewhere.example", subject=f"a{WORD}", body=f"b{WORD}", protection="encrypt", action="save"
    )
    page = anne.submit(page, FORM, attachments=file(f"{WORD}.txt", f"c{WORD}".encode() * 3, "text/plain"), action="attach")
    page = anne.submit(page, FORM, body=f"b{WORD} more", action="autosave")
    with db.connection_context():
        [row] = DraftRow.select().where(DraftRow.sealed.is_null(False))
        assert (row.subject, row.body) == ("", "")
        for table in (DraftRow, AttachmentRow, Outbox):
            for each in table.select().dicts():
                assert all(WORD not in str(value) and WORD.encode() not in bytes(str(value), "utf-8") for value in each.values())
                assert all(WORD.encode() not in bytes(value) for value in each.values() if isinstance(value, bytes | memoryview))
    found = [path for path in (tmp_path / "instance").rglob("*") if path.is_file() and WORD.encode() in path.read_bytes()]
    assert found == []
    [draft] = stored(anne, "Drafts")
    assert draft.get_content_type() == "multipart/encrypted" and WORD not in draft.as_string()
    inner = parsed(decrypted(armored(draft), anne.key).content)
    assert inner["Subject"] == f"a{WORD}"


def test_a_word_that_waits_for_a_new_sign_in_is_nowhere(app, anne):
    page = anne.get("/compose")
    anne.client.delete_cookie("traboule")
    asked = anne.submit(page, FORM, to="erik@elsewhere.example", subject=WORD, body=WORD, protection="encrypt", action="send")
    login = "form[action='/login']"
    done = anne.submit(asked, login, follow=False, username=anne.address, password=anne.password)
    with db.connection_context():
        assert any("kept-sealed" in row.data for row in Session.select()) and not any(
            WORD in row.data for row in Session.select()
        )
    back = anne.get(done.location)
    assert text_of(back) == WORD and chosen(back, "protection") == "encrypt"
    with db.connection_context():
        assert not any(WORD in row.data or "kept-sealed" in row.data for row in Session.select())
        [row] = DraftRow.select().where(DraftRow.sealed.is_null(False) & (DraftRow.to == "erik@elsewhere.example"))
        assert (row.subject, row.body) == ("", "")


def test_an_encrypted_draft_opens_with_the_passphrase_alone(anne):
    page = write(
        anne, to="erik@elsewhere.example", subject="s", body=WORD, protection="encrypt", attachments=file("n.pdf"), action="save"
    )
    page = anne.get(page.one(FORM)["action"])
    assert WORD not in page.text and "is encrypted" in page.text
    wrong = anne.submit(page, "#open-keys", passphrase="no no no no no")
    assert wrong.status == 422 and "Wrong passphrase" in wrong.text
    page = anne.submit(wrong, "#open-keys", passphrase=PASSPHRASE)
    assert text_of(page) == WORD and "n.pdf" in page.one("#attachments").get_text()


def test_for_whom_it_can_t_be_is_asked_with_ways_out(app, anne, outside):
    know(app, anne, "erik@elsewhere.example", outside.certificate)
    form = write(anne, to="erik@elsewhere.example, x@y.example", subject="s", body="b", protection="encrypt")
    asked = anne.submit(form, FORM, action="send")
    assert "can’t be encrypted for 1 of 2 recipients" in asked.one("#unprotected").get_text() and left() == []
    anne.submit(asked, FORM, action="uncover:x@y.example")
    assert left() == []
    again = anne.submit(form, FORM, action="send-plain")
    assert again.location or "on its way" in again.notices
    [row] = left()
    assert row.protection is None and b"Subject: s" in bytes(row.content)


def test_an_expired_key_is_never_used(app, anne, outside):
    expired = Gpg(outside.home.parent / "old")
    certificate = expired.make("old@elsewhere.example", "future-default", "default", "seconds=1")
    know(app, anne, "old@elsewhere.example", certificate)
    import time

    time.sleep(1.5)  # its end, in seconds
    form = write(anne, to="old@elsewhere.example", subject="s", body="b", protection="encrypt", action="protection")
    assert "the key has expired" in form.one("#protection").get_text()
    anne.submit(form, FORM, action="send")
    assert left() == []


def test_a_revoked_key_is_never_used(app, anne, outside):
    certificate = outside.make("gone@elsewhere.example")
    know(app, anne, "gone@elsewhere.example", certificate)
    [name] = (outside.home / "openpgp-revocs.d").glob(f"{read_certificate(certificate).facts().fingerprint.upper()}.rev")
    outside.take(name.read_bytes().replace(b":-----BEGIN", b"-----BEGIN"))
    revoked = outside.run("--export", "gone@elsewhere.example").stdout
    with app.app_context(), db.connection_context():
        user = User.get(User.address == anne.address)
        facts = read_certificate(revoked).facts()
        assert facts.revoked
        known_certificates.note_met(user.id, facts, revoked, ["gone@elsewhere.example"], KeyOrigin.IMPORTED)
    form = write(anne, to="gone@elsewhere.example", subject="s", body="b", protection="encrypt", action="protection")
    assert "revoked" in form.one("#protection").get_text()
    assert anne.submit(form, FORM, action="send").all("#unprotected") and left() == []


def encrypted_letter(app, anne, bob, work):
    """From bob to anne, encrypted and not signed, with a file."""
    give_key(app, bob)
    know(app, bob, anne.address, anne.key.certificate)
    form = bob.get("/compose")
    written = {"to": anne.address, "subject": f"About {WORD}", "body": f"{WORD} at eight", "protection": "encrypt"}
    asked = bob.submit(form, FORM, **written, attachments=file(), action="send")
    assert "on its way" in bob.submit(asked, FORM, passphrase=PASSPHRASE, action="send").notices  # the file is sealed already
    work()


def test_a_reply_to_an_encrypted_message_is_encrypted_and_quotes_it(app, anne, bob, work, stored):
    encrypted_letter(app, anne, bob, work)
    [letter] = stored(anne, "INBOX")
    closed = anne.get(f"/reply/{letter.uid}/INBOX")
    assert WORD not in closed.text and "is encrypted" in closed.text
    page = anne.submit(closed, "#open-keys", passphrase=PASSPHRASE)
    assert f"> {WORD} at eight" in text_of(page) and value_of(page, "subject") == f"Re: About {WORD}"
    assert chosen(page, "protection") == "both"
    asked = anne.submit(page, FORM, protection="none", action="send")
    assert "would not be encrypted" in asked.one("#answers-encrypted").get_text() and len(left()) == 1
    anne.submit(page, FORM, protection="both", action="send")  # his key came with his message
    assert [row.protection for row in left()] == ["encrypted", "encrypted"]


def test_a_forward_of_an_encrypted_message_has_its_text_and_files(app, anne, bob, work, stored):
    encrypted_letter(app, anne, bob, work)
    [letter] = stored(anne, "INBOX")
    page = anne.submit(anne.get(f"/forward/{letter.uid}/INBOX"), "#open-keys", passphrase=PASSPHRASE)
    assert f"{WORD} at eight" in text_of(page) and "liste.pdf" in page.one("#attachments").get_text()
    with db.connection_context():
        [row] = DraftRow.select().where(DraftRow.user.in_(User.select().where(User.address == anne.address)))
        assert row.body == "" and row.sealed is not None
        [kept] = AttachmentRow.select().where(AttachmentRow.draft == row)
        assert kept.filename == "" and kept.size == len(PDF)


def test_redirecting_says_that_it_stays_encrypted(app, anne, bob, work, stored, fill):
    encrypted_letter(app, anne, bob, work)
    [letter] = stored(anne, "INBOX")
    page = anne.get(f"/send-on/{letter.uid}/INBOX")
    assert page.one("#encrypted-redirect a")["href"].startswith(f"/forward/{letter.uid}/INBOX")
    plain = fill(anne, b"From: x@y.example\r\nSubject: plain\r\n\r\ntext\r\n")[-1]
    assert not anne.get(f"/send-on/{plain}/INBOX").all("#encrypted-redirect")


def test_a_message_that_is_too_large_to_be_opened_is_said_to_be(anne, fill):
    head = f"From: erik@elsewhere.example\r\nTo: {anne.address}\r\nSubject: ...\r\nMIME-Version: 1.0\r\n".encode()
    block = b"-----BEGIN PGP MESSAGE-----\n\n" + (b"A" * 64 + b"\n") * 480_000 + b"-----END PGP MESSAGE-----\n"
    [uid] = fill(anne, head + envelopes.encrypted_part(block))
    page = anne.get(f"/message/{uid}/INBOX")
    assert page.status == 200 and "too large" in page.text and len(page.text) < 200_000
    token = anne.get("/encryption/open").one("form[action='/encryption/open'] [name=csrf_token]")["value"]
    anne.post("/compose/keys/open", {"passphrase": PASSPHRASE, "there": "/encryption", "csrf_token": token})
    answer = anne.get(f"/reply/{uid}/INBOX")
    assert answer.status == 200 and "can’t be opened here" in answer.text and "AAAA" not in answer.text


def test_an_encrypted_draft_of_the_folder_is_opened_with_all_that_was_in_it(app, anne, stored):
    write(
        anne,
        to="erik@elsewhere.example",
        subject=f"On {WORD}",
        body=f"{WORD}!",
        protection="encrypt",
        action="save",
    )
    with db.connection_context():
        DraftRow.delete().where(DraftRow.saved_mailbox != "").execute()  # as after thirty days, or in another webmail
    drafts = stored(anne, "Drafts")
    page = anne.get(f"/draft/{drafts[-1].uid}/Drafts")
    assert WORD not in page.text
    page = anne.submit(page, "#open-keys", passphrase=PASSPHRASE)
    assert text_of(page).strip() == f"{WORD}!" and value_of(page, "subject") == f"On {WORD}"
    assert value_of(page, "to") == "erik@elsewhere.example" and chosen(page, "protection") == "encrypt"


def test_keys_are_looked_for_only_when_the_person_says_so(app, anne, outside, monkeypatch):
    looked = []

    def look_up(address):
        looked.append(address)
        return [(outside.certificate, read_certificate(outside.certificate).facts())]

    monkeypatch.setattr(wkd_lookup, "look_up", look_up)
    form = write(anne, to="erik@elsewhere.example", subject="s", body="b", protection="encrypt", action="protection")
    assert looked == [] and "no key is known" in form.one("#protection").get_text()
    page = anne.submit(form, FORM, action="find-keys")
    assert looked == ["erik@elsewhere.example"] and "will be encrypted for 1 recipient" in page.one("#protection").get_text()
