"""Arriving keys: the keys that come with a message, in its Autocrypt header or as files. They prove nothing by themselves."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from enum import StrEnum

from webmail.mime.headers import headers
from webmail.mime.headers.addresses import addresses
from webmail.mime.parser import ParsedMessage, read
from webmail.mime.protected.header_reading import header_block
from webmail.mime.transfer_encoding import decode_transfer
from webmail.mime.tree import PartNode

MOST_KEYS = 5
_LARGEST_KEY = 200_000  # bytes
_LARGEST_HEADER = 20_000  # bytes of Autocrypt
_MOST_PARTS = 200
_TYPE = "application/pgp-keys"
_BEGIN = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
_BLOCK = re.compile(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----.{0,300000}?-----END PGP PUBLIC KEY BLOCK-----", re.S)
_ATTRIBUTE = re.compile(r"\s*([a-zA-Z_-]{1,40})\s*=\s*(.*)\s*", re.S)


class KeySource(StrEnum):
    AUTOCRYPT = "autocrypt"
    ATTACHED = "attached"


@dataclass(frozen=True, slots=True)
class ArrivingKey:
    """A key of OpenPGP as it came: `data` armoured or binary, not parsed yet. `address`: whose Autocrypt says it is, else ""."""

    source: KeySource
    data: bytes
    address: str = ""
    prefers_encryption: bool = False


def arriving_keys(raw: bytes) -> tuple[ArrivingKey, ...]:
    """The keys that come with a message, at most MOST_KEYS. Never raises."""
    head = header_block(raw)
    found = []
    if stated := autocrypt(head):
        found.append(stated)
    return tuple([*found, *_attached(read(raw))][:MOST_KEYS])


def autocrypt(head: bytes) -> ArrivingKey | None:
    """The key of the Autocrypt header (level 1.1), if there is one valid header for the one sender of the message."""
    fields = headers.fields(head)
    senders = addresses(fields.get("from", []))
    if len(senders) != 1 or fields.get("content-type", [b""])[0].lower().startswith(b"multipart/report"):
        return None
    valid = [key for value in fields.get("autocrypt", [])[:10] if (key := _stated(value))]
    if len(valid) != 1 or valid[0].address != senders[0].email.lower():
        return None
    return valid[0]


def _stated(value: bytes) -> ArrivingKey | None:
    if len(value) > _LARGEST_HEADER:
        return None
    known: dict[str, str] = {}
    for piece in value.decode("utf-8", "replace").split(";"):
        if not piece.strip():
            continue
        found = _ATTRIBUTE.fullmatch(piece)
        if found is None:
            return None
        name, text = found[1].lower(), found[2].strip()
        if name in ("addr", "prefer-encrypt", "keydata"):
            known.setdefault(name, text)
        elif not name.startswith("_"):  # one we do not know and must not ignore
            return None
    if not known.get("addr") or not known.get("keydata"):
        return None
    try:
        data = binascii.a2b_base64("".join(known["keydata"].split()).encode("ascii"))
    except ValueError:  # no base64, or letters of other alphabets
        return None
    mutual = known.get("prefer-encrypt", "").lower() == "mutual"
    return ArrivingKey(KeySource.AUTOCRYPT, data, known["addr"].lower(), mutual)


def _attached(message: ParsedMessage) -> list[ArrivingKey]:
    found: list[ArrivingKey] = []
    for node in _leaves(message.root):
        if node.size > _LARGEST_KEY * 2 or len(found) >= MOST_KEYS:
            continue
        if node.type == _TYPE or _is_key_file(node):
            data = decode_transfer(message.content(node.section), node.encoding)
            blocks = _BLOCK.findall(data) if _BEGIN in data else [data] if node.type == _TYPE else []
            found += [ArrivingKey(KeySource.ATTACHED, block) for block in blocks if 0 < len(block) <= _LARGEST_KEY]
    return found[:MOST_KEYS]


def _is_key_file(node: PartNode) -> bool:
    params = {**node.params, **node.disposition_params}
    name = (params.get("filename") or params.get("name") or "").lower()
    return name.endswith((".asc", ".pgp", ".gpg")) and node.type.startswith(("text/", "application/octet-stream"))


def _leaves(root: PartNode) -> list[PartNode]:
    stack = [root]
    found: list[PartNode] = []
    while stack and len(found) < _MOST_PARTS:
        node = stack.pop(0)
        if node.children:
            stack = node.children + stack
        else:
            found.append(node)
    return found
