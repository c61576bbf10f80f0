"""Snooze page: lists snoozed messages, wakes or reschedules them; wakes due messages when no worker can."""

from __future__ import annotations

from datetime import timedelta

import peewee as pw
from flask import current_app, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap, schedule
from webmail.database.connection import DATABASE_AWAY
from webmail.database.user_lock import user_lock
from webmail.errors import MailError, ServerAwayError, SignInRefusedError
from webmail.mail import Role
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.snooze import snooze
from webmail.models import Snoozed
from webmail.web.current import current_account, current_user, remember_overview, settings, time_zone
from webmail.web.formatting import long_date
from webmail.web.frame.page_rows import add_rows, page_rows
from webmail.web.labels import mailbox_label
from webmail.web.notices import notify
from webmail.web.rendering import page

_WORKER_LATE = timedelta(minutes=3)  # then a request does the worker's job


add_rows("due", Snoozed, (pw.fn.COUNT(Snoozed.id),), lambda slot: (Snoozed.user == slot("user")) & (Snoozed.due <= slot("now")))


@blueprint.before_request
def wake_what_is_due() -> None:
    """Opening a list wakes due messages if the worker has no credential or does not run."""
    if request.endpoint != "mailbox.show" or request.method != "GET":
        return
    late = _WORKER_LATE if settings().token_key_file else timedelta(0)
    try:
        if any(row.number for row in page_rows("due")) and (rows := snooze.due(current_user(), late)):
            snooze.wake_due(current_account(), rows)
    except DATABASE_AWAY as error:
        current_app.logger.warning("snoozed messages are not looked for: %s", error)


@blueprint.get("/snoozed")
def list_snoozed() -> Response:
    return _page()


@blueprint.post("/snoozed/<int:id_>")
def change_snoozed(id_: int) -> Response:
    user, form = current_user(), request.form
    row = snooze.get(user, id_)
    match form.get("action", ""):
        case "wake":
            with user_lock(user.id), imap.connect(current_account()) as connection:
                done = snooze.wake(connection, row)
                _tell(done, row)
        case "cancel":
            with user_lock(user.id), imap.connect(current_account()) as connection:
                done = snooze.cancel(connection, row)
                _tell(done, row)
        case "change":
            try:
                due = snooze.chosen_time("", form.get("day", ""), form.get("hour", ""), schedule.local_now(time_zone()))
            except schedule.BadTimeError:
                return _page(422, wrong=id_)
            snooze.change(row, due)
            notify(_("It will come back on %(when)s.", when=long_date(snooze.aware(due))))
        case _:
            notify(_("Nothing to change."), "caution")
    return redirect(url_for("mailbox.list_snoozed"), 303)


def _tell(done: bool, row: Snoozed) -> None:
    if done:
        notify(_("The message is back in %(folder)s.", folder=mailbox_label(row.mailbox)))
    elif snooze.still_waits(row):
        notify(_("This message is already being brought back. If it isn’t there in two minutes, try again."), "caution")
    else:
        notify(_("This message is no longer snoozed: it has come back, or was moved or deleted."), "caution")


def _page(status: int = 200, wrong: int = 0) -> Response:
    """The list of snoozed messages; not checked against the mailbox while the mail server is unreachable."""
    folder = ""
    try:
        with imap.connect(current_account()) as connection:
            snooze.tidy(connection, current_user())
            overview = imap.mailboxes.overview(connection)
            remember_overview(overview)
            folder = next((m.name for m in overview.mailboxes if m.role is Role.SNOOZED), "")
    except (ServerAwayError, SignInRefusedError) as error:
        current_app.logger.info("what is snoozed is shown unchecked: %s", error)
    except MailError:
        current_app.logger.warning("what is snoozed can't be checked", exc_info=True)
    rows = [(row, snooze.local(row.due, time_zone())) for row in snooze.waiting(current_user())]
    return page(
        "mailbox/snoozed.html", status, rows=rows, wrong=wrong, folder=folder, today=schedule.local_now(time_zone()).date(),
        on_its_own=bool(settings().token_key_file),
    )  # fmt: skip
