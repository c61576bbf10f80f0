"""The cookie of a browser that somebody signed in on before: good for that person, for a time, made here only."""

import pytest

from webmail.auth.sessions import known_devices

ALICE, BOB, SECRET = "alice@lycee.example", "bob@lycee.example", "secret-in-a-file"


def test_it_is_recognised_for_that_person_only():
    cookie = known_devices.remember("", ALICE, SECRET)
    assert known_devices.recognise(cookie, ALICE, SECRET)
    assert not known_devices.recognise(cookie, BOB, SECRET)
    assert not known_devices.recognise(cookie, "", SECRET)
    assert not known_devices.recognise(cookie, ALICE, "another instance")


def test_it_names_nobody():
    assert "alice" not in known_devices.remember("", ALICE, SECRET)


def test_every_browser_has_a_count_of_its_own_and_keeps_it():
    """Signing in again must not buy fresh counts: cookies put aside would each have some tries."""
    first, other = (known_devices.remember("", ALICE, SECRET) for _ in range(2))
    assert known_devices.recognise(first, ALICE, SECRET) != known_devices.recognise(other, ALICE, SECRET)
    again = known_devices.remember(known_devices.remember(first, BOB, SECRET), ALICE, SECRET)
    assert known_devices.recognise(again, ALICE, SECRET) == known_devices.recognise(first, ALICE, SECRET)
    assert known_devices.recognise(again, BOB, SECRET)


def test_two_people_of_one_browser_are_counted_apart():
    cookie = known_devices.remember(known_devices.remember("", ALICE, SECRET), BOB, SECRET)
    assert known_devices.recognise(cookie, ALICE, SECRET) != known_devices.recognise(cookie, BOB, SECRET)


def test_it_is_forgotten_after_half_a_year_without_a_sign_in(monkeypatch):
    monkeypatch.setattr(known_devices, "_today", lambda: 20_000)
    cookie = known_devices.remember("", ALICE, SECRET)
    for day, found in ((20_180, True), (20_181, False), (19_999, False)):
        monkeypatch.setattr(known_devices, "_today", lambda day=day: day)
        assert bool(known_devices.recognise(cookie, ALICE, SECRET)) is found


def test_it_stays_short():
    cookie = ""
    for number in range(20):
        cookie = known_devices.remember(cookie, f"person{number}@lycee.example", SECRET)
    assert len(cookie) < 400
    assert known_devices.recognise(cookie, "person19@lycee.example", SECRET)
    assert not known_devices.recognise(cookie, "person3@lycee.example", SECRET)


def test_every_changed_letter_is_noticed():
    cookie = known_devices.remember("", ALICE, SECRET)
    for place, letter in enumerate(cookie):
        changed = cookie[:place] + ("0" if letter != "0" else "1") + cookie[place + 1 :]
        assert not known_devices.recognise(changed, ALICE, SECRET)


@pytest.mark.parametrize("odd", ["", ".", "x" * 5000, "1-2-3", "٣-" + "0" * 32 + "-" + "0" * 32, "\0", "é.é"])
def test_anything_else_is_no_such_cookie(odd):
    assert known_devices.recognise(odd, ALICE, SECRET) == ""
    assert known_devices.recognise(known_devices.remember(odd, ALICE, SECRET), ALICE, SECRET)
