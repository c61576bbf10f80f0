"""Deputies: who may help the people of a group back in, face to face, and what they may do. No Flask here.

A deputy gives a temporary password on paper, and removes factors that were lost. Administrators may do so for everybody of their
domains. Each act is one transaction that decides anew who may and counts; of two deputies at once the second one is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import peewee as pw

from webmail import audit, rate_limits
from webmail.auth.passwords import change
from webmail.auth.providers.accounts import has_own_password
from webmail.auth.recovery import temporary_passwords
from webmail.auth.recovery.factor_reset import reset_factors
from webmail.config.settings import Settings
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.database.idempotency import in_turn_together
from webmail.models import AuditAct, AuditEntry, Deputy, GroupMember, PeopleGroup, User, now
from webmail.rate_limits import HOUR, RateLimit
from webmail.vault import keyed_hash

HELPED = RateLimit("help of a deputy", 30, HOUR)  # temporary passwords and removals of factors together
LONGEST_REASON, SHORTEST_REASON = 200, 3  # characters
_HOUR = timedelta(hours=1)
_ACTS = (AuditAct.DEPUTY_PASSWORD_SET, AuditAct.DEPUTY_FACTORS_REMOVED)
_MOST_WORDS = 5


class HelpRefusal(StrEnum):
    """Why somebody can't be helped, or not with a password."""

    NO_FACTOR = "no-factor"  # the deputy has no second factor: a stolen password would open everybody's mail
    ONESELF = "oneself"
    ADMIN = "admin"
    DEPUTY = "deputy"  # another one: only an administrator helps them
    DISABLED = "disabled"
    PROVIDER = "provider"  # a provider keeps the password
    ELSEWHERE = "elsewhere"  # the mail server keeps it
    NONE = "none"  # there are no factors to remove


class NotHelpedError(ValueError):
    """It was not done: `refusal`."""

    def __init__(self, refusal: HelpRefusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class ChangedMeanwhileError(ValueError):
    """The person's password is not the one of the page any more: another deputy was faster, or it was pressed twice."""


@dataclass(frozen=True, slots=True)
class Helped:
    """Somebody in the list: when they last signed in, None where the audit log knows nothing of it."""

    user: User
    signed_in: datetime | None
    deputy: bool


# --- who is one ------------------------------------------------------------------------------------------------------


def is_one(user: User) -> bool:
    """Whether somebody is a deputy. One SELECT."""
    return bool(Deputy.select().where(Deputy.user == user).exists())


def may_help(user: User) -> bool:
    """Whether somebody helps others at all. No query for administrators, else one."""
    return user.role == "admin" or is_one(user)


def there_are_any() -> bool:
    """One SELECT."""
    return bool(Deputy.select().exists())


def add(user: User, group: PeopleGroup) -> bool:
    """Make somebody a deputy for a group; whether they were none for it."""
    return bool(Deputy.get_or_create(user=user, group=group)[1])


def remove(user: User, group: PeopleGroup | None = None) -> list[PeopleGroup]:
    """Somebody is no deputy any more, for this group or (None) for any; returns for which they were one."""
    mine = Deputy.user == user
    if group is not None:
        mine &= Deputy.group == group
    rows = list(Deputy.select(Deputy, PeopleGroup).join(PeopleGroup).where(mine))
    Deputy.delete().where(Deputy.id.in_([row.id for row in rows])).execute()
    return [row.group for row in rows]


def of_group(group: PeopleGroup) -> list[User]:
    """Who is a deputy for a group, by address. One SELECT."""
    return list(User.select().join(Deputy).where(Deputy.group == group).order_by(User.address))


def set_for(group: PeopleGroup, people: Sequence[User]) -> tuple[list[User], list[User]]:
    """Make these the deputies for a group; returns who became one, and who is none any more."""
    before = {one.id: one for one in of_group(group)}
    wanted = {one.id for one in people}
    added = [one for one in people if add(one, group)]
    return added, [one for number, one in before.items() if number not in wanted and remove(one, group)]


def listed() -> list[Deputy]:
    """All deputies with their groups, by address. One SELECT."""
    found = Deputy.select(Deputy, User, PeopleGroup).join(User).switch(Deputy).join(PeopleGroup)
    return list(found.order_by(User.address, PeopleGroup.sort))


def groups_of(user: User) -> list[PeopleGroup]:
    """The groups that somebody is a deputy for. One SELECT."""
    return list(PeopleGroup.select().join(Deputy).where(Deputy.user == user).order_by(PeopleGroup.sort))


# --- whom they help --------------------------------------------------------------------------------------------------


def people(helper: User, text: str, page: int, size: int, settings: Settings) -> tuple[list[Helped], int]:
    """A page (from 1) of those whom `helper` may help or at least sees, by name, and how many there are. Four queries.

    Each word has to be in the name or the address.
    """
    found = User.select().where(_within(helper, settings), *_with_words(text))
    total = int(found.count())
    rows = list(found.order_by(pw.fn.LOWER(User.name), User.address).limit(size).offset((page - 1) * size))
    return _described(rows), total


def addresses(helper: User, settings: Settings) -> Any:
    """A query of the addresses of all whom `helper` sees."""
    return User.select(User.address).where(_within(helper, settings))


def find(helper: User, number: int, settings: Settings) -> User | None:
    """Somebody whom `helper` may help or at least sees; None for everybody else, as for nobody. One SELECT."""
    if not 0 < number < 2**63:
        return None
    person: User | None = User.select().where(User.id == number, _within(helper, settings)).first()
    return person


def described(person: User) -> Helped:
    """Two SELECTs."""
    return _described([person])[0]


def _within(helper: User, settings: Settings) -> Any:
    if helper.role == "admin":
        return User.domain.in_(settings.own_domains(helper.domain))
    mine = Deputy.select(Deputy.group).where(Deputy.user == helper)
    return User.id.in_(GroupMember.select(GroupMember.user).where(GroupMember.group.in_(mine)))


def _with_words(text: str) -> list[Any]:
    return [User.name.contains(word) | User.address.contains(word) for word in text.split()[:_MOST_WORDS]]


def _described(rows: Sequence[User]) -> list[Helped]:
    if not rows:
        return []
    numbers = [row.id for row in rows]
    # of each person the newest entry alone: all of a year would be read for MAX
    theirs = (AuditEntry.actor_address == User.address) & (AuditEntry.act == AuditAct.SIGN_IN)
    newest = AuditEntry.select(AuditEntry.at).where(theirs).order_by(AuditEntry.at.desc()).limit(1)
    last: Any = User.select(User.id, newest).where(User.id.in_(numbers))
    times = dict(last.tuples())
    others: Any = Deputy.select(Deputy.user).where(Deputy.user.in_(numbers)).tuples()
    deputies = {number for (number,) in others}
    return [Helped(row, _moment(times.get(row.id)), row.id in deputies) for row in rows]


def _moment(value: Any) -> datetime | None:
    """SQLite gives text for a function's value."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


# --- what they may do ------------------------------------------------------------------------------------------------


def why_no_password(helper: User, person: User, settings: Settings) -> HelpRefusal | None:
    """Why `helper` gives this person no temporary password; None where they may. At most one SELECT."""
    if settings.sign_in != "accounts":
        return HelpRefusal.ELSEWHERE
    if refusal := _why_not(helper, person):
        return refusal
    return _needs_factor(helper) if has_own_password(person) else HelpRefusal.PROVIDER


def why_no_removal(helper: User, person: User) -> HelpRefusal | None:
    """Why `helper` does not remove the factors of this person; None where they may. At most one SELECT."""
    return _why_not(helper, person) or (_needs_factor(helper) if person.second_step else HelpRefusal.NONE)


def _why_not(helper: User, person: User) -> HelpRefusal | None:
    if person.id == helper.id:
        return HelpRefusal.ONESELF
    if person.role == "admin" or (person.role != "person" and helper.role != "admin"):
        return HelpRefusal.ADMIN
    if not person.active:
        return HelpRefusal.DISABLED
    if helper.role != "admin" and is_one(person):
        return HelpRefusal.DEPUTY
    return None


def _needs_factor(helper: User) -> HelpRefusal | None:
    return None if helper.second_step else HelpRefusal.NO_FACTOR


def state_of(person: User, settings: Settings) -> str:
    """A word for the password that somebody has now, which tells nothing of it: a form brings it back."""
    return keyed_hash(person.password, settings.secret_key, "state of a password", person.id)[:24]


def give_password(helper: User, number: int, seen: str, settings: Settings, network: str = "") -> tuple[User, str]:
    """Give somebody a temporary password; returns who they are, and its letters, which are nowhere else.

    `seen`: `state_of` the person on the page. The caller ends what they have open (endings.py) and tells them. Raises
    NotHelpedError, ChangedMeanwhileError, TooManyRequestsError, TooBusyError; LookupError where there is nobody of this number
    for `helper`.
    """
    letters = temporary_passwords.make()
    hashed = change.hash_in_turn(letters)  # before the transaction: it takes a while
    return _given(helper, number, seen, hashed, settings, network), letters


@begun_again
def _given(helper: User, number: int, seen: str, hashed: str, settings: Settings, network: str) -> User:
    with db.atomic():
        person = _again(helper, number, settings)
        if refusal := why_no_password(helper, person, settings):
            raise NotHelpedError(refusal)
        if state_of(person, settings) != seen:
            raise ChangedMeanwhileError(person.address)
        rate_limits.take(settings, HELPED.by(helper.id))
        new: dict[str, Any] = {
            "password": hashed, "must_change": 1, "temporary_until": now() + temporary_passwords.VALID, "reset_by_mail": 0,
        }  # fmt: skip
        if not User.update(new).where(User.id == person.id, User.password == person.password).execute():
            raise ChangedMeanwhileError(person.address)
        audit.record(AuditAct.DEPUTY_PASSWORD_SET, actor=helper, target=person.address, network=network)
    return User.get_by_id(person.id)


@begun_again
def remove_factors(helper: User, number: int, reason: str, settings: Settings, network: str = "") -> User:
    """Remove somebody's second factors; returns who they are. `reason`: what the deputy typed.

    The caller ends what they have open and tells them. Raises as `give_password`.
    """
    with db.atomic():
        person = _again(helper, number, settings)
        if refusal := why_no_removal(helper, person):
            raise NotHelpedError(refusal)
        rate_limits.take(settings, HELPED.by(helper.id))
        reset_factors(person)
        audit.record(
            AuditAct.DEPUTY_FACTORS_REMOVED, actor=helper, target=person.address, network=network, reason=reason[:LONGEST_REASON]
        )
    return person


def _again(helper: User, number: int, settings: Settings) -> User:
    """The person as they are now. Holds their row and the helper's: of two deputies one comes after the other, also where each
    helps the other."""
    in_turn_together(helper.id, number)
    person = find(helper, number, settings)
    if person is None:
        raise LookupError(number)
    return person
