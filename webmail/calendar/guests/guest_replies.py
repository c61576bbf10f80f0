"""Guest replies: what people say of a meeting that its event does not hold, for its organiser's page: notes of guests, other
times that they propose, and answers of people who are not invited, of which the organiser decides."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

import peewee as pw

from webmail.itip.people import Invitee
from webmail.models import GuestReply, now

KEPT = timedelta(days=400)
_MOST = 50  # of one kind of an event, of people who are not invited: what a stranger sends without end is not kept
_LONGEST = 2_000  # characters of a note
_LONGEST_TEXT = 100_000


class ReplyKind(StrEnum):
    NOTE = "note"  # of a guest, with their answer
    PROPOSAL = "proposal"  # another time
    UNINVITED = "uninvited"  # an answer of somebody who is not invited


def note(owner: int, uid: str, kind: ReplyKind, guest: Invitee, comment: str = "", text: str = "") -> None:
    """Note what somebody said, in place of what they said before. `text`: the event as they send it. 3 queries at most."""
    mine = _of_meeting(owner, uid) & (GuestReply.kind == kind)
    same = mine & (GuestReply.sender == guest.key[:254])
    values = {
        "name": guest.name[:200], "answer": guest.answer[:20], "comment": comment[:_LONGEST], "text": text,
        "at": now(),
    }  # fmt: skip
    if kind is ReplyKind.PROPOSAL:
        values["decided"] = 0  # another one than that of which the organiser has decided
    if GuestReply.update(values).where(same).execute():
        return
    if kind is not ReplyKind.NOTE and GuestReply.select().where(mine).count() >= _MOST:
        return
    row = {"user": owner, "uid": uid[:255], "kind": kind, "sender": guest.key[:254], **values}
    GuestReply.insert(row).on_conflict_ignore().execute()


def is_noted(owner: int, uid: str, kind: ReplyKind, guest: Invitee, comment: str = "", text: str = "") -> bool:
    """Whether that, and nothing else, was noted before; or it is too long to be kept: cut, nobody could decide of it. 1 query."""
    if len(text) > _LONGEST_TEXT:
        return True
    same = _of_meeting(owner, uid) & (GuestReply.kind == kind) & (GuestReply.sender == guest.key[:254])
    row = GuestReply.get_or_none(same)
    if kind is ReplyKind.NOTE and not comment.strip():
        return row is None
    return row is not None and (row.comment, row.text) == (comment.strip()[:_LONGEST], text)


def note_comment(owner: int, uid: str, guest: Invitee, comment: str) -> None:
    """The note that came with a guest's latest answer; "": there is none any more."""
    if comment.strip():
        note(owner, uid, ReplyKind.NOTE, guest, comment.strip())
    else:
        GuestReply.delete().where(
            _of_meeting(owner, uid), GuestReply.kind == ReplyKind.NOTE, GuestReply.sender == guest.key[:254]
        ).execute()


def of_event(owner: int, uid: str) -> list[GuestReply]:
    """What the organiser's page tells. 1 query."""
    return list(GuestReply.select().where(_of_meeting(owner, uid), GuestReply.decided == 0).order_by(GuestReply.id))


def undecided(owner: int, uid: str, number: int) -> GuestReply | None:
    """One of them, by its `id`. 1 query."""
    mine = _of_meeting(owner, uid) & (GuestReply.id == number) & (GuestReply.decided == 0)
    found: GuestReply | None = GuestReply.get_or_none(mine)
    return found


def settle(reply: GuestReply) -> bool:
    """The organiser has decided; False where they had before. What the same person sends again is not told again."""
    return bool(GuestReply.update(decided=1).where(GuestReply.id == reply.id, GuestReply.decided == 0).execute())


def forget_old() -> int:
    return int(GuestReply.delete().where(GuestReply.at < now() - KEPT).execute())


def _of_meeting(owner: int, uid: str) -> pw.Expression:
    return (GuestReply.user == owner) & (GuestReply.uid == uid[:255])
