"""Doctor, this machine: the database, the worker, the clock, the disk, and who may read what."""

from __future__ import annotations

import os
import shutil
import stat
import time
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import peewee as pw
from playhouse.migrations import Runner

from webmail import health, translations
from webmail.admin.watching import figures
from webmail.auth.factors import mailed_codes, requirement, second_step
from webmail.config.settings import Settings, is_written
from webmail.database import shared_file
from webmail.database.connection import DATABASE_AWAY, advice, db, sqlite_file
from webmail.database.migrate import MIGRATIONS
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, lazy_ngettext, told
from webmail.doctor.result import lazy_gettext as _l
from webmail.models import User
from webmail.people import visibility

FULL_SOON = 30  # days
_BESIDE = ("", *shared_file.BESIDE)


def examine(settings: Settings) -> Iterator[CheckResult]:
    """All checks of this machine, each result at once."""
    of_data = (database, database_file, indexes_of_words, two_step, who_sees_whom, background)
    for check in (*of_data, clock, disk, catalogues, permissions, cookies):
        yield from check(settings)


def database(settings: Settings) -> Iterator[CheckResult]:
    """Whether the database opens, has all migrations, and is writable (tested without changing anything)."""
    name = "Database"
    try:
        with db.connection_context():
            runner = Runner(db.obj, str(MIGRATIONS))
            pending = [m.name for m in runner.status() if not m.applied]
            if pending:
                yield CheckResult(
                    name,
                    PROBLEM,
                    _l("is not up to date: run `flask --app wsgi migrate` (%(count)s to apply).", count=len(pending)),
                )
                return
            with db.atomic() as transaction:
                User.update(active=User.active).where(User.address == "").execute()
                transaction.rollback()
            yield CheckResult(name, OK, _l("opens, is up to date and writable; %(count)s accounts.", count=User.select().count()))
    except (*DATABASE_AWAY, pw.DatabaseError) as error:
        yield CheckResult(name, PROBLEM, told(advice(error)))


def database_file(settings: Settings) -> Iterator[CheckResult]:
    """Whether Traboule, Dovecot and Postfix can open the same SQLite file, whoever is first. And whether there is another one."""
    if not (name := sqlite_file(settings.database_url)):
        return
    file, unused = Path(name), Path(settings.instance, "traboule.sqlite")
    if words := shared_file.shut_out(file) or shared_file.may_shut_out(file):
        yield CheckResult("Database file", PROBLEM, told(words))
    elif file.exists() and shared_file.is_group_writable(file.parent):
        yield CheckResult(
            "Database file", OK, _l("%(file)s is shared with the group of its folder, by all who open it.", file=file)
        )
    if unused.exists() and unused != file.absolute():
        words = _l(
            "%(unused)s is not used: database_url names %(file)s. Remove it once you are sure that no accounts are in it.",
            unused=unused, file=file,
        )  # fmt: skip
        yield CheckResult("Database file", WARNING, words)


def indexes_of_words(settings: Settings) -> Iterator[CheckResult]:
    """Whether PostgreSQL finds events and contacts by an index: the migration goes on where it may not make one."""
    try:
        with db.connection_context():
            if isinstance(db.obj, pw.SqliteDatabase):
                return
            known = {index.name for table in ("calendar_objects", "contacts") for index in db.obj.get_indexes(table)}
            if known and not known >= {"calendar_objects_trigrams", "contacts_trigrams"}:
                words = _l(
                    "of events and contacts reads all of them: PostgreSQL’s extension pg_trgm was not available. See “With "
                    "PostgreSQL” in docs/administrator/install.md."
                )
                yield CheckResult("Search", WARNING, words)
    except (*DATABASE_AWAY, pw.DatabaseError):
        return


def two_step(settings: Settings) -> Iterator[CheckResult]:
    """Whether the groups that must use two-step verification exist, since a name typed wrongly would require it of nobody; and
    whether codes by e-mail can be sent, where people have nothing else.
    """
    try:
        with db.connection_context():
            for name in requirement.unknown_groups(settings):
                words = _l(
                    "second_step_for names “%(name)s”, but there is no such group. `flask --app wsgi groups list` shows them.",
                    name=name,
                )
                yield CheckResult("Two-step verification", PROBLEM, words)
            if not mailed_codes.can_be_sent(settings) and (count := second_step.count_only_mail()):
                words = lazy_ngettext(
                    "%(num)d account signs in with codes by email, which need system_address and recovery_address: set both.",
                    "%(num)d accounts sign in with codes by email, which need system_address and recovery_address: set both.",
                    count,
                )
                yield CheckResult("Two-step verification", PROBLEM, words)
    except (*DATABASE_AWAY, pw.DatabaseError):
        return


def who_sees_whom(settings: Settings) -> Iterator[CheckResult]:
    """Whether the groups in the rules of the directory exist: a rule for a name typed wrongly is for nobody."""
    try:
        with db.connection_context():
            for name in visibility.unknown_groups(settings):
                words = _l(
                    "directory_rules or directory_addresses name “%(name)s”, but there is no such group. "
                    "`flask --app wsgi groups list` shows them.",
                    name=name,
                )
                yield CheckResult("Directory", PROBLEM, words)
    except (*DATABASE_AWAY, pw.DatabaseError):
        return


def background(settings: Settings) -> Iterator[CheckResult]:
    """Whether the worker is alive and keeps up, and files can be stored. Says nothing where the database says it all."""
    try:
        with db.connection_context():
            for part in health.examine(settings):
                never = part.name == "worker" and "never" in part.message  # as before the services are started
                state = OK if part.good else WARNING if never else PROBLEM
                yield CheckResult(part.name.capitalize(), state, told(part.message))
    except (*DATABASE_AWAY, pw.DatabaseError):
        return


def clock(settings: Settings, now: float | None = None) -> Iterator[CheckResult]:
    """Whether the clock is plausible: no file may be newer than now. One-minute tokens need an accurate clock."""
    at = time.time() if now is None else now
    files = [Path(__file__), Path(settings.instance, "secret_key"), *_database_files(settings)]
    newest = max((file.stat().st_mtime for file in files if file.exists()), default=0)
    shown = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    if newest > at + 60:
        yield CheckResult(
            "Clock", PROBLEM, _l("says %(time)s, but there are later files: set it, and run a time service (NTP).", time=shown)
        )
    else:
        yield CheckResult(
            "Clock", OK, _l("says %(time)s; nothing contradicts it. Keep a time service running on every server.", time=shown)
        )
    try:
        zoneinfo.ZoneInfo(settings.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        yield CheckResult(
            "Time zone",
            PROBLEM,
            _l("%(zone)s is unknown here. Correct timezone, or install the package tzdata.", zone=settings.timezone),
        )
    else:
        yield CheckResult("Time zone", OK, f"{settings.timezone}.")


def disk(settings: Settings) -> Iterator[CheckResult]:
    """Free space for uploaded attachments: ten messages at least."""
    folder = Path(settings.uploads_folder)
    place = next(p for p in (folder, *folder.parents) if p.exists())
    if not place.is_dir():
        yield CheckResult(
            "Uploads folder", PROBLEM, _l("%(place)s is not a folder: move it and create a folder in its place.", place=place)
        )
        return
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        yield CheckResult(
            "Uploads folder",
            PROBLEM,
            _l("%(place)s can’t be read and written: give it to the user who runs this application.", place=place),
        )
        return
    free = shutil.disk_usage(place).free
    about = {"free": f"{free / 1024**3:.1f}", "place": place}
    if free < settings.message_limit:
        yield CheckResult(
            "Disk", PROBLEM, _l("%(free)s GB free in %(place)s, not enough for one message: free up space.", **about)
        )
    elif free < 10 * settings.message_limit:
        yield CheckResult(
            "Disk", WARNING, _l("%(free)s GB free in %(place)s, not enough for ten large messages: free up space soon.", **about)
        )
    elif (left := _days_left(settings, place)) is not None and left < FULL_SOON:
        words = _l(
            "%(free)s GB free in %(place)s, full in %(days)s days at this rate: free up space, or make the disk larger.",
            **about, days=left,
        )  # fmt: skip
        yield CheckResult("Disk", WARNING, words)
    else:
        yield CheckResult("Disk", OK, _l("%(free)s GB free in %(place)s.", **about))


def _days_left(settings: Settings, location: Path) -> int | None:
    """Until the disk of the data is full, as its figures foretell; None where they don't, or it is another disk."""
    try:
        if location.stat().st_dev != Path(settings.instance).stat().st_dev:
            return None
        with db.connection_context():
            return figures.days_left(figures.history("disk_free"))
    except (OSError, *DATABASE_AWAY, pw.DatabaseError):
        return None


def catalogues(settings: Settings) -> Iterator[CheckResult]:
    """Whether what pages say in other languages was built at the last installation or update; else at a start, by the service."""
    unbuilt = translations.to_build()
    for file in unbuilt:
        about = {
            "file": file,
            "instance": settings.instance,
            "folder": translations.FOLDER.parents[1],
            "command": translations.COMMAND,
        }
        words = _l(
            "%(file)s is missing, so services build it in %(instance)s as they start. Type in %(folder)s: %(command)s", **about
        )
        if file.exists():
            words = _l(
                "%(file)s is older than its source, so services build it in %(instance)s as they start. Type in %(folder)s: "
                "%(command)s",
                **about,
            )
        yield CheckResult("Translations", WARNING, words)
    if not unbuilt:
        yield CheckResult("Translations", OK, _l("what pages say in French is built from its present source."))


def permissions(settings: Settings) -> Iterator[CheckResult]:
    """Secrets must be readable only by their owner, the database and the files only by their owner and group."""
    instance, name = Path(settings.instance), "File permissions"
    found = False
    for file in sorted([*_secrets(settings), instance / "config.toml"]):
        if not file.exists():
            if words := _missing(file, settings):
                found = True
                yield CheckResult(name, PROBLEM, words)
        elif open_to := _open_to(file, secret_to_group=True):
            found = True
            yield CheckResult(name, PROBLEM, _exposed(open_to, file, "600"))
    for file in _closed_to_others(settings):
        if open_to := _open_to(file):
            found = True
            yield CheckResult(name, PROBLEM, _exposed(open_to, file, "o-rwx"))
    if not found:
        yield CheckResult(name, OK, _l("secrets, the database and people’s files are closed to others."))


def exposed_files(settings: Settings) -> Iterator[tuple[Path, int]]:
    """Files that are open to others and should not be, and the mode that closes them."""
    for file in sorted([*_secrets(settings), Path(settings.instance, "config.toml")]):
        if file.exists() and _open_to(file, secret_to_group=True):
            yield file, stat.S_IMODE(file.stat().st_mode) & 0o700
    for file in _closed_to_others(settings):
        if _open_to(file):
            yield file, stat.S_IMODE(file.stat().st_mode) & 0o770


def _secrets(settings: Settings) -> set[Path]:
    instance = Path(settings.instance)
    return {instance / "secret_key"} | ({instance / settings.token_key_file} if settings.token_key_file else set())


def _missing(file: Path, settings: Settings) -> str:
    """What to do about it; "" if it may be missing."""
    if file.name == "config.toml" or (file.name == "secret_key" and is_written("secret_key", settings.instance)):
        return ""
    if file.name == "secret_key":
        return _l(
            "%(file)s is missing: put back the copy that you keep (docs/administrator/backup.md). Otherwise the next start makes "
            "another one, and codes of authenticator apps, recovery codes and files sent as links stop working.",
            file=file,
        )
    return _l(
        "%(file)s is missing: put back the copy that you keep, or run deploy.dovecot.render --token-key, which makes another "
        "one.",
        file=file,
    )


def _closed_to_others(settings: Settings) -> list[Path]:
    """What may be open to a group (Dovecot's, of the database), but to nobody else."""
    instance, jobs = Path(settings.instance), Path(settings.jobs_file)
    folders = [Path(settings.uploads_folder), Path(settings.transfers_folder), instance / "storage", instance / "images"]
    files = [*instance.glob("*.sqlite*"), *_database_files(settings)]
    files += [jobs.with_name(jobs.name + suffix) for suffix in _BESIDE]
    if database := sqlite_file(settings.database_url):
        folders += [place for place in (Path(database).parent,) if place.exists() and place.stat().st_mode & stat.S_IWOTH]
    return [file for file in dict.fromkeys([*files, *folders]) if file.exists()]


def _database_files(settings: Settings) -> list[Path]:
    file = sqlite_file(settings.database_url)
    found = [Path(file + suffix) for suffix in _BESIDE] if file else []
    return [one for one in found if one.exists()]


def _open_to(file: Path, *, secret_to_group: bool = False) -> str:
    """What others may do with a file but should not: read, write, or group (its group reads); empty if
    nothing. A closed folder protects all that is in it."""
    mode = file.stat().st_mode
    if mode & (stat.S_IROTH | stat.S_IWOTH) and all(folder.stat().st_mode & stat.S_IXOTH for folder in file.absolute().parents):
        return "read" if mode & stat.S_IROTH else "write"
    if secret_to_group and mode & stat.S_IRGRP and file.parent.stat().st_mode & stat.S_IXGRP:
        return "group"
    return ""


def _exposed(how: str, file: Path, mode: str) -> str:
    match how:
        case "read":
            return _l("everybody on this machine may read %(file)s: chmod %(mode)s %(file)s", file=file, mode=mode)
        case "write":
            return _l("everybody on this machine may write %(file)s: chmod %(mode)s %(file)s", file=file, mode=mode)
    return _l("its group may read %(file)s: chmod %(mode)s %(file)s", file=file, mode=mode)


def cookies(settings: Settings) -> Iterator[CheckResult]:
    if settings.secure_cookies:
        yield CheckResult("Cookies", OK, _l("are sent over TLS only."))
    else:
        yield CheckResult(
            "Cookies", WARNING, _l("travel without TLS (secure_cookies = false): only for plain http on this machine.")
        )
