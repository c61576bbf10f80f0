"""One person, as administrators see them: devices, sign-ins, forwards, what is shared, what was asked. Never what mail says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webmail import audit
from webmail.accounts import support
from webmail.auth.devices import app_passwords
from webmail.collections import shares
from webmail.collections.look import title_of
from webmail.collections.store import props_for
from webmail.filters.forwarding import forward_targets
from webmail.models import (
    AppPassword,
    AuditAct,
    AuditEntry,
    ForwardTarget,
    PeopleGroup,
    SupportRequest,
    User,
)
from webmail.people import groups
from webmail.transfers import overview


@dataclass(frozen=True, slots=True)
class SharedCollection:
    """A calendar or address book of somebody's that others use."""

    title: str
    kind: str
    people: int  # how many persons and groups


@dataclass(frozen=True, slots=True)
class OnePerson:
    """What there is to know. A dozen SELECTs."""

    user: User
    app_passwords: Sequence[AppPassword]
    sign_ins: list[AuditEntry]
    forwards: list[ForwardTarget]
    groups: list[PeopleGroup]
    shared: list[SharedCollection]
    transfers: int  # open ones, which others may still fetch
    requests: list[SupportRequest]


def described(user: User) -> OnePerson:
    return OnePerson(
        user, app_passwords.for_user(user), audit.search(act=AuditAct.SIGN_IN, actor=user.address, size=5)[0],
        [row for row in forward_targets.for_user(user) if row.active], groups.of_person(user), used_by_others(user),
        overview.open_links(user),
        support.of_person(user),
    )  # fmt: skip


def used_by_others(user: User) -> list[SharedCollection]:
    """What would be missed by others if the account went. One SELECT."""
    return [SharedCollection(title_of(props_for(row, user)), row.kind, people) for row, people in shares.used_by_others(user)]
