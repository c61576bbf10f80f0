"""The audit log: what is written is found again, is one clean line, is bounded, and never in the way of what it tells of."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import peewee as pw
import pytest

from tests.support import calendar_ground
from tests.support.postgresql import fresh_database, server_url
from webmail import audit, jobs
from webmail.config import settings as config
from webmail.database import audit_late
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.models import AuditAct, AuditEntry, User, now

ALICE, BOB = "alice@lycee.example", "bob@lycee.example"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'x.sqlite'}"
        return
    if not server_url():
        pytest.skip("no PostgreSQL server: TRABOULE_TEST_POSTGRESQL is not set")
    with fresh_database() as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path, url: str) -> Iterator[config.Settings]:
    found = config.load(tmp_path / "instance", database_url=url)
    open_database(url)
    migrate()
    with db.connection_context():
        yield found
    db.obj.close()


@pytest.fixture
def alice(settings: config.Settings) -> User:
    return User.create(address=ALICE, local="alice", domain="lycee.example")


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a quarter past twelve and 10 seconds, for as long as the test takes."""
    at = now().replace(hour=12, minute=15, second=10, microsecond=0)
    monkeypatch.setattr(audit, "now", lambda: at)


def targets(**conditions) -> list[str]:
    return [entry.target for entry in audit.search(**conditions)[0]]


def refuse(target: str = ALICE, network: str = "192.0.2.1") -> None:
    audit.record(AuditAct.SIGN_IN_REFUSED, target=target, network=network)


# --- writing and finding ---------------------------------------------------------------------------------------------


def test_an_entry_says_who_did_what_to_whom_when_and_from_where(alice):
    audit.record(AuditAct.SHARE_GIVEN, actor=alice, target=BOB, network="192.0.2.1", folder="Été", inside=None, level="read")
    [entry], more = audit.search()
    assert (entry.act, entry.actor_id, entry.actor_address, entry.target, entry.network, more) == (
        "share-given", alice.id, ALICE, BOB, "192.0.2.1", False,
    )  # fmt: skip
    assert audit.details_of(entry) == {"folder": "Été", "level": "read"}
    assert abs(now() - entry.at) < timedelta(minutes=1)


def test_the_address_of_an_account_that_went_is_still_there(alice):
    audit.record(AuditAct.SIGN_IN, actor=alice)
    User.delete().where(User.id == alice.id).execute()
    [entry] = audit.search(actor=ALICE)[0]
    assert (entry.actor_id, entry.actor_address) == (None, ALICE)


def test_entries_are_found_by_act_by_actor_by_target_by_either_and_by_time(alice, monkeypatch):
    start = now() - timedelta(hours=1)
    things = [(AuditAct.SIGN_IN, alice, "Firefox"), (AuditAct.SHARE_GIVEN, alice, BOB), (AuditAct.ACCOUNT_DISABLED, None, ALICE)]
    for minutes, (act, actor, target) in enumerate(things):
        monkeypatch.setattr(audit, "now", lambda at=start + timedelta(minutes=minutes): at)
        audit.record(act, actor=actor, target=target)
    assert targets() == [ALICE, BOB, "Firefox"]  # newest first
    assert targets(act="share-given") == [BOB]
    assert targets(actor=ALICE) == [BOB, "Firefox"]
    assert targets(target=ALICE) == [ALICE]
    assert targets(who=ALICE) == [ALICE, BOB, "Firefox"]
    assert targets(who=BOB) == [BOB]
    assert targets(actor=ALICE, act="sign-in") == ["Firefox"]
    middle = start + timedelta(minutes=1)
    assert targets(since=middle) == [ALICE, BOB]
    assert targets(until=middle) == ["Firefox"]
    assert targets(act="no such act") == []


def test_nobody_is_found_by_an_index(settings):
    """Whoever is in no entry costs what others cost: one condition for two columns would read all entries."""
    AuditEntry.insert_many(
        [{"act": "sign-in", "target": f"{number}@x", "actor_address": f"{number}@y"} for number in range(200)]
    ).execute()
    AuditEntry.insert_many([{"act": "sign-in", "target": "5@y"}] * 5).execute()
    plans = calendar_ground.plans_of(lambda: audit.search(who="nobody@lycee.example"))
    assert not [plan for plan in plans if "SCAN" in plan.upper()], plans
    assert len(audit.search(who="5@y")[0]) == 6
    pages = [audit.search(who="5@y", size=2, page=number) for number in (1, 2, 3, 4)]
    assert [len(found) for found, _more in pages] == [2, 2, 2, 0] and [more for _found, more in pages] == [
        True,
        True,
        False,
        False,
    ]


def test_pages_are_bounded_and_meet_without_a_gap(settings):
    AuditEntry.insert_many([{"act": "sign-in", "target": str(number)} for number in range(120)]).execute()
    pages = [audit.search(page=number) for number in (1, 2, 3, 4)]
    assert [(len(found), more) for found, more in pages] == [(50, True), (50, True), (20, False), (0, False)]
    assert len({entry.target for found, _more in pages for entry in found}) == 120
    assert len(audit.search(size=10**9)[0]) == 120
    assert [len(audit.search(page=page, size=size)[0]) for page, size in ((0, 0), (-5, -5), (10**30, 10))] == [1, 1, 0]


# --- clean and bounded -----------------------------------------------------------------------------------------------


def test_nobody_forges_a_line_or_writes_to_a_terminal(settings):
    evil = "x\r\n2026-01-01\u2028\x1b[2J\x00\u202e\ud800y"
    audit.record(AuditAct.SHARE_GIVEN, target=evil, network=evil, folder=evil)
    [entry] = audit.search()[0]
    for text in (entry.target, entry.network, audit.details_of(entry)["folder"]):
        assert text == "x  2026-01-01 [2Jy"


def test_texts_are_bounded_and_details_are_those_that_are_allowed(settings, caplog):
    audit.record(
        AuditAct.SHARE_GIVEN, target="t" * 10**6, network="n" * 10**6, folder="f" * 10**6, password="secret", hour=10**30
    )
    [entry] = audit.search()[0]
    assert (len(entry.target), len(entry.network)) == (254, 64)
    assert audit.details_of(entry) == {"folder": "f" * 254}
    assert "no detail called password" in caplog.text
    assert "secret" not in caplog.text


def test_a_word_that_is_no_act_is_not_written(settings, caplog):
    audit.record("anything", target=ALICE)
    assert audit.search() == ([], False)
    assert "not in the audit log" in caplog.text


# --- never in the way ------------------------------------------------------------------------------------------------


def test_an_entry_is_written_with_what_it_tells_of_or_not_at_all(alice):
    with pytest.raises(ZeroDivisionError), db.atomic():
        User.update(name="Alice").where(User.id == alice.id).execute()
        audit.record(AuditAct.ACCOUNT_NAMED, target=ALICE)
        raise ZeroDivisionError
    assert audit.search() == ([], False)
    with db.atomic():
        audit.record(AuditAct.ACCOUNT_NAMED, target=ALICE)
    assert targets() == [ALICE]


def test_a_failure_is_logged_and_the_transaction_around_it_goes_on(alice, caplog):
    stranger = User(id=alice.id + 1000, address=BOB)  # an account that has just gone: the database refuses the entry
    with db.atomic():
        User.update(name="before").where(User.id == alice.id).execute()
        audit.record(AuditAct.SIGN_OUT, actor=stranger)
        User.update(recipients_per_day=5).where(User.id == alice.id).execute()
    assert (User.get().name, User.get().recipients_per_day) == ("before", 5)
    assert "an act is not in the audit log: sign-out" in caplog.text


def test_a_database_without_the_table_breaks_nothing(settings, caplog):
    db.drop_tables([AuditEntry])
    audit.record(AuditAct.SIGN_OUT)
    refuse()
    assert caplog.text.count("an act is not in the audit log") == 2


def test_a_database_that_is_away_breaks_nothing(settings, monkeypatch, caplog):
    def away(*_args, **_options):
        raise pw.OperationalError("the server closed the connection")

    monkeypatch.setattr(type(db.obj), "execute_sql", away)
    audit.record(AuditAct.SIGN_OUT)
    assert "an act is not in the audit log: sign-out on : the server closed the connection" in caplog.text
    assert [record.exc_info for record in caplog.records if record.levelno == logging.ERROR] == [False]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_locked_database_is_waited_for_a_second_only(settings, url, monkeypatch, caplog):
    monkeypatch.setattr(audit, "_PATIENCE", 100)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    audit.record(AuditAct.SIGN_OUT)
    assert time.monotonic() - began < 4.5  # others wait for five
    other.rollback()
    other.close()
    assert db.execute_sql("PRAGMA busy_timeout").fetchone() == (5000,)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_a_locked_database_did_not_take_is_there_afterwards(alice, url, noon, monkeypatch, caplog):
    monkeypatch.setattr(audit, "_PATIENCE", 1)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    stranger = User(id=alice.id + 1000, address=BOB)  # an account that is gone by then
    for actor in (alice, stranger):
        audit.record(AuditAct.SHARE_GIVEN, actor=actor, target=BOB, network="192.0.2.1", folder="Été")
    for _ in range(3):
        refuse()
    other.rollback()
    other.close()
    assert AuditEntry.select().count() == 0 and "not in the audit log" not in caplog.text
    audit.record(AuditAct.SIGN_OUT, actor=alice)
    found = audit.search()[0]
    assert sorted((entry.act, entry.actor_address, entry.actor_id or 0, entry.times) for entry in found) == [
        ("share-given", ALICE, alice.id, 1),
        ("share-given", BOB, 0, 1),
        ("sign-in-refused", "", 0, 3),
        ("sign-out", ALICE, alice.id, 1),
    ]
    assert all(audit.details_of(entry)["folder"] == "Été" for entry in found if entry.act == "share-given")
    file = Path(f"{url.removeprefix('sqlite:///')}-late-audit")
    assert file.stat().st_size == 0 and file.stat().st_mode & 0o007 == 0


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_late_entries_are_written_once_where_the_machine_stopped_in_between(alice, url):
    file = Path(f"{url.removeprefix('sqlite:///')}-late-audit")
    row = {"at": audit.now(), "actor": alice, "actor_address": ALICE, "act": "sign-out"}
    assert audit_late.keep(row | {"target": "", "network": "", "details": "{}"})
    kept = file.read_bytes()
    assert len(audit.search()[0]) == 1
    file.write_bytes(kept + b'{"half a li')
    assert len(audit.search()[0]) == 1 and file.stat().st_size == 0


# --- floods ----------------------------------------------------------------------------------------------------------


def test_refusals_of_a_minute_are_one_entry_for_each_address_and_network(settings, noon, monkeypatch):
    for _ in range(5):
        refuse()
    refuse(network="192.0.2.2")
    refuse(target=BOB)
    audit.record(AuditAct.SIGN_IN_BLOCKED, target=ALICE, network="192.0.2.1")
    found = audit.search()[0]
    assert sorted((entry.act, entry.target, entry.network, entry.times) for entry in found) == [
        ("sign-in-blocked", ALICE, "192.0.2.1", 1),
        ("sign-in-refused", ALICE, "192.0.2.1", 5),
        ("sign-in-refused", ALICE, "192.0.2.2", 1),
        ("sign-in-refused", BOB, "192.0.2.1", 1),
    ]
    assert [audit.details_of(entry) for entry in found if entry.times > 1] == [{"times": 5}]
    later = audit.now() + timedelta(minutes=1)
    monkeypatch.setattr(audit, "now", lambda: later)
    refuse()
    assert AuditEntry.select().count() == 5


def test_many_names_and_networks_do_not_fill_the_database_either(settings, noon, monkeypatch):
    monkeypatch.setattr(audit, "MOST_REFUSED", 10)
    refuse()
    for number in range(100):
        refuse(network=f"2001:db8:0:{number}::/64")
    refuse()  # has an entry, which goes on counting
    audit.record(AuditAct.SIGN_IN_BLOCKED, target=ALICE)  # another act has entries of its own
    assert AuditEntry.select().count() == 12
    [rest] = audit.search(target=audit.MANY)[0]
    assert (rest.network, rest.times) == ("", 91)
    assert [entry.times for entry in audit.search(act="sign-in-refused", target=ALICE)[0]] == [1] * 9 + [2]


def test_two_at_once_are_counted_both(settings, noon):
    def many() -> None:
        with db.connection_context():
            for _ in range(20):
                refuse()

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [entry.times for entry in audit.search()[0]] == [80]


def test_other_acts_are_an_entry_each(settings, noon):
    for _ in range(3):
        audit.record(AuditAct.SIGN_OUT, target="Firefox")
    assert [entry.times for entry in audit.search()[0]] == [1, 1, 1]


# --- for how long ----------------------------------------------------------------------------------------------------


def fill(days: int, count: int) -> None:
    AuditEntry.insert_many([{"act": "sign-in", "at": now() - timedelta(days=days), "target": str(days)}] * count).execute()


def test_what_is_older_than_the_setting_goes_in_pieces(settings, monkeypatch):
    monkeypatch.setattr(audit, "_PIECE", 10)
    fill(days=366, count=35)
    fill(days=364, count=5)
    assert audit.expire(replace(settings, audit_days=0)) == 0
    assert audit.expire(settings) == 35
    assert set(targets()) == {"364"}
    assert audit.expire(settings) == 0


def test_one_hour_does_not_last_for_ever(settings, monkeypatch):
    monkeypatch.setattr(audit, "_PIECE", 10)
    monkeypatch.setattr(audit, "_PIECES", 2)
    fill(days=400, count=35)
    assert [audit.expire(settings) for _ in range(3)] == [20, 15, 0]


def test_the_hourly_clean_up_does_it(settings):
    fill(days=366, count=3)
    worker = threading.Thread(target=jobs.build(settings).clean_up)
    worker.start()
    worker.join()
    assert targets() == []
