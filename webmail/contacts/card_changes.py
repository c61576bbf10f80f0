"""Card changes: tells, within the transaction that changes cards, those who derive something from them and must be in step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CardChange:
    """A contact's card `before` ("" if it is new) and `after` ("" if it is gone)."""

    owner: int  # `id` of the person
    uid: str  # of the contact
    name: str  # it has from now on
    before: str
    after: str


Keeper = Callable[[Sequence[CardChange]], object]
_keepers: list[Keeper] = []


def kept_by(act: Keeper) -> None:
    """Tell `act` what changes, in the transaction that does: what it raises undoes the change. For areas that come after."""
    _keepers.append(act)


def note(changes: Sequence[CardChange]) -> None:
    """Call it where cards are stored, changed or deleted, with their book locked."""
    for act in _keepers:
        act(changes)
