"""Handovers of mailboxes: who asks that somebody looks after a mailbox, who may agree to it, and what is in force.

An owner who is there agrees alone. For one who is gone, or away by their own word, two administrators do: one asks, with a
reason, and another agrees, neither of whom is the person who gets the mail. What follows on the mail server: webmail/handover/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.database.prepared import Prepared
from webmail.errors import NotAllowedError
from webmail.models import HandedOverFolder, HandoverKind, HandoverState, MailboxHandover, User, now

OPEN = (HandoverState.ASKED, HandoverState.AGREED, HandoverState.ACTIVE, HandoverState.ENDING)
IN_FORCE = (HandoverState.AGREED, HandoverState.ACTIVE)
LONGEST = timedelta(days=366)  # an absence
MOST = 10  # open ones of one mailbox
MOST_A_DAY = 20  # of one mailbox: the people are told of each
PAGE = 50
KEPT = timedelta(days=400)  # after the end, on the pages of both


class HandoverDoubt(StrEnum):
    """Why nothing is asked, or nobody may agree."""

    NOBODY = "nobody"  # no such colleague
    ONESELF = "oneself"
    TWICE = "twice"  # this person has, or was asked for, this mailbox already
    MANY = "many"
    OFTEN = "often"
    NO_END = "no-end"  # of an absence
    PAST = "past"
    LONG = "long"
    NO_REASON = "no-reason"
    OWNER_THERE = "owner-there"  # who alone can agree
    SAME = "same"  # who asked can't agree in the owner's place
    RECEIVER = "receiver"  # nor who gets the mail
    PASSWORD = "password"  # nor whoever has a password from who asked, or the other way round


class HandoverRefusedError(NotAllowedError):
    """It can't be asked, or not agreed to by this person; `doubt` says why."""

    status = 422

    def __init__(self, doubt: HandoverDoubt) -> None:
        super().__init__(f"no handover: {doubt}")
        self.doubt = doubt


@dataclass(frozen=True, slots=True)
class HandoverTerms:
    """What is asked for; times are naive UTC. `since`: copies of what came since then, null: the mailbox itself."""

    kind: HandoverKind
    answers: bool = False
    since: datetime | None = None
    start: datetime | None = None
    until: datetime | None = None
    reason: str = ""


# --- asking and agreeing ---------------------------------------------------------------------------------------------


def ask(owner: User, person: User | None, by: User, terms: HandoverTerms, domains: Iterable[str]) -> MailboxHandover:
    """Ask for it; an owner who does agrees with it. `domains`: of those who may get the mail. Raises HandoverRefusedError."""
    doubt = _doubt(owner, person, by, terms, domains)
    if doubt is not None or person is None:
        raise HandoverRefusedError(doubt or HandoverDoubt.NOBODY)
    own, at = by.id == owner.id, now()
    with db.atomic():
        in_turn(owner)
        mine = MailboxHandover.select().where(MailboxHandover.owner == owner, MailboxHandover.state.in_(OPEN))
        there = [one.person_id for one in mine]
        if person.id in there or len(there) >= MOST:
            raise HandoverRefusedError(HandoverDoubt.TWICE if person.id in there else HandoverDoubt.MANY)
        today = (MailboxHandover.owner == owner) & (MailboxHandover.asked_at > now() - timedelta(days=1))
        if MailboxHandover.select().where(today).count() >= MOST_A_DAY:
            raise HandoverRefusedError(HandoverDoubt.OFTEN)
        return MailboxHandover.create(
            owner=owner, person=person, kind=terms.kind, answers=int(terms.answers), since=terms.since, start=terms.start or at,
            until=terms.until, reason=terms.reason.strip()[:500], state=HandoverState.AGREED if own else HandoverState.ASKED,
            asked_by=by.address, asked_at=at, agreed_by=by.address if own else "", agreed_at=at if own else None,
        )  # fmt: skip


def _doubt(owner: User, person: User | None, by: User, terms: HandoverTerms, domains: Iterable[str]) -> HandoverDoubt | None:
    at = now()
    begins = terms.start or at
    if person is None or not person.active or person.domain not in domains:
        return HandoverDoubt.NOBODY
    if person.id == owner.id:
        return HandoverDoubt.ONESELF
    if by.id != owner.id and not terms.reason.strip():
        return HandoverDoubt.NO_REASON
    if terms.kind is HandoverKind.ABSENCE and terms.until is None:
        return HandoverDoubt.NO_END
    if terms.until is not None and (terms.until <= begins or terms.until <= at):
        return HandoverDoubt.PAST
    return HandoverDoubt.LONG if terms.until is not None and terms.until > begins + LONGEST else None


def why_not(handover: MailboxHandover, by: User, *, owner_away: bool) -> HandoverDoubt | None:
    """Why somebody can't agree: None for the owner, and for an administrator in the place of one who is gone or away."""
    if by.id == handover.owner_id:
        return None
    if not owner_away:
        return HandoverDoubt.OWNER_THERE
    if by.id == handover.person_id:
        return HandoverDoubt.RECEIVER
    return HandoverDoubt.SAME if by.address == handover.asked_by else None


def agree(handover: MailboxHandover, by: User, *, owner_away: bool) -> bool:
    """Agree, as the owner, or as an administrator (the caller has made sure that `by` is one of theirs). False if it was decided
    meanwhile. Raises HandoverRefusedError."""
    if doubt := why_not(handover, by, owner_away=owner_away):
        raise HandoverRefusedError(doubt)
    return _become(handover, (HandoverState.ASKED,), HandoverState.AGREED, agreed_by=by.address, agreed_at=now())


def follow(before: str, address: str) -> None:
    """Somebody is called differently: who asked is still the same, and can't agree. In a transaction."""
    same = (MailboxHandover.asked_by == before) & (MailboxHandover.state == HandoverState.ASKED)
    MailboxHandover.update(asked_by=address).where(same).execute()


def refuse(handover: MailboxHandover, by: User) -> bool:
    """False if it was decided meanwhile."""
    return _become(handover, (HandoverState.ASKED,), HandoverState.REFUSED, ended=now(), ended_by=by.address)


def begin(handover: MailboxHandover, *, allowed: bool) -> bool:
    """It has taken effect: the mail server gave the rights. `allowed`: it alone lets the person write from there."""
    values = {"begun": now(), "allowed": int(allowed), "problem": ""}
    return _become(handover, (HandoverState.AGREED,), HandoverState.ACTIVE, **values)


def end(handover: MailboxHandover, by: User | None) -> bool:
    """From now on it gives nothing; what the mail server knows of it is still to be taken back (`ended`). False if it is over."""
    values = {"ended_by": by.address if by is not None else "", "ended": now()}
    return _become(handover, (HandoverState.ASKED, *IN_FORCE), HandoverState.ENDING, **values)


def ended(handover: MailboxHandover) -> None:
    _become(handover, (HandoverState.ENDING,), HandoverState.ENDED, problem="")


def _become(handover: MailboxHandover, before: Iterable[HandoverState], after: HandoverState, **values: Any) -> bool:
    same = (MailboxHandover.id == handover.id) & MailboxHandover.state.in_(list(before))
    if not MailboxHandover.update(state=after, **values).where(same).execute():
        return False
    for name, value in {"state": after, **values}.items():
        setattr(handover, name, value)
    return True


def note_problem(handover: MailboxHandover, word: str) -> None:
    if handover.problem != word:
        MailboxHandover.update(problem=word).where(MailboxHandover.id == handover.id).execute()
        handover.problem = word


# --- what there is ---------------------------------------------------------------------------------------------------

_Owner, _Person = User.alias(), User.alias()


def _joined() -> Any:
    rows: Any = MailboxHandover.select(MailboxHandover, _Owner, _Person)
    rows = rows.join(_Owner, on=(MailboxHandover.owner == _Owner.id), attr="owner").switch(MailboxHandover)
    return rows.join(_Person, on=(MailboxHandover.person == _Person.id), attr="person")


def find(number: int) -> MailboxHandover | None:
    """With both people. 1 query."""
    return _joined().where(MailboxHandover.id == number).first()


def of_mailbox(owner: User) -> list[MailboxHandover]:
    """Who looks after somebody's mail, was asked to, and did lately; the newest first. 1 query."""
    return list(_joined().where(MailboxHandover.owner == owner, _lately()).order_by(MailboxHandover.id.desc()).limit(PAGE))


def of_person(person: User) -> list[MailboxHandover]:
    """Whose mail somebody looks after, and did lately; what was only asked for they are not told. 1 query."""
    decided = MailboxHandover.state.not_in([HandoverState.ASKED, HandoverState.REFUSED])
    mine = (MailboxHandover.person == person) & decided & _lately()
    return list(_joined().where(mine).order_by(MailboxHandover.id.desc()).limit(PAGE))


def _lately() -> Any:
    return MailboxHandover.ended.is_null() | (MailboxHandover.ended > now() - KEPT)


def is_active(handover: MailboxHandover) -> bool:
    """Still, whatever was read before. 1 query."""
    same = (MailboxHandover.id == handover.id) & (MailboxHandover.state == HandoverState.ACTIVE)
    return bool(MailboxHandover.select(MailboxHandover.id).where(same).exists())


def listed(accounts: Any, *, waiting: bool = False, before: int = 0) -> list[MailboxHandover]:
    """Those of the mailboxes of `accounts` (a query for their `id`s; None: all), newest first, at most PAGE and 1. 1 query."""
    rows = _joined()
    if accounts is not None:
        rows = rows.where(MailboxHandover.owner.in_(accounts))
    if waiting:
        rows = rows.where(MailboxHandover.state == HandoverState.ASKED)
    if before:
        rows = rows.where(MailboxHandover.id < before)
    return list(rows.order_by(MailboxHandover.id.desc()).limit(PAGE + 1))


def due() -> Any:
    """The query for what a worker has to do with: to begin, in force, to end, or over. By `id`."""
    at = now()
    begins = (MailboxHandover.state == HandoverState.AGREED) & (MailboxHandover.start <= at)
    there = MailboxHandover.state.in_([HandoverState.ACTIVE, HandoverState.ENDING])
    return MailboxHandover.select(MailboxHandover.id).where(begins | there).order_by(MailboxHandover.id)


def open_ones() -> list[MailboxHandover]:
    """Everybody's, the newest first. 1 query."""
    return list(_joined().where(MailboxHandover.state.in_(OPEN)).order_by(MailboxHandover.id.desc()))


def open_of(user: User) -> list[MailboxHandover]:
    """Of their mailbox, and those that they have of others. 1 query."""
    theirs = (MailboxHandover.owner == user) | (MailboxHandover.person == user)
    return list(_joined().where(theirs, MailboxHandover.state.in_(OPEN)))


_written_for = Prepared(
    lambda slot: (
        MailboxHandover.select(MailboxHandover.id)
        .join(User, on=(MailboxHandover.owner == User.id))
        .where(
            MailboxHandover.person == slot("person"), User.address == slot("address"),
            MailboxHandover.state == HandoverState.ACTIVE, MailboxHandover.answers == 1, MailboxHandover.allowed == 1,
        )
    )
)  # fmt: skip


def writes_for(person: User, address: str) -> bool:
    """Whether somebody writes from this address as a substitute or successor, and not by a right of their own. 1 query."""
    return bool(_written_for.plain(person=person.id, address=address.lower()))


def wrote_for(login: str, address: str, at: datetime) -> bool:
    """Whether an account wrote from this address as a substitute or successor at a time, also one that is over. 1 query."""
    at = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    rows: Any = MailboxHandover.select(MailboxHandover.id).join(_Owner, on=(MailboxHandover.owner == _Owner.id))
    rows = rows.switch(MailboxHandover).join(_Person, on=(MailboxHandover.person == _Person.id))
    theirs = (_Owner.address == address.lower()) & (_Person.address == login.lower()) & (MailboxHandover.allowed == 1)
    then = (MailboxHandover.begun <= at) & (MailboxHandover.ended.is_null() | (MailboxHandover.ended >= at))
    return bool(rows.where(theirs & then).exists())


# --- how far folders were copied -------------------------------------------------------------------------------------


def folders(handover: MailboxHandover) -> dict[str, HandedOverFolder]:
    """By the name of the owner's folder. 1 query."""
    return {one.mailbox: one for one in HandedOverFolder.select().where(HandedOverFolder.handover == handover)}


def note_folders(handover: MailboxHandover, names: Mapping[str, str]) -> None:
    """The person has rights in these folders now, where the owner had given them those by hand before."""
    rows = [{"handover": handover.id, "mailbox": name, "rights": rights} for name, rights in names.items()]
    if rows:
        HandedOverFolder.insert_many(rows).on_conflict_ignore().execute()


def folder_of(handover: MailboxHandover, mailbox: str, uidvalidity: int) -> HandedOverFolder:
    """How far this folder came; from its beginning where the server has numbered it anew."""
    row, _new = HandedOverFolder.get_or_create(handover=handover, mailbox=mailbox, defaults={"uidvalidity": uidvalidity})
    if row.uidvalidity != uidvalidity:
        row.uidvalidity, row.uid, row.upto, row.before = uidvalidity, 0, 0, 0
        row.save()
    return row


def note_begun(row: HandedOverFolder, upto: int, before: int) -> None:
    """The messages up to `upto` are about to be appended, where `before` is the next UID: after a kill one looks there."""
    row.upto, row.before = upto, before
    row.save(only=[HandedOverFolder.upto, HandedOverFolder.before])


def note_copied(row: HandedOverFolder, uid: int, count: int) -> None:
    row.uid, row.upto = uid, 0
    row.save(only=[HandedOverFolder.uid, HandedOverFolder.upto])
    same = MailboxHandover.id == row.handover_id
    MailboxHandover.update(copied=MailboxHandover.copied + count).where(same).execute()
