"""Takeout check: a worker says what an archive would bring, and writes nothing: messages by folder, contacts, events."""

from __future__ import annotations

import zipfile
from collections import Counter
from typing import Any

from webmail.calendar import objects
from webmail.calendar.files import importing
from webmail.collections import look
from webmail.contacts.imports import card_files, merge
from webmail.mailbox.imports import import_task, takeout_parts
from webmail.mailbox.imports.import_sources import MailFile, NotMailError, TooManyFilesError
from webmail.mailbox.imports.incoming import Unreadable
from webmail.mime.formats.calendars.calendar_files import NotCalendarFileError
from webmail.models import User
from webmail.storage import FileGoneError, open_file, open_storage
from webmail.takeout import takeout_archive
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun

_MOST_FOLDERS = 30  # that are told by name
NAME = takeout_parts.CHECK


def _work(run: TaskRun) -> dict[str, Any]:
    waiting = run.arguments["mail"]
    with takeout_archive.opened(run.settings, waiting) as archive:
        parts = takeout_parts.parts_of(archive)
        contacts = _contacts(run.user, archive, parts.cards)
        calendars = []
        for at, name in enumerate(parts.calendars):
            with run.step(at, done=at, total=len(parts.calendars) + 1):
                pass  # the place to stop
            calendars.append(_calendar(run, archive, name))
    told = {"contacts": contacts, "calendars": [one for one in calendars if one], "mail": _mail(run, waiting)}
    unread = sum(one is None for one in calendars)
    return {"report": {**told, "left_out": parts.left_out + unread}, "form": run.arguments["form"], "name": run.arguments["name"]}


def _contacts(user: User, archive: zipfile.ZipFile, names: tuple[str, ...]) -> dict[str, int]:
    if not names:
        return {}
    planned = merge.plan_cards(user, card_files.read(takeout_archive.cards_in(archive, names)))
    return {
        "fresh": len(planned.fresh), "changed": len(planned.updates), "same": len(planned.present), "refused": planned.refused,
    }  # fmt: skip


def _calendar(run: TaskRun, archive: zipfile.ZipFile, name: str) -> dict[str, Any] | None:
    """None for what is no calendar. Events are compared with the calendar that has its name, if there is one."""
    content = takeout_archive.content_of(archive, name)
    zone = objects.zone_of(run.settings.timezone)
    try:
        planned = importing.plan(content, 0, zone, run.user)
        title = (planned.name or takeout_archive.title_of(archive, name))[: look.LONGEST_NAME]
        if (existing := importing.calendar_called(run.user, title)) is not None:
            planned = importing.plan(content, existing, zone, run.user)
    except NotCalendarFileError:
        return None
    report = importing.report_of(planned)
    return {
        "entry": name, "title": title, "is_new": existing is None, "fresh": report.fresh, "changed": report.changed,
        "same": report.same, "remarks": len(report.remarks) + report.more_remarks,
    }  # fmt: skip


def _mail(run: TaskRun, waiting: str) -> dict[str, Any]:
    """How many messages, and in which folders: as the archive tells, without a look at the mailbox."""
    folders: Counter[str] = Counter()
    total = skipped = 0
    try:
        with open_file(open_storage(run.settings), import_task.file_name(waiting)) as file:
            for one in MailFile(file, run.settings, run.arguments["name"]).messages(0, None):
                if isinstance(one, Unreadable):
                    skipped += 1
                    continue
                if one.again or one.filing.skip:
                    continue
                total += 1
                folders[str(one.filing.role or "/".join(one.filing.path))] += 1
                if total % 2000 == 0:
                    with run.step(total, done=0):
                        pass
    except (NotMailError, TooManyFilesError):
        return {}
    except FileGoneError as error:
        raise TaskFailedError("file-gone") from error
    more = max(0, len(folders) - _MOST_FOLDERS)
    return {"messages": total, "skipped": skipped, "folders": folders.most_common(_MOST_FOLDERS), "more": more}


KIND = TaskKind(NAME, _work)
