"""Who of many uploads is next: played with a clock of its own, by clients that know nothing but when to come back."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from webmail.transfers.turn_order import EACH, HOLD, LONGEST_WAIT, Claim, Sender, Turn, TurnKind, TurnOrder

MOST = 8
TICK = 0.1
TRIP = 0.05  # seconds that a request takes to come


def claim(number: int, since: float = 0.0, kind: TurnKind = TurnKind.BODY, network: str = "", person: str = "") -> Claim:
    return Claim(f"upload {number}", Sender(person or f"person {number}", network), kind, since)


def crowd(order: TurnOrder, count: int = MOST, now: float = 0.0, kind: TurnKind = TurnKind.BODY) -> list[Turn]:
    found = [order.enter(claim(100 + number, kind=kind), now) for number in range(count)]
    assert None not in found
    return [one for one in found if one is not None]


@dataclass
class Client:
    """An upload that lasts for ever. `heeds`: what our script does with an answer that tells to wait, although nothing was refused."""

    number: int
    sender: Sender
    kind: TurnKind
    piece: float
    heeds: bool
    next: float
    turn: Turn | None = None
    order: TurnOrder | None = None
    door: tuple[Claim, float] | None = None
    asked: bool = False
    left: float = 0.0  # of a piece
    got: float = 0.0
    last: float = 0.0
    last_bytes: float = 0.0
    silence: float = 0.0

    def claim(self) -> Claim:
        return Claim(f"upload {self.number}", self.sender, self.kind, self.last)

    def step(self, now: float, order: TurnOrder) -> None:
        """`order`: of the process to which a request comes now."""
        if self.turn is not None and self.order is not None:
            self._read(self.turn, self.order, now)
        elif self.door is not None and self.order is not None:
            self._wait(*self.door, self.order, now)
        elif now >= self.next:
            self.order = order
            if self.asked:
                self._send(order, now)
            else:
                self._look(order, now)

    def _look(self, order: TurnOrder, now: float) -> None:
        seconds = order.keep(self.claim(), now)
        self._come_back(now, seconds if self.heeds else 0)

    def _send(self, order: TurnOrder, now: float) -> None:
        mine = self.claim()
        self.turn, self.left = order.enter(mine, now), self.piece
        if self.turn is None and order.stand(mine, now, 1.0):
            self.door = mine, now + 1.0
        elif self.turn is None:
            self._refused(order, now)

    def _wait(self, mine: Claim, end: float, order: TurnOrder, now: float) -> None:
        self.turn = order.enter(mine, now)
        if self.turn is not None:
            self.door = None
        elif now >= end:
            order.withdraw(mine)
            self.door = None
            self._refused(order, now)

    def _refused(self, order: TurnOrder, now: float) -> None:
        self.asked, self.next = False, now + max(1, order.keep(self.claim(), now))

    def _read(self, turn: Turn, order: TurnOrder, now: float) -> None:
        if order.look(turn, now):
            self._over(turn, order, now)
            self._refused(order, now)
        elif self.left <= 0:
            self._over(turn, order, now)
            self._come_back(now, order.keep(self.claim(), now) if self.heeds else 0)

    def _over(self, turn: Turn, order: TurnOrder, now: float) -> None:
        order.leave(turn, now)
        self.turn, self.last = None, now

    def _come_back(self, now: float, seconds: int) -> None:
        self.asked, self.next = not seconds, now + max(seconds, TRIP)


@dataclass
class Play:
    """`speed`: MB a second of all together; `line`: of one."""

    clients: list[Client]
    processes: int = 1
    speed: float = 50.0
    line: float = math.inf
    most_at_once: int = 0
    orders: list[TurnOrder] = field(default_factory=list)

    def run(self, seconds: float) -> Play:
        chance, now = random.Random(1), 0.0
        self.orders = [TurnOrder(number, MOST) for number in range(1, self.processes + 1)]
        for one in self.orders[1:]:  # as the file does
            one.turns, one.claims, one.served = self.orders[0].turns, self.orders[0].claims, self.orders[0].served
        while now < seconds:
            chance.shuffle(self.clients)
            for one in self.clients:
                one.step(now, chance.choice(self.orders))
            reading = [one for one in self.clients if one.turn is not None]
            self.most_at_once = max(self.most_at_once, len(reading))
            for one in self.clients:
                one.silence = max(one.silence, now - one.last_bytes)
            for one in reading:
                came = min(self.speed / len(reading), self.line) * TICK
                one.got, one.left, one.last_bytes = one.got + came, one.left - came, now
            now += TICK
        return self

    @property
    def got(self) -> list[float]:
        return sorted(one.got for one in self.clients)

    @property
    def silence(self) -> float:
        return max(one.silence for one in self.clients)


def clients(
    count: int, kind: TurnKind, piece: float, heeds: bool = False, sender: Callable[[int], Sender] | None = None
) -> list[Client]:
    chance = random.Random(2)
    who = sender or (lambda number: Sender(f"person {number}"))
    return [Client(number, who(number), kind, piece, heeds, chance.random() / 5) for number in range(count)]


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    ("kind", "piece", "heeds", "line"),
    [
        pytest.param(TurnKind.PIECE, 8, True, math.inf, id="our script"),
        pytest.param(TurnKind.PIECE, 1, True, 0.5, id="our script on slow lines"),
        pytest.param(TurnKind.BODY, 8, False, math.inf, id="programs with pieces"),
        pytest.param(TurnKind.BODY, math.inf, False, math.inf, id="programs with one PATCH"),
        pytest.param(TurnKind.BODY, math.inf, False, 0.5, id="the same on slow lines"),
    ],
)
def test_twenty_uploads_move_on_alike(processes, kind, piece, heeds, line):
    play = Play(clients(20, kind, piece, heeds), processes, line=line).run(40)
    assert play.silence < 20
    assert play.got[-1] < 6 * play.got[0]
    assert play.most_at_once <= MOST * processes
    used = sum(play.got) / min(play.speed, line * MOST * processes) / 40
    assert used > 0.7  # turns are not kept for those who don't come


def test_a_class_behind_one_address_moves_on_and_leaves_turns_to_others():
    def who(number: int) -> Sender:
        return Sender(f"guest {number}", "192.0.2.1" if number < 35 else "")

    play = Play(clients(40, TurnKind.PIECE, 8, True, who), 2).run(40)
    everybody = {one.number: one.got for one in play.clients}
    assert min(everybody.values()) >= 8  # MB
    assert min(everybody[number] for number in range(35, 40)) > 25


def test_a_person_with_many_uploads_does_not_take_the_turns_of_others():
    def who(number: int) -> Sender:
        return Sender("big" if number < 20 else f"person {number}")

    play = Play(clients(30, TurnKind.BODY, math.inf, False, who)).run(40)
    others = [one.got for one in play.clients if one.number >= 20]
    assert sum(one.got for one in play.clients if one.number < 20) < EACH * min(others)
    assert min(one.got for one in play.clients) > 0  # nor do they starve


def test_nobody_has_all_turns_even_where_nobody_else_comes():
    order = TurnOrder(1, MOST)
    of_one = [order.enter(claim(number, person="alice"), 0.0) for number in range(6)]
    assert [one is not None for one in of_one] == [True] * 4 + [False] * 2
    order = TurnOrder(1, MOST)
    of_network = [order.enter(claim(number, network="192.0.2.1"), 0.0) for number in range(8)]
    assert [one is not None for one in of_network] == [True] * 6 + [False] * 2
    assert order.enter(claim(9, network="192.0.2.2"), 0.0) is not None
    order = TurnOrder(1, MOST)
    forms = [order.enter(claim(number, kind=TurnKind.FORM), 0.0) for number in range(8)]
    assert [one is not None for one in forms] == [True] * 6 + [False] * 2
    assert TurnOrder(1, 1).enter(claim(1, network="192.0.2.1"), 0.0) is not None


def test_where_nobody_waits_a_turn_lasts():
    order = TurnOrder(1, MOST)
    [turn] = crowd(order, 1)
    assert not order.look(turn, 1000.0)
    assert order.keep(claim(1), 0.0) == 0 and not order.claims


def test_a_turn_ends_for_who_is_at_the_door_once_it_has_lasted():
    order = TurnOrder(1, MOST)
    turns = crowd(order)
    assert not order.stand(claim(1), 0.0, 1.0)  # all have just begun: in vain
    late = claim(1)
    assert order.stand(late, HOLD - 0.5, 1.0)
    assert not order.look(turns[0], HOLD - 0.1)
    assert order.look(turns[0], HOLD + 0.1)
    assert not order.look(turns[1], HOLD + 0.1)  # one is enough
    order.leave(turns[0], HOLD + 0.1)
    assert order.enter(claim(2, HOLD), HOLD + 0.2) is None  # it is not this one's turn
    assert order.enter(late, HOLD + 0.2) is not None


def test_few_threads_wait_at_the_door():
    order = TurnOrder(1, MOST)
    crowd(order)
    assert [order.stand(claim(number), HOLD, 1.0) for number in range(3)] == [True, True, False]


def test_a_piece_and_a_form_are_not_broken_off():
    for kind in (TurnKind.PIECE, TurnKind.FORM):
        order = TurnOrder(1, MOST)
        turns = crowd(order, 6, kind=kind) + [one for one in [order.enter(claim(n), 0.0) for n in (1, 2)] if one]
        order.keep(claim(3), 0.0)
        late = HOLD + 0.1
        order.claims["upload 3"].until = order.claims["upload 3"].due = late
        assert [order.look(one, late) for one in turns] == [False] * 6 + [True, False]


def test_a_form_goes_before_what_can_come_back():
    order = TurnOrder(1, MOST)
    turns = crowd(order)
    form = claim(1, since=100.0, kind=TurnKind.FORM)
    order.keep(claim(2), 0.0)
    assert order.stand(form, 0.0, 5.0)
    order.leave(turns[0], 0.1)
    assert order.enter(claim(2), 0.2) is None
    assert order.enter(form, 0.2) is not None


def test_who_does_not_come_loses_the_claim_and_no_wait_is_long():
    order = TurnOrder(1, MOST)
    turns = crowd(order)
    assert all(1 <= order.keep(claim(number), 0.0) <= LONGEST_WAIT for number in range(60))
    for number in range(60, 80):
        order.keep(claim(number, person="many"), 0.0)
    assert len(order.claims) == 60 + 8
    for one in turns:
        order.leave(one, 1.0)
    assert order.enter(claim(700), 3 * LONGEST_WAIT) is not None
    assert not order.claims


def test_the_order_is_kept_as_text_without_those_who_are_gone():
    order = TurnOrder(1, MOST)
    crowd(order, 7)
    order.enter(claim(7, kind=TurnKind.FORM, network="192.0.2.1"), 0.0)
    order.keep(claim(1), 0.0)
    order.leave(order.turns[0], 1.0)
    other = TurnOrder(2, MOST)
    other.load(order.dump(), lambda turn: turn.upload != "upload 101")
    assert len(other.turns) == 6 and other.served == {"person 100": 1.0}
    kept = TurnOrder(1, MOST)
    kept.load(order.dump(), lambda _turn: True)
    assert kept.dump() == order.dump()
    for broken in ("[", "[]", json.dumps([[{}], [], {}]), json.dumps([[], [{"kind": "x"}], {}])):
        with pytest.raises((ValueError, TypeError, KeyError)):
            kept.load(broken, lambda _turn: True)
