"""Accounts on other servers: connected, synchronised in their turn, paused where the password is refused, and disconnected."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import peewee as pw

from webmail import vault
from webmail.calendar.free_busy import host_events
from webmail.collections import look, store
from webmail.collections import trash as trash_store
from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.collections.following.turns import FollowTurns
from webmail.collections.look import COLOUR, NAME
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.dav import item_writes
from webmail.dav.deletion import delete_task
from webmail.dav.remote.answers import FoundCollection
from webmail.dav.remote.client import Ask, RemoteServer
from webmail.models import Collection, ConnectedService, RemoteAccount, RemoteItem, RemoteLink, Task, User, now
from webmail.services import connections

MOST = 5  # accounts of one person
EVERY = timedelta(minutes=15)
_PURPOSE = "other dav server"
turns = FollowTurns("other-server", RemoteAccount, EVERY, longest=timedelta(hours=8), at_once=4)


class TooManyServersError(ValueError):
    """The person has as many accounts as may be."""


class NoRoomForCollectionsError(ValueError):
    """The person would have too many collections."""


def for_user(user: User) -> list[RemoteAccount]:
    """With their services. 1 query."""
    return list(_with_services().where(RemoteAccount.user == user).order_by(RemoteAccount.id))


def _with_services() -> pw.ModelSelect[RemoteAccount]:
    return RemoteAccount.select(RemoteAccount, ConnectedService).join(ConnectedService, pw.JOIN.LEFT_OUTER)


def find(user: User, number: int) -> RemoteAccount | None:
    """1 query."""
    return _with_services().where(RemoteAccount.id == number, RemoteAccount.user == user).first()


def links_of(accounts: Sequence[RemoteAccount]) -> list[RemoteLink]:
    """With their collections. 1 query."""
    found = RemoteLink.select(RemoteLink, Collection).join(Collection)
    return list(found.where(RemoteLink.account.in_([one.id for one in accounts])).order_by(RemoteLink.id))


def find_link(user: User, number: int) -> RemoteLink | None:
    """1 query."""
    found = RemoteLink.select(RemoteLink, RemoteAccount, Collection).join(RemoteAccount).switch(RemoteLink).join(Collection)
    return found.where(RemoteLink.id == number, RemoteAccount.user == user).first()


def needs_person(user: User) -> bool:
    """Whether something is not synchronised until the person does something about it. 1 query."""
    asked = (RemoteLink.missing != "") & (RemoteLink.answer == "")
    found = RemoteAccount.select(RemoteAccount.id).join(RemoteLink, pw.JOIN.LEFT_OUTER).where(RemoteAccount.user == user)
    return bool(found.where((RemoteAccount.error == FollowFault.PASSWORD) | asked).exists())


def linked_collections(user: User) -> dict[int, RemoteLink]:
    """By their `id`, the collections that are kept in step with another server. 1 query."""
    found = RemoteLink.select(RemoteLink, RemoteAccount, ConnectedService).join(RemoteAccount)
    found = found.join(ConnectedService, pw.JOIN.LEFT_OUTER).where(RemoteAccount.user == user)
    return {link.collection_id: link for link in found}


def host_of(account: RemoteAccount) -> str:
    """What a person knows it by: the name of a service is their own."""
    service = account.service
    return service.title if service is not None else urlsplit(account.url).hostname or ""


def connect(user: User, url: str, login: str, secret: str, settings: Settings) -> RemoteAccount:
    """Keep an account whose password was found right; the same one gets the new password. Raises TooManyServersError."""
    with db.atomic():
        in_turn(user)
        sealed = vault.seal_secret(secret.encode(), settings.secret_key, _PURPOSE, user.id)
        mine = [one for one in for_user(user) if not one.service_id]
        for one in mine:
            if (host_of(one), urlsplit(one.url).port, one.login) == (urlsplit(url).hostname, urlsplit(url).port, login):
                values = {"url": url, "secret": sealed, "error": "", "failures": 0, "due": now()}
                RemoteAccount.update(**values).where(RemoteAccount.id == one.id).execute()
                return RemoteAccount.get_by_id(one.id)
        if len(mine) >= MOST:
            raise TooManyServersError
        return RemoteAccount.create(user=user, url=url, login=login, secret=sealed)


def connect_service(service: ConnectedService, url: str) -> RemoteAccount:
    """What has the calendars or contacts of a service at this address, made where it is not there yet."""
    with db.atomic():
        in_turn(service.user)
        found = RemoteAccount.get_or_none(RemoteAccount.service == service, RemoteAccount.url == url)
        return found or RemoteAccount.create(user=service.user, service=service, url=url, login=service.login, secret=b"")


def of_service(service: ConnectedService) -> list[RemoteAccount]:
    """1 query."""
    return list(_with_services().where(RemoteAccount.service == service).order_by(RemoteAccount.id))


def server_of(account: RemoteAccount, settings: Settings, ask: Ask, seconds: float) -> RemoteServer:
    """The server, with the password. Raises FollowTroubleError where it can't be read any more."""
    try:
        secret = vault.open_secret(account.secret, settings.secret_key, _PURPOSE, account.user_id).decode()
    except vault.CannotOpenError as error:
        raise FollowTroubleError(FollowFault.PASSWORD, str(error)) from error
    return RemoteServer(account.url, account.login, secret, ask, end=time.monotonic() + seconds)


def link(account: RemoteAccount, chosen: Sequence[FoundCollection], settings: Settings) -> int:
    """Make a collection here for each of these, unless there is one already; returns how many. Raises
    NoRoomForCollectionsError."""
    user, count = account.user, 0
    with db.atomic():
        in_turn(user)
        known = {one.url.rstrip("/") for one in links_of([account])}
        new = [one for one in chosen if one.url.rstrip("/") not in known]
        there = store.count_of(user)
        if there + len(new) > settings.collections_per_person:
            raise NoRoomForCollectionsError
        for kind in {one.kind for one in new}:
            store.default_collection(user, kind)  # where new things go stays one of their own
        for one in new:
            colour = {COLOUR[one.kind]: one.colour} if one.colour else {}
            props = json.dumps({NAME: one.name, **colour}, ensure_ascii=False)
            row = store.create(user, f"other-{store.new_name()}", one.kind, one.components, props)
            RemoteLink.create(account=account, collection=row, url=one.url, writable=int(one.writable), syncs=int(one.syncs))
            count += 1
        if count:
            RemoteAccount.update(due=now()).where(RemoteAccount.id == account.id).execute()
    return count


def disconnect(account: RemoteAccount, *, keep: bool) -> list[Task]:
    """Forget the account and its password. What was kept in step stays here, or goes into the trash with its collections.

    Returns the tasks that do so where it is much. Raises LimitReachedError where they would be too many, and
    KeptHereError: the account stays, to be disconnected later.
    """
    links = links_of([account])
    for one in () if keep else links:
        host_events.check_none_kept(one.collection)
    begun = [unlink(one, keep=keep) for one in links]
    RemoteAccount.delete().where(RemoteAccount.id == account.id).execute()
    return [one for one in begun if one is not None]


def unlink(remote_link: RemoteLink, *, keep: bool) -> Task | None:
    """Keep a collection in step no longer. The other server is not asked: what is there stays as it is.

    Returns the task that deletes what is here, where it is much. Raises LimitReachedError where there are too many tasks, and
    KeptHereError.
    """
    collection, by, begun = remote_link.collection, remote_link.collection.user.address, None
    if not keep and collection.count > delete_task.SMALL:
        name = look.title_of(store.props_for(collection, collection.user))
        begun, keep = delete_task.begin(collection.user, collection, name), True
    with db.atomic():
        store.lock([collection.id])
        if not keep:
            host_events.check_none_kept(collection)
        RemoteLink.delete().where(RemoteLink.id == remote_link.id).execute()
        whole = None if keep else trash_store.put_whole(collection, by)
    if whole is not None:
        item_writes.trash_by_pieces(collection, by, whole)
    item_writes.tell(collection)
    return begun


def answer(remote_link: RemoteLink, word: str) -> None:
    """What the person says about what is missing."""
    RemoteLink.update(answer=word).where(RemoteLink.id == remote_link.id, RemoteLink.missing != "").execute()
    soon(RemoteAccount.get_by_id(remote_link.account_id))


def soon(account: RemoteAccount) -> None:
    """Have an account synchronised next, unless its password is refused."""
    waiting = (RemoteAccount.id == account.id) & _may_be_asked() & (RemoteAccount.working == 0)
    RemoteAccount.update(due=now()).where(waiting).execute()


def notes(links: Sequence[RemoteLink], most: int = 50) -> dict[int, list[RemoteItem]]:
    """The latest items with a note, by the `id` of their link. 1 query."""
    chosen = RemoteItem.select().where(RemoteItem.link.in_([one.id for one in links]), RemoteItem.note != "")
    found: dict[int, list[RemoteItem]] = {}
    for item in chosen.order_by(RemoteItem.at.desc(), RemoteItem.id.desc()).limit(most):
        found.setdefault(item.link_id, []).append(item)
    return found


def dismiss(remote_link: RemoteLink) -> None:
    """Tell no longer of copies that were made."""
    mine = (RemoteItem.link == remote_link) & (RemoteItem.note == "conflict")
    RemoteItem.update(note="", title="").where(mine).execute()


# --- whose turn it is ------------------------------------------------------------------------------------------------


def are_offered(settings: Settings) -> bool:
    """Whether anybody may have accounts on other servers, or of services."""
    return settings.other_dav_servers or bool(settings.services)


def due(most: int, settings: Settings) -> list[RemoteAccount]:
    """Accounts with collections whose turn it is, but for those whose password or consent is refused. 1 query."""
    return turns.due(most, *_followed(settings))


def pending(settings: Settings) -> pw.Query:
    """What `due` would find."""
    return turns.waiting(*_followed(settings))


def _followed(settings: Settings) -> tuple[Any, ...]:
    linked = RemoteLink.select(RemoteLink.id).where(RemoteLink.account == RemoteAccount.id)
    kinds = () if settings.other_dav_servers else (RemoteAccount.service.is_null(False),)
    return _may_be_asked(), pw.fn.EXISTS(linked), *kinds


def _may_be_asked() -> Any:
    """A password that was refused waits for another one; a consent works again once the person has given it anew."""
    return (RemoteAccount.error != FollowFault.PASSWORD) | RemoteAccount.service.in_(connections.open_ids())


def renew(account: RemoteAccount) -> bool:
    """Keep it for longer; False where the person may no longer sign in, or it is gone."""
    return turns.renew(account, RemoteAccount.user.in_(User.select(User.id).where(User.active == 1)))
