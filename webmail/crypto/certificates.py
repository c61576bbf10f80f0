"""Certificates of either kind: which it is, and what it holds."""

from __future__ import annotations

from webmail.crypto import openpgp_certificates, x509_certificates
from webmail.crypto.certificate_facts import CertificateFacts
from webmail.crypto.openpgp_packets import is_armoured


def is_x509(data: bytes) -> bool:
    """Whether it looks like X.509: DER or PEM. Else it may be OpenPGP, whose packets begin with a bit that DER does not have."""
    return data[:1] == b"\x30" or (b"-----BEGIN " in data[:4096] and not is_armoured(data))


def split_certificates(data: bytes) -> list[bytes]:
    """Each certificate (or OpenPGP private key) of a file: packets, or DER. Raises MalformedDataError, CryptoTooLargeError."""
    return (x509_certificates if is_x509(data) else openpgp_certificates).split_certificates(data)


def facts_of(data: bytes) -> CertificateFacts:
    """Of the first certificate in `data`. No process, no network. Raises MalformedDataError, CryptoTooLargeError."""
    if is_x509(data):
        return x509_certificates.x509_facts(x509_certificates.split_certificates(data)[0])
    return openpgp_certificates.read_certificate(data).facts()
