"""OpenPGP certificates: what they hold, of which only what their own key has signed counts.

Read here, and not by a library: the one there is (pysequoia) holds the interpreter while it works, and does not tell which names
are vouched for, or until when; the program has no verb for it. The rules are the program's as far as they go; to whom is really
encrypted, and what a signature is worth, it alone decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from webmail.crypto.certificate_facts import CertificateFacts, CertificateKind, parse_user_id
from webmail.crypto.errors import CryptoTooLargeError, MalformedDataError
from webmail.crypto.openpgp_packets import (
    EMBEDDED,
    KEY_ENDS,
    KEY_FLAGS,
    PUBLIC_KEY,
    PUBLIC_SUBKEY,
    SECRET_KEY,
    SECRET_SUBKEY,
    SIGNATURE,
    SIGNATURE_ENDS,
    USER_ATTRIBUTE,
    USER_ID,
    KeyPacket,
    Packet,
    SignaturePacket,
    dearmoured,
    hashed_key,
    key_packet,
    packets,
    signature_packet,
)
from webmail.crypto.openpgp_signature_check import algorithm_name, is_genuine

MOST_BYTES = 2**20
MOST_CERTIFICATES = 100  # in one file
MOST_USER_IDS = 100
MOST_SUBKEYS = 50
_MOST_CHECKS = 400  # signatures of its own that are checked: a tenth of a second
_DIRECT, _REVOCATION, _SUBKEY_BINDING, _SUBKEY_REVOCATION = 0x1F, 0x20, 0x18, 0x28
_CERTIFICATIONS, _CERTIFICATION_REVOCATION, _PRIMARY_BINDING = (0x10, 0x11, 0x12, 0x13), 0x30, 0x19
_IS_PRIMARY = 25
_SIGNS, _ENCRYPTS = 0x02, 0x04 | 0x08
_ARMOUR = ("PUBLIC KEY BLOCK", "PRIVATE KEY BLOCK")


@dataclass(slots=True)
class _Component:
    """A key, a subkey or a user id with the signatures after it."""

    tag: int
    body: bytes = field(repr=False)
    signatures: list[SignaturePacket] = field(default_factory=list)


@dataclass(slots=True)
class SignedKey:
    """A key or subkey of a certificate, and what the primary key says of it. `flags`: what it is for."""

    key: KeyPacket
    flags: int = 0
    expires: datetime | None = None
    revoked: bool = False
    bound: bool = False  # the primary key vouches for it

    def works(self, at: datetime) -> bool:
        return self.bound and not self.revoked and self.key.made <= at and (self.expires is None or self.expires > at)


@dataclass(slots=True)
class OpenpgpCertificate:
    """A certificate that was read: its primary key, the subkeys, the user ids that are vouched for (the main one first)."""

    primary: SignedKey
    subkeys: list[SignedKey]
    user_ids: list[str]
    is_secret: bool

    def key_of(self, issuer: str) -> SignedKey | None:
        """By its fingerprint or key id."""
        return next((each for each in (self.primary, *self.subkeys) if issuer in (each.key.fingerprint, each.key.key_id)), None)

    def facts(self, at: datetime | None = None) -> CertificateFacts:
        at = at or datetime.now(UTC)
        alive = self.primary.works(at)
        flags = 0
        for each in (self.primary, *self.subkeys):
            flags |= each.flags if alive and each.works(at) else 0
        parsed = [parse_user_id(text) for text in self.user_ids]
        encrypting = [each for each in self.subkeys if each.flags & _ENCRYPTS and each.works(at)]
        expiries = [each.expires for each in encrypting if each.expires]
        expires = self.primary.expires
        if encrypting and len(expiries) == len(encrypting):  # it can't be encrypted to any longer than to its longest subkey
            expires = min(max(expiries), expires or max(expiries))
        return CertificateFacts(
            kind=CertificateKind.OPENPGP,
            fingerprint=self.primary.key.fingerprint,
            key_ids=tuple(each.key.key_id for each in (self.primary, *self.subkeys) if each.bound),
            addresses=tuple(dict.fromkeys(address for _name, address in parsed if address)),
            names=tuple(dict.fromkeys(name for name, _address in parsed if name)),
            made=self.primary.key.made, expires=expires, revoked=self.primary.revoked,
            can_sign=bool(flags & _SIGNS), can_encrypt=bool(flags & _ENCRYPTS),
            algorithm=algorithm_name(self.primary.key), is_secret=self.is_secret,
        )  # fmt: skip


def split_certificates(data: bytes) -> list[bytes]:
    """Each certificate or private key of a file, armoured or not, as packets. Raises MalformedDataError where there is none."""
    raw = dearmoured(data, _ARMOUR)
    found: list[bytearray] = []
    for packet in packets(raw):
        if packet.tag in (PUBLIC_KEY, SECRET_KEY):
            found.append(bytearray())
        elif not found:
            raise MalformedDataError("does not begin with a key")
        found[-1] += written_packet(packet)
    if not found:
        raise MalformedDataError("no key")
    if len(found) > MOST_CERTIFICATES:
        raise CryptoTooLargeError(f"more than {MOST_CERTIFICATES} certificates")
    return [bytes(each) for each in found]


def written_packet(packet: Packet) -> bytes:
    """A packet with its header."""
    return bytes([0xC0 | packet.tag, 0xFF]) + len(packet.body).to_bytes(4, "big") + packet.body


def read_certificate(data: bytes) -> OpenpgpCertificate:
    """The first certificate or private key in `data`. No process, no network.

    Raises MalformedDataError where it can't be read, CryptoTooLargeError where it is larger than people's are.
    """
    raw = dearmoured(data, _ARMOUR)
    if len(raw) > MOST_BYTES:
        raise CryptoTooLargeError(f"a certificate of {len(raw)} bytes")
    components = _components(raw)
    if not components or components[0].tag not in (PUBLIC_KEY, SECRET_KEY):
        raise MalformedDataError("does not begin with a key")
    _refuse_many(components)
    return _CertificateCheck(components).certificate()


def _refuse_many(components: list[_Component]) -> None:
    for tags, most, what in (((USER_ID,), MOST_USER_IDS, "names"), ((PUBLIC_SUBKEY, SECRET_SUBKEY), MOST_SUBKEYS, "subkeys")):
        if (number := sum(each.tag in tags for each in components)) > most:
            raise CryptoTooLargeError(f"a certificate with {number} {what}")


def _components(raw: bytes) -> list[_Component]:
    """Up to the next certificate. Signatures that can't be read are left out: they vouch for nothing."""
    found: list[_Component] = []
    for packet in packets(raw):
        if packet.tag in (PUBLIC_KEY, SECRET_KEY) and found:
            break
        if packet.tag in (PUBLIC_KEY, SECRET_KEY, PUBLIC_SUBKEY, SECRET_SUBKEY, USER_ID, USER_ATTRIBUTE):
            found.append(_Component(packet.tag, packet.body))
        elif packet.tag == SIGNATURE and found and (signature := _readable(packet.body)):
            found[-1].signatures.append(signature)
    return found


def _readable(body: bytes) -> SignaturePacket | None:
    try:
        return signature_packet(body)
    except MalformedDataError:
        return None


class _CertificateCheck:
    """A certificate's reading: each signature of the primary key is checked before it counts."""

    def __init__(self, components: list[_Component]) -> None:
        self.first, self.others = components[0], components[1:]
        self.key = key_packet(self.first.body, secret=self.first.tag == SECRET_KEY)
        self.checks = 0

    def certificate(self) -> OpenpgpCertificate:
        primary = SignedKey(self.key)
        direct = self._newest(self.first, (_DIRECT,), b"")
        names: list[tuple[bool, datetime, str, SignaturePacket]] = []
        subkeys: list[SignedKey] = []
        for each in self.others:
            if each.tag == USER_ID:
                if vouched := self._user_id(each):
                    names.append(vouched)
            elif each.tag in (PUBLIC_SUBKEY, SECRET_SUBKEY) and (subkey := self._subkey(each)):
                subkeys.append(subkey)
        names.sort(key=lambda name: name[:2], reverse=True)
        bindings = [signature for signature in (names[0][3] if names else None, direct) if signature]
        primary.bound = bool(bindings)
        primary.revoked = self._newest(self.first, (_REVOCATION,), b"") is not None
        primary.flags = next((signature.hashed[KEY_FLAGS][0] for signature in bindings if signature.hashed.get(KEY_FLAGS)), 0)
        primary.expires = next((end for signature in bindings if (end := _key_end(self.key, signature))), None)
        return OpenpgpCertificate(primary, subkeys, [name[2] for name in names], self.first.tag == SECRET_KEY)

    def _user_id(self, component: _Component) -> tuple[bool, datetime, str, SignaturePacket] | None:
        """Whether it is the main one, when it was vouched for, its text; None where it isn't, or no longer."""
        signed = b"\xb4" + len(component.body).to_bytes(4, "big") + component.body
        binding = self._newest(component, _CERTIFICATIONS, signed)
        if binding is None or binding.made is None:
            return None
        revocation = self._newest(component, (_CERTIFICATION_REVOCATION,), signed)
        if revocation and revocation.made and revocation.made >= binding.made:
            return None
        text = component.body[:2000].decode("utf-8", "replace")
        return bool(int.from_bytes(binding.hashed.get(_IS_PRIMARY, b""), "big")), binding.made, text, binding

    def _subkey(self, component: _Component) -> SignedKey | None:
        try:
            subkey = SignedKey(key_packet(component.body, secret=component.tag == SECRET_SUBKEY))
        except MalformedDataError:
            return None  # of a kind that isn't read: the others may do
        binding = self._newest(component, (_SUBKEY_BINDING,), subkey.key)
        if binding is None:
            return subkey
        subkey.bound = True
        subkey.revoked = self._newest(component, (_SUBKEY_REVOCATION,), subkey.key) is not None
        subkey.flags = binding.hashed[KEY_FLAGS][0] if binding.hashed.get(KEY_FLAGS) else 0
        subkey.expires = _key_end(subkey.key, binding)
        if subkey.flags & _SIGNS and not self._is_signed_back(binding, subkey.key):
            subkey.flags &= ~_SIGNS  # somebody else's subkey could be claimed so
        return subkey

    def _is_signed_back(self, binding: SignaturePacket, subkey: KeyPacket) -> bool:
        embedded = _readable(binding.hashed.get(EMBEDDED) or binding.unhashed.get(EMBEDDED, b""))
        if embedded is None or embedded.kind != _PRIMARY_BINDING:
            return False
        return is_genuine(embedded, self._signed_with(embedded, subkey), subkey)

    def _newest(self, component: _Component, kinds: tuple[int, ...], signed: bytes | KeyPacket) -> SignaturePacket | None:
        """The newest of the primary key's own signatures of these kinds that is genuine, has begun and has not ended."""
        now = datetime.now(UTC)
        for signature in sorted(component.signatures, key=lambda each: each.made or now, reverse=True):
            if signature.kind not in kinds or not signature.is_by(self.key) or not _is_valid_at(signature, now):
                continue
            self.checks += 1
            if self.checks > _MOST_CHECKS:
                raise CryptoTooLargeError(f"a certificate with more than {_MOST_CHECKS} signatures of its own")
            if is_genuine(signature, self._signed_with(signature, signed), self.key):
                return signature
        return None

    def _signed_with(self, signature: SignaturePacket, signed: bytes | KeyPacket) -> bytes:
        """What the signature is over: the primary key, and a user id or a subkey."""
        more = signed if isinstance(signed, bytes) else hashed_key(signed, signature.version)
        return hashed_key(self.key, signature.version) + more


def _is_valid_at(signature: SignaturePacket, at: datetime) -> bool:
    if signature.made is None or signature.made > at:
        return False
    seconds = int.from_bytes(signature.hashed.get(SIGNATURE_ENDS, b""), "big")
    return not seconds or signature.made + timedelta(seconds=seconds) > at


def _key_end(key: KeyPacket, signature: SignaturePacket) -> datetime | None:
    seconds = int.from_bytes(signature.hashed.get(KEY_ENDS, b"")[:4], "big")
    return key.made + timedelta(seconds=seconds) if seconds else None


def revocations(data: bytes) -> Iterator[SignaturePacket]:
    """The revocations of a whole key in a file that holds nothing else, as they are printed on a sheet."""
    for packet in packets(dearmoured(data)):
        if packet.tag == SIGNATURE and (signature := _readable(packet.body)) and signature.kind == _REVOCATION:
            yield signature
