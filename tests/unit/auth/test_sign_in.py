"""Who is let in, and how guessing is slowed down."""

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import argon2
import pytest

from tests.support import light_passwords
from tests.support.auth_app import PASSWORD
from tests.support.limits import let_pass
from webmail.account import Password
from webmail.auth import reserved_addresses
from webmail.auth.passwords import hashing
from webmail.auth.providers.accounts import NotLetInError, Refusal
from webmail.auth.sessions import known_devices
from webmail.auth.sign_in.authentication import sign_in
from webmail.auth.sign_in.names import normalise
from webmail.auth.sign_in.throttle import attempt_at
from webmail.errors import ServerAwayError, SignInRefusedError
from webmail.models import LimitUse, User
from webmail.rate_limits import TooManyRequestsError

HERE = "192.0.2.1"


class ImapServer:
    """Knows alice; may be away. Remembers the accounts that were tried."""

    def __init__(self) -> None:
        self.away = False
        self.tried = []

    def __call__(self, account) -> None:
        self.tried.append(account)
        if self.away:
            raise ServerAwayError("no route")
        if account.credential != Password("alice@lycee.example", PASSWORD):
            raise SignInRefusedError("AUTHENTICATIONFAILED")


@pytest.fixture
def imap():
    return ImapServer()


@pytest.fixture
def by_imap(settings):
    return replace(settings, sign_in="imap")


def wrong(settings, imap, times: int = 1, name: str = "alice", network: str = HERE, password: str = "wrong") -> None:
    for _ in range(times):
        with pytest.raises(SignInRefusedError):
            sign_in(name, password, network, settings, imap)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("alice", "alice@lycee.example"),
        (" Alice ", "alice@lycee.example"),
        ("Alice@LYCEE.example", "alice@lycee.example"),
        ("a@b@c", ""),
        ("alice bob", ""),
        ("alice\0bob", ""),
        ("alice\r\nbob@lycee.example", ""),
        ("ali\u202ece", ""),
        ("ali\u200bce@lycee.example", ""),
        ("alice\x9b2J@lycee.example", ""),
        ("Zoé@lycée.example", "zoé@lycée.example"),
        ("@lycee.example", ""),
        ("", ""),
        ("x" * 250 + "@lycee.example", ""),
    ],
)
def test_names_become_addresses(typed, address):
    assert normalise(typed, "lycee.example") == address


def test_a_name_alone_is_no_address_without_a_domain():
    assert normalise("alice", "") == ""


# --- our own table ---------------------------------------------------------------------------------------------------


def test_the_right_password_lets_in_and_the_imap_server_is_not_asked(alice, settings, imap):
    assert sign_in("alice", PASSWORD, HERE, settings, imap) == alice
    assert imap.tried == []


@pytest.mark.parametrize("password", ["wrong", "", "x" * 2000, PASSWORD + "\0"])
def test_another_password_does_not(alice, settings, imap, password):
    wrong(settings, imap, password=password)


def test_nobody_else_gets_in(alice, settings, imap):
    wrong(settings, imap, name="mallory", password=PASSWORD)


def test_an_account_that_is_switched_off_stays_out(alice, settings, imap):
    alice.active = 0
    alice.save()
    with pytest.raises(NotLetInError) as refused:  # told to who knows the password
        sign_in("alice", PASSWORD, HERE, settings, imap)
    assert refused.value.refusal is Refusal.DISABLED
    wrong(settings, imap, password="wrong")


def test_an_account_without_a_password_stays_out(alice, settings, imap):
    alice.password = ""
    alice.save()
    wrong(settings, imap, password="the password of nobody")


def test_an_old_hash_is_made_anew(alice, settings, imap, monkeypatch):
    alice.password = "{ARGON2ID}" + argon2.PasswordHasher(time_cost=1, memory_cost=1024).hash(PASSWORD)
    alice.save()
    monkeypatch.setattr(hashing, "_hasher", light_passwords.REAL)
    sign_in("alice", PASSWORD, HERE, settings, imap)
    assert "m=19456,t=3" in User.get_by_id(alice.id).password


def test_a_password_that_is_changed_meanwhile_is_not_overwritten(alice, settings, imap, monkeypatch):
    alice.password = "{ARGON2ID}" + argon2.PasswordHasher(time_cost=1, memory_cost=1024).hash(PASSWORD)
    alice.save()

    def changed_by_another_process(password):
        User.update(password="another").execute()
        return "made anew"

    monkeypatch.setattr(hashing, "hash_password", changed_by_another_process)
    sign_in("alice", PASSWORD, HERE, settings, imap)
    assert User.get().password == "another"


# --- the IMAP server's passwords -------------------------------------------------------------------------------------


def test_the_first_success_makes_the_person_known(database, by_imap, imap):
    user = sign_in("Alice", PASSWORD, HERE, by_imap, imap)
    assert (user.address, user.local, user.domain, user.password) == ("alice@lycee.example", "alice", "lycee.example", "")
    assert sign_in("alice", PASSWORD, HERE, by_imap, imap) == user
    assert User.select().count() == 1


def test_nobody_gets_an_account_of_an_address_that_is_a_rooms(database, by_imap, imap, monkeypatch):
    monkeypatch.setattr(reserved_addresses, "_checks", {})
    reserved_addresses.register(lambda address: address == "alice@lycee.example")
    with pytest.raises(NotLetInError) as refused:
        sign_in("alice", PASSWORD, HERE, by_imap, imap)
    assert refused.value.refusal is Refusal.RESERVED and not User.select().exists()


def test_a_server_may_know_people_by_the_part_before_the_at(database, by_imap, imap):
    by_name = replace(by_imap, login_name="local")

    def check(account) -> None:
        if account.credential != Password("alice", PASSWORD):
            raise SignInRefusedError("no")

    user = sign_in("alice", PASSWORD, HERE, by_name, check)
    assert user.address == "alice@lycee.example"
    sending = by_name.account(user.address, password=PASSWORD)  # what the pages and the outbox use
    assert (sending.address, sending.credential) == (user.address, Password("alice", PASSWORD))
    with pytest.raises(SignInRefusedError):
        sign_in("alice@elsewhere.example", PASSWORD, HERE, by_name, check)
    assert User.select().count() == 1


def test_a_refusal_makes_nobody_known(database, by_imap, imap):
    wrong(by_imap, imap, name="mallory")
    assert User.select().count() == 0


def test_the_imap_server_does_not_overrule_a_switched_off_account(alice, by_imap, imap):
    alice.active = 0
    alice.save()
    with pytest.raises(NotLetInError):
        sign_in("alice", PASSWORD, HERE, by_imap, imap)


def test_a_password_no_protocol_can_carry_never_reaches_the_server(database, by_imap, imap):
    wrong(by_imap, imap, password="a\0b")
    assert imap.tried == []


def test_a_server_away_is_nobodys_fault(database, by_imap, imap):
    imap.away = True
    for _ in range(20):
        with pytest.raises(ServerAwayError):
            sign_in("alice", PASSWORD, HERE, by_imap, imap)
    assert LimitUse.select().count() == 0


# --- guessing --------------------------------------------------------------------------------------------------------


def test_ten_wrong_passwords_then_wait_even_with_the_right_one(alice, settings, imap):
    wrong(settings, imap, times=10)
    with pytest.raises(TooManyRequestsError) as refused:
        sign_in("alice", PASSWORD, HERE, settings, imap)
    assert refused.value.minutes == 1


def test_spelling_the_name_otherwise_does_not_help(alice, settings, imap):
    for name in ("alice", "ALICE", " alice@lycee.example", "Alice@LYCEE.example", "aLice") * 2:
        wrong(settings, imap, name=name)
    with pytest.raises(TooManyRequestsError):
        sign_in("alicE", "wrong", HERE, settings, imap)


@pytest.mark.parametrize("name", ["second step of 1", "password of 1", "turn 0"])
def test_a_name_that_is_typed_counts_for_nothing_else(alice, settings, imap, name):
    wrong(settings, imap, times=10, name=name)
    for _ in range(10):
        attempt_at(name, settings)


def test_coming_from_elsewhere_does_not_help(alice, settings, imap):
    for number in range(10):
        wrong(settings, imap, network=f"192.0.2.{number}")
    with pytest.raises(TooManyRequestsError):
        sign_in("alice", PASSWORD, "198.51.100.1", settings, imap)


def test_others_are_not_stopped_by_it(alice, bob, settings, imap):
    wrong(settings, imap, times=10)
    assert sign_in("bob", PASSWORD, HERE, settings, imap) == bob


def test_trying_many_names_from_one_network_is_stopped(alice, database, by_imap, imap):
    for number in range(50):
        wrong(by_imap, imap, name=f"pupil{number}")
    with pytest.raises(TooManyRequestsError):
        sign_in("alice", PASSWORD, HERE, by_imap, imap)
    assert sign_in("alice", PASSWORD, "198.51.100.1", by_imap, imap)


def test_nobody_is_locked_out_of_their_own_browser(alice, settings, imap):
    """Guessing wrong in somebody's name, from the same network even, does not stop them where they signed in before."""
    browser = known_devices.remember("", alice.address, settings.secret_key)
    wrong(settings, imap, times=10)
    with pytest.raises(TooManyRequestsError):
        sign_in("alice", PASSWORD, HERE, settings, imap)
    assert sign_in("Alice", PASSWORD, HERE, settings, imap, browser=browser) == alice
    with pytest.raises(TooManyRequestsError):
        sign_in("alice", PASSWORD, HERE, settings, imap)  # her success gives whoever guesses no new tries


def test_guessing_on_a_known_browser_is_stopped_and_stops_nobody_else(alice, settings, imap):
    browser, other = (known_devices.remember("", alice.address, settings.secret_key) for _ in range(2))
    for _ in range(10):
        with pytest.raises(SignInRefusedError):
            sign_in("alice", "wrong", HERE, settings, imap, browser=browser)
    with pytest.raises(TooManyRequestsError):
        sign_in("alice", PASSWORD, HERE, settings, imap, browser=browser)
    assert sign_in("alice", PASSWORD, HERE, settings, imap, browser=other) == alice
    assert sign_in("alice", PASSWORD, HERE, settings, imap) == alice


def test_a_known_browser_is_like_any_other_for_somebody_else(alice, bob, settings, imap):
    browser = known_devices.remember("", bob.address, settings.secret_key)
    wrong(settings, imap, times=10)
    with pytest.raises(TooManyRequestsError):
        sign_in("alice", PASSWORD, HERE, settings, imap, browser=browser)


def test_nine_wrong_ones_and_a_right_one_start_the_count_anew(alice, settings, imap):
    for _ in range(2):
        wrong(settings, imap, times=9)
        sign_in("alice", PASSWORD, HERE, settings, imap)
    assert LimitUse.select().count() == 0


def test_tries_meanwhile_do_not_make_the_wait_longer(alice, settings, imap):
    wrong(settings, imap, times=10)
    let_pass(timedelta(minutes=9, seconds=30))
    for _ in range(3):
        with pytest.raises(TooManyRequestsError):
            sign_in("alice", PASSWORD, HERE, settings, imap)
    let_pass(timedelta(minutes=5, seconds=31))
    assert sign_in("alice", PASSWORD, HERE, settings, imap) == alice


def test_many_guesses_at_the_same_instant_all_count(database, by_imap):
    checked, start = [], Barrier(16)

    def slow_refusal(account) -> None:
        checked.append(account)
        raise SignInRefusedError("no")

    def guess() -> None:
        start.wait()
        try:
            sign_in("alice", "wrong", HERE, by_imap, slow_refusal)
        except (SignInRefusedError, TooManyRequestsError):
            return

    threads = [Thread(target=guess) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(checked) == 10
