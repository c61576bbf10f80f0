"""S/MIME from the file of a certificate to a message that a colleague reads: a visit without scripts, on real servers."""

from __future__ import annotations

import re
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pytest

from tests.support.compose_form import FORM, file, text_of, write
from tests.support.keys import PASSPHRASE
from webmail.database.connection import db
from webmail.keys import keyring
from webmail.models import AttachmentRow, DraftRow, OpenedKeyring, Outbox, OwnKeyRow, Session, User, now

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
WORD = "Pflaumenmusvorrat"
FILE_PASSWORD = "deux loutres"


class School:
    """An authority made by OpenSSL, as an establishment would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subject = ("-subj", "/CN=School of Tests", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-days", "30", *subject)

    def run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def certificate(self, address: str) -> tuple[bytes, bytes]:
        """The file with key and certificate (.p12), and the certificate alone."""
        (self.folder / "more").write_text(f"subjectAltName=email:{address}\nextendedKeyUsage=emailProtection\n")
        self.run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "one.key", "-out", "one.csr", "-subj", f"/CN={address}")
        self.run(
            "x509", "-req", "-in", "one.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", "one.crt",
            "-days", "20", "-extfile", "more",
        )  # fmt: skip
        keys = ("-inkey", "one.key", "-in", "one.crt", "-certfile", "ca.crt")
        self.run("pkcs12", "-export", *keys, "-out", "one.p12", "-passout", f"pass:{FILE_PASSWORD}")
        return (self.folder / "one.p12").read_bytes(), (self.folder / "one.crt").read_bytes()


def bring(person, content: bytes, name: str, password: str = ""):
    """Import a file on the page, with the keyring opened on the way where it is closed."""
    with db.connection_context():
        Session.update(confirmed=now()).where(Session.user == User.get(User.address == person.address)).execute()
    page = person.get("/encryption/import")
    if page.all("form[action='/encryption/open']"):
        page = person.submit(page, "form[action='/encryption/open']", passphrase=PASSPHRASE)
    return person.submit(page, "form[enctype]", file=(BytesIO(content), name), password=password)


@pytest.fixture
def colleagues(app, alice, bob, tmp_path):
    """Alice and Bob with a certificate each, who have imported each other's."""
    school = School(tmp_path)
    files = {one.address: school.certificate(one.address) for one in (alice, bob)}
    for person, other in ((alice, bob), (bob, alice)):
        with app.app_context(), db.connection_context():
            keyring.make(User.get(User.address == person.address), PASSPHRASE, app.extensions["settings"])
        assert bring(person, files[person.address][0], "mine.p12", "wrong").status == 422
        assert "1 key of yours was imported" in bring(person, files[person.address][0], "mine.p12", FILE_PASSWORD).notices
        assert "1 key of somebody else was imported" in bring(person, files[other.address][1], "theirs.crt").notices
    return alice, bob


def states(page, name: str) -> list[str]:
    return [str(one[f"data-{name}"]) for one in page.all(f"[data-{name}]")]


def test_a_colleague_reads_what_was_signed_and_encrypted(app, colleagues, work, stored):
    alice, bob = colleagues
    form = write(
        alice, to=bob.address, subject=f"On {WORD}", body=f"{WORD} é", protection="both", attachments=file("n.pdf"), action="save"
    )
    assert "will be encrypted for 1 recipient, and signed (S/MIME)" in form.one("#protection").get_text()
    assert "on its way" in alice.submit(form, FORM, action="send").notices  # the keyring is open since the import
    work()
    work()
    [got] = stored(bob, "INBOX")
    assert got.get_content_type() == "application/pkcs7-mime" and got["Subject"] == "..." and WORD not in got.as_string()
    page = bob.get(f"/message/{got.uid}/INBOX")
    assert states(page, "encryption") == ["decrypted"] and states(page, "signature") == ["good"]
    assert f"On {WORD}" in page.text and "n.pdf" in page.text
    frame = bob.get(str(page.one("iframe")["src"]))
    assert f"{WORD} é" in frame.text
    answer = bob.get(f"/reply/{got.uid}/INBOX")
    assert f"> {WORD} é" in text_of(answer) and "encrypted for 1 recipient" in answer.one("#protection").get_text()
    with db.connection_context():
        OpenedKeyring.delete().execute()  # as when its time is over
    closed = bob.get(f"/message/{got.uid}/INBOX")
    assert states(closed, "encryption") == ["locked"] and WORD not in closed.text
    [sent] = stored(alice, "Sent")
    assert WORD not in sent.as_string()


def test_a_draft_is_sealed_by_it(app, colleagues, stored):
    alice, bob = colleagues
    page = write(alice, to=bob.address, subject=f"a{WORD}", body=f"b{WORD}", protection="encrypt", action="save")
    page = alice.submit(page, FORM, attachments=file(f"{WORD}.txt", WORD.encode(), "text/plain"), action="attach")
    with db.connection_context():
        [row] = DraftRow.select().where(DraftRow.sealed.is_null(False))
        for table in (DraftRow, AttachmentRow, Outbox, OwnKeyRow):
            assert not re.search(WORD, str([*table.select().dicts()]))
        OpenedKeyring.delete().execute()
    [draft] = stored(alice, "Drafts")
    assert draft.get_content_type() == "application/pkcs7-mime" and WORD not in draft.as_string()
    closed = alice.get(page.one(FORM)["action"])
    assert WORD not in closed.text
    opened = alice.submit(closed, "#open-keys", passphrase=PASSPHRASE)
    assert text_of(opened) == f"b{WORD}" and f"{WORD}.txt" in opened.one("#attachments").get_text()
    with db.connection_context():
        DraftRow.delete().where(DraftRow.id == row.id).execute()  # as after thirty days
    [draft] = stored(alice, "Drafts")
    resumed = alice.get(f"/draft/{draft.uid}/Drafts")
    assert text_of(resumed).strip() == f"b{WORD}" and f"{WORD}.txt" in resumed.one("#attachments").get_text()
