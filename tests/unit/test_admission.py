"""Admission: who gets in, who waits, who makes room; each place is given back."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.support.waiting import eventually
from webmail import admission
from webmail.admission import Admission, AdmissionRefusedError, AdmittedPlace


@pytest.fixture
def pool():
    with ThreadPoolExecutor(8) as threads:
        yield threads


def refused(one: Admission, person: str = "", network: str = "") -> AdmissionRefusedError:
    with pytest.raises(AdmissionRefusedError) as told:
        one.enter(person, network)
    return told.value


def queued(one: Admission, pool: ThreadPoolExecutor, *persons: str) -> list[Future[AdmittedPlace]]:
    """They wait, one after the other."""
    found = []
    for person in persons:
        before = len(one._waiters)
        found.append(pool.submit(one.enter, person))
        eventually(lambda before=before: len(one._waiters) > before)
    return found


def test_so_many_at_once_of_one_and_of_a_network():
    some = Admission(4, of_one=2, of_one_network=3)
    places = [some.enter("alice", "here"), some.enter("alice", "here"), some.enter("bob", "here")]
    assert refused(some, "alice").own and refused(some, "carol", "here").own
    places.append(some.enter("carol", "elsewhere"))
    assert not refused(some, "dora").own
    assert (some.held(), some.held("alice"), some.held("dora")) == (4, 2, 0)
    for place in (*places, *places):
        place.leave()
    assert not some.held() and not some._people and not some._networks


def test_a_place_is_given_back_whatever_becomes_of_it():
    one = Admission(1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), one.admit():
            raise ZeroDivisionError
    assert not one.held()


def test_who_waits_gets_the_place_that_is_left_and_who_comes_then_does_not(pool):
    one = Admission(1, waiting=1, patience=20.0)
    first = one.enter("alice")
    [bob] = queued(one, pool, "bob")
    first.leave()
    assert one.held("bob") == 1, "at once, before its thread has noticed"
    with pytest.raises(AdmissionRefusedError):
        one.enter("carol", patience=0.0)
    bob.result(20).leave()
    assert not one.held()


def test_who_has_waited_longest_is_first_of_those_that_may(pool):
    some = Admission(2, of_one=1, waiting=4, patience=20.0)
    alice, bob = some.enter("alice"), some.enter("bob")
    again, carol, dora = queued(some, pool, "alice", "carol", "dora")
    bob.leave()  # alice has a place already, and may have one only
    carol.result(20)
    assert not again.done() and not dora.done()
    alice.leave()
    again.result(20).leave()
    for place in (carol, dora):
        place.result(20).leave()


def test_few_wait_and_few_of_one_since_each_holds_a_thread(pool):
    one = Admission(1, waiting=3, waiting_of_one=2, patience=20.0)
    with one.admit("alice"):
        waiting = queued(one, pool, "bob", "bob")
        refused(one, "bob")
        waiting += queued(one, pool, "carol")
        refused(one, "dora")
    for place in waiting:
        place.result(20).leave()


def test_nobody_waits_for_ever_nor_while_nobody_leaves():
    one = Admission(1, waiting=1, patience=0.05)
    with one.admit():
        assert not refused(one).still
    still = Admission(1, waiting=1, patience=20.0, still=0.1)
    with still.admit():
        began = time.monotonic()
        assert refused(still).still and time.monotonic() - began < 10
    assert not one._waiters and not still._waiters


def test_one_waits_longer_where_something_moves(pool):
    still = Admission(1, waiting=1, patience=20.0, still=0.4)
    place = still.enter()
    [waiting] = queued(still, pool, "bob")
    for _ in range(6):
        still.moved()
        time.sleep(0.1)
    assert not waiting.done()
    place.leave()
    waiting.result(20).leave()


def test_room_is_made_once_for_each_who_was_refused_and_by_who_has_more(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(admission.time, "monotonic", lambda: clock[0])
    some = Admission(3)
    alice, again, bob = some.enter("alice"), some.enter("alice"), some.enter("bob")
    assert not alice.is_wanted()
    refused(some, "carol")
    refused(some, "bob")
    assert not alice.is_wanted(after=3.0), "everybody has a while"
    clock[0] += 3.0
    assert alice.is_wanted(after=3.0) and again.is_wanted(after=3.0), "for carol, and for bob who has one"
    assert not alice.is_wanted() and not bob.is_wanted()
    refused(some, "carol")
    clock[0] += admission.LATELY + 1
    assert not alice.is_wanted(), "she does not come back"


def test_who_was_let_in_meanwhile_displaces_nobody():
    one = Admission(1)
    with one.admit("alice"):
        refused(one, "bob")
    with one.admit("bob") as bob:
        refused(one, "alice")
        assert bob.is_wanted() and not bob.is_wanted()


def test_many_threads_leave_nothing_behind():
    some, most, lock = Admission(3, of_one=2, waiting=50, patience=20.0), [0], threading.Lock()

    def visit(number: int) -> None:
        with some.admit(f"person {number % 5}"):
            with lock:
                most[0] = max(most[0], some.held())
            time.sleep(0.001)

    with ThreadPoolExecutor(20) as many:
        list(many.map(visit, range(200)))
    assert most[0] <= 3 and not some.held() and not some._waiters and not some._people


def test_a_person_is_a_number_too():
    with ExitStack() as held:
        some = Admission(of_one=1)
        held.enter_context(some.admit(7))
        refused(some, "7")
        held.enter_context(some.admit(8))
