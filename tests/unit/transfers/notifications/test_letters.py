"""Letters about large files: each once, when every file is ready, in its reader's language; nothing in the database opens a link."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.transfer_ground import published, put_file
from webmail import system_mail
from webmail.config.settings import Settings
from webmail.models import (
    ContentState,
    FileRequest,
    StoredContent,
    SystemMessage,
    Transfer,
    TransferEvent,
    TransferFile,
    TransferRecipient,
    User,
    now,
)
from webmail.transfers import changes, content, links, store, trail
from webmail.transfers.links import LinkKind
from webmail.transfers.notifications import recipients as letters
from webmail.transfers.notifications import texts
from webmail.transfers.notifications.owners import DAILY
from webmail.transfers.options import TransferOptions
from webmail.transfers.trail import EventKind
from webmail.transfers.uploads import checking

ZOE, TOM = ("Zoé Petit", "zoe@ailleurs.example"), ("", "tom@ailleurs.example")
MAIL = {"system_address": "Lycée <info@lycee.example>", "system_password": "x", "public_url": "https://mail.lycee.example"}


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en", recipients_per_hour=50, **MAIL) as made:
        ground.add("alice@lycee.example")
        User.update(name="Alice Leroy", language="en").execute()
        with made.app_context():
            yield made


@pytest.fixture
def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


@pytest.fixture
def alice(app: Flask) -> User:
    return User.get(User.address == "alice@lycee.example")


def mails(to: str = "") -> list[SystemMessage]:
    rows = SystemMessage.select().order_by(SystemMessage.id)
    return list(rows.where(SystemMessage.recipient == to) if to else rows)


def text(row: SystemMessage, settings: Settings) -> str:
    return system_mail.text_of(row, settings.secret_key)


def ago(**span: float) -> datetime:
    return now() - timedelta(**span)


def download(transfer: Transfer, recipient: TransferRecipient | None, file: TransferFile | None, **back: float) -> None:
    """As the public page counts one."""
    event = trail.note(transfer, EventKind.DOWNLOADED, recipient=recipient, file=file)
    TransferEvent.update(at=ago(**(back or {"minutes": 5}))).where(TransferEvent.id == event.id).execute()
    changed = TransferFile.transfer == transfer if file is None else TransferFile.id == file.id
    TransferFile.update(downloads=TransferFile.downloads + 1).where(changed).execute()
    if recipient is not None:
        done = TransferRecipient.update(downloads=TransferRecipient.downloads + 1)
        done.where(TransferRecipient.id == recipient.id).execute()


def people(transfer: Transfer) -> list[TransferRecipient]:
    return list(TransferRecipient.select().where(TransferRecipient.transfer == transfer).order_by(TransferRecipient.id))


def sent(alice: User, settings: Settings, chosen: TransferOptions | None = None, **fields: object) -> Transfer:
    made = published(alice, {"photos/plage.jpg": b"x" * 2000, "b.txt": b"b"}, settings, recipients=[ZOE, TOM], options=chosen)
    if fields:
        Transfer.update(**fields).where(Transfer.id == made.id).execute()
    return Transfer.get_by_id(made.id)


def test_each_recipient_gets_a_link_of_their_own_once(app, alice, settings):
    transfer = sent(alice, settings, subject="Sortie <3", message="Bonjour,\n\nvoici.")
    first = letters.settle(transfer, settings)
    assert [one.recipient for one in first] == [ZOE[1], TOM[1]]
    assert letters.settle(transfer, settings) == [] == letters.sweep(settings)
    for row, recipient in zip(first, people(transfer), strict=True):
        body = text(row, settings)
        assert f"https://mail.lycee.example/t/{store.recipient_token(recipient, settings)}\n" in body
        assert "> Bonjour,\n>\n> voici." in body and "photos/plage.jpg: 2\xa0KB" in body
        assert TransferFile.get().content.sha256 in body
        assert row.subject == "Alice Leroy sent you 2 files: Sortie <3" and row.reply_to == "alice@lycee.example"
        assert "Sortie &lt;3" not in body and "voici" in system_mail.html_of(row, settings.secret_key)
        assert recipient.notified is not None
    assert {one.kind for one in TransferEvent.select()} == {EventKind.PUBLISHED, EventKind.SENT}
    assert not TransferEvent.select().where(TransferEvent.told == 0)


def test_a_copy_of_the_database_opens_nothing(app, alice, settings):
    transfer = sent(alice, settings, TransferOptions(copy_to_me=True))
    assert len(letters.settle(transfer, settings)) == 3
    tokens = [store.link_token(transfer, settings), *(store.recipient_token(one, settings) for one in people(transfer))]
    kept = "".join(row.body + row.html for row in mails())
    assert not any(token in kept for token in tokens) and "lycee.example/t/" not in kept  # sealed text may have "/t/" by chance


def test_nothing_leaves_before_every_file_is_ready(app, alice, settings):
    transfer = store.create(alice, settings)
    put_file(transfer, "a.txt", b"a", settings)
    late = store.add_file(transfer, "b.bin", 4, "", settings)
    store.publish(transfer, TransferOptions(tell_uploaded=True), now() + timedelta(days=9), [ZOE], settings)
    assert letters.settle(transfer, settings) == [] and letters.sweep(settings) == []
    content.append(late.content, 0, [b"1234"], settings)
    assert letters.sweep(settings) == []
    checking.check(StoredContent.get_by_id(late.content_id), settings)
    assert letters.sweep(settings) == [one.id for one in mails()]
    assert [one.recipient for one in mails()] == [ZOE[1], alice.address]
    assert "ready for download" in mails()[1].subject


def test_a_refused_file_holds_the_links_back_until_it_is_removed(app, alice, settings):
    transfer = sent(alice, settings)
    bad = TransferFile.get(TransferFile.path == "b.txt")
    StoredContent.update(state=ContentState.REFUSED).where(StoredContent.id == bad.content_id).execute()
    trail.note(transfer, EventKind.FILE_REFUSED, file=bad, detail="Eicar-Test")
    (told,) = letters.settle(transfer, settings)
    assert told.recipient == alice.address and "b.txt: Malware was found: Eicar-Test" in text(told, settings)
    assert letters.sweep(settings) == []
    store.remove_file(bad, settings)
    assert len(letters.sweep(settings)) == 2


def test_who_dies_between_claim_and_letter_has_claimed_nothing(app, alice, settings, monkeypatch):
    transfer = sent(alice, settings)
    send = system_mail.send

    def killed(*given, **named):
        send(*given, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(system_mail, "send", killed)
    with pytest.raises(KeyboardInterrupt):
        letters.settle(transfer, settings)
    assert mails() == [] and all(one.notified is None for one in people(transfer))
    monkeypatch.undo()
    assert len(letters.sweep(settings)) == 2


def test_no_more_people_an_hour_than_one_may_write_to(app, alice, settings):
    User.update(recipients_per_hour=1).execute()
    transfer = sent(alice, settings)
    assert len(letters.settle(transfer, settings)) == 1 and letters.sweep(settings) == []
    TransferRecipient.update(notified=ago(hours=2)).where(TransferRecipient.notified.is_null(False)).execute()
    assert len(letters.sweep(settings)) == 1
    assert not TransferEvent.select().where(TransferEvent.told == 0)


def test_a_hidden_address_is_nowhere(app, alice, settings):
    for row in letters.settle(sent(alice, settings, TransferOptions(hide_address=True)), settings):
        assert row.reply_to == ""
        assert "alice@" not in text(row, settings) + system_mail.html_of(row, settings.secret_key) + row.subject


def test_a_letter_is_in_the_language_of_its_reader(app, alice, settings):
    ground.add("bob@lycee.example")
    User.update(language="fr").where(User.address == "bob@lycee.example").execute()
    transfer = sent(alice, settings, language="en")
    store.add_recipient(transfer, "Bob", "bob@lycee.example", settings)
    rows = {one.recipient: one for one in letters.settle(transfer, settings)}
    assert "Alice Leroy vous a envoyé 2 fichiers" in rows["bob@lycee.example"].subject
    assert "sent you" in rows[ZOE[1]].subject
    assert "Télécharger\u00a0:\n" in text(rows["bob@lycee.example"], settings) and "Download:\n" in text(rows[ZOE[1]], settings)


def test_what_is_asked_before_a_download_is_said(app, alice, settings):
    chosen = TransferOptions(mail_code=True, once=True, signed_in_only=True)
    body = text(letters.settle(sent(alice, settings, chosen, password="$argon2id$"), settings)[0], settings)
    for words in ("asks for a password", "a code is sent", "must sign in", "downloaded once"):
        assert words in body


def test_a_key_in_the_link_is_mailed_by_the_request_alone(app, alice, settings):
    key = b"k" * 32
    transfer = published(alice, {"a.txt": b"a"}, settings, recipients=[ZOE], link_key=key)
    assert letters.sweep(settings) == []
    (row,) = letters.settle(transfer, settings, key)
    assert f".{links.packed_key(key)}\n" in text(row, settings)
    assert links.packed_key(key) not in row.body + row.html
    assert letters.remind(transfer, settings) == []


def test_a_copy_never_has_a_link_without_its_key(app, alice, settings):
    key = b"k" * 32
    transfer = published(
        alice, {"a.txt": b"a"}, settings, recipients=[ZOE], link_key=key, options=TransferOptions(copy_to_me=True)
    )
    Transfer.update(published=ago(minutes=6)).execute()  # the request that has the key died
    letters.sweep(settings)
    (copy,) = mails(alice.address)
    assert "/t/" not in text(copy, settings) and "gets the link" not in text(copy, settings)
    assert [one.recipient for one in letters.settle(transfer, settings, key)] == [ZOE[1]]


def test_downloads_are_told_as_they_were_asked_for(app, alice, settings):
    each = sent(alice, settings, TransferOptions(tell_each=True, receipt=True))
    letters.settle(each, settings)
    before = len(mails())
    zoe = people(each)[0]
    download(each, zoe, TransferFile.get(TransferFile.transfer == each), seconds=20)
    assert letters.sweep(settings) == []  # others may follow
    TransferEvent.update(at=ago(minutes=3)).where(TransferEvent.told == 0).execute()
    assert len(letters.sweep(settings)) == 2
    receipt, told = mails()[before:]
    assert (receipt.recipient, told.recipient) == (ZOE[1], alice.address)
    assert "You downloaded" in receipt.subject and "plage.jpg" in text(receipt, settings)
    assert "b.txt" not in text(receipt, settings)
    assert f"{ZOE[1]}: plage.jpg" in text(told, settings)


def test_a_day_of_downloads_is_one_letter(app, alice, settings):
    one, two = (sent(alice, settings, TransferOptions(tell_daily=True)) for _number in range(2))
    for transfer in (one, two):
        letters.settle(transfer, settings)
        for back in (30, 29):
            download(transfer, None, TransferFile.get(TransferFile.transfer == transfer), hours=back)
    before = len(mails())
    assert len(letters.sweep(settings)) == 1 and letters.sweep(settings) == []
    assert "4 downloads of your files" in mails()[before].subject


def test_when_everybody_has_everything_it_is_told_once(app, alice, settings):
    transfer = sent(alice, settings, TransferOptions(tell_all=True))
    letters.settle(transfer, settings)
    before = len(mails())
    zoe, tom = people(transfer)
    download(transfer, zoe, None)
    for file in store.files(transfer)[:1]:
        download(transfer, tom, file)
    assert letters.sweep(settings) == []
    download(transfer, tom, store.files(transfer)[1])
    assert len(letters.sweep(settings)) == 1 and "Everyone has downloaded" in mails()[before].subject
    download(transfer, tom, None)
    assert letters.sweep(settings) == []
    assert TransferEvent.select().where(TransferEvent.kind == EventKind.ALL_DOWNLOADED).count() == 1


def test_a_file_that_was_removed_is_not_all_that_somebody_downloaded(app, alice, settings):
    transfer = sent(alice, settings, TransferOptions(tell_each=True, receipt=True))
    letters.settle(transfer, settings)
    first, second = store.files(transfer)
    for person in people(transfer):
        download(transfer, person, first)
    changes.remove_file(transfer, first, settings)
    before = len(mails())
    letters.settle(transfer, settings)
    to_zoe, to_alice = ([one for one in mails()[before:] if one.recipient == to][0] for to in (ZOE[1], alice.address))
    assert "plage.jpg" in text(to_alice, settings) and "All files" not in text(to_alice, settings)
    assert second.path not in text(to_zoe, settings)
    assert not TransferEvent.select().where(TransferEvent.kind == EventKind.ALL_DOWNLOADED).exists()


def test_those_without_a_download_are_reminded_before_the_end(app, alice, settings, monkeypatch):
    transfer = sent(alice, settings, published=ago(days=13), expires=now() + timedelta(days=2, minutes=5))
    letters.settle(transfer, settings)
    download(transfer, people(transfer)[0], None)
    before = len(mails())
    assert letters.sweep(settings) == []
    Transfer.update(expires=now() + timedelta(days=2, minutes=-1)).execute()
    assert letters.sweep(settings) == []  # they got their links a moment ago
    TransferRecipient.update(notified=ago(days=13)).execute()
    assert len(letters.sweep(settings)) == 1
    monkeypatch.setattr(store, "files", None)  # many are about to end: nothing of theirs is read again and again
    assert letters.sweep(settings) == []
    row = mails()[before]
    assert row.recipient == TOM[1] and row.subject.startswith("Reminder: ")
    assert "not downloaded anything yet" in text(row, settings)


def test_a_short_offer_and_a_wish_to_be_left_alone_bring_no_reminder(app, alice, settings):
    sent(alice, settings, TransferOptions(remind=False), published=ago(days=13), expires=now() + timedelta(days=1))
    sent(alice, settings, published=ago(days=1), expires=now() + timedelta(days=1))
    letters.sweep(settings)
    assert not TransferEvent.select().where(TransferEvent.kind == EventKind.REMINDED)


def test_reminding_by_hand_is_bounded(app, alice, settings):
    transfer = sent(alice, settings)
    letters.settle(transfer, settings)
    assert letters.remind(transfer, settings) == []  # they were written to a moment ago
    TransferRecipient.update(notified=ago(days=2)).execute()
    assert len(letters.remind(transfer, settings)) == 2 and letters.remind(transfer, settings) == []


def test_a_link_is_sent_again_to_one(app, alice, settings):
    transfer = sent(alice, settings)
    letters.settle(transfer, settings)
    zoe = people(transfer)[0]
    assert letters.send_again(zoe, settings) is None
    TransferRecipient.update(notified=ago(hours=1)).execute()
    again = letters.send_again(zoe, settings)
    assert again is not None and again.recipient == ZOE[1] and letters.send_again(zoe, settings) is None


def test_the_report_at_the_end_waits_for_second_thoughts(app, alice, settings):
    transfer = sent(alice, settings)
    letters.settle(transfer, settings)
    download(transfer, people(transfer)[0], None)
    before = len(mails())
    store.close(transfer, "owner")
    letters.sweep(settings)
    assert len(mails()) == before
    assert store.reopen(transfer) and not store.reopen(transfer)
    store.close(transfer, "owner")
    Transfer.update(closed=ago(minutes=10, seconds=1)).execute()
    assert len(letters.sweep(settings)) == 1 and letters.sweep(settings) == []
    body = text(mails()[before], settings)
    assert f"{ZOE[1]}: 1 download" in body and f"{TOM[1]}: no download" in body


def test_a_report_says_how_many_it_does_not_name(app, alice, settings, monkeypatch):
    monkeypatch.setattr(texts, "MOST_FILES", 1)
    for recipients, named in (([ZOE, TOM], "tom@"), ([], "b.txt")):
        transfer = published(alice, {"a.txt": b"a", "b.txt": b"b"}, settings, recipients=recipients)
        letters.settle(transfer, settings)
        before = len(mails())
        store.close(transfer, "date")
        letters.settle(transfer, settings)
        (report,) = mails()[before:]
        assert "and 1 other" in text(report, settings) and named not in text(report, settings)


def test_an_administrator_says_why(app, alice, settings):
    transfer = sent(alice, settings, TransferOptions(tell_closed=False))
    letters.settle(transfer, settings)
    store.close(transfer, "admin", "Not ours\r\nBcc: x")
    letters.sweep(settings)
    assert "Their reason: Not ours Bcc: x" in text(mails(alice.address)[-1], settings)


def test_what_was_never_sent_ends_without_a_word(app, alice, settings):
    transfer = store.create(alice, settings)
    put_file(transfer, "a.txt", b"a", settings)
    store.close(transfer, "date")
    assert letters.sweep(settings) == [] == mails()


def arrived(alice: User, settings: Settings, **fields: object) -> Transfer:
    nonce = links.new_nonce()
    asked = FileRequest.create(
        owner=alice, nonce=nonce, title="Devoir 3", link_hash=links.link_hash(links.token(LinkKind.REQUEST, nonce, "x")),
        notify=fields.pop("notify", 1),
    )  # fmt: skip
    transfer = store.create(alice, settings, request=asked)
    put_file(transfer, "http:/evil.example", b"a", settings)
    named = {
        "guest_name": "Léa\nBcc: x",
        "guest_address": "lea@ailleurs.example",
        "message": "Achetez http://evil.example",
        **fields,
    }
    Transfer.update(**named).where(Transfer.id == transfer.id).execute()
    transfer = Transfer.get_by_id(transfer.id)
    store.publish(transfer, TransferOptions(), now() + timedelta(days=9), [], settings)
    return transfer


def test_an_arrival_is_announced_and_confirmed_to_the_guest(app, alice, settings):
    transfer = arrived(alice, settings)
    letters.settle(transfer, settings)
    letters.sweep(settings)
    (mine,), (theirs,) = mails(alice.address), mails("lea@ailleurs.example")
    assert mine.subject == "Léa Bcc: x sent you a file: Devoir 3" and "was not checked" in text(mine, settings)
    both = text(theirs, settings) + system_mail.html_of(theirs, settings.secret_key) + theirs.subject
    assert "evil" not in both and "Léa" not in both and "Devoir" not in both and "Alice Leroy" in both


def test_an_arrival_that_nobody_wants_to_hear_of_is_confirmed_all_the_same(app, alice, settings):
    transfer = arrived(alice, settings, notify=0)
    letters.settle(transfer, settings)
    assert mails(alice.address) == [] and len(mails("lea@ailleurs.example")) == 1


def test_nobody_writes_without_an_address_of_the_establishment(app, alice, settings):
    silent = replace(settings, system_address="")
    transfer = sent(alice, silent)
    assert letters.settle(transfer, silent) == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(letters, "settle", None)  # however many there are, none is looked at
        assert letters.sweep(silent) == []
    TransferEvent.update(at=ago(days=4)).execute()
    trail.note(transfer, EventKind.CLOSED, detail="date")
    TransferEvent.update(at=ago(days=4)).execute()
    letters.sweep(silent)
    assert [one.kind for one in TransferEvent.select().where(TransferEvent.told == 0)] == [EventKind.PUBLISHED]


def test_a_disabled_owner_sends_nothing(app, alice, settings):
    transfer = sent(alice, settings)
    event = trail.note(transfer, EventKind.DOWNLOADED)
    TransferEvent.update(told=DAILY, at=ago(days=2)).where(TransferEvent.id == event.id).execute()
    User.update(active=0).execute()
    assert letters.sweep(settings) == [] and mails() == []


def test_many_that_wait_keep_nobody_away(app, alice, settings, monkeypatch):
    monkeypatch.setattr(letters, "_PAGE", 2)
    for _number in range(5):
        waiting = store.create(alice, settings)
        store.add_file(waiting, "a.bin", 5, "", settings)
        store.publish(waiting, TransferOptions(), now() + timedelta(days=9), [ZOE], settings)
    sent(alice, settings)
    assert len(letters.sweep(settings)) == 2
