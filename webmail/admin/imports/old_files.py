"""Old files: calendars (.ics) and contacts (.vcf, CSV, LDIF) that another server exported for many people, one folder for each.

`FOLDER/alice@lycee.example/Lessons.ics` goes into Alice's calendar *Lessons*, which is made where she has none of this name;
`calendar.ics` into the one for new events; contacts into her first book. Nothing is there twice after a second run, which brings
what is new: events are known by UID, contacts by UID, or by name and an address or telephone number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from webmail.calendar import objects
from webmail.calendar.editing import Done, EventChangedElsewhereError, NotWritableError
from webmail.calendar.files import importing
from webmail.calendar.objects import UidTakenError
from webmail.collections import look, manage, store
from webmail.config.settings import Settings
from webmail.contacts.book_access import BookReadOnlyError
from webmail.contacts.imports import card_files, merge
from webmail.contacts.store import CardTooLargeError, ContactChangedElsewhereError
from webmail.database.user_lock import user_lock
from webmail.errors import LimitReachedError, ServerAwayError
from webmail.mime.formats.address_books.entry import WHOLE
from webmail.mime.formats.calendars.calendar_files import NOT_WHOLE, NotCalendarFileError
from webmail.models import User

FIRST_CALENDAR = "calendar"  # the file whose events go into the calendar for new ones
CALENDARS, CARDS = (".ics",), (".vcf", ".csv", ".ldif")
_MOST_FILES = 500  # of one person
_MOST_PEOPLE = 100_000


class OldFileError(Exception):
    """A file can't be brought over, or not whole, for the reason in words."""


@dataclass(slots=True)
class FilesReport:
    """What the files of one person brought. `present`: what was there already; `kept`: events that are other ones here, which
    stay so; `left_out`: what could not be read. `troubles`: files that did not come whole, and why."""

    events: int = 0
    contacts: int = 0
    completed: int = 0
    present: int = 0
    kept: int = 0
    left_out: int = 0
    troubles: list[tuple[str, str]] = field(default_factory=list)


def people_in(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    """Names of folders, in order, and their files of a kind that is known. Links are not followed. Raises OldFileError."""
    try:
        folders = sorted(one for one in folder.iterdir() if one.is_dir() and not one.is_symlink())
        if len(folders) > _MOST_PEOPLE:
            raise OldFileError(f"it has more than {_MOST_PEOPLE} folders")
        for one in folders:
            files = sorted(file for file in one.iterdir() if file.is_file() and not file.is_symlink())
            yield one.name, [file for file in files if file.suffix.lower() in (*CALENDARS, *CARDS)]
    except OSError as error:
        raise OldFileError(str(error)) from error


def bring_over(files: list[Path], user: User, settings: Settings, *, replace: bool) -> FilesReport:
    """Import the files of one person, each by itself: one that fails stops no other. `replace`: also events that are here in
    other words, such as those whose time changed on the old server."""
    report = FilesReport()
    for file in files[:_MOST_FILES]:
        try:
            content = _content(file)
            with user_lock(user.id):
                if file.suffix.lower() in CALENDARS:
                    _events(content, file.stem, user, settings, report, replace=replace)
                else:
                    _contacts(content, user, report)
        except (OldFileError, OSError, ServerAwayError) as error:
            report.troubles.append((file.name, str(error)))
    report.troubles += [(file.name, f"more than {_MOST_FILES} files of one person") for file in files[_MOST_FILES:]]
    return report


def _content(file: Path) -> bytes:
    largest = importing.LARGEST_FILE if file.suffix.lower() in CALENDARS else merge.LARGEST_FILE
    with file.open("rb") as opened:
        content = opened.read(largest + 1)
    if len(content) > largest:
        raise OldFileError(f"larger than {largest // 1_000_000} MB: export it in parts")
    return content


def _events(content: bytes, name: str, user: User, settings: Settings, report: FilesReport, *, replace: bool) -> None:
    done: list[Done] = []
    try:
        calendar = _calendar(name, user, settings)
        planned = importing.plan(content, calendar, objects.zone_of(settings.timezone), user)
        writes = planned.writes(calendar, replace=replace)
        importing.check_room_for(writes, settings)
        importing.apply(user, writes, settings, done)
    except NotCalendarFileError as error:
        raise OldFileError("it has no events") from error
    except LimitReachedError as error:
        raise OldFileError("there is no room for it in their calendars") from error
    except (NotWritableError, EventChangedElsewhereError, UidTakenError) as error:
        raise OldFileError("the calendar changed meanwhile, or another one has one of these events: type it again") from error
    finally:
        report.events += len(done)
    report.present += planned.same
    report.kept += 0 if replace else len(planned.changed)
    report.left_out += sum(one.kind in NOT_WHOLE for one in planned.remarks)


def _calendar(name: str, user: User, settings: Settings) -> int:
    """The `id` of the calendar of this name that takes events, made where there is none. Raises LimitReachedError."""
    title = look.one_line(name)[: look.LONGEST_NAME]
    if title.casefold() in ("", FIRST_CALENDAR):
        return store.default_collection(user, store.CALENDAR).id
    found = importing.calendar_called(user, title)
    if found is not None:
        return found
    form = hashlib.sha256(f"old file {title}".encode()).hexdigest()[:32]  # a run that was killed makes it once
    return manage.make(user, store.CALENDAR, title, "", "", form=form, most=settings.collections_per_person).id


def _contacts(content: bytes, user: User, report: FilesReport) -> None:
    try:
        planned = merge.plan_cards(user, card_files.read(content))
        merge.apply(user, planned)
    except LimitReachedError as error:
        raise OldFileError("they would have too many contacts") from error
    except (CardTooLargeError, ContactChangedElsewhereError, BookReadOnlyError) as error:
        raise OldFileError("their contacts changed meanwhile: type it again") from error
    report.contacts += len(planned.fresh)
    report.completed += len(planned.updates)
    report.present += len(planned.present)
    report.left_out += sum(one.kind in WHOLE for one in planned.remarks)
    if not planned.any_cards:
        raise OldFileError("it has no contacts")
