"""Checking of files that are whole: their SHA-256, what a scanner says, and whether the same bytes are there already.

In the request that brought the last bytes, where that takes no time; else by the worker, which can't where only the link holds
the key: then the request does it all.
"""

from __future__ import annotations

from datetime import timedelta

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import ContentState, StoredContent, Transfer, TransferFile, now
from webmail.transfers import content, trail
from webmail.transfers.limits import MB
from webmail.transfers.trail import EventKind
from webmail.transfers.uploads import hashing, scan
from webmail.transfers.uploads.scan import Scan, ScanVerdict, Unscanned

SMALL = 64 * MB  # bytes that a request reads again rather than leave them to the worker
_SCANNED_AT_ONCE = 256 * MB  # in a request, where only the link holds the key: about ten seconds
_AT_ONCE_SECONDS = 30.0
# for how long a scanner that is away is asked again: it may be starting, and those who refuse what it did not see can wait longer
_PATIENCE = {"offer": timedelta(minutes=10), "refuse": timedelta(days=1)}


def finish(file: TransferFile, settings: Settings, *, link_key: bytes | None = None) -> ContentState:
    """Take in a file that has just become whole; CHECKING where the worker has to. Raises what `content.read` raises."""
    stored = file.content
    if stored is None:
        return ContentState.DELETED
    known = hashing.passed(stored.id, stored.size)
    at_once = bool(known) or stored.size <= SMALL or bool(stored.key_in_link)
    if not at_once or (settings.transfers.clamd and not stored.key_in_link and not _is_sealed(stored)):
        return ContentState(stored.state)
    return check(stored, settings, link_key)


def check(stored: StoredContent, settings: Settings, link_key: bytes | None = None) -> ContentState:
    """Hash, scan, and settle what becomes of it. Reads it once or twice. Raises what `content.read` raises.

    CHECKING where the scanner is away: to be tried again, for a while.
    """
    if stored.state != ContentState.CHECKING:
        return ContentState(stored.state)
    found = stored.sha256 or hashing.passed(stored.id, stored.size)
    found = found or hashing.of_stored(content.read(stored, settings, link_key=link_key))
    hashing.forget(stored.id)
    scanned = _scanned(stored, settings, link_key)
    state = _state_after(scanned, stored, settings)
    values: dict[str, object] = {"sha256": found, "state": state}
    if scanned is not None and state != ContentState.CHECKING:
        values |= {"scan": scanned.verdict, "finding": scanned.finding}
    if state == ContentState.READY:
        values["touched"] = now()
    _settle(stored, values)
    if state == ContentState.READY:
        for file in list(TransferFile.select().where(TransferFile.content == stored)):
            if content.share(file, stored) is not None:
                content.drop_if_unused(stored, settings)
    return state


def _scanned(stored: StoredContent, settings: Settings, link_key: bytes | None) -> Scan | None:
    """What the scanner says; None where there is none."""
    if not settings.transfers.clamd:
        return None
    if _is_sealed(stored):
        return Scan(ScanVerdict.SKIPPED, Unscanned.SEALED)
    if not stored.key_in_link:
        return scan.scan(content.read(stored, settings), stored.size, settings)
    if stored.size > _SCANNED_AT_ONCE:
        return Scan(ScanVerdict.SKIPPED, Unscanned.LARGE)
    return scan.scan(content.read(stored, settings, link_key=link_key), stored.size, settings, _AT_ONCE_SECONDS)


def _state_after(scanned: Scan | None, stored: StoredContent, settings: Settings) -> ContentState:
    if scanned is None or scanned.verdict is ScanVerdict.CLEAN:
        return ContentState.READY
    if scanned.verdict is ScanVerdict.INFECTED:
        return ContentState.REFUSED
    policy = settings.transfers.unscanned
    if scanned.may_come_yet and not stored.key_in_link and stored.touched > now() - _PATIENCE[policy]:
        return ContentState.CHECKING
    return ContentState.REFUSED if policy == "refuse" else ContentState.READY


def _settle(stored: StoredContent, values: dict[str, object]) -> None:
    """Write it, by one of those who checked at once; owners read in the trail of their transfers what was refused."""
    mine = (StoredContent.id == stored.id) & (StoredContent.state == ContentState.CHECKING)
    with db.atomic():
        won = StoredContent.update(values).where(mine).execute()
        if won and values["state"] == ContentState.REFUSED:
            told = values["finding"] if values["scan"] == ScanVerdict.INFECTED else f"unscanned: {values['finding']}"
            for file in TransferFile.select().where(TransferFile.content == stored):
                trail.note(trail.home(file.transfer), EventKind.FILE_REFUSED, file=file, detail=str(told))
    for name, value in values.items():
        setattr(stored, name, value)


def _is_sealed(stored: StoredContent) -> bool:
    """Whether a browser encrypted it before it came here. One SELECT."""
    files = TransferFile.select(TransferFile.id).join(Transfer)
    return files.where((TransferFile.content == stored) & (Transfer.end_to_end != "")).exists()
