"""Push events: what an area tells open pages of by their streams, besides changes in the folder (webmail/mailbox/views/push.py).

An area adds its own as its views are imported. A page says what it shows (its state); once that is another one, the stream gives
the address where the page fetches what it is to show now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from webmail.web.templates.addresses import url_for


class PushEvent(NamedTuple):
    """What pages are told of: where they fetch it, its state for a person (by `id`), and the state of pages that say nothing."""

    endpoint: str
    state_of: Callable[[int], str]
    nothing: str


_events: dict[str, PushEvent] = {}


def add_push_event(name: str, endpoint: str, state_of: Callable[[int], str], nothing: str) -> None:
    """Tell pages of the person (by `id`) once `state_of` returns another state than they show: at most one cheap query, asked
    each half minute at the latest. `nothing`: what a page shows that says nothing of it.
    """
    _events[name] = PushEvent(endpoint, state_of, nothing)


def looker(person: int, visible: Mapping[str, str]) -> Callable[[], list[tuple[str, str]]]:
    """What there is to tell (name, address) since it was asked last; at first, since the page with the states `visible`."""
    known = {name: visible.get(name, one.nothing) for name, one in _events.items()}
    addresses = {name: url_for(one.endpoint) for name, one in _events.items()}

    def look() -> list[tuple[str, str]]:
        told = []
        for name, one in _events.items():
            state = one.state_of(person)
            if state != known.get(name):
                known[name] = state
                told.append((name, addresses[name]))
        return told

    return look
