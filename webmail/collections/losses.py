"""Losses: what somebody can no longer do with what was shared with them, which they are told of once, and how they learn why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from webmail.collections import group_losses, look, store
from webmail.database.connection import db
from webmail.database.prepared import Prepared, Slot
from webmail.models import Collection, CollectionShare, GroupMember, LostShare, TrashedCollection, User

REVOKED = 2  # as `CollectionShare.seen`: that it is no longer shared with them, of which they are to be told
_CHUNK = 100


class LossKind(StrEnum):
    """The name is that of the field by which a form says that it was read."""

    REVOKED = "ended"
    GROUP = "left"  # it was shared with a group, which they are not in any longer, or which is gone
    LOWERED = "lowered"
    DELETED = "lost"


@dataclass(frozen=True, slots=True)
class Loss:
    """`number`: of the row. `owner`: whose it is, or was; `rights`: what they have now."""

    kind: LossKind
    number: int
    of: str  # "calendar" or "addressbook"
    title: str
    owner: str
    rights: str = ""


def of_shares(placeholder: Slot) -> Any:
    """The condition for shares that a person has lost, or of which they have less, and was not told so."""
    ended = CollectionShare.seen.in_([REVOKED, group_losses.ENDED]) & (CollectionShare.rights == "")
    return (CollectionShare.user == placeholder("user")) & (ended | (CollectionShare.lowered != ""))


def of_deleted(placeholder: Slot) -> Any:
    """The condition for shares of what was deleted, of which a person was not told."""
    return (LostShare.user == placeholder("user")) & LostShare.collection.is_null()


def _untold(placeholder: Slot) -> Any:
    """With whose they are."""
    rows: Any = CollectionShare.select(CollectionShare, Collection, User).join(Collection).join(User)
    return rows.where(of_shares(placeholder)).order_by(CollectionShare.id)


_untold_shares = Prepared(_untold)
_deleted = Prepared(lambda slot: LostShare.select().where(of_deleted(slot)).order_by(LostShare.id))


def for_user(user: User) -> list[Loss]:
    """What a person was not told of yet, and has not got otherwise, by a group or again. 2 queries, 4 if there is any."""
    rows = [one for one in _untold_shares(user=user.id) if one.collection.derived != store.LEAVING]
    now = {one.collection.id: one.rights for one in store.accessible(user, hidden=True)} if rows else {}
    found = [loss for one in rows if (loss := _loss(one, user, now.get(one.collection_id, ""))) is not None]
    return found + [Loss(LossKind.DELETED, one.id, one.kind, one.title, one.owner) for one in _deleted(user=user.id)]


def _loss(share: CollectionShare, user: User, rights: str) -> Loss | None:
    kind = LossKind.GROUP if share.seen == group_losses.ENDED else LossKind.REVOKED
    if rights:
        if not share.lowered or store.RIGHTS.index(rights) >= store.RIGHTS.index(share.lowered):
            return None
        kind = LossKind.LOWERED
    elif share.seen not in (REVOKED, group_losses.ENDED):
        return None
    title = look.title_of(store.props_for(share.collection, user) | json.loads(share.props))
    return Loss(kind, share.id, share.collection.kind, title, _called(share.collection.user), rights)


def _called(owner: User) -> str:
    return owner.name or owner.address


def mark_told(user: User, told: Mapping[str, Iterable[str]]) -> None:
    """They know these now, by their kinds and numbers; how what was shared with them looked is kept. 1 transaction."""
    read = {(kind, number) for kind, numbers in told.items() for number in numbers}
    losses = [one for one in for_user(user) if (one.kind.value, str(one.number)) in read]
    numbers = {kind: [one.number for one in losses if one.kind is kind] for kind in LossKind}
    ended = numbers[LossKind.REVOKED] + numbers[LossKind.GROUP]
    with db.atomic():
        mine = CollectionShare.id.in_(ended) & (CollectionShare.rights == "")
        CollectionShare.delete().where(mine, CollectionShare.props == "{}", CollectionShare.hidden == 0).execute()
        CollectionShare.update(seen=1, lowered="").where(mine).execute()
        CollectionShare.update(lowered="").where(CollectionShare.id.in_(numbers[LossKind.LOWERED])).execute()
        LostShare.delete().where(LostShare.id.in_(numbers[LossKind.DELETED])).execute()


def note_deleted(collection: Collection, whole: TrashedCollection) -> None:
    """A collection is about to be deleted: those with whom it is shared will be told once it is gone, unless it comes back."""
    LostShare.delete().where(LostShare.collection == collection).execute()  # by what broke off before
    shares = list(CollectionShare.select().where(CollectionShare.collection == collection))
    looks = {one.user_id: one for one in shares if one.user_id is not None}
    groups = [one.group_id for one in shares if one.group_id is not None and one.rights]
    rows: Any = GroupMember.select(GroupMember.user).where(GroupMember.group.in_(groups)).distinct().tuples()
    people = {one.user_id for one in shares if one.user_id is not None and one.rights} | {one for (one,) in rows}
    props, owner = json.loads(collection.props), _called(collection.user)
    lost = [
        {
            "user": one, "collection": collection, "whole": whole, "kind": collection.kind, "owner": owner,
            "title": look.title_of(props | json.loads(looks[one].props) if one in looks else props)[: look.LONGEST_NAME],
        }
        for one in sorted(people - {collection.user_id})
        if not (one in looks and looks[one].hidden)
    ]  # fmt: skip
    for at in range(0, len(lost), _CHUNK):
        LostShare.insert_many(lost[at : at + _CHUNK]).execute()


def lowers(before: str, after: str) -> bool:
    return bool(after) and store.RIGHTS.index(after) < store.RIGHTS.index(before)


def note_change(share: CollectionShare, rights: str) -> None:
    """The rights of a share are about to become these. "" for a person's own is noted by who ends it (`REVOKED`)."""
    if share.group_id is not None and not rights:
        group_losses.ended(share)
    elif share.group_id is not None and lowers(share.rights, rights):
        group_losses.lowered(share)
    elif lowers(share.rights, rights):
        own = (CollectionShare.id == share.id) & (CollectionShare.lowered == "") & (CollectionShare.hidden == 0)
        CollectionShare.update(lowered=share.rights).where(own).execute()
