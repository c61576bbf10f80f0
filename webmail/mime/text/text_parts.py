"""Text parts: the first plain text of a message of which only the beginning was fetched, and when it was sent."""

from __future__ import annotations

import logging
from datetime import UTC, date
from email import message_from_bytes
from email.message import Message
from email.utils import parsedate_to_datetime

log = logging.getLogger(__name__)

_LONGEST = 65_536  # bytes
_MOST_PARTS = 20


def first_text(raw: bytes) -> tuple[str, date | None]:
    """Never raises: nothing of what can't be read."""
    try:
        message = message_from_bytes(raw[:_LONGEST])
        return _text_of(message), _sent(message)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError) as error:  # the parser's own, of hostile texts
        log.info("a text was not read: %s", error)
        return "", None


def _text_of(message: Message) -> str:
    for at, part in enumerate(message.walk()):
        if at >= _MOST_PARTS:
            break
        if part.get_content_type() == "text/plain":
            content = part.get_payload(decode=True)
            charset = str(part.get_content_charset("utf-8"))
            return content.decode(charset, "replace") if isinstance(content, bytes) else ""
    return ""


def _sent(message: Message) -> date | None:
    """By the clock of UTC; a day more or less does not matter for how far away another day is."""
    try:
        return parsedate_to_datetime(str(message["Date"])).astimezone(UTC).date()
    except (ValueError, TypeError, OverflowError):
        return None
