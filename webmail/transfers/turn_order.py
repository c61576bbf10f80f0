"""The order of uploads: who has a turn, who is next, and who makes room. It waits for nothing and locks nothing; no Flask here.

Where all turns are taken, whoever is told to come back keeps a claim until then. Of all whose time has come, who has fewest
turns is first, then whose last bytes are longest ago. Whoever has had a turn for HOLD seconds makes room for somebody who is
before them. A client needs to remember nothing but the address of its upload.

The order is that of all web processes of a machine (turn_file.py), since the next request of an upload may come to another. A
turn is one of the process that reads. Times are those of `time.monotonic`, which is the same for all of them.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

EACH = 4  # turns of one person: three files, and one that was broken off; half of them all at most
HOLD = 3.0  # seconds for which nobody is asked to make room
LONGEST_WAIT = 30  # seconds that anybody is told to stay away
_EARLY, _LATE = 0.3, 1.5  # seconds around the time told, for which a turn is kept
_CLAIMS, _OF_ONE = 500, 8  # of everybody, of one person
_PEOPLE = 200


class TurnKind(Enum):
    """What a turn is for. The value: seconds after which it can be broken off for others."""

    BODY = HOLD  # bytes that are kept as far as they came
    PIECE = 300.0  # with a checksum: bytes that are lost unless all of them come
    FORM = math.inf  # which can't go on where it stopped, and can't come back by itself


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends. `network`: of guests, who are many behind one address."""

    person: str
    network: str = ""


@dataclass(eq=False, slots=True)
class Claim:
    """An upload that asks for a turn. `since`: when its last bytes came; `due`: when it comes back, or came in vain first."""

    upload: str  # some name of its own for a form
    sender: Sender
    kind: TurnKind
    since: float
    due: float = 0.0
    until: float = 0.0  # then it is forgotten
    at_door: int = 0  # the process of which a thread waits
    called: bool = False  # somebody makes room for it


@dataclass(eq=False, slots=True)
class Turn:
    """A thread of the process `pid` that reads a body."""

    upload: str
    sender: Sender
    kind: TurnKind
    pid: int
    began: float
    moved: float  # when bytes came last
    leaving: bool = False  # others have it next


class _Tally:
    """Turns by person and network, and what each may have of all: nobody has them all, nor have forms."""

    def __init__(self, turns: Iterable[Turn], most: int, processes: int) -> None:
        self.all = most * processes
        self.each = min(EACH, max(1, most // 2))
        self.some = max(1, self.all * 3 // 4)
        self.people: Counter[str] = Counter()
        self.networks: Counter[str] = Counter()
        self.forms = self.count = 0
        for one in turns:
            self.add(one)

    def add(self, one: Turn | Claim) -> None:
        self.count += 1
        self.people[one.sender.person] += 1
        if one.sender.network:
            self.networks[one.sender.network] += 1
        self.forms += one.kind is TurnKind.FORM

    @property
    def room(self) -> int:
        return self.all - self.count

    def full_for_person(self, one: Claim) -> bool:
        return self.people[one.sender.person] >= self.each

    def full_for_network(self, one: Claim) -> bool:
        return bool(one.sender.network) and self.networks[one.sender.network] >= self.some

    def full_of_forms(self, one: Claim) -> bool:
        return one.kind is TurnKind.FORM and self.forms >= self.some

    def fits(self, one: Claim) -> bool:
        return not (self.full_of_forms(one) or self.full_for_person(one) or self.full_for_network(one))

    def shared(self, claim: Claim, one: Turn | Claim) -> bool:
        """Whether `one` takes from the same turns as the claim, of which there are `shares`."""
        if self.full_for_person(claim):
            return one.sender.person == claim.sender.person
        return one.sender.network == claim.sender.network if self.full_for_network(claim) else True

    def shares(self, claim: Claim) -> int:
        return self.each if self.full_for_person(claim) else self.some if self.full_for_network(claim) else self.all


class TurnOrder:
    """The turns of all processes, of which each has `most`, and the claims to them; seen from one of them, `pid`."""

    def __init__(self, pid: int, most: int) -> None:
        self.pid, self.most = pid, most
        self.turns: list[Turn] = []
        self.claims: dict[str, Claim] = {}
        self.served: dict[str, float] = {}  # when a person's turn ended last

    # --- what happens

    def enter(self, claim: Claim, now: float) -> Turn | None:
        """A turn, if there is one in this process that nobody before it claims."""
        self._forget(now)
        if not self._is_next(claim, now):
            return None
        self.claims.pop(claim.upload, None)
        turn = Turn(claim.upload, claim.sender, claim.kind, self.pid, now, now)
        self.turns.append(turn)
        return turn

    def leave(self, turn: Turn, now: float) -> None:
        """The turn is over. Idempotent."""
        mine = self._mine(turn)
        if mine is not None:
            self.turns.remove(mine)
            self.served[turn.sender.person] = now
        if len(self.served) > _PEOPLE:
            self.served = {person: at for person, at in self.served.items() if now - at < 2 * LONGEST_WAIT}

    def keep(self, claim: Claim, now: float) -> int:
        """Keep the claim of somebody who is to come back; in how many seconds. 0: a turn is kept for them from now on."""
        self._forget(now)
        if not self.claims and self._is_next(claim, now):
            return 0
        before = self.claims.get(claim.upload)
        seconds = 0 if self._is_next(claim, now) else self._seconds(claim, now)
        of_person = sum(one.sender.person == claim.sender.person for one in self.claims.values())
        if before is not None or (len(self.claims) < _CLAIMS and of_person < _OF_ONE):
            if before is not None and before.due - _EARLY <= now and seconds <= HOLD:  # it came when it should, in vain
                seconds = min(seconds, 1)
                claim.due, claim.called = before.due, before.called
            else:
                claim.due = now + seconds
            claim.until = now + seconds + _LATE
            self.claims[claim.upload] = claim
        return seconds

    def stand(self, claim: Claim, now: float, patience: float) -> bool:
        """A thread waits for this claim from now on, until it enters or is withdrawn; unless that is in vain."""
        if sum(one.at_door == self.pid for one in self.claims.values()) >= max(1, self.most // 4):
            return False
        if not self._is_soon(claim, now + patience):
            return False
        claim.due, claim.until, claim.at_door = now, now + patience + _LATE, self.pid
        self.claims[claim.upload] = claim
        return True

    def withdraw(self, claim: Claim) -> None:
        """Nobody waits for this any more. Idempotent."""
        self.claims.pop(claim.upload, None)

    def look(self, turn: Turn, now: float) -> bool:
        """Bytes came in this turn; whether it is to end now, for somebody who is before it."""
        mine = self._mine(turn)
        if mine is None:
            return turn.leaving
        mine.moved = turn.moved = now
        if self.claims and now - mine.began >= mine.kind.value and not mine.leaving:
            mine.leaving = turn.leaving = self._makes_room(mine, now)
        return turn.leaving

    def is_busy(self, upload: str, since: float) -> bool:
        """Whether bytes of an upload have come since then, in a turn that is not over."""
        return any(one.upload == upload and one.moved > since for one in self.turns)

    # --- who is next

    def _makes_room(self, turn: Turn, now: float) -> bool:
        tally, wanted = self._tally(), self._wanted(now)
        standing = self._standing(wanted, tally.room)
        full_here = self._room_here() <= 0
        for one in self._sorted(wanted, tally):
            in_vain = one not in standing or (one.at_door == self.pid and full_here)
            if in_vain and not one.called and self._may_displace(one, turn, tally):
                one.called = True
                return True
        return False

    def _is_next(self, claim: Claim, now: float) -> bool:
        return self._room_here() > 0 and self._gets_in(claim, now, self._tally().room)

    def _is_soon(self, claim: Claim, when: float) -> bool:
        """Whether there may be a turn here by then, since others make room."""
        if claim.kind is TurnKind.FORM:
            return True
        tally = self._tally()
        ending = [one for one in self.turns if one.pid == self.pid and _may_end(one, when)]
        room = self._room_here() + sum(self._may_displace(claim, one, tally) for one in ending)
        return self._gets_in(claim, when, room)

    def _seconds(self, claim: Claim, now: float) -> int:
        """When a turn is likely: each of those that it may have ends after HOLD, and others are before it."""
        tally = self._tally()
        rank, shares = self._rank(claim, tally), tally.shares(claim)
        others = [one for one in self.claims.values() if one.upload != claim.upload and tally.shared(claim, one)]
        place = sum(self._rank(one, tally) < rank for one in others)
        ends = sorted(max(now, _end(one, now)) for one in self.turns if tally.shared(claim, one))
        ends = [now] * (shares - len(ends)) + ends[:shares]
        seconds = math.ceil(ends[place % shares] - now + HOLD * (place // shares))
        return min(max(seconds, 1), LONGEST_WAIT)

    def _gets_in(self, claim: Claim, now: float, room: int) -> bool:
        others = [one for one in self._wanted(now) if one.upload != claim.upload]
        return claim in self._standing([*others, claim], room)

    def _wanted(self, now: float) -> list[Claim]:
        """Those whose time has come."""
        return [one for one in self.claims.values() if one.due - _EARLY <= now <= one.until]

    def _standing(self, wanted: Iterable[Claim], room: int) -> list[Claim]:
        """Those who get in where there is room for so many."""
        tally = self._tally()
        found: list[Claim] = []
        for one in self._sorted(wanted, self._tally()):
            if len(found) < room and tally.fits(one):
                tally.add(one)
                found.append(one)
        return found

    def _sorted(self, claims: Iterable[Claim], tally: _Tally) -> list[Claim]:
        return sorted(claims, key=lambda one: self._rank(one, tally))

    def _rank(self, claim: Claim, tally: _Tally) -> tuple[bool, int, float, float, str]:
        """Least first. A person with many uploads waits as long as one with a single one."""
        person = claim.sender.person
        lately = max(claim.since, self.served.get(person, -math.inf))
        return claim.kind is not TurnKind.FORM, tally.people[person], lately, claim.since, claim.upload

    def _may_displace(self, claim: Claim, turn: Turn, tally: _Tally) -> bool:
        """Whether room is made by this turn: of the same person, or of somebody who has more of them."""
        if turn.leaving or turn.kind is TurnKind.FORM or tally.full_of_forms(claim):
            return False
        mine, theirs = claim.sender.person, turn.sender.person
        return mine == theirs or (tally.shared(claim, turn) and tally.people[theirs] > tally.people[mine])

    def _tally(self) -> _Tally:
        processes = {self.pid, *(one.pid for one in self.turns)}
        return _Tally(self.turns, self.most, len(processes))

    def _room_here(self) -> int:
        return self.most - sum(one.pid == self.pid for one in self.turns)

    def _mine(self, turn: Turn) -> Turn | None:
        same = (one for one in self.turns if (one.pid, one.upload, one.began) == (turn.pid, turn.upload, turn.began))
        return next(same, None)

    def _forget(self, now: float) -> None:
        """Claims of those who did not come."""
        for upload in [upload for upload, one in self.claims.items() if now > one.until]:
            del self.claims[upload]

    # --- as text

    def dump(self) -> str:
        rows = [[_plain(one) for one in self.turns], [_plain(one) for one in self.claims.values()], self.served]
        return json.dumps(rows, separators=(",", ":"))

    def load(self, text: str, is_alive: Callable[[Turn], bool]) -> None:
        """What `dump` gave, without the turns of processes that are gone. Raises ValueError, TypeError, KeyError."""
        turns, claims, self.served = json.loads(text)
        self.turns = [one for one in (Turn(**_rich(row)) for row in turns) if is_alive(one)]
        found = [Claim(**_rich(row)) for row in claims]
        self.claims = {one.upload: one for one in found}


def _end(turn: Turn, now: float) -> float:
    """When a turn may be over; nobody knows how long a form is, but that it is under way."""
    return (now if turn.kind is TurnKind.FORM else turn.began) + HOLD


def _may_end(turn: Turn, when: float) -> bool:
    """Whether a turn may be over by then. A piece is small; if its line is slow, it is none to wait for."""
    return turn.began + HOLD <= when if turn.kind is TurnKind.BODY else turn.began + HOLD > when


def _plain(one: Turn | Claim) -> dict[str, Any]:
    return {**asdict(one), "kind": one.kind.name}


def _rich(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "kind": TurnKind[row["kind"]], "sender": Sender(**row["sender"])}
