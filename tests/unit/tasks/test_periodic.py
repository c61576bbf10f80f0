"""Periodic work: which there is, how often and where; areas say so, one worker does it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import peewee as pw
import pytest

from webmail import jobs
from webmail.config.filesender import FileSender
from webmail.config.providers import Cas, Ldap
from webmail.config.settings import Settings
from webmail.models import PeriodicJob, Task, now
from webmail.tasks import heartbeat, runner, timetable
from webmail.tasks.periodic import Periodic, PeriodicRun
from webmail.tasks.timetable import Timetable

SECONDS = {
    "account ends": 600, "app passwords": 3600, "appointments": 60, "archiving": 300, "awaited replies": 60, "birthdays": 60,
    "certificate ends": 21600, "certificate revocations": 20, "certificates to take": 300, "checks asked for": 10, "dns": 604800, "keyrings": 60,
    "clean-up of transfers": 3600, "cloud programs": 60, "directory": 3600, "doctor": 3600, "drafts": 15, "figures": 600, "files for FileSender": 10, "files to drives": 10, "filters": 60,
    "guest reminders": 300, "handovers": 60, "leaving calendars": 60, "meeting replies": 300, "messages with files": 10,
    "missed mail": 3600, "polls": 60, "quarantine notices": 60, "reminders": 20, "room letters": 60, "room used": 300,
    "snoozed arrivals": 300, "stray pieces of files": 86400, "todos": 60, "transfers": 20, "wake": 60,
}  # fmt: skip
BY_ALL = {
    "busy times at services",
    "busy times outside",
    "checks of files",
    "mail arrivals",
    "other servers",
    "refused networks",
    "subscriptions",
}
MOST_IN_A_MINUTE = 29  # statements
KINDS = {
    "calendar-check", "calendar-import", "calendar-import-undo", "collections-delete", "collections-restore", "contacts-check",
    "contacts-import", "contacts-import-undo", "drive-attach", "drive-link-files", "drive-link-undo", "drive-save-mail", "drive-save-transfer", "drive-save-undo", "filesender", "filter-apply", "learn-people", "mail-archive", "mail-detach", "mail-export",
    "mail-import", "mail-import-undo", "mail-move-in", "mail-room", "mail-unarchive", "mailbox-handover", "own-data", "people-import",
    "people-import-undo", "people-passwords", "people-school-year", "phishing-pull", "phishing-return", "phishing-search",
    "takeout-check", "takeout-import",
}  # fmt: skip


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the database is asked, of all threads."""
    asked: list[str] = []
    ask = pw.Database.execute_sql

    def noted(database: pw.Database, sql: str, *more: object, **options: object) -> object:
        asked.append(sql)
        return ask(database, sql, *more, **options)

    monkeypatch.setattr(pw.Database, "execute_sql", noted)
    return asked


def names(settings: Settings) -> set[str]:
    return {one.name for one in jobs.PERIODIC if one.only_if(settings)}


def test_what_there_is_and_how_often() -> None:
    """The names are rows of a table that older code reads too."""
    assert {one.name: one.every.total_seconds() for one in jobs.PERIODIC if not one.by_all} == SECONDS
    assert {one.name for one in jobs.PERIODIC if one.by_all} == BY_ALL
    assert len(jobs.PERIODIC) == len(SECONDS) + len(BY_ALL)


def test_the_names_of_tasks_stay() -> None:
    assert sorted(kind.name for kind in jobs.KINDS) == sorted(KINDS)


def test_some_is_for_some_installations_only(settings: Settings) -> None:
    everywhere = {
        "account ends", "appointments", "birthdays", "certificate ends", "certificate revocations", "certificates to take", "checks asked for", "clean-up of transfers", "dns", "doctor", "drafts", "figures", "handovers",
        "keyrings", "leaving calendars", "messages with files", "polls", "quarantine notices", "refused networks", "reminders",
        "room letters", "stray pieces of files", "todos", "transfers", "wake",
    }  # fmt: skip
    bare = replace(
        settings,
        other_dav_servers=False,
        calendar_subscriptions=False,
        token_key_file="",
        sieve_host="",
        transfers=replace(settings.transfers, on=False),
    )
    assert names(bare) == everywhere
    assert names(replace(bare, encryption=False)) == everywhere - {
        "certificate ends",
        "certificate revocations",
        "certificates to take",
        "keyrings",
    }
    assert names(replace(bare, other_dav_servers=True)) == everywhere | {"other servers"}
    assert names(replace(bare, calendar_subscriptions=True)) == everywhere | {"busy times outside", "subscriptions"}
    assert names(replace(bare, services="google")) == everywhere | {"busy times at services", "files to drives", "other servers"}
    with_tokens = {
        "archiving",
        "awaited replies",
        "guest reminders",
        "mail arrivals",
        "meeting replies",
        "missed mail",
        "room used",
    }
    assert names(replace(bare, token_key_file="key")) == everywhere | with_tokens
    assert names(replace(bare, transfers=replace(bare.transfers, on=True))) == everywhere | {"checks of files"}
    elsewhere = FileSender("https://filesender.example")
    assert names(replace(bare, filesender=elsewhere)) == everywhere | {"files for FileSender"}
    assert names(replace(bare, sieve_host="mail.example")) == everywhere | {"filters", "snoozed arrivals"}
    assert names(replace(bare, cas=Cas("https://cas.example", "CAS"))) == everywhere | {"app passwords"}
    assert names(replace(bare, ldap=Ldap("ldaps://ldap.example", "dc=example"))) == everywhere | {"directory"}


def test_no_area_is_forgotten() -> None:
    told = Path(jobs.__file__).read_text()
    areas = [path.parent.name for path in Path(jobs.__file__).parent.glob("*/work.py")]
    assert len(areas) > 10 and all(f"from webmail.{area}.work import WORK as {area.upper()}\n" in told for area in areas)
    assert len(jobs.AREAS) == len(areas) + 1


def begun(do: Callable[[Periodic], None], works: list[Periodic], settings: Settings) -> Timetable:
    """A timetable that looked once, and what it began is over."""
    table = Timetable(works, do, settings)
    table.look()
    table.wait()
    return table


@pytest.mark.parametrize("by_all", [False, True])
def test_of_several_workers_one_does_it_unless_all_do(settings: Settings, by_all: bool) -> None:
    done: list[PeriodicRun] = []
    work = Periodic("watering", done.append, timedelta(minutes=1), by_all=by_all)
    queues = [jobs.build(settings) for _worker in range(4)]
    tables = [Timetable([work], queue._do, settings) for queue in queues]
    looks = [threading.Thread(target=table.look) for table in tables]
    for look in looks:
        look.start()
    for look, table in zip(looks, tables, strict=True):
        look.join()
        table.wait()
    assert len(done) == (4 if by_all else 1)
    assert (heartbeat.last_done("watering") is None) == by_all
    PeriodicJob.update(begun=now() - timedelta(minutes=1)).execute()
    begun(queues[0]._do, [work], settings)
    assert len(done) == (5 if by_all else 2)


def test_between_two_times_nobody_is_asked(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(timetable.time, "monotonic", lambda: clock[0])
    done: list[str] = []
    often, seldom = (
        Periodic(name, lambda _run: None, timedelta(seconds=each)) for name, each in (("often", 20), ("seldom", 3600))
    )
    table = begun(lambda work: done.append(work.name), [often, seldom], settings)
    assert sorted(done) == ["often", "seldom"]
    asked: list[object] = []
    claim = heartbeat.claim_due
    monkeypatch.setattr(heartbeat, "claim_due", lambda periods: asked.append(periods) or claim(periods))
    for _look in range(3):
        clock[0] += 5
        table.look()
    assert not asked
    PeriodicJob.update(begun=now() - timedelta(seconds=21)).execute()
    clock[0] += 6
    table.look()
    table.wait()
    assert len(asked) == 1 and sorted(done) == ["often", "often", "seldom"]


def test_it_looks_each_minute_whatever_it_knows(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(timetable.time, "monotonic", lambda: clock[0])
    done: list[str] = []
    table = begun(lambda work: done.append(work.name), [Periodic("seldom", lambda _run: None, timedelta(hours=1))], settings)
    PeriodicJob.update(begun=now() - timedelta(hours=2)).execute()  # somebody wants it done again
    clock[0] += 61
    table.look()
    table.wait()
    assert done == ["seldom", "seldom"]


def test_what_is_slow_delays_nothing_else_and_is_not_begun_twice(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, over = [1000.0], threading.Event()
    monkeypatch.setattr(timetable.time, "monotonic", lambda: clock[0])
    done: list[str] = []

    def do(work: Periodic) -> None:
        done.append(work.name)
        if work.name == "slow":
            over.wait(60)

    minute = timedelta(minutes=1)
    table = Timetable([Periodic("slow", lambda _run: None, minute), Periodic("quick", lambda _run: None, minute)], do, settings)
    for _minute in range(3):
        table.look()
        table._running["quick"].join()
        PeriodicJob.update(begun=now() - minute).execute()
        clock[0] += 61
    over.set()
    table.wait()
    assert sorted(done) == ["quick", "quick", "quick", "slow"]


def test_what_has_nothing_to_do_is_asked_with_the_others_and_not_begun(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, statements: list[str]
) -> None:
    clock = [10_000.0]
    monkeypatch.setattr(timetable.time, "monotonic", lambda: clock[0])
    done: list[str] = []
    jobs_called, tasks = PeriodicJob.select().where(PeriodicJob.name == "wanted"), Task.select()
    works = [
        Periodic("mine", lambda _run: None, timedelta(seconds=10), pending=lambda _settings: [tasks, jobs_called]),
        Periodic("all", lambda _run: None, timedelta(seconds=10), pending=lambda _settings: [jobs_called], by_all=True),
    ]
    table = begun(lambda work: done.append(work.name), works, settings)
    assert sorted(done) == ["all", "mine"], "at the start each is done"
    done.clear()
    statements.clear()
    for _look in range(2):
        clock[0] += 5
        table.look()
    assert not done and len(statements) == 1, statements
    PeriodicJob.create(name="wanted", begun=now())
    PeriodicJob.update(begun=now() - timedelta(seconds=10)).where(PeriodicJob.name == "mine").execute()
    clock[0] += 10
    table.look()
    table.wait()
    assert sorted(done) == ["all", "mine"]
    PeriodicJob.update(begun=now() - timedelta(hours=2)).execute()
    PeriodicJob.delete().where(PeriodicJob.name == "wanted").execute()
    done.clear()
    clock[0] += 3601
    table.look()
    table.wait()
    assert sorted(done) == ["all", "mine"], "once an hour each is done whatever it finds"


def _cannot_say(_settings: Settings) -> list[pw.Query]:
    raise ValueError("no such thing")


def _asks_what_is_not_there(_settings: Settings) -> list[pw.Query]:
    return [pw.Table("not_there").select(pw.SQL("1"))]


@pytest.mark.parametrize("pending", [_cannot_say, _asks_what_is_not_there])
def test_what_cannot_say_whether_there_is_anything_to_do_holds_up_nothing(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    pending: Callable[[Settings], list[pw.Query]],
) -> None:
    clock = [10_000.0]
    monkeypatch.setattr(timetable.time, "monotonic", lambda: clock[0])
    done: list[str] = []
    works = [
        Periodic("usual", lambda _run: None, timedelta(seconds=10)),
        Periodic("frail", lambda _run: None, timedelta(seconds=10), pending=pending),
        Periodic("idle", lambda _run: None, timedelta(seconds=10), pending=lambda _settings: [Task.select()]),
    ]
    table = begun(lambda work: done.append(work.name), works, settings)
    done.clear()
    PeriodicJob.update(begun=now() - timedelta(seconds=10)).execute()
    clock[0] += 10
    table.look()
    table.wait()
    assert sorted(done) == ["frail", "usual"]
    assert "frail can't say whether there is anything to do" in caplog.text


def test_a_worker_at_rest_asks_little(settings: Settings, monkeypatch: pytest.MonkeyPatch, statements: list[str]) -> None:
    """With everything switched on that may be, and nothing to do."""
    clock = [10_000.0]
    monkeypatch.setattr(timetable.time, "monotonic", lambda: clock[0])
    key = settings.secret_key
    on = replace(
        settings, token_key_file=key, sieve_host="mail.example", transfers=replace(settings.transfers, on=True),
        other_dav_servers=True, calendar_subscriptions=True,
    )  # fmt: skip
    table = jobs.build(on).timetable()
    several_seconds = jobs.LOOK_EVERY

    def pass_by() -> None:
        before = len(statements)
        for row in list(PeriodicJob.select()):
            PeriodicJob.update(begun=row.begun - several_seconds).where(PeriodicJob.name == row.name).execute()
        del statements[before:]  # these are the clock's
        clock[0] += several_seconds.total_seconds()
        table.look()
        table.wait()

    looks = int(timedelta(minutes=1) / several_seconds)
    for _look in range(2 * looks):
        pass_by()
    statements.clear()
    for _look in range(2 * looks):
        pass_by()
    minute = len(statements) / 2 + timedelta(minutes=1) / heartbeat.EVERY + runner.THREADS * 60 / runner._POLL_SECONDS
    assert minute <= MOST_IN_A_MINUTE, "\n".join(f"{n} {sql}" for sql, n in Counter(statements).most_common())


@pytest.mark.parametrize("error", [RuntimeError("boo"), pw.OperationalError("the server closed the connection")])
def test_what_breaks_is_done_again_the_next_time(settings: Settings, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    def breaks(_work: Periodic) -> None:
        raise error

    begun(breaks, [Periodic("frail", lambda _run: None)], settings)
    assert "frail" in caplog.text
    PeriodicJob.update(begun=now() - timedelta(minutes=1)).execute()
    done: list[Periodic] = []
    begun(done.append, [Periodic("frail", lambda _run: None)], settings)
    assert len(done) == 1
