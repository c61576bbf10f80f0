"""Thunderbird's test messages (TRABOULE_CORPORA) through the pages: each file is a visit on a real Dovecot, with the verdict that its name
says; nothing that was decrypted stands outside its frame, and no page names another server."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from tests.support.protected_mail import PASSPHRASE, keyring_of, open_keys, state
from tests.support.visits import Page, Visitor
from webmail.crypto import certificates, external_programs, openpgp, openpgp_certificates, x509_certificates
from webmail.database.connection import db
from webmail.keys import known_certificates, own_keys
from webmail.models import KeyOrigin, User

Fill = Callable[..., list[int]]
_CORPORA = Path(os.environ.get("TRABOULE_CORPORA", Path(__file__).parents[4] / "shared" / "corpora"))
PGP, SMIME = _CORPORA / "openpgp-thunderbird", _CORPORA / "smime-thunderbird"
ALICE = "alice@openpgp.example-0xf231550c4f47e38e-secret.asc"
FRIENDS = ("bob@openpgp.example-0xfbfcc82a015e7330-pub.asc", "carol@example.com-0x3099ff1238852b9f-pub.asc")
CALLALOO = "callaloo"  # a word of the texts inside

pytestmark = [
    pytest.mark.skipif(not PGP.is_dir() or not SMIME.is_dir(), reason="no corpora beside the checkout or in TRABOULE_CORPORA"),
    pytest.mark.skipif(not external_programs.is_installed("sqop"), reason="sqop is not installed"),
]

# of OpenPGP: [data-encryption] and [data-signature] of the page, in its order
OPENPGP: dict[str, tuple[list[str], list[str]]] = {
    "alice-broken-exchange.eml": (["decrypted"], []),
    "alice-utf.eml": ([], ["good"]),
    "openpgp__stripped_sig.eml": ([], ["partial"]),
    "outer-pgp-sig-inner-pgp-enc-with-mixed.eml": ([], ["bad"]),
    "outer-smime-bad-sig-inner-pgp-enc-sig-with-mixed.eml": ([], ["bad"]),
    "partial-encrypt-for-alice-plaintext.eml": (["decrypted"], []),
    "partial-encrypt-for-carol-plaintext.eml": (["failed"], []),
    "signed-by-0x3099ff1238852b9f-encrypted-to-0xf231550c4f47e38e.eml": (["decrypted"], ["good"]),
    "signed-by-0x3099ff1238852b9f-to-0xf231550c4f47e38e-unencrypted.eml": ([], ["good"]),
    "signed-by-0xfbfcc82a015e7330-encrypted-to-0xf231550c4f47e38e-with-key.eml": (["decrypted"], ["good"]),
    "signed-by-0xfbfcc82a015e7330-to-0xf231550c4f47e38e-unencrypted-in-mixed.eml": ([], ["partial", "partial"]),
    "signed-by-0xfbfcc82a015e7330-to-0xf231550c4f47e38e-unencrypted.eml": ([], ["good"]),
    "unsigned-encrypted-to-0xf231550c4f47e38e-from-0x3099ff1238852b9f-with-key.eml": (["decrypted"], []),
    "unsigned-encrypted-to-0xf231550c4f47e38e-from-0xfbfcc82a015e7330-with-key.eml": (["decrypted"], []),
    "unsigned-unencrypted-0x3099ff1238852b9f-autocrypt.eml": ([], []),
    "unsigned-unencrypted-key-0x1f10171bfb881b1c-attached.eml": ([], []),
}
_LOADED = re.compile(
    r"""(?:src|srcset|poster|background|action|data-src)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?(?:https?:)?//""", re.I
)


@pytest.fixture
def reader(person: Visitor, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    """Somebody with Alice's key and Bob's certificate, who knows Bob and Carol; their keys are open."""
    settings = replace(app.extensions["settings"], smime_authorities=str(SMIME / "TestCA.pem"))
    monkeypatch.setitem(app.extensions, "settings", settings)
    with db.connection_context():
        user, ring = keyring_of(person, app)
        key = (PGP / "keys" / ALICE).read_bytes()
        certificate = openpgp.certificate_of(key, owner=user.id)
        own_keys.add(user, ring, openpgp_certificates.read_certificate(certificate).facts(), certificate, key)
        (smime,) = x509_certificates.read_pkcs12((SMIME / "Bob.p12").read_bytes(), "nss", owner=user.id)
        chain = x509_certificates.as_pem([smime.certificate, *smime.chain])
        own_keys.add(user, ring, x509_certificates.x509_facts(smime.certificate), chain, smime.key)
        for name in FRIENDS:
            (raw,) = openpgp_certificates.split_certificates((PGP / "keys" / name).read_bytes())
            facts = certificates.facts_of(raw)
            assert known_certificates.note_met(User.get_by_id(user.id).id, facts, raw, facts.addresses, KeyOrigin.IMPORTED)
    person.submit(person.get("/encryption/open"), "form[action$='/encryption/open']", passphrase=PASSPHRASE)
    return person


def visit(person: Visitor, fill: Fill, file: Path) -> Page:
    content = re.sub(rb"\r?\n", b"\r\n", file.read_bytes())
    page = person.get(f"/message/{fill(person, content)[-1]}/INBOX")
    assert page.status == 200, file.name
    return open_keys(page, person) if page.soup.select(".seal-form") else page


def check_frames(person: Visitor, page: Page, file: Path) -> str:
    """What its frames say; each loads nothing from elsewhere, and has a policy that would forbid it."""
    assert not _LOADED.search(page.response.get_data(as_text=True)), file.name
    texts = []
    for frame in page.soup.select("iframe"):
        assert frame.has_attr("sandbox") and "allow-scripts" not in str(frame["sandbox"]), file.name
        shown = person.get(str(frame["src"]))
        assert "default-src 'none'" in shown.headers["Content-Security-Policy"], file.name
        assert not _LOADED.search(shown.response.get_data(as_text=True)), file.name
        texts.append(shown.text)
    return " ".join(texts)


def test_every_message_of_openpgp(reader, fill):
    found, wrong = {}, []
    for file in sorted(PGP.glob("*.eml")):
        page = visit(reader, fill, file)
        framed = check_frames(reader, page, file)
        found[file.name] = (state(page, "encryption"), state(page, "signature"))
        if found[file.name][0] == ["decrypted"] and CALLALOO not in file.read_text("latin-1"):
            if CALLALOO in page.one("main").get_text():
                wrong.append(file.name)  # decrypted, and outside its frame
            assert framed.strip(), file.name
    assert wrong == [] and len(found) > 20
    assert {name: found.get(name) for name in OPENPGP if name in found} == {k: v for k, v in OPENPGP.items() if k in found}


def test_every_message_of_smime(reader, fill):
    wrong: list[tuple[str, list[str], list[str]]] = []
    for file in sorted(SMIME.glob("*.eml")):
        page = visit(reader, fill, file)
        check_frames(reader, page, file)
        encryption, signatures = state(page, "encryption"), state(page, "signature")
        number = file.name.count("sig.SHA")
        if ".bad." in file.name:
            fine = signatures == ["bad"]
        elif "SHA1" in file.name:
            fine = bool(signatures) and set(signatures) <= {"bad"}
        else:
            fine = len(signatures) == number and set(signatures) <= {"good", "mismatch"}
        if ".env" in file.name:
            fine = fine and set(encryption) <= {"decrypted"}
        if encryption == ["decrypted"]:
            assert "<iframe" in page.response.get_data(as_text=True), file.name
        if not fine:
            wrong.append((file.name, encryption, signatures))
    assert wrong == []


def test_what_could_have_been_altered_is_kept_as_text(reader, fill):
    """CBC: an attacker may have put HTML around what was encrypted, so none is kept."""
    file = SMIME / "alice.env.eml"
    page = visit(reader, fill, file)
    assert "without formatting" in page.one(".keep-offer").get_text()
    kept = reader.submit(page, ".keep-offer form")
    assert kept.soup.select("[data-kept]") and not kept.soup.select("iframe[src*='/body/']")
    assert "not protected against alteration" in kept.one("[data-kept]").get_text()
    assert "Not signed" in kept.one("[data-kept]").get_text() and state(kept, "signature") == []
    back = reader.submit(kept, ".seal-kept form")
    source = reader.get(back.link("Save as a file (.eml)")).response.get_data()
    assert source == re.sub(rb"\r?\n", b"\r\n", file.read_bytes()) and state(back, "encryption") == ["decrypted"]
