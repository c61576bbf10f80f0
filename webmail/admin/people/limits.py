"""Limits of one person: what holds, where each value comes from, and what they are given of their own, with undo."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from webmail.admin.people import sizes
from webmail.admin.people.editing import AccountChangedError
from webmail.admin.people.record import ChangedBy
from webmail.auth import account_management, aliases
from webmail.auth.factors import requirement
from webmail.config import connected_services
from webmail.config.settings import Settings
from webmail.database import undo_store
from webmail.database.connection import db
from webmail.models import AuditAct, User
from webmail.people import policies
from webmail.people.policies import Policy

_OPENING = '{"limits":'
_RECIPIENTS = ("recipients_per_hour", "recipients_per_day")  # own ones have columns, which commands set too
_ROOM = ("quota_bytes", "quota_own", "quota_fixed")
_COLUMNS = ("own_policy", *_RECIPIENTS)


class LimitOrigin(StrEnum):
    """Where a value comes from."""

    OWN = "own"
    GROUPS = "groups"
    ESTABLISHMENT = "establishment"
    SETTING = "setting"


@dataclass(frozen=True, slots=True)
class PersonLimit:
    """What holds of one thing that a policy can say. `groups`: the names of those that it comes from."""

    name: str
    value: Any
    origin: LimitOrigin
    groups: tuple[str, ...] = ()
    count: int = 0  # of "writes_to": how many groups


def described(user: User, settings: Settings) -> list[PersonLimit]:
    """All that holds, in the order of the page. 2 queries, 3 where a second factor is required of groups."""
    several, mine, found = policies.origins(user), own_values(user), policies.for_user(user)
    ground = policies.of_their_establishment(user)
    hour, day = policies.recipient_limits(user, settings)
    in_force = replace(
        found, quota_bytes=user.quota_bytes, quota_messages=user.quota_messages, recipients_per_hour=hour, recipients_per_day=day
    )
    usual: dict[str, Any] = {
        "quota_bytes": user.quota_bytes, "quota_messages": 0, "message_bytes": settings.message_limit, "attachment_bytes": 0,
        "recipients_per_hour": hour, "recipients_per_day": day, "writes_to": "anywhere", "written_by": "anywhere",
        "forwarding": settings.forwarding, "second_step": requirement.is_required(user, settings), "hidden": (),
        "services": connected_services.chosen(settings.services),
    }  # fmt: skip
    if settings.filesender is not None:
        usual["files_by"] = "filesender" if settings.filesender.whom == "everybody" else "here"
    limits = []
    for name, setting in usual.items():
        own, value = getattr(mine, name), getattr(in_force, name)
        said = [(group, getattr(one, name)) for group, one in several if getattr(one, name) is not None]
        if name == "second_step" and user.factor_asked is not None:
            limits.append(PersonLimit(name, True, LimitOrigin.OWN))
        elif (name == "second_step" and setting and not value) or (name == "message_bytes" and (value or setting + 1) > setting):
            limits.append(PersonLimit(name, setting, LimitOrigin.SETTING))  # what wins over a person and their groups
        elif own is not None:
            limits.append(_limit(name, own if value is None else value, LimitOrigin.OWN, in_force))
        elif said and value is not None:
            decisive = [group for group, given in said if given == value]
            limits.append(_limit(name, value, LimitOrigin.GROUPS, in_force, tuple(decisive or [group for group, _g in said])))
        elif getattr(ground, name) is not None and value is not None:
            limits.append(_limit(name, value, LimitOrigin.ESTABLISHMENT, in_force))
        else:
            limits.append(PersonLimit(name, setting, LimitOrigin.SETTING))
    return limits


def _limit(name: str, value: Any, origin: LimitOrigin, in_force: Policy, groups: tuple[str, ...] = ()) -> PersonLimit:
    return PersonLimit(name, value, origin, groups, len(in_force.to_groups) if name == "writes_to" else 0)


def own_values(user: User) -> Policy:
    """What somebody has of their own, in whichever column. 0 queries."""
    mine = policies.own_of(user)
    given: dict[str, Any] = {"quota_bytes": policies.own_quota(user)}
    for name in _RECIPIENTS:
        if getattr(user, name) is not None:
            given[name] = getattr(user, name)
    return replace(mine, **given)


def save(user: User, wanted: Policy, version: int, by: ChangedBy) -> str:
    """Give somebody these values of their own; the groups, or the settings, say the others. Room for mail stays as it
    is: `editing` has it. Returns the name to undo it by, "" for none. One transaction.

    Raises AccountChangedError, aliases.CatchAllTargetError.
    """
    with db.atomic():
        before, had = _state(user), own_values(user)
        wanted = replace(wanted, quota_bytes=had.quota_bytes, quota_messages=had.quota_messages)
        names = [name for name in Policy.__dataclass_fields__ if getattr(had, name) != getattr(wanted, name)]
        recipients = {name: getattr(wanted, name) for name in _RECIPIENTS}
        if not account_management.change(user, version, **recipients):
            raise AccountChangedError(user.address)
        if not names:
            return ""
        policies.set_own(user, replace(wanted, quota_bytes=None, recipients_per_hour=None, recipients_per_day=None))
        aliases.keep_catch_alls([user.id])
        by.note(AuditAct.ACCOUNT_LIMITED, user.address, change=", ".join(names))
        if by.actor is None:
            return ""
        return undo_store.keep(by.actor, json.dumps({"limits": user.id, "before": before, "after": _state(user)}))


def give_room_back(user: User, version: int, by: ChangedBy) -> str:
    """Room for mail is what the groups say again, else the usual one. Returns the name to undo it by, "" for none.

    One transaction. Raises AccountChangedError.
    """
    with db.atomic():
        before = {name: getattr(user, name) for name in _ROOM}
        if not account_management.change(user, version):
            raise AccountChangedError(user.address)
        policies.follow_groups(user)
        after = {name: getattr(user, name) for name in _ROOM}
        words = {name: sizes.as_typed(size["quota_bytes"]) or "no limit" for name, size in (("before", before), ("room", after))}
        by.note(AuditAct.ACCOUNT_QUOTA_SET, user.address, **words)
        if by.actor is None:
            return ""
        return undo_store.keep(by.actor, json.dumps({"limits": user.id, "before": before, "after": after}))


def undo(name: str, by: ChangedBy, condition: Any) -> User | None:
    """Put back what `save` changed, if nobody changed it since. `condition`: the scope of who undoes it. One transaction."""
    assert by.actor is not None
    with db.atomic():
        row = undo_store.take(by.actor, name, _OPENING)
        steps = json.loads(row.steps) if row is not None else {}
        user = account_management.of_number(steps["limits"], condition) if steps else None
        if user is None or {column: getattr(user, column) for column in steps["after"]} != steps["after"]:
            return None
        account_management.change(user, None, **steps["before"])
        policies.refresh([user.id])
        by.note(AuditAct.ACCOUNT_LIMITED, user.address, undo=1)
        return user


def _state(user: User) -> dict[str, Any]:
    """What stands in the columns that `save` changes."""
    return {name: getattr(user, name) for name in _COLUMNS}
