"""Data export: all that a person's account holds as one zip file, made by a worker: mail, contacts, settings, what was done.

Mail is read part by part (tasks/mail_parts.py), so that a task that was killed goes on where it was. The zip file is then written
at once from what is stored, in constant memory, and takes its name only when it is whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from webmail import imap, system_mail
from webmail.accounts import exported_tables
from webmail.errors import BadAddressError, SignInRefusedError, UnsafeValueError
from webmail.imap.bulk import chosen as choice
from webmail.imap.bulk.bulk_mbox import mbox
from webmail.imap.bulk.chosen import Selection, count
from webmail.mime.formats.export_marker import MARKER
from webmail.mime.formats.mbox_writer import MboxNames
from webmail.mime.formats.zip_stream import ZipStream
from webmail.models import User
from webmail.storage import Storage, open_storage
from webmail.tasks import leftovers, mail_parts, store
from webmail.tasks.export_provenance import Marking, marking_of
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun
from webmail.tasks.mail_account import account_of
from webmail.tasks.mail_parts import Position

NAME = "own-data"
_TYPE = "application/zip"
_SMALL = 50_000_000  # bytes of mail that are compressed too: it is slow, and attachments hardly shrink
_CHOSEN = "selection"  # the file that says which messages there were when the task began

Files = Iterable[tuple[str, Iterable[bytes]]]


@dataclass(slots=True)
class Mail:
    """The mail of an export: where it is stored, and what could not be read."""

    chosen: list[Selection] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)  # folders that could not be read
    position: Position = field(default_factory=Position)
    marking: Marking | None = None


@dataclass(frozen=True, slots=True)
class ExportTexts:
    """The texts of an export, in the person's language: the page that starts it writes them, since a worker has no language.

    `readme`: its lines before the list of folders that could not be read; `unread` and `gone` begin the lines about what is
    missing. `subject` and `body`: the mail that tells that the file is ready, empty for none.
    """

    readme: str = ""
    unread: str = ""
    gone: str = ""
    subject: str = ""
    body: str = ""
    language: str = ""


def _work(run: TaskRun) -> dict[str, Any]:
    """The file takes the place of those made before, so that nobody fills the storage with theirs."""
    files, words = open_storage(run.settings), ExportTexts(**run.arguments.get("words", {}))
    mail = _mail(run, files) if run.arguments.get("mail") else Mail()
    name = f"{leftovers.folder(run.task.id)}/data.zip"
    size = files.put(name, zipped(_files(run, files, mail, words), datetime.now(UTC), compressed=_is_small(run, files, mail)))
    before, total = store.other_results(run.task), max(count(mail.chosen), 1)
    with run.step(asdict(mail.position), done=total, total=total):
        for task in before:
            task.delete_instance()
        _tell(run, words)
    for task in before:
        leftovers.remove(task.id, run.settings)
    return {
        "file": name, "name": f"{run.user.local}.zip", "type": _TYPE, "size": size, "count": mail.position.written,
        "mail": bool(run.arguments.get("mail")), "unread": len(_unread(mail)), "missing": _missing(mail),
    }  # fmt: skip


def _mail(run: TaskRun, files: Storage) -> Mail:
    """Read all mail there was when the task began, as far as it is not stored yet."""
    name = f"{leftovers.folder(run.task.id)}/{_CHOSEN}"
    try:
        account = account_of(run)
        if not files.exists(name):
            with imap.connect(account) as connection:
                chosen, unread = choice.everything(connection)
            kept = {"chosen": mail_parts.packed(chosen).decode(), "unread": unread}
            files.put(name, [json.dumps(kept).encode()])
        kept = json.loads(b"".join(files.get(name)))
        mail = Mail(mail_parts.unpacked(kept["chosen"].encode()), list(kept["unread"]))
        mail.position = mail_parts.store_parts(run, files, account, mail.chosen, partial(mbox, account))
        mail.marking = marking_of(account, run.user)
    except SignInRefusedError as error:
        raise TaskFailedError("sign-in") from error
    return mail


def _files(run: TaskRun, files: Storage, mail: Mail, texts: ExportTexts) -> Iterator[tuple[str, Iterable[bytes]]]:
    if texts.readme:
        yield "README.txt", [_readme(mail, texts).replace("\n", "\r\n").encode()]
    yield from files_of(run.user)
    names, made = MboxNames(), dict[str, str]()
    for group, span in zip(mail.chosen, mail.position.spans(), strict=False):
        if span or not group.uids:  # a folder that was empty is a file without messages; one that went meanwhile is none
            made[group.mailbox] = f"mail/{names.name_of(group.mailbox)}"
            yield made[group.mailbox], mail_parts.joined(run, files, mail.position, mail.chosen, span)
    if mail.marking:
        yield MARKER, [mail.marking.marker(made)]


def files_of(user: User) -> Iterator[tuple[str, Iterable[bytes]]]:
    """What there is beside the mail: each file's name and its content in pieces."""
    yield "account.json", [exported_tables.account_of(user).encode()]
    yield "settings.json", [exported_tables.settings_of(user).encode()]
    for name, rows in exported_tables.rows_of(user):
        yield f"{name}.json", _encoded(rows)
    yield "shares.json", [exported_tables.shares_of(user).encode()]
    yield "large-files.json", _encoded(exported_tables.transfers_of(user))
    yield "polls.json", _encoded(exported_tables.polls_of(user))
    yield "activity.json", _encoded(exported_tables.activity_of(user))
    yield "contacts.vcf", _encoded(exported_tables.cards_of(user))
    yield "calendars.ics", _encoded(exported_tables.calendars_of(user))


def zipped(files: Files, at: datetime, *, compressed: bool = True) -> Iterator[bytes]:
    """A zip archive in pieces: neither it nor a file in it is ever whole in memory. Mail is compressed with `compressed` only."""
    with ZipStream() as archive:
        for name, pieces in files:
            yield from archive.file(name, at, pieces, compressed=compressed or not name.startswith("mail/"))
        yield from archive.end()


def _encoded(pieces: Iterable[str]) -> Iterator[bytes]:
    return (piece.encode("utf-8", "replace") for piece in pieces)


def _is_small(run: TaskRun, files: Storage, mail: Mail) -> bool:
    return sum(files.size(mail_parts.part_name(run, number)) for number in range(mail.position.parts)) <= _SMALL


def _unread(mail: Mail) -> list[str]:
    """The folders of which nothing, or not all, could be read."""
    return [*mail.unread, *(mail.chosen[number].mailbox for number in mail.position.away)]


def _missing(mail: Mail) -> int:
    """How many messages went while the others were read; not counted where a whole folder did."""
    return 0 if mail.position.away else count(mail.chosen) - mail.position.written


def _readme(mail: Mail, texts: ExportTexts) -> str:
    lines = [texts.readme]
    if unread := _unread(mail):
        lines.append("\n".join([texts.unread, *(f"  - {name}" for name in unread)]))
    if gone := _missing(mail):
        lines.append(f"{texts.gone} {gone}")
    return "\n\n".join(lines) + "\n"


def _tell(run: TaskRun, texts: ExportTexts) -> None:
    """In the transaction of the last step, and once for each task: after a kill too there is one mail."""
    if texts.subject and run.settings.system_sender is not None:
        with suppress(BadAddressError, UnsafeValueError):
            system_mail.send(run.user.address, NAME, texts.subject, texts.body, texts.language, run.task.id)


KIND = TaskKind(NAME, _work)
