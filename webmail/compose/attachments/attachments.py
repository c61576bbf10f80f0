"""Attachments of a draft: files in the storage, with a database row each; quotas and deduplication."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import peewee as pw

from webmail.compose.attachments import inline_images, uploads
from webmail.compose.drafts import drafts, sealed_drafts
from webmail.compose.encryption import draft_seal
from webmail.compose.replies import originals
from webmail.config.settings import Settings
from webmail.database import idempotency
from webmail.database.connection import db
from webmail.errors import MailError
from webmail.mime.html import markdown_images as marks
from webmail.models import AttachmentRow, DraftRow, User
from webmail.people import policies
from webmail.storage import FileGoneError, same_content


def add(row: DraftRow, stream: Iterable[bytes], filename: str, type: str, settings: Settings) -> AttachmentRow:
    """Write a file, then its row; returns the existing row for an identical file.

    Images get a name that is unique in the draft, because the text refers to them by name.

    Raises uploads.MessageTooLargeError, AllowanceUsedError, StorageFullError, StorageAwayError, drafts.AlreadyLeftError.
    """
    return add_all(row, [(stream, filename, type)], settings)[0]


def add_all(
    row: DraftRow, files: Iterable[tuple[Iterable[bytes], str, str]], settings: Settings, content_ids: Sequence[str] = ()
) -> list[AttachmentRow]:
    """Write files (bytes, name, type), then their rows: one sync and one transaction for all of them. `content_ids`: one for
    each file that belongs to the original (`originals.py`), "" for any other.

    Raises uploads.REFUSALS, as MessageTooLargeError (the message would exceed its limit): files before the one refused are kept.
    Any other error, including one from reading `files`, leaves nothing behind: drafts.AlreadyLeftError if the message was queued
    meanwhile.
    """
    room = policies.message_limit(row.user, settings) - drafts.total_size(row)
    allowance = settings.uploads_limit - held(row.user)
    present = list(row.attachments)
    found: list[AttachmentRow] = []
    fresh: list[AttachmentRow] = []
    refusal: MailError | None = None
    try:
        try:
            for place, (stream, filename, type) in enumerate(files):
                one = _written(
                    row, stream, uploads.clean_filename(filename), uploads.clean_type(type), (allowance, room), settings
                )
                one.content_id = (content_ids[place] if content_ids else "") or None
                if not (twin := _settled(one, present, settings)):
                    fresh.append(one)
                    present.append(one)
                    room -= uploads.encoded_size(one.size)
                    allowance -= one.size
                found.append(twin or one)
        except uploads.REFUSALS as error:
            refusal = error
        if fresh:
            uploads.sync(settings, row.id, [one.stored for one in fresh])
            _insert(row, fresh, settings)
    except BaseException:
        for one in fresh:
            uploads.remove(settings, row.id, one.stored)
        raise
    if refusal:
        raise refusal
    return found


def _written(
    row: DraftRow, stream: Iterable[bytes], filename: str, kind: str, most: tuple[int, int], settings: Settings
) -> AttachmentRow:
    """A file that is written, and its row, which is not. Of a sealed draft neither tells what is in it. `most`: as stored, and as
    encoded."""
    allowance, room = most
    stream = _within(stream, allowance, settings)
    if not sealed_drafts.is_sealed(row):
        stored, size = uploads.write(settings, row.id, stream, room)
        return AttachmentRow(draft=row, filename=filename, type=kind, size=size, stored=stored)
    key, counted = draft_seal.new_file_key(), _Counted(stream)
    stored, _size = uploads.write(settings, row.id, draft_seal.sealed_pieces(counted, key), room)
    sealed = sealed_drafts.sealed_file(row, filename, kind, key)
    one = AttachmentRow(draft=row, filename="", type="application/octet-stream", size=counted.size, stored=stored, sealed=sealed)
    one.content_key = key
    return one


class _Counted:
    """Chunks, whose bytes are counted as they go."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.size = 0
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size += len(chunk)
            yield chunk


def _within(stream: Iterable[bytes], allowance: int, settings: Settings) -> Iterator[bytes]:
    for chunk in stream:
        allowance -= len(chunk)
        if allowance < 0:
            raise uploads.AllowanceUsedError(settings.uploads_limit)
        yield chunk


def _settled(row: AttachmentRow, present: list[AttachmentRow], settings: Settings) -> AttachmentRow | None:
    """The row of an identical file, in which case the new one is removed; else None, and an image has a name of its own."""
    twin = None
    if row.sealed is not None:
        return None
    try:
        twin = next((other for other in present if _alike(row, other, settings)), None)
        if twin is None:
            _name_apart(row, present, settings)
    except BaseException:
        uploads.remove(settings, row.draft_id, row.stored)
        raise
    if twin is not None:
        uploads.remove(settings, row.draft_id, row.stored)
    return twin


def _name_apart(row: AttachmentRow, present: list[AttachmentRow], settings: Settings) -> None:
    if inline_images.kind(row, settings):
        row.filename = marks.distinct(row.filename, {marks.key(other.filename) for other in present})


def _alike(row: AttachmentRow, other: AttachmentRow, settings: Settings) -> bool:
    """Whether two files are the same. One that is gone is not: it can be attached again."""
    if (
        other.sealed is not None
        or row.size != other.size
        or row.content_id != other.content_id
        or not marks.may_be(other.filename, row.filename)
    ):
        return False
    names = [uploads.name_of(each.draft_id, each.stored) for each in (row, other)]
    try:
        return same_content(uploads.files(settings), *names)
    except FileGoneError:
        return False


def _insert(row: DraftRow, fresh: list[AttachmentRow], settings: Settings) -> None:
    with db.atomic():
        idempotency.in_turn(row.user)
        if drafts.has_left(row.id):
            raise drafts.AlreadyLeftError(f"draft {row.id} has left")
        for one in fresh:
            one.save(force_insert=True)
        drafts.touch(row)
        if held(row.user) > settings.uploads_limit:  # concurrent requests may have written too
            raise uploads.AllowanceUsedError(settings.uploads_limit)


def held(user: User) -> int:
    """Total size in bytes of the files of all of a user's drafts."""
    files = AttachmentRow.select(pw.fn.COALESCE(pw.fn.SUM(AttachmentRow.size), 0)).join(DraftRow).where(DraftRow.user == user)
    return int(files.scalar())


def free_bytes(user: User, settings: Settings) -> int:
    """How many bytes the files of a new draft may take, as encoded for sending."""
    return min(policies.message_limit(user, settings), settings.uploads_limit - held(user))


def remove_original(row: DraftRow, settings: Settings, *, keep_pictures: bool) -> None:
    """Remove the original below the draft's text; `keep_pictures`: they become files like any other."""
    original = originals.of_draft(row)
    if original is None:
        return
    gone = [original.page] if keep_pictures else [original.page, *original.pictures]
    with db.atomic():
        AttachmentRow.delete().where(AttachmentRow.id.in_([one.id for one in gone])).execute()
        AttachmentRow.update(content_id=None).where(AttachmentRow.draft == row).execute()
        drafts.touch(row)
    for one in gone:
        uploads.remove(settings, row.id, one.stored)


def remove(row: DraftRow, attachment_id: int, settings: Settings) -> bool:
    """Remove a file and its row; returns False if the draft has no such file."""
    attachment = row.attachments.where(AttachmentRow.id == attachment_id).get_or_none()
    if attachment is None:
        return False
    with db.atomic():
        attachment.delete_instance()
        drafts.touch(row)
    uploads.remove(settings, row.id, attachment.stored)
    return True
