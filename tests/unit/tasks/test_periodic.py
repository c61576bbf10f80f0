"""Periodic work: which there is, how often and where; areas say so, one worker does it."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from webmail import jobs
from webmail.config.providers import Cas, Ldap
from webmail.config.settings import Settings
from webmail.models import PeriodicJob, now
from webmail.tasks import heartbeat
from webmail.tasks.periodic import Periodic, PeriodicRun

SECONDS = {
    "app passwords": 3600, "archiving": 300, "birthdays": 60, "directory": 3600, "drafts": 15, "filters": 60, "leaving calendars": 60,
    "messages with files": 10, "reminders": 20, "snoozed arrivals": 300, "transfers": 20, "wake": 60,
}  # fmt: skip
BY_ALL = {"checks of files", "other servers", "subscriptions"}
KINDS = {
    "calendar-check", "calendar-import", "calendar-import-undo", "collections-delete", "collections-restore", "contacts-check",
    "contacts-import", "contacts-import-undo", "filter-apply", "learn-people", "mail-archive", "mail-detach", "mail-export",
    "mail-import", "mail-import-undo", "mail-move-in", "mail-room", "mail-unarchive", "own-data",
}  # fmt: skip


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
    everywhere = {"birthdays", "drafts", "leaving calendars", "messages with files", "reminders", "transfers", "wake"}
    bare = replace(
        settings,
        other_dav_servers=False,
        calendar_subscriptions=False,
        token_key_file="",
        sieve_host="",
        transfers=replace(settings.transfers, on=False),
    )
    assert names(bare) == everywhere
    assert names(replace(bare, other_dav_servers=True)) == everywhere | {"other servers"}
    assert names(replace(bare, calendar_subscriptions=True)) == everywhere | {"subscriptions"}
    assert names(replace(bare, token_key_file="key")) == everywhere | {"archiving"}
    assert names(replace(bare, transfers=replace(bare.transfers, on=True))) == everywhere | {"checks of files"}
    assert names(replace(bare, sieve_host="mail.example")) == everywhere | {"filters", "snoozed arrivals"}
    assert names(replace(bare, cas=Cas("https://cas.example", "CAS"))) == everywhere | {"app passwords"}
    assert names(replace(bare, ldap=Ldap("ldaps://ldap.example", "dc=example"))) == everywhere | {"directory"}


def test_no_area_is_forgotten() -> None:
    told = Path(jobs.__file__).read_text()
    areas = [path.parent.name for path in Path(jobs.__file__).parent.glob("*/work.py")]
    assert len(areas) > 10 and all(f"from webmail.{area}.work import WORK as {area.upper()}\n" in told for area in areas)
    assert len(jobs.AREAS) == len(areas) + 1


@pytest.mark.parametrize("by_all", [False, True])
def test_of_several_workers_one_does_it_unless_all_do(settings: Settings, by_all: bool) -> None:
    done: list[PeriodicRun] = []
    work = Periodic("watering", done.append, timedelta(minutes=1), by_all=by_all)
    looks = [threading.Thread(target=jobs.build(settings)._look, args=(work,)) for _machine in range(2) for _worker in range(2)]
    for look in looks:
        look.start()
    for look in looks:
        look.join()
    assert len(done) == (4 if by_all else 1)
    assert (heartbeat.last_done("watering") is None) == by_all
    PeriodicJob.update(begun=now() - timedelta(minutes=1)).execute()
    jobs.build(settings)._look(work)
    assert len(done) == (5 if by_all else 2)
