"""Vouchers: who may ask and who may vouch, how often, and what happens to two at once, in threads and in processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support import postgresql
from tests.support.auth_app import add
from tests.support.limits import let_pass
from webmail.auth.factors import vouchers
from webmail.auth.factors.vouchers import GiveFault, NotAskedError, NotGivenError, State, WishFault
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.config.tables import Domain
from webmail.database.connection import open_database
from webmail.database.migrate import migrate
from webmail.models import Session, User, Voucher, now
from webmail.rate_limits import TooManyRequestsError

HERE = "a" * 64  # the pending session of Alice
RACE = """
import sys
from webmail.config import settings as config
from webmail.auth.factors import vouchers
from webmail.database.connection import db, open_database
from webmail.models import User
open_database(sys.argv[1])
settings = config.load(sys.argv[3])
with db.connection_context():
    bob = User.get(User.address == "bob@lycee.example")
    wishes = list(vouchers.wishes_for(bob))
    print("ready", flush=True)
    sys.stdin.readline()
    done = 0
    for wish in wishes:
        try:
            if sys.argv[2] == "use":
                done += vouchers.use(wish.session) is not None
            else:
                vouchers.give(wish.id, bob, wish.number, settings)
                done += 1
        except vouchers.NotGivenError:
            pass
    print(done, flush=True)
"""


@pytest.fixture
def bob(database: str) -> User:
    """Somebody with a second factor, who may vouch."""
    user = add("bob@lycee.example")
    _set(user, second_step=1)
    return user


def _set(user: User, **columns: Any) -> None:
    User.update(**columns).where(User.id == user.id).execute()
    for name, value in columns.items():
        setattr(user, name, value)


def ask(alice: User, settings: Settings, colleague: str = "bob", session: str = HERE) -> Voucher:
    Session.get_or_create(id_hash=session, defaults={"user": alice, "pending": True})
    return vouchers.ask(alice, colleague, session, settings, user_agent="Firefox", network="192.0.2.1")


def give(wish: Voucher, giver: User, number: str = "") -> Voucher:
    return vouchers.give(wish.id, giver, number or wish.number, replace(Settings(), secret_key="k" * 40))


def fault_of_giving(wish: Voucher, giver: User, number: str = "") -> GiveFault:
    with pytest.raises(NotGivenError) as caught:
        give(wish, giver, number)
    fault: GiveFault = caught.value.args[0]
    return fault


def state(session: str = HERE) -> State:
    wish = vouchers.asked_in(session)
    assert wish is not None
    return vouchers.state_of(wish)


# --- the way it goes -------------------------------------------------------------------------------------------------


def test_asked_given_and_used_once(alice: User, bob: User, settings: Settings) -> None:
    wish = ask(alice, settings, " BOB@lycee.example ")
    assert len(wish.number) == 4 and wish.number.isdigit() and state() is State.WAITING
    assert vouchers.use(HERE) is None, "nobody has vouched yet"
    assert [one.receiver.address for one in vouchers.wishes_for(bob)] == [alice.address]
    assert give(wish, bob).receiver == alice and state() is State.GIVEN
    used = vouchers.use(HERE)
    assert used is not None and used.giver == bob
    assert vouchers.use(HERE) is None and state() is State.OVER
    assert vouchers.wishes_for(bob) == []


def test_it_is_good_in_the_browser_that_asked_and_no_other(alice: User, bob: User, settings: Settings) -> None:
    mine, thief = ask(alice, settings), ask(alice, settings, session="b" * 64)
    give(mine, bob)
    assert vouchers.use("b" * 64) is None and state("b" * 64) is State.WAITING
    assert thief.id != mine.id and vouchers.use(HERE) is not None


def test_asking_somebody_else_withdraws_what_was_asked(alice: User, bob: User, settings: Settings) -> None:
    first = ask(alice, settings)
    give(first, bob)
    ask(alice, settings, "carole")
    assert vouchers.use(HERE) is None and vouchers.wishes_for(bob) == []
    assert state() is State.WAITING


def test_what_was_asked_in_a_session_that_is_over_is_withdrawn(alice: User, bob: User, settings: Settings) -> None:
    """Who signs in again begins anew, and their colleague sees them once."""
    ask(alice, settings)
    Session.delete().where(Session.id_hash == HERE).execute()
    again = ask(alice, settings, session="b" * 64)
    assert [wish.id for wish in vouchers.wishes_for(bob)] == [again.id]


def test_of_several_browsers_the_number_says_which(alice: User, bob: User, settings: Settings) -> None:
    first, second = ask(alice, settings), ask(alice, settings, session="b" * 64)
    Voucher.update(number="1111").where(Voucher.id == first.id).execute()
    Voucher.update(number="2222").where(Voucher.id == second.id).execute()
    assert give(first, bob, "2222").id == second.id
    assert (state(), state("b" * 64)) == (State.WAITING, State.GIVEN)
    assert fault_of_giving(first, bob, "2222") is GiveFault.WRONG_NUMBER


def test_the_number_of_another_person_is_a_wrong_one(alice: User, bob: User, settings: Settings) -> None:
    carole = add("carole@lycee.example")
    mine, hers = ask(alice, settings), ask(carole, settings, session="c" * 64)
    Voucher.update(number="1111").where(Voucher.id == mine.id).execute()
    Voucher.update(number="2222").where(Voucher.id == hers.id).execute()
    assert fault_of_giving(mine, bob, "2222") is GiveFault.WRONG_NUMBER and state("c" * 64) is State.WAITING


def test_a_wish_to_nobody_looks_the_same(alice: User, bob: User, settings: Settings, queries: list[str]) -> None:
    queries.clear()
    real = ask(alice, settings)
    seen = list(queries)
    queries.clear()
    nobody = ask(alice, settings, "nobody", session="b" * 64)
    assert queries == seen
    assert (real.giver, nobody.giver) == (bob, None)
    assert vouchers.state_of(real) is vouchers.state_of(nobody) is State.WAITING


def test_it_ends_after_a_quarter_of_an_hour(alice: User, bob: User, settings: Settings) -> None:
    wish = ask(alice, settings)
    assert timedelta(minutes=14) < wish.expires - now() <= timedelta(minutes=15)
    Voucher.update(expires=now()).execute()
    assert fault_of_giving(wish, bob) is GiveFault.GONE and state() is State.OVER
    assert vouchers.wishes_for(bob) == [] and vouchers.refuse(wish.id, bob) is None
    given = ask(alice, settings, session="b" * 64)
    give(given, bob)
    Voucher.update(expires=now()).execute()
    assert vouchers.use("b" * 64) is None


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("colleague", "fault"),
    [
        ("", WishFault.UNUSABLE),
        ("Bob Martin", WishFault.UNUSABLE),
        ("x" * 300, WishFault.UNUSABLE),
        ("bob@lycee.example\r\n", None),  # what surrounds it is taken off
        ("bo\x00b", WishFault.UNUSABLE),
        ("ALICE", WishFault.ONESELF),
        ("alice@lycee.example", WishFault.ONESELF),
        ("charlie@autre.example", WishFault.OUTSIDE),
    ],
)
def test_who_can_be_named(alice: User, bob: User, settings: Settings, colleague: str, fault: WishFault | None) -> None:
    if fault is None:
        assert ask(alice, settings, colleague).giver == bob
        return
    with pytest.raises(NotAskedError) as caught:
        ask(alice, settings, colleague)
    assert caught.value.args[0] is fault and not Voucher.select().exists()


def test_another_domain_of_the_establishment_is_inside(alice: User, settings: Settings) -> None:
    carole = add("carole@college.example")
    _set(carole, second_step=1)
    both = replace(settings, domains=(Domain("college.example"),))
    assert ask(alice, both, "carole@college.example").giver == carole


@pytest.mark.parametrize(
    "columns", [{"active": 0}, {"must_change": 1}, {"second_step": 0}], ids=["disabled", "temporary-password", "no-second-step"]
)
def test_who_may_not_vouch(alice: User, bob: User, settings: Settings, columns: dict[str, int]) -> None:
    """Neither if it was so when asked, nor when giving, nor when it is used."""
    _set(bob, **columns)
    assert ask(alice, settings).giver is None
    _set(bob, active=1, must_change=0, second_step=1)
    wish = ask(alice, settings)
    _set(bob, **columns)
    assert fault_of_giving(wish, bob) in (GiveFault.GONE, GiveFault.NO_FACTOR)
    _set(bob, active=1, must_change=0, second_step=1)
    give(wish, bob)
    _set(bob, **columns)
    assert vouchers.use(HERE) is None
    _set(bob, active=1, must_change=0, second_step=1)
    assert vouchers.use(HERE) is not None


def test_only_an_administrator_vouches_for_one(alice: User, bob: User, settings: Settings) -> None:
    _set(alice, role="admin")
    assert ask(alice, settings).giver is None
    _set(bob, role="admin")
    assert ask(alice, settings).giver == bob


def test_nobody_vouches_for_who_was_disabled_meanwhile(alice: User, bob: User, settings: Settings) -> None:
    wish = ask(alice, settings)
    _set(alice, active=0)
    assert vouchers.wishes_for(bob) == [] and fault_of_giving(wish, bob) is GiveFault.GONE


def test_others_can_neither_see_give_nor_refuse_it(alice: User, bob: User, settings: Settings) -> None:
    carole = add("carole@lycee.example")
    _set(carole, second_step=1)
    wish = ask(alice, settings)
    assert vouchers.wishes_for(carole) == []
    assert fault_of_giving(wish, carole) is GiveFault.GONE
    assert vouchers.refuse(wish.id, carole) is None and state() is State.WAITING


# --- the number, and limits -------------------------------------------------------------------------------------------


def test_the_number_is_typed_and_three_wrong_ones_refuse(alice: User, bob: User, settings: Settings) -> None:
    wish = ask(alice, settings)
    wrong = f"{(int(wish.number) + 1) % 10_000:04d}"
    for number in (wrong, "é" * 4):
        assert fault_of_giving(wish, bob, number) is GiveFault.WRONG_NUMBER
    assert fault_of_giving(wish, bob, wrong) is GiveFault.TOO_MANY_TRIES
    assert fault_of_giving(wish, bob) is GiveFault.GONE and state() is State.REFUSED


def test_spaces_in_the_number_do_not_matter(alice: User, bob: User, settings: Settings) -> None:
    wish = ask(alice, settings)
    give(wish, bob, f" {wish.number[:2]} {wish.number[2:]} ")
    assert state() is State.GIVEN


def test_a_refusal_is_final_and_what_was_given_can_be_taken_back(alice: User, bob: User, settings: Settings) -> None:
    wish = ask(alice, settings)
    assert vouchers.refuse(wish.id, bob) is not None and vouchers.refuse(wish.id, bob) is None
    assert fault_of_giving(wish, bob) is GiveFault.GONE and state() is State.REFUSED
    wish = ask(alice, settings)
    give(wish, bob)
    assert vouchers.refuse(wish.id, bob) is not None and vouchers.use(HERE) is None


def test_nobody_is_asked_more_than_five_times_an_hour(alice: User, bob: User, settings: Settings) -> None:
    for number in range(vouchers.ASKED.most):
        ask(alice, settings, "bob" if number % 2 else "nobody", session=f"{number:064d}")
    with pytest.raises(TooManyRequestsError) as caught:
        ask(alice, settings)
    assert 1 <= caught.value.minutes <= 60
    assert ask(add("zoe@lycee.example"), settings, session="z" * 64).giver == bob, "others are not kept waiting"
    let_pass(timedelta(minutes=61))
    ask(alice, settings)


def test_nobody_vouches_more_than_five_times_a_day(bob: User, settings: Settings) -> None:
    people = [add(f"p{number}@lycee.example") for number in range(vouchers.GIVEN.most + 1)]
    wishes = [ask(person, settings, session=f"{person.id:064d}") for person in people]
    for wish in wishes[:-1]:
        give(wish, bob)
    assert fault_of_giving(wishes[-1], bob) is GiveFault.TOO_MANY
    let_pass(timedelta(hours=25))
    give(wishes[-1], bob)


def test_old_rows_go(alice: User, bob: User, settings: Settings) -> None:
    ask(alice, settings)
    Voucher.update(created=now() - timedelta(days=3)).execute()
    ask(alice, settings, session="b" * 64)
    assert Voucher.select().count() == 1


# --- at once ----------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Settings]:
    """A database that several processes use."""
    if request.param == "sqlite":
        yield from _opened(f"sqlite:///{tmp_path / 'shared.sqlite'}", tmp_path)
    elif not postgresql.server_url():
        pytest.skip("no PostgreSQL")
    else:
        with postgresql.fresh_database() as url:
            yield from _opened(url, tmp_path)


def _opened(url: str, tmp_path: Any) -> Iterator[Settings]:
    opened = open_database(url)
    migrate()
    yield config.load(tmp_path / "instance", sign_in="accounts", domain="lycee.example", database_url=url)
    opened.close()


def _race(settings: Settings, what: str) -> list[int]:
    command = [sys.executable, "-c", RACE, settings.database_url, what, str(settings.instance)]
    workers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for worker in workers:
        assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    return [int(worker.communicate()[0]) for worker in workers]


def test_processes_give_no_more_than_is_allowed_and_use_each_once(shared: Settings) -> None:
    bob = add("bob@lycee.example")
    _set(bob, second_step=1)
    for number in range(vouchers.GIVEN.most + 3):
        ask(add(f"p{number}@lycee.example"), shared, session=f"{number:064d}")
    assert sum(_race(shared, "give")) == vouchers.GIVEN.most
    assert Voucher.select().where(Voucher.given.is_null(False)).count() == vouchers.GIVEN.most
    assert sum(_race(shared, "use")) == vouchers.GIVEN.most
    assert Voucher.select().where(Voucher.used.is_null(False)).count() == vouchers.GIVEN.most
