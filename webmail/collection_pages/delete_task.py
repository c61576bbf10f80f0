"""Delete task: a worker deletes a book or calendar with very much in it, so that nobody waits for the page."""

from __future__ import annotations

from typing import Any

from webmail.collection_pages import removal
from webmail.collection_pages.removal import LastOfKind
from webmail.collections.shares import NotTheirs
from webmail.tasks.kinds import TaskFailed, TaskKind, TaskRun

NAME = "collections-delete"
SMALL = 1_000  # items: deleted while the person waits


def _work(run: TaskRun) -> dict[str, Any]:
    """`collection`: its `id`. After a kill what is left is deleted."""
    try:
        return {"whole": removal.delete(run.user, int(run.arguments["collection"])).id}
    except NotTheirs:  # by a turn that was killed before it could say so, or by another window
        return {}
    except LastOfKind as error:
        raise TaskFailed("last") from error


KIND = TaskKind(NAME, _work)
