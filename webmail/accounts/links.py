"""Links of the establishment (`[[links]]`): those that are for a person, by the groups that the person is in."""

from __future__ import annotations

import time
from collections.abc import Sequence

from webmail.config.tables import Link
from webmail.mime.headers.encoded_words import sort_key
from webmail.models import User
from webmail.people import groups

KEPT = 60.0  # seconds that a person's groups are remembered: the links stand on every page
_MOST = 10_000  # people

_remembered: dict[int, tuple[float, frozenset[str]]] = {}  # of this process, by the person's number


def for_person(links: Sequence[Link], user: User) -> tuple[Link, ...]:
    """The links for everybody and for the person's groups. At most 1 query a minute, and none if no link is for a group."""
    if not any(link.group for link in links):
        return tuple(links)
    mine = _groups_of(user)
    return tuple(link for link in links if not link.group or sort_key(link.group) in mine)


def forget() -> None:
    """Ask for everybody's groups again."""
    _remembered.clear()


def _groups_of(user: User) -> frozenset[str]:
    """The names of the person's groups, as `sort_key` has them."""
    until, found = _remembered.get(user.id, (0.0, frozenset()))
    if until < time.monotonic():
        found = frozenset(group.sort for group in groups.of_person(user))
        if len(_remembered) >= _MOST:
            _remembered.clear()
        _remembered[user.id] = (time.monotonic() + KEPT, found)
    return found
