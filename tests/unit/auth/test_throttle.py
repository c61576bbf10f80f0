"""How many wrong passwords are checked, who has turns when too many were, and that the owner gets in meanwhile."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.limits import let_pass
from webmail import rate_limits
from webmail.auth.sign_in import sources, throttle, waiting_lines
from webmail.auth.sign_in.sources import NOWHERE, SignInSource, computer_cookie, source_of
from webmail.auth.sign_in.waiting_lines import has_waited, next_place
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.models import TakenTurn, WaitingPlace, now
from webmail.rate_limits import QUARTER, RateLimit, TooManyRequestsError

ALICE, BOB = "alice@lycee.example", "bob@lycee.example"
HERE, THERE, ELSEWHERE = "192.0.2.1", "198.51.100.1", "203.0.113.9"
LIMIT = 10
SETTINGS = replace(Settings(), secret_key="k" * 40, sign_in_attempts=LIMIT)


@pytest.fixture(autouse=True)
def _tables(database):
    pass


@pytest.fixture
def clock(monkeypatch):
    """`clock(seconds)` moves the time of everything on."""
    ahead, real, moment = [0.0], time.time, now

    def move(seconds: float) -> None:
        ahead[0] += seconds

    monkeypatch.setattr(waiting_lines.time, "time", lambda: real() + ahead[0])
    for module in (rate_limits, waiting_lines):
        monkeypatch.setattr(module, "now", lambda: moment() + timedelta(seconds=ahead[0]))
    return move


class Visitor:
    """A browser that keeps its place in line. `comes` answers the seconds that it is told to wait, 0 if its password is checked."""

    def __init__(self, name: str = ALICE, source: SignInSource | str = HERE) -> None:
        self.name, self.source = name, source if isinstance(source, SignInSource) else network(source)
        self.place = None

    def comes(self, *, right: bool = False) -> int:
        try:
            attempt = throttle.begin(self.name, self.source, SETTINGS, admitted=self.place)
        except TooManyRequestsError as told:
            self.place = next_place(self.place)
            return told.seconds
        self.place = None
        if right:
            throttle.succeeded(attempt, SETTINGS)
        return 0


def failures(name: str) -> int:
    return rate_limits.used(SETTINGS, RateLimit("passwords for a name", LIMIT, QUARTER).by(name))


def network(address: str) -> SignInSource:
    return SignInSource(address, 5 * LIMIT)


def guess(times: int = LIMIT, name: str = ALICE, place: str = HERE) -> None:
    for _ in range(times):
        throttle.begin(name, network(place), SETTINGS)


def crowd(source: SignInSource | None = None) -> None:
    """So many wrong passwords for invented names that the ordinary tries of a network are used up."""
    source = source or network(HERE)
    for number in range(source.tries):
        throttle.begin(f"pupil{number}@lycee.example", source, SETTINGS)


# --- turns of a name -------------------------------------------------------------------------------------------------


def test_what_is_refused_is_not_recorded():
    guess()
    stranger = Visitor()
    for _ in range(20):
        assert stranger.comes() == 5
    assert failures(ALICE) == LIMIT
    assert WaitingPlace.select().count() == 0


def test_who_has_waited_has_a_try_at_once_and_then_one_a_minute_is_checked(clock):
    guess()
    first, second = Visitor(source=THERE), Visitor(source=ELSEWHERE)
    assert first.comes() == second.comes() == 5
    clock(5)
    assert first.comes() == 0
    assert second.comes() == 60
    clock(60)
    assert second.comes() == 0


def test_who_has_waited_longest_is_next(clock):
    guess()
    visitors = [Visitor(source=f"203.0.113.{number}") for number in range(4)]
    for one in visitors:
        one.comes()
    clock(5)
    assert [one.comes() for one in visitors] == [0, 60, 120, 180]
    clock(60)
    assert [one.comes() for one in reversed(visitors[1:])] == [120, 60, 0]


def test_who_does_not_come_back_stands_in_nobodys_way(clock):
    guess()
    first, gone, last = (Visitor(source=f"203.0.113.{number}") for number in range(3))
    for one in (first, gone, last):
        one.comes()
    clock(5)
    assert [one.comes() for one in (first, gone, last)] == [0, 60, 120]
    clock(60)
    assert last.comes() == 60  # the other may still come
    clock(60)
    assert last.comes() == 0


def test_one_network_has_not_all_the_turns(clock):
    guess()
    programs = [Visitor(source=THERE) for _ in range(10)]
    owner = Visitor(source=ELSEWHERE)
    for one in (*programs, owner):
        one.comes()
    clock(5)
    assert sum(not one.comes() for one in programs) == 1
    assert owner.comes() == 60  # before the nine
    clock(60)
    assert all(one.comes() for one in programs)
    assert owner.comes() == 0


def test_turns_are_counted_by_name_whether_it_exists_or_not(clock):
    guess()
    guess(name=BOB, place=THERE)
    alice, bob = Visitor(ALICE, ELSEWHERE), Visitor(BOB, ELSEWHERE)
    assert alice.comes() == bob.comes() == 5
    clock(5)
    assert alice.comes() == bob.comes() == 0


def test_a_turn_is_not_used_up_while_there_are_ordinary_tries():
    guess(LIMIT - 1)
    assert Visitor().comes() == 0
    assert TakenTurn.select().count() == 0


def test_a_success_forgets_the_typing_mistakes_and_nothing_of_others():
    guess(3)
    guess(4, place=THERE)
    throttle.succeeded(throttle.begin(ALICE, network(HERE), SETTINGS), SETTINGS)
    assert failures(ALICE) == 4


@pytest.mark.parametrize("place", [HERE, THERE])
def test_an_owner_who_gets_in_gives_whoever_guesses_no_new_tries(clock, place):
    guess()
    owner = Visitor(source=place)
    owner.comes()
    clock(5)
    assert owner.comes(right=True) == 0
    assert Visitor().comes() == 5


def test_what_is_taken_back_is_no_other_attempt_that_has_its_number_since():
    attempt = throttle.begin(ALICE, network(HERE), SETTINGS)
    throttle.succeeded(throttle.begin(ALICE, network(HERE), SETTINGS), SETTINGS)  # in another tab: forgets the first one's
    for _ in range(2):
        throttle.begin(BOB, network(THERE), SETTINGS)
    rate_limits.give_back(attempt.use)
    assert failures(BOB) == 2


def test_a_name_as_long_as_may_be_has_turns_too(clock):
    long = f"{'x' * 120}@{'y' * 120}.example"
    guess(name=long)
    visitor = Visitor(long, "2001:db8:1234:5678::/64")
    visitor.comes()
    clock(5)
    assert visitor.comes() == 0


# --- a network bounds how many are checked ---------------------------------------------------------------------------


def test_behind_an_address_where_some_guess_and_some_wait_politely_thirty_owners_are_in_within_a_minute(clock):
    crowd()
    programs = [Visitor(f"guess{number}@lycee.example") for number in range(3)]
    polite = [Visitor(f"polite{number}@lycee.example") for number in range(24)]
    owners = {Visitor(f"owner{number}@lycee.example"): 0 for number in range(30)}
    outside, checked = {}, 0
    for second in range(60 + 60):
        for one in programs:  # three guesses a second, for ever new names
            one.name = f"{one.name}x"[-200:]
            checked += not one.comes()
        for number, one in enumerate(polite):
            checked += second % 5 == number % 5 and not one.comes()
        if second < 60:  # they have waited for a while when the owners come
            clock(1)
            continue
        for one in [one for one, due in owners.items() if due <= second - 60 and one not in outside]:
            if told := one.comes(right=True):
                owners[one] = second - 60 + told
            else:
                outside[one] = second - 60
        clock(1)
    assert len(outside) == 30
    assert max(outside.values()) < 60
    assert checked <= 2 * 120 + 20  # and no more passwords are looked at than two a second


def test_who_throws_their_cookies_away_stands_in_nobodys_way(clock):
    crowd()
    owner = Visitor()
    owner.comes()
    for _ in range(15):
        assert Visitor(BOB).comes() == 5
        clock(0.34)
    assert owner.comes(right=True) == 0


def test_from_the_establishments_own_networks_far_more_are_checked(tmp_path):
    settings = config.load(tmp_path / "x", own_networks="192.0.2.0/24, 2001:db8::/32")
    own, other = source_of(HERE, "", settings), source_of(THERE, "", settings)
    assert (own.tries, own.a_second) == (1000, 20)
    assert (other.tries, other.a_second) == (50, 2)
    assert source_of("2001:db8:1:2::/64", "", settings).tries == 1000
    assert source_of("2001:db9:1:2::/64", "", settings).tries == 50
    assert source_of("", "", settings) == NOWHERE


@pytest.mark.parametrize("wrong", ["school", "192.0.2.1/8", "192.0.2.1,", "300.1.1.1"])
def test_what_is_no_network_is_said_so(tmp_path, wrong):
    with pytest.raises(config.ConfigError, match="own_networks must be IP addresses or networks"):
        config.load(tmp_path / "x", own_networks=wrong)


def test_a_shared_computer_counts_for_itself_in_its_network(tmp_path):
    settings = config.load(tmp_path / "x")
    cookie = computer_cookie("1", HERE, settings.secret_key)
    library = source_of(HERE, cookie, settings)
    assert library.key.startswith("computer ") and len(library.key) <= 64
    assert library.tries == settings.sign_in_attempts
    crowd(source_of(HERE, "", settings))
    assert Visitor(source=source_of(HERE, "", settings)).comes() == 5
    assert Visitor(source=library).comes(right=True) == 0
    again = computer_cookie(cookie, HERE, settings.secret_key)
    assert source_of(HERE, again, settings) == library  # no new count
    for worthless in ("1", "", cookie[:-1] + ("0" if cookie[-1] != "0" else "1"), "x" * 5000):
        assert source_of(HERE, worthless, settings).key == HERE
    assert source_of(THERE, cookie, settings).key == THERE  # carried elsewhere it is worth nothing


def test_but_not_for_a_name(tmp_path):
    settings = config.load(tmp_path / "x")
    guess()
    library = source_of(HERE, computer_cookie("", HERE, settings.secret_key), settings)
    assert Visitor(source=library).comes() == 5


def test_a_shared_computer_is_not_good_for_ever(tmp_path, monkeypatch):
    settings = config.load(tmp_path / "x")
    cookie = computer_cookie("", HERE, settings.secret_key)
    later = time.time() + 366 * 86400
    monkeypatch.setattr(sources.time, "time", lambda: later)
    assert source_of(HERE, cookie, settings).key == HERE


# --- places ----------------------------------------------------------------------------------------------------------


def test_nobody_has_waited_who_was_not_told_to():
    assert not has_waited(None)


def test_a_few_seconds_are_enough_and_a_quarter_of_an_hour_too_long(clock):
    place = next_place(None)
    assert not has_waited(place)
    clock(5)
    assert has_waited(place)
    clock(15 * 60)
    assert not has_waited(place)
    assert next_place(place)[1] == 1


def test_pressing_the_button_again_does_not_send_a_person_back(clock):
    place = next_place(None)
    for _ in range(4):
        clock(1)
        if not has_waited(place):
            place = next_place(place)
    clock(1)
    assert has_waited(place)


def test_nor_does_asking_every_second_while_one_stands_in_line(clock):
    crowd()
    ahead = [Visitor(f"polite{number}@lycee.example") for number in range(60)]
    owner = Visitor()
    for one in (*ahead, owner):
        one.comes()
    seconds = 0
    while True:
        clock(1)
        seconds += 1
        if seconds % 5 == 0:
            assert seconds < 60
            for one in ahead:
                one.comes()
        if owner.comes(right=True) == 0:
            break


def test_a_program_that_goes_on_never_has_waited(clock):
    place = None
    for _ in range(1000):
        assert not has_waited(place)
        place = next_place(place)
        clock(0.5)


def test_the_place_of_another_version_is_none():
    assert waiting_lines.place_of([1, 2]) is None
    assert waiting_lines.place_of(None) is None
    assert waiting_lines.place_of([1, 2, "x" * 100]) == (1, 2, "x" * 32)


def test_failures_older_than_the_window_count_no_more():
    guess()
    let_pass(timedelta(minutes=15, seconds=1))
    guess()
