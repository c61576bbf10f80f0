"""Desk cases: opened with each request, taken by one of those who administer, answered and closed. Each change is one UPDATE that
names the version it was decided on, so of two at once the second is told. No Flask here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

import peewee as pw

from webmail.database.connection import db
from webmail.errors import MailError
from webmail.models import DeskAnswer, DeskCase, DeskKind, DeskState, User, now

KEPT = timedelta(days=365)
LONGEST_TEXT = 4000  # characters of an answer
LONGEST_PAGE, LONGEST_WORDS = 300, 500  # of what the person saw
SEEN = ("page", "status", "said", "request", "browser", "network", "devices", "contact", "reference")
ON_A_PAGE = 50
OPEN = (DeskState.NEW, DeskState.TAKEN)
ENDED = (DeskState.ANSWERED, DeskState.CLOSED)
SIGN_IN_TOPICS = ("password", "factor")  # with which deputies help
_MOST_OWN = 30
_MOST_ANSWERS = 100


class CaseChangedError(MailError):
    """Somebody else took, answered or closed the case after the page was made: `case` is as it is now."""

    status = 409

    def __init__(self, case: DeskCase) -> None:
        super().__init__(f"case {case.id} has changed")
        self.case = case


# --- what other parts tell the desk ----------------------------------------------------------------------------------


def open_case(
    kind: DeskKind, number: int, *, user: User | None = None, address: str = "", domain: str = "", topic: str = "",
    text: str = "", seen: dict[str, str] | None = None,
) -> None:  # fmt: skip
    """Somebody asks for something: `number` is its row. The same once more is new again. One INSERT.

    `address`: whose account it is about; that of `user` by itself. `domain`: who answers, if not those of the address.
    """
    address = (user.address if user else address)[:254]
    row = DeskCase
    values: dict[Any, Any] = {
        row.user: user, row.address: address, row.domain: (domain or address.rpartition("@")[2]).lower()[:190],
        row.topic: topic[:20], row.text: text[:LONGEST_TEXT], row.seen: packed(seen or {}), row.state: DeskState.NEW,
        row.holder: None, row.holder_address: "", row.asked: now(), row.changed: now(),
    }  # fmt: skip
    again = {**values, row.version: row.version + 1}
    added = row.insert({**values, row.kind: kind, row.number: number})
    added.on_conflict(conflict_target=[DeskCase.kind, DeskCase.number], update=again).execute()


def withdraw(kind: DeskKind, number: int) -> None:
    """The person does not want it any more. One DELETE."""
    DeskCase.delete().where(DeskCase.kind == kind, DeskCase.number == number).execute()


def settle(kind: DeskKind, numbers: Collection[int], by: str = "") -> None:
    """It was done elsewhere, such as by a command or on a page of its own. One UPDATE."""
    these = (DeskCase.kind == kind) & DeskCase.number.in_(list(numbers)) & DeskCase.state.in_(OPEN)
    _change(these, state=DeskState.CLOSED, **({"holder_address": by[:254]} if by else {}))


def reopen(kind: DeskKind, number: int) -> None:
    """What was done elsewhere was taken back. One UPDATE."""
    closed = DeskCase.state.in_((DeskState.CLOSED, DeskState.ANSWERED))
    _change((DeskCase.kind == kind) & (DeskCase.number == number) & closed, state=DeskState.NEW)


def is_open(kind: DeskKind, numbers: Collection[int]) -> bool:
    """Whether one of these is on the desk and not answered. One SELECT; none without numbers."""
    these = (DeskCase.kind == kind) & DeskCase.number.in_(list(numbers)) & DeskCase.state.in_(OPEN)
    return bool(numbers) and bool(DeskCase.select().where(these).exists())


def expire() -> int:
    """Delete what is older than KEPT; returns how many."""
    return int(DeskCase.delete().where(DeskCase.asked < now() - KEPT).execute())


def packed(seen: dict[str, str]) -> str:
    """What the person saw, as it is stored: only what `SEEN` names, each bounded."""
    return json.dumps({name: seen[name][:LONGEST_WORDS] for name in SEEN if seen.get(name)}, ensure_ascii=False)


def seen_of(case: DeskCase) -> dict[str, str]:
    return dict(json.loads(case.seen))


# --- for those who answer --------------------------------------------------------------------------------------------


def of_domains(domains: Collection[str] | None) -> Any:
    """What is true of the cases of these domains; None: of all."""
    return pw.SQL("1 = 1") if domains is None else DeskCase.domain.in_(sorted(domains))


def but_of(accounts: Any) -> Any:
    """What is true of the cases of nobody among these accounts (a query of their `id`s)."""
    return DeskCase.user.is_null() | DeskCase.user.not_in(accounts)


def about_sign_in(addresses: Any) -> Any:
    """What is true of the cases of people (a query of their addresses) who ask for help with signing in: topics of support."""
    topics = DeskCase.topic.in_(SIGN_IN_TOPICS)
    return (DeskCase.kind == DeskKind.SUPPORT) & topics & DeskCase.address.in_(addresses)


def listing(
    within: Any, *, states: Sequence[str] = OPEN, kind: str = "", holder: User | None = None, page: int = 1
) -> tuple[list[DeskCase], bool]:
    """A page (from 1) of the cases that one sees (`of_domains`, `about_sign_in`), and whether there are more. Two SELECTs.

    Open ones the oldest first, others the newest first."""
    rows = DeskCase.select(DeskCase.id).where(within, DeskCase.state.in_(list(states)))
    if kind:
        rows = rows.where(DeskCase.kind == kind)
    if holder is not None:
        rows = rows.where(DeskCase.holder == holder)
    order = (DeskCase.asked, DeskCase.id) if set(states) <= set(OPEN) else (DeskCase.asked.desc(), DeskCase.id.desc())
    # numbers alone are put in order, from an index: with their texts, thousands of open cases would be
    found: Any = rows.order_by(*order).limit(ON_A_PAGE + 1).offset((page - 1) * ON_A_PAGE).tuples()
    numbers = [number for (number,) in found]
    shown = {case.id: case for case in DeskCase.select().where(DeskCase.id.in_(numbers[:ON_A_PAGE]))}
    return [shown[number] for number in numbers[:ON_A_PAGE] if number in shown], len(numbers) > ON_A_PAGE


def open_counts(within: Any) -> dict[str, int]:
    """How many wait, by kind. One SELECT."""
    rows = DeskCase.select(DeskCase.kind, pw.fn.COUNT(DeskCase.id)).where(within, DeskCase.state.in_(OPEN))
    found: Any = rows.group_by(DeskCase.kind).tuples()
    return {str(kind): int(count) for kind, count in found}


def find(number: int, within: Any) -> DeskCase | None:
    """A case, if one sees it. One SELECT."""
    if not 0 < number < 2**63:
        return None
    case: DeskCase | None = DeskCase.select().where(DeskCase.id == number, within).first()
    return case


def of_row(kind: DeskKind, number: int) -> DeskCase | None:
    """The case of a row. One SELECT."""
    case: DeskCase | None = DeskCase.get_or_none((DeskCase.kind == kind) & (DeskCase.number == number))
    return case


def answers(case: DeskCase) -> list[DeskAnswer]:
    """What was said of it, in its order. One SELECT."""
    rows = DeskAnswer.select().where(DeskAnswer.case == case).order_by(DeskAnswer.id).limit(_MOST_ANSWERS)
    return list(rows)


def take(case: DeskCase, helper: User, version: int) -> None:
    """`helper` looks after it from now on, also in another's place. Raises CaseChangedError."""
    _changed(case, version, state=DeskState.TAKEN, holder=helper, holder_address=helper.address)


def give_back(case: DeskCase, version: int) -> None:
    """Nobody looks after it any more. Raises CaseChangedError."""
    _changed(case, version, state=DeskState.NEW, holder=None, holder_address="")


def answer(case: DeskCase, helper: User, text: str, version: int, *, state: DeskState = DeskState.ANSWERED) -> DeskAnswer | None:
    """Keep what the person is told, and change the state; None for an empty text, as for closing without a word. In the caller's
    transaction, or one of its own. Raises CaseChangedError."""
    with db.atomic():
        _changed(case, version, state=state, holder=helper, holder_address=helper.address)
        if not text:
            return None
        return DeskAnswer.create(case=case, author=helper, author_address=helper.address, text=text[:LONGEST_TEXT])


# --- for those who ask -----------------------------------------------------------------------------------------------


def own(user: User) -> list[tuple[DeskCase, list[DeskAnswer]]]:
    """What somebody asked for, newest first, with what was said. Two SELECTs."""
    rows = list(
        DeskCase.select().where(DeskCase.user == user).order_by(DeskCase.asked.desc(), DeskCase.id.desc()).limit(_MOST_OWN)
    )
    said: dict[int, list[DeskAnswer]] = {row.id: [] for row in rows}
    for one in DeskAnswer.select().where(DeskAnswer.case.in_(list(said))).order_by(DeskAnswer.id) if said else ():
        said[one.case_id].append(one)
    return [(row, said[row.id]) for row in rows]


def is_own(user: User, number: int) -> bool:
    """Whether somebody asked for this. One SELECT."""
    mine = (DeskCase.id == number) & (DeskCase.user == user)
    return 0 < number < 2**63 and bool(DeskCase.select(DeskCase.id).where(mine).exists())


def write_back(user: User, number: int, text: str) -> DeskCase | None:
    """The person writes once more about a case of theirs, which is open again then; None if there is none, or it is full."""
    with db.atomic():
        case = DeskCase.get_or_none((DeskCase.id == number) & (DeskCase.user == user)) if 0 < number < 2**63 else None
        if case is None or DeskAnswer.select().where(DeskAnswer.case == case).count() >= _MOST_ANSWERS:
            return None
        DeskAnswer.create(case=case, author=user, author_address=user.address, theirs=1, text=text[:LONGEST_TEXT])
        state = DeskState.TAKEN if case.holder_id and case.holder_id != user.id else DeskState.NEW
        _change(DeskCase.id == case.id, state=state)
    return DeskCase.get_by_id(case.id)


# --- parts -----------------------------------------------------------------------------------------------------------


def _change(these: Any, **values: Any) -> int:
    return int(DeskCase.update(**values, version=DeskCase.version + 1, changed=now()).where(these).execute())


def _changed(case: DeskCase, version: int, **values: Any) -> None:
    """Change it if it is still as it was, and let `case` be as it is now."""
    done = _change((DeskCase.id == case.id) & (DeskCase.version == version), **values)
    fresh = DeskCase.get_or_none(DeskCase.id == case.id)
    if not done or fresh is None:
        raise CaseChangedError(fresh or case)
    case.__data__.update(fresh.__data__)
    case.__rel__.clear()
