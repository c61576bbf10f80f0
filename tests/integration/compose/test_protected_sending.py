"""Every way of sending tried with messages that are encrypted: what each does, what its page says, and what stays hidden."""

from __future__ import annotations

import email
import email.policy
import gzip
import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import delivery as lmtp
from tests.support.compose_form import FORM, chosen, file, text_of, value_of, write
from tests.support.groups import group
from tests.support.keys import PASSPHRASE, Gpg, decrypted, give_key, know, made_key
from webmail.compose.outbox import spool
from webmail.database.connection import db
from webmail.models import DraftRow, OpenedKeyring, Outbox, OutboxState, PeopleGroup, PlainRecipient, now

pytestmark = pytest.mark.skipif(not all(map(shutil.which, ("sqop", "gpg"))), reason="needs sqop and gpg")
WORD = "Quittengeleeglas"
ERIK = "erik@elsewhere.example"


@pytest.fixture
def anne(app, alice):
    """Alice, with a key."""
    alice.key = give_key(app, alice)
    return alice


@pytest.fixture
def erik(app, anne, tmp_path):
    """Somebody elsewhere, with GnuPG and a key that Anne knows."""
    gpg = Gpg(tmp_path / "gpg")
    gpg.certificate = gpg.make(f"Erik <{ERIK}>")
    know(app, anne, ERIK, gpg.certificate)
    return gpg


@pytest.fixture
def bobs(app, anne, bob):
    """Bob's key, which Anne knows."""
    key = give_key(app, bob)
    know(app, anne, bob.address, key.certificate)
    return key


def parsed(content: bytes):
    return email.message_from_bytes(content, policy=email.policy.default)


def armored(message) -> bytes:
    return [part for part in message.walk() if part.get_content_type() == "application/octet-stream"][0].get_payload(decode=True)


def inside(message, key):
    return parsed(decrypted(armored(message), key).content)


def queued() -> list[Outbox]:
    with db.connection_context():
        return list(Outbox.select().order_by(Outbox.id))


def close_all_keys() -> None:
    """Nobody's keyring is open any more: whatever is sent from now on is sent without a private key."""
    with db.connection_context():
        OpenedKeyring.delete().execute()


def send(person, action="send", **fields):
    """With the passphrase, where it is asked for."""
    asked = write(person, **fields, action=action)
    return person.submit(asked, FORM, passphrase=PASSPHRASE, action=action) if asked.all("#asks-passphrase") else asked


# --- later, another time, tried again --------------------------------------------------------------------------------


def test_a_message_for_tomorrow_is_sealed_in_the_outbox_and_leaves_without_a_key(app, anne, bob, bobs, work, stored):
    send(anne, to=bob.address, subject=WORD, body=WORD, protection="both", action="later:tomorrow")
    [row] = queued()
    with db.connection_context(), spool.opened(bytes(row.content), app.extensions["settings"]) as content:
        held = content.read()
    assert row.subject == "..." and WORD.encode() not in held and parsed(held).get_content_type() == "multipart/encrypted"
    page = anne.get("/outbox")
    assert "..." in page.one("#scheduled").get_text() and WORD not in page.text
    close_all_keys()
    with db.connection_context():
        Outbox.update(due=now()).execute()
    work()
    [got] = stored(bob, "INBOX")
    assert inside(got, bobs)["Subject"] == WORD


def test_a_message_for_tomorrow_leaves_now_without_the_passphrase(anne, bob, bobs, work, stored):
    send(anne, to=bob.address, subject=WORD, body=WORD, protection="both", action="later:tomorrow")
    close_all_keys()
    anne.submit(anne.get("/outbox"), "#scheduled form:not([data-time])", action="now")
    work()
    [got] = stored(bob, "INBOX")
    assert inside(got, bobs).get_content().strip() == WORD


def test_what_a_server_refused_is_read_again_by_its_writer_and_sent_again_without_a_key(app, anne, work, stored, services):
    gone = f"nobody-{os.urandom(3).hex()}@lycee.example"
    key = made_key("", gone)
    know(app, anne, gone, key.certificate)
    send(anne, to=gone, subject=WORD, body=f"{WORD} é", protection="both")
    work()
    page = anne.get("/outbox")
    [row] = queued()
    assert row.state == OutboxState.FAILED and "Not sent" in page.text and WORD not in page.text
    close_all_keys()
    back = anne.submit(page, ".outbox-row form", action="edit")
    assert WORD not in back.text and "is encrypted" in back.text
    opened = anne.submit(back, "#open-keys", passphrase=PASSPHRASE)
    assert text_of(opened) == f"{WORD} é" and chosen(opened, "protection") == "both"
    services.add_account(gone, "Come Back")
    close_all_keys()
    anne.submit(anne.get("/outbox"), ".outbox-row form", action="retry")
    work()
    [got] = stored(type("Somebody", (), {"address": gone}), "INBOX")
    assert inside(got, key)["Subject"] == WORD


# --- what is in it ---------------------------------------------------------------------------------------------------


def test_ten_megabytes_are_encrypted_and_arrive_whole(app, anne, bob, bobs, work, stored):
    app.extensions["settings"] = replace(app.extensions["settings"], message_limit_mb=25)
    large = os.urandom(10 * 2**20)
    asked = write(
        anne, to=bob.address, subject="s", body="b", protection="both", attachments=file("film.bin", large), action="send"
    )
    assert "Encrypted file 10\xa0MB" in asked.one("#attachments").get_text()  # its name takes the passphrase
    done = anne.submit(asked, FORM, passphrase=PASSPHRASE, action="send")
    assert "on its way" in done.notices
    work()
    [got] = stored(bob, "INBOX")
    [part] = inside(got, bobs).iter_attachments()
    assert part.get_content() == large


def test_what_is_too_large_to_be_encrypted_says_so_and_keeps_the_text(app, anne, erik, monkeypatch):
    from webmail.crypto import external_programs

    monkeypatch.setattr(external_programs, "MOST", 100_000)
    asked = send(anne, to=ERIK, subject="s", body=WORD, protection="encrypt", attachments=file("a.bin", bytes(200_000)))
    assert "too large to be encrypted" in asked.text and "Send large files as a link" in asked.text
    assert text_of(asked) == WORD and queued() == []


def test_a_link_to_a_large_file_is_inside(services, tmp_path, app, make_account, work, stored, bob):
    from tests.support.visits import Visitor
    from webmail import create_app

    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    del values["instance"], values["jobs_file"], values["uploads_folder"]
    more = {"undo_seconds": 0, "message_limit_mb": 3, "secure_cookies": False, "public_url": "https://mail.lycee.example"}
    linking = create_app(tmp_path / "linking", **{**values, **more})
    anne = Visitor(linking, make_account("anne")).sign_in()
    give_key(linking, anne)
    bobs = give_key(app, bob)
    know(linking, anne, bob.address, bobs.certificate)
    film = file("film.mp4", b"film" * 700_000, "video/mp4")
    form = write(anne, to=bob.address, subject="s", body="Voici.", protection="both", attachments=film, action="attach")
    button = next(one for one in form.all("#links button") if one["value"].startswith("keep-link:"))
    kept = anne.submit(form, FORM, action=button["value"])
    if kept.all("#open-keys"):
        kept = anne.submit(kept, "#open-keys", passphrase=PASSPHRASE)
    asked = anne.submit(kept, FORM, action="send")
    anne.submit(asked, FORM, passphrase=PASSPHRASE, action="send")
    [row] = queued()
    with db.connection_context(), spool.opened(bytes(row.content), linking.extensions["settings"]) as content:
        held = content.read()
    assert b"/t/" not in held and b"film.mp4" not in held
    assert re.search(r"/t/[\w-]{20,}", inside(parsed(held), bobs).get_body(("plain",)).get_content())


def test_a_template_is_encrypted_with_the_message_and_stays_as_it_is(anne, bob, bobs, work, stored):
    anne.submit(anne.get("/settings/templates/new"), "form.form", name="Recipe", subject="", body=f"{WORD} stewed")
    form = write(anne, to=bob.address, subject="s", body="", protection="both", action="save")
    number = next(one["value"] for one in form.all("select[name=template] option") if one.get_text(strip=True) == "Recipe")
    form = anne.submit(form, FORM, template=number, action="insert")
    if form.all("#open-keys"):
        form = anne.submit(form, "#open-keys", passphrase=PASSPHRASE)
    assert f"{WORD} stewed" in text_of(form)
    asked = anne.submit(form, FORM, action="send")
    if asked.all("#asks-passphrase"):
        anne.submit(asked, FORM, passphrase=PASSPHRASE, action="send")
    work()
    [got] = stored(bob, "INBOX")
    assert WORD not in got.as_string() and f"{WORD} stewed" in inside(got, bobs).get_content()


# --- whom it is for --------------------------------------------------------------------------------------------------


def test_groups_become_their_people_before_keys_are_looked_up(app, anne, bob, bobs, make_account):
    from tests.support.visits import Visitor

    carol = Visitor(app, make_account("carol")).sign_in()
    with db.connection_context():
        PeopleGroup.delete().execute()
        group("Maths", bob.address, carol.address)
    try:
        page = write(anne, to="Maths", subject="s", body="b", protection="encrypt", action="protection")
        row = page.one("#protection").get_text()
        assert "can’t be encrypted for 1 of 2 recipients" in row and f"{carol.address}: no key is known" in row
        know(app, anne, carol.address, give_key(app, carol).certificate)
        anne.submit(page, FORM, action="send")
        [sent] = queued()
        assert sorted(json.loads(sent.recipients)) == sorted([bob.address, carol.address]) and sent.protection == "encrypted"
    finally:
        with db.connection_context():
            PeopleGroup.delete().execute()


def test_never_for_a_person_is_remembered_and_taken_back(app, anne, erik, make_account):
    page = write(anne, to=f"{ERIK}, x@y.example", subject="s", body=WORD, protection="both", action="protection")
    assert "can’t be encrypted for 1 of 2 recipients" in page.one("#protection").get_text()
    page = anne.submit(page, FORM, action="never:x@y.example")
    assert "not encrypted from now on" in page.notices and text_of(page) == WORD and chosen(page, "protection") == "sign"
    assert "You chose never to encrypt for x@y.example" in page.one("#protection").get_text() and queued() == []
    page = anne.submit(page, FORM, action="again:x@y.example")
    assert "can be encrypted again" in page.notices and "You chose never" not in page.one("#protection").get_text()


def test_who_is_never_encrypted_for_is_not_asked_about(app, anne, erik):
    asked = write(anne, to=ERIK, subject="s", body="b", action="send")
    assert "has a key" in asked.one("#could-encrypt").get_text()
    page = anne.submit(asked, FORM, action=f"never:{ERIK}")
    anne.submit(page, FORM, action="send")
    [sent] = queued()
    assert sent.protection is None
    saved = anne.submit(anne.get("/encryption"), "form[action='/encryption/habits']", protect_encrypt="possible")
    assert "New messages begin like this" in saved.notices and saved.one("#encrypt-possible").has_attr("checked")
    again = write(anne, to=ERIK, subject="s", body="b", action="send")
    assert not again.all("#could-encrypt") and [row.protection for row in queued()] == [None, None]
    people = anne.get("/encryption/people")
    assert ERIK in people.one("#never ~ form").get_text()
    done = anne.submit(people, "form[action='/encryption/people/again']", address=ERIK)
    assert "can be encrypted again" in done.notices and not done.all("#never")
    send(anne, to=ERIK, subject="s", body="b")
    assert queued()[-1].protection == "encrypted"


def test_never_is_noted_for_addresses_alone(anne, erik):
    page = write(anne, to=ERIK, subject="s", body="b", protection="encrypt", action="protection")
    for odd in ("", "nobody", "a@b.example, c@d.example", "x" * 5000 + "@y.example"):
        page = anne.submit(page, FORM, action=f"never:{odd}")
    with db.connection_context():
        assert PlainRecipient.select().count() == 0
    assert chosen(page, "protection") == "encrypt"


# --- what answers by itself ------------------------------------------------------------------------------------------


def encrypted_for(key, sender: str, to: str, *head: str) -> bytes:
    from webmail.crypto import openpgp
    from webmail.mime.protected import envelopes

    content = f"Content-Type: text/plain; charset=utf-8; protected-headers=v1\r\nSubject: {WORD}\r\n\r\n{WORD}\r\n".encode()
    data = openpgp.encrypt(content, [key.certificate], owner="tests")
    lines = [f"From: {sender}", f"To: {to}", "Subject: ...", f"Message-ID: <{os.urandom(5).hex()}@x.example>", *head]
    lines.append("Date: Tue, 01 Dec 2026 10:00:00 +0000")
    return envelopes.message("\r\n".join([*lines, "MIME-Version: 1.0", ""]).encode(), envelopes.encrypted_part(data))


def test_the_absence_answers_without_a_word_of_what_was_encrypted(anne, services, outside):
    anne.submit(anne.get("/absence"), "form.absence", on="1", text="Back on Monday.", action="save")
    before = set(outside.glob("*.eml"))
    lmtp.deliver(services.ports.lmtp, anne.address, parsed(encrypted_for(anne.key, ERIK, anne.address)), ERIK)
    found = [one.read_bytes() for one in set(outside.glob("*.eml")) - before]
    assert len(found) == 1 and b"Back on Monday." in found[0] and WORD.encode() not in found[0]


def test_a_receipt_names_the_message_by_its_dots(anne, fill):
    [uid] = fill(anne, encrypted_for(anne.key, ERIK, anne.address, f"Disposition-Notification-To: {ERIK}"))
    page = anne.get(f"/message/{uid}/INBOX")
    anne.submit(page, "form[action^='/receipt/']", answer="send")
    [sent] = queued()
    assert b"disposition-notification" in bytes(sent.content) and WORD.encode() not in bytes(sent.content)


def test_the_form_of_a_redirected_message_keeps_it_as_it_was(anne, bob, fill, work, stored):
    [uid] = fill(anne, encrypted_for(anne.key, ERIK, anne.address))
    anne.submit(anne.get(f"/send-on/{uid}/INBOX"), "form.form, main form", to=bob.address)
    work()
    [got] = stored(bob, "INBOX")
    assert got["Resent-To"] and inside(got, anne.key)["Subject"] == WORD and WORD not in got.as_string()


def test_people_without_keys_are_asked_nothing_new(bob):
    page = write(bob, to="x@y.example", subject="s", body="b", action="never:x@y.example")
    assert not page.all("#protection") and value_of(page, "to") == "x@y.example"
    with db.connection_context():
        assert DraftRow.select().count() == 1


def test_the_writing_page_of_somebody_with_keys_is_light(app, anne, erik):
    form = write(anne, to=f"{ERIK}, x@y.example", subject="s", body="b", protection="both", action="protection")
    sheets = set(re.findall(r"/static/(css/[\w-]+\.css)", str(form.soup))) - {"css/base.css"}
    assert sheets and form.all("#protection")
    whole = [str(form.soup).encode(), *((Path(app.static_folder) / name).read_bytes() for name in sheets)]
    assert sum(len(gzip.compress(one, 6)) for one in whole) <= 12 * 1024
