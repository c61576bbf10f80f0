"""Restore task: a worker brings back much at once, item by item, so that nobody waits and others can write meanwhile."""

from __future__ import annotations

from typing import Any

from webmail.collections import trash
from webmail.contacts import store as contacts
from webmail.dav.deletion import restore
from webmail.dav.deletion.restore import Restored
from webmail.models import TrashedItem
from webmail.tasks.kinds import TaskKind, TaskRun

NAME = "collections-restore"
SMALL = 50  # items: brought back while the person waits
_PIECE = 20


def _work(run: TaskRun) -> dict[str, Any]:
    """`batch`: what was deleted together."""
    numbers = trash.numbers_of(run.user, int(run.arguments["batch"]))
    told: dict[str, int] = run.cursor or {"back": 0, "there": 0, "full": 0, "unusable": 0, "moved": 0, "last": 0}
    total = told["back"] + len(numbers)  # those that were left there before a kill are among the numbers
    todo = [number for number in numbers if number > told["last"]]
    for at in range(0, len(todo), _PIECE):
        done, piece = Restored(), todo[at : at + _PIECE]
        with run.step(told, done=total - len(todo) + at + len(piece), total=total):
            trash.lock_places(run.user)
            for number in piece:
                restore.restore_one(run.user, number, run.settings, done)
            _add(told, done, piece[-1])
    contacts.tell(run.user)
    left = TrashedItem.select().where(TrashedItem.id.in_(numbers[:500])).count()
    return {**told, "left": left}


def _add(told: dict[str, int], done: Restored, last: int) -> None:
    for name in ("back", "there", "full", "unusable", "moved"):
        told[name] += getattr(done, name)
    told["last"] = last


KIND = TaskKind(NAME, _work)
