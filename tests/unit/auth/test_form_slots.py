"""Form slots: turns to read forms of strangers, so many at once, fewer from one network, and each is given back."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack

import pytest

from tests.support import calendar_ground as ground
from tests.support.waiting import eventually
from webmail.auth import form_slots
from webmail.auth.form_slots import TooManyForms, files_form_slot, form_slot
from webmail.auth.sessions import network_of


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(form_slots, "PATIENCE_SECONDS", 0.05)


def test_one_network_has_a_part_of_the_turns():
    with ExitStack() as held:
        for _ in range(form_slots.FROM_ONE_NETWORK):
            held.enter_context(form_slot("192.0.2.1"))
        with pytest.raises(TooManyForms), form_slot("192.0.2.1"):
            pass
        with form_slot("192.0.2.2"):
            pass
    with form_slot("192.0.2.1"):
        pass
    assert not form_slots._reading.taken


def test_all_networks_together_leave_threads_for_others():
    with ExitStack() as held:
        for number in range(form_slots.AT_ONCE):
            held.enter_context(form_slot(f"192.0.2.{number}"))
        with pytest.raises(TooManyForms), form_slot("198.51.100.1"):
            pass
    assert not form_slots._reading.taken


def test_a_form_that_breaks_gives_its_turn_back():
    with pytest.raises(RuntimeError), form_slot("192.0.2.1"):
        raise RuntimeError
    assert not form_slots._reading.taken


def test_forms_of_pages_for_large_files_keep_nobody_from_signing_in():
    with ExitStack() as held:
        for number in range(form_slots.FILES_AT_ONCE):
            held.enter_context(files_form_slot(f"192.0.2.{number // form_slots.FILES_OF_ONE}"))
        for other in ("192.0.2.0", "198.51.100.1"):
            with pytest.raises(TooManyForms), files_form_slot(other):
                pass
        with form_slot("192.0.2.0"):
            pass
    assert not form_slots._reading.taken and not form_slots._of_files.taken


def test_who_comes_while_forms_are_read_waits_for_a_moment(monkeypatch):
    monkeypatch.setattr(form_slots, "PATIENCE_SECONDS", 20.0)
    with ExitStack() as held:
        for number in range(form_slots.AT_ONCE):
            held.enter_context(form_slot(f"192.0.2.{number}"))
        threading.Timer(0.05, held.close).start()
        with form_slot("198.51.100.1"):
            pass


def test_nobody_waits_behind_forms_that_come_slowly():
    with ExitStack() as held:
        for number in range(form_slots.FILES_AT_ONCE):
            held.enter_context(files_form_slot(f"192.0.2.{number}"))
        time.sleep(2 * form_slots.PATIENCE_SECONDS)
        began = time.monotonic()
        for number in range(100):
            with pytest.raises(TooManyForms), files_form_slot(f"198.51.100.{number}"):
                pass
        assert time.monotonic() - began < 100 * form_slots.PATIENCE_SECONDS / 2


def test_few_wait_so_that_threads_are_left_for_pages(monkeypatch):
    monkeypatch.setattr(form_slots, "PATIENCE_SECONDS", 20.0)
    with ExitStack() as held:
        for number in range(form_slots.FILES_AT_ONCE):
            held.enter_context(files_form_slot(f"192.0.2.{number}"))
        waiting = [threading.Thread(target=_read_a_form, args=(number,)) for number in range(form_slots.WAITING)]
        for one in waiting:
            one.start()
        eventually(lambda: form_slots._of_files.waiting == form_slots.WAITING)
        began = time.monotonic()
        with pytest.raises(TooManyForms), files_form_slot("198.51.100.1"):
            pass
        assert time.monotonic() - began < 10
        held.close()
        for one in waiting:
            one.join(20)
    assert not form_slots._of_files.taken and not form_slots._of_files.waiting


def _read_a_form(number: int) -> None:
    with files_form_slot(f"203.0.113.{number}"):
        pass


def test_who_is_signed_in_waits_too_on_pages_for_everybody(tmp_path):
    with ground.application(tmp_path / "instance") as app, ExitStack() as held:
        alice = ground.person(app)
        for _ in range(form_slots.FROM_ONE_NETWORK):
            held.enter_context(form_slot(network_of("127.0.0.1")))
        assert alice.client.post(f"/t/{'x' * 27}", data={"action": "all"}).status_code == 503
        held.close()
        assert alice.client.post(f"/t/{'x' * 27}", data={"action": "all"}).status_code == 404
