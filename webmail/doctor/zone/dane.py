"""DANE: what a TLSA record says of the certificate that the mail server shows on port 25 (RFC 7672)."""

from __future__ import annotations

import contextlib
import hashlib
import smtplib
import ssl

from webmail.doctor.result import plain

PORT = 25
_DIGESTS = {"1": hashlib.sha256, "2": hashlib.sha512}


class NoCertificateError(Exception):
    """The server shows none, for the reason in the words."""


def server_certificate(host: str, timeout: float, port: int = PORT) -> bytes:
    """The certificate that it shows after STARTTLS, in DER; whoever signed it. Raises NoCertificateError."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # DANE itself says which one is right
    try:
        with contextlib.closing(smtplib.SMTP(host, port, timeout=timeout)) as client:
            client.starttls(context=context)
            assert isinstance(client.sock, ssl.SSLSocket)
            found = client.sock.getpeercert(binary_form=True)
    except (OSError, smtplib.SMTPException) as error:
        raise NoCertificateError(plain(error).rstrip(".")) from error
    if not found:
        raise NoCertificateError("none")
    return found


def wanted(certificate: bytes) -> str:
    """The record of a certificate's key: good for its successors while the key stays."""
    return f"3 1 1 {hashlib.sha256(_key(certificate)).hexdigest()}"


def fits(record: str, certificate: bytes) -> bool | None:
    """Whether a record is of this certificate; None for one of an authority, which can't be told from here."""
    usage, selector, digest, *data = record.lower().split()
    if usage != "3":
        return None
    content = _key(certificate) if selector == "1" else certificate
    made = _DIGESTS[digest](content).hexdigest() if digest in _DIGESTS else content.hex()
    return "".join(data) == made


def _key(certificate: bytes) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = x509.load_der_x509_certificate(certificate).public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
