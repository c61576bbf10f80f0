"""Moves by hand: a filter is suggested after the third of the same kind, and marks as junk or not are counted by the week."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from flask import Flask, current_app, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.account import Account
from webmail.database.connection import DATABASE_AWAY, thread_connection
from webmail.errors import MailError
from webmail.filters import junk_weeks, move_habits, store
from webmail.filters.blueprint import blueprint
from webmail.filters.move_habits import MovedSource
from webmail.filters.page_parts import LOOKED_FOR, MOVED
from webmail.filters.rules.rules import ActionKind, MatchKind, RuleAction
from webmail.filters.views.sentences import quoted_value
from webmail.imap.bulk import origin_headers
from webmail.mail import Role
from webmail.mailbox.moves_by_hand import MovedByHand
from webmail.models import MoveHabit, User, now
from webmail.web.current import after_the_answer, current_account, current_user, settings
from webmail.web.forms.request_values import local_path
from webmail.web.labels import mailbox_label
from webmail.web.notices import notify

log = logging.getLogger(__name__)

_MOST = 20  # messages of one move that are looked at
_FILED = (None, Role.ARCHIVE)  # roles of folders that a filter may be suggested for


def learn_from(moved: MovedByHand) -> dict[str, Any] | None:
    """Count what was done, once it is answered; a link to block whoever wrote a message that was marked as junk."""
    if settings().sieve is None:
        return None
    kept = imap.mailboxes.cached(current_account())
    roles = {one.name: one.role for one in kept.found.mailboxes} if kept else {}
    to = Role.JUNK if moved.action == "junk" else roles.get(moved.to)
    was_junk = any(roles.get(name) is Role.JUNK for name in moved.sources)
    if to is Role.JUNK:
        count_marks(junk=moved.count)
    elif was_junk and to is not Role.TRASH:
        count_marks(ham=moved.count)
    elif moved.action == "move" and to in _FILED and moved.count <= _MOST and moved.messages:
        session[MOVED] = time.time()
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        after_the_answer(partial(_count_move, app, current_user().id, current_account(), moved))
    return _block_link(moved) if to is Role.JUNK and moved.action == "junk" else None


def _block_link(moved: MovedByHand) -> dict[str, Any] | None:
    if len(moved.messages) != 1 or len(moved.messages[0][2]) != 1:
        return None
    mailbox, validity, [uid] = moved.messages[0]
    back = local_path(request.form.get("back", "")) or None
    url = url_for("filters.from_message", uid=uid, mailbox=mailbox, v=validity, back=back)
    return {"url": url, "text": _("Block the sender…"), "here": True}


def count_marks(*, junk: int = 0, ham: int = 0) -> None:
    """Count messages that were just marked as junk or as not junk, once this request is answered."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    after_the_answer(partial(_count_marks, app, current_user().id, junk, ham))


def _count_marks(app: Flask, user_id: int, junk: int, ham: int) -> None:
    try:
        with app.app_context(), thread_connection():
            junk_weeks.note(User.get_by_id(user_id), junk=junk, ham=ham)
    except DATABASE_AWAY as error:
        log.warning("marks are not counted: %s", error)


def _count_move(app: Flask, user_id: int, account: Account, moved: MovedByHand) -> None:
    """Who wrote what was moved is read where it is now. Whatever goes wrong, nobody misses it."""
    try:
        with app.app_context(), thread_connection():
            found = {one for mailbox, validity, uids in moved.messages for one in _sources(account, mailbox, validity, uids)}
            user = User.get_by_id(user_id)
            if move_habits.due(user, found, moved.to):
                found -= _sorted_already(account, moved.to)
            move_habits.note(user, found, moved.to)
    except (MailError, *DATABASE_AWAY) as error:
        log.info("a move is not counted: %s", error)


def _sources(account: Account, mailbox: str, validity: int, uids: Sequence[int]) -> list[MovedSource]:
    with imap.connect(account, mailbox) as connection:
        found = origin_headers.read(connection, mailbox, uids, validity)
    own = account.address.lower()
    senders = [one.sender[0].email.lower() if one.sender else "" for one in found]
    return [
        MovedSource("list", one.list_id.lower()) if move_habits.names_list(one.list_id) else MovedSource("from", sender)
        for one, sender in zip(found, senders, strict=True)
        if move_habits.names_list(one.list_id) or ("@" in sender and sender != own)
    ]


def _sorted_already(account: Account, mailbox: str) -> set[MovedSource]:
    """What a filter moves there anyhow: old mail of it, that is moved by hand, is no reason to suggest another one."""
    rules = [
        rule for rule in store.load(account).filters.rules if rule.on and RuleAction(ActionKind.MOVE, mailbox) in rule.actions
    ]
    asked = [one for rule in rules for one in rule.conditions if not one.negated]
    return {MovedSource(str(one.field), value.lower()) for one in asked for value in one.values}


# --- the suggestion --------------------------------------------------------------------------------------------------


def suggest_filter() -> None:
    """After a move, on a page of mail: 1 query."""
    habit = move_habits.suggestion(current_user(), now() - timedelta(seconds=LOOKED_FOR))
    if habit is None:
        return
    session.pop(MOVED)
    here = request.full_path.rstrip("?")
    decline = (url_for("filters.decline_suggestion"), {"habit": habit.id, "back": here}, _("Don’t suggest this"))
    url = url_for(
        "filters.new_rule", field=habit.field, match=MatchKind.CONTAINS if habit.field == "list" else MatchKind.IS,
        value=habit.value, action=ActionKind.MOVE, to=habit.mailbox,
    )  # fmt: skip
    notify(_suggestion_words(habit), "plain", link={"url": url, "text": _("Create a filter"), "here": True}, button=decline)


def _suggestion_words(habit: MoveHabit) -> str:
    folder = mailbox_label(habit.mailbox)
    if habit.field == "list":
        return _(
            "Always move messages of the list “%(name)s” to “%(folder)s”?",
            name=quoted_value(habit.value),
            folder=quoted_value(folder),
        )
    return _(
        "Always move messages from %(address)s to “%(folder)s”?", address=quoted_value(habit.value), folder=quoted_value(folder)
    )


@blueprint.post("/filters/suggestion")
def decline_suggestion() -> Response:
    if move_habits.decline(current_user(), request.form.get("habit", 0, int)):
        notify(_("No filter will be suggested for these messages again."))
    return redirect(local_path(request.form.get("back", "")) or url_for("mailbox.show", mailbox="INBOX"), 303)
