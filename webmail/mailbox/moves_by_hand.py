"""Moves by hand: tells later areas what a person moved in a list or from a message, so that they can learn from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class MovedByHand:
    """`action`: "move", "junk" ... of `mailbox.actions`. `messages`: where they are now (mailbox, UIDVALIDITY, UIDs), as far as
    the server says so.
    """

    action: str
    sources: frozenset[str]
    to: str
    count: int
    messages: Sequence[tuple[str, int, Sequence[int]]]


Follower = Callable[[MovedByHand], dict[str, Any] | None]
_followers: list[Follower] = []


def when_moved(act: Follower) -> None:
    """Tell `act` of each such move, within the request that made it: it must cost nothing there. What it returns is a link for
    the notice about the move (see `web.notices.notify`).
    """
    _followers.append(act)


def tell(moved: MovedByHand) -> dict[str, Any] | None:
    """Tell all that want to know; the link that one of them offers."""
    links = [act(moved) for act in _followers]
    return next((link for link in links if link), None)
