"""Certificate facts: what a certificate says of its owner and its keys, of OpenPGP and X.509 alike."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

_ADDRESS = re.compile(r"[^\s<>@\"(),:;\\\[\]]{1,64}@[^\s<>@\"(),:;\\\[\]]{1,255}")
_NAMED = re.compile(r"(?P<name>[^<>]*?)\s*<(?P<address>[^<>]+)>")
LONGEST_NAME = 200  # characters of it that are told


class CertificateKind(StrEnum):
    """A certificate's kind."""

    OPENPGP = "openpgp"
    SMIME = "smime"


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A certificate's facts. Times are in UTC; `expires` is None where it has no end.

    Of OpenPGP only what its own key vouches for: anybody can add a name or a subkey to somebody's certificate. That the owner is
    who they say they are is another question. `can_sign`, `can_encrypt`: now; `can_sign` is of the certificate, whose private key
    need not be here.
    """

    kind: CertificateKind
    fingerprint: str  # in capitals, without spaces; of X.509 SHA-256
    key_ids: tuple[str, ...]  # of OpenPGP, 16 digits: the primary key's and the subkeys', also those that are no longer used
    addresses: tuple[str, ...]  # lower case, the main one first
    names: tuple[str, ...]
    made: datetime
    expires: datetime | None
    revoked: bool
    can_sign: bool
    can_encrypt: bool
    algorithm: str  # such as "RSA 3072", "Curve25519"
    is_secret: bool = False  # private keys are in it
    issuer: str = ""  # of X.509: who signed it, as a name
    issuer_chain: tuple[bytes, ...] = field(default=(), repr=False)  # certificates that came with it, DER

    def is_expired(self, at: datetime) -> bool:
        return self.expires is not None and self.expires <= at


def parse_user_id(text: str) -> tuple[str, str]:
    """The name and the address in "Name <address>", a bare address, or a bare name; "" for what is absent."""
    text = "".join(letter for letter in text if unicodedata.category(letter)[0] != "C").strip()
    if match := _NAMED.fullmatch(text):
        name, address = match["name"].strip(' "'), match["address"].strip()
    else:
        name, address = ("", text) if _ADDRESS.fullmatch(text) else (text, "")
    return name[:LONGEST_NAME], address.lower() if _ADDRESS.fullmatch(address) else ""
