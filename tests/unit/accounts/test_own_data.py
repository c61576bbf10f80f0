"""Own data as a file: all of it, without ever being in memory as a whole."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from datetime import datetime

import pytest

from webmail import config
from webmail.accounts import own_data
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.models import AppPassword, Authenticator, Contact, SecurityKey, TrustedDevice, User, now


@pytest.fixture
def alice(tmp_path):
    open_database(config.load(tmp_path).database_url)
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
    for piece in own_data.zipped(own_data.files_of(alice), datetime(2026, 3, 4)):
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
    files = {name: b"".join(pieces).decode() for name, pieces in own_data.files_of(alice)}
    told = {"app-passwords": "Phone", "authenticator-apps": "App", "security-keys": "Blue key", "trusted-browsers": "Firefox"}
    for name, words in told.items():
        assert words in json.dumps(json.loads(files[f"{name}.json"]))
    assert not [name for name, text in files.items() if secret in text]
