"""Rows of sessions: found by their token only, ended by time or by hand, never brought back."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from threading import Thread

import pytest

from webmail.auth.sessions import sessions
from webmail.auth.work import WORK
from webmail.database.connection import db
from webmail.models import Session, now


def age(row, *, seen: timedelta = timedelta(0), created: timedelta = timedelta(0)) -> None:
    Session.update(seen=now() - seen, created=now() - created).where(Session.id_hash == row.id_hash).execute()


@pytest.fixture
def signed_in(alice, settings):
    return sessions.start(alice, settings, password="secret", user_agent="Firefox", network="192.0.2.1")


def test_a_token_finds_its_row_and_the_user(signed_in, settings, alice):
    token, _ = signed_in
    assert sessions.find(token, settings).user == alice


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "\0", "é"])
def test_other_tokens_find_nothing(signed_in, settings, token):
    assert sessions.find(token, settings) is None


def test_the_hash_in_the_table_opens_nothing(signed_in, settings):
    _, row = signed_in
    assert sessions.find(row.id_hash, settings) is None


def test_the_table_holds_neither_token_nor_password(signed_in, settings):
    token, _ = signed_in
    stored = repr(list(Session.select().tuples())).encode()
    assert token.encode() not in stored
    assert b"secret" not in stored


def test_cookie_and_table_together_give_the_password(signed_in, settings):
    token, _ = signed_in
    assert sessions.credential(sessions.find(token, settings), token, settings) == "secret"


def test_no_password_is_kept_where_the_server_takes_our_tokens(alice, database, tmp_path):
    from webmail.config import settings as config

    with_key = config.load(tmp_path / "other", database_url=database, token_key_file="key.pem")
    _, row = sessions.start(alice, with_key, password="secret")
    assert Session.get_by_id(row.id_hash).credential is None


def test_every_sign_in_has_a_token_of_its_own(alice, settings):
    assert len({sessions.start(alice, settings)[0] for _ in range(5)}) == 5
    assert all(len(row.id_hash) == 64 for row in Session.select())


@pytest.mark.parametrize(
    ("shared", "seen", "created", "found"),
    [
        (False, timedelta(hours=11, minutes=59), timedelta(days=1), True),
        (False, timedelta(hours=12, minutes=1), timedelta(days=1), False),
        (False, timedelta(0), timedelta(days=13, hours=23), True),
        (False, timedelta(0), timedelta(days=14, minutes=1), False),
        (True, timedelta(minutes=19), timedelta(hours=1), True),
        (True, timedelta(minutes=21), timedelta(hours=1), False),
    ],
)
def test_sessions_run_out(alice, settings, shared, seen, created, found):
    token, row = sessions.start(alice, settings, shared=shared)
    age(row, seen=seen, created=created)
    assert bool(sessions.find(token, settings)) is found
    assert Session.select().count() == found, "what ran out is deleted"


def test_rows_that_ran_out_go_in_the_hour(bob, settings):
    for shared, seen in ((False, timedelta(hours=13)), (True, timedelta(minutes=21)), (False, timedelta(hours=1))):
        _, row = sessions.start(bob, settings, shared=shared)
        age(row, seen=seen)
    assert sessions.expire in WORK.clean_up
    assert (sessions.expire(settings), Session.select().count()) == (2, 1)


def test_somebody_switched_off_is_out_at_once(signed_in, settings, alice):
    token, _ = signed_in
    alice.active = 0
    alice.save()
    assert sessions.find(token, settings) is None


def test_seen_is_written_once_a_minute_at_most(signed_in, settings):
    token, row = signed_in
    for ago, written in ((30, False), (90, True)):
        age(row, seen=timedelta(seconds=ago))
        before = Session.get_by_id(row.id_hash).seen
        sessions.find(token, settings)
        assert (Session.get_by_id(row.id_hash).seen != before) is written


@pytest.fixture
def locked(database):
    """Somebody else writes, and does not stop."""
    db.execute_sql("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_a_visit_is_found_while_the_database_takes_no_writes(signed_in, settings, request):
    token, row = signed_in
    age(row, seen=timedelta(minutes=5))
    request.getfixturevalue("locked")
    assert sessions.find(token, settings).user.address == "alice@lycee.example"


def test_what_ran_out_counts_no_more_while_the_database_takes_no_writes(signed_in, settings, request):
    token, row = signed_in
    age(row, seen=timedelta(hours=13))
    request.getfixturevalue("locked")
    assert sessions.find(token, settings) is None


def test_sqlite_waits_five_seconds_at_most(database):
    assert db.execute_sql("PRAGMA busy_timeout").fetchone() == (5000,)


def test_one_select_for_row_and_user(signed_in, settings, queries):
    token, _ = signed_in
    queries.clear()
    assert sessions.find(token, settings).user.address == "alice@lycee.example"
    assert len(queries) == 1
    assert queries[0].startswith("SELECT")


def test_ending_others_keeps_this_one_and_other_peoples(alice, bob, settings):
    here, _ = sessions.start(alice, settings)
    there, _ = sessions.start(alice, settings)
    bobs, _ = sessions.start(bob, settings)
    assert sessions.revoke_all(alice, except_=sessions.hash_token(here)) == 1
    assert [bool(sessions.find(token, settings)) for token in (here, there, bobs)] == [True, False, True]


def test_nobody_ends_the_session_of_another(alice, bob, settings):
    token, row = sessions.start(bob, settings)
    assert not sessions.revoke(row.id_hash, alice)
    assert sessions.find(token, settings)
    assert sessions.revoke(row.id_hash, bob)
    assert not sessions.find(token, settings)


def test_the_list_has_the_latest_first_and_nothing_that_ran_out(alice, settings):
    rows = [sessions.start(alice, settings, user_agent=name)[1] for name in ("old", "gone", "new")]
    age(rows[0], seen=timedelta(hours=2))
    age(rows[1], seen=timedelta(hours=20))
    assert [row.user_agent for row in sessions.sessions_of(alice, settings)] == ["new", "old"]


def test_two_tabs_that_write_at_once_lose_nothing(signed_in, settings):
    import json

    _, row = signed_in

    def tab(number: int) -> None:
        def change(data: str) -> str:
            return json.dumps({**json.loads(data), f"tab{number}": number})

        sessions.update_data(row.id_hash, change)

    threads = [Thread(target=tab, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert json.loads(Session.get_by_id(row.id_hash).data) == {f"tab{n}": n for n in range(6)}


def test_a_late_write_does_not_bring_an_ended_session_back(signed_in, settings):
    token, row = signed_in
    sessions.revoke(row.id_hash)
    sessions.update_data(row.id_hash, lambda _data: '{"word": "late"}')
    assert sessions.find(token, settings) is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("no address", ""),
        (None, ""),
    ],
)
def test_networks(address, network):
    assert sessions.network_of(address) == network
