"""Queue of system mail: a row per message and recipient, stored before anything is sent, in the transaction of its caller.

    WAITING -> SENDING -> SENT, FAILED, UNCERTAIN (connection lost after the final dot: never sent again)
                       -> WAITING (temporary failure: retried for a day, then FAILED)

As in the outbox each change is one conditional UPDATE (`send_attempts.py`); there is nobody to undo or to retry.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import peewee as pw

from webmail import vault
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import BadAddressError
from webmail.mime import builder
from webmail.mime.headers.address_input import address_key
from webmail.models import OutboxState, SystemMessage, User, now

log = logging.getLogger(__name__)

PER_DAY = 30  # messages to one recipient
CALENDAR = ("reminder", "agenda", "room")  # kinds that people ask for: counted by themselves, so that they keep nothing else away
CALENDAR_PER_DAY = 60
FILES = ("files", "files-owner")  # about large files: to those who get them, to those who send or asked for them
FILES_PER_DAY = 200  # a class hands in its work in an hour
OUTSIDE = ("appointment", "poll")  # to people without an account, about what they booked or chose
OUTSIDE_PER_DAY = 60  # a family with four children at a parents' evening
LONGEST_SUBJECT = 300  # characters
LONGEST_BODY = 50_000
_SEALED = "sealed:"  # begins a text that holds a secret, as it is stored


def send(
    recipient: str, kind: str, subject: str, body: str, language: str, dedup: str = "", *, secret_key: str = "", html: str = "",
    reply_to: str = "", calendar: str = "", pace: timedelta | None = None,
) -> SystemMessage | None:  # fmt: skip
    """Queue a text for one address, with the same as `html`, and an event as `calendar`, where these are given; None if it had
    too many in the last 24 hours.

    `kind` is a word for the log. With `dedup`, a message of this kind to this recipient that was queued under the same key is
    returned instead, sent or not, as long as it is kept. Subject and text are in `language` already (see `in_language_of`).
    A text that holds a secret is stored sealed, with the installation's `secret_key`: a copy of the database does not tell it.
    Answers go to the address `reply_to`, if there is one. With `pace`, it leaves so long after the last of its kind that waits:
    thousands queued at once keep nothing of others waiting.
    The row belongs to the caller's transaction; `current.wake_system_mail` after it saves the wait for the next sweep.

    Raises BadAddressError, UnsafeValueError (a line end in the subject), ValueError for what is too long. Three queries.
    """
    recipient = _address(recipient)
    builder.header_value(subject)
    if len(subject) > LONGEST_SUBJECT or max(len(body), len(html), len(calendar)) > LONGEST_BODY:
        raise ValueError(f"a subject has {LONGEST_SUBJECT} characters at most, a text {LONGEST_BODY}")
    key = hashlib.sha256("\n".join((kind, recipient, dedup or secrets.token_hex(16))).encode()).hexdigest()
    if dedup and (there := SystemMessage.get_or_none(SystemMessage.dedup == key)):
        return there
    if secret_key:
        body, html, calendar = (_sealed(one, secret_key) if one else "" for one in (body, html, calendar))
    row = SystemMessage(
        recipient=recipient, kind=kind, subject=subject, body=body, language=language, dedup=key, html=html,
        calendar=calendar, reply_to=_address(reply_to) if reply_to else "", due=_paced_due(kind, pace) if pace else now(),
    )  # fmt: skip
    if is_too_many(row):
        log.warning("system mail %s not queued: its recipient had %d messages in a day", kind, most_of(kind))
        return None
    try:
        with db.atomic():
            row.save(force_insert=True)
    except pw.IntegrityError:  # somebody else queued it at this moment
        return SystemMessage.get_or_none(SystemMessage.dedup == key)
    return row


def _paced_due(kind: str, pace: timedelta) -> datetime:
    """When the next of this kind leaves. 1 query."""
    waiting = (SystemMessage.state == OutboxState.WAITING) & (SystemMessage.kind == kind) & (SystemMessage.attempts == 0)
    last: datetime | None = SystemMessage.select(pw.fn.MAX(SystemMessage.due)).where(waiting).scalar()
    return max(now(), last + pace) if last else now()


def text_of(row: SystemMessage, secret_key: str) -> str:
    """The text of a message. Raises vault.CannotOpenError, where the secret has changed since."""
    return _opened(row.body, secret_key)


def html_of(row: SystemMessage, secret_key: str) -> str:
    """The same of its HTML."""
    return _opened(row.html, secret_key)


def calendar_of(row: SystemMessage, secret_key: str) -> str:
    """The same of its event."""
    return _opened(row.calendar, secret_key)


def _opened(text: str, secret_key: str) -> str:
    if not text.startswith(_SEALED):
        return text
    return vault.open_secret(base64.b64decode(text.removeprefix(_SEALED)), secret_key, "system mail", 0).decode()


def _sealed(body: str, secret_key: str) -> str:
    return _SEALED + base64.b64encode(vault.seal_secret(body.encode(), secret_key, "system mail", 0)).decode()


def is_too_many(row: SystemMessage) -> bool:
    """Whether its recipient had as many as allowed in the day before it. 1 query.

    Asked again before it is sent: transactions that queue at the same moment don't see each other's rows.
    """
    before = (SystemMessage.recipient == row.recipient) & (SystemMessage.created > row.created - timedelta(days=1))
    of_their_own = next((kinds for kinds in (CALENDAR, FILES, OUTSIDE) if row.kind in kinds), None)
    before &= SystemMessage.kind.in_(of_their_own) if of_their_own else SystemMessage.kind.not_in(CALENDAR + FILES + OUTSIDE)
    if row.id is not None:
        before &= SystemMessage.id < row.id
    return bool(SystemMessage.select().where(before).count() >= most_of(row.kind))


def most_of(kind: str) -> int:
    """How many messages of this kind and those counted with it go to one recipient in a day."""
    if kind in FILES:
        return FILES_PER_DAY
    if kind in OUTSIDE:
        return OUTSIDE_PER_DAY
    return CALENDAR_PER_DAY if kind in CALENDAR else PER_DAY


def in_language_of(user: User, settings: Settings) -> str:
    """The language to write to somebody in: `with force_locale(in_language_of(user, settings)):` around the texts.

    Who chose none is written to in that of their browser when they last signed in.
    """
    return user.language or user.spoken or settings.language


def drop(recipients: Iterable[str]) -> int:
    """Forget what has not left yet for these addresses, whose account goes; returns how much it was. One DELETE."""
    theirs = [address_key(one) for one in recipients if one]
    waiting = SystemMessage.recipient.in_(theirs) & (SystemMessage.state == OutboxState.WAITING)
    return int(SystemMessage.delete().where(waiting).execute())


def expire(stored: timedelta) -> int:
    """Delete what is older, whatever became of it; returns how many. What is waiting ended long before."""
    return int(SystemMessage.delete().where(SystemMessage.created < now() - stored).execute())


def _address(text: str) -> str:
    """The one bare address, in lower case. Raises BadAddressError."""
    found = builder.parse_addresses(text)
    if len(found) != 1 or found[0].name:
        raise BadAddressError(text[:200])
    return address_key(found[0].email)


def count_by_state() -> dict[str, int]:
    """How many wait, and how many failed in the weeks that they are kept. 1 SELECT."""
    states = (OutboxState.WAITING, OutboxState.FAILED)
    found: Any = SystemMessage.select(SystemMessage.state, pw.fn.COUNT(SystemMessage.id)).where(SystemMessage.state.in_(states))
    return {str(state): 0 for state in states} | dict(found.group_by(SystemMessage.state).tuples())
