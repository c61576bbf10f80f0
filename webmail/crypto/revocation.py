"""Revocation of S/MIME certificates: where their authority tells of it, what it is asked (OCSP, RFC 6960), and what it answered.

An answer counts only with the authority's signature, for this certificate, and for today: whoever sends another one learns and
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from webmail.crypto.errors import MalformedDataError

MOST_LIST_BYTES = 5_000_000  # of a list of revoked certificates
MOST_ANSWER_BYTES = 65_536  # of an answer about one
_MOST_ADDRESSES = 2
_CLOCKS = timedelta(minutes=10)  # that an authority's clock may be ahead of ours
_OLDEST = timedelta(days=8)  # of an answer that does not say how long it holds
HOLD = "certificate_hold"  # the one reason that may be taken back
_READING = (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature, x509.ExtensionNotFound, x509.DuplicateExtension)


@dataclass(frozen=True, slots=True)
class RevocationSources:
    """Addresses (http, https) at which a certificate's authority tells whether it is revoked."""

    ocsp: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ocsp or self.lists)


@dataclass(frozen=True, slots=True)
class RevocationAnswer:
    """What an authority says of a certificate. `revoked`: since when (UTC); None: it is not. `until`: when it will say more."""

    revoked: datetime | None = None
    reason: str = ""  # as RFC 5280 calls it, in small letters: key_compromise, superseded, ...
    until: datetime | None = None


def revocation_sources(certificate: bytes) -> RevocationSources:
    """What a certificate (DER) names; nothing where it can't be read."""
    asked: list[str] = []
    lists: list[str] = []
    try:
        for extension in x509.load_der_x509_certificate(certificate).extensions:
            if isinstance(extension.value, x509.AuthorityInformationAccess):
                asked += [_url(each.access_location) for each in extension.value if each.access_method == _OCSP]
            elif isinstance(extension.value, x509.CRLDistributionPoints):
                for point in extension.value:
                    if not point.reasons and not point.crl_issuer:  # else it tells only of some, or another signs it
                        lists += [_url(name) for name in point.full_name or ()]
    except _READING:
        return RevocationSources()
    return RevocationSources(*(tuple(dict.fromkeys(filter(None, found)))[:_MOST_ADDRESSES] for found in (asked, lists)))


def issuer_of(certificate: bytes, candidates: Iterable[bytes]) -> bytes | None:
    """Which of these (DER) signed it; those that can't be read did not."""
    found = _loaded(certificate)
    for candidate in candidates:
        try:
            loaded = x509.load_der_x509_certificate(candidate)
            if loaded.subject == found.issuer and loaded.subject != found.subject:
                found.verify_directly_issued_by(loaded)
                return candidate
        except _READING:
            continue
    return None


def ocsp_request(certificate: bytes, issuer: bytes) -> bytes:
    """The question about one certificate, with nothing of who asks. By SHA-1, as RFC 5019 wants it: it only names the issuer."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(_loaded(certificate), _loaded(issuer), hashes.SHA1())  # noqa: S303
    return builder.build().public_bytes(serialization.Encoding.DER)


def read_ocsp(answer: bytes, certificate: bytes, issuer: bytes, at: datetime | None = None) -> RevocationAnswer:
    """What an OCSP answer says. Raises MalformedDataError where it says nothing that can be believed."""
    at, asked, authority = at or datetime.now(UTC), _loaded(certificate), _loaded(issuer)
    try:
        response = ocsp.load_der_ocsp_response(answer)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise MalformedDataError(f"OCSP: {response.response_status.name}")
        signer = _responder(response, authority, at)
        _verify(signer, response.signature, response.tbs_response_bytes, response.signature_hash_algorithm)
        fitting = [one for one in response.responses if _is_about(one, asked, authority)]
        if not fitting or not _is_of_today(fitting[0].this_update_utc, fitting[0].next_update_utc, at):
            raise MalformedDataError("OCSP: not about this certificate, or not of today")
        single = fitting[0]
        if single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
            raise MalformedDataError("OCSP: unknown to its authority")
        if single.certificate_status is ocsp.OCSPCertStatus.GOOD:
            return RevocationAnswer(until=single.next_update_utc)
        reason = single.revocation_reason.name if single.revocation_reason else ""
        return RevocationAnswer(single.revocation_time_utc, reason, single.next_update_utc)
    except _READING as error:
        raise MalformedDataError(f"OCSP: {type(error).__name__}") from error


def read_list(content: bytes, certificate: bytes, issuer: bytes, at: datetime | None = None) -> RevocationAnswer:
    """What a list of revoked certificates (CRL, DER or PEM) says. Raises MalformedDataError as `read_ocsp` does."""
    at, asked, authority = at or datetime.now(UTC), _loaded(certificate), _loaded(issuer)
    try:
        load = x509.load_pem_x509_crl if content.lstrip()[:11] == b"-----BEGIN " else x509.load_der_x509_crl
        found = load(content)
        if found.issuer != asked.issuer or not found.is_signature_valid(authority.public_key()):  # type: ignore[arg-type]
            raise MalformedDataError("a list that another signed")
        if not _is_of_today(found.last_update_utc, found.next_update_utc, at) or not _is_whole(found):
            raise MalformedDataError("a list of another day, or of some certificates")
        entry = found.get_revoked_certificate_by_serial_number(asked.serial_number)
        if entry is None:
            return RevocationAnswer(until=found.next_update_utc)
        return RevocationAnswer(entry.revocation_date_utc, _reason(entry), found.next_update_utc)
    except _READING as error:
        raise MalformedDataError(f"a list of revoked certificates: {type(error).__name__}") from error


_OCSP = AuthorityInformationAccessOID.OCSP


def _loaded(certificate: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(certificate)
    except ValueError as error:
        raise MalformedDataError(f"not a certificate: {error}") from error


def _url(name: x509.GeneralName) -> str:
    text = name.value if isinstance(name, x509.UniformResourceIdentifier) else ""
    return text if text.lower().startswith(("http://", "https://")) else ""


def _responder(response: ocsp.OCSPResponse, authority: x509.Certificate, at: datetime) -> x509.Certificate:
    """Who signed: the authority, or whom it allowed to answer for it. Raises MalformedDataError."""
    if response.responder_name == authority.subject or response.responder_key_hash == _key_hash(authority):
        return authority
    for one in response.certificates[:5]:
        if response.responder_name not in (None, one.subject) or response.responder_key_hash not in (None, _key_hash(one)):
            continue
        usage = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        alive = one.not_valid_before_utc - _CLOCKS <= at <= one.not_valid_after_utc
        if ExtendedKeyUsageOID.OCSP_SIGNING in usage and alive:
            one.verify_directly_issued_by(authority)
            return one
    raise MalformedDataError("OCSP: another one answers for the authority")


def _key_hash(certificate: x509.Certificate) -> bytes:
    """SHA-1 of the key itself, by which RFC 6960 names who answers."""
    return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def _verify(signer: x509.Certificate, signature: bytes, data: bytes, algorithm: hashes.HashAlgorithm | None) -> None:
    key = signer.public_key()
    if algorithm is None or isinstance(algorithm, (hashes.MD5, hashes.SHA1)):
        raise MalformedDataError("OCSP: signed by a method that proves nothing today")
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, data, padding.PKCS1v15(), algorithm)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, data, ec.ECDSA(algorithm))
    else:
        raise MalformedDataError("OCSP: a kind of key that is not known")


def _is_about(single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether an answer is about this certificate: two authorities may give the same number."""
    named = ocsp.OCSPRequestBuilder().add_certificate(certificate, authority, single.hash_algorithm).build()
    return (single.serial_number, single.issuer_name_hash, single.issuer_key_hash) == (
        named.serial_number, named.issuer_name_hash, named.issuer_key_hash,
    )  # fmt: skip


def _is_of_today(since: datetime, until: datetime | None, at: datetime) -> bool:
    return since - _CLOCKS <= at <= ((until or since + _OLDEST) + _CLOCKS)


def _is_whole(found: x509.CertificateRevocationList) -> bool:
    """Whether a list tells of all of its authority's certificates, and not of changes or of some reasons."""
    for extension in found.extensions:
        value = extension.value
        if isinstance(value, x509.IssuingDistributionPoint):
            if (
                value.indirect_crl
                or value.only_some_reasons
                or value.only_contains_ca_certs
                or value.only_contains_attribute_certs
            ):
                return False
        elif extension.critical:
            return False
    return True


def _reason(entry: x509.RevokedCertificate) -> str:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.name
    except x509.ExtensionNotFound:
        return ""
