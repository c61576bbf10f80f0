"""Archive rules: a person's own, those that the administrator gives, which are in force, and what they mean on a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from webmail import imap, preferences
from webmail.config.settings import Settings
from webmail.config.tables import GivenArchiving
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.errors import LimitReachedError, UnsafeValueError
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.mail import Mailbox, Role
from webmail.mailbox import tags
from webmail.models import ArchiveRule, User

MOST_RULES = 30
MOST_DAYS, MOST_MONTHS = 9999, 600
_NEVER = (Role.DRAFTS, Role.SNOOZED)
_EMPTIED = (Role.JUNK, Role.TRASH)
_ROLES = {"inbox": Role.INBOX, "sent": Role.SENT, "junk": Role.JUNK, "trash": Role.TRASH}


class AgeUnit(StrEnum):
    DAYS = "days"
    MONTHS = "months"
    SCHOOL_YEAR = "school-year"  # before the one that runs


class ArchiveAction(StrEnum):
    ARCHIVE = "archive"
    TAG = "tag"
    DELETE = "delete"  # of junk into the trash, of the trash for good


class BadPlanError(ValueError):
    """A rule that can't be. `what` is the field: mailbox, amount, action, keyword."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True, slots=True)
class ArchivePlan:
    """A rule. `key` names it for good; `given` is the administrator's name for it, "" for a person's own.

    `replaced`: a rule of the person's own for the same folder takes its place. `optional`: it may be turned off.
    """

    mailbox: str
    unit: AgeUnit = AgeUnit.MONTHS
    amount: int = 12
    action: ArchiveAction = ArchiveAction.ARCHIVE
    split: str = "year"
    keyword: str = ""
    keep_unread: bool = True
    keep_flagged: bool = True
    keep_tagged: bool = False
    on: bool = True
    key: str = ""
    given: str = ""
    optional: bool = True
    replaced: bool = False

    @property
    def in_force(self) -> bool:
        return self.on and not self.replaced


def cutoff(plan: ArchivePlan, today: date, school_year_begins: str) -> date:
    """Messages received before this day are old. `school_year_begins`: month and day, "09-01"."""
    match plan.unit:
        case AgeUnit.DAYS:
            return today - timedelta(days=plan.amount)
        case AgeUnit.MONTHS:
            months = today.year * 12 + today.month - 1 - plan.amount
            year, month = divmod(months, 12)
            return _day_or_month_end(year, month + 1, today.day)
    month, day = map(int, school_year_begins.split("-"))
    this = date(today.year, month, day)
    return this if this <= today else date(today.year - 1, month, day)


def _day_or_month_end(year: int, month: int, day: int) -> date:
    """This day, or the last one of its month."""
    after = date(year + month // 12, month % 12 + 1, 1)
    return min(date(year, month, 1) + timedelta(days=day - 1), after - timedelta(days=1))


def check(plan: ArchivePlan, found: Overview) -> None:
    """Raises BadPlanError."""
    mailbox = found.get(plan.mailbox)
    if mailbox is None or not may_be_chosen(mailbox):
        raise BadPlanError("mailbox")
    most = {AgeUnit.DAYS: MOST_DAYS, AgeUnit.MONTHS: MOST_MONTHS}.get(plan.unit)
    if most and not 1 <= plan.amount <= most:
        raise BadPlanError("amount")
    emptied = mailbox.role in _EMPTIED
    if plan.action is ArchiveAction.DELETE and not emptied or plan.action is ArchiveAction.ARCHIVE and emptied:
        raise BadPlanError("action")
    if plan.action is ArchiveAction.TAG and not _is_tag(plan.keyword):
        raise BadPlanError("keyword")


def _is_tag(keyword: str) -> bool:
    """Whether mail can have it, and programs do not go by it."""
    try:
        return bool(imap.actions.keyword(keyword)) and not tags.is_system(keyword)
    except UnsafeValueError:
        return False


def may_be_chosen(mailbox: Mailbox) -> bool:
    """One's own folders, but drafts and snoozed messages."""
    return mailbox.selectable and not mailbox.owner and mailbox.role not in _NEVER


# --- which there are -------------------------------------------------------------------------------------------------


def own(user: User) -> list[ArchivePlan]:
    """A person's own rules, in their order. 1 query."""
    mine = ArchiveRule.select().where(ArchiveRule.user == user).order_by(ArchiveRule.position, ArchiveRule.id)
    return [_plan_of(row) for row in mine]


def find(user: User, number: int) -> ArchivePlan | None:
    """1 query."""
    row = ArchiveRule.get_or_none((ArchiveRule.id == number) & (ArchiveRule.user == user)) if number < 2**31 else None
    return _plan_of(row) if row else None


def given(user: User, settings: Settings, found: Overview, mine: Iterable[ArchivePlan]) -> list[ArchivePlan]:
    """The administrator's rules for folders that this person has, with what the person chose about them. No query."""
    off = preferences.for_user(user).archive_off
    taken = {plan.mailbox for plan in mine}
    plans = []
    for one in settings.archive:
        mailbox = _folder(one.folder, found)
        if mailbox is not None and may_be_chosen(mailbox):
            on = not one.optional or one.name not in off
            plan = replace(_given_plan(one), mailbox=mailbox.name, on=on, replaced=one.optional and mailbox.name in taken)
            plans.append(plan)
    return plans


def in_force(user: User, settings: Settings, found: Overview) -> list[ArchivePlan]:
    """What is carried out tonight, in this order: one's own rules, then what the administrator gives. 1 query."""
    mine = own(user)
    return [plan for plan in [*mine, *given(user, settings, found, mine)] if plan.in_force]


def _folder(name: str, found: Overview) -> Mailbox | None:
    role = _ROLES.get(name.lower())
    return found.with_role(role) if role else found.get(name)


def _given_plan(archiving: GivenArchiving) -> ArchivePlan:
    amount, _space, unit = archiving.older_than.partition(" ")
    school = archiving.older_than == "school year"
    return ArchivePlan(
        archiving.folder, AgeUnit.SCHOOL_YEAR if school else AgeUnit(unit), 0 if school else int(amount),
        ArchiveAction(archiving.action), archiving.split, "", archiving.keep_unread, archiving.keep_flagged,
        archiving.keep_tagged, key=f"given-{archiving.name}", given=archiving.name, optional=archiving.optional,
    )  # fmt: skip


def _plan_of(row: ArchiveRule) -> ArchivePlan:
    return ArchivePlan(
        row.mailbox, AgeUnit(row.unit), row.amount, ArchiveAction(row.action), row.split, row.keyword,
        row.keep_unread, row.keep_flagged, row.keep_tagged, row.on, f"own-{row.id}",
    )  # fmt: skip


def _columns(plan: ArchivePlan) -> dict[str, object]:
    names = ("mailbox", "unit", "amount", "action", "split", "keyword", "keep_unread", "keep_flagged", "keep_tagged", "on")
    return {name: getattr(plan, name) for name in names}


# --- changes ---------------------------------------------------------------------------------------------------------


def number_of(plan: ArchivePlan) -> int:
    """Of one's own rule."""
    return int(plan.key.removeprefix("own-"))


def save(user: User, plan: ArchivePlan) -> None:
    """A new rule goes below the others; the same one twice (a double click) is one. Raises LimitReachedError. 1 transaction."""
    with db.atomic():
        in_turn(user)
        mine = own(user)
        if plan.key:
            row = (ArchiveRule.id == number_of(plan)) & (ArchiveRule.user == user)
            ArchiveRule.update(_columns(plan)).where(row).execute()
            return
        if any(replace(one, key="") == plan for one in mine):
            return
        if len(mine) >= MOST_RULES:
            raise LimitReachedError(f"{user.address} has {MOST_RULES} rules")
        ArchiveRule.create(user=user, position=_last(user) + 1, **_columns(plan))


def _last(user: User) -> int:
    found = ArchiveRule.select(ArchiveRule.position).where(ArchiveRule.user == user).order_by(ArchiveRule.position.desc())
    row = found.first()
    return row.position if row else 0


def remove(user: User, number: int) -> ArchivePlan | None:
    """What it was; None where it is gone already."""
    plan = find(user, number)
    if plan:
        ArchiveRule.delete().where((ArchiveRule.id == number) & (ArchiveRule.user == user)).execute()
    return plan


def put_back(user: User, plan: ArchivePlan, position: int) -> None:
    """One that was removed, where it was; under another number, since its own may be taken. 1 INSERT."""
    ArchiveRule.create(user=user, position=position, **_columns(plan))


def position_of(user: User, number: int) -> int:
    row = ArchiveRule.get_or_none((ArchiveRule.id == number) & (ArchiveRule.user == user))
    return row.position if row else 0


def switch(user: User, settings: Settings, key: str, on: bool) -> bool:
    """Switch a rule on or off, one's own or a given one that may be; whether there is such a one."""
    if key.startswith("own-") and key[4:].isdecimal() and len(key) < 14:
        mine = (ArchiveRule.id == int(key[4:])) & (ArchiveRule.user == user)
        return bool(ArchiveRule.update(on=on).where(mine).execute())
    name = key.removeprefix("given-")
    if not any(one.name == name and one.optional for one in settings.archive):
        return False
    with db.atomic():
        in_turn(user)
        off = [one for one in preferences.for_user(User.get_by_id(user.id)).archive_off if one != name]
        preferences.change(user, archive_off=off if on else [*off, name])
    return True


def put_beside(user: User, number: int, other: int, *, after: bool) -> None:
    """Put a rule right before or after another one, wherever that is now. Nothing if either is gone. 1 transaction."""
    with db.atomic():
        in_turn(user)
        numbers = [number_of(plan) for plan in own(user)]
        if number not in numbers or other not in numbers or number == other:
            return
        numbers.remove(number)
        numbers.insert(numbers.index(other) + after, number)
        for position, each in enumerate(numbers, 1):
            ArchiveRule.update(position=position).where(ArchiveRule.id == each).execute()


def follow(user: User, now: Callable[[str], str], gone: bool) -> list[ArchivePlan]:
    """Write the new names of folders into the rules; those of a folder that is gone are switched off, and returned."""
    off = []
    for plan in own(user):
        name = now(plan.mailbox)
        if name != plan.mailbox:
            mine = ArchiveRule.id == number_of(plan)
            on = plan.on and not gone
            ArchiveRule.update(mailbox=name or plan.mailbox, on=on).where(mine).execute()
            off += [plan] if plan.on and not on else []
    return off
