"""Whether an OpenPGP signature was made by a key over given bytes: the arithmetic, for the signatures inside certificates.

Messages are verified by the program (`openpgp.py`), which knows every kind of signature and every rule.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa, utils

from webmail.crypto.openpgp_packets import KeyPacket, SignaturePacket, multiprecision

# What is made with others (MD5, SHA-1, RIPEMD) proves nothing today, and the program refuses it too.
DIGESTS: dict[int, hashes.HashAlgorithm] = {
    8: hashes.SHA256(), 9: hashes.SHA384(), 10: hashes.SHA512(), 11: hashes.SHA224(),
    12: hashes.SHA3_256(), 14: hashes.SHA3_512(),
}  # fmt: skip
# Those that the program knows: what it can't use is not called usable. Not among them: Brainpool's, and secp256k1.
CURVES: dict[bytes, ec.EllipticCurve] = {
    bytes.fromhex("2a8648ce3d030107"): ec.SECP256R1(),
    bytes.fromhex("2b81040022"): ec.SECP384R1(),
    bytes.fromhex("2b81040023"): ec.SECP521R1(),
}
ED25519_CURVE = bytes.fromhex("2b06010401da470f01")
_MOST_MATERIAL = 4096  # bytes: RSA of 16384 bits takes half


def is_genuine(signature: SignaturePacket, signed: bytes, key: KeyPacket) -> bool:
    """Whether `key` made `signature` over `signed`; False too where its kind isn't known here."""
    algorithm = DIGESTS.get(signature.digest)
    if algorithm is None or len(key.material) > _MOST_MATERIAL or len(signature.material) > _MOST_MATERIAL:
        return False
    digest = hashlib.new(algorithm.name.replace("-", "_"), signature.salt + signed + signature.trailer).digest()
    if not hmac.compare_digest(digest[:2], signature.digest_start):
        return False
    try:
        return _verify(signature, digest, algorithm, key)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, IndexError, OverflowError):
        return False


def _verify(signature: SignaturePacket, digest: bytes, algorithm: hashes.HashAlgorithm, key: KeyPacket) -> bool:
    """True, False for an algorithm that isn't known, else one of the library's exceptions."""
    number, prehashed = key.algorithm, utils.Prehashed(algorithm)
    if number in (1, 3):
        modulus, exponent = multiprecision(key.material, 2)
        made = multiprecision(signature.material, 1)[0].to_bytes((modulus.bit_length() + 7) // 8, "big")
        rsa.RSAPublicNumbers(exponent, modulus).public_key().verify(made, digest, padding.PKCS1v15(), prehashed)
    elif number == 17:
        p, q, g, y = multiprecision(key.material, 4)
        public = dsa.DSAPublicNumbers(y, dsa.DSAParameterNumbers(p, q, g)).public_key()
        public.verify(utils.encode_dss_signature(*multiprecision(signature.material, 2)), digest, prehashed)
    elif number == 19:
        curve, point = _curve_and_point(key.material)
        elliptic = ec.EllipticCurvePublicKey.from_encoded_point(CURVES[curve], point)
        elliptic.verify(utils.encode_dss_signature(*multiprecision(signature.material, 2)), digest, ec.ECDSA(prehashed))
    elif number == 22:
        curve, point = _curve_and_point(key.material)
        if curve != ED25519_CURVE or point[:1] != b"\x40":
            return False
        made = b"".join(part.to_bytes(32, "big") for part in multiprecision(signature.material, 2))
        ed25519.Ed25519PublicKey.from_public_bytes(point[1:]).verify(made, digest)
    elif number == 27:
        ed25519.Ed25519PublicKey.from_public_bytes(key.material).verify(signature.material, digest)
    elif number == 28:
        ed448.Ed448PublicKey.from_public_bytes(key.material).verify(signature.material, digest)
    else:
        return False
    return True


def _curve_and_point(material: bytes) -> tuple[bytes, bytes]:
    """Raises ValueError for a curve that isn't known."""
    size = material[0]
    curve = material[1 : 1 + size]
    if curve not in CURVES and curve != ED25519_CURVE:
        raise ValueError("a curve that isn't known")
    point = multiprecision(material[1 + size :], 1)[0]
    return curve, point.to_bytes((point.bit_length() + 7) // 8, "big")


def is_supported(key: KeyPacket) -> bool:
    """Whether signatures of such a key can be checked at all, here and by the program."""
    if key.algorithm in (19, 22):
        curve = key.material[1 : 1 + key.material[0]]
        return curve in CURVES if key.algorithm == 19 else curve == ED25519_CURVE
    return key.algorithm in (1, 3, 17, 27, 28)


def algorithm_name(key: KeyPacket) -> str:
    """As people call it, such as "RSA 3072" or "Curve25519"."""
    if key.algorithm in (1, 2, 3, 16, 17):
        numbers = multiprecision(key.material, 1)
        name = {16: "ElGamal", 17: "DSA"}.get(key.algorithm, "RSA")
        return f"{name} {numbers[0].bit_length()}" if numbers else name
    if key.algorithm in (18, 19):
        curve = CURVES.get(key.material[1 : 1 + key.material[0]])
        if curve:
            return CURVE_NAMES[curve.name]
        return "Curve25519" if key.algorithm == 18 else "?"
    return {22: "Curve25519", 25: "Curve25519", 26: "Curve448", 27: "Curve25519", 28: "Curve448"}.get(key.algorithm, "?")


CURVE_NAMES = {"secp256r1": "NIST P-256", "secp384r1": "NIST P-384", "secp521r1": "NIST P-521"}
