"""Archiving page: the rules for old messages, what the last nights did, and undo of a night for a week."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from flask import has_request_context, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.database import undo_store
from webmail.errors import LimitReachedError, MailError, NoSuchMailboxError, ServerAwayError, SignInRefusedError
from webmail.filters.archiving import archive_log, archive_rules, archive_undo, dry_run
from webmail.filters.archiving.archive_rules import AgeUnit, ArchiveAction, ArchivePlan
from webmail.filters.archiving.archive_task import TooManyTagsError
from webmail.filters.archiving.archive_undo import BegunUndo
from webmail.filters.blueprint import blueprint
from webmail.filters.views.archiving.archive_texts import (
    folder_words,
    night_of,
    night_words,
    rule_title,
    rule_words,
    trouble_lines,
)
from webmail.mail import Mailbox
from webmail.models import ArchiveRun, AuditAct, User
from webmail.web.audit import audited
from webmail.web.current import current_account, current_user, overview, settings
from webmail.web.formatting import day_in_full
from webmail.web.forms.request_values import fetched_ahead, local_path
from webmail.web.notices import notify, withdraw_notices
from webmail.web.rendering import page
from webmail.web.texts.task_texts import task_started

_OPENING = '{"archive-rule"'


@dataclass(frozen=True, slots=True)
class ArchiveLine:
    """A rule as the list shows it. `gone`: its folder is no more."""

    plan: ArchivePlan
    title: str
    words: str
    gone: bool


@dataclass(frozen=True, slots=True)
class NightLine:
    """A night as the log shows it. `reversible`: how many messages undo would bring back."""

    run: int
    day: str
    words: str
    troubles: list[str]
    reversible: int
    undone: bool


@blueprint.get("/archiving")
def show_archiving() -> Response:
    """2 queries; the folders are those of the side bar."""
    user, found = current_user(), overview()
    if not fetched_ahead():
        archive_log.seen(user)
    mine = archive_rules.own(user)
    theirs = archive_rules.given(user, settings(), found, mine) if found else []
    return page(
        "filters/archiving.html", offered=bool(settings().token_key_file), lines=[_line(plan) for plan in mine],
        given=[_line(plan) for plan in theirs], nights=[_night(run) for run in archive_log.nights(user)],
        giver=settings().domain_label(user.domain), time=settings().archive_time,
    )  # fmt: skip


def _line(plan: ArchivePlan) -> ArchiveLine:
    found = overview()
    gone = found is not None and found.get(plan.mailbox) is None
    return ArchiveLine(plan, rule_title(plan), rule_words(plan), gone)


def _night(run: ArchiveRun) -> NightLine:
    words = night_words(run)
    return NightLine(
        run.id, day_in_full(night_of(run)), words, trouble_lines(run), archive_log.reversible(run), run.undone is not None
    )


@blueprint.post("/archiving")
def change_archiving() -> Response:
    """What a button of the list says: a verb, a rule, and for `before` and `after` another rule. Each may come twice."""
    user = current_user()
    verb, _space, rest = request.form.get("action", "").partition(" ")
    which, _space, other = rest.partition(" ")
    if verb in ("on", "off"):
        key = rest  # names of given rules may hold spaces
        if archive_rules.switch(user, settings(), key, verb == "on"):
            notify(_("The rule is on.") if verb == "on" else _("The rule is off."))
    elif not (number := _number(which)):
        pass
    elif verb in ("before", "after"):
        archive_rules.put_beside(user, number, _number(other), after=verb == "after")
    elif verb == "delete":
        position = archive_rules.position_of(user, number)
        if plan := archive_rules.remove(user, number):
            kept = json.dumps({"archive-rule": asdict(plan), "position": position})
            undo = (url_for("filters.restore_archive_rule"), {"undo": undo_store.keep(user, kept)})
            notify(_("The rule was deleted."), undo=undo)
    return to_archiving()


def _number(key: str) -> int:
    """Of a rule of one's own; 0 for anything else."""
    digits = key.removeprefix("own-")
    return int(digits) if digits.isdecimal() and len(digits) < 10 else 0


def to_archiving() -> Response:
    return redirect(url_for("filters.show_archiving"), 303)


@blueprint.post("/archiving/restore")
def restore_archive_rule() -> Response:
    """Put a deleted rule back."""
    user = current_user()
    row = undo_store.take(user, request.form.get("undo", ""), _OPENING)
    withdraw_notices()
    if row is None:
        notify(_("There was nothing to undo."))
        return to_archiving()
    steps = json.loads(row.steps)
    kept = {**steps["archive-rule"]}
    plan = ArchivePlan(**{**kept, "unit": AgeUnit(kept["unit"]), "action": ArchiveAction(kept["action"])})
    archive_rules.put_back(user, plan, int(steps["position"]))
    notify(_("Undone."))
    return to_archiving()


# --- dry run ---------------------------------------------------------------------------------------------------------


@blueprint.get("/archiving/preview")
def preview_archiving() -> Response:
    """What a rule would do now, one's own or a given one. Nothing is changed."""
    key, user, found = request.args.get("rule", ""), current_user(), overview()
    mine = archive_rules.own(user)
    plans = [*mine, *(archive_rules.given(user, settings(), found, mine) if found else [])]
    plan = next((one for one in plans if one.key == key), None)
    if plan is None:
        if found is not None:
            notify(_("This rule no longer exists."), "caution")
            return to_archiving()
        return page("filters/archive_preview.html", 502, trouble=away_words(), tried=None, title="", words="")
    tried, trouble, status = try_out(plan)
    return page(
        "filters/archive_preview.html", status, trouble=trouble, tried=tried, title=rule_title(plan), words=rule_words(plan)
    )


def try_out(plan: ArchivePlan) -> tuple[dry_run.DryRun | None, str, int]:
    """What it would do, or why that can't be told, with the status of the page."""
    try:
        with imap.connect(current_account(), plan.mailbox) as connection:
            return dry_run.look(connection, plan, current_user(), settings()), "", 200
    except NoSuchMailboxError:
        return None, _("The folder “%(folder)s” no longer exists. Choose another one.", folder=folder_words(plan.mailbox)), 200
    except (ServerAwayError, SignInRefusedError) as error:
        return None, away_words(), error.status
    except TooManyTagsError as error:
        words = _("This folder has too many different tags to leave tagged messages out. Untick “tagged messages” in the rule.")
        return None, words, error.status
    except MailError as error:
        return None, _("The mail server could not count these messages."), error.status


def away_words() -> str:
    return _("The mail server is not responding. Nothing was changed. Please try again in a few minutes.")


# --- nights ----------------------------------------------------------------------------------------------------------


@blueprint.post("/archiving/undo")
def undo_archiving() -> Response:
    """Bring a night's messages back, by a worker; the rules that moved them are switched off."""
    user = current_user()
    number = request.form.get("run", "")
    run = archive_log.find(user, int(number)) if number.isdecimal() and len(number) < 10 else None
    archive_log.seen(user)
    begun = BegunUndo()
    try:
        if run is not None and settings().token_key_file:
            begun = archive_undo.begin(user, run, settings())
    except LimitReachedError:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")
        return _back()
    if begun.task is None:
        notify(_("There was nothing to undo."))
        return _back()
    audited(AuditAct.ARCHIVE_UNDONE, user.address, messages=begun.task.total)
    task_started(begun.task)
    link = {"url": url_for("filters.show_archiving"), "text": _("Automatic archiving"), "here": True}
    if begun.off:
        notify(_("The rules that had moved these messages are now off."), "plain", link=link)
    if begun.again:
        notify(_("A rule of your organisation, which can’t be turned off, will move them again."), "caution", link=link)
    return _back()


@blueprint.post("/archiving/seen")
def archiving_seen() -> Response:
    """The notice was read."""
    archive_log.seen(current_user())
    return _back()


def _back() -> Response:
    return redirect(local_path(request.form.get("back", "")) or url_for("filters.show_archiving"), 303)


@blueprint.app_template_global()
def archiving_is_suggested() -> bool:
    """Whether a mailbox that fills up is a reason to speak of archiving: it can be had, and there is no rule yet. 1 query."""
    return bool(settings().token_key_file) and not archive_rules.own(current_user())


def choices(found: list[Mailbox]) -> list[Mailbox]:
    return [mailbox for mailbox in found if archive_rules.may_be_chosen(mailbox)]


def follow_folder(user: User, now: Callable[[str], str], gone: bool) -> None:
    for plan in archive_rules.follow(user, now, gone):
        if not has_request_context():
            continue
        link = {"url": url_for("filters.show_archiving"), "text": _("Automatic archiving"), "here": True}
        notify(_("An archiving rule used the folder “%(name)s”. It is now off.", name=plan.mailbox), "caution", link=link)
