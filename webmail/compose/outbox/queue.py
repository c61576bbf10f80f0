"""Outbox queue: every message is sent at most once, whatever fails, and failures after sending never make it look unsent.

    WAITING -> SENDING -> SENT (then filed)          WAITING -> CANCELLED (undone)
                       -> WAITING (temporary failure: retried for a day, then FAILED)
                       -> FAILED (permanent failure)  -> UNCERTAIN (connection lost after the final dot: no automatic retry)

Every state change is one conditional UPDATE that names the previous state, so of two concurrent workers, or clicks, only one
succeeds. A worker leases a row, keeps renewing the lease, and must still hold it to send the final dot: `attempts` is a fencing
token, incremented by any worker that takes over. Every function needs an open database connection. The worker's side is in
`delivery.py`, filing (the copy in Sent and so on) in `filing.py`.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import peewee as pw

from webmail import preferences
from webmail.compose import identities
from webmail.compose.awaited import awaited_replies
from webmail.compose.drafts import drafts, sealed_drafts
from webmail.compose.drafts.fields import Fields, fields_of, normalised, revision_of
from webmail.compose.outbox import filing, hidden_copies, recipient_limits, spool
from webmail.compose.outbox.hidden_copies import HiddenCopy
from webmail.config.settings import Settings
from webmail.database import idempotency
from webmail.database.connection import db
from webmail.database.prepared import Prepared, PreparedInsert
from webmail.errors import NoSuchMessageError
from webmail.mail import Draft
from webmail.models import DraftRow, Outbox, OutboxState, User, now

if TYPE_CHECKING:
    from webmail.compose.encryption.finished_messages import FinishedMessage

log = logging.getLogger(__name__)

_SECOND_CLICK = timedelta(minutes=1)
HIDDEN_SUBJECT = "..."  # what is told of an encrypted message in its place
_OPEN = [OutboxState.CANCELLED, OutboxState.FAILED]  # nobody received it: the same draft may be sent again

# All columns except the message itself, which may be large.
LIGHT = [field for field in Outbox._meta.sorted_fields if field is not Outbox.content]


# --- queueing --------------------------------------------------------------------------------------------------------


def enqueue(
    row: DraftRow,
    draft: Draft,
    settings: Settings,
    sealed_credential: bytes | None,
    *,
    at: datetime | None = None,
    dsn: bool = False,
    answer_due: datetime | None = None,
    protect: ProtectedBuild | None = None,
) -> Outbox:
    """Build the message of a draft, which `draft_message.as_draft` has rendered, and queue it, due after the undo delay, or
    `at` a chosen time (naive UTC).

    Idempotent: a draft that is waiting, being sent, sent or uncertain returns its existing row unchanged, so a second click sends
    nothing. One that was undone or failed is queued again. `dsn`: request a delivery status notification (RFC 3461) if supported.
    `answer_due`: when to remind of it if nobody has answered (naive UTC). `protect`: signs or encrypts it.

    Raises BadAddressError, UnsafeValueError, FilesGoneError, StorageFullError, StorageAwayError, identities.NotYoursError,
    TooManyRequestsError, and drafts.DraftChangedElsewhereError if the draft was edited while its message was being built; with
    `protect` what that does.
    """
    identities.check(row.user, draft.identity.email, settings)
    draft = identities.in_own_name(row.user, draft)
    content = _built(row, draft, settings, at, protect)
    needless = content.all()
    try:
        sent = _enqueued(row, draft, settings, sealed_credential, content, at, dsn, answer_due)
        if sent is not None:
            needless = content.former
    finally:
        for one in needless:
            spool.remove(one, settings)
    return sent or Outbox.select(*LIGHT).where(Outbox.draft == row.id).get()


@dataclass(frozen=True, slots=True)
class ProtectedBuild:
    """How a message is signed or encrypted: `build` gives it for those who may see each other, then for each hidden recipient.

    `word`: what is noted of it. `hides`: whether its subject is told to nobody else.
    """

    word: str
    build: Callable[[Draft, datetime], Iterator[FinishedMessage]]
    hides: bool


@dataclass(slots=True)
class _Contents:
    """What was built: the content of the row, its recipients, the hidden copies. `former`: files that are needed no longer."""

    content: bytes
    recipients: list[str]
    protection: ProtectedBuild | None = None
    hidden: list[HiddenCopy] = field(default_factory=list)
    former: list[bytes] = field(default_factory=list)

    def all(self) -> list[bytes]:
        return [self.content, *(copy.content for copy in self.hidden)]


def _built(row: DraftRow, draft: Draft, settings: Settings, at: datetime | None, protect: ProtectedBuild | None) -> _Contents:
    prove = identities.is_theirs(row.user, draft.identity, settings)
    if protect is None:
        everyone = list({address.email.lower(): address.email for address in draft.recipients}.values())
        return _Contents(spool.built(draft, settings, at=at, prove=prove), everyone)
    made: _Contents | None = None
    try:
        for one in protect.build(draft, at.replace(tzinfo=UTC) if at else datetime.now(UTC)):
            content = spool.stored(one.content, settings, prove=prove)
            if made is None:
                made = _Contents(content, list(one.recipients), protect)
            else:
                made.hidden.append(HiddenCopy(content, one.recipients[0]))
    except BaseException:
        for content in made.all() if made is not None else ():
            spool.remove(content, settings)
        raise
    assert made is not None, "a message is built of every draft"
    return made


_made = PreparedInsert(Outbox)
_of_draft = Prepared(lambda slot: Outbox.select(*LIGHT).where(Outbox.draft == slot("draft")))
_draft = Prepared(lambda slot: DraftRow.select().where(DraftRow.id == slot("draft")))


def _enqueued(
    row: DraftRow,
    draft: Draft,
    settings: Settings,
    sealed_credential: bytes | None,
    built: _Contents,
    at: datetime | None,
    dsn: bool,
    answer_due: datetime | None,
) -> Outbox | None:
    """Insert or reuse the row with this content; None if the draft already has a row that must not be replaced."""
    people = len(built.recipients) + len(built.hidden)
    subject = HIDDEN_SUBJECT if built.protection is not None and built.protection.hides else row.subject
    values = {
        "message_id": row.message_id,
        "subject": subject,
        "sender": draft.identity.email,
        "recipients": json.dumps(built.recipients),
        "refused": "{}",
        "content": built.content,
        "state": OutboxState.WAITING,
        "handed_over": False,
        "due": at or now() + timedelta(seconds=undo_seconds(row.user, settings)),
        "lease": None,
        "error": "",
        "credential": sealed_credential,
        "filed": False,
        "sent_at": None,
        "sent_mailbox": draft.identity.sent_mailbox,
        "created": now(),
        "scheduled": at,
        "revision": None if sealed_drafts.is_sealed(row) else revision_of(fields_of(row)),
        "people": len(built.recipients),
        "protection": built.protection.word if built.protection is not None else None,
        "dsn": dsn,
        **{name: getattr(row, name) for name in filing.TRACKED},
    }
    mine = Outbox.draft == row.id
    with db.atomic():
        idempotency.in_turn(row.user)
        before = _of_draft.first(draft=row.id)
        if before is not None and before.state not in _OPEN:
            return None
        present = _draft.first(draft=row.id)
        if present is not None and present.updated != row.updated:  # the message built is out of date
            raise drafts.DraftChangedElsewhereError(present)
        recipient_limits.check(row.user, people, at or now(), settings, besides=row.id)
        if answer_due is not None:
            to = ", ".join(address.label for address in draft.to or draft.recipients)
            awaited_replies.begin(row.user, row.message_id, subject, to, answer_due)
        elif before is not None:
            awaited_replies.withdraw(row.user, row.message_id)
        if before is None:
            with contextlib.suppress(pw.IntegrityError), db.atomic():  # a concurrent request was first: keep its row
                made: Outbox = _made(user=row.user, draft=row.id, **values)
                _put_hidden(made, built)
                return made
        again = Outbox.update(attempts=Outbox.attempts + 1, **values).where(mine & Outbox.state.in_(_OPEN)).execute()
        sent: Outbox | None = Outbox.select(*LIGHT).where(mine).get() if again else None
        if sent is not None:
            _put_hidden(sent, built, again=True)
    return sent


def _put_hidden(sent: Outbox, built: _Contents, *, again: bool = False) -> None:
    if built.hidden or again:
        built.former = hidden_copies.replace(sent, built.hidden, [json.dumps([copy.recipient]) for copy in built.hidden])


def enqueue_built(
    user: User, once: str, message_id: str, subject: str, recipients: list[str], content: bytes, sealed_credential: bytes | None
) -> Outbox:
    """Queue a message without a draft, with the null sender, due at once. `once`: what names it: a second time finds the same."""
    try:
        with db.atomic():
            return Outbox.create(
                user=user, draft=once, message_id=message_id, sender="", content=content, due=now(), subject=subject,
                recipients=json.dumps(recipients), credential=sealed_credential, people=1,
            )  # fmt: skip
    except pw.IntegrityError:
        return Outbox.get(Outbox.draft == once)


def undo_seconds(user: User, settings: Settings) -> int:
    """The user's undo delay in seconds: how long a message waits before it is sent."""
    own = preferences.for_user(user).undo_seconds
    return settings.undo_seconds if own < 0 else own


def of_draft(user: User, draft_id: str) -> Outbox | None:
    """The outbox row of a draft, without its content; None if there is none or it was undone."""
    found: Outbox | None = _of_draft.first(draft=draft_id)
    return found if found is not None and found.user_id == user.id and found.state != OutboxState.CANCELLED else None


def is_same(sent: Outbox, fields: Fields) -> bool:
    """Whether these fields are the text that was queued; a row without a revision is compared with its draft, or by its age."""
    if sent.revision is not None:
        return revision_of(fields) == sent.revision
    draft = DraftRow.get_or_none(DraftRow.id == sent.draft)
    if draft is not None and not sealed_drafts.is_sealed(draft):
        return fields_of(draft) == normalised(fields)
    return now() - sent.created < _SECOND_CLICK


# --- user actions ----------------------------------------------------------------------------------------------------


def undo(user: User, outbox_id: int) -> str | None:
    """Cancel a message that has not been sent; returns its draft's id, or None if it is too late."""
    still = (Outbox.id == outbox_id) & (Outbox.user == user) & (Outbox.state == OutboxState.WAITING) & Outbox.sent_at.is_null()
    changed = (
        Outbox.update(state=OutboxState.CANCELLED, content=b"", credential=None, lease=None, error="").where(still).execute()
    )
    if not changed:
        return None
    row = find(user, outbox_id)
    if row.protection:
        hidden_copies.cancel(row.id)
    awaited_replies.withdraw(user, row.message_id)
    return row.draft


def retry(user: User, outbox_id: int, sealed_credential: bytes | None) -> bool:
    """Retry a failed message, or an uncertain one (which may then arrive twice), at the user's request; False if neither."""
    mine = (Outbox.id == outbox_id) & (Outbox.user == user) & Outbox.state.in_([OutboxState.FAILED, OutboxState.UNCERTAIN])
    row = Outbox.select(*LIGHT).where(mine).first()
    if row is None:
        return False
    everyone = list(dict.fromkeys([*json.loads(row.recipients), *json.loads(row.refused)]))
    again = Outbox.update(
        state=OutboxState.WAITING, handed_over=False, lease=None, due=now(), error="", created=now(), scheduled=None,
        refused="{}", recipients=json.dumps(everyone), credential=sealed_credential, attempts=Outbox.attempts + 1,
    ).where(mine & (Outbox.attempts == row.attempts))  # fmt: skip
    return bool(again.execute())


def try_now(user: User, outbox_id: int) -> bool:
    """Try a message at once that waits for another attempt, or its copy in Sent; False if it does not."""
    mine = (Outbox.id == outbox_id) & (Outbox.user == user)
    again = (Outbox.state == OutboxState.WAITING) & ((Outbox.error != "") | Outbox.sent_at.is_null(False))
    unfiled = filing.unfinished() & (Outbox.error != "")
    return bool(Outbox.update(due=now()).where(mine & (again | unfiled)).execute())


def edit(user: User, outbox_id: int, settings: Settings) -> str | None:
    """The id of a draft with the text of a failed or uncertain message, or None if there is none.

    A failed message becomes its original draft again. An uncertain one may have arrived, so it is duplicated as a new message.
    """
    row = find(user, outbox_id)
    draft = DraftRow.get_or_none((DraftRow.id == row.draft) & (DraftRow.user == user))
    if draft is None or row.state not in (OutboxState.FAILED, OutboxState.UNCERTAIN, OutboxState.CANCELLED):
        return None
    return draft.id if row.state != OutboxState.UNCERTAIN else drafts.duplicate(draft, settings).id


def dismiss(user: User, outbox_id: int, sealed_credential: bytes | None = None) -> bool:
    """Remove a row from the list: a failed message stays a draft, an uncertain one counts as sent, refusals are cleared."""
    mine = (Outbox.id == outbox_id) & (Outbox.user == user)
    failed = Outbox.update(state=OutboxState.CANCELLED, content=b"", credential=None, error="")
    if failed.where(mine & (Outbox.state == OutboxState.FAILED)).execute():
        return True
    sent = Outbox.update(
        state=OutboxState.SENT, sent_at=now(), due=now(), lease=None, error="", attempts=0, credential=sealed_credential
    )
    if sent.where(mine & (Outbox.state == OutboxState.UNCERTAIN)).execute():
        return True
    return bool(Outbox.update(refused="{}").where(mine & (Outbox.state == OutboxState.SENT)).execute())


def find(user: User, outbox_id: int) -> Outbox:
    """The user's row, without its content. Raises NoSuchMessageError, also for somebody else's."""
    known = 0 < outbox_id < 2**63  # SQLite integers have 64 bits
    row = Outbox.select(*LIGHT).where((Outbox.id == outbox_id) & (Outbox.user == user)).first() if known else None
    if row is None:
        raise NoSuchMessageError(f"no outbox row {outbox_id} of {user.address}")
    return row


def listing(user: User) -> list[Outbox]:
    """The rows of the outbox page, newest first, at most 200: none that were undone; sent ones of the last day or with errors."""
    recent = (Outbox.sent_at > now() - timedelta(days=1)) | (Outbox.refused != "{}") | (Outbox.error != "")
    shown = Outbox.state.not_in([OutboxState.SENT, OutboxState.CANCELLED]) | ((Outbox.state == OutboxState.SENT) & recent)
    return list(
        Outbox.select(*LIGHT)
        .where((Outbox.user == user) & shown & hidden_copies.is_listed())
        .order_by(Outbox.created.desc())
        .limit(200)
    )
