"""Takeout page: what an archive of Google Takeout would bring, of which somebody chooses parts; the file was sent to /import."""

from __future__ import annotations

import re
from typing import Any

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from webmail.errors import LimitReachedError
from webmail.mail import Role
from webmail.models import Task, TaskState
from webmail.takeout import check_task, import_task
from webmail.takeout.blueprint import blueprint
from webmail.tasks import leftovers, store
from webmail.web.current import current_user, settings, task_credential
from webmail.web.labels import role_label
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.texts.task_texts import TASK_TEXTS, Facts, TaskText, task_started

_UPLOAD = re.compile(r"[0-9a-f]{32}")


@blueprint.get("/import/takeout/<upload>")
def show(upload: str) -> Answer:
    """What it would bring; until a worker has looked through it, that this goes on. 2 queries."""
    task = _check_of(upload)
    if _is_taken(upload):
        return redirect(url_for("accounts.tasks"), 303)
    if task.state in store.OPEN:
        return page("takeout/report.html", upload=upload, report=None, name="")
    return _report_page(upload, task)


def _check_of(upload: str) -> Task:
    try:
        task = store.find(current_user(), store.id_of_form(current_user(), f"takeout {upload}"))
    except store.NoSuchTaskError:
        abort(404)
    if task.kind != check_task.NAME or not _UPLOAD.fullmatch(upload):
        abort(404)
    return task


def _import_id(upload: str) -> str:
    return store.id_of_form(current_user(), f"take {upload}")


def _is_taken(upload: str) -> bool:
    """Whether somebody has chosen already, in another window too: the list of tasks says what became of it."""
    return store.is_there(current_user(), _import_id(upload))


def _report_page(upload: str, task: Task, problem: str = "") -> Answer:
    if task.state != TaskState.DONE:
        notify(_("This file was not read. Choose it again."), "caution")
        return redirect(url_for("mailbox.import_mail"), 303)
    result = store.result_of(task)
    report = result["report"]
    return page(
        "takeout/report.html", 422 if problem else 200, upload=upload, report=report, name=result["name"], problem=problem,
        most=import_task.MOST_CALENDARS, folder_label=_folder_label, ticked=request.form.getlist("calendar"),
    )  # fmt: skip


def _folder_label(name: str) -> str:
    """Folders with a role are told by its word."""
    return role_label(Role(name)) if name in set(Role) else name


@blueprint.post("/import/takeout/<upload>")
def take(upload: str) -> Answer:
    """`action`: import the parts that are ticked (`mail`, `contacts`, `calendar` by its number), or cancel."""
    task = _check_of(upload)
    if task.state in store.OPEN:
        return redirect(url_for("takeout.show", upload=upload), 303)
    if _is_taken(upload):
        return redirect(url_for("accounts.tasks"), 303)
    waiting = store.id_of_form(current_user(), upload)
    if request.form.get("action") == "cancel":
        leftovers.remove(waiting, settings())
        notify(_("Nothing was imported."))
        return redirect(url_for("mailbox.import_mail"), 303)
    found: list[dict[str, Any]] = store.result_of(task).get("report", {}).get("calendars", [])
    ticked = [int(one) for one in request.form.getlist("calendar") if one.isascii() and one.isdigit() and len(one) < 4]
    calendars = [[found[one]["entry"], found[one]["title"]] for one in dict.fromkeys(ticked) if one < len(found)]
    mail, contacts = bool(request.form.get("mail")), bool(request.form.get("contacts"))
    if not (mail or contacts or calendars):
        return _report_page(upload, task, _("Choose at least one."))
    if len(calendars) > import_task.MOST_CALENDARS:
        return _report_page(upload, task, _("Choose at most %(most)d calendars at a time.", most=import_task.MOST_CALENDARS))
    given = store.arguments_of(task)
    about = {"mail": waiting, "name": given["name"], "about": given["about"], "take_mail": mail, "contacts": contacts,
             "calendars": calendars}  # fmt: skip
    try:
        started = store.start(
            current_user(), import_task.NAME, about,
            task_id=_import_id(upload), credential=task_credential(),
        )  # fmt: skip
    except LimitReachedError:
        return _report_page(upload, task, _("You have too many tasks running. Wait until one finishes."))
    task_started(started)
    return redirect(url_for("accounts.tasks"), 303)


# --- on the page of tasks --------------------------------------------------------------------------------------------


def _failed(reason: str) -> str:
    return {
        "file-gone": _("The file is no longer available. Import it again."),
        "broken": _("This archive is damaged. Download it from Google again."),
        "too-many": _("You have too many calendars, or too many tasks running. What was started goes on; import the rest again."),
    }.get(reason, "")


def _started(result: Facts) -> str:
    parts = [
        _("mail") if result["mail"] else "",
        _("contacts") if result["contacts"] else "",
        ngettext("%(num)d calendar", "%(num)d calendars", result["calendars"]) if result["calendars"] else "",
    ]
    return _("Started: %(parts)s. Each import is in this list.", parts=", ".join(filter(None, parts)))


TASK_TEXTS[check_task.NAME] = TaskText(
    title=lambda about: _("Reading “%(name)s”.", name=about["name"]),
    done=lambda _result: _("It was read. Nothing is imported until you choose."),
    failed=_failed,
    link=lambda result: (url_for("takeout.show", upload=result["form"]), _("Choose what to import")),
)
TASK_TEXTS[import_task.NAME] = TaskText(
    title=lambda about: _("Importing from “%(name)s”.", name=about["name"]), done=_started, failed=_failed
)
