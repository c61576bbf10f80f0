"""Merging: some places of the merged results of several mailboxes, from the sort keys of few of them.

The results of each mailbox come sorted from the server. The first pages need the keys of the first results of each. For later
ones the keys of every n-th result tell between which of them each mailbox's part of the page must be, and only those are asked
for: of 100,000 results in 50 mailboxes 6,000 keys, whatever the page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from webmail.imap.connections.connection import Connection
from webmail.imap.connections.multi_fetch import Hit, MailboxHits
from webmail.imap.searching.sort_keys import Key, SortOrder, keys_of

FEW = 3000  # keys that are asked for without looking for fewer

Sample = tuple[Key, int]  # the key and its index in its list
Span = tuple[int, int]


def merged(
    connection: Connection, places: Sequence[MailboxHits], order: SortOrder, first: int, last: int, *, is_sorted: bool
) -> list[Hit]:
    """The results at the places `first` to `last` (excluded) of all mailboxes together: at most 2 round trips per 24 KB of
    commands, 0 if one mailbox has all results and `is_sorted`.

    `is_sorted`: each mailbox's results are in the order of the keys; otherwise the first `last` of each are compared. Equal keys
    stand in the order of the mailboxes.
    """
    filled = [place for place in places if place.uids]
    if len(filled) == 1 and is_sorted:
        return [Hit(filled[0], uid) for uid in filled[0].uids[first:last]]
    spans = _spans(connection, filled, order, first, last) if is_sorted else _leading(filled, last)
    parts = [(place, place.uids[low:high]) for place, (low, high) in zip(filled, spans, strict=True)]
    keys = keys_of(connection, order, parts)
    hits = [one for place, uids in parts for one in _keyed(place, uids, keys)]
    hits.sort(key=lambda one: one[0])  # stable, so that a message is on one page only
    before = sum(low for low, _high in spans)
    return [hit for _key, hit in hits[first - before : last - before]]


def _keyed(hits: MailboxHits, uids: Sequence[int], keys: dict[tuple[str, int], Key]) -> list[tuple[Key, Hit]]:
    """These results of a mailbox with their keys: one that went meanwhile keeps its place, so that the others keep theirs; none
    if the mailbox went."""
    here = [keys.get((hits.mailbox, uid)) for uid in uids]
    last = next((key for key in here if key is not None), None)
    found: list[tuple[Key, Hit]] = []
    for uid, key in zip(uids, here, strict=True):
        last = key if key is not None else last
        if last is not None:
            found.append((last, Hit(hits, uid)))
    return found


def _leading(places: Sequence[MailboxHits], last: int) -> list[Span]:
    return [(0, min(len(place.uids), last)) for place in places]


def _spans(connection: Connection, places: Sequence[MailboxHits], order: SortOrder, first: int, last: int) -> list[Span]:
    """The part of each mailbox's results that can be at these places."""
    sizes = [len(place.uids) for place in places]
    leading = _leading(places, last)
    if sum(end for _start, end in leading) <= FEW:
        return leading
    step = max(2, math.isqrt(sum(sizes) // (2 * len(sizes))))
    keys = keys_of(connection, order, [(place, place.uids[::step]) for place in places])
    samples = [
        [(keys[place.mailbox, uid], step * n) for n, uid in enumerate(place.uids[::step]) if (place.mailbox, uid) in keys]
        for place in places
    ]
    return spans(samples, sizes, first, last)


@dataclass(slots=True)
class _Sweep:
    """For each list, how many of its elements are certainly, and possibly, before a sample."""

    surely: list[int]
    possibly: list[int]


def spans(samples: Sequence[Sequence[Sample]], sizes: Sequence[int], first: int, last: int) -> list[Span]:
    """For each of several sorted lists of these sizes, a range that has all its elements that are at the places `first` to `last`
    (excluded) when they are merged; all elements before the ranges are before `first`."""
    places = sorted((key, number, index) for number, each in enumerate(samples) for index, (key, _at) in enumerate(each))
    begin, end = _pivots(samples, sizes, places, first, last)
    low = _state(samples, sizes, places, begin).surely if begin is not None else [0] * len(sizes)
    high = _state(samples, sizes, places, end).possibly if end is not None else list(sizes)
    return list(zip(low, high, strict=True))


def _pivots(
    samples: Sequence[Sequence[Sample]], sizes: Sequence[int], places: Sequence[tuple[Key, int, int]], first: int, last: int
) -> tuple[int | None, int | None]:
    """The last sample that is not after `first` and the first one that is not before `last`, as indexes in `places`."""
    state = _state(samples, sizes, places, 0)
    surely, possibly = sum(state.surely), sum(state.possibly)
    begin = None
    for number, (_key, which, index) in enumerate(places):
        if possibly <= first:
            begin = number
        if surely >= last:
            return begin, number
        surely -= state.surely[which]
        possibly -= state.possibly[which]
        _pass(state, samples, sizes, which, index)
        surely += state.surely[which]
        possibly += state.possibly[which]
    return begin, None


def _state(
    samples: Sequence[Sequence[Sample]], sizes: Sequence[int], places: Sequence[tuple[Key, int, int]], count: int
) -> _Sweep:
    """The state before the sample number `count`."""
    state = _Sweep([0] * len(sizes), [each[0][1] if each else size for each, size in zip(samples, sizes, strict=True)])
    for _key, which, index in places[:count]:
        _pass(state, samples, sizes, which, index)
    return state


def _pass(state: _Sweep, samples: Sequence[Sequence[Sample]], sizes: Sequence[int], which: int, index: int) -> None:
    following = index + 1 < len(samples[which])
    state.surely[which] = samples[which][index][1] + 1
    state.possibly[which] = samples[which][index + 1][1] if following else sizes[which]
