"""Whereabouts: in which browsers and networks the cookie of a session turned up, so that a copy of it is seen. No Flask here.

They stand in the session's own row, which every page reads anyway: where nothing is new, nothing is asked or written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from webmail.auth.sessions.user_agent import describe, parts
from webmail.models import Session, now

_STEP = timedelta(hours=1)  # `last` is written at most this often
_MOST = 20  # places of one session: the one where it began, and the latest


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A browser (of which version does not matter) in a network, and when it was there."""

    browser: str
    network: str
    first: datetime
    last: datetime


def for_session(row: Session) -> Sequence[Whereabouts]:
    """Where a session was, since it began."""
    return _read(row)[0]


def note(row: Session, user_agent: str, network: str) -> bool:
    """Note where a request of this session comes from; whether its cookie seems to be copied, said once for each session.

    It does where both the browser and the network are others than before: a telephone changes its network all day, and a browser
    its version. No query where the session was there within the hour, else one UPDATE.
    """
    if row.whereabouts is None and user_agent[:255] == row.user_agent and network == row.network:
        return False
    found, told = _read(row)
    browser, at = kind_of(user_agent), now()
    here = next((one for one in found if (one.browser, one.network) == (browser, network)), None)
    if here is not None and here.last > at - _STEP:
        return False
    copied = (
        not told
        and network not in ("", *(one.network for one in found))
        and browser not in (one.browser for one in found)
    )  # fmt: skip
    others = [one for one in found if one is not here]
    first, latest = others[:1], others[1:][-(_MOST - 2) :]
    kept = [*first, *latest, Whereabouts(browser, network, here.first if here else at, at)]
    if here is found[0]:  # where it began stays in front
        kept = [kept[-1], *others[-(_MOST - 1) :]]
    before = row.whereabouts
    row.whereabouts = _written(kept, told or copied)
    same = Session.whereabouts.is_null() if before is None else Session.whereabouts == before
    # who is not the first to write this, of several requests at once, has nothing to tell
    return bool(Session.update(whereabouts=row.whereabouts).where(Session.id_hash == row.id_hash, same).execute()) and copied


def kind_of(user_agent: str) -> str:
    """The browser and the system, or a program's name, without versions."""
    return ", ".join(filter(None, parts(user_agent))) or describe(user_agent).partition("/")[0]


def _read(row: Session) -> tuple[list[Whereabouts], bool]:
    if row.whereabouts is None:
        return [Whereabouts(kind_of(row.user_agent), row.network, row.created, row.created)], False
    kept = json.loads(row.whereabouts)
    return [Whereabouts(one[0], one[1], *map(datetime.fromisoformat, one[2:])) for one in kept["places"]], kept["told"]


def _written(places: Sequence[Whereabouts], told: bool) -> str:
    rows = [[one.browser, one.network, one.first.isoformat(" ", "seconds"), one.last.isoformat(" ", "seconds")] for one in places]
    return json.dumps({"places": rows, "told": told}, ensure_ascii=False)
