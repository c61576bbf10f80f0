"""Tokens signed with a key that no server knows."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from webmail.account import Token, TokenIssuer


def private_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def key_file(folder: Path) -> str:
    """For the setting `token_key_file`."""
    path = folder / "key.pem"
    path.write_text(private_key())
    path.chmod(0o600)
    return str(path)


def token(address: str = "alice@lycee.example") -> Token:
    return Token(address, TokenIssuer(private_key(), "https://webmail.example", "traboule", "k1"))
