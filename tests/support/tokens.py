"""Tokens signed with a key that no server knows."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from webmail.account import Token, TokenIssuer


def token(address: str = "alice@lycee.example") -> Token:
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Token(address, TokenIssuer(key, "https://webmail.example", "traboule", "k1"))
