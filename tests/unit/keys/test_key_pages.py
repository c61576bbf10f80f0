"""The pages of encryption as somebody without scripts meets them, with real keys."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.visits import Page, Visitor
from webmail.auth.sessions import sessions
from webmail.crypto import openpgp, smime
from webmail.crypto.openpgp_certificates import read_certificate, split_certificates
from webmail.crypto.x509_certificates import read_pkcs12
from webmail.keys import known_certificates, own_keys
from webmail.keys.notifications import certificate_end
from webmail.keys.views import others
from webmail.keys.wkd_lookup import LookupAwayError
from webmail.models import AuditEntry, Keyring, OpenedKeyring, OwnKeyRow, Session, SystemMessage, User, now

pytestmark = pytest.mark.skipif(not shutil.which("sqop"), reason="sqop is not installed")

PASSPHRASE = "douze girafes lisent au lit"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    values = {"public_url": "https://mail.lycee.example", "system_address": "noreply@lycee.example", "smtp_security": "none"}
    with ground.application(tmp_path / "instance", **values) as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return person(app)


def person(app: Flask, local: str = "alice", language: str = "en") -> Visitor:
    """Signed in, with the password typed again a moment ago."""
    visitor = ground.person(app, local, language)
    Session.update(confirmed=now()).execute()
    return visitor


def begin(visitor: Visitor, passphrase: str = PASSPHRASE, again: str = "") -> Page:
    page = visitor.get("/encryption")
    form = visitor.get(page.link("Protect my messages"))
    return visitor.submit(form, "form[action='/encryption/begin']", passphrase=passphrase, passphrase_again=again or passphrase)


def key_of(local: str = "alice") -> own_keys.OwnKey:
    [key] = own_keys.own_keys(User.get(User.local == local).id)
    return key


def test_from_never_having_heard_of_a_key_to_a_printed_sheet(alice: Visitor) -> None:
    sheet = begin(alice)
    code, key = sheet.one("[data-recovery-code]").text, key_of()
    assert re.fullmatch(r"(\w{4}-){6}\w\w", code)
    assert sheet.one("[data-fingerprint]")["data-fingerprint"] == key.fingerprint
    revoked = openpgp.merge(key.certificate, [sheet.one("pre.revocation").text.encode()], owner=1)
    assert read_certificate(revoked).facts().revoked
    done = alice.submit(sheet, "form[action='/encryption/sheet/done']")
    assert done.address == "/encryption" and code not in alice.get("/encryption/sheet").text
    assert [one["data-fingerprint"] for one in done.all("[data-fingerprint]")] == [key.fingerprint]
    assert Keyring.get().sheet_printed is not None and key.published and key.addresses == ("alice@lycee.example",)
    assert {"keyring-made", "mail-key-made", "mail-key-published"} <= {row.act for row in AuditEntry.select()}
    assert {row.subject for row in SystemMessage.select()} >= {"Your messages can be encrypted", "An encryption key was made"}
    assert not any(code in row.details or code in row.target for row in AuditEntry.select())


@pytest.mark.parametrize(
    ("passphrase", "again", "words"),
    [("kurz", "", "at least 10"), ("password1234", "", "easy to guess"), (PASSPHRASE, "other", "not the same")],
)
def test_a_passphrase_that_is_no_good_makes_nothing(alice: Visitor, passphrase: str, again: str, words: str) -> None:
    page = begin(alice, passphrase, again)
    assert words in page.one("[role=alert]").text and not Keyring.select().exists()


def test_it_opens_by_the_passphrase_and_closes(alice: Visitor) -> None:
    begin(alice)
    closed = alice.submit(alice.get("/encryption"), "form[action='/encryption/close']")
    assert "closed" in closed.notices and OpenedKeyring.select().count() == 0
    form = alice.get("/encryption/open?next=/encryption/people")
    wrong = alice.submit(form, "form[action='/encryption/open']", passphrase="a wrong one")
    assert wrong.status == 422 and OpenedKeyring.select().count() == 0
    opened = alice.submit(wrong, "form[action='/encryption/open']", passphrase=PASSPHRASE, lasts="hour")
    assert opened.address == "/encryption/people" and "for an hour" in opened.notices
    assert (OpenedKeyring.get().until - now()).total_seconds() <= 3600


@pytest.mark.parametrize("lasts", ["hour", "session"])
def test_it_is_open_no_longer_than_its_session(app: Flask, alice: Visitor, lasts: str) -> None:
    begin(alice)
    row = Session.get()
    end = now() + timedelta(minutes=10)
    Session.update(created=end - sessions.longest(row, app.extensions["settings"])).execute()
    alice.submit(alice.get("/encryption/open"), "form[action='/encryption/open']", passphrase=PASSPHRASE, lasts=lasts)
    assert abs(OpenedKeyring.get().until - end) < timedelta(seconds=2)


def test_the_writing_page_opens_it_no_longer_than_its_session(app: Flask, alice: Visitor) -> None:
    begin(alice)
    end = now() + timedelta(minutes=10)
    Session.update(created=end - sessions.longest(Session.get(), app.extensions["settings"])).execute()
    token = alice.get("/encryption/open").one("form[action='/encryption/open'] [name=csrf_token]")["value"]
    alice.post("/compose/keys/open", {"passphrase": PASSPHRASE, "there": "/encryption", "csrf_token": token}, follow=False)
    assert abs(OpenedKeyring.get().until - end) < timedelta(seconds=2)


def test_who_forgot_the_passphrase_takes_the_sheet(alice: Visitor) -> None:
    code = begin(alice).one("[data-recovery-code]").text
    alice.submit(alice.get("/encryption"), "form[action='/encryption/close']")
    form = alice.get(alice.get("/encryption/open").link("I forgot my passphrase"))
    changing = alice.submit(form, "form[action='/encryption/open']", code=code.lower())
    assert changing.address == "/encryption/passphrase"
    new = "treize autruches au marché"
    done = alice.submit(
        changing, "form[action='/encryption/passphrase']", code=code, new_passphrase=new, new_passphrase_again=new
    )
    assert done.address == "/encryption"
    alice.submit(alice.get("/encryption"), "form[action='/encryption/close']")
    assert alice.submit(alice.get("/encryption/open"), "form[action='/encryption/open']", passphrase=new).address == "/encryption"


def test_a_new_sheet_needs_the_passphrase(alice: Visitor) -> None:
    first = begin(alice)
    code = first.one("[data-recovery-code]").text
    alice.submit(first, "form[action='/encryption/sheet/done']")
    form = alice.get("/encryption/sheet")
    assert alice.submit(form, "form[action='/encryption/sheet']", passphrase="no").status == 422
    sheet = alice.submit(form, "form[action='/encryption/sheet']", passphrase=PASSPHRASE)
    assert sheet.one("[data-recovery-code]").text not in ("", code)


def test_a_key_goes_out_with_a_passphrase_and_comes_in_again(app: Flask, alice: Visitor) -> None:
    begin(alice)
    key = key_of()
    form = alice.get(f"/encryption/keys/{key.id}/export")
    fields = {"passphrase": "quatorze otaries", "passphrase_again": "quatorze otaries"}
    sent = alice.submit(form, f"form[action='/encryption/keys/{key.id}/export']", **fields)
    content = sent.response.get_data()
    assert b"BEGIN PGP PRIVATE KEY" in content and "attachment" in sent.response.headers["Content-Disposition"]
    with pytest.raises(openpgp.LockedKeyError):
        openpgp.sign_detached(b"x", content, owner=1)
    removing = alice.get(f"/encryption/keys/{key.id}/remove")
    alice.submit(removing, f"form[action='/encryption/keys/{key.id}/remove']")
    assert not OwnKeyRow.select().exists()

    def bring(password: str) -> Page:
        page = alice.get("/encryption/import")
        return alice.submit(page, "form[enctype]", file=(BytesIO(content), "key.asc"), password=password)

    assert bring("wrong").status == 422 and not OwnKeyRow.select().exists()
    assert "1 key of yours was imported" in bring("quatorze otaries").notices
    assert key_of().fingerprint == key.fingerprint
    assert {"mail-key-exported", "mail-key-removed", "mail-key-imported"} <= {row.act for row in AuditEntry.select()}
    public = alice.get(f"/encryption/keys/{key_of().id}/certificate").response.get_data()
    assert read_certificate(public).facts().fingerprint == key.fingerprint and not read_certificate(public).facts().is_secret


def certificate_file(tmp_path: Path, password: str, days: int = 365) -> bytes:
    """A .p12 file as an authority gives it, made by openssl."""
    key, certificate, out = tmp_path / "k.pem", tmp_path / "c.pem", tmp_path / "x.p12"
    openssl = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate)]
    openssl += ["-days", str(days), "-subj", "/CN=Alice", "-addext", "subjectAltName=email:alice@lycee.example"]
    subprocess.run([*openssl, "-addext", "basicConstraints=critical,CA:FALSE"], check=True, capture_output=True)
    command = ["openssl", "pkcs12", "-export", "-in", str(certificate), "-inkey", str(key), "-out", str(out)]
    subprocess.run([*command, "-passout", f"pass:{password}"], check=True, capture_output=True)
    return out.read_bytes()


def test_a_certificate_comes_in_signs_and_goes_out(alice: Visitor, tmp_path: Path) -> None:
    begin(alice)
    content = certificate_file(tmp_path, "secret of the file")

    def bring(given: bytes, password: str) -> Page:
        return alice.submit(alice.get("/encryption/import"), "form[enctype]", file=(BytesIO(given), "a.p12"), password=password)

    assert "missing or wrong" in bring(content, "wrong").one("[role=alert]").text
    assert "1 key of yours was imported" in bring(content, "secret of the file").notices
    user = User.get(User.local == "alice")
    [key] = [one for one in own_keys.own_keys(user.id) if one.kind == own_keys.SMIME]
    assert key.addresses == ("alice@lycee.example",) and key.preferred and key.expires is not None
    page = alice.get(f"/encryption/keys/{key.id}")
    assert "S/MIME" in page.text and page.one("[data-fingerprint]")["data-fingerprint"] == key.fingerprint
    form = alice.get(f"/encryption/keys/{key.id}/export")
    action = f"form[action='/encryption/keys/{key.id}/export']"
    sent = alice.submit(form, action, passphrase="quatorze otaries", passphrase_again="quatorze otaries").response.get_data()
    [back] = read_pkcs12(sent, "quatorze otaries", owner=1)
    signature, _micalg = smime.sign_detached(b"x\r\n", back, owner=1)
    [found] = smime.verify_detached(b"x\r\n", signature, [key.certificate], system=False, owner=1)
    assert found.state == "good" and found.fingerprint == key.fingerprint
    assert b"BEGIN CERTIFICATE" in alice.get(f"/encryption/keys/{key.id}/certificate").response.get_data()


def test_a_certificate_that_ends_soon_is_told_once(app: Flask, alice: Visitor, tmp_path: Path) -> None:
    begin(alice)
    content = certificate_file(tmp_path, "secret of the file", days=9)
    alice.submit(
        alice.get("/encryption/import"), "form[enctype]", file=(BytesIO(content), "a.p12"), password="secret of the file"
    )
    assert "ends on" in alice.get("/encryption").notices
    settings = app.extensions["settings"]
    with app.app_context():
        assert len(certificate_end.tell_all(settings)) == 1 and certificate_end.tell_all(settings) == []
    assert SystemMessage.select().where(SystemMessage.subject.startswith("Your certificate ends on")).count() == 1


def test_a_file_without_keys_is_said_to_be_one(alice: Visitor) -> None:
    begin(alice)
    page = alice.submit(alice.get("/encryption/import"), "form[enctype]", text="hello")
    assert page.status == 422 and "no key in this file" in page.one("[role=alert]").text


def test_a_revoked_key_is_told_to_the_world(app: Flask, alice: Visitor) -> None:
    begin(alice)
    key = key_of()
    address = f"/.well-known/openpgpkey/lycee.example/hu/{own_hash('alice')}"
    stranger = app.test_client()
    assert not read_certificate(stranger.get(address).data).facts().revoked
    alice.submit(alice.get(f"/encryption/keys/{key.id}/revoke"), f"form[action='/encryption/keys/{key.id}/revoke']")
    assert key_of().revoked is not None
    assert read_certificate(stranger.get(address).data).facts().revoked
    alice.submit(alice.get("/encryption"), "form[action='/encryption/keys']")
    states = [read_certificate(raw).facts().revoked for raw in split_certificates(stranger.get(address).data)]
    assert sorted(states) == [False, True]


def test_the_directory_tells_only_what_is_published_and_active(app: Flask, alice: Visitor) -> None:
    begin(alice)
    stranger, name = app.test_client(), own_hash("alice")
    direct = {"base_url": "http://lycee.example/"}
    there = stranger.get(f"/.well-known/openpgpkey/hu/{name}?l=alice", **direct)
    assert there.status_code == 200 and there.mimetype == "application/octet-stream"
    assert there.headers["Access-Control-Allow-Origin"] == "*"
    assert stranger.head(f"/.well-known/openpgpkey/hu/{name}", **direct).status_code == 200
    assert stranger.get("/.well-known/openpgpkey/policy", **direct).status_code == 200
    assert stranger.get("/.well-known/openpgpkey/lycee.example/policy").data == b""
    assert stranger.get(f"/.well-known/openpgpkey/hu/{name}", base_url="http://else.example/").status_code == 404
    assert stranger.get(f"/.well-known/openpgpkey/hu/{own_hash('bob')}", **direct).status_code == 404
    assert stranger.get("/.well-known/openpgpkey/hu/%25%25", **direct).status_code == 404
    key = key_of()
    alice.submit(alice.get(f"/encryption/keys/{key.id}"), f"form[action='/encryption/keys/{key.id}']", action="withdraw")
    assert stranger.get(f"/.well-known/openpgpkey/hu/{name}", **direct).status_code == 404
    alice.submit(alice.get(f"/encryption/keys/{key.id}"), f"form[action='/encryption/keys/{key.id}']", action="publish")
    assert stranger.get(f"/.well-known/openpgpkey/hu/{name}", **direct).status_code == 200
    User.update(active=0).execute()
    assert stranger.get(f"/.well-known/openpgpkey/hu/{name}", **direct).status_code == 404


def test_a_colleagues_key_and_one_from_elsewhere(app: Flask, alice: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(alice)
    bob = person(app, "bob")
    assert (
        "colleague"
        in bob.submit(bob.get("/encryption/people"), "form[action='/encryption/look']", address="alice@lycee.example").notices
    )
    private = openpgp.generate_key("Anne", "anne@a.example", owner=1)
    certificate = openpgp.certificate_of(private, owner=1)
    monkeypatch.setattr(others.wkd_lookup, "look_up", lambda _address: [(certificate, read_certificate(certificate).facts())])
    page = bob.submit(bob.get("/encryption/people"), "form[action='/encryption/look']", address="Anne@A.example")
    assert "Found a key" in page.notices and len(page.all("[data-fingerprint]")) == 1
    one = bob.get(page.link("anne@a.example"))
    assert one.one("[data-fingerprint]")["data-fingerprint"] == read_certificate(certificate).facts().fingerprint
    checked = bob.submit(one, "main form", action="check")
    assert "Checked by you" in checked.text
    blocked = bob.submit(checked, "main form", action="block")
    bob_id = User.get(User.local == "bob").id
    assert (
        "not used" in blocked.text
        and not known_certificates.certificates_for(bob_id, ["anne@a.example"])["anne@a.example"][0].is_good()
    )
    assert alice.get(one.address).status == 404
    away = "The server of x@b.example publishes no keys"
    monkeypatch.setattr(others.wkd_lookup, "look_up", _away)
    assert away in bob.submit(bob.get("/encryption/people"), "form[action='/encryption/look']", address="x@b.example").notices


def _away(_address: str) -> None:
    raise LookupAwayError("nobody there")


def test_deleting_all_asks_and_leaves_nothing(alice: Visitor) -> None:
    begin(alice)
    page = alice.get("/encryption/delete")
    assert alice.submit(page, "form[action='/encryption/delete']").address == "/encryption/delete" and OwnKeyRow.select().exists()
    done = alice.submit(page, "form[action='/encryption/delete']", sure="yes")
    assert done.address == "/encryption" and not OwnKeyRow.select().exists() and "Protect my messages" in done.text


def test_where_it_is_switched_off_there_is_nothing(tmp_path: Path) -> None:
    with ground.application(tmp_path / "instance", encryption=False) as app:
        visitor = person(app)
        assert visitor.get("/encryption").status == 404
        assert "/encryption" not in visitor.get("/account").text
        assert app.test_client().get("/.well-known/openpgpkey/policy").status_code == 404


def test_in_french(app: Flask) -> None:
    visitor = person(app, "claire", "fr")
    page = visitor.get("/encryption")
    assert "Chiffrement" in page.one("h1").text and "Protéger mes messages" in page.text


def own_hash(local: str) -> str:
    from webmail.keys.published_keys import local_hash

    return local_hash(local)


def test_the_card_of_a_contact_leads_to_their_keys(alice: Visitor) -> None:
    form = alice.get("/contacts/new")
    card = alice.submit(form, "main form", name="Anne", email="anne@a.example", action="save")
    assert "Encryption keys" not in card.text
    begin(alice)
    again = alice.get(card.address)
    assert "anne@a.example" in again.text
    assert alice.get(again.link("Encryption keys")).address == "/encryption/people?query=anne@a.example"
