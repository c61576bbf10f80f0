"""What administrators do to accounts, as Dovecot obeys it: another address, a closed account, the room that mail takes."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from email import message_from_bytes, policy
from typing import Any

import pytest
from flask import Flask
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from deploy.demo import delivery
from deploy.demo.child import HOST
from deploy.demo.services import Services
from tests.support.messages import message
from tests.support.task_work import worker_for
from tests.support.user_rows import user_of
from tests.support.waiting import eventually
from webmail import imap, system_mail
from webmail.account import Account
from webmail.admin.imports import import_task
from webmail.admin.imports.people_plan import LineOutcome, PlannedPerson
from webmail.admin.people import changes, creation, renaming, room_used
from webmail.admin.people.changes import Act, Step
from webmail.admin.people.creation import NewPerson
from webmail.admin.people.record import COMMAND
from webmail.auth import account_management, new_accounts
from webmail.auth.devices import app_passwords
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import SystemMessage, User, now


@pytest.fixture
def settings(app: Flask) -> Settings:
    found: Settings = app.extensions["settings"]
    return found


def folders(client: IMAPClient) -> list[str]:
    return [name for _flags, _delimiter, name in client.list_folders()]


def test_mail_shares_and_phones_go_on_under_another_address(
    services: Services, settings: Settings, make_account: Callable[..., str], imap_of: Any, account_of: Callable[..., Account]
) -> None:
    ann, bob, cleo = make_account("ann"), make_account("bob"), make_account("cleo")
    with db.connection_context():
        letters, _row = app_passwords.add(User.get(User.address == ann), "Telephone", ["imap"])
    mine, bobs = imap_of(ann), imap_of(bob)
    mine.append("INBOX", bytes(message(subject="before")))
    for owner, name, other in ((ann, "Given", bob), (bob, "Got", ann)):
        (mine if owner == ann else bobs).create_folder(name)
        with imap.connect(account_of(owner)) as connection:
            imap.acl.grant(connection, [name], other, "lrs")
    assert f"shared/{ann}/Given" in folders(bobs) and f"shared/{bob}/Got" in folders(mine)

    new = ann.replace("ann-", "anne-")
    with db.connection_context():
        assert renaming.rename(User.get(User.address == ann), new, COMMAND, settings).before == ann
    renamed = imap_of(new)
    renamed.select_folder("INBOX")
    assert len(renamed.search(["SUBJECT", "before"])) == 1
    assert f"shared/{bob}/Got" in folders(renamed)
    seen = folders(imap_of(bob))
    assert f"shared/{new}/Given" in seen and not any(ann in name for name in seen), seen
    telephone = IMAPClient(HOST, services.ports.imap, ssl=False, timeout=10)
    telephone.login(ann, letters)  # as it was set up
    telephone.select_folder("INBOX")
    assert len(telephone.search(["SUBJECT", "before"])) == 1
    with imap.connect(account_of(bob)) as connection:
        identifiers = {entry.identifier for entry in imap.acl.entries(connection, "Got")}
    assert new in identifiers and ann not in identifiers and cleo not in identifiers
    imap.close_all()


def test_a_closed_account_signs_in_nowhere_and_comes_back(
    services: Services, settings: Settings, make_account: Callable[..., str], imap_of: Any
) -> None:
    dan = make_account("dan")
    open_already = imap_of(dan)
    with db.connection_context():
        changes.apply([User.get(User.address == dan)], Step(Act.DISABLE), COMMAND, settings)
    with pytest.raises(LoginError):
        imap_of(dan)

    def ended() -> bool:
        try:
            open_already.noop()
        except (OSError, IMAPClient.AbortError):
            return True
        return False

    assert eventually(ended, step=0.05, what="the end of what was open")
    with db.connection_context():
        changes.apply([User.get(User.address == dan)], Step(Act.ENABLE), COMMAND, settings)
    imap_of(dan)


def test_what_changes_counts_at_once(
    services: Services, settings: Settings, make_account: Callable[..., str], imap_of: Any
) -> None:
    """Dovecot has just looked the account up each time, and remembers nothing of it."""
    finn, large = make_account("finn"), message(subject="large", text="x" * 50_000)

    def change(act: Act, value: int | None = None) -> None:
        with db.connection_context():
            assert changes.apply([User.get(User.address == finn)], Step(act, value), COMMAND, settings).changed

    def is_accepted() -> bool:
        return delivery.deliver(services.ports.lmtp, "sender@outside.example", finn, bytes(large), []).good

    assert is_accepted()
    change(Act.QUOTA, 10_000)
    assert not is_accepted()
    change(Act.QUOTA, 10 * 1024**2)
    assert is_accepted()
    change(Act.DISABLE)
    assert not is_accepted()
    with pytest.raises(LoginError):
        imap_of(finn)
    change(Act.ENABLE)
    assert is_accepted() and len(imap_of(finn).list_folders()) > 0


def test_the_worker_asks_what_room_mail_takes(settings: Settings, make_account: Callable[..., str], imap_of: Any) -> None:
    eve = make_account("eve")
    imap_of(eve).append("INBOX", bytes(message(subject="large", text="x" * 50_000)))
    user = user_of(eve)
    with db.connection_context():
        used = room_used.used_by(user, settings)
        assert used is not None
        account_management.note_used(user, used)
    found = user_of(eve)
    assert found.used_bytes is not None and 50_000 <= found.used_bytes < 100_000 and found.used_at is not None


def test_a_welcome_arrives_once_whether_made_alone_or_with_many(
    app: Flask, settings: Settings, imap_of: Any, make_account: Callable[..., str]
) -> None:
    administrator = make_account("welcomer")
    domain = administrator.rpartition("@")[2]
    work_all = worker_for(app)
    new = [f"greeted{number}-{secrets.token_hex(4)}@{domain}" for number in range(4)]
    planned = [PlannedPerson(number, LineOutcome.CREATED, address) for number, address in enumerate(new[1:], 1)]
    with db.connection_context():
        root = User.get(User.address == administrator)
        role = root.role
        account_management.set_role(root, "admin")
        creation.create([NewPerson(new[0])], COMMAND, settings)
        import_task.start(root, import_task.IMPORT, planned, {"name": "greeted.csv", "days_valid": 30}, settings, form=new[0])
    work_all()
    with db.connection_context():
        hashed = User.get(User.address == administrator).password
        User.update(password=hashed).where(User.address.in_(new)).execute()
        waiting = (SystemMessage.kind == new_accounts.WELCOME) & SystemMessage.recipient.in_(new)
        mine = {row.id for row in SystemMessage.select().where(waiting)}
        assert len(mine) == 4
        SystemMessage.update(due=now()).where(waiting).execute()
        for _round in range(2):
            for row in mine.intersection(system_mail.sweep()):
                system_mail.deliver(row, settings)
        User.update(role=role).where(User.id == root.id).execute()  # another test may have taken the demo's administrator
    clients = {address: imap_of(address) for address in new}
    for address, client in clients.items():
        client.select_folder("INBOX")
        eventually(lambda client=client: client.noop() and client.search(["ALL"]))
        (found,) = client.fetch(client.search(["ALL"]), ["BODY.PEEK[]"]).values()
        text = message_from_bytes(found[b"BODY[]"], policy=policy.default).get_content()
        assert address in text and "/help" in text and "{" not in text
