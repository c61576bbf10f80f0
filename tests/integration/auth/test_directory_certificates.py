"""Certificates in a real LDAP directory: found for whom one writes to, kept for that address alone, and silence is no error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

from tests.support import directory as support
from tests.support.directory import Directory
from tests.support.smime_people import needs_openssl, smime_person
from webmail.config.settings import Settings
from webmail.keys import known_certificates, ldap_lookup
from webmail.models import KeyOrigin, KnownCertificateRow, User
from webmail.web.current import settings as current_settings

pytestmark = needs_openssl


@pytest.fixture(scope="module")
def slapd() -> Iterator[Directory]:
    with support.running() as running:
        yield running


@pytest.fixture
def settings(app, slapd: Directory) -> Settings:
    with app.app_context():
        found = current_settings()
    return replace(found, ldap=slapd.settings(people_filter="(objectClass=inetOrgPerson)"))


@pytest.fixture
def reader(app, make_account) -> User:
    address = make_account()
    return User.get(User.address == address)


def put(slapd: Directory, uid: str, attribute: str, *values: bytes) -> None:
    import ldap

    dn = slapd.person(uid)
    with slapd.root() as connection:
        connection.modify_s(dn, [(ldap.MOD_ADD, attribute, list(values))])


def wrapped(certificate: bytes) -> bytes:
    return pkcs7.serialize_certificates([x509.load_der_x509_certificate(certificate)], serialization.Encoding.DER)


def test_certificates_of_those_who_are_asked_for_are_kept(slapd: Directory, settings: Settings, reader: User) -> None:
    put(slapd, "clara", "userCertificate;binary", smime_person("clara").certificate)
    put(slapd, "dora", "userSMIMECertificate", wrapped(smime_person("dora").certificate))
    put(slapd, "edgar", "userSMIMECertificate", b"\x30\x03\x02\x01\x01", wrapped(smime_person("edgar").certificate))
    put(slapd, "fanny", "userSMIMECertificate", wrapped(smime_person("gerda").certificate))  # another's
    put(slapd, "hugo", "userCertificate;binary", smime_person("hugo", days=(-300, -10)).certificate)
    asked = [f"{name}@lycee.example" for name in ("clara", "dora", "edgar", "fanny", "gerda", "hugo", "nobody*")]
    found = ldap_lookup.note_certificates(reader, asked, settings)
    assert found == {"clara@lycee.example", "dora@lycee.example", "edgar@lycee.example"}
    known = known_certificates.certificates_for(reader.id, asked)
    assert set(known) == found
    [clara] = known["clara@lycee.example"]
    assert (clara.origin, clara.kind, clara.is_good(), clara.checked) == (KeyOrigin.LDAP, "smime", True, None)
    KnownCertificateRow.delete().where(KnownCertificateRow.user == reader.id).execute()


def test_who_may_not_see_everyone_or_has_no_such_directory_asks_nobody(
    slapd: Directory, settings: Settings, reader: User
) -> None:
    asked = ["clara@lycee.example"]
    assert ldap_lookup.note_certificates(reader, asked, replace(settings, directory=False)) == set()
    assert ldap_lookup.note_certificates(reader, asked, replace(settings, ldap=slapd.settings(people_filter=""))) == set()
    assert ldap_lookup.note_certificates(reader, asked, replace(settings, ldap=None)) == set()


def test_a_directory_that_is_away_has_nobody(slapd: Directory, settings: Settings, reader: User) -> None:
    away = replace(settings, ldap=slapd.settings(people_filter="(objectClass=*)", url="ldap://127.0.0.1:1"))
    assert ldap_lookup.note_certificates(reader, ["clara@lycee.example"], away) == set()
