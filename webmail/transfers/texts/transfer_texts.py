"""Texts about a transfer: what it is called, how it stands, what its trail says."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.models import ContentState, Transfer, TransferEvent, TransferFile, TransferState, now
from webmail.transfers.notifications.texts import refusal_words
from webmail.transfers.trail import EventKind
from webmail.transfers.uploads.sealed_sizes import plain_size, plain_total
from webmail.web.formatting import day_and_month, day_in_full, local


def title_words(transfer: Transfer, names: Collection[str], count: int) -> str:
    """Its subject, or the names of its files."""
    if transfer.subject.strip():
        return str(transfer.subject)
    shown = list(names)
    if not shown:
        return _("No files")
    if transfer.end_to_end:  # their names are not known here
        return ngettext("%(num)d encrypted file", "%(num)d encrypted files", count)
    return names_words(shown, count)


def names_words(names: Collection[str], count: int) -> str:
    """The first names of so many files."""
    more, listed = count - len(names), ", ".join(names)
    return ngettext("%(names)s and %(num)d other", "%(names)s and %(num)d others", more, names=listed) if more > 0 else listed


def title_of(transfer: Transfer, files: Sequence[TransferFile]) -> str:
    """The same, from its files."""
    return title_words(transfer, [one.path.rpartition("/")[2] for one in files[:3]], len(files))


def size_of(file: TransferFile, transfer: Transfer) -> int:
    """Bytes of a file as its recipients will have it."""
    return plain_size(file.size) if transfer.end_to_end else int(file.size)


def total_size(transfer: Transfer, size: int, count: int) -> int:
    """The same of all its files together, of which so many bytes are stored."""
    return plain_total(size, count) if transfer.end_to_end else size


def guest_words(transfer: Transfer) -> str:
    """Who sent what arrived, as far as one knows."""
    invited = transfer.invite.address if transfer.invite is not None else ""
    return str(transfer.guest_name or invited or transfer.guest_address or _("No name"))


def state_kind(transfer: Transfer, states: Collection[str]) -> str:
    """How it stands, for colours: open, handed (to another server), over, held (a file was refused), coming (files are on their
    way), ready."""
    if transfer.state == TransferState.CLOSED or transfer.expires <= now():
        return "over"
    if transfer.state == TransferState.OPEN:
        return "open"
    if transfer.state == TransferState.HANDED:
        return "handed"
    if ContentState.REFUSED in states:
        return "held"
    return "coming" if states else "ready"


def standing_words(transfer: Transfer, states: Collection[str]) -> str:
    """How it stands, in a few words for a list."""
    if transfer.state == TransferState.CLOSED and transfer.closed is not None:
        day = _day(transfer.closed)
        if transfer.closed_by == "admin":
            return _("closed by an administrator on %(day)s", day=day)
        if transfer.closed_by == "date":
            return _("ended on %(day)s", day=day)
        return _("withdrawn on %(day)s", day=day) if transfer.closed_by == "guest" else _("closed on %(day)s", day=day)
    kind = state_kind(transfer, states)
    if kind == "over":
        return _("ended on %(day)s", day=_day(transfer.expires))
    if kind == "open":
        return _("not sent yet")
    if kind == "handed":
        return _("through another server, until %(day)s", day=_day(transfer.expires))
    if kind == "held":
        return _("held back: a file was refused")
    if kind == "coming":
        return _("files are being uploaded") if ContentState.UPLOADING in states else _("files are being checked")
    return _("until %(day)s", day=_day(transfer.expires))


def _day(moment: datetime) -> str:
    return day_and_month(local(moment).date())


def _day_of(detail: str) -> str:
    """A moment of the trail as a day of its reader."""
    try:
        return day_in_full(local(datetime.fromisoformat(detail)).date())
    except ValueError:
        return detail


def event_words(event: TransferEvent) -> str:
    """A line of the trail."""
    who = event.recipient.address if event.recipient is not None else _("Somebody who has the link")
    file = event.file.path if event.file is not None else ""
    kind, detail = event.kind, str(event.detail)
    match kind:
        case EventKind.PUBLISHED:
            count = int(detail) if detail.isdecimal() else 0
            return ngettext("Sent with %(num)d file", "Sent with %(num)d files", count)
        case EventKind.ARRIVED:
            count = int(detail) if detail.isdecimal() else 0
            return ngettext("Arrived with %(num)d file", "Arrived with %(num)d files", count)
        case EventKind.SENT:
            return _("Link sent to %(who)s", who=who)
        case EventKind.DOWNLOADED:
            return _("%(who)s downloaded %(file)s", who=who, file=file or detail or _("all files"))
        case EventKind.OPENED:
            return _("%(who)s opened the link", who=who)
        case EventKind.ALL_DOWNLOADED:
            return _("Everyone has downloaded everything")
        case EventKind.REMINDED:
            return _("Reminder sent to %(who)s", who=who)
        case EventKind.EXTENDED:
            return _("Date changed to %(day)s", day=_day_of(detail))
        case EventKind.RECIPIENT_ADDED:
            return _("Recipient added: %(who)s", who=who)
        case EventKind.RECIPIENT_REMOVED:
            return _("Recipient removed: %(who)s", who=who)
        case EventKind.FILES_ADDED:
            return _added_words(detail)
        case EventKind.NEWS_MAILED:
            return _("%(who)s was told of new files", who=who)
        case EventKind.FILE_REMOVED:
            return _("File removed: %(file)s", file=file or detail)
        case EventKind.FILE_REFUSED:
            return _("File refused: %(file)s (%(why)s)", file=file or _("A file (removed since)"), why=refusal_words(detail))
        case EventKind.REPORTED:
            return _("Reported as abuse to the administrators")
        case EventKind.CLOSED:
            return _closing_words(detail)
        case EventKind.REOPENED:
            return _("Reopened")
        case EventKind.DELETED:
            return _("Files deleted")
    return str(kind)


def _added_words(detail: str) -> str:
    """How many, and which: of many, the first."""
    number, _line, names = detail.partition("\n")
    count = int(number) if number.isdecimal() else 0
    listed = names.split("\n")
    shown = ", ".join(listed) + ("…" if len(listed) < count else "")
    return ngettext("File added: %(names)s", "%(num)d files added: %(names)s", count, names=shown)


def _closing_words(by: str) -> str:
    if by == "admin":
        return _("Closed by an administrator")
    if by == "date":
        return _("Ended on its last day")
    return _("Withdrawn by the sender") if by == "guest" else _("Closed")
