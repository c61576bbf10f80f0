"""Own data as a file: all of it, without ever being in memory as a whole."""

from __future__ import annotations

import io
import tracemalloc
import zipfile

import pytest

from webmail import config
from webmail.accounts import own_data
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.models import Contact, User


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
    for piece in own_data.zipped(own_data.files_of(alice)):
        written.write(piece)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 12_000_000
    with zipfile.ZipFile(written) as archive:
        assert archive.testzip() is None
        assert archive.read("contacts.vcf").decode() == card * count
