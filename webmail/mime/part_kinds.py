"""Part kinds: which viewer shows a part, by its type and name, and which small parts are fetched together with the text."""

from __future__ import annotations

from enum import StrEnum

from webmail.mail import Part, Structure

CARDS_LIMIT = 10  # parts of a message shown as cards
_CARD_SIZE = 1_000_000  # encoded bytes of a calendar
_SMALL_CARD_SIZE = 350_000  # encoded bytes of any other card
PREVIEW_SIZE = 5_000_000  # encoded bytes of an image shown as a thumbnail
PREVIEWS_LIMIT = 20
WRAPPED_SIZE = 10_000_000  # encoded bytes of an attached message that is decoded and parsed here


class PartKind(StrEnum):
    """The available viewers."""

    MESSAGE = "message"
    DELIVERY = "delivery"
    RECEIPT = "receipt"
    HEADERS = "headers"  # of a bounced message
    CALENDAR = "calendar"
    CARD = "card"
    TNEF = "tnef"
    IMAGE = "image"
    TEXT = "text"
    FILE = "file"


_TYPES = {
    "message/rfc822": PartKind.MESSAGE,
    "message/global": PartKind.MESSAGE,
    "message/delivery-status": PartKind.DELIVERY,
    "message/global-delivery-status": PartKind.DELIVERY,
    "message/disposition-notification": PartKind.RECEIPT,
    "message/global-disposition-notification": PartKind.RECEIPT,
    "text/rfc822-headers": PartKind.HEADERS,
    "message/global-headers": PartKind.HEADERS,
    "text/calendar": PartKind.CALENDAR,
    "application/ics": PartKind.CALENDAR,
    "text/vcard": PartKind.CARD,
    "text/x-vcard": PartKind.CARD,
    "text/directory": PartKind.CARD,
    "application/ms-tnef": PartKind.TNEF,
    "application/vnd.ms-tnef": PartKind.TNEF,
    "image/png": PartKind.IMAGE,
    "image/jpeg": PartKind.IMAGE,
    "image/gif": PartKind.IMAGE,
    "image/webp": PartKind.IMAGE,
    "message/feedback-report": PartKind.TEXT,  # RFC 5965
    "message/partial": PartKind.TEXT,  # RFC 2046 section 5.2.2
    "application/json": PartKind.TEXT,
    "application/xml": PartKind.TEXT,
    "application/x-yaml": PartKind.TEXT,
    "application/sql": PartKind.TEXT,
    "application/x-sh": PartKind.TEXT,
}
_ENDINGS = {"ics": PartKind.CALENDAR, "vcf": PartKind.CARD} | dict.fromkeys(
    ("csv", "json", "log", "txt", "md", "xml", "yaml", "yml", "ini", "conf"), PartKind.TEXT
)
_UNTOLD = ("application/octet-stream", "application/x-unknown", "application/unknown")
_PLAIN_ENCODINGS = ("", "7bit", "8bit", "binary")
_CARDS = (PartKind.DELIVERY, PartKind.RECEIPT, PartKind.HEADERS, PartKind.CALENDAR, PartKind.CARD)


def kind_of_part(part: Part) -> PartKind:
    """Which viewer shows a part. The type takes precedence over the name, unless it is generic."""
    ending = part.filename.rpartition(".")[2].lower()
    found = _TYPES.get(part.type)
    if part.filename.lower() == "winmail.dat" and part.type in _UNTOLD:
        return PartKind.TNEF
    if found is PartKind.MESSAGE and not is_wrapped(part) and (part.envelope is None or part.encoding not in _PLAIN_ENCODINGS):
        return PartKind.FILE  # the server does not parse it, and it is too large to be parsed here
    if found:
        return found
    if part.type in (*_UNTOLD, "text/plain") and ending in _ENDINGS:
        return _ENDINGS[ending]
    return PartKind.TEXT if part.type.startswith("text/") else PartKind.FILE


def is_wrapped(part: Part) -> bool:
    """Whether it is an attached message with a transfer encoding (against RFC 2046 section 5.2.1), which servers don't decode."""
    return _TYPES.get(part.type) is PartKind.MESSAGE and part.encoding not in _PLAIN_ENCODINGS and part.size <= WRAPPED_SIZE


def cards(shape: Structure, space: int) -> tuple[Part, ...]:
    """The attachments whose content a page shows as cards, within `space` encoded bytes; none is truncated."""
    found: list[Part] = []
    for part in shape.attachments:
        what = kind_of_part(part)
        most = min(_CARD_SIZE if what is PartKind.CALENDAR else _SMALL_CARD_SIZE, space)
        if what in _CARDS and part.size <= most and len(found) < CARDS_LIMIT:
            found.append(part)
            space -= part.size
    return tuple(found)


def previews(shape: Structure) -> tuple[Part, ...]:
    """The attached images shown as thumbnails below the text."""
    images = [part for part in shape.attachments if kind_of_part(part) is PartKind.IMAGE and part.size <= PREVIEW_SIZE]
    return tuple(images[:PREVIEWS_LIMIT])
