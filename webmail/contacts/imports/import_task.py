"""Import task: a worker imports a large file in batches, so that nobody waits and other users can write meanwhile.

The cards are read and merged before each transaction. After a kill the file is planned anew: what is there already is found
again by its UID, or by name and address, so nothing is imported twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from webmail.contacts import book_access, store, undo
from webmail.contacts.book_access import BookReadOnlyError
from webmail.contacts.imports import card_files, merge
from webmail.contacts.imports.card_files import CsvColumns
from webmail.contacts.undo import CardVersion
from webmail.errors import LimitReachedError
from webmail.models import Collection, Contact
from webmail.storage import FileGoneError, open_storage
from webmail.tasks import leftovers, undo_steps
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun

NAME, UNDO = "contacts-import", "contacts-import-undo"
SMALL_FILE = 200_000  # bytes; imported at once, while the person waits
_PIECE = 40  # cards per transaction


FILE = "contacts.vcf"


def file_name(task_id: str) -> str:
    """Where the file waits for its task."""
    return f"{leftovers.folder(task_id)}/{FILE}"


def _work(run: TaskRun) -> dict[str, Any]:
    try:
        content = b"".join(open_storage(run.settings).get(file_name(run.task.id)))
    except FileGoneError as error:
        raise TaskFailedError("file-gone") from error
    book = book_of(run)
    columns = CsvColumns.from_json(run.arguments.get("columns"))
    planned = merge.plan_cards(run.user, card_files.read(content, columns), book)
    done: dict[str, int] = run.cursor or {"added": 0, "merged": 0, "present": len(planned.present)}
    if not planned.any_cards and not run.cursor:
        raise TaskFailedError("no-cards")
    total = sum(done.values()) + len(planned.fresh) + len(planned.updates)
    try:
        if not run.cursor:
            merge.check_room_for(run.user, planned, book)
        for cards in _pieces(planned.fresh):
            _add(run, cards, done, total, book)
        for updates in _pieces(planned.updates):
            _merge(run, updates, done, total)
    except LimitReachedError as error:
        raise TaskFailedError("too-many") from error
    except store.ContactChangedElsewhereError as error:
        raise TaskFailedError("changed") from error
    except BookReadOnlyError as error:
        raise TaskFailedError("read-only") from error
    return {**done, "refused": planned.refused, "cut": planned.cut}


def book_of(run: TaskRun) -> Collection | None:
    """The book that was chosen; None for the first one."""
    if not (number := run.arguments.get("book", 0)):
        return None
    if (found := book_access.chosen(run.user, number, writable=True)) is None:
        raise TaskFailedError("read-only")
    return found.collection


def _add(run: TaskRun, cards: Sequence[str], done: dict[str, int], total: int, book: Collection | None) -> None:
    fresh = store.prepared(cards)
    done["added"] += len(cards)
    with run.step(done, done=sum(done.values()), total=total):
        uids = store.insert(run.user, fresh, book)
        versions = [CardVersion(uid, "", store.revision(card)) for uid, card in zip(uids, cards, strict=True)]
        undo_steps.note(run.task, undo.steps_of(versions))


def _merge(run: TaskRun, updates: Sequence[tuple[Contact, str]], done: dict[str, int], total: int) -> None:
    done["merged"] += len(updates)
    with run.step(done, done=sum(done.values()), total=total):
        book_access.lock_together(row for row, _card in updates)
        for row, card in updates:
            store.put(run.user, card, row)
        versions = [CardVersion(row.uid, row.vcard, store.revision(card)) for row, card in updates]
        undo_steps.note(run.task, undo.steps_of(versions))


def _pieces(found: Sequence[Any]) -> list[Sequence[Any]]:
    return [found[at : at + _PIECE] for at in range(0, len(found), _PIECE)]


KIND = TaskKind(NAME, _work)
UNDO_KIND = undo_steps.undo_kind(UNDO, undo.take_back, (store.ContactChangedElsewhereError, BookReadOnlyError))
