"""Envelopes: the MIME parts around what was signed or encrypted: multipart/signed (RFC 1847), multipart/encrypted (RFC 3156),
application/pkcs7-mime (RFC 8551).

Each `..._part` is a MIME part that can stand in another one; `message` puts one below a header.
"""

from __future__ import annotations

import base64
import re
import secrets

_MICALG = re.compile(r"[a-z0-9-]{1,30}")


def message(header: bytes, part: bytes) -> bytes:
    """A whole message: these header lines (`Payload.header`), which name no MIME type, and the part."""
    version = b"" if re.search(rb"^mime-version[ \t]*:", header, re.I | re.M) else b"MIME-Version: 1.0\r\n"
    return header + version + part


def signed_part(content: bytes, signature: bytes, micalg: str) -> bytes:
    """OpenPGP: the content, byte for byte, and its armored signature. `micalg` as RFC 3156 names it ("pgp-sha512")."""
    head = 'Content-Type: application/pgp-signature; name="signature.asc"\r\nContent-Description: OpenPGP digital signature\r\n'
    head += 'Content-Disposition: attachment; filename="signature.asc"\r\n\r\n'
    return _signed(content, head.encode() + _crlf(signature), "application/pgp-signature", micalg)


def smime_signed_part(content: bytes, signature: bytes, micalg: str) -> bytes:
    """S/MIME: the content, byte for byte, and its signature (DER)."""
    head = 'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\nContent-Transfer-Encoding: base64\r\n'
    head += 'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
    return _signed(content, head.encode() + _base64(signature), "application/pkcs7-signature", micalg)


def encrypted_part(armored: bytes) -> bytes:
    """OpenPGP: an armored encrypted message."""
    boundary = _boundary(armored)
    lines = [
        f'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted";\r\n boundary="{boundary}"', "",
        f"--{boundary}", "Content-Type: application/pgp-encrypted", "Content-Description: PGP/MIME version identification", "",
        "Version: 1", "", f"--{boundary}", 'Content-Type: application/octet-stream; name="encrypted.asc"',
        "Content-Description: OpenPGP encrypted message", 'Content-Disposition: inline; filename="encrypted.asc"', "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + _crlf(armored) + f"\r\n--{boundary}--\r\n".encode()


def smime_encrypted_part(enveloped: bytes, *, authenticated: bool) -> bytes:
    """S/MIME: EnvelopedData, or AuthEnvelopedData (`authenticated`, RFC 8551 section 3.4), as DER."""
    kind = "authEnveloped-data" if authenticated else "enveloped-data"
    head = f'Content-Type: application/pkcs7-mime; smime-type={kind}; name="smime.p7m"\r\nContent-Transfer-Encoding: base64\r\n'
    head += 'Content-Disposition: attachment; filename="smime.p7m"\r\n\r\n'
    return head.encode() + _base64(enveloped)


def _signed(content: bytes, signature: bytes, protocol: str, micalg: str) -> bytes:
    if not _MICALG.fullmatch(micalg):
        raise ValueError(f"not the name of a hash: {micalg!r}")
    boundary = _boundary(content)
    kind = f'Content-Type: multipart/signed; micalg="{micalg}"; protocol="{protocol}";\r\n boundary="{boundary}"\r\n\r\n'
    between = f"\r\n--{boundary}\r\n".encode()
    return kind.encode() + f"--{boundary}\r\n".encode() + content + between + signature + f"\r\n--{boundary}--\r\n".encode()


def _boundary(content: bytes) -> str:
    while (made := f"=_{secrets.token_hex(16)}").encode() in content:
        continue
    return made


def _crlf(armored: bytes) -> bytes:
    return re.sub(rb"\r\n|\r|\n", b"\r\n", armored.strip()) + b"\r\n"


def _base64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")
