"""Sending a message without its page: a draft is made, checked as *Send* checks it, and queued in the outbox.

The draft's id is drawn from the script's key: whoever asks again with the same key finds the same draft or the message that it
became, whichever process was killed at whatever moment.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from webmail import schedule
from webmail.account import Account
from webmail.accounts import permitted
from webmail.api.problems import ProblemError
from webmail.api.transfer_sending import checked_addresses
from webmail.compose import identities
from webmail.compose.attachments import attachment_rows, attachments
from webmail.compose.attachments.uploads import AllowanceUsedError, MessageTooLargeError
from webmail.compose.drafts import draft_message, drafts
from webmail.compose.drafts.fields import Fields
from webmail.compose.identities import NotYoursError
from webmail.compose.outbox import queue, send_later
from webmail.compose.recipients import recipients
from webmail.config.settings import Settings
from webmail.mail import Identity
from webmail.models import DraftRow, Outbox, User, WritingIdentity
from webmail.people import display_names, policies
from webmail.schedule import BadTimeError
from webmail.storage import CHUNK
from webmail.web.labels import name_objection

_ID = 32  # hex digits of a draft's id


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that comes along. `content`: in Base64."""

    name: str
    type: str
    content: str


def id_for(secret: str) -> str:
    """The draft's id for a key, of whose digest it is a part."""
    return secret[:_ID]


def queue_message(
    user: User, account: Account, draft_id: str, body: Mapping[str, Any], settings: Settings, credential: bytes | None
) -> Outbox:
    """The message in the outbox; the one that is there, where it was queued before.

    Raises ProblemError, TooManyRequestsError for its recipients, and what storage and mail raise. Then nothing is left behind.
    """
    if (before := queue.of_draft(user, draft_id)) is not None:
        return before
    files = [SentFile(one["name"], one.get("type", ""), one["content"]) for one in body.get("attachments", ())]
    at = _due(body.get("send_at", ""))
    me = _identity(user, body.get("from", ""), settings)
    fields = _fields(body, me)
    drafts.forget(draft_id, settings)  # of a process that was killed before it had queued anything
    row = drafts.new(user, fields, draft_id)
    try:
        _attach(row, files, settings)
        return _queued(row, identities.noun(me), user, account, settings, credential, at)
    except BaseException:
        if queue.of_draft(user, draft_id) is None:
            drafts.forget(draft_id, settings)
        raise


def _due(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return schedule.stored(datetime.fromisoformat(text), datetime.now(UTC), send_later.FURTHEST)
    except ValueError as error:  # BadTimeError among them
        words = "must be in the next twelve months" if isinstance(error, BadTimeError) else "is no moment"
        raise ProblemError("invalid", errors=[{"at": "/send_at", "fault": words}]) from error


def _identity(user: User, address: str, settings: Settings) -> WritingIdentity:
    found = identities.usable(user, settings)
    chosen = next((one for one in found if one.address == address.lower()), None) if address else found[0]
    if chosen is None:
        raise ProblemError("not-your-address")
    refused = display_names.objection(user, chosen.name, settings, chosen.address)
    if refused is not None:
        raise ProblemError("not-your-address", name_objection(refused))
    return chosen


def _fields(body: Mapping[str, Any], me: WritingIdentity) -> Fields:
    """Texts stand as they came: no signature is added."""
    to, cc, bcc, reply_to = (checked_addresses(tuple(body.get(name, ())), name) for name in ("to", "cc", "bcc", "reply_to"))
    if not (to or cc or bcc):
        raise ProblemError("invalid", errors=[{"at": "/to", "fault": "nobody is written to"}])
    once = recipients.without_repetition({"to": to, "cc": cc, "bcc": bcc})
    return Fields(
        to=once["to"], cc=once["cc"], bcc=once["bcc"], subject=body.get("subject", ""), body=body.get("text", ""),
        in_reply_to=body.get("in_reply_to", ""), references=" ".join(body.get("references", ())), identity=me.id,
        reply_to=reply_to,
    )  # fmt: skip


def _attach(row: DraftRow, files: Sequence[SentFile], settings: Settings) -> None:
    try:
        attachments.add_all(
            row, ((_chunks(file, position), file.name, file.type) for position, file in enumerate(files)), settings
        )
    except MessageTooLargeError as error:
        raise ProblemError("too-large", "The message would be too large.", limit=error.limit) from error
    except AllowanceUsedError as error:
        raise ProblemError("no-room", "Your drafts hold as much as they may.") from error


def _chunks(file: SentFile, position: int) -> Iterator[bytes]:
    try:
        data = base64.b64decode(file.content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProblemError("invalid", errors=[{"at": f"/attachments/{position}/content", "fault": "must be Base64"}]) from error
    return (data[at : at + CHUNK] for at in range(0, len(data), CHUNK))


def _queued(
    row: DraftRow, me: Identity, user: User, account: Account, settings: Settings, credential: bytes | None, at: datetime | None
) -> Outbox:
    if attachment_rows.too_large(row, most := policies.attachment_limit(user)) is not None:
        raise ProblemError("too-large", "An attachment would be too large.", limit=most)
    draft = draft_message.as_draft(row, me, settings)
    if unsendable := recipients.unsendable(draft, account):
        raise ProblemError("invalid", "The mail server can’t send to some of these addresses.", errors=[], addresses=unsendable)
    if refused := permitted.refused(user, (one.email for one in draft.recipients), settings):
        raise ProblemError("not-permitted", addresses=[one.address for one in refused])
    try:
        return queue.enqueue(row, draft, settings, credential, at=at)
    except NotYoursError as error:
        raise ProblemError("not-your-address") from error
