"""What a part is shown as, by its type and its name, and which small parts are read together with the text."""

from __future__ import annotations

from enum import StrEnum

from webmail.mail import Part, Structure

CARDS_LIMIT = 10  # parts of a message that become cards
_CARD_SIZE = 1_000_000  # encoded bytes of a calendar
_SMALL_CARD_SIZE = 350_000  # of any other
PREVIEW_SIZE = 5_000_000  # encoded bytes of an image that is shown small
PREVIEWS_LIMIT = 20
WRAPPED_SIZE = 10_000_000  # encoded bytes of an attached message that is decoded and parsed here


class Kind(StrEnum):
    """The viewers there are."""

    MESSAGE = "message"
    DELIVERY = "delivery"
    RECEIPT = "receipt"
    HEADERS = "headers"  # those of a message that came back
    CALENDAR = "calendar"
    CARD = "card"
    TNEF = "tnef"
    IMAGE = "image"
    TEXT = "text"
    FILE = "file"


_TYPES = {
    "message/rfc822": Kind.MESSAGE,
    "message/global": Kind.MESSAGE,
    "message/delivery-status": Kind.DELIVERY,
    "message/global-delivery-status": Kind.DELIVERY,
    "message/disposition-notification": Kind.RECEIPT,
    "message/global-disposition-notification": Kind.RECEIPT,
    "text/rfc822-headers": Kind.HEADERS,
    "message/global-headers": Kind.HEADERS,
    "text/calendar": Kind.CALENDAR,
    "application/ics": Kind.CALENDAR,
    "text/vcard": Kind.CARD,
    "text/x-vcard": Kind.CARD,
    "text/directory": Kind.CARD,
    "application/ms-tnef": Kind.TNEF,
    "application/vnd.ms-tnef": Kind.TNEF,
    "image/png": Kind.IMAGE,
    "image/jpeg": Kind.IMAGE,
    "image/gif": Kind.IMAGE,
    "image/webp": Kind.IMAGE,
    "message/feedback-report": Kind.TEXT,  # RFC 5965
    "message/partial": Kind.TEXT,  # RFC 2046 section 5.2.2
    "application/json": Kind.TEXT,
    "application/xml": Kind.TEXT,
    "application/x-yaml": Kind.TEXT,
    "application/sql": Kind.TEXT,
    "application/x-sh": Kind.TEXT,
}
_ENDINGS = {
    "ics": Kind.CALENDAR, "vcf": Kind.CARD, "csv": Kind.TEXT, "json": Kind.TEXT, "log": Kind.TEXT, "txt": Kind.TEXT,
    "md": Kind.TEXT, "xml": Kind.TEXT, "yaml": Kind.TEXT, "yml": Kind.TEXT, "ini": Kind.TEXT, "conf": Kind.TEXT,
}  # fmt: skip
_UNTOLD = ("application/octet-stream", "application/x-unknown", "application/unknown")
_PLAIN_ENCODINGS = ("", "7bit", "8bit", "binary")
_CARDS = (Kind.DELIVERY, Kind.RECEIPT, Kind.HEADERS, Kind.CALENDAR, Kind.CARD)


def kind(part: Part) -> Kind:
    """How a part can be looked at. A type goes before a name, but one that says nothing."""
    ending = part.filename.rpartition(".")[2].lower()
    found = _TYPES.get(part.type)
    if part.filename.lower() == "winmail.dat" and part.type in _UNTOLD:
        return Kind.TNEF
    if found is Kind.MESSAGE and not is_wrapped(part) and (part.envelope is None or part.encoding not in _PLAIN_ENCODINGS):
        return Kind.FILE  # the server tells nothing of what is in it, and it is too large to be read here
    if found:
        return found
    if part.type in (*_UNTOLD, "text/plain") and ending in _ENDINGS:
        return _ENDINGS[ending]
    return Kind.TEXT if part.type.startswith("text/") else Kind.FILE


def is_wrapped(part: Part) -> bool:
    """Whether it is a message under an encoding (RFC 2046 section 5.2.1 forbids it), which servers read without undoing it."""
    return _TYPES.get(part.type) is Kind.MESSAGE and part.encoding not in _PLAIN_ENCODINGS and part.size <= WRAPPED_SIZE


def cards(shape: Structure, room: int) -> tuple[Part, ...]:
    """The attachments whose content a page shows as cards, whole ones only, within `room` encoded bytes."""
    found: list[Part] = []
    for part in shape.attachments:
        what = kind(part)
        most = min(_CARD_SIZE if what is Kind.CALENDAR else _SMALL_CARD_SIZE, room)
        if what in _CARDS and part.size <= most and len(found) < CARDS_LIMIT:
            found.append(part)
            room -= part.size
    return tuple(found)


def previews(shape: Structure) -> tuple[Part, ...]:
    """The attached images that are shown small below the text."""
    images = [part for part in shape.attachments if kind(part) is Kind.IMAGE and part.size <= PREVIEW_SIZE]
    return tuple(images[:PREVIEWS_LIMIT])
