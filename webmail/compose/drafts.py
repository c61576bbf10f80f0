"""The life of a draft: its row holds the last text that reached us, its files lie in the uploads folder.

Copies on the IMAP server are in `copies.py`. Every function runs within an open database connection.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import peewee as pw

from webmail import mail
from webmail.compose import formats, gate, identities, pictures, uploads
from webmail.config import Settings
from webmail.mail import Address, BadAddress, Identity, MailError, NoSuchMessage
from webmail.mime import build
from webmail.models import AttachmentRow, DraftRow, Outbox, OutboxState, User, db, now

KEPT_DAYS = 30
_EMPTY_KEPT = timedelta(days=1)
_TOUCH = timedelta(milliseconds=1)  # a row whose last change is its making holds nothing that a person wrote
_ORPHAN_SECONDS = 3600
_LEFT_ALONE = timedelta(hours=1)
_COPY_EVERY = timedelta(minutes=1)
_COPY_SIZE = 1_000_000
_REFERENCES_KEPT = 30
_MESSAGE_ID = re.compile(r"<[^<>\s\x00-\x1f]{1,250}>")
_PHRASE = re.compile(r"[\w !#$%&'*+/=?^`{|}~-]*\Z")


@dataclass(frozen=True, slots=True)
class Fields:
    """What a form holds, as text. `references` are message ids separated by spaces; `source_*` the message answered."""

    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    body: str = ""
    in_reply_to: str = ""
    references: str = ""
    source_mailbox: str = ""
    source_uidvalidity: int = 0
    source_uid: int = 0
    source_flag: str = ""
    identity: int = 0  # of models.WritingIdentity; 0: the account itself
    format: str = ""  # formats.FORMATTED, or plain text
    priority: str = ""
    language: str = ""
    read_receipt: bool = False
    delivery_receipt: bool = False
    reply_to: str = ""  # for this message alone; empty: the identity's


class FilesGone(MailError):
    """The bytes of an attachment are not on the disk any more."""

    status = 410


class ChangedElsewhere(MailError):
    """Another form wrote another text into the draft meanwhile; `row` has that one."""

    status = 409

    def __init__(self, row: DraftRow) -> None:
        super().__init__(f"draft {row.id} was changed by another form")
        self.row = row


class AlreadyLeft(MailError):
    """The draft is in the outbox, or was sent: it can't be changed any more."""

    status = 409


def new(user: User, fields: Fields = Fields(), draft_id: str = "", writer: str = "") -> DraftRow:
    """A row for a message begun. `draft_id` is the one a form was given; a new one where empty. `writer`: see `store`.

    Raises NoSuchMessage for what is no id, AlreadyLeft when a message was sent under it.
    """
    draft_id = draft_id or new_id()
    if not uploads.is_draft_id(draft_id):
        raise NoSuchMessage(f"no draft has the id {draft_id!r}")
    if Outbox.select(Outbox.id).where(Outbox.draft == draft_id).exists():
        raise AlreadyLeft(f"draft {draft_id} has left")
    domain = user.address.rpartition("@")[2]
    begun = now()
    return DraftRow.create(
        id=draft_id, user=user, message_id=build.new_message_id(domain), created=begun - _TOUCH, updated=begun,
        writer=writer or None, **_stored(fields),
    )  # fmt: skip


def store(user: User, draft_id: str, fields: Fields, *, writer: str = "", began_from: str = "") -> DraftRow:
    """Keep the text of a form under its id, whose row is made if this is the first time.

    `writer` is a random name that the form got when it was shown, `began_from` the revision it was shown with. A text that
    another form wrote meanwhile is not overwritten. What this form itself sent before is: its requests may cross.

    Raises NoSuchMessage, AlreadyLeft, ChangedElsewhere.
    """
    row = DraftRow.get_or_none((DraftRow.id == draft_id) & (DraftRow.user == user))
    if row is None:
        try:
            with db.atomic():
                return new(user, fields, draft_id, writer)
        except pw.IntegrityError:  # made by another click at this moment, or somebody else's
            row = load(user, draft_id)
    fields = normalised(fields)
    while (present := fields_of(row)) != fields:
        if (row.writer or "") != writer and revision(present) != began_from:
            raise ChangedElsewhere(row)
        as_read = row.updated
        if touch(row, (DraftRow.updated == as_read) & _still_here(row.id), writer=writer or None, **asdict(fields)):
            break
        row = load(user, draft_id)  # somebody wrote in between
        if has_left(row.id):
            raise AlreadyLeft(f"draft {row.id} has left")
    return row


def revision(fields: Fields) -> str:
    """A short name for a text, the same for the same text. The files are not part of it: they never overwrite each other."""
    return hashlib.sha256(json.dumps(asdict(normalised(fields))).encode()).hexdigest()[:24]


def apart(row: DraftRow, fields: Fields, writer: str, settings: Settings) -> DraftRow:
    """A draft of its own for the text of a form that may not overwrite `row`, with the same files: one for each form."""
    own = (DraftRow.user == row.user) & (DraftRow.writer == writer) & (DraftRow.id != row.id)
    if writer and (before := DraftRow.select().where(own & _not_in_outbox()).first()):
        update(before, fields)
        return before
    twin = new(row.user, fields, writer=writer)
    _copy_files(row, twin, settings)
    return twin


def leave_untouched(row: DraftRow) -> None:
    """Say that all the row holds was put there by us, not typed: a day later it may go."""
    DraftRow.update(updated=DraftRow.created).where(DraftRow.id == row.id).execute()


def untouched(user: User, fields: Fields) -> DraftRow | None:
    """A row made before from the same fields and never changed: a link followed twice makes one draft."""
    values = _stored(fields)
    same = [getattr(DraftRow, name) == value for name, value in values.items()]
    return DraftRow.select().where(DraftRow.user == user, DraftRow.saved_at.is_null(), _not_in_outbox(), *same).first()


def _not_in_outbox() -> Any:
    return DraftRow.id.not_in(Outbox.select(Outbox.draft))


def has_left(draft_id: str) -> bool:
    """Whether its message is on its way, or was: what comes now would not be in it."""
    return bool(_leaving(draft_id).exists())


def _still_here(draft_id: str) -> Any:
    return ~pw.fn.EXISTS(_leaving(draft_id))


def _leaving(draft_id: str) -> Any:
    stopped = [OutboxState.CANCELLED, OutboxState.FAILED]
    return Outbox.select(Outbox.id).where(Outbox.draft == draft_id, Outbox.state.not_in(stopped))


def new_id() -> str:
    return secrets.token_hex(16)


def load(user: User, draft_id: str) -> DraftRow:
    """Raises NoSuchMessage, also for somebody else's."""
    row = DraftRow.get_or_none((DraftRow.id == draft_id) & (DraftRow.user == user))
    if row is None:
        raise NoSuchMessage(f"no draft {draft_id!r} of {user.address}")
    return row


def update(row: DraftRow, fields: Fields) -> bool:
    """Store the text that came; returns whether anything differs from what we had."""
    changed = {name: value for name, value in _stored(fields).items() if getattr(row, name) != value}
    if changed:
        touch(row, **changed)
    return bool(changed)


def fields_of(row: DraftRow) -> Fields:
    defaults = asdict(Fields())  # a column that is younger than the row holds NULL
    return Fields(**{name: default if (value := getattr(row, name)) is None else value for name, default in defaults.items()})


def is_empty(row: DraftRow) -> bool:
    """Whether a person put nothing into it: signatures and copies that the form begins with do not count."""
    return not identities.has_words(row) and not row.attachments.exists()


def unsaved(row: DraftRow) -> bool:
    """Whether the server's copy is missing or older than the row."""
    return row.saved_at is None or not row.saved_mailbox or row.updated > row.saved_at


def copy_is_due(row: DraftRow, *, leaving: bool = False) -> bool:
    """Whether an autosave should reach the server: the first one does, so that the draft can be found; later ones now and
    then, and the one when the page is left.

    With large files the server's copy is left to the "Save" button, because each copy carries them anew.
    """
    if not unsaved(row):
        return False
    if row.saved_at is None:
        return True
    return (leaving or now() - row.saved_at > _COPY_EVERY) and total_size(row) < _COPY_SIZE


def touch(row: DraftRow, still: Any = True, **values: object) -> bool:
    """Change columns of the row and of the object, and the time of the last change; False where `still` does not hold."""
    values["updated"] = now()
    if not DraftRow.update(values).where((DraftRow.id == row.id) & still).execute():
        return False
    for name, value in values.items():
        setattr(row, name, value)
    return True


def normalised(fields: Fields) -> Fields:
    """As they would come back from a row."""
    return Fields(**_stored(fields))


def _stored(fields: Fields) -> dict[str, Any]:
    """The fields as they may be kept: line ends LF, one line where a header is one line, no NUL, ids that are ids."""
    values = asdict(fields)
    for name in ("to", "cc", "bcc", "reply_to", "subject", "source_mailbox"):
        values[name] = gate.one_line(values[name])
    values["body"] = values["body"].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    values["in_reply_to"] = " ".join(message_ids(fields.in_reply_to)[-1:])
    values["references"] = " ".join(bounded(message_ids(fields.references)))
    if values["source_flag"] not in ("\\Answered", "$Forwarded"):
        values["source_flag"] = ""
    for name in ("source_uid", "source_uidvalidity"):  # a form may hold anything: 32 bits (RFC 3501 section 2.3.1.1)
        values[name] = values[name] if 0 < values[name] < 2**32 else 0
    values["identity"] = values["identity"] if 0 < values["identity"] < 2**63 else 0
    return values | formats.checked(values)


def message_ids(text: str) -> list[str]:
    return _MESSAGE_ID.findall(text)


def bounded(references: list[str]) -> list[str]:
    """The thread's first message and its last ones: a header must not grow for ever (RFC 5322 section 2.1.1)."""
    references = list(dict.fromkeys(references))
    return references if len(references) <= _REFERENCES_KEPT else [references[0], *references[1 - _REFERENCES_KEPT :]]


# --- attachments -----------------------------------------------------------------------------------------------------


def total_size(row: DraftRow) -> int:
    """About how many bytes the message has as sent."""
    text = len(row.body.encode(errors="replace"))
    text = 4096 + (text * 4 if row.format else text)  # as text and as HTML, base64 at worst
    return text + sum(uploads.encoded_size(attachment.size) for attachment in row.attachments)


# --- the message -----------------------------------------------------------------------------------------------------


def as_draft(row: DraftRow, identity: Identity, settings: Settings, *, lenient: bool = False) -> mail.Draft:
    """The message that the row describes. Raises BadAddress.

    `lenient` is for the copy in Drafts: what is no address is left out, and the text stays as typed, its pictures' marks too.
    """
    read = readable_addresses if lenient else build.parse_addresses
    written = pictures.written(row, settings)
    answers = read(row.reply_to or "") or identity.reply_to
    return mail.Draft(
        identity=replace(identity, reply_to=answers),
        to=read(row.to),
        cc=read(row.cc),
        bcc=read(row.bcc),
        subject=row.subject,
        text=row.body if lenient else written.text,
        attachments=written.files,
        message_id=row.message_id,
        in_reply_to=row.in_reply_to,
        references=tuple(row.references.split()),
        html=written.html,
        language=row.language or "",
        priority=row.priority or "",
        read_receipt=bool(row.read_receipt),
        note=formats.note(fields_of(row)),
    )


def built(draft: mail.Draft, *, include_bcc: bool, at: datetime | None = None) -> bytes:
    """The message as bytes, dated `at` (UTC, naive) or now.

    Raises UnsafeValue, BadAddress, and FilesGone when an attachment can't be read.
    """
    try:
        return build.build(draft, date=_date(at), include_bcc=include_bcc)
    except OSError as error:
        raise FilesGone(f"an attachment of the draft can't be read: {error}") from error


def write(out: IO[bytes], draft: mail.Draft, *, include_bcc: bool, at: datetime | None = None) -> None:
    """The same into a file, in constant memory. Raises uploads.NoRoom too."""
    try:
        with uploads.full_disk_told():
            build.write(out, draft, date=_date(at), include_bcc=include_bcc)
    except OSError as error:
        raise FilesGone(f"an attachment of the draft can't be read: {error}") from error


def _date(at: datetime | None) -> datetime:
    return at.replace(tzinfo=UTC) if at else datetime.now(UTC)


def readable_addresses(text: str) -> tuple[Address, ...]:
    """The addresses among what was typed so far."""
    try:
        return build.parse_addresses(text)
    except BadAddress:
        found: list[Address] = []
        for piece in re.split(r"[,;]", text):
            try:
                found.extend(build.parse_addresses(piece))
            except BadAddress:
                continue
        return tuple(found)


def address_text(addresses: Iterable[Address]) -> str:
    """Addresses as a field of the form shows them; a name that could be taken for syntax is quoted (RFC 5322 section 3.2.4)."""
    return ", ".join(_one_address(address) for address in addresses)


def _one_address(address: Address) -> str:
    # a name with brackets would look like a second address, to people and to the reader of the field
    name = " ".join(address.name.replace("<", " ").replace(">", " ").split())
    if not name or name == address.email:
        return address.email
    if not _PHRASE.match(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address.email}>"


# --- another one from this, and the end ------------------------------------------------------------------------------


def duplicate(row: DraftRow, settings: Settings) -> DraftRow:
    """A draft of its own with the same text and files, to be sent as a new message."""
    twin = new(row.user, fields_of(row))
    _copy_files(row, twin, settings)
    return twin


def _copy_files(row: DraftRow, twin: DraftRow, settings: Settings) -> None:
    for attachment in list(row.attachments.order_by(AttachmentRow.id)):  # no read stays open while we write
        source = uploads.folder(settings, row.id) / attachment.stored
        stored = uploads.duplicate(source, uploads.folder(settings, twin.id))
        AttachmentRow.create(draft=twin, filename=attachment.filename, type=attachment.type, size=attachment.size, stored=stored)


def forget(draft_id: str, settings: Settings) -> None:
    """Remove the row and the files; the copy on the server is the caller's concern."""
    DraftRow.delete().where(DraftRow.id == draft_id).execute()
    uploads.remove_folder(settings, draft_id)


def sweep(settings: Settings) -> int:
    """Remove what nobody will come back to; returns how many drafts and folders went.

    After 30 days without a change any draft, for its copy on the server is the one that people find; after a day what is empty,
    or was begun by a link and never written in; and folders without a draft. What waits, failed or is uncertain stays.
    """
    limit = now() - timedelta(days=KEPT_DAYS)
    gone = 0
    for row in _at_rest(_EMPTY_KEPT):
        needless = not row.saved_mailbox and (is_empty(row) or row.updated <= row.created)
        if row.updated < limit or needless or _was_sent(row):
            forget(row.id, settings)
            gone += 1
    return gone + _remove_orphans(settings)


def unseen() -> list[DraftRow]:
    """Drafts left for an hour with text that the server's copy has not: only their address would lead back to it."""
    return [
        row
        for row in _at_rest(_LEFT_ALONE)
        if unsaved(row) and row.updated > row.created and not _was_sent(row) and not is_empty(row)
    ]


def _at_rest(age: timedelta) -> list[DraftRow]:
    busy = Outbox.select(Outbox.draft).where(Outbox.state.not_in([OutboxState.SENT, OutboxState.CANCELLED]))
    return list(DraftRow.select().where(DraftRow.id.not_in(busy), DraftRow.updated < now() - age))


def _was_sent(row: DraftRow) -> bool:
    return Outbox.select(Outbox.id).where((Outbox.draft == row.id) & (Outbox.state == OutboxState.SENT)).exists()


def _remove_orphans(settings: Settings) -> int:
    root = Path(settings.uploads_folder)
    if not root.is_dir():
        return 0
    gone = 0
    for child in root.iterdir():
        try:
            aged = uploads.is_draft_id(child.name) and child.stat().st_mtime < time.time() - _ORPHAN_SECONDS
        except FileNotFoundError:  # its message was filed at this moment
            continue
        if aged and not DraftRow.select(DraftRow.id).where(DraftRow.id == child.name).exists():
            uploads.remove_folder(settings, child.name)
            gone += 1
    return gone
