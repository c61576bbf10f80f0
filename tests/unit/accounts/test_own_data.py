"""Own data as a file: all of it, without ever being in memory as a whole."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from datetime import datetime, timedelta

import pytest

from webmail import models
from webmail.accounts import data_export, exported_tables
from webmail.config import settings
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.models import (
    AppPassword,
    Authenticator,
    Contact,
    GroupMember,
    LinkedAccount,
    PasswordReset,
    PeopleGroup,
    SecurityKey,
    Session,
    SupportRequest,
    TrustedDevice,
    User,
    Voucher,
    now,
)


@pytest.fixture
def alice(tmp_path):
    open_database(settings.load(tmp_path).database_url)
    migrate()
    with db.connection_context():
        yield User.create(address="alice@lycee.example", local="alice", domain="lycee.example")
    db.obj.close()


def test_very_many_contacts_take_little_memory(alice):
    count, card = 1500, "BEGIN:VCARD\r\nFN:é\r\nNOTE:" + "x" * 19_000 + "\r\nEND:VCARD\r\n"
    row = {"user": alice, "name": "é", "sort": "e", "words": "", "revision": "", "vcard": card}
    rows = [{**row, "uid": f"u{number}", "card_uid": f"c{number}"} for number in range(count)]
    with db.atomic():
        for at in range(0, count, 100):
            Contact.insert_many(rows[at : at + 100]).execute()
    del rows
    tracemalloc.start()
    written = io.BytesIO()
    for piece in data_export.zipped(data_export.files_of(alice), datetime(2026, 3, 4)):
        written.write(piece)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 12_000_000
    with zipfile.ZipFile(written) as archive:
        assert archive.testzip() is None
        assert archive.read("contacts.vcf").decode() == card * count


def test_ways_in_are_told_of_without_what_opens(alice):
    secret = "this opens something"
    AppPassword.create(user=alice, name="Phone", sha=secret, imap=1)
    Authenticator.create(user=alice, name="App", secret=secret.encode())
    key = {"credential_hash": secret, "credential_id": secret.encode(), "public_key": secret.encode()}
    SecurityKey.create(user=alice, name="Blue key", **key)
    TrustedDevice.create(user=alice, token_hash=secret, user_agent="Firefox", expires=now())
    files = {name: b"".join(pieces).decode() for name, pieces in data_export.files_of(alice)}
    told = {"app-passwords": "Phone", "authenticator-apps": "App", "security-keys": "Blue key", "trusted-browsers": "Firefox"}
    for name, words in told.items():
        assert words in json.dumps(json.loads(files[f"{name}.json"]))
    assert not [name for name, text in files.items() if secret in text]


def test_every_table_of_people_is_in_it_or_left_out_for_a_reason():
    told = {*exported_tables.TABLES.values(), *exported_tables.LEFT_OUT}
    of_people = {
        table
        for table in vars(models).values()
        if isinstance(table, type) and issubclass(table, models.Table) and table is not models.Table
        for field in table._meta.sorted_fields
        if getattr(field, "rel_model", None) is User
    }
    assert of_people - told == set()
    assert {table for table in exported_tables.LEFT_OUT if not exported_tables.LEFT_OUT[table]} == set()


def test_what_was_done_to_an_earlier_account_of_the_address_is_not_in_it(alice):
    for act, days in ((models.AuditAct.ACCOUNT_DISABLED, 400), (models.AuditAct.ACCOUNT_ADDED, 0)):
        models.AuditEntry.create(at=now() - timedelta(days=days), act=act, target=alice.address, network="192.0.2.1")
    [entry] = json.loads("".join(exported_tables.activity_of(alice)))
    assert entry["act"] == models.AuditAct.ACCOUNT_ADDED


def test_others_rows_and_secrets_are_not_in_it(alice):
    bob = User.create(address="bob@lycee.example", local="bob", domain="lycee.example", password="$argon2id$secret")
    User.update(password="$argon2id$secret").where(User.id == alice.id).execute()
    group = PeopleGroup.create(identifier="g", name="3e B", sort="3e b", domain="lycee.example")
    for user in (alice, bob):
        GroupMember.create(group=group, user=user)
        LinkedAccount.create(user=user, provider="oidc:ent", subject=f"subject of {user.local}")
        PasswordReset.create(user=user, token_hash=f"opens {user.local}", code_hash="opens", channel="mail")
        SupportRequest.create(reference=user.local, user=user, kind="else", text=f"text of {user.local}")
        Voucher.create(receiver=user, named="x", session="opens", number="1234", expires=now())
        Session.create(id_hash=f"opens {user.local}", user=user, provider_session="opens", credential=b"opens")
    User.update(preferences='{"theme": "dark"}', language="fr").where(User.id == alice.id).execute()
    files = {name: b"".join(pieces).decode() for name, pieces in data_export.files_of(User.get_by_id(alice.id))}
    everything = "".join(files.values())
    assert "opens" not in everything and "argon2" not in everything and "1234" not in everything
    assert "of bob" not in everything and "bob@" not in everything
    assert json.loads(files["groups.json"])[0]["group"] == "3e B"
    assert json.loads(files["linked-accounts.json"])[0]["subject"] == "subject of alice"
    assert json.loads(files["support-requests.json"])[0]["text"] == "text of alice"
    assert json.loads(files["settings.json"]) == {"language": "fr", "theme": "dark"}
    assert json.loads(files["account.json"])[0]["address"] == "alice@lycee.example"
    for name, text in files.items():
        assert not name.endswith(".json") or json.loads(text) is not None
