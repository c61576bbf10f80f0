"""Overview of an installation: for each thing that is watched a number, whether it is well, from when on it is not, and what to
do next. Everything is known already, or asked of the database alone: no server is asked while somebody waits.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail import system_mail
from webmail.admin.watching import check_notes, figures
from webmail.compose.outbox import counts
from webmail.config.settings import Settings
from webmail.health import HealthCheck
from webmail.models import CheckNote, DailyFigure, Task, now
from webmail.tasks import heartbeat, store
from webmail.web.formatting import file_size, number, short_date

GOOD, CAUTION, BAD = "ok", "warning", "problem"
MOST_TASKS = 20
REFUSED = 3  # times as many sign-ins refused as let in, and _MANY
_MANY = 50
_LEAST_FREE = 0.10  # of a disk
_FULL_SOON = 30  # days
_CERTIFICATE = 14  # days, as the doctor warns
_OLD_BACKUP = timedelta(days=2)
_OLD_FIGURES = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class WatchedLine:
    """`value`: the number, with its word. `threshold`: from when on it is not well. `step`: what to do then; "" where it is."""

    title: str
    value: str
    state: str
    threshold: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True)
class WatchedThings:
    """`parts`: of health.py; `notes`: of the doctor. `made`: when the figures were; None: never."""

    lines: list[WatchedLine]
    tasks: list[Task]
    parts: list[HealthCheck]
    notes: list[CheckNote]
    made: datetime | None

    @property
    def wrong(self) -> int:
        told = sum(line.state != GOOD for line in self.lines)
        return told + sum(not part.good for part in self.parts) + sum(note.state != GOOD for note in self.notes)


def of_now(settings: Settings, health: Iterable[HealthCheck]) -> WatchedThings:
    """A dozen SELECTs."""
    latest, notes = figures.latest(), check_notes.listed()
    lines = [*_people(latest), *_mail(latest, settings), *_disk(latest), *_machine(notes, latest), *_broken()]
    tasks = store.failed_or_late(MOST_TASKS)
    made = max((row.at for row in latest.values()), default=None)
    return WatchedThings(lines, tasks, list(health), [note for note in notes if note.state != GOOD], made)


def _value(latest: dict[str, DailyFigure], name: str) -> int:
    return latest[name].value if name in latest else 0


def _people(latest: dict[str, DailyFigure]) -> list[WatchedLine]:
    today, week = _value(latest, "active_today"), _value(latest, "active_week")
    active = _("%(today)s today, %(week)s in seven days", today=number(today), week=number(week))
    refused, let_in = _value(latest, "sign_ins_refused"), _value(latest, "sign_ins")
    guessed = refused > _MANY and refused > REFUSED * let_in
    return [
        WatchedLine(_("People active"), active, GOOD),
        WatchedLine(
            _("Sign-ins refused today"), _("%(refused)s, and %(good)s let in", refused=number(refused), good=number(let_in)),
            CAUTION if guessed else GOOD, _("more than %(count)s, and three times those let in", count=number(_MANY)),
            _("Somebody may be guessing passwords: look in the audit log for where they come from.") if guessed else "",
        ),
    ]  # fmt: skip


def _mail(latest: dict[str, DailyFigure], settings: Settings) -> list[WatchedLine]:
    outbox, own = counts.by_state(), system_mail.count_by_state()
    stuck, failed = outbox["failed"] + outbox["uncertain"], own["failed"]
    lines = [
        WatchedLine(
            _("Messages sent today"),
            _("%(count)s from these pages; those of mail programs are not counted", count=number(_value(latest, "sent"))),
            GOOD,
        ),
    ]
    if settings.doveadm_key:
        past = figures.history("arrived_in_all", 2)
        since = past[-1][1] - (past[-2][1] if len(past) > 1 else 0) if past else 0
        words = _("%(count)s, as Dovecot tells", count=number(since))
        lines.append(WatchedLine(_("Messages received since yesterday"), words, GOOD))
    waiting = ngettext("%(num)d message waiting", "%(num)d messages waiting", outbox["waiting"] + outbox["sending"])
    trouble = _("%(count)s not sent in the last days", count=number(stuck)) if stuck else ""
    lines.append(
        WatchedLine(
            _("Outbox"),
            ", ".join(filter(None, [waiting, trouble])),
            CAUTION if stuck else GOOD,
            _("one that was not sent"),
            _("Their senders were told. If there are many, look at the mail server’s log.") if stuck else "",
        )  # fmt: skip
    )
    if failed:
        words = ngettext("%(num)d message not sent", "%(num)d messages not sent", failed)
        step = _("Look at the worker’s log: password resets and reminders do not arrive.")
        lines.append(WatchedLine(_("Messages of the establishment"), words, CAUTION, _("one that was not sent"), step))
    return lines


def _disk(latest: dict[str, DailyFigure]) -> list[WatchedLine]:
    if "disk_size" not in latest:
        return []
    size, free = latest["disk_size"].value, latest["disk_free"].value
    left = figures.days_left(figures.history("disk_free"))
    words = _("%(free)s free of %(size)s", free=file_size(free), size=file_size(size))
    if left is not None and left < 3650:
        words += ", " + ngettext("full in %(num)d day at this rate", "full in %(num)d days at this rate", left)
    state = BAD if free < size * _LEAST_FREE / 2 else CAUTION
    if free >= size * _LEAST_FREE and (left is None or left > _FULL_SOON):
        state = GOOD
    step = _("Free up space, or make the disk larger: nothing can be saved once it is full.") if state != GOOD else ""
    threshold = _("less than a tenth free, or full within %(days)d days", days=_FULL_SOON)
    lines = [WatchedLine(_("Disk of this machine"), words, state, threshold, step)]
    promised = _value(latest, "quota_promised")
    if promised:
        used = _value(latest, "mail_used")
        about = _("%(used)s used of %(size)s promised to accounts in all", used=file_size(used), size=file_size(promised))
        filled = figures.days_left([(day, promised - value) for day, value in figures.history("mail_used")])
        if filled is not None and filled < 3650:
            about += ", " + ngettext("full in %(num)d day at this rate", "full in %(num)d days at this rate", filled)
        lines.append(WatchedLine(_("Quotas"), about, GOOD))
    stored = [(_("database: %(size)s", size=file_size(_value(latest, "database_size"))), "database_size"),
              (_("large files: %(size)s", size=file_size(_value(latest, "transfers_stored"))), "transfers_stored")]  # fmt: skip
    lines.append(WatchedLine(_("Stored here"), ", ".join(text for text, name in stored if name in latest), GOOD))
    return lines


def _broken() -> list[WatchedLine]:
    """Periodic work whose last time failed, such as the sweep of the outbox: by its name in the worker's log."""
    found = heartbeat.broken()
    words = ", ".join(f"{one.name} ({one.reason}, {short_date(one.broke)})" for one in found if one.broke)
    step = _("Look in the worker’s log for this name: it is tried again when its time comes.") if found else ""
    state = BAD if found else GOOD
    return [
        WatchedLine(_("Periodic work"), words or _("none failed the last time"), state, _("one whose last time failed"), step)
    ]


def _machine(notes: list[CheckNote], latest: dict[str, DailyFigure]) -> list[WatchedLine]:
    lines = []
    backup = heartbeat.last_done("backup")
    old = backup is None or now() - backup > _OLD_BACKUP
    lines.append(
        WatchedLine(
            _("Backup of the database"),
            short_date(backup) if backup else _("none was ever made"),
            CAUTION if old else GOOD,
            _("older than two days"),
            _("Make one each night: “flask backup”.") if old else "",
        )  # fmt: skip
    )
    days = [note.days for note in notes if note.days is not None]
    if days:
        soon = min(days) < _CERTIFICATE
        words = ngettext("valid for %(num)d day", "valid for %(num)d days", min(days))
        threshold = _("fewer than %(days)d days", days=_CERTIFICATE)
        step = _("Renew it: the program that does so by itself has stopped.") if soon else ""
        lines.append(WatchedLine(_("Certificates"), words, CAUTION if soon else GOOD, threshold, step))
    python = ".".join(map(str, sys.version_info[:3]))
    lines.append(WatchedLine(_("Versions"), f"Python {python} · {figures.database_version()}", GOOD))
    late = not latest or now() - max(row.at for row in latest.values()) > _OLD_FIGURES
    seen = heartbeat.last_seen()
    alive = heartbeat.is_alive(seen)
    words = _("is running") if alive else _("last seen %(when)s", when=short_date(seen)) if seen else _("never ran")
    step = "" if alive and not late else _("Start the service traboule-jobs, and look at its log.")
    lines.append(
        WatchedLine(_("Worker"), words, BAD if not alive else CAUTION if late else GOOD, _("not seen for a minute"), step)
    )
    return lines
