"""Admission: how many do something at once in this process, of one person and of one network, and how many wait for it.

Whoever waits holds a thread too: waiting rooms are small, and who finds them full is refused at once. A place that is left goes
to who has waited longest of those that may have it. Who has had one for a while can make room for those that were refused
(`Place.is_wanted`).
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

LATELY = 8.0  # seconds for which somebody who was refused counts as coming back
_WISHES = 500


class AdmissionRefusedError(Exception):
    """There is no place now. `own`: by what this person, or this network, has already; `still`: nobody has left for so long."""

    def __init__(self, text: str, *, own: bool = False, still: bool = False) -> None:
        super().__init__(text)
        self.own, self.still = own, still


@dataclass(eq=False, slots=True)
class AdmittedPlace:
    """Of somebody who was admitted; leave it once."""

    admission: Admission
    person: str
    network: str
    since: float = 0.0
    held: bool = False

    def leave(self) -> None:
        """Idempotent: an answer may be closed, and forgotten later."""
        self.admission._leave(self)

    def is_wanted(self, after: float = 0.0) -> bool:
        """Whether to leave it for somebody who has fewer and was refused lately, once it was held for so many seconds.

        Said once for each of them.
        """
        return time.monotonic() - self.since >= after and self.admission._makes_room(self)


class Admission:
    """Places, so many for all (`at_once`), one person and one network; 0: as many as anybody wants.

    `waiting` may wait, so many of one person, `patience` seconds; with `still`, none once nobody has left for so many.
    """

    def __init__(
        self, at_once: int = 0, *, of_one: int = 0, of_one_network: int = 0, waiting: int = 0, waiting_of_one: int = 0,
        patience: float = 0.0, still: float = 0.0,
    ) -> None:  # fmt: skip
        self.at_once, self.of_one, self.of_one_network = at_once, of_one, of_one_network
        self.waiting, self.waiting_of_one = waiting, waiting_of_one
        self.patience, self.still = patience, still
        self.last_refused = -math.inf
        self._change = threading.Condition()  # reentrant: the garbage collector may leave a place at any moment
        self._count = 0
        self._people: Counter[str] = Counter()
        self._networks: Counter[str] = Counter()
        self._waiters: list[AdmittedPlace] = []
        self._wishes: dict[
            str, tuple[float, str]
        ] = {}  # who was refused: when, and of whose places (a person, a network; "": all)
        self._moved = 0.0  # when somebody left

    @contextmanager
    def admit(self, person: object = "", network: str = "", patience: float | None = None) -> Iterator[AdmittedPlace]:
        """A place for as long as the block lasts. Raises AdmissionRefusedError."""
        place = self.enter(person, network, patience)
        try:
            yield place
        finally:
            place.leave()

    def enter(self, person: object = "", network: str = "", patience: float | None = None) -> AdmittedPlace:
        """At once or after a while, `patience` seconds at most (else as long as anybody). Raises AdmissionRefusedError."""
        place = AdmittedPlace(self, str(person), network)
        with self._change:
            if self._is_full_of(place) is None:
                self._take(place)
            else:
                self._wait(place, self.patience if patience is None else patience)
        return place

    def held(self, person: object = "") -> int:
        """How many places a person has, or all have."""
        return self._people.get(str(person), 0) if person != "" else self._count

    def moved(self) -> None:
        """Something went on, though nobody has left."""
        with self._change:
            self._moved = time.monotonic()

    def _is_full_of(self, admitted: AdmittedPlace) -> str | None:
        """Whose places are all taken: a person's, a network's, everybody's (""); None where there is room."""
        if admitted.person and self.of_one and self._people.get(admitted.person, 0) >= self.of_one:
            return admitted.person
        if admitted.network and self.of_one_network and self._networks.get(admitted.network, 0) >= self.of_one_network:
            return admitted.network
        return "" if self.at_once and self._count >= self.at_once else None

    def _take(self, admitted: AdmittedPlace) -> None:
        admitted.held, admitted.since = True, time.monotonic()
        self._count += 1
        if admitted.person:
            self._people[admitted.person] += 1
        if admitted.network:
            self._networks[admitted.network] += 1
        self._wishes.pop(admitted.person, None)

    def _leave(self, admitted: AdmittedPlace) -> None:
        with self._change:
            if not admitted.held:
                return
            admitted.held = False
            self._count -= 1
            _less(self._people, admitted.person)
            _less(self._networks, admitted.network)
            self._moved = time.monotonic()
            for one in list(self._waiters):
                if self._is_full_of(one) is None:
                    self._waiters.remove(one)
                    self._take(one)
            self._change.notify_all()

    def _wait(self, admitted: AdmittedPlace, patience: float) -> None:
        began = time.monotonic()
        self._wish(admitted, began)
        of_one = sum(one.person == admitted.person for one in self._waiters)
        if len(self._waiters) >= self.waiting or (self.waiting_of_one and of_one >= self.waiting_of_one) or patience <= 0:
            raise self._refused(admitted, f"{self._count} are in, {len(self._waiters)} wait")
        self._waiters.append(admitted)
        try:
            while not admitted.held:
                now = time.monotonic()
                left = end = began + patience - now
                if self.still:
                    left = min(end, max(began, self._moved) + self.still - now)
                if left <= 0:
                    raise self._refused(admitted, "nobody has left" if end > 0 else "nobody left in time", still=end > 0)
                self._change.wait(left)
        except BaseException:
            admitted.leave()
            raise
        finally:
            if admitted in self._waiters:
                self._waiters.remove(admitted)

    def _refused(self, admitted: AdmittedPlace, text: str, *, still: bool = False) -> AdmissionRefusedError:
        self.last_refused = time.monotonic()
        self._wish(admitted, self.last_refused)
        return AdmissionRefusedError(text, own=bool(self._is_full_of(admitted)), still=still)

    def _wish(self, admitted: AdmittedPlace, now: float) -> None:
        if admitted.person and (admitted.person in self._wishes or len(self._wishes) < _WISHES):
            self._wishes[admitted.person] = (now, self._is_full_of(admitted) or "")

    def _makes_room(self, admitted: AdmittedPlace) -> bool:
        with self._change:
            since = time.monotonic() - LATELY
            self._wishes = {person: wish for person, wish in self._wishes.items() if wish[0] > since}
            for person, (_when, whose) in self._wishes.items():
                is_other = self._people.get(admitted.person, 0) > self._people.get(person, 0) and whose in ("", admitted.network)
                if is_other or whose == admitted.person != "":
                    del self._wishes[person]
                    return True
            return False


def _less(counts: Counter[str], name: str) -> None:
    if name:
        counts[name] -= 1
        if not counts[name]:
            del counts[name]
