"""Uploads of several people that begin at the same moment pass no limit of them all together, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import StoredContent, Transfer, TransferFile, User
from webmail.transfers import content, limits, store
from webmail.transfers.limits import Limit, OverLimitError

PEOPLE, SIZE = 2, 600_000  # bytes: one fits into 1 MB


@pytest.fixture
def tables(new_database: str) -> Iterator[None]:
    with db.connection_context():
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    given = replace(Settings().transfers, on=True, total_mb=0, reserve_mb=0, person_mb=0)
    return replace(Settings(), instance=str(tmp_path), secret_key="k" * 40, transfers=given)


@pytest.fixture
def both_had_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits between its look at the limits and its promise for the others to have looked, unless they can't."""
    looked, begin = threading.Barrier(PEOPLE), content.begin

    def slowly(*given: Any, **named: Any) -> StoredContent:
        with suppress(threading.BrokenBarrierError):
            looked.wait(0.5)
        return begin(*given, **named)

    monkeypatch.setattr(content, "begin", slowly)


def begin_at_once(settings: Settings) -> list[OverLimitError]:
    """As many people as there are begin a file each; what they were refused with."""
    owners = [
        User.create(address=f"sends-{number}@lycee.example", local=f"sends-{number}", domain="lycee.example")
        for number in range(PEOPLE)
    ]
    waiting: list[Transfer] = [store.create(owner, settings) for owner in owners]
    refused: list[OverLimitError] = []
    start = threading.Barrier(PEOPLE)

    def run(transfer: Transfer) -> None:
        with db.connection_context():
            start.wait()
            try:
                store.add_file(transfer, "film.mp4", SIZE, "", settings)
            except OverLimitError as error:
                refused.append(error)

    threads = [threading.Thread(target=run, args=(transfer,)) for transfer in waiting]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return refused


def test_the_total_of_everybody(tables, settings, both_had_looked):
    refused = begin_at_once(replace(settings, transfers=replace(settings.transfers, total_mb=1)))
    assert [one.limit for one in refused] == [Limit.TOTAL] and TransferFile.select().count() == 1


def test_the_reserve_of_the_disk(tables, settings, both_had_looked, monkeypatch):
    monkeypatch.setattr(limits, "free_bytes", lambda _files: 3 * limits.MB)
    refused = begin_at_once(replace(settings, transfers=replace(settings.transfers, reserve_mb=2)))
    assert [one.limit for one in refused] == [Limit.TOTAL] and TransferFile.select().count() == 1


def test_both_begin_where_there_is_room_for_both(tables, settings, both_had_looked):
    assert begin_at_once(replace(settings, transfers=replace(settings.transfers, total_mb=2))) == []
    assert TransferFile.select().count() == PEOPLE
