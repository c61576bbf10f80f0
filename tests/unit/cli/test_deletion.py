"""Deletion as the administrator types it: who asks, and an account that goes for good."""

from __future__ import annotations

import pytest

from tests.unit.cli.test_main import database, run, settings  # noqa: F401 - fixtures
from webmail.accounts import deletion
from webmail.compose.attachments import uploads
from webmail.models import (
    AppPassword,
    AttachmentRow,
    AuditEntry,
    Contact,
    DraftRow,
    LinkedAccount,
    Outbox,
    RestedAddress,
    Session,
    SupportRequest,
    SystemMessage,
    Task,
    User,
    WritingIdentity,
    now,
)
from webmail.storage import open_storage
from webmail.system_mail import send
from webmail.tasks import leftovers


@pytest.fixture
def alice(run):  # noqa: F811
    run("accounts add alice --name 'Alice Leroy' --password-stdin", "correct horse\n")
    run("accounts add root --admin --password-stdin", "correct horse\n")
    return User.get(User.address == "alice@lycee.example")


def furnish(alice, settings):  # noqa: F811
    draft = DraftRow.create(id="d" * 32, user=alice, message_id="<a@x>", subject="Secret")
    stored, size = uploads.write(settings, draft.id, [b"file"], 10_000)
    AttachmentRow.create(draft=draft, filename="a", type="text/plain", size=size, stored=stored)
    for number, state in enumerate(("waiting", "sent", "failed")):
        row = {"draft": f"{number}" * 32, "message_id": "<b@x>", "sender": alice.address, "recipients": "[]", "content": b"x"}
        Outbox.create(user=alice, state=state, **row)
    Contact.create(user=alice, uid="u", card_uid="c", vcard="", name="n", sort="n", words="", revision="")
    WritingIdentity.create(user=alice, name="A", address=alice.address)
    AppPassword.create(user=alice, name="Phone", sha="0" * 64, imap=1)
    LinkedAccount.create(user=alice, provider="ldap", subject="x")
    Session.create(id_hash="a" * 64, user=alice)
    SupportRequest.create(reference="K7M-2QX", user=alice, kind="else", username="alice")
    task = Task.create(id="e" * 32, user=alice, kind="own-data")
    open_storage(settings).put(f"{leftovers.folder(task.id)}/data.zip", [b"zip"])
    User.update(recovery_address="alice@private.example").where(User.id == alice.id).execute()
    for address in (alice.address, "alice@private.example", "root@lycee.example"):
        send(address, "security", "Hello", "text", "en")


def test_who_asks_is_listed_with_the_reason(run, alice):  # noqa: F811
    assert run("accounts deletions") == (0, "Nobody has asked for their account to be deleted.\n")
    deletion.ask(alice, "I leave\n\x1b[31mtoday")
    code, told = run("accounts deletions")
    assert code == 0 and told.startswith("alice@lycee.example\t20") and told.endswith("\tI leave ?[31mtoday\n")
    deletion.withdraw(alice)
    assert "Nobody" in run("accounts deletions")[1]


def test_everything_of_the_account_goes(run, alice, settings):  # noqa: F811
    furnish(alice, settings)
    code, told = run("accounts delete alice --yes")
    assert code == 0, told
    assert "alice@lycee.example is deleted; 1 session ended" in told
    assert "2 messages that had not left will not be sent" in told
    assert "delete the folder lycee.example/alice" in told
    assert User.get_or_none(User.address == "alice@lycee.example") is None
    for table in (
        DraftRow,
        AttachmentRow,
        Outbox,
        Contact,
        WritingIdentity,
        AppPassword,
        LinkedAccount,
        Session,
        Task,
        SupportRequest,
    ):
        assert table.select().count() == 0, table
    assert [row.recipient for row in SystemMessage.select()] == ["root@lycee.example"]
    assert not list(uploads.files(settings).list()) and not list(open_storage(settings).list("tasks"))
    entry = AuditEntry.get(AuditEntry.act == "account-deleted")
    assert (entry.target, entry.actor) == ("alice@lycee.example", None)
    assert run("accounts delete alice --yes")[0] == 1


def test_the_address_has_to_be_typed(run, alice):  # noqa: F811
    for typed in ("", "yes\n", "root@lycee.example\n"):
        code, told = run("accounts delete alice", typed)
        assert code == 1 and User.select().count() == 2, told
    assert run("accounts delete alice", "alice@lycee.example\n")[0] == 0
    assert User.select().count() == 1


def test_the_last_administrator_stays(run, alice):  # noqa: F811
    code, told = run("accounts delete root --yes")
    assert code == 1 and "last administrator" in told and User.select().count() == 2
    run("accounts role alice admin")
    User.update(active=0).where(User.id == alice.id).execute()
    assert run("accounts delete root --yes")[0] == 1, "another who is disabled does not count"
    User.update(active=1).where(User.id == alice.id).execute()
    assert run("accounts delete root --yes")[0] == 0


def test_a_deleted_address_can_be_given_again_with_nothing_left(run, alice, settings):  # noqa: F811
    furnish(alice, settings)
    run("accounts delete alice --yes")
    add = ("accounts add alice --password-stdin", "correct horse\n")
    assert run(*add)[0] == 1  # mail for who had it may still come
    RestedAddress.update(until=now()).execute()
    assert run(*add)[0] == 0
    fresh = User.get(User.address == "alice@lycee.example")
    assert (fresh.name, fresh.recovery_address, fresh.deletion_asked) == ("", "", None)
    assert Contact.select().count() == 0
