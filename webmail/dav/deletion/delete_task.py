"""Delete task: a worker deletes a book or calendar with very much in it, so that nobody waits for the page."""

from __future__ import annotations

from typing import Any

from webmail.calendar.free_busy.host_events import KeptHereError
from webmail.collections.shares import NotTheirsError
from webmail.dav.deletion import removal
from webmail.dav.deletion.removal import LastOfKindError
from webmail.models import Collection, Task, User
from webmail.tasks import store as tasks
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun

NAME = "collections-delete"
SMALL = 1_000  # items: deleted while the person waits


def _work(run: TaskRun) -> dict[str, Any]:
    """`collection`: its `id`. After a kill what is left is deleted."""
    try:
        return {"whole": removal.delete(run.user, int(run.arguments["collection"])).id}
    except NotTheirsError:  # by a turn that was killed before it could say so, or by another window
        return {}
    except LastOfKindError as error:
        raise TaskFailedError("last") from error
    except KeptHereError as error:
        raise TaskFailedError("booked") from error


def begin(user: User, row: Collection, name: str) -> Task:
    """Leave a collection of this name to a worker; asked twice, it is deleted once. Raises LimitReachedError."""
    form = tasks.id_of_form(user, f"delete {row.id} {row.created}")  # SQLite gives the number of one that is gone again
    return tasks.start(user, NAME, {"collection": row.id, "name": name}, task_id=form)


KIND = TaskKind(NAME, _work)
