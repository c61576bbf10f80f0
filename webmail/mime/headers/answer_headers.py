"""Answer headers: what a message says of the one that it answers, and whether a person or a program wrote it (RFC 3834)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from webmail.mime.formats import delivery_report
from webmail.mime.headers.addresses import addresses, authors
from webmail.mime.headers.encoded_words import decode
from webmail.mime.headers.headers import fields, message_ids

FIELDS = (
    "FROM SENDER SUBJECT MESSAGE-ID IN-REPLY-TO REFERENCES AUTO-SUBMITTED X-AUTOREPLY X-AUTORESPOND X-MAIL-AUTOREPLY PRECEDENCE "
    "LIST-ID RETURN-PATH CONTENT-TYPE X-FAILED-RECIPIENTS"
)
_AUTOREPLY = ("x-autoreply", "x-autorespond", "x-mail-autoreply")
_REPORT = re.compile(r"multipart/report\b.*\breport-type\s*=\s*\"?([\w-]+)", re.IGNORECASE | re.DOTALL)
_MOST_RETURNED = 100  # Message-IDs of a report that are looked at
_RETURNED_ID = re.compile(rb"^message-id:\s*(<[^<>\s\x00-\x1f\x7f]{1,995}>)", re.IGNORECASE | re.MULTILINE)


class WriterKind(StrEnum):
    PERSON = "person"
    AUTOMATIC = "automatic"  # an absence, a receipt of a helpdesk
    REPORT = "report"  # of delivery (RFC 3464)
    RECEIPT = "receipt"  # read (RFC 8098): says nothing


@dataclass(frozen=True, slots=True)
class AnswerHeaders:
    """`ids`: the messages that it answers, with angle brackets. `sender`: name or address; `email` alone, in lower case."""

    kind: WriterKind
    ids: frozenset[str]
    sender: str
    email: str
    subject: str


def read(raw: bytes) -> AnswerHeaders:
    """From a header block. Never raises."""
    found = fields(raw)

    def first(name: str) -> bytes:
        return found.get(name, [b""])[0]

    people = authors(found.get("from", [])) or addresses(found.get("sender", []))
    sender = people[0] if people else None
    ids = frozenset(message_ids(first("in-reply-to")) + message_ids(first("references")))
    label, email = (sender.label, sender.email.lower()) if sender else ("", "")
    return AnswerHeaders(_kind(found), ids, label, email, decode(first("subject")))


def _kind(found: dict[str, list[bytes]]) -> WriterKind:
    report = _REPORT.match(decode(found.get("content-type", [b""])[0][:2000]).strip())
    if report:
        return WriterKind.RECEIPT if report[1].lower() == "disposition-notification" else WriterKind.REPORT
    if "x-failed-recipients" in found:
        return WriterKind.REPORT
    said = decode(found.get("auto-submitted", [b""])[0]).partition(";")[0].strip().lower()
    precedence = decode(found.get("precedence", [b""])[0]).strip().lower()
    nobody = found.get("return-path", [b"<x>"])[0].strip() == b"<>"
    bulk = precedence in ("bulk", "junk", "auto_reply") and "list-id" not in found
    if said not in ("", "no") or nobody or bulk or any(name in found for name in _AUTOREPLY):
        return WriterKind.AUTOMATIC
    return WriterKind.PERSON


def returned(raw: bytes) -> tuple[frozenset[str], str]:
    """Of a report, as far as it was fetched: the Message-IDs in it, and to whom the message did not get, "" if to everybody."""
    ids = frozenset(found.decode("ascii", "replace") for found in _RETURNED_ID.findall(raw)[:_MOST_RETURNED])
    delivery = delivery_report.delivery(raw.decode("utf-8", "replace").replace("\r\n", "\n"))
    failed = [one.address for one in delivery.recipients if one.action == "failed"] if delivery else []
    return ids, ", ".join(failed)
