"""System mail: what the establishment itself writes to somebody (recovery, notices, reports), never under a person's name.

`send` queues a message; the worker delivers it. Offer what needs it only where `settings.system_address` is set.
"""

from __future__ import annotations

from webmail.system_mail.delivery import deliver, sweep
from webmail.system_mail.queue import (
    LONGEST_BODY,
    LONGEST_SUBJECT,
    PER_DAY,
    count_by_state,
    drop,
    html_of,
    in_language_of,
    send,
    text_of,
)

__all__ = [
    "LONGEST_BODY",
    "LONGEST_SUBJECT",
    "PER_DAY",
    "count_by_state",
    "deliver",
    "drop",
    "html_of",
    "in_language_of",
    "send",
    "sweep",
    "text_of",
]
