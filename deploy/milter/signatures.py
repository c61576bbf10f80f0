"""DKIM signatures (RFC 6376) of mail from strangers, verified by dkimpy within bounds of time and memory.

dkimpy reads a message that its user wrote; here the sender is the attacker. So the body is not split into lines, the two regular
expressions that take quadratic time (runs of blanks) are replaced, and long signatures and huge keys are not looked at.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable

import dkim
from dkim import canonicalization

from deploy.milter.results import Result

MOST = 5  # signatures of one message
LARGEST = 40 * 1024 * 1024  # bytes of a message whose signatures are verified
_LONGEST_SIGNATURE = 4096  # bytes; one with a key of 4096 bits has 1500
_LONGEST_KEY = 1500  # characters of its DNS record; an RSA key of 8192 bits
_WEAK = {b"rsa-sha1"}  # RFC 8301 section 3.1
_memory = threading.Semaphore(4)  # messages that are in memory as a whole at the same time
log = logging.getLogger("milter")

Lookup = Callable[[str], list[str]]  # the TXT records of a name


class UnsureError(Exception):
    """DNS does not answer, or not in time."""


def verify(head: bytes, body: Callable[[], bytes], lookup: Lookup) -> list[Result]:
    """The results of the topmost signatures, in order; dkim=none if there is none. Never raises.

    `head` ends with an empty line, `body` reads the rest; `lookup` may raise UnsureError.
    """
    signatures = re.findall(rb"(?im)^dkim-signature[ \t]*:.*(?:\r\n[ \t].*)*", head)
    if not signatures:
        return [Result("dkim", "none")]
    with _memory:
        whole = body()
        if len(whole) > LARGEST:
            return [Result("dkim", "neutral", comment="too large")]
        long = [len(signature) > _LONGEST_SIGNATURE for signature in signatures[:MOST]]
        neutral = Result("dkim", "neutral", comment="too long")
        return [neutral if is_long else _one(head, whole, number, lookup) for number, is_long in enumerate(long)]


def _one(head: bytes, body: bytes, number: int, lookup: Lookup) -> Result:
    key = _Key(lookup)
    result, why, tags = "permerror", "", {}
    try:
        verifier = dkim.DKIM(head, minkey=1024, logger=_Silent())
        verifier.body = body
        verifier.signature_fields = {}
        try:
            good = verifier.verify(idx=number, dnsfunc=key)
        finally:
            tags = dict(verifier.signature_fields)
        result, why = ("pass", "") if good else ("fail", "") if key.usable else ("permerror", "no usable key")
    except UnsureError:
        result, why = "temperror", "no answer from DNS"
    except dkim.ValidationError as error:
        result, why = "fail", "the body was changed" if "body hash" in str(error) else "not valid"
    except Exception as error:  # of a library that reads what strangers wrote
        log.info("DKIM signature %d: %r", number + 1, error)
        why = "malformed"
    if result == "pass" and (trouble := _weakness(tags)):
        result, why = "policy", trouble
    shown = {"header.d": _text(tags, b"d").lower().rstrip("."), "header.i": _text(tags, b"i"), "header.s": _text(tags, b"s")}
    return Result("dkim", result, tuple((name, value) for name, value in shown.items() if value), why)


def _weakness(tags: dict[bytes, bytes]) -> str:
    """Why a signature that is right proves nothing all the same."""
    if b"l" in tags:
        return "a part of the body is not signed"
    return "weak algorithm" if tags.get(b"a", b"").lower() in _WEAK else ""


def _text(tags: dict[bytes, bytes], name: bytes) -> str:
    return tags.get(name, b"").decode("utf-8", "replace")


class _Key:
    """Looks up the public key for the library, which would take an error of DNS for a missing key."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self.usable = False

    def __call__(self, name: bytes, timeout: float = 0) -> bytes | None:
        records = [record for record in self._lookup(name.decode("utf-8", "replace")) if len(record) <= _LONGEST_KEY]
        self.usable = bool(records and re.search(r"(?:^|;)\s*p\s*=\s*[^;\s]", records[0]))
        return records[0].encode() if records else None


class _Silent:
    """A log for the library, which would write a stranger's words into ours."""

    def debug(self, *words: object) -> None: ...

    info = warning = error = critical = exception = debug


# --- canonical bodies (RFC 6376 section 3.4) in linear time, with nothing but replacements of fixed strings ------------

_LINES = b"\r\n" * 4096


def _strip_trailing_lines(content: bytes) -> bytes:
    end = len(content)
    while content.endswith(_LINES, 0, end):
        end -= len(_LINES)
    while content.endswith(b"\r\n", 0, end):
        end -= 2
    return content[:end] + b"\r\n"


def _relaxed_body(body: bytes) -> bytes:
    body = body.replace(b"\t", b" ")
    while b"  " in body:
        body = body.replace(b"  ", b" ")
    return canonicalization.correct_empty_body(_strip_trailing_lines(body.replace(b" \r\n", b"\r\n")))


canonicalization.strip_trailing_lines = _strip_trailing_lines
canonicalization.Relaxed.canonicalize_body = staticmethod(_relaxed_body)
