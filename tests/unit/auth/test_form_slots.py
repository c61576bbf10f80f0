"""Form slots: turns to read forms of strangers, so many at once, fewer from one network, and each is given back."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.support import calendar_ground as ground
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
    assert not form_slots._reading


def test_all_networks_together_leave_threads_for_others():
    with ExitStack() as held:
        for number in range(form_slots.AT_ONCE):
            held.enter_context(form_slot(f"192.0.2.{number}"))
        with pytest.raises(TooManyForms), form_slot("198.51.100.1"):
            pass
    assert not form_slots._reading


def test_a_form_that_breaks_gives_its_turn_back():
    with pytest.raises(RuntimeError), form_slot("192.0.2.1"):
        raise RuntimeError
    assert not form_slots._reading


def test_forms_of_pages_for_large_files_keep_nobody_from_signing_in():
    with ExitStack() as held:
        for number in range(form_slots.FILES_AT_ONCE):
            held.enter_context(files_form_slot(f"192.0.2.{number // form_slots.FILES_OF_ONE}"))
        for other in ("192.0.2.0", "198.51.100.1"):
            with pytest.raises(TooManyForms), files_form_slot(other):
                pass
        with form_slot("192.0.2.0"):
            pass
    assert not form_slots._reading and not form_slots._of_files


def test_who_is_signed_in_waits_too_on_pages_for_everybody(tmp_path):
    with ground.application(tmp_path / "instance") as app, ExitStack() as held:
        alice = ground.person(app)
        for _ in range(form_slots.FROM_ONE_NETWORK):
            held.enter_context(form_slot(network_of("127.0.0.1")))
        assert alice.client.post(f"/t/{'x' * 27}", data={"action": "all"}).status_code == 503
        held.close()
        assert alice.client.post(f"/t/{'x' * 27}", data={"action": "all"}).status_code == 404
