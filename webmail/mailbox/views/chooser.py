"""Chooser: where messages move to, or which tags they have: a piece over the list with scripts, a page without."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import imap
from webmail.errors import NotAllowedError, RefusedError
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.mail import Mailbox
from webmail.mailbox import folders, move_targets, retag, selection, tags
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.folders import BadFolderNameError, NewFolder
from webmail.mailbox.move_targets import TargetGroup, grouped, matches, targets
from webmail.mailbox.views.action_form import ListJob, about, asking
from webmail.mailbox.views.folders.folder import fault_words, refused_words
from webmail.web.current import current_user, remember_overview
from webmail.web.labels import mailbox_label, mailbox_path
from webmail.web.rendering import fragment, page


def ask_folder(job: ListJob, how: str, error: str = "") -> Response:
    """Ask where the messages are moved to ("move") or copied to ("copy"), with what was typed so far as the filter."""
    found = imap.mailboxes.overview(job.connection)
    remember_overview(found)
    typed = request.form.get("find", "")[: move_targets.LONGEST_FILTER].strip()
    fit = targets(found, {each.mailbox for each in job.chosen})
    shown = [m for m in fit if matches(_path(m), typed)]
    exact = any(_path(m).casefold() == typed.casefold() for m in fit)
    groups = grouped(found, shown, () if typed else move_targets.recent(current_user()))
    return _chooser_page(
        job, "folder", error, title=_folder_title(how, selection.count(job.chosen)), how=how, typed=typed, exact=exact,
        groups=_filtered(groups) if typed else groups, group_names=_group_names(), delimiter=folders.delimiter_of(found),
        here=job.chosen[0].mailbox,
    )  # fmt: skip


def made_target(job: ListJob) -> str | Response:
    """The mailbox of the typed name, made unless it is there; or the chooser again, saying why that can't be."""
    how = job.argument
    found = imap.mailboxes.overview(job.connection)
    remember_overview(found)
    typed = request.form.get("find", "")
    try:
        place = move_targets.typed_folder(typed, found, _paths(found))
        if isinstance(place, NewFolder):
            for name in (*place.above, place.name):
                imap.actions.make(job.connection, name)
        elif place not in targets(found, {each.mailbox for each in job.chosen}):
            return ask_folder(job, how, _("This folder can’t hold messages. Choose another one."))
    except BadFolderNameError as error:
        return ask_folder(job, how, fault_words(error.fault))
    except (RefusedError, NotAllowedError) as error:
        return ask_folder(job, how, refused_words(error))
    return place.name


def ask_tags(job: ListJob, error: str = "") -> Response:
    """Ask for the tags, ticked as they stand now, or as they were ticked when there was an error."""
    form, connection = request.form, job.connection
    mine = tags.for_user(current_user())
    counts = retag.standing(connection, job.chosen, mine)
    imap.actions.flaggable(connection)
    standing = retag.on_all(counts, job.chosen)
    return _chooser_page(
        job, "tags", error, counts=counts, on_all=standing, ticked=form.getlist("on") if error else standing,
        wanted=form.getlist("some") if error else [], keeps=any(connection.keeps(each) for each in [*counts, "NewTag"]),
        can_make=connection.keeps("NewTag"), colours=tags.COLOURS, name=form.get("name", ""), colour=form.get("colour", ""),
    )  # fmt: skip


def wanted_changes() -> tuple[list[str], list[str]]:
    """The keywords to put on and to take off, by a tags form as it was shown (`had`) and as it came back."""
    form = request.form
    on, had = form.getlist("on"), form.getlist("had")
    some = [(value[:1], value[1:]) for value in form.getlist("some") if value]
    add = [keyword for keyword in on if keyword not in had] + [keyword for sign, keyword in some if sign == "+"]
    remove = [keyword for keyword in had if keyword not in on] + [keyword for sign, keyword in some if sign == "-"]
    return add[: retag.MOST_AT_ONCE], remove[: retag.MOST_AT_ONCE]


def _chooser_page(job: ListJob, what: str, error: str, **context: Any) -> Response:
    """With scripts only the piece, in the place of the one that is open already."""
    status = 422 if error else 200
    context |= {"what": what, "error": error, **about(job.mailbox, job.chosen)}
    htmx = request.htmx  # type: ignore[attr-defined]
    if not htmx or (htmx.target != "chooser" and "pop" not in request.form):
        return asking(page("mailbox/chooser.html", status, **context))
    answer = fragment(f"mailbox/_choose_{what}.html", status, inside=True, **context)
    answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#chooser", "outerHTML"
    return asking(answer)


def _filtered(groups: list[TargetGroup]) -> list[TargetGroup]:
    """Without the parents that only lead to others."""
    return [TargetGroup(group.name, tuple(row for row in group.rows if row.is_target)) for group in groups]


def _paths(found: Overview) -> dict[str, str]:
    """The folders as people read them, by name."""
    return {m.name: _path(m) for m in found.mailboxes}


def _folder_title(how: str, count: int) -> str:
    if how == "copy":
        return ngettext("Copy %(num)d message to", "Copy %(num)d messages to", count)
    return ngettext("Move %(num)d message to", "Move %(num)d messages to", count)


def _group_names() -> dict[str, str]:
    return {"recent": _("Recent"), "own": _("My folders"), "special": _("Mailbox"), "shared": _("Shared with me")}


@blueprint.app_template_global()
def path_above(mailbox: Mailbox) -> str:
    """What stands before a folder's own name in its path, with the delimiter; empty at the top."""
    if mailbox.role or not mailbox.depth:
        return ""
    path = mailbox.name.removeprefix(mailbox.prefix) if mailbox.owner else mailbox_path(mailbox)
    return path.removesuffix(mailbox.label)


def _path(mailbox: Mailbox) -> str:
    """A folder as people read it: "Archives/2025", "Team/2025 (alice)"."""
    return path_above(mailbox) + mailbox_label(mailbox.name)
