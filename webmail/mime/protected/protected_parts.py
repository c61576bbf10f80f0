"""Protected parts: what in the bytes of a message is signed or encrypted, by OpenPGP or S/MIME, and the exact bytes that were.

Only the whole message and its top parts are found: an encrypted part hidden deeper in a message is how others make a reader
decrypt what was never sent to them in that message (EFAIL), so it is told of and left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from webmail.mime.parser import ParsedMessage, read
from webmail.mime.transfer_encoding import decode_transfer
from webmail.mime.tree import PartNode

KEPT_NAME = "encrypted-original.eml"  # of the file in a copy that is kept decrypted (`kept_copy.py`)
MOST_PARTS = 3  # protected parts of one message that are opened
_MOST_CHILDREN = 100  # top parts that are looked at
_INLINE_TEXT = 5_000_000  # bytes of a text in which blocks are looked for
_DEEPEST = 20  # levels in which what is left alone is looked for

_CMS_TYPES = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_CMS_SIGNATURES = ("application/pkcs7-signature", "application/x-pkcs7-signature")
_PGP_SIGNATURE = "application/pgp-signature"
_PGP_VERSION = "application/pgp-encrypted"
_UNTOLD = ("application/octet-stream", "application/x-unknown", "application/unknown")
_TOPS = ("multipart/mixed", "multipart/alternative", "multipart/related")

_BARE_LF = re.compile(rb"(?<!\r)\n")
_BLANK_LINE = re.compile(rb"^[ \t\xa0\xc2]+(?=\r?$)", re.M)
_BEGIN = re.compile(rb"^-----BEGIN PGP (MESSAGE|SIGNED MESSAGE)-----[ \t]*\r?$", re.M)
_END = {
    b"MESSAGE": re.compile(rb"^-----END PGP MESSAGE-----[ \t]*\r?$", re.M),
    b"SIGNED MESSAGE": re.compile(rb"^-----END PGP SIGNATURE-----[ \t]*\r?$", re.M),
}


class ProtectionKind(StrEnum):
    """How a part is protected: RFC 3156 (PGP/MIME), RFC 8551 (S/MIME), or a block in a plain text."""

    PGP_ENCRYPTED = "pgp-encrypted"
    PGP_SIGNED = "pgp-signed"
    SMIME_ENCRYPTED = "smime-encrypted"
    SMIME_SIGNED = "smime-signed"  # with the signature beside what it signs
    SMIME_OPAQUE = "smime-opaque"  # with what it signs inside the signature
    INLINE_ENCRYPTED = "inline-encrypted"
    INLINE_SIGNED = "inline-signed"

    @property
    def is_encrypted(self) -> bool:
        return self in (ProtectionKind.PGP_ENCRYPTED, ProtectionKind.SMIME_ENCRYPTED, ProtectionKind.INLINE_ENCRYPTED)

    @property
    def is_inline(self) -> bool:
        return self in (ProtectionKind.INLINE_ENCRYPTED, ProtectionKind.INLINE_SIGNED)

    @property
    def is_smime(self) -> bool:
        return self in (ProtectionKind.SMIME_ENCRYPTED, ProtectionKind.SMIME_SIGNED, ProtectionKind.SMIME_OPAQUE)

    @property
    def is_beside(self) -> bool:
        """Whether the signature stands beside what it signs, which any mail program shows."""
        return self in (ProtectionKind.PGP_SIGNED, ProtectionKind.SMIME_SIGNED)


@dataclass(frozen=True, slots=True)
class ProtectedPart:
    """A protected part of a message.

    `content`: what is to be decrypted or unwrapped, transfer encoding removed; of a signature beside it the signed bytes as they
    came. `whole`: the message shows nothing else. `stripped`: it says that it is signed, and has no signature.
    """

    kind: ProtectionKind
    section: str  # IMAP's, "" for the root of a multipart message
    content: bytes
    signature: bytes = b""
    whole: bool = True
    stripped: bool = False
    charset: str = ""  # of an inline block

    @property
    def signed_forms(self) -> tuple[bytes, ...]:
        """The signed bytes as they may have been signed: with CRLF (RFC 1847 section 2.1), and as they came out of a layer."""
        canonical = _BARE_LF.sub(b"\r\n", self.content)
        return (canonical,) if canonical == self.content else (canonical, self.content)


@dataclass(frozen=True, slots=True)
class Protections:
    """What a message has of them: `parts`, at most MOST_PARTS; `deeper`: there are encrypted parts that are left alone."""

    parts: tuple[ProtectedPart, ...] = ()
    deeper: bool = False


def find(raw: bytes) -> Protections:
    """The protected parts of a message, or of what was inside a protected part. Never raises."""
    message = read(raw)
    root = message.root
    found = _protected(message, root, raw, whole=True)
    if found:
        return Protections((found,))
    if root.type == "text/plain":
        return Protections(tuple(_blocks(message, root, alone=True))[:MOST_PARTS])
    if root.type not in _TOPS:
        return Protections((), _any_encrypted(root))
    return _of_top_parts(message, raw)


def _of_top_parts(message: ParsedMessage, raw: bytes) -> Protections:
    root, parts = message.root, []
    children = root.children[:_MOST_CHILDREN]
    pair = _split_pair(message, children)
    if pair:
        return Protections((pair,))
    deeper = False
    for child in children:
        found = _protected(message, child, raw, whole=len(root.children) == 1) if root.type == "multipart/mixed" else None
        if found:
            parts.append(found)
        elif child.type == "text/plain" and child.disposition != "attachment":
            parts += _blocks(message, child, alone=False)
        else:
            deeper = deeper or _any_encrypted(child)
    return Protections(tuple(parts[:MOST_PARTS]), deeper or any(part.kind.is_encrypted for part in parts[MOST_PARTS:]))


def _protected(message: ParsedMessage, node: PartNode, raw: bytes, *, whole: bool) -> ProtectedPart | None:
    if node.type == "multipart/signed":
        return _signed(message, node, raw, whole=whole)
    if node.type == "multipart/encrypted":
        return _encrypted(message, node, whole=whole)
    if _is_cms(node):
        content = decode_transfer(message.content(node.section), node.encoding)
        kind = cms_kind(content)
        return ProtectedPart(kind, node.section, content, whole=whole) if kind else None
    return None


def _signed(message: ParsedMessage, node: PartNode, raw: bytes, *, whole: bool) -> ProtectedPart | None:
    """A multipart/signed (RFC 1847 section 2.1). More than its two children: what more there is, is not signed."""
    if not node.children:
        return None
    protocol = node.params.get("protocol", "").strip().lower()
    signature = node.children[1] if len(node.children) > 1 else None
    told = signature.type if signature else protocol
    if signature and told not in (_PGP_SIGNATURE, *_CMS_SIGNATURES):
        signature, told = None, protocol
    kind = ProtectionKind.SMIME_SIGNED if told in _CMS_SIGNATURES else ProtectionKind.PGP_SIGNED
    place = message.span(node.children[0].section)
    content = raw[place[0] : place[2]] if place else b""
    data = decode_transfer(message.content(signature.section), signature.encoding) if signature else b""
    alone = len(node.children) == (2 if signature else 1)
    return ProtectedPart(kind, node.section, content, data, whole and alone, stripped=not data.strip())


def _encrypted(message: ParsedMessage, node: PartNode, *, whole: bool) -> ProtectedPart | None:
    """A multipart/encrypted (RFC 3156 section 4): its second part."""
    if len(node.children) < 2 or node.children[0].type != _PGP_VERSION:
        return None
    content = decode_transfer(message.content(node.children[1].section), node.children[1].encoding)
    return ProtectedPart(ProtectionKind.PGP_ENCRYPTED, node.section, content, whole=whole and len(node.children) == 2)


def _split_pair(message: ParsedMessage, children: list[PartNode]) -> ProtectedPart | None:
    """What Exchange makes of a multipart/encrypted: a multipart/mixed of the same two parts, after an empty text."""
    types = [child.type for child in children]
    if types[-2:] != [_PGP_VERSION, "application/octet-stream"] or len(children) > 3:
        return None
    if len(children) == 3 and decode_transfer(message.content(children[0].section, 1000), children[0].encoding).strip():
        return None
    content = decode_transfer(message.content(children[-1].section), children[-1].encoding)
    return ProtectedPart(ProtectionKind.PGP_ENCRYPTED, "", content)


def _is_cms(node: PartNode) -> bool:
    if node.type in _CMS_TYPES:
        return True
    params = {**node.params, **node.disposition_params}
    name = params.get("filename") or params.get("name") or ""
    return node.type in _UNTOLD and name.strip().lower() == "smime.p7m"


def cms_kind(data: bytes) -> ProtectionKind | None:
    """What a CMS message (RFC 5652) is, by the type it begins with, whatever its headers say; None for certificates alone."""
    if data[:1] != b"\x30" or len(data) < 20:
        return None
    long = data[1] & 0x7F if data[1] & 0x80 else 0
    at = 2 + long
    if data[at : at + 1] != b"\x06" or long > 8:
        return None
    name = data[at + 2 : at + 2 + data[at + 1]]
    return _CMS_KINDS.get(name)


_CMS_KINDS = {
    bytes.fromhex("2a864886f70d010702"): ProtectionKind.SMIME_OPAQUE,  # signed-data
    bytes.fromhex("2a864886f70d010703"): ProtectionKind.SMIME_ENCRYPTED,  # enveloped-data
    bytes.fromhex("2a864886f70d0109100117"): ProtectionKind.SMIME_ENCRYPTED,  # authEnvelopedData (RFC 5083)
}


def _blocks(message: ParsedMessage, node: PartNode, *, alone: bool) -> Iterator[ProtectedPart]:
    """The blocks of a text that begin a line: what somebody quotes is not opened."""
    text = decode_transfer(message.content(node.section, _INLINE_TEXT), node.encoding)
    for count, (start, end, kind) in enumerate(_block_places(text)):
        if count >= MOST_PARTS:
            return
        whole = alone and not text[:start].strip() and not text[end:].strip()
        block = text[start:end]
        if kind is ProtectionKind.INLINE_ENCRYPTED:
            block = _BLANK_LINE.sub(b"", block)  # some programs write a no-break space into the empty line
        yield ProtectedPart(kind, node.section, block, whole=whole, charset=node.params.get("charset", ""))


def _block_places(text: bytes) -> Iterator[tuple[int, int, ProtectionKind]]:
    at = 0
    while begin := _BEGIN.search(text, at):
        end = _END[begin[1]].search(text, begin.end())
        if end is None:
            return
        yield (
            begin.start(),
            end.end(),
            ProtectionKind.INLINE_ENCRYPTED if begin[1] == b"MESSAGE" else ProtectionKind.INLINE_SIGNED,
        )
        at = end.end()


def _any_encrypted(node: PartNode) -> bool:
    """Whether something below is encrypted; an attached message is one of its own, which is opened on its own page."""
    level = [node]
    for _depth in range(_DEEPEST):
        if any(one.type == "multipart/encrypted" or one.type in _CMS_TYPES for one in level):
            return True
        level = [child for one in level for child in one.children]
    return False


def outline(root: PartNode) -> bool:
    """Whether a message may have protected parts, by its structure alone, before anything of it is read."""
    level = [root]
    for _depth in range(3):
        if any(one.type in ("multipart/signed", "multipart/encrypted", _PGP_VERSION) or _is_cms(one) for one in level):
            return True
        level = [child for one in level for child in one.children[:_MOST_CHILDREN]]
    return False


def has_block(text: str) -> bool:
    """Whether a text has a block of OpenPGP that begins a line."""
    return "-----BEGIN PGP " in text and next(_block_places(text.encode("utf-8", "replace")), None) is not None
