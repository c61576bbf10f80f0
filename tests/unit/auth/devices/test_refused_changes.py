"""Refused changes on both databases: counted, bounded, forgotten; noted by several connections at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest

from tests.support import postgresql
from tests.support.auth_app import add
from webmail.auth.devices import refused_changes
from webmail.auth.devices.refused_changes import DeviceRefusal, RefusalReason
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.models import RefusedChange, User, now


@pytest.fixture(params=["sqlite", "postgresql"])
def alice(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[User]:
    if request.param == "sqlite":
        yield from _opened(f"sqlite:///{tmp_path / 'refused.sqlite'}")
    elif not postgresql.server_url():
        pytest.skip("no PostgreSQL")
    else:
        with postgresql.fresh_database() as url:
            yield from _opened(url)


def _opened(url: str) -> Iterator[User]:
    opened = open_database(url)
    migrate()
    yield add("alice@lycee.example")
    opened.close()


def refusal(place: str) -> DeviceRefusal:
    return DeviceRefusal(place, RefusalReason.RULE, "calendar", "Lycée", "Conseil", "Téléphone")


def test_counted_bounded_and_forgotten(alice: User) -> None:
    for number in range(refused_changes.MOST + 3):
        refused_changes.note(alice, refusal(f"calendar/{number}.ics"))
    assert RefusedChange.select().count() == refused_changes.MOST
    RefusedChange.update(last=now() - timedelta(minutes=15), seen=1).execute()
    refused_changes.note(alice, refusal("calendar/22.ics"))
    first, *others = refused_changes.for_user(alice)
    assert (first.place, first.count, first.seen) == ("calendar/22.ics", 2, 1) and {one.count for one in others} == {1}
    refused_changes.accepted(alice, "calendar/22.ics", "calendar/none.ics")
    assert len(refused_changes.for_user(alice)) == refused_changes.MOST - 1
    RefusedChange.update(last=now() - refused_changes.KEPT).execute()
    assert refused_changes.for_user(alice) == []
    assert refused_changes.dismiss(alice) == refused_changes.MOST - 1


def test_several_connections_of_a_telephone_at_once(alice: User) -> None:
    barrier, failed = Barrier(4), list[BaseException]()

    def one() -> None:
        with db.connection_context():
            barrier.wait()
            try:
                refused_changes.note(alice, refusal("calendar/a.ics"))
            except Exception as error:
                failed.append(error)

    threads = [Thread(target=one) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [] and [row.place for row in refused_changes.for_user(alice)] == ["calendar/a.ics"]
