"""Archive texts: rules and nights of archiving told in sentences, and its tasks on the page of tasks."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.filters.archiving import archive_log, archive_task, archive_undo
from webmail.filters.archiving.archive_log import ToldNight
from webmail.filters.archiving.archive_rules import AgeUnit, ArchiveAction, ArchivePlan
from webmail.filters.blueprint import blueprint
from webmail.filters.views.sentences import quoted_value
from webmail.mail import Role
from webmail.mailbox import tags
from webmail.models import ArchiveRun
from webmail.web.current import current_user, overview, preferences
from webmail.web.formatting import day_in_full, today
from webmail.web.frame.areas import page_location
from webmail.web.labels import mailbox_label, mailbox_path
from webmail.web.texts.task_texts import TASK_TEXTS, TaskText

# --- rules -----------------------------------------------------------------------------------------------------------


def folder_words(name: str) -> str:
    found = overview()
    mailbox = found.get(name) if found else None
    return quoted_value(mailbox_path(mailbox) if mailbox else mailbox_label(name), 100)


def rule_title(plan: ArchivePlan) -> str:
    """Which messages."""
    return _("%(folder)s: messages %(age)s", folder=folder_words(plan.mailbox), age=_age(plan))


def _age(plan: ArchivePlan) -> str:
    match plan.unit:
        case AgeUnit.DAYS:
            return ngettext("older than %(num)d day", "older than %(num)d days", plan.amount)
        case AgeUnit.MONTHS:
            return ngettext("older than %(num)d month", "older than %(num)d months", plan.amount)
    return _("from before this school year")


def rule_words(plan: ArchivePlan) -> str:
    """What happens to them, and which stay."""
    parts = ((plan.keep_unread, _("unread")), (plan.keep_flagged, _("flagged")), (plan.keep_tagged, _("tagged")))
    kept = [words for keeps, words in parts if keeps]
    but = _("Except: %(list)s.", list=", ".join(kept)) if kept else ""
    return " ".join(filter(None, [_action(plan), but]))


def _action(plan: ArchivePlan) -> str:
    match plan.action:
        case ArchiveAction.ARCHIVE if plan.split == "month":
            return _("They move to the archive, into a folder for each month.")
        case ArchiveAction.ARCHIVE:
            return _("They move to the archive, into a folder for each year.")
        case ArchiveAction.TAG:
            tag = tags.get(current_user(), plan.keyword)
            return _("They get the tag “%(name)s”.", name=quoted_value(tag.name if tag else plan.keyword))
    found = overview()
    mailbox = found.get(plan.mailbox) if found else None
    if mailbox and mailbox.role is Role.JUNK:
        return _("They move to the trash.")
    return _("They are deleted for good.")


# --- nights ----------------------------------------------------------------------------------------------------------


def night_words(run: ArchiveRun) -> str:
    """What a night did, as a list."""
    parts = [
        (run.archived, ngettext("%(num)d message archived", "%(num)d messages archived", run.archived)),
        (run.tagged, ngettext("%(num)d message tagged", "%(num)d messages tagged", run.tagged)),
        (run.trashed, ngettext("%(num)d message moved to the trash", "%(num)d messages moved to the trash", run.trashed)),
        (run.deleted, ngettext("%(num)d message deleted for good", "%(num)d messages deleted for good", run.deleted)),
    ]
    return ", ".join(words for count, words in parts if count) or _("Nothing was done.")


def trouble_lines(run: ArchiveRun) -> list[str]:
    words = {
        "gone": _("%(folder)s: this folder no longer exists."),
        "rule": _("%(folder)s: this rule no longer fits. Edit it."),
        "over-quota": _("%(folder)s: your mailbox is full. The rest stays where it is until there is space."),
        "not-allowed": _("%(folder)s: you don’t have permission to move its messages."),
        "server": _("%(folder)s: the mail server can’t do this safely."),
        "tags": _(
            "%(folder)s: there are too many different tags to leave tagged messages out, so nothing was done. Edit the rule."
        ),
    }
    otherwise = _("%(folder)s: the mail server refused this.")
    return [words.get(word, otherwise) % {"folder": folder_words(mailbox)} for word, mailbox in archive_log.troubles_of(run)]


@blueprint.app_template_filter()
def full_day(day: date) -> str:
    return day_in_full(day)


@blueprint.app_template_global()
def archived_known() -> ToldNight | None:
    """What the notice on the pages of mail says, from a copy: neither a query nor the mail server is asked."""
    return None if page_location().side_bar else archive_log.told(preferences().archived, today())


@blueprint.app_template_global()
def archived_words(night: ToldNight) -> str:
    if night.night < today() - timedelta(days=1):
        day = day_in_full(night.night)
        if night.mixed:
            return ngettext(
                "%(num)d old message was tidied up on %(day)s.", "%(num)d old messages were tidied up on %(day)s.",
                night.count, day=day,
            )  # fmt: skip
        return ngettext(
            "%(num)d message was archived on %(day)s.", "%(num)d messages were archived on %(day)s.", night.count, day=day
        )
    if night.mixed:
        return ngettext(
            "%(num)d old message was tidied up last night.", "%(num)d old messages were tidied up last night.", night.count
        )
    return ngettext("%(num)d message was archived last night.", "%(num)d messages were archived last night.", night.count)


def night_of(run: ArchiveRun) -> date:
    return date.fromisoformat(run.night)


# --- on the page of tasks --------------------------------------------------------------------------------------------


def _failed(reason: str) -> str:
    return _("The mail server refuses access. Tell your administrator.") if reason == "sign-in" else ""


def _undone(result: dict[str, Any]) -> str:
    told = [ngettext("%(num)d message was brought back.", "%(num)d messages were brought back.", result["count"])]
    if result["left"]:
        told.append(
            ngettext(
                "%(num)d message had been moved or deleted since.",
                "%(num)d messages had been moved or deleted since.",
                result["left"],
            )
        )
    return " ".join(told)


def _log_link(_result: dict[str, Any]) -> tuple[str, str]:
    return url_for("filters.show_archiving"), _("Automatic archiving")


TASK_TEXTS[archive_task.NAME] = TaskText(
    title=lambda _about: _("Archiving old messages."),
    done=lambda result: (
        ngettext("%(num)d message archived.", "%(num)d messages archived.", result["count"])
        if result["count"]
        else _("There was nothing to archive.")
    ),
    failed=_failed,
    link=_log_link,
)
TASK_TEXTS[archive_undo.NAME] = TaskText(
    title=lambda _about: _("Bringing archived messages back."), done=_undone, failed=_failed, link=_log_link
)
