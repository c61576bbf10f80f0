"""Certificates that their authority withdrew: asked by the worker after the page, told at the next look; silence says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from tests.support.revoking_authority import RevokingAuthority
from tests.support.smime_people import authority as other_authority
from tests.support.smime_people import needs_openssl, smime_person
from webmail.config.settings import Settings
from webmail.crypto import revocation, smime, x509_certificates
from webmail.crypto.errors import MalformedDataError
from webmail.crypto.signatures import SignatureState
from webmail.crypto.x509_certificates import SmimeKey
from webmail.http_fetch import ANYWHERE
from webmail.keys import certificate_revocations, known_certificates, revocation_rounds
from webmail.keys.messages import opening
from webmail.mime.headers import headers
from webmail.mime.protected import envelopes
from webmail.mime.protected.header_reading import header_block
from webmail.models import CertificateRevocation, KnownCertificateRow, User, now

pytestmark = needs_openssl
GOOD, REVOKED = SignatureState.GOOD, SignatureState.REVOKED


@pytest.fixture
def school(tmp_path: Path) -> RevokingAuthority:
    return RevokingAuthority(tmp_path)


@pytest.fixture
def trusting(settings: Settings, school: RevokingAuthority) -> Settings:
    return replace(settings, smime_authorities=str(school.folder / "ca.pem"))


@pytest.fixture(autouse=True)
def nothing_known(odile: User) -> Iterator[None]:
    yield
    CertificateRevocation.delete().execute()


def message(person: SmimeKey, name: str = "anna") -> bytes:
    content = b"Content-Type: text/plain\r\n\r\nBonjour\r\n"
    signed = envelopes.smime_signed_part(content, *smime.sign_detached(content, person, owner=1))
    date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    return f"From: {name}@lycee.example\r\nDate: {date}\r\nSubject: x\r\n".encode() + signed


def look(raw: bytes, user: User, settings: Settings) -> SignatureState:
    """One look at a message, a day after the last one."""
    CertificateRevocation.update(fresh_until=now() - timedelta(minutes=1)).execute()
    found = opening.open_message(raw, opening.reader(user, settings, None, headers.envelope(header_block(raw))))
    return found.parts[0].signatures[0].state


def waiting() -> int:
    return CertificateRevocation.select().where(CertificateRevocation.due.is_null(False)).count()


@pytest.mark.parametrize("way", ["ocsp", "list", "list after ocsp"])
def test_the_next_look_says_that_it_was_withdrawn(school: RevokingAuthority, trusting: Settings, odile: User, way: str) -> None:
    person = school.person("anna", ocsp=way != "list", lists=way != "ocsp")
    raw = message(person)
    school.write_list()
    ocsp = school.responding if way == "ocsp" else nullcontext
    with school.listing(), ocsp():
        assert look(raw, odile, trusting) is GOOD and waiting() == 1
        revocation_rounds.ask_all(trusting, **ANYWHERE)
        assert look(raw, odile, trusting) is GOOD
        assert CertificateRevocation.get().asked is not None
        assert known_certificates.certificates_for(odile.id, ["anna@lycee.example"])["anna@lycee.example"][0].is_good()
    school.revoke("anna")
    school.write_list()
    with school.listing(), ocsp():
        revocation_rounds.ask_all(trusting, **ANYWHERE)
        assert look(raw, odile, trusting) is REVOKED
        assert not known_certificates.certificates_for(odile.id, ["anna@lycee.example"])["anna@lycee.example"][0].is_good()
        assert waiting() == 0  # for ever: nobody asks again
    assert bool(school.asked) is (way != "ocsp")


def test_what_was_signed_before_a_certificate_was_replaced_stays_good(
    school: RevokingAuthority, trusting: Settings, odile: User
) -> None:
    raw = message(school.person("anna", ocsp=False))
    look(raw, odile, trusting)
    school.revoke("anna", "superseded")
    school.write_list()
    with school.listing():
        revocation_rounds.ask_all(trusting, **ANYWHERE)
    row = CertificateRevocation.get()
    assert row.reason == "superseded" and row.revoked is not None
    CertificateRevocation.update(revoked=now() + timedelta(hours=1)).execute()
    assert look(raw, odile, trusting) is GOOD
    CertificateRevocation.update(revoked=now() - timedelta(hours=1)).execute()
    assert look(raw, odile, trusting) is REVOKED
    CertificateRevocation.update(revoked=now() + timedelta(hours=1), reason="key_compromise").execute()
    assert look(raw, odile, trusting) is REVOKED  # the time of the signature is what its maker says


def test_silence_old_lists_and_those_of_others_say_nothing(school: RevokingAuthority, trusting: Settings, odile: User) -> None:
    raw = message(school.person("anna"))
    assert look(raw, odile, trusting) is GOOD
    revocation_rounds.ask_all(trusting, **ANYWHERE)  # nobody answers
    assert look(raw, odile, trusting) is GOOD
    revocation_rounds.ask_all(trusting)  # and without leave for this machine nobody is asked
    school.revoke("anna")
    school.write_list(days=-1)
    with school.listing():
        for content in (None, b"", b"<html>", b"\x30\x82" + b"\xff" * 5000, b"0" * (revocation.MOST_LIST_BYTES + 1)):
            if content is not None:
                (school.folder / "list.crl").write_bytes(content)
            look(raw, odile, trusting)
            revocation_rounds.ask_all(trusting, **ANYWHERE)
            assert look(raw, odile, trusting) is GOOD
            assert waiting() == 1
    assert len(school.asked) >= 5


def test_a_list_of_another_authority_withdraws_nothing(school: RevokingAuthority, tmp_path_factory) -> None:
    person = school.person("anna")
    ca = x509_certificates.split_certificates((school.folder / "ca.pem").read_bytes())[0]
    impostor = RevokingAuthority(tmp_path_factory.mktemp("impostor"))  # of the same name
    impostor.person("anna")
    impostor.revoke("anna")
    impostor.write_list()
    content = (impostor.folder / "list.crl").read_bytes()
    own = x509_certificates.split_certificates((impostor.folder / "ca.pem").read_bytes())[0]
    with pytest.raises(MalformedDataError):
        revocation.read_list(content, person.certificate, ca)
    assert revocation.issuer_of(person.certificate, [other_authority(), own, b"no certificate", ca]) == ca


@pytest.mark.parametrize("answers", ["responder", "anna"])
def test_only_who_the_authority_lets_answer_counts(school: RevokingAuthority, answers: str) -> None:
    person = school.person("anna")
    folder = school.folder
    ca = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    signer = x509.load_pem_x509_certificate((folder / f"{answers}.pem").read_bytes())
    key = serialization.load_pem_private_key((folder / f"{answers}.key").read_bytes(), None)
    at = datetime.now(UTC)

    def answer(asked: bytes, since: datetime) -> bytes:
        builder = ocsp.OCSPResponseBuilder().add_response(
            x509.load_der_x509_certificate(asked), ca, hashes.SHA1(), ocsp.OCSPCertStatus.REVOKED, since, since + timedelta(days=1),
            since, x509.ReasonFlags.key_compromise,
        )  # fmt: skip
        made = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer).certificates([signer]).sign(key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.DER)

    issuer = ca.public_bytes(serialization.Encoding.DER)
    if answers == "responder":
        assert revocation.read_ocsp(answer(person.certificate, at), person.certificate, issuer).reason == "key_compromise"
    else:
        with pytest.raises(MalformedDataError):
            revocation.read_ocsp(answer(person.certificate, at), person.certificate, issuer)
    for asked, since in ((person.certificate, at - timedelta(days=3)), (school.person("berta").certificate, at)):
        with pytest.raises(MalformedDataError):
            revocation.read_ocsp(answer(asked, since), person.certificate, issuer)
    whole = answer(person.certificate, at)
    with pytest.raises(MalformedDataError):
        revocation.read_ocsp(whole[:-1] + bytes([whole[-1] ^ 1]), person.certificate, issuer)


def test_who_nobody_trusts_is_not_asked_about(school: RevokingAuthority, settings: Settings, odile: User) -> None:
    """Else whoever makes a certificate of their own would learn when a message is read."""
    raw = message(school.person("anna"))
    assert look(raw, odile, settings) is SignatureState.UNKNOWN
    assert CertificateRevocation.select().count() == 0


def test_a_certificate_that_names_no_place_and_a_setting_that_is_off_ask_nothing(
    school: RevokingAuthority, trusting: Settings, odile: User
) -> None:
    assert look(message(school.person("anna", ocsp=False, lists=False)), odile, trusting) is GOOD
    off = replace(trusting, smime_revocation=False)
    assert look(message(school.person("berta"), "berta"), odile, off) is GOOD
    assert CertificateRevocation.select().count() == 0


def test_two_workers_ask_once_and_what_nobody_reads_is_forgotten(
    school: RevokingAuthority, trusting: Settings, odile: User
) -> None:
    look(message(school.person("anna")), odile, trusting)
    assert len(certificate_revocations.take_due(10)) == 1
    assert certificate_revocations.take_due(10) == []
    CertificateRevocation.update(wanted=now() - timedelta(days=500)).execute()
    certificate_revocations.clean_up()
    assert CertificateRevocation.select().count() == 0
    KnownCertificateRow.delete().execute()


def test_a_chain_is_kept_with_what_is_asked(school: RevokingAuthority, trusting: Settings, odile: User) -> None:
    look(message(school.person("anna")), odile, trusting)
    row = CertificateRevocation.get()
    assert row.fingerprint == x509_certificates.x509_facts(bytes(row.certificate)).fingerprint
    assert smime_person("anna").certificate != bytes(row.certificate)
