"""States of checks: since when each is not well, and what of it is to be told: once when it breaks, once when it is well again.

Several machines may look at the same moment: who changes the row tells it, and only one can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from webmail.models import CheckState, now

OK, PROBLEM = "ok", "problem"
MISSED = 2  # rounds in a row in which a check is not found at all, until it counts as well
_RANK = {OK: 0, "warning": 1, PROBLEM: 2}


@dataclass(frozen=True, slots=True)
class StateChanges:
    """Names of checks that broke, or got worse, and of those that are well again."""

    broke: tuple[str, ...]
    well: tuple[str, ...]


def worst(found: Mapping[str, str], name: str, state: str) -> str:
    """Of several results of one name, the worst counts."""
    return max(found.get(name, OK), state, key=lambda each: _RANK.get(each, 0))


def take_in(found: Mapping[str, str]) -> StateChanges:
    """Note the states of one round, by name, and say what is to be told now. In the caller's transaction, with the mail that
    tells it. A SELECT, and a query or two for each that is not well or was not."""
    broke: list[str] = []
    well: list[str] = []
    known = {row.name: row for row in CheckState.select()}
    for name, state in found.items():
        if state != OK and name not in known:
            CheckState.insert(name=name, state=state).on_conflict_ignore().execute()
        if state != OK or name in known:
            _note(name, state)
            if _told(name, state):
                (broke if state != OK else well).append(name)
    for name in known.keys() - found.keys():
        if _is_gone(name) and _told(name, OK):
            well.append(name)
    CheckState.delete().where((CheckState.state == OK) & (CheckState.told == OK)).execute()
    return StateChanges(tuple(broke), tuple(well))


def since() -> dict[str, CheckState]:
    """All that are not well, by name. 1 SELECT."""
    return {row.name: row for row in CheckState.select().where(CheckState.state != OK)}


def _note(name: str, state: str) -> None:
    changed = {"state": state, "since": now(), "missed": 0}
    if not CheckState.update(changed).where((CheckState.name == name) & (CheckState.state != state)).execute():
        CheckState.update(missed=0).where((CheckState.name == name) & (CheckState.missed > 0)).execute()


def _is_gone(name: str) -> bool:
    """Count that it was not found; whether that was so often enough."""
    CheckState.update(missed=CheckState.missed + 1).where(CheckState.name == name).execute()
    row = CheckState.get_or_none(CheckState.name == name)
    if row is None or row.missed < MISSED:
        return False
    CheckState.update(state=OK, since=now()).where(CheckState.name == name).execute()
    return True


def _told(name: str, state: str) -> bool:
    """Whether it is this caller who is to tell that a check is so now: better is told where it is well, worse always."""
    less = [each for each, rank in _RANK.items() if rank < _RANK[state]] if state != OK else ["warning", PROBLEM]
    asked = (CheckState.name == name) & CheckState.told.in_(less)
    return bool(CheckState.update(told=state).where(asked).execute())
