"""Upkeep of what groups have: owners of a group write where its owners do, and what a deleted group had goes after a month."""

from __future__ import annotations

from datetime import timedelta

from webmail.auth import account_management
from webmail.collections import group_collections
from webmail.collections.group_collections import Writers
from webmail.people import groups, lists

KEPT = timedelta(days=30)  # a group's deletion can be undone


def sweep() -> int:
    """Once an hour; returns how many accounts of groups were deleted."""
    for row in group_collections.with_owners_writing():
        group_collections.let_write(row, Writers.OWNERS, lists.owners_of(row.group))
    owners = account_management.group_accounts()
    there = groups.existing(one.address for one in owners)
    return sum(account_management.delete_without_group(one, KEPT) for one in owners if one.address not in there)
