"""Synchronising one collection with the one on another server, both ways, in steps that may end anywhere.

First what changed there is found, then taken over here, then what changed here is sent. Changed on both sides: both versions are
kept. Deleted on one side and changed on the other: the change stays. Much deleted at once: nothing is done, the person is asked.
An item on which the other server breaks gets a note, and is tried again later: the others don't wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from http import HTTPStatus

from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.collections.store import BOOK
from webmail.contacts import device_cards
from webmail.dav.remote import item_comparison, local
from webmail.dav.remote.answers import item_name
from webmail.dav.remote.client import BATCH, UNCONDITIONAL, RemoteChanges, SyncTokenRefusedError
from webmail.dav.remote.local import OutgoingItem
from webmail.dav.remote.side import DELETE, HERE, RESTORE, THERE, UNSEEN, ItemNote, Side
from webmail.dav.remote.source import RemoteSource
from webmail.models import RemoteItem, RemoteLink, TrashedCollection, now

FEW = 20  # deletions that are believed
_PIECE = 100
_MOST_BROKEN = 3  # items on which the server breaks, before any on which it does not: then it is the server
_AGAIN = timedelta(hours=1)  # after which an item on which the server broke is tried again
_MOST_AGAIN = 100  # of them in a round


class DecisionNeededError(Exception):
    """So much is missing on one side that the person has to say what is to be done."""


def run(side: Side, server: RemoteSource) -> None:
    """One round. Raises FollowTroubleError, RoundOverError, LinkEndedError, DecisionNeededError."""
    found = _changes_there(side, server)
    again = _to_try_again(side)
    if not (found.whole or found.there or found.gone or again) and side.seq() == side.link.seq and not _unfinished(side):
        _finished(side, found)
        return
    items = side.items()
    server.complete(side.link.url, found, items)
    _plan_gone(side, found, items)
    _check_deletions_here(side, items)
    _take_over(side, server, found, items, again)
    _drop_gone(side)
    seq = side.seq()
    if side.link.writable and (seq != side.link.seq or found.whole or again or _unfinished(side)):
        _send_all(side, server)
    RemoteLink.update(seq=seq).where(RemoteLink.id == side.link.id).execute()
    _finished(side, found)


def tell(side: Side) -> None:
    """Say that contacts have changed, once they have."""
    if side.collection.kind == BOOK:
        device_cards.tell(side.user)


# --- what changed there ----------------------------------------------------------------------------------------------


def _changes_there(side: Side, server: RemoteSource) -> RemoteChanges:
    link = side.link
    old = link.whole is None or link.whole < now() - server.whole_every or link.answer or link.missing
    if link.syncs:
        if not old and link.token:
            try:
                return server.changes(link.url, link.token)
            except SyncTokenRefusedError:
                pass  # it has forgotten: everything is compared
        try:
            return server.changes(link.url, "")
        except SyncTokenRefusedError:
            RemoteLink.update(syncs=0, token="").where(RemoteLink.id == link.id).execute()
            link.syncs = 0
    ctag = server.ctag(link.url)
    if ctag and ctag == link.ctag and not old:
        return RemoteChanges("", whole=False)
    found = server.listing(link.url)
    link.ctag = ctag
    return found


def _plan_gone(side: Side, found: RemoteChanges, items: Sequence[RemoteItem]) -> None:
    """Which items that were there no longer are. Raises DecisionNeededError."""
    was_there = {item.name for item in items if item.etag}
    side.gone = was_there - set(found.there) if found.whole else was_there & found.gone
    here = [item.name for item in items if item.name in side.gone and item.href]
    if side.gone and side.link.missing == THERE and side.link.answer == RESTORE:
        for at in range(0, len(here), _PIECE):
            local.forget(side, here[at : at + _PIECE])
        RemoteLink.update(seq=-1).where(RemoteLink.id == side.link.id).execute()
        side.link.seq = -1
        side.gone -= set(here)
    elif _are_many(len(here), len(was_there)) and not _may_delete(side, THERE):
        _ask(side, THERE, len(here))


def _are_many(count: int, owner: int) -> bool:
    return count > FEW and count * 2 > owner


def _may_delete(side: Side, where: str) -> bool:
    return side.link.missing == where and side.link.answer == DELETE


def _ask(side: Side, where: str, count: int) -> None:
    values = {"missing": where, "missing_count": count, "answer": ""}
    RemoteLink.update(**values).where(RemoteLink.id == side.link.id).execute()
    raise DecisionNeededError


# --- taken over here -------------------------------------------------------------------------------------------------


def _to_try_again(side: Side) -> list[str]:
    """The names of items on which the server broke a while ago, the oldest first. 1 query."""
    broken = (RemoteItem.link == side.link) & (RemoteItem.note == ItemNote.BROKEN) & (RemoteItem.at < now() - _AGAIN)
    rows = RemoteItem.select(RemoteItem.name).where(broken).order_by(RemoteItem.at, RemoteItem.id).limit(_MOST_AGAIN)
    return [row.name for row in rows]


def _take_over(side: Side, server: RemoteSource, found: RemoteChanges, items: Sequence[RemoteItem], again: Sequence[str]) -> None:
    known = {item.name: item for item in items}
    wanted = [name for name, etag in found.there.items() if _is_news(known.get(name), etag, found.whole)]
    wanted += [name for name in again if name not in found.there and name not in side.gone]
    wanted_anyway = {item.name for item in _missing_here(side, items)} if side.restores else set()
    wanted += [item.name for item in items if item.name in wanted_anyway - set(wanted)]
    _total(side, len(wanted) + len(side.gone))
    read = broken = 0
    for at in range(0, len(wanted), BATCH):
        names = wanted[at : at + BATCH]
        answers = server.items(side.link.url, side.collection.kind, names)
        for name, one in answers.items():
            item = known.get(name)
            if one is None and name not in found.there:
                if item is not None and name in again and not item.href:  # never read, and gone: nobody tells of that
                    side.gone.add(name)
                continue
            if one is not None and name not in wanted_anyway and not _is_news(item, one[0], found.whole):
                if item is not None and item.note == ItemNote.BROKEN:
                    local.mended(side, item)
                continue  # as it was: some tell more than what changed
            local.take(side, name, (one[0] if one else "") or found.there.get(name, ""), one[1] if one else None)
        unread = [name for name in names if name not in answers]
        read, broken = read + len(answers), broken + len(unread)
        if broken > _MOST_BROKEN and not read:
            raise FollowTroubleError(FollowFault.BROKEN, side.link.url)
        local.broken(side, unread)
        _done(side, len(names))


def _is_news(item: RemoteItem | None, etag: str, whole: bool) -> bool:
    if item is None or item.etag != etag[:255] or not etag:
        return True
    return whole and item.note == ItemNote.NO_ROOM


def _drop_gone(side: Side) -> None:
    names = sorted(side.gone)
    for at in range(0, len(names), _PIECE):
        local.drop(side, names[at : at + _PIECE])
        _done(side, _PIECE)


# --- sent there ------------------------------------------------------------------------------------------------------


def _unfinished(side: Side) -> bool:
    begun = (RemoteItem.sending != "") | ((RemoteItem.local == "") & (RemoteItem.href != ""))
    mine = (RemoteItem.link == side.link) & begun & (RemoteItem.note != ItemNote.BROKEN)  # those are `_to_try_again`
    return RemoteItem.select().where(mine).exists()


def _send_all(side: Side, server: RemoteSource) -> None:
    here, items = side.here(), side.items()
    by_href = {item.href: item for item in items if item.href}
    missing = _check_deletions_here(side, items)
    dirty = [href for href, etag in here.items() if _is_dirty(by_href.get(href), etag)]
    _total(side, len(dirty) + len(missing))
    steps: list[tuple[str, Callable[[], None]]] = [(href, partial(send, side, server, href)) for href in dirty]
    steps += [(item.href, partial(_delete_there, side, server, item)) for item in missing]
    broken = 0
    for number, (href, step) in enumerate(steps, 1):
        try:
            step()
        except FollowTroubleError as trouble:  # by one item alone: the others needn't wait for it
            broken += 1
            if trouble.kind is not FollowFault.BROKEN or (broken > _MOST_BROKEN and broken == number):
                raise
            local.broken_by_sending(side, href)
        _done(side, 1)


def _is_dirty(item: RemoteItem | None, etag: str) -> bool:
    if item is not None and (item.note in UNSEEN or _waits(item)):
        return False
    return item is None or item.local != etag or bool(item.sending)


def _missing_here(side: Side, items: Iterable[RemoteItem]) -> list[RemoteItem]:
    here = side.here()
    return [item for item in items if item.href and item.href not in here and item.note not in UNSEEN and not _waits(item)]


def _waits(item: RemoteItem) -> bool:
    """Whether the server broke on it a short time ago."""
    return bool(item.note == ItemNote.BROKEN and item.at >= now() - _AGAIN)


def _check_deletions_here(side: Side, items: Sequence[RemoteItem]) -> list[RemoteItem]:
    """What was deleted here since it was last equal; nothing while the collection itself is deleted. Raises
    DecisionNeededError."""
    missing = _missing_here(side, items)
    if not missing or side.restores:
        return []
    link = side.link.collection
    if TrashedCollection.select().where(TrashedCollection.user == side.user, TrashedCollection.name == link.name).exists():
        return []
    if side.link.writable and _are_many(len(missing), sum(1 for item in items if item.href)) and not _may_delete(side, HERE):
        _ask(side, HERE, len(missing))
    return missing


def send(side: Side, server: RemoteSource, href: str) -> None:
    """Send what is here under this name, unless it was changed there too: then both versions are kept."""
    sending = local.begin(side, href)
    if sending is None:
        return
    if sending.maybe:
        if (name := server.identify(side.link.url, sending.item.name)) != sending.item.name:
            local.put_name(side, sending.item, name)
        if _was_there_already(side, server, sending):
            return
        local.sends(side, sending)
    _put(side, server, sending, sending.item.name, sending.item.etag)


def _was_there_already(side: Side, server: RemoteSource, sending: OutgoingItem) -> bool:
    """Whether what is there now has been dealt with: an earlier answer never came.

    What is as it was, or what was sent then, is replaced by what is here now.
    """
    now_there = _fetched(side, server, sending.item.name)
    if now_there is None:
        if sending.item.etag:
            local.never_there(side, sending.item)
            sending.item.etag = ""
        return False
    if sending.item.etag and now_there[0] == sending.item.etag:
        return False
    text = now_there[1] or ""
    if local.is_own(sending.item, text) and item_comparison.meaning(text) != item_comparison.meaning(sending.text):
        sending.item.etag = now_there[0][:255]
        return False
    local.take(side, sending.item.name, *now_there)
    return True


def _put(side: Side, server: RemoteSource, sending: OutgoingItem, name: str, etag: str, attempts: int = 3) -> None:
    kind, url = side.collection.kind, side.link.url
    answer = server.put(url, kind, name, sending.text, etag)
    status = answer.status
    if 200 <= status < 300:
        _sent(side, server, sending, name, answer.headers)
    elif status in (404, 410, 412) and attempts:
        _put_again(side, server, sending, name, etag, attempts - 1)
    elif status in (404, 410):
        raise FollowTroubleError(FollowFault.GONE, url)
    else:
        local.not_taken(side, sending, ItemNote.LARGE if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else ItemNote.REFUSED)


def _put_again(side: Side, server: RemoteSource, sending: OutgoingItem, name: str, etag: str, attempts: int) -> None:
    """The server has something else there than we thought."""
    now_there = _fetched(side, server, name)
    if now_there is None and etag:
        local.never_there(side, sending.item)
        _put(side, server, sending, name, "", attempts)
    elif now_there is None:
        raise FollowTroubleError(FollowFault.GONE, side.link.url)
    elif etag and now_there[0] == etag:
        _put(side, server, sending, name, UNCONDITIONAL, 0)  # it is as it was: the server doesn't know its own entity tags
    elif not etag and item_comparison.uid_in(now_there[1] or "") != sending.uid:
        _put(side, server, sending, local.rename(side, sending.item), "", attempts)
    else:
        local.take(side, name, *now_there)


def _sent(side: Side, server: RemoteSource, sending: OutgoingItem, name: str, headers: object) -> None:
    assert hasattr(headers, "get")
    moved = headers.get("location", "")
    name = (item_name(side.link.url, moved) if moved else "") or name
    if etag := headers.get("etag", ""):
        local.sent(side, sending, name, etag)
        return
    now_there = _fetched(side, server, name)
    if now_there is None:  # gone again at once: the next round finds out
        local.sent(side, sending, name, UNCONDITIONAL)
        return
    text = now_there[1] or ""
    local.sent(side, sending, name, now_there[0], "" if item_comparison.same(text, sending.text) else text)


def _fetched(side: Side, server: RemoteSource, name: str) -> tuple[str, str | None] | None:
    """Entity tag and text of an item there; None if it isn't."""
    found = server.items(side.link.url, side.collection.kind, [name])
    if name not in found:
        raise FollowTroubleError(FollowFault.BROKEN, f"{side.link.url}: {name}")
    return found[name] or server.item(side.link.url, name)


def _delete_there(side: Side, server: RemoteSource, item: RemoteItem) -> None:
    etag = item.etag
    if not etag:  # never there, as far as we know
        now_there = _fetched(side, server, item.name) if item.sending else None
        if now_there is None:
            local.deleted(side, item)
            return
        etag = now_there[0]
    status = server.delete(side.link.url, item.name, etag)
    if status < 300 or status in (404, 410):
        local.deleted(side, item)
        return
    now_there = _fetched(side, server, item.name)
    unchanged = now_there is not None and status == HTTPStatus.PRECONDITION_FAILED and now_there[0] == etag
    if unchanged:  # the server doesn't know its own entity tags
        unchanged = server.delete(side.link.url, item.name, UNCONDITIONAL) < 300
    if now_there is None or unchanged:
        local.deleted(side, item)
    else:
        local.take(side, item.name, *now_there)
        if status != HTTPStatus.PRECONDITION_FAILED:
            local.not_deleted(side, item.name)


# --- how far it is ---------------------------------------------------------------------------------------------------


def _total(side: Side, more: int) -> None:
    if more:
        RemoteLink.update(total=RemoteLink.total + more).where(RemoteLink.id == side.link.id).execute()


def _done(side: Side, more: int) -> None:
    RemoteLink.update(done=RemoteLink.done + more).where(RemoteLink.id == side.link.id).execute()


def _finished(side: Side, found: RemoteChanges) -> None:
    values = {"succeeded": now(), "error": "", "missing": "", "missing_count": 0, "answer": "", "done": 0, "total": 0}
    if side.link.syncs:
        values["token"] = found.token
    values["ctag"] = side.link.ctag
    if found.whole:
        values["whole"] = now()
    RemoteLink.update(**values).where(RemoteLink.id == side.link.id).execute()
