"""Limits of rooms and things: who may book one, how long before and for how long."""

from __future__ import annotations

from collections.abc import Collection as Set
from enum import StrEnum

from webmail.models import Resource, User
from webmail.people import groups

HORIZON = 365 * 86_400  # how far ahead a series is booked; the worker goes on with it


class RoomRefusalReason(StrEnum):
    """Why a room or thing is not booked."""

    TAKEN = "taken"
    CLOSED = "closed"
    NOT_ALLOWED = "not-allowed"  # for other groups
    TOO_SOON = "too-soon"
    TOO_FAR = "too-far"
    TOO_LONG = "too-long"
    TOO_MANY = "too-many"  # times at once
    DECLINED = "declined"  # by whoever had to agree
    OVER = "over"


def groups_of(user: User) -> set[str]:
    """The identifiers of the groups that a person is in. 1 query."""
    return {group.identifier for group in groups.of_person(user)}


def may_book(resource: Resource, mine: Set[str]) -> bool:
    """Whether somebody in these groups may book it at all."""
    return not resource.bookers or not set(resource.bookers.split("\n")).isdisjoint(mine)


def refusal(resource: Resource, mine: Set[str], start: int, end: int, at: int) -> RoomRefusalReason | None:
    """Why it can't be booked at this time, whoever has it; `at`: now. All in seconds since 1970."""
    if resource.closed:
        return RoomRefusalReason.CLOSED
    if not may_book(resource, mine):
        return RoomRefusalReason.NOT_ALLOWED
    if end <= at:
        return RoomRefusalReason.OVER
    if resource.longest and end - start > resource.longest * 60:
        return RoomRefusalReason.TOO_LONG
    if resource.hours_notice and start < at + resource.hours_notice * 3600:
        return RoomRefusalReason.TOO_SOON
    if resource.days_ahead and start > at + resource.days_ahead * 86_400:
        return RoomRefusalReason.TOO_FAR
    return None


def horizon(resource: Resource, at: int) -> int:
    """Up to when a series is booked."""
    return at + min(HORIZON, resource.days_ahead * 86_400 or HORIZON)


def needs_approval(resource: Resource, user: User | None) -> bool:
    """Whether somebody else has to agree to what this person books."""
    return bool(resource.approval) and (user is None or not approves(resource, user))


def approves(resource: Resource, user: User) -> bool:
    """Whether it is this person who has to agree."""
    return resource.approver_id == user.id if resource.approver_id else user.role == "admin"
