"""People changes: one planned person done, in a transaction that others give; and all of it taken back.

What has changed since the plan was made is left as it is: of two administrators, the second overwrites nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from webmail import audit, system_mail
from webmail.admin.imports import people_plan
from webmail.admin.imports.people_plan import LineOutcome, PlannedPerson
from webmail.auth import account_batches, account_management, new_accounts
from webmail.auth.providers.directory import decide_by_hand
from webmail.config.settings import Settings
from webmail.establishments import scope as scopes
from webmail.establishments.scope import Scope
from webmail.mime.headers.encoded_words import sort_key
from webmail.models import AuditAct, PeopleGroup, User
from webmail.people import groups, memberships, own_name, policies

Step = list[Any]  # what takes one change back: a word, the account, and what it takes


@dataclass(slots=True)
class PieceOfPeople:
    """What becomes of some planned people. `passwords`: the letters and the hash for each new address."""

    administrator: User
    scope: Scope
    settings: Settings
    passwords: dict[str, tuple[str, str]]
    until: datetime | None
    steps: list[Step] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)  # addresses that changed meanwhile
    ended: list[int] = field(default_factory=list)  # whose sessions end once this is kept
    made: list[User] = field(default_factory=list)
    _groups: dict[str, dict[str, PeopleGroup]] = field(default_factory=dict)  # by domain, and by the sort keys of their names

    def apply(self, planned: Sequence[PlannedPerson]) -> None:
        """Within a transaction. About 6 queries for each person, with what is recorded."""
        numbers = [one.number for one in planned if one.number]
        users = account_batches.by_number(numbers)
        there = account_batches.by_address(one.address for one in planned if not one.number)
        allowed = account_batches.allowed_among(one.address for one in planned if not one.number)
        names = {name for one in planned for name in (*one.join, *one.leave)}
        for domain in {one.address.rpartition("@")[2] for one in planned} if names else ():
            self._groups[domain] = memberships.groups_of(domain, names)
        for person in planned:
            if person.outcome == LineOutcome.CREATED:
                done = person.address not in there and person.address not in allowed and self._create(person)
            elif person.outcome in (LineOutcome.CHANGED, LineOutcome.DISABLED):
                done = (user := users.get(person.number)) is not None and self._change(person, user)
            else:
                continue
            if done:
                self.counts[person.outcome] = self.counts.get(person.outcome, 0) + 1
            else:
                self.skipped.append(person.address)
        policies.refresh(step[1] for step in self.steps if step[0] in ("joined", "left"))

    def _note(self, act: AuditAct, target: str, **details: str) -> None:
        audit.record(act, actor=self.administrator, target=target, by="import", **details)

    # --- new people --------------------------------------------------------------------------------------------------

    def _create(self, person: PlannedPerson) -> bool:
        if new_accounts.address_fault(person.address):
            return False
        if not self.scope.includes(person.address):
            return False
        role = person.values.get("role", "person") if self.scope.everything else "person"
        password = self.passwords.get(person.address, ("", ""))[1]
        user = account_batches.make(person.address, person.values, role=role, password=password, until=self.until)
        self.steps.append(["made", user.id, person.address])
        self._note(AuditAct.ACCOUNT_ADDED, user.address, role=role)
        new_accounts.created(user, self.settings)
        self._join(user, person.join)
        if "ends" in person.values:
            self._set_end(user, person.values["ends"])
        self.made.append(user)
        return True

    # --- people who are there ----------------------------------------------------------------------------------------

    def _change(self, person: PlannedPerson, user: User) -> bool:
        """Whether it was as planned still."""
        if not self.scope.includes(user) or user.removal_due is not None:
            return False
        now_is = people_plan.current_values(user, self.settings)
        if any(now_is.get(name) != value for name, value in person.before.items()):
            return False
        if "active" in person.values and user.role != "person":
            return False
        if person.values.get("ends") and account_management.is_last_administrator(user):
            return False
        hidden = account_batches.quota_origin(user) if "quota_bytes" in person.values else {}
        set_values(user, person.values, self.settings, self._note)
        if person.values:
            self.steps.append(["set", user.id, person.before, person.values, hidden])
        if person.values.get("active") == 0:
            self.ended.append(user.id)
        self._join(user, person.join)
        self._leave(user, person.leave)
        return True

    def _set_end(self, user: User, day: str) -> None:
        set_values(user, {"ends": day}, self.settings, self._note)

    def _join(self, user: User, names: Sequence[str]) -> None:
        if not names:
            return
        found = self._groups[user.domain]
        wanted = [found.get(sort_key(name)) or self._made_group(user.domain, name, found) for name in names]
        if new := memberships.join(user.id, [group.id for group in wanted]):
            self.steps.append(["joined", user.id, new])
            for group in wanted:
                if group.id in new:
                    self._note(AuditAct.GROUP_CHANGED, user.address, change="added", group=group.name)

    def _made_group(self, domain: str, name: str, found: dict[str, PeopleGroup]) -> PeopleGroup:
        group = groups.create(domain, name)
        found[sort_key(name)] = group
        self.steps.append(["group", group.id, name])
        self._note(AuditAct.GROUP_CHANGED, group.name, change="made")
        return group

    def _leave(self, user: User, names: Sequence[str]) -> None:
        if not names:
            return
        found = [group for name in names if (group := self._groups[user.domain].get(sort_key(name)))]
        if gone := memberships.leave(user.id, [group.id for group in found]):
            self.steps.append(["left", user.id, gone])
            for group in found:
                if group.id in gone:
                    self._note(AuditAct.GROUP_CHANGED, user.address, change="removed", group=group.name)


def set_values(user: User, values: dict[str, Any], settings: Settings, note: Callable[..., None]) -> None:
    """Set what `current_values` names, and record it with `note`."""
    rest = {name: value for name, value in values.items() if name in ("quota_bytes", "language", "recovery_address")}
    if "name" in values:
        if user.name_given is None:
            own_name.put(user, values["name"])
        else:  # who shows another name keeps it
            rest["name_given"] = values["name"]
        note(AuditAct.ACCOUNT_NAMED, user.address)
    if rest:
        before = user.quota_bytes
        account_batches.change(user, rest)
        if "quota_bytes" in rest:
            note(AuditAct.ACCOUNT_QUOTA_SET, user.address, before=str(before), room=str(rest["quota_bytes"]))
        if rest.get("recovery_address"):
            note(AuditAct.RECOVERY_ADDRESS_SET, user.address)
    if "ends" in values:
        ends_on = people_plan.moment_of(values["ends"], settings)
        account_management.change(user, None, ends_on=ends_on, ends_told=None)
        note(AuditAct.ACCOUNT_END_SET, user.address, until=values["ends"] or "never")
    if "active" in values:
        account_management.change(user, None, active=int(values["active"]))
        decide_by_hand(user)
        note(AuditAct.ACCOUNT_ENABLED if values["active"] else AuditAct.ACCOUNT_DISABLED, user.address)


# --- undo ------------------------------------------------------------------------------------------------------------


def take_back(administrator: User, steps: list[Any], settings: Settings) -> int:
    """Undo one step of an import, the last change first, where nobody changed it since; returns how many were undone.

    An account that was made is deleted while nobody has come in by it; else it is disabled, and its mail stays. Who is outside
    of what the administrator looks after by now, since they administer all, is left alone.
    """
    if (scope := scopes.for_user(administrator)) is None:
        return 0

    def note(act: AuditAct, target: str, **details: str) -> None:
        audit.record(act, actor=administrator, target=target, by="import-undo", **details)

    undone = 0
    users = account_batches.by_number(step[1] for step in steps if step[0] != "group")
    for word, number, *rest in reversed(steps):
        if word == "group":
            undone += _take_back_group(number, scope, note)
        elif (user := users.get(number)) is not None and scope.includes(user) and not _would_lock_out(word, rest, user):
            undone += _TAKE_BACK[word](user, rest, settings, note)
    policies.refresh(step[1] for step in steps if step[0] in ("joined", "left") and step[1] in users)
    return undone


def _would_lock_out(word: str, rest: list[Any], user: User) -> bool:
    """Whether the last administrator would be disabled or deleted, whom the import made or enabled."""
    return (word == "made" or (word == "set" and rest[0].get("active") == 0)) and account_management.is_last_administrator(user)


def _take_back_group(number: int, scope: Scope, note: Callable[..., None]) -> int:
    group = memberships.empty_group(number)
    if group is None or not scope.has_domain(group.domain):
        return 0
    groups.delete(group)
    note(AuditAct.GROUP_CHANGED, group.name, change="deleted")
    return 1


def _take_back_made(user: User, _rest: list[Any], settings: Settings, note: Callable[..., None]) -> int:
    if account_batches.is_untouched(user):
        system_mail.drop([user.address])
        account_batches.forget(user)
        note(AuditAct.ACCOUNT_DELETED, user.address)
    elif user.active:
        set_values(user, {"active": 0}, settings, note)
    return 1


def _take_back_set(user: User, rest: list[Any], settings: Settings, note: Callable[..., None]) -> int:
    before, after, hidden = rest
    now_is = people_plan.current_values(user, settings)
    same = {name: value for name, value in before.items() if now_is.get(name) == after[name]}
    set_values(user, same, settings, note)
    if "quota_bytes" in same:
        account_management.change(user, None, **hidden)
    return int(bool(same))


def _take_back_joined(user: User, rest: list[Any], _settings: Settings, _note: Callable[..., None]) -> int:
    return int(bool(memberships.leave(user.id, rest[0])))


def _take_back_left(user: User, rest: list[Any], _settings: Settings, _note: Callable[..., None]) -> int:
    return int(bool(memberships.join(user.id, memberships.existing(rest[0]))))


_TAKE_BACK: dict[str, Callable[[User, list[Any], Settings, Callable[..., None]], int]] = {
    "made": _take_back_made, "set": _take_back_set, "joined": _take_back_joined, "left": _take_back_left,
}  # fmt: skip
