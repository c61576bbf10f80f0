"""The side here of a collection that is kept in step: what the other server sends is written, trashed or kept as both versions.

Each function is one transaction, which also notes in the item's row what both sides have now: a kill between two loses nothing.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any
from urllib.parse import quote, unquote

from webmail.calendar import objects
from webmail.calendar.free_busy import host_events
from webmail.calendar.objects import UidTakenError
from webmail.collections import trash as trash_store
from webmail.collections.store import BOOK
from webmail.contacts import device_cards
from webmail.contacts.device_cards import UnusableCardError
from webmail.contacts.store import ContactChangedElsewhereError
from webmail.database.connection import db
from webmail.dav import item_writes
from webmail.dav.item_writes import CheckedItem, Item, limit_of
from webmail.dav.remote import item_comparison
from webmail.dav.remote.side import ItemNote, Side
from webmail.errors import LimitReachedError
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.models import CalendarObject, Contact, RemoteItem, now
from webmail.system_mail.queue import in_language_of

_HREF = re.compile(r"[^/\x00-\x1f\x7f]{1,200}")
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9@._-]{0,99}")
_SUFFIX = {"": "(your version)", "fr": "(votre version)"}
_UNANSWERED = 3  # sendings of one item that are remembered
_CLASH = (UidTakenError, ContactChangedElsewhereError)


@dataclass(slots=True)
class _Arrived:
    """An item of the other server, as it can be kept here; `note` says why it can't."""

    uid: str = ""
    checked: CheckedItem | None = None
    note: str = ""


def _arrived(side: Side, text: str | None) -> _Arrived:
    if text is None or len(text) > limit_of(side.collection, side.settings):
        return _Arrived(note=ItemNote.LARGE)
    size = len(text.encode("utf-8", "replace"))
    try:
        text.encode()
        if side.collection.kind == BOOK:
            known = device_cards.read(text)
            return _Arrived(known.uid, CheckedItem(text, size, known))
        found = _prepared(text, side.zone)
    except (UnusableCardError, UnusableCalendarError, UnicodeEncodeError):
        return _Arrived(note=ItemNote.UNUSABLE)
    if side.collection.components and found[0].component not in side.collection.components.split(","):
        return _Arrived(note=ItemNote.UNUSABLE)
    return _Arrived(found[0].uid, CheckedItem(text, size, found))


def _prepared(text: str, zone: tzinfo) -> Any:
    """Rules that we refuse from telephones are kept as they are, and shown once."""
    try:
        return objects.prepared(text, zone)
    except UnusableCalendarError:
        return objects.prepared(text, zone, once=True)


# --- what the other server has ---------------------------------------------------------------------------------------


def take(side: Side, name: str, etag: str, text: str | None) -> None:
    """Take over an item as it is there now. Where it was changed here too, both versions are kept."""
    new = _arrived(side, text)
    with side.writing():
        item = RemoteItem.get_or_none(RemoteItem.link == side.link, RemoteItem.name == name)
        if new.checked is None:
            _keep(side, item, name, etag, new.note, text)
            return
        row = item_writes.row_at(side.collection, item.href) if item is not None and item.href else None
        if item is None or not item.href:
            row, item, free = _with_same_uid(side, item, name, new)
            if not free:
                _keep(side, item, name, etag, ItemNote.SAME_UID, text)
                return
        try:
            with db.atomic():
                _merge(side, item, row, name, etag, new)
        except LimitReachedError:
            _keep(side, item, name, etag, ItemNote.NO_ROOM, text)
        except _CLASH:
            _keep(side, item, name, etag, ItemNote.SAME_UID, text)


def broken(side: Side, names: Sequence[str]) -> None:
    """Note that the other server could not give these, whatever they are: what is here stays as it is until it can."""
    if not names:
        return
    with side.writing():
        mine = (RemoteItem.link == side.link) & RemoteItem.name.in_(list(names))
        known = {item.name for item in RemoteItem.select(RemoteItem.name).where(mine)}
        RemoteItem.update(note=str(ItemNote.BROKEN), at=now()).where(mine).execute()
        for name in names:
            if name not in known:
                RemoteItem.create(link=side.link, name=name, note=str(ItemNote.BROKEN), at=now())


def mended(side: Side, item: RemoteItem) -> None:
    """It can be read there, and is as it was."""
    with side.writing():
        RemoteItem.update(note="", title="").where(RemoteItem.id == item.id, RemoteItem.note == ItemNote.BROKEN).execute()


def broken_by_sending(side: Side, href: str) -> None:
    """Note that the other server broke on what was sent, or deleted there: whether it has it is not known."""
    with side.writing():
        row = item_writes.row_at(side.collection, href)
        told = {"title": item_comparison.titles_in(_text(row))} if row is not None else {}
        values = {"note": str(ItemNote.BROKEN), "at": now(), **told}
        RemoteItem.update(**values).where(RemoteItem.link == side.link, RemoteItem.href == href).execute()


def is_own(item: RemoteItem | None, text: str) -> bool:
    """Whether what is there is what was sent from here, whose answer never came."""
    return item is not None and bool(item.sent) and item_comparison.meaning(text) in item.sent.split()


def _with_same_uid(side: Side, item: RemoteItem | None, name: str, new: _Arrived) -> tuple[Item | None, RemoteItem | None, bool]:
    """What is here under the UID of a new item of the other server, and what was known of it; whether it is free for that."""
    field_of_uid = Contact.card_uid if side.table is Contact else CalendarObject.uid
    row = side.table.get_or_none(side.table.collection == side.link.collection_id, field_of_uid == new.uid)
    if row is None:
        return None, item, True
    other = RemoteItem.get_or_none(RemoteItem.link == side.link, RemoteItem.href == row.href)
    if other is None:
        return row, item, True
    assert new.checked is not None
    if other.name not in side.gone and (other.etag or not is_own(other, new.checked.text)):
        return None, item, False
    if item is not None:
        item.delete_instance()
    RemoteItem.update(name=name).where(RemoteItem.id == other.id).execute()  # it has another address there
    side.gone.discard(other.name)
    return row, RemoteItem.get_by_id(other.id), True


def _merge(side: Side, item: RemoteItem | None, row: Item | None, name: str, etag: str, new: _Arrived) -> None:
    assert new.checked is not None
    if isinstance(row, CalendarObject) and _would_lose(row, new):
        _note(side, item, name, row.href, etag, "")  # what is here goes there by and by
        return
    if row is not None:
        here, text = item_writes.etag_of(row), _text(row)
        if item_comparison.same(text, new.checked.text) and (text == new.checked.text or item is None or item.local != here):
            _note(side, item, name, row.href, etag, here)
            return
        own = is_own(item, new.checked.text)
        if item is not None and own and item_comparison.meaning(text) != item_comparison.meaning(new.checked.text):
            mark_for_push(item, etag)
            return
        if not own and (item is None or item.sending or item.local != here):
            _keep_both(side, row)
        if _uid(row) != new.uid:
            item_writes.trash(side.collection, [row], side.user.address, side.host)
            row = None
    if row is None and item is not None and item.href and item_writes.row_at(side.collection, item.href) is None:
        if is_own(item, new.checked.text) and not side.restores:
            mark_for_push(item, etag)  # deleted here since
            return
        href = item.href
    else:
        href = row.href if row is not None else _free_href(side, name)
    etag_here = item_writes.etag_of(item_writes.write(side.collection, href, new.checked, row, side.settings))
    side.changed = True
    _note(side, item, name, href, etag, etag_here)


def _would_lose(row: CalendarObject, new: _Arrived) -> bool:
    """Whether what the other server has would move what other people count on, or put something else in its place."""
    assert new.checked is not None
    return bool(host_events.keeper_of(row)) and (row.uid != new.uid or host_events.is_moved(row, new.checked.found[1].takings))


def mark_for_push(item: RemoteItem, etag: str) -> None:
    """What is there came from here, and was changed or deleted here since: that goes there by and by."""
    item.etag, item.local, item.sending = etag[:255], "", ""
    item.save(only=[RemoteItem.etag, RemoteItem.local, RemoteItem.sending])


def _keep_both(side: Side, row: Item) -> None:
    """Make a copy of what is here, under another UID, before the other server's version takes its place.

    The copy goes there too, by and by. Where there is no room for it, the trash has it.
    """
    uid, suffix = str(uuid.uuid4()), _SUFFIX.get(in_language_of(side.user, side.settings), _SUFFIX[""])
    text = item_comparison.copy_of(_text(row), uid, suffix)
    href = f"{uid}.{_extension(side)}"
    arrived = _arrived(side, text)
    try:
        if arrived.checked is None:
            raise UnusableCardError("the copy can't be read")
        with db.atomic():
            item_writes.write(side.collection, href, arrived.checked, None, side.settings)
    except (UnusableCardError, LimitReachedError, *_CLASH):
        told = [(row.href, _uid(row), item_comparison.titles_in(_text(row)), _text(row))]
        trash_store.put(side.collection, told, side.user.address, side.host)
        return
    side.changed = True
    RemoteItem.create(
        link=side.link, name=f"{uid}.{_extension(side)}", href=href, note=ItemNote.CONFLICT, title=item_comparison.titles_in(text)
    )


def _keep(side: Side, item: RemoteItem | None, name: str, etag: str, note: str, text: str | None) -> None:
    """Note that an item is only there, or that what is here is an older version of it."""
    values = {"etag": etag[:255], "note": str(note), "title": item_comparison.titles_in(text or ""), "at": now()}
    if item is None:
        RemoteItem.create(link=side.link, name=name, **values)
    else:
        RemoteItem.update(**values).where(RemoteItem.id == item.id).execute()


def _note(side: Side, item: RemoteItem | None, name: str, href: str, etag: str, local: str) -> None:
    """Note what both sides have now."""
    values = {"href": href, "etag": etag[:255], "local": local, "sending": "", "sent": ""}
    if item is None:
        RemoteItem.create(link=side.link, name=name, **values)
        return
    if item.note != ItemNote.CONFLICT:
        values |= {"note": "", "title": ""}
    RemoteItem.update(**values).where(RemoteItem.id == item.id).execute()


def drop(side: Side, names: Sequence[str]) -> None:
    """Trash here what the other server no longer has (100 at most); what was changed here, or is booked, goes there anew."""
    with side.writing():
        rows: list[Item] = []
        for item in RemoteItem.select().where(RemoteItem.link == side.link, RemoteItem.name.in_(list(names))):
            row = item_writes.row_at(side.collection, item.href) if item.href else None
            kept = isinstance(row, CalendarObject) and bool(host_events.keeper_of(row))
            if kept:
                mark_for_push(item, "")
                continue
            if row is not None and item_writes.etag_of(row) == item.local and not item.sending:
                rows.append(row)
            item.delete_instance()
        if rows:
            item_writes.trash(side.collection, rows, side.user.address, side.host)
            side.changed = True


def forget(side: Side, names: Sequence[str]) -> None:
    """Forget that these items were there, so that what is here goes there anew."""
    with side.writing():
        RemoteItem.delete().where(RemoteItem.link == side.link, RemoteItem.name.in_(list(names))).execute()


# --- what is sent there ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutgoingItem:
    """An item that is about to be sent. `maybe`: it may be there already, since an earlier answer never came."""

    item: RemoteItem
    text: str
    local: str
    uid: str
    maybe: bool = False


def begin(side: Side, href: str) -> OutgoingItem | None:
    """What is here under this name, to be sent, and what it will be called there, noted. None if it is no longer here."""
    with side.writing():
        row = item_writes.row_at(side.collection, href)
        if row is None:
            return None
        item = RemoteItem.get_or_none(RemoteItem.link == side.link, RemoteItem.href == href)
        if item is None:
            item = RemoteItem.create(link=side.link, name=_free_name(side, _uid(row)), href=href)
        sending = OutgoingItem(item, _text(row), item_writes.etag_of(row), _uid(row), maybe=bool(item.sending))
        if not sending.maybe:
            _note_sending(sending)
        return sending


def sends(side: Side, sending: OutgoingItem) -> None:
    """Note what is being sent once more, in place of the entity tag that `item` has now."""
    with side.writing():
        _note_sending(sending)


def _note_sending(sending: OutgoingItem) -> None:
    item = sending.item
    meaning = item_comparison.meaning(sending.text)
    before = [one for one in item.sent.split() if one != meaning]
    item.sending, item.sent = sending.local, " ".join([*before, meaning][-_UNANSWERED:])
    item.save(only=[RemoteItem.etag, RemoteItem.sending, RemoteItem.sent])


def sent(side: Side, sending: OutgoingItem, name: str, etag: str, text: str = "") -> None:
    """Note that it arrived. `text`: what the server made of it, if that is something else: it is taken over here."""
    checked = _arrived(side, text).checked if text else None
    with side.writing():
        row = item_writes.row_at(side.collection, sending.item.href)
        local = sending.local
        if checked is not None and row is not None and item_writes.etag_of(row) == local:
            try:
                with db.atomic():
                    local = item_writes.etag_of(item_writes.write(side.collection, row.href, checked, row, side.settings))
                side.changed = True
            except (LimitReachedError, *_CLASH):
                pass  # what is here stays as it was sent
        item = RemoteItem.get_or_none(RemoteItem.id == sending.item.id)
        _note(side, item, name, sending.item.href, etag, local)
        if item is not None and item.name != name:
            RemoteItem.update(name=name).where(RemoteItem.id == item.id).execute()


def not_taken(side: Side, sending: OutgoingItem, note: ItemNote) -> None:
    """The other server doesn't take it: it stays here, and isn't sent again until it is changed."""
    with side.writing():
        values = {
            "sending": "",
            "local": sending.local,
            "note": str(note),
            "title": item_comparison.titles_in(sending.text),
            "at": now(),
        }
        RemoteItem.update(**values).where(RemoteItem.id == sending.item.id).execute()


def rename(side: Side, item: RemoteItem) -> str:
    """Another name for an item that never was there."""
    with side.writing():
        name = f"{secrets.token_hex(16)}.{_extension(side)}"
        RemoteItem.update(name=name).where(RemoteItem.id == item.id).execute()
    return name


def put_name(side: Side, item: RemoteItem, name: str) -> None:
    """What was sent has this name there, which may have been found as somebody else's meanwhile."""
    with side.writing():
        mine = (RemoteItem.link == side.link) & (RemoteItem.name == name) & (RemoteItem.id != item.id) & (RemoteItem.href == "")
        RemoteItem.delete().where(mine).execute()
        RemoteItem.update(name=name).where(RemoteItem.id == item.id).execute()
        item.name = name


def never_there(side: Side, item: RemoteItem) -> None:
    """It is no longer there (but changed here): it is sent as a new one."""
    with side.writing():
        RemoteItem.update(etag="").where(RemoteItem.id == item.id).execute()


def deleted(side: Side, item: RemoteItem) -> None:
    """It is no longer there, nor here; where it came back here meanwhile, it is sent as a new one."""
    with side.writing():
        RemoteItem.delete().where(RemoteItem.id == item.id).execute()


def not_deleted(side: Side, name: str) -> None:
    """It may not be deleted there: it is here again."""
    with side.writing():
        mine = (RemoteItem.link == side.link) & (RemoteItem.name == name)
        row = RemoteItem.get_or_none(mine)
        if row is not None:
            found = item_writes.row_at(side.collection, row.href) if row.href else None
            title = item_comparison.titles_in(_text(found)) if found is not None else ""
            RemoteItem.update(note=str(ItemNote.REFUSED), title=title, at=now()).where(mine).execute()


# --- names -----------------------------------------------------------------------------------------------------------


def _text(row: Item) -> str:
    return row.vcard if isinstance(row, Contact) else row.text


def _uid(row: Item) -> str:
    return row.card_uid if isinstance(row, Contact) else row.uid


def _extension(side: Side) -> str:
    return "vcf" if side.collection.kind == BOOK else "ics"


def _free_href(side: Side, name: str) -> str:
    """A name here for an item of the other server: the same, where it can be."""
    wanted = unquote(name)
    if _HREF.fullmatch(wanted) and wanted.isprintable() and item_writes.row_at(side.collection, wanted) is None:
        return wanted
    return f"{secrets.token_hex(16)}.{_extension(side)}"


def _free_name(side: Side, uid: str) -> str:
    """A name there for an item from here: its UID, as some servers want it."""
    name = quote(f"{uid}.{_extension(side)}", safe="")
    taken = RemoteItem.select().where(RemoteItem.link == side.link, RemoteItem.name == name)
    if _NAME.fullmatch(uid) and not taken.exists():
        return name
    return f"{secrets.token_hex(16)}.{_extension(side)}"
