"""X.509 certificates, of S/MIME: what they hold, and private keys with their certificates (PKCS#12) in and out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from webmail.crypto.certificate_facts import LONGEST_NAME, CertificateFacts, CertificateKind, parse_user_id
from webmail.crypto.errors import CryptoFailedError, CryptoTooLargeError, LockedKeyError, MalformedDataError
from webmail.crypto.external_programs import Arguments, InputPipe, run
from webmail.crypto.openpgp_signature_check import CURVE_NAMES

PROGRAM = "openssl"
MOST_BYTES = 2**18  # of a certificate, or of a key with its certificates
MOST_CERTIFICATES = 100  # in one file
MOST_ADDRESSES = 100
_SMTP_UTF8 = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.9")
_WRAPPED = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"  # that it is signed data
_PEM = re.compile(rb"-----BEGIN (CERTIFICATE|X509 CERTIFICATE|TRUSTED CERTIFICATE)-----.*?-----END \1-----", re.DOTALL)
_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----.*?-----END (?:[A-Z]+ )?PRIVATE KEY-----", re.DOTALL)
_PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


@dataclass(frozen=True, slots=True)
class SmimeKey:
    """A private key of S/MIME (PKCS#8, PEM, without passphrase), its certificate, and those of who signed that one (DER)."""

    key: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    chain: tuple[bytes, ...] = field(default=(), repr=False)


def split_certificates(data: bytes, *, wrapped: bool = False) -> list[bytes]:
    """Each certificate of a file (PEM or DER), as DER. Raises MalformedDataError where there is none.

    `wrapped`: they may stand in a signed message without content (PKCS #7), as directories keep them.
    """
    if len(data) > MOST_BYTES * 4:
        raise CryptoTooLargeError(f"{len(data)} bytes of certificates")
    if wrapped and _WRAPPED in data[:64]:
        return [each.public_bytes(serialization.Encoding.DER) for each in _unwrapped(data)]
    if b"-----BEGIN " not in data[:4096] and data[:1] == b"\x30":
        return [_loaded(data).public_bytes(serialization.Encoding.DER)]
    blocks = [match[0] for match in _PEM.finditer(data)]
    if not blocks:
        raise MalformedDataError("no certificate")
    if len(blocks) > MOST_CERTIFICATES:
        raise CryptoTooLargeError(f"{len(blocks)} certificates")
    return [_loaded(each, is_pem=True).public_bytes(serialization.Encoding.DER) for each in blocks]


def _unwrapped(data: bytes) -> list[x509.Certificate]:
    if len(data) > MOST_BYTES:
        raise CryptoTooLargeError(f"{len(data)} bytes of certificates")
    try:
        return pkcs7.load_der_pkcs7_certificates(data)[:MOST_CERTIFICATES]
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedDataError(f"no certificates in a wrapping: {error}") from error


def _loaded(data: bytes, *, is_pem: bool = False) -> x509.Certificate:
    if len(data) > MOST_BYTES:
        raise CryptoTooLargeError(f"a certificate of {len(data)} bytes")
    try:
        return x509.load_pem_x509_certificate(data) if is_pem else x509.load_der_x509_certificate(data)
    except ValueError as error:
        raise MalformedDataError(f"not a certificate: {error}") from error


def as_pem(certificates: Sequence[bytes]) -> bytes:
    return b"".join(_loaded(each).public_bytes(serialization.Encoding.PEM) for each in certificates)


def certificate_identifiers(certificate: bytes) -> frozenset[bytes]:
    """How messages name a certificate (DER): its serial number, and the identifier of its key where it tells one."""
    loaded = _loaded(certificate)
    serial = loaded.serial_number
    found = {serial.to_bytes(serial.bit_length() // 8 + 1, "big")}
    try:
        found.add(loaded.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest)
    except (x509.ExtensionNotFound, ValueError):
        return frozenset(found)
    return frozenset(found)


def x509_facts(certificate: bytes, at: datetime | None = None) -> CertificateFacts:
    """Facts of a certificate (DER). That its issuer is trusted, or that it is revoked, does not stand in it."""
    at = at or datetime.now(UTC)
    loaded = _loaded(certificate)
    try:
        usage = _usage(loaded)
        addresses, names = _addresses(loaded), _names(loaded.subject)
        issuer = ", ".join(_names(loaded.issuer)) or loaded.issuer.rfc4514_string()[:LONGEST_NAME]
        algorithm = _algorithm(loaded)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise MalformedDataError(f"a certificate with fields that can't be read: {error}") from error
    alive = loaded.not_valid_before_utc <= at < loaded.not_valid_after_utc
    return CertificateFacts(
        kind=CertificateKind.SMIME, fingerprint=loaded.fingerprint(hashes.SHA256()).hex().upper(), key_ids=(),
        addresses=addresses, names=names, made=loaded.not_valid_before_utc, expires=loaded.not_valid_after_utc,
        revoked=False, can_sign=alive and "sign" in usage, can_encrypt=alive and "encrypt" in usage, algorithm=algorithm,
        issuer=issuer,
    )  # fmt: skip


def _addresses(certificate: x509.Certificate) -> tuple[str, ...]:
    found: list[str] = []
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found += alternatives.get_values_for_type(x509.RFC822Name)
        for other in alternatives.get_values_for_type(x509.OtherName):
            if other.type_id == _SMTP_UTF8:  # a text of its own kind: its tag and its length stand before it
                found.append(other.value[2:].decode("utf-8", "replace"))
    except x509.ExtensionNotFound:
        pass  # older ones have their address in the subject alone
    found += [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)]
    addresses = [parse_user_id(text)[1] for text in found[:MOST_ADDRESSES]]
    return tuple(dict.fromkeys(address for address in addresses if address))


def _names(name: x509.Name) -> tuple[str, ...]:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME) or name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return tuple(dict.fromkeys(parse_user_id(str(each.value))[0] for each in found[:5] if parse_user_id(str(each.value))[0]))


def _usage(certificate: x509.Certificate) -> set[str]:
    """What it may be used for: sign, encrypt. A certificate that says nothing may all."""
    may = {"sign", "encrypt"}
    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, x509.KeyUsage):
            agrees = value.key_agreement and isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
            may &= {"sign"} if not (value.key_encipherment or agrees) else may
            may &= {"encrypt"} if not (value.digital_signature or value.content_commitment) else may
        elif isinstance(value, x509.ExtendedKeyUsage):
            allowed = {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
            may = may if allowed & set(value) else set()
        elif isinstance(value, x509.BasicConstraints) and value.ca:
            may = set()  # it signs certificates, not messages
        elif extension.critical and extension.oid not in _KNOWN_EXTENSIONS:
            may = set()
    if isinstance(certificate.public_key(), (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey, dsa.DSAPublicKey)):
        may -= {"encrypt"}
    return may


_KNOWN_EXTENSIONS = {
    ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE, ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.CERTIFICATE_POLICIES, ExtensionOID.CRL_DISTRIBUTION_POINTS, ExtensionOID.NAME_CONSTRAINTS,
    ExtensionOID.POLICY_CONSTRAINTS, ExtensionOID.INHIBIT_ANY_POLICY,
}  # fmt: skip


def _algorithm(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return CURVE_NAMES.get(key.curve.name, key.curve.name)
    return {"Ed25519PublicKey": "Curve25519", "Ed448PublicKey": "Curve448"}.get(type(key).__name__, type(key).__name__)


def read_pkcs12(data: bytes, password: str, *, owner: object) -> list[SmimeKey]:
    """The private keys in a .p12 or .pfx file, each with its certificate. By the program: a file may ask for years of work.

    Raises LockedKeyError where the passphrase is another, MalformedDataError where it isn't such a file or has no key.
    """
    if len(data) > MOST_BYTES * 4:
        raise CryptoTooLargeError(f"a key file of {len(data)} bytes")
    if "\n" in password or "\0" in password:
        raise LockedKeyError("no passphrase has two lines")
    text = ""
    for kind in ([], ["-legacy"]):  # what old programs wrote
        arguments: Arguments = ["pkcs12", *kind, "-nodes", "-passin", InputPipe(password.encode() + b"\n", "fd:{}")]
        finished = run(PROGRAM, arguments, data, owner=owner, most=MOST_BYTES * 8)
        if finished.status == 0:
            return _paired(finished.output)
        text += finished.text
    if "invalid password" in text or "mac verify" in text.lower():
        raise LockedKeyError("the passphrase is another")
    raise MalformedDataError("not a key file")


def read_pem_key(data: bytes, password: str, *, owner: object) -> list[SmimeKey]:
    """The private keys in PEM text, each with its certificate. Raises as `read_pkcs12` does."""
    keys = []
    for match in list(_KEY.finditer(data))[:10]:
        pipe = InputPipe(password.split("\n", maxsplit=1)[0].encode() + b"\n", "fd:{}")
        finished = run(PROGRAM, ["pkey", "-passin", pipe], match[0], owner=owner, most=MOST_BYTES)
        if finished.status:
            raise LockedKeyError("the passphrase is another")
        keys.append(finished.output)
    return _paired(b"".join(keys) + b"".join(match[0] for match in _PEM.finditer(data)))


def _paired(text: bytes) -> list[SmimeKey]:
    """Keys and certificates, each key with the certificate of its public half."""
    try:
        certificates = [x509.load_pem_x509_certificate(match[0]) for match in list(_PEM.finditer(text))[:MOST_CERTIFICATES]]
        found = []
        for match in list(_KEY.finditer(text))[:10]:
            key = serialization.load_pem_private_key(match[0], None)
            public = _public_bytes(key.public_key())
            own = next((each for each in certificates if _public_bytes(each.public_key()) == public), None)
            if own:
                found.append(SmimeKey(_private_bytes(key), *_with_chain(own, certificates)))
    except (ValueError, UnsupportedAlgorithm, TypeError) as error:
        raise MalformedDataError(f"a key file that can't be read: {error}") from error
    if not found:
        raise MalformedDataError("no private key with its certificate")
    return found


def _public_bytes(key: object) -> bytes:
    encode = getattr(key, "public_bytes")  # noqa: B009  # all kinds have it, and no type says so
    return bytes(encode(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def _private_bytes(key: object) -> bytes:
    encode = getattr(key, "private_bytes")  # noqa: B009
    form = serialization.PrivateFormat.PKCS8
    return bytes(encode(serialization.Encoding.PEM, form, serialization.NoEncryption()))


def _with_chain(own: x509.Certificate, certificates: list[x509.Certificate]) -> tuple[bytes, tuple[bytes, ...]]:
    """DER of a certificate, and of those above it as far as they are here."""
    chain: list[x509.Certificate] = []
    at = own
    while len(chain) < 8 and at.issuer != at.subject:
        above = next((each for each in certificates if each.subject == at.issuer and each not in chain), None)
        if above is None:
            break
        chain.append(above)
        at = above
    der = serialization.Encoding.DER
    return own.public_bytes(der), tuple(each.public_bytes(der) for each in chain)


def write_pkcs12(key: SmimeKey, password: str, name: str) -> bytes:
    """A .p12 file, as other programs import it. `password` may not be empty."""
    if not password:
        raise LockedKeyError("an exported key needs a passphrase")
    loaded = serialization.load_pem_private_key(key.key, None)
    if not isinstance(loaded, _PrivateKey):
        raise CryptoFailedError("a key of a kind that isn't exported")
    return pkcs12.serialize_key_and_certificates(
        name.encode(), loaded, _loaded(key.certificate), [_loaded(each) for each in key.chain],
        serialization.BestAvailableEncryption(password.encode()),
    )  # fmt: skip
