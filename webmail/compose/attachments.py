"""Attachments of a draft: files in the uploads folder, with a database row each; quotas and deduplication."""

from __future__ import annotations

import filecmp
from collections.abc import Iterable, Iterator
from pathlib import Path

import peewee as pw

from webmail.compose import drafts, inline_images, uploads
from webmail.config import Settings
from webmail.database import idempotency
from webmail.database.connection import db
from webmail.errors import MailError
from webmail.mime.html import markdown_images as marks
from webmail.models import AttachmentRow, DraftRow, User


def add(row: DraftRow, stream: Iterable[bytes], filename: str, type: str, settings: Settings) -> AttachmentRow:
    """Write a file to disk, then its row; returns the existing row for an identical file.

    Images get a name that is unique in the draft, because the text refers to them by name.

    Raises uploads.MessageTooLarge, AllowanceUsed, NoRoom, drafts.AlreadyLeft.
    """
    return add_all(row, [(stream, filename, type)], settings)[0]


def add_all(row: DraftRow, files: Iterable[tuple[Iterable[bytes], str, str]], settings: Settings) -> list[AttachmentRow]:
    """Write files (bytes, name, type) to disk, then their rows: one sync and one transaction for all of them.

    Raises uploads.MessageTooLarge (the message would exceed its limit), AllowanceUsed, NoRoom; files before the one refused are
    kept. Any other error, including one from reading `files`, leaves nothing behind: drafts.AlreadyLeft if the message was queued
    meanwhile.
    """
    target = uploads.folder(settings, row.id)
    room = settings.message_limit - drafts.total_size(row)
    allowance = settings.uploads_limit - held(row.user)
    present = list(row.attachments)
    found: list[AttachmentRow] = []
    fresh: list[AttachmentRow] = []
    refusal: MailError | None = None
    try:
        try:
            for stream, filename, type in files:
                stored, size = uploads.write(target, _within(stream, allowance, settings), room)
                one = AttachmentRow(
                    draft=row, filename=uploads.clean_filename(filename), type=uploads.clean_type(type), size=size, stored=stored
                )
                if twin := next((other for other in present if _alike(one, other, target)), None):
                    (target / stored).unlink()
                else:
                    _name_apart(one, present, target)
                    fresh.append(one)
                    present.append(one)
                    room -= uploads.encoded_size(size)
                    allowance -= size
                found.append(twin or one)
        except uploads.REFUSALS as error:
            refusal = error
        if fresh:
            uploads.sync(target, [one.stored for one in fresh])
            _insert(row, fresh, settings)
    except BaseException:
        for one in fresh:
            (target / one.stored).unlink(missing_ok=True)
        raise
    if refusal:
        raise refusal
    return found


def _within(stream: Iterable[bytes], allowance: int, settings: Settings) -> Iterator[bytes]:
    for chunk in stream:
        allowance -= len(chunk)
        if allowance < 0:
            raise uploads.AllowanceUsed(settings.uploads_limit)
        yield chunk


def _name_apart(one: AttachmentRow, present: list[AttachmentRow], target: Path) -> None:
    if inline_images.kind(str(target / one.stored)):
        one.filename = marks.distinct(one.filename, {marks.key(other.filename) for other in present})


def _alike(one: AttachmentRow, other: AttachmentRow, target: Path) -> bool:
    if one.size != other.size or not marks.may_be(other.filename, one.filename):
        return False
    return filecmp.cmp(target / one.stored, target / other.stored, shallow=False)


def _insert(row: DraftRow, fresh: list[AttachmentRow], settings: Settings) -> None:
    with db.atomic():
        idempotency.in_turn(row.user)
        if drafts.has_left(row.id):
            raise drafts.AlreadyLeft(f"draft {row.id} has left")
        for one in fresh:
            one.save(force_insert=True)
        drafts.touch(row)
        if held(row.user) > settings.uploads_limit:  # concurrent requests may have written too
            raise uploads.AllowanceUsed(settings.uploads_limit)


def held(user: User) -> int:
    """Total size in bytes of the files of all of a user's drafts."""
    files = AttachmentRow.select(pw.fn.COALESCE(pw.fn.SUM(AttachmentRow.size), 0)).join(DraftRow).where(DraftRow.user == user)
    return int(files.scalar())


def room(user: User, settings: Settings) -> int:
    """How many bytes the files of a new draft may take, as encoded for sending."""
    return min(settings.message_limit, settings.uploads_limit - held(user))


def remove(row: DraftRow, attachment_id: int, settings: Settings) -> bool:
    """Remove a file and its row; returns False if the draft has no such file."""
    attachment = row.attachments.where(AttachmentRow.id == attachment_id).get_or_none()
    if attachment is None:
        return False
    with db.atomic():
        attachment.delete_instance()
        drafts.touch(row)
    Path(uploads.folder(settings, row.id), attachment.stored).unlink(missing_ok=True)
    return True
