"""A security key in software: answers as a browser and its key would, and wrongly in every way that it is told to."""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cbor2 import dumps
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

ORIGIN = "https://mail.lycee.example"
RP_ID = "mail.lycee.example"
_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40
_ES256 = -7


@dataclass
class WebauthnKey:
    """A key with one credential of P-256. `step`: by how much its counter grows with each answer; 0 for passkeys.

    What each answer says can be changed by its arguments: `challenge`, `origin`, `rp_id`, `present`, `verified`, `count`,
    `handle`, `kind`, `cross_origin`, `identifier`, `signer`.
    """

    step: int = 1
    passkey: bool = False
    transports: tuple[str, ...] = ("usb",)
    identifier: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    count: int = 0
    handle: bytes = b""
    computes: bytes = b""  # the secret of its PRF; b"": it has none

    def create(self, options: dict[str, Any], **changes: Any) -> str:
        """The answer to registration options, as JSON; `alg` and `public_key` can be changed too."""
        self.handle = decoded(options["user"]["id"])
        client = self._client("webauthn.create", options, changes)
        data = self._data(changes, _ATTESTED) + bytes(16) + len(self.identifier).to_bytes(2, "big") + self.identifier
        data += changes.get("public_key") or dumps(self._cose(changes.get("alg", _ES256)))
        attested = {"fmt": changes.get("format", "none"), "attStmt": changes.get("statement", {}), "authData": data}
        response = {
            "clientDataJSON": encoded(client),
            "attestationObject": encoded(dumps(attested)),
            "transports": list(self.transports),
        }
        return self._told(response, changes, {"credProps": {"rk": self.passkey}})

    def get(self, options: dict[str, Any], **changes: Any) -> str:
        """The answer to assertion options, as JSON."""
        self.count += self.step
        client = self._client("webauthn.get", options, changes)
        data = self._data(changes, 0)
        signer = changes.get("signer", self.private)
        handle = changes.get("handle", self.handle if self.passkey else b"")
        response = {
            "clientDataJSON": encoded(client),
            "authenticatorData": encoded(data),
            "signature": encoded(signer.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))),
            "userHandle": encoded(handle) if handle else None,
        }
        return self._told(response, changes, self._computed(options, changes))

    def _computed(self, options: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
        """What the extension PRF gives, as our script tells it."""
        salts = options.get("extensions", {}).get("prf", {}).get("evalByCredential", {})
        salt = salts.get(encoded(self.identifier))
        told = encoded(hmac.digest(self.computes, decoded(salt["first"]), "sha256")) if self.computes and salt else None
        return {"prf": changes.get("computed", told)}

    def _client(self, kind: str, options: dict[str, Any], changes: dict[str, Any]) -> bytes:
        """What the browser says was asked, by whom."""
        said = {
            "type": changes.get("kind", kind),
            "challenge": changes.get("challenge", options["challenge"]),
            "origin": changes.get("origin", ORIGIN),
            "crossOrigin": changes.get("cross_origin", False),
        }
        return json.dumps(said).encode()

    def _data(self, changes: dict[str, Any], flags: int) -> bytes:
        flags |= _PRESENT if changes.get("present", True) else 0
        flags |= _VERIFIED if changes.get("verified", self.passkey) else 0
        count = changes.get("count", self.count)
        return sha256(changes.get("rp_id", RP_ID).encode()).digest() + bytes([flags]) + int(count).to_bytes(4, "big")

    def _cose(self, alg: int) -> dict[int, Any]:
        """The public key (RFC 9053 section 7.1)."""
        point = self.private.public_key().public_numbers()
        return {1: 2, 3: alg, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}

    def _told(self, response: dict[str, Any], changes: dict[str, Any], extensions: dict[str, Any]) -> str:
        identifier = encoded(changes.get("identifier", self.identifier))
        told = {"id": identifier, "rawId": identifier, "type": "public-key", "response": response}
        return json.dumps({**told, "clientExtensionResults": extensions, "authenticatorAttachment": "cross-platform"})


def encoded(data: bytes) -> str:
    """As base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "==")
