"""Password checks: a few passwords are checked at once; whoever gets no turn is told so, and it counts as no guess."""

import threading
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from deploy.demo.services import CHECKOUT, MEMORY
from tests.support.auth_app import PASSWORD, Browser
from tests.support.waiting import eventually
from webmail.auth.passwords import hashing
from webmail.auth.passwords.check_admission import AT_ONCE, CHECKS, TooBusyError, checking
from webmail.models import LimitUse


@pytest.fixture
def all_taken(monkeypatch):
    """Others check passwords, and nobody has patience."""
    monkeypatch.setattr(CHECKS, "patience", 0.05)
    go_on = Event()

    def check() -> None:
        with checking():
            assert go_on.wait(60)

    with ThreadPoolExecutor(AT_ONCE) as others:
        for _ in range(AT_ONCE):
            others.submit(check)
        eventually(lambda: CHECKS.held() == AT_ONCE)
        yield
        go_on.set()


def test_never_more_at_once_than_there_are_slots(app, alice, monkeypatch):
    inside, most, lock = [0], [0], threading.Lock()
    verify, full = hashing.verify, Event()

    def counted(stored: str, password: str) -> bool:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            if inside[0] > AT_ONCE:
                full.set()
        full.wait(0.2)  # time for one more to come, if it may
        try:
            return verify(stored, password)
        finally:
            with lock:
                inside[0] -= 1

    monkeypatch.setattr(hashing, "verify", counted)
    with ThreadPoolExecutor(AT_ONCE + 3) as people:
        answers = list(people.map(lambda _: Browser(app).sign_in().status_code, range(AT_ONCE + 3)))
    assert answers == [303] * (AT_ONCE + 3)
    assert most[0] == AT_ONCE


def test_who_gets_no_turn_keeps_the_name_they_typed_and_has_not_guessed(app, visitor, alice, all_taken):
    answer = visitor.sign_in()
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "60"
    assert "A lot of people are signing in" in answer.text
    assert 'value="alice"' in answer.text and PASSWORD not in answer.text
    assert LimitUse.select().count() == 0


def test_a_turn_is_given_back_whatever_becomes_of_it(monkeypatch):
    monkeypatch.setattr(CHECKS, "patience", 0.05)
    for _ in range(AT_ONCE + 1):
        with pytest.raises(ZeroDivisionError), checking():
            raise ZeroDivisionError
    with checking():
        pass


def test_without_a_turn_there_is_no_check(all_taken):
    with pytest.raises(TooBusyError), checking():
        raise AssertionError("checked")


def test_the_demo_gives_memory_back_as_the_services_do():
    for name in ("traboule-web.service", "traboule-bodies.service"):
        unit = (CHECKOUT / "deploy" / name).read_text()
        assert MEMORY and all(f"{setting}={value}" in unit for setting, value in MEMORY.items())
