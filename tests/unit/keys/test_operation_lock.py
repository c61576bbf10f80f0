"""One operation of encryption of a person at a time, in all processes together; of two people two."""

from __future__ import annotations

import threading
import time

import pytest

from webmail import keys
from webmail.crypto import external_programs
from webmail.crypto.errors import CryptoBusyError
from webmail.database.connection import db
from webmail.database.locks import lock
from webmail.models import User


@pytest.fixture(autouse=True)
def queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the database is asked meanwhile."""
    assert len(keys.owner_locks) == 1
    seen: list[str] = []
    execute = db.obj.execute_sql

    def note(sql: str, *more: object) -> object:
        seen.append(sql)
        return execute(sql, *more)

    monkeypatch.setattr(db.obj, "execute_sql", note)
    return seen


def run(owner: object, seconds: str = "0", within: float = 4.0) -> float:
    began = time.monotonic()
    external_programs.run("sleep", [seconds], owner=owner, seconds=within)
    return time.monotonic() - began


def test_who_runs_one_in_another_process_waits_and_is_told(odile: User, paul: User, queries: list[str]) -> None:
    held, over = threading.Event(), threading.Event()
    queries.clear()

    def elsewhere() -> None:  # as another process has it: a lock is of its holder, not of the process
        with db.connection_context(), lock(f"encryption-{odile.id}"):
            held.set()
            over.wait(20)

    other = threading.Thread(target=elsewhere)
    other.start()
    try:
        assert held.wait(10)
        with pytest.raises(CryptoBusyError) as refused:
            run(odile.id, within=1.0)
        assert refused.value.own
        run(paul.id)
        run("doctor")
    finally:
        over.set()
        other.join()
    run(odile.id)
    assert not any(one.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE", "BEGIN")) for one in queries)


def test_who_waits_for_their_own_takes_no_place_from_others(odile: User, paul: User) -> None:
    waiting = [threading.Thread(target=_run_in_thread, args=(odile.id, "1")) for _each in range(3)]
    for one in waiting:
        one.start()
    time.sleep(0.4)
    assert external_programs.OPERATIONS.held() == 1
    assert run(paul.id) < 0.8
    for one in waiting:
        one.join()


def _run_in_thread(owner: int, seconds: str) -> None:
    with db.connection_context():
        run(owner, seconds, within=30.0)
