"""Accounts: the tokens that mail servers take instead of passwords."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import ECKey

from webmail.account import Token, TokenIssuer


def issuer(curve: ec.EllipticCurve | None = None) -> tuple[TokenIssuer, ECKey]:
    """With the key that the mail server has."""
    key = ec.generate_private_key(curve or ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return TokenIssuer(private, "https://webmail.example", "traboule", "k1", clock=lambda: 1_000_000.7), ECKey.import_key(public)


def test_a_token_says_who_it_is_for_and_holds_for_a_minute_between_clocks_that_differ_by_one() -> None:
    ours, key = issuer()
    token = jwt.decode(Token("alice@lycee.example", ours).make(), key, algorithms=["ES256"])
    assert token.header == {"typ": "JWT", "alg": "ES256", "kid": "k1"}
    assert token.claims == {
        "iss": "https://webmail.example", "sub": "alice@lycee.example", "azp": "traboule", "iat": 999_940, "nbf": 999_940, "exp": 1_000_120,
    }  # fmt: skip


def test_each_issuer_signs_with_its_own_key() -> None:
    (one, first), (other, second) = issuer(), issuer()
    for made, key in ((one, first), (other, second), (one, first)):
        assert jwt.decode(made.token("alice"), key, algorithms=["ES256"])
    with pytest.raises(BadSignatureError):
        jwt.decode(one.token("alice"), second, algorithms=["ES256"])


def test_another_curve_signs_nothing() -> None:
    with pytest.raises(JoseError):
        issuer(ec.SECP384R1())[0].token("alice")
