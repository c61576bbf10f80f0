"""Import task: what was planned, done by a worker in pieces. A kill loses the piece that was under way, which is then done again.

The plan waits in a file of the task. Passwords are hashed on all cores before each piece, outside of its transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from webmail import audit
from webmail.admin.imports import password_sheets, people_changes
from webmail.admin.imports.password_sheets import NoSheetsError
from webmail.admin.imports.people_changes import PieceOfPeople
from webmail.admin.imports.people_plan import DAYS_VALID, LineOutcome, PlannedPerson
from webmail.auth import account_batches
from webmail.auth.passwords import hashing
from webmail.auth.recovery import temporary_passwords
from webmail.auth.sessions import endings
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.locks import serialize
from webmail.establishments import scope as scopes
from webmail.filters.forwarding import forward_targets
from webmail.models import AuditAct, PasswordSheet, Task, User, now
from webmail.storage import FileGoneError, open_storage
from webmail.tasks import files as task_files
from webmail.tasks import leftovers, store, undo_steps
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun

IMPORT, SCHOOL_YEAR, UNDO = "people-import", "people-school-year", "people-import-undo"
RENEWAL = "people-passwords"
FILE = "people.json"
_PIECE = 20  # people per transaction
_MOST_NAMED = 100


class ImportUnderWayError(Exception):
    """People are being imported, by this administrator or another one: `task`."""

    def __init__(self, task: Task) -> None:
        super().__init__(f"task {task.id} of {task.user.address} is under way")
        self.task = task


def start(
    administrator: User, kind: str, planned: Iterable[PlannedPerson], about: dict[str, Any], settings: Settings, *, form: str
) -> Task:
    """Start what was planned, one at a time, whoever starts it. `about`: name, passwords (whether they are made), days_valid.

    Raises ImportUnderWayError, LimitReachedError, StorageFullError and StorageAwayError.
    """
    doing = [one.to_json() for one in planned if one.outcome in (LineOutcome.CREATED, LineOutcome.CHANGED, LineOutcome.DISABLED)]
    content = json.dumps(doing, ensure_ascii=False).encode()
    with db.atomic():
        serialize("people-import")
        if (other := under_way()) is not None and other.id != store.id_of_form(administrator, form):
            raise ImportUnderWayError(other)
        return task_files.start(administrator, kind, about, settings, form=form, name=FILE, chunks=[content])


def under_way() -> Task | None:
    """The task that imports people now, of whomever. 1 query."""
    return store.open_of((IMPORT, SCHOOL_YEAR, UNDO))


def _work(run: TaskRun) -> dict[str, Any]:
    planned = _plan_of(run)
    scope = scopes.for_user(run.user)
    if scope is None:
        raise TaskFailedError("no-administrator")
    done: dict[str, Any] = run.cursor or {"at": 0, "counts": {}, "skipped": [], "ending": [], "sheet": 0}
    _end(done["ending"], run.settings)
    about = run.arguments
    with_passwords = about.get("passwords", False) and run.settings.sign_in == "accounts"
    until = now() + timedelta(days=about.get("days_valid", 30))
    while done["at"] < len(planned):
        people = planned[done["at"] : done["at"] + _PIECE]
        made = _passwords(people, run.settings) if with_passwords else {}
        piece = PieceOfPeople(run.user, scope, run.settings, made, until)
        done = {**done, "at": done["at"] + len(people)}
        with run.step(done, done=done["at"], total=len(planned)):
            piece.apply(people)
            _keep(run, piece, done, until)
        _end(done["ending"], run.settings)
    return {**done["counts"], "skipped": len(done["skipped"]), "names": done["skipped"][:_MOST_NAMED], "sheet": done["sheet"]}


def _keep(run: TaskRun, piece: PieceOfPeople, done: dict[str, Any], until: Any) -> None:
    """What a piece did, within its transaction."""
    if piece.steps:
        undo_steps.note(run.task, piece.steps)
    if piece.made and piece.passwords:
        letters = {user.id: piece.passwords[user.address][0] for user in piece.made if user.address in piece.passwords}
        password_sheets.add(run.task.id, run.user, run.arguments["name"], letters, run.settings)
    done["sheet"] += len(piece.made) if piece.passwords else 0
    done["counts"] = {word: done["counts"].get(word, 0) + piece.counts.get(word, 0) for word in {*done["counts"], *piece.counts}}
    done["skipped"] = [*done["skipped"], *piece.skipped][:2000]
    done["ending"] = piece.ended
    if piece.ended:
        forward_targets.note_closed()


def _plan_of(run: TaskRun) -> list[PlannedPerson]:
    try:
        content = b"".join(open_storage(run.settings).get(f"{leftovers.folder(run.task.id)}/{FILE}"))
    except FileGoneError as error:
        raise TaskFailedError("file-gone") from error
    return [PlannedPerson.from_json(one) for one in json.loads(content)]


def _passwords(people: Sequence[PlannedPerson], settings: Settings) -> dict[str, tuple[str, str]]:
    """The letters and the hash for each new address."""
    return _made([one.address for one in people if one.outcome == LineOutcome.CREATED], settings)


def _made(addresses: Iterable[str], settings: Settings) -> dict[str, tuple[str, str]]:
    letters = {address: temporary_passwords.make_pronounceable(settings.password_length) for address in addresses}
    hashes = hashing.hash_many(list(letters.values()))
    return {address: (word, hashed) for (address, word), hashed in zip(letters.items(), hashes, strict=True)}


def _end(numbers: Iterable[int], settings: Settings) -> None:
    """Sign out people who were disabled: after a kill again, which harms nobody."""
    for user in account_batches.by_number(numbers).values():
        endings.end_everything(user, settings)


# --- new passwords ---------------------------------------------------------------------------------------------------


def start_renewal(administrator: User, sheet: PasswordSheet) -> Task:
    """Make new passwords for those of a sheet who have not chosen one of their own. Raises LimitReachedError."""
    return store.start_once(administrator, RENEWAL, {"sheet": sheet.id, "name": sheet.name})


def _renew(run: TaskRun) -> dict[str, Any]:
    scope = scopes.for_user(run.user)
    try:
        sheet = password_sheets.find(run.user, run.arguments["sheet"])
    except NoSheetsError as error:
        raise TaskFailedError("gone") from error
    if scope is None or run.settings.sign_in != "accounts":
        raise TaskFailedError("gone")
    people = password_sheets.people_of(sheet)
    done: dict[str, Any] = run.cursor or {"after": 0, "at": 0, "count": 0}
    left = sorted((user for user in people if user.id > done["after"]), key=lambda user: user.id)
    total = done["at"] + len(left)
    until = now() + timedelta(days=DAYS_VALID)
    for at in range(0, len(left), _PIECE):
        piece = [user for user in left[at : at + _PIECE] if scope.includes(user)]
        made = _made([user.address for user in piece], run.settings)
        done = {**done, "after": left[min(at + _PIECE, len(left)) - 1].id, "at": min(done["at"] + _PIECE, total)}
        with run.step(done, done=done["at"], total=total):
            new = [user for user in piece if account_batches.set_paper_password(user, made[user.address][1], until)]
            password_sheets.replace(sheet, {user.id: made[user.address][0] for user in new}, run.settings)
            for user in new:
                audit.record(AuditAct.ACCOUNT_PASSWORD_SET, actor=run.user, target=user.address, by="import")
            done["count"] += len(new)
        _end([user.id for user in new], run.settings)
    return {"count": done["count"]}


RENEWAL_KIND = TaskKind(RENEWAL, _renew, in_turn=True)
KIND = TaskKind(IMPORT, _work, in_turn=True)
SCHOOL_YEAR_KIND = TaskKind(SCHOOL_YEAR, _work, in_turn=True)
UNDO_KIND = undo_steps.undo_kind(UNDO, people_changes.take_back, ())


def is_of_kind(administrator: User, task_id: str, kind: str) -> bool:
    """Whether this is a task of theirs, of this kind. 1 query."""
    try:
        return store.find(administrator, task_id).kind == kind
    except store.NoSuchTaskError:
        return False
