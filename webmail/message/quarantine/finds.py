"""Finds: copies of a reported message in mailboxes, as rows. Administrators see nothing else of a mailbox."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Any

import peewee as pw

from webmail.auth import account_management
from webmail.database.connection import db
from webmail.message.quarantine.copies import FoundCopy
from webmail.models import PhishingFind, PhishingReport, User

ON_A_PAGE = 50
_PIECE = 500  # ids of one UPDATE


class FindState(StrEnum):
    """What became of a copy, as it is stored."""

    FOUND = "found"
    WANTED = "wanted"  # to be put into quarantine
    PULLED = "pulled"  # it is there
    RETURNING = "returning"  # to be put back
    BACK = "back"
    GONE = "gone"  # the person moved or deleted it before


def store(report: PhishingReport, user: User, copies: Iterable[FoundCopy]) -> None:
    """What was found in somebody's mailbox, in place of what was found there before. In the transaction of the caller."""
    mine = (PhishingFind.report == report) & (PhishingFind.user == user)
    PhishingFind.delete().where(mine, PhishingFind.state.in_((FindState.FOUND, FindState.GONE))).execute()
    for copy in copies:
        PhishingFind.insert(
            report=report, user=user, mailbox=copy.mailbox, uidvalidity=copy.uidvalidity, uid=copy.uid, same=int(copy.same),
            message_id=copy.message_id[:998], sender=copy.sender[:254], subject=copy.subject[:500], received=copy.received,
            flags=" ".join(sorted(copy.flags))[:60], state=FindState.FOUND,
        ).on_conflict_ignore().execute()  # fmt: skip


def counts(report: PhishingReport, accounts: Any) -> dict[tuple[bool, str], int]:
    """How many copies these accounts have (a condition on `User`), by whether they are the same, and state. One SELECT."""
    rows = PhishingFind.select(PhishingFind.same, PhishingFind.state, pw.fn.COUNT(PhishingFind.id)).join(User)
    found: Any = rows.where(PhishingFind.report == report, accounts).group_by(PhishingFind.same, PhishingFind.state).tuples()
    return {(bool(same), str(state)): int(count) for same, state, count in found}


def listing(report: PhishingReport, accounts: Any, *, same: bool, page: int) -> tuple[list[PhishingFind], bool]:
    """A page (from 1), by address, and whether there are more. One SELECT."""
    rows = PhishingFind.select(PhishingFind, User).join(User)
    rows = rows.where(PhishingFind.report == report, PhishingFind.same == int(same), accounts)
    rows = rows.order_by(User.address, PhishingFind.id).limit(ON_A_PAGE + 1).offset((page - 1) * ON_A_PAGE)
    found = list(rows)
    return found[:ON_A_PAGE], len(found) > ON_A_PAGE


def want(report: PhishingReport, accounts: Any, *, all_same: bool = False, numbers: Collection[int] = ()) -> int:
    """Mark what is to be put into quarantine: all that are the same, and those ticked; returns how many."""
    chosen = PhishingFind.same == 1 if all_same else pw.SQL("1 = 0")
    if ticked := list(numbers)[:_PIECE]:
        chosen |= PhishingFind.id.in_(ticked)
    return _mark(report, accounts, FindState.FOUND, FindState.WANTED, chosen)


def want_back(report: PhishingReport, accounts: Any) -> int:
    """Mark what is to be put back: all that is in quarantine, or was to go there; returns how many."""
    _mark(report, accounts, FindState.WANTED, FindState.FOUND, pw.SQL("1 = 1"))
    return _mark(report, accounts, FindState.PULLED, FindState.RETURNING, pw.SQL("1 = 1"))


def next_user(report: PhishingReport, state: FindState, after: int) -> User | None:
    """The next person with copies in this state. One SELECT."""
    rows = PhishingFind.select(PhishingFind, User).join(User)
    rows = rows.where(PhishingFind.report == report, PhishingFind.state == state, PhishingFind.user > after)
    find: PhishingFind | None = rows.order_by(PhishingFind.user).first()
    return find.user if find is not None else None


def people_with(report: PhishingReport, state: FindState) -> int:
    """How many people have copies in this state. One SELECT."""
    rows = PhishingFind.select(PhishingFind.user).where(PhishingFind.report == report, PhishingFind.state == state)
    return int(rows.distinct().count())


def of_user(report: PhishingReport, user: User, state: FindState) -> list[PhishingFind]:
    rows = PhishingFind.select().where(PhishingFind.report == report, PhishingFind.user == user, PhishingFind.state == state)
    return list(rows.order_by(PhishingFind.id))


def note(find: PhishingFind, state: FindState, **values: Any) -> None:
    """One UPDATE."""
    PhishingFind.update(state=state, **values).where(PhishingFind.id == find.id).execute()


def untold() -> list[pw.Query]:
    """What finds whether somebody is still to be told."""
    return [PhishingFind.select(PhishingFind.id).where(PhishingFind.told == 0)]


def take_untold(most: int) -> list[tuple[User, list[PhishingFind]]]:
    """People who are still to be told, with the copies concerned; the caller notes them by `note_told`. One SELECT."""
    rows = PhishingFind.select(PhishingFind, User).join(User).where(PhishingFind.told == 0)
    found: dict[int, tuple[User, list[PhishingFind]]] = {}
    for row in rows.order_by(PhishingFind.user, PhishingFind.id).limit(most):
        found.setdefault(row.user_id, (row.user, []))[1].append(row)
    return list(found.values())


def note_told(rows: Iterable[PhishingFind]) -> bool:
    """Whether nobody else had told them. One UPDATE."""
    numbers = [row.id for row in rows]
    return bool(PhishingFind.update(told=1).where(PhishingFind.id.in_(numbers), PhishingFind.told == 0).execute())


def _mark(report: PhishingReport, accounts: Any, before: FindState, after: FindState, chosen: Any) -> int:
    users = account_management.numbers_of(accounts)
    these = (PhishingFind.report == report) & (PhishingFind.state == before) & PhishingFind.user.in_(users) & chosen
    with db.atomic():
        return int(PhishingFind.update(state=after).where(these).execute())
