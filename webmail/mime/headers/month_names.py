"""Month names as mail writes them (RFC 5322 section 3.3, RFC 3501 section 9, mbox): English, whatever the locale."""

from __future__ import annotations

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTH_NUMBERS = {name.lower().encode(): number for number, name in enumerate(MONTHS, 1)}
