"""People with S/MIME keys, made once for a run of tests: an authority of a school, and who it signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from webmail.crypto.external_programs import is_installed
from webmail.crypto.x509_certificates import SmimeKey

needs_openssl = pytest.mark.skipif(not is_installed("openssl"), reason="openssl is not installed")
_DER = serialization.Encoding.DER
_Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class _Authority:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(name: str, issuer: str, key: _Key, days: tuple[int, int]) -> x509.CertificateBuilder:
    now = datetime.now(UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder().subject_name(_name(name)).issuer_name(_name(issuer)).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0])).not_valid_after(now + timedelta(days=days[1]))
    )  # fmt: skip


@cache
def _authority(name: str, above: str = "") -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    signer = _authority(above, "").key if above else key
    builder = _builder(name, above or name, key, (-400, 3650)).add_extension(x509.BasicConstraints(True, None), True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    return _Authority(key, builder.sign(signer, hashes.SHA256()))


def authority(name: str = "School", above: str = "") -> bytes:
    """The certificate (DER) of who signs people's."""
    return _authority(name, above).certificate.public_bytes(_DER)


@cache
def smime_person(
    name: str, kind: str = "rsa", days: tuple[int, int] = (-300, 300), use: str = "email", issuer: str = "School", above: str = ""
) -> SmimeKey:
    """A person whose certificate was made and ends so many days from now, for email or (`use`) for servers."""
    key: _Key = ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, 2048)
    usage = ExtendedKeyUsageOID.EMAIL_PROTECTION if use == "email" else ExtendedKeyUsageOID.SERVER_AUTH
    builder = (
        _builder(name.capitalize(), issuer, key, days).add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(f"{name}@lycee.example")]), False)
        .add_extension(x509.ExtendedKeyUsage([usage]), False)
    )  # fmt: skip
    certificate = builder.sign(_authority(issuer, above).key, hashes.SHA256())
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return SmimeKey(text, certificate.public_bytes(_DER))
