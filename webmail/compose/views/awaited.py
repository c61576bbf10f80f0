"""Awaited replies: the choice on the form and on a sent message's page, what is awaited, and the reminders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee as pw
from flask import current_app, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap, schedule
from webmail.compose.awaited import answer_days, answer_search, awaited_marks, awaited_replies, awaited_texts
from webmail.compose.blueprint import blueprint
from webmail.compose.forms import ComposeForm
from webmail.database.connection import DATABASE_AWAY
from webmail.errors import LimitReachedError, MailError
from webmail.mail import Message, Role
from webmail.models import AwaitedReply
from webmail.schedule import BadTimeError
from webmail.web.current import current_account, current_user, settings, time_zone
from webmail.web.formatting import day_in_full, today
from webmail.web.forms.request_values import local_path, uidvalidity
from webmail.web.frame.banners import add_banner
from webmail.web.frame.page_rows import add_rows, forget_rows, page_rows
from webmail.web.notices import notify
from webmail.web.rendering import page

_MOST = 200  # on the page
_AT_ONCE = 5  # searched for at a visit

_told = pw.Case(None, [(AwaitedReply.told.is_null(False), 1)], 0)
add_rows(
    "awaited", AwaitedReply, (pw.fn.COUNT(AwaitedReply.id), pw.fn.COALESCE(pw.fn.SUM(_told), 0).cast("TEXT")),
    lambda slot: (AwaitedReply.user == slot("user")) & AwaitedReply.sent.is_null(False) & awaited_replies.WAITING,
)  # fmt: skip
add_rows(
    "awaited due", AwaitedReply, (pw.fn.COUNT(AwaitedReply.id),),
    lambda slot: (AwaitedReply.user == slot("user")) & awaited_replies.DUE & (AwaitedReply.due <= slot("now")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AwaitedRow:
    """What pages show of one."""

    row: AwaitedReply
    words: str
    notes: list[str]

    @property
    def is_open(self) -> bool:
        """Whether a reply is awaited."""
        return not (self.row.answered or self.row.ended)


def _described(row: AwaitedReply) -> AwaitedRow:
    return AwaitedRow(row, awaited_texts.state_words(row), awaited_texts.notes(row))


# --- on the form -----------------------------------------------------------------------------------------------------


@blueprint.app_template_global()
def answer_days_offered(chosen: str | None = "") -> list[tuple[str, str]]:
    """The days to choose from, with one that was chosen before."""
    return [(day.isoformat(), day_in_full(day)) for day in answer_days.choices(today(), chosen or "")]


def chosen_answer_day(form: ComposeForm, sent: datetime | None) -> datetime | None:
    """When to remind (naive UTC), None for never; a day that is not after the message is sent adds an error to the field."""
    if not form.answer_by.data:
        return None
    try:
        return answer_days.due(form.answer_by.data, schedule.local_now(time_zone()), sent)
    except BadTimeError:
        form.mark("answer_by", _("Choose a day after the message is sent, within the next year."))
        return None


# --- on a sent message's page ----------------------------------------------------------------------------------------


@blueprint.app_template_global()
def awaited_of(message: Message, role: Role | None) -> AwaitedRow | None:
    """What is awaited to a message, or came; None if nothing was asked. 1 query for a message that the person sent."""
    if not may_be_awaited(message, role):
        return None
    row = awaited_replies.of_message(current_user(), message.envelope.message_id)
    return _described(row) if row is not None and row.sent else None


@blueprint.app_template_global()
def may_be_awaited(message: Message, role: Role | None) -> bool:
    return bool(message.envelope.message_id) and (role is Role.SENT or awaited_marks.KEYWORD in message.flags)


@blueprint.post("/awaited/message/<int:uid>/<path:mailbox>")
def await_reply(uid: int, mailbox: str) -> Response:
    """Be reminded of a sent message, from now on. 4 round trips, and those of the search for a reply that has come already."""
    back = local_path(request.form.get("back", "")) or url_for("message.show", uid=uid, mailbox=mailbox, v=uidvalidity())
    try:
        due = answer_days.due(request.form.get("day", ""), schedule.local_now(time_zone()))
    except BadTimeError:
        notify(_("Choose a day within the next year."), "caution")
        return redirect(back, 303)
    with imap.connect(current_account(), mailbox) as connection:
        message = imap.messages.fetch(connection, mailbox, uid, uidvalidity())
        place = {"mailbox": mailbox, "uidvalidity": connection.uidvalidity, "uid": uid}
    envelope = message.envelope
    to = ", ".join(one.label for one in envelope.to_and_cc or envelope.bcc)
    sent = (envelope.sent or message.received).replace(tzinfo=None)
    try:
        row = awaited_replies.begin(current_user(), envelope.message_id, envelope.subject, to, due, sent=sent, **place)
    except LimitReachedError:
        notify(_("You can’t wait for a reply to this message."), "caution")
        return redirect(back, 303)
    if _look([row]):
        notify(_("This message has already been answered."))
    else:
        _mark(row)
        notify(awaited_texts.state_words(row))
    return redirect(back, 303)


def _look(rows: list[AwaitedReply]) -> int:
    """Search the inbox for replies to these; 0 while the mail server refuses."""
    try:
        with imap.connect(current_account(), answer_search.MAILBOX) as connection:
            return answer_search.look(connection, current_user(), rows, settings())
    except MailError as error:
        current_app.logger.warning("replies to %d messages can't be looked for: %s", len(rows), error)
        return 0


def _mark(row: AwaitedReply) -> None:
    try:
        awaited_marks.mark(row, current_account())
    except MailError as error:
        current_app.logger.warning("awaited reply %d gets no keyword: %s", row.id, error)


# --- what is awaited -------------------------------------------------------------------------------------------------


@blueprint.get("/awaited")
def list_awaited() -> Response:
    rows = [_described(row) for row in awaited_replies.listing(current_user(), _MOST)]
    return page("compose/awaited.html", rows=rows, on_its_own=bool(settings().token_key_file))


@blueprint.post("/awaited/<int:number>")
def change_awaited(number: int) -> Response:
    """`action`: "wait" until `day`, "end", or "resume"."""
    row = awaited_replies.get(current_user(), number)
    match request.form.get("action", ""):
        case "wait":
            _wait(row)
        case "end":
            if awaited_replies.end(current_user(), number):
                awaited_marks.unmark(row, current_account())
                undo = (url_for("compose.change_awaited", number=number), {"action": "resume"})
                notify(_("You are no longer waiting for a reply."), undo=undo)
        case "resume":
            if awaited_replies.resume(current_user(), number):
                _mark(row)
                notify(_("You are waiting for a reply again."))
    return redirect(local_path(request.form.get("back", "")) or url_for("compose.list_awaited"), 303)


def _wait(row: AwaitedReply) -> None:
    try:
        due = answer_days.due(request.form.get("day", ""), schedule.local_now(time_zone()))
    except BadTimeError:
        notify(_("Choose a day within the next year."), "caution")
        return
    if awaited_replies.postpone(current_user(), row.id, due):
        notify(awaited_texts.state_words(awaited_replies.get(current_user(), row.id)))
    else:
        notify(_("You are no longer waiting for a reply to this message."), "caution")


@blueprint.get("/awaited/<int:number>/message")
def show_awaited(number: int) -> Response:
    """The message itself, wherever it was moved; with `again`, a new one to the same people."""
    row = awaited_replies.get(current_user(), number)
    with imap.connect(current_account(), row.mailbox or answer_search.MAILBOX) as connection:
        uid = awaited_marks.find(connection, row)
    if not uid:
        notify(_("This message is no longer there: it was deleted, or moved to a folder of yours."), "caution")
        return redirect(url_for("compose.list_awaited"))
    place: dict[str, Any] = {"uid": uid, "mailbox": row.mailbox, "v": row.uidvalidity}
    if "again" in request.args:
        return redirect(url_for("compose.reply", **place, all=1))
    return redirect(url_for("message.show", **place, back=url_for("compose.list_awaited")))


# --- reminders -------------------------------------------------------------------------------------------------------


@blueprint.app_template_global()
def awaited_reminders() -> list[AwaitedRow]:
    """Of what the person was reminded, and has not decided. 1 query where there is something."""
    return [_described(row) for row in awaited_replies.reminded(current_user(), _MOST)] if _banner_shown() else []


@add_banner("compose/_awaited_reminders.html", "awaited-due")
def _banner_shown() -> bool:
    if not getattr(session, "user", None) or request.endpoint == "compose.list_awaited":
        return False
    return any(row.number and int(row.text or 0) for row in page_rows("awaited"))


@blueprint.before_app_request
def look_at_visits() -> None:
    """Where no worker can look, for want of a password: whoever opens a list is reminded then, once the inbox was searched."""
    if request.endpoint != "mailbox.show" or request.method != "GET" or settings().token_key_file:
        return
    try:
        if not getattr(session, "user", None) or not any(row.number for row in page_rows("awaited due")):
            return
        rows = awaited_replies.due_rows(current_user(), _AT_ONCE)
        with imap.connect(current_account(), answer_search.MAILBOX) as connection:
            answered = answer_search.look(connection, current_user(), rows, settings())
        if answered:
            awaited_marks.settle(current_user(), current_account())
        awaited_replies.take_due(rows)
        forget_rows()
    except (MailError, *DATABASE_AWAY) as error:
        current_app.logger.warning("awaited replies are not looked for: %s", error)
