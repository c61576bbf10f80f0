"""Try it: which messages of a folder a rule of the form would touch, and why, before it is saved; and the rule applied to them.

The page carries the whole form along, so that from it one goes on changing the rule, or saves it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import imap
from webmail.database import undo_store
from webmail.database.user_lock import user_lock
from webmail.errors import LimitReachedError, MailError, NoSuchMailboxError, UnsafeValueError
from webmail.filters.blueprint import blueprint
from webmail.filters.rules import apply_task, matching, rule_draft
from webmail.filters.rules.apply_steps import DOES
from webmail.filters.rules.apply_task import ApplyState
from webmail.filters.rules.matching import TouchedMessage, Tried
from webmail.filters.rules.rule_draft import RuleDraft
from webmail.filters.rules.rules import ActionKind, BadRuleError, FilterRule, from_json, to_json
from webmail.filters.rules.script_context import place_to_try
from webmail.filters.views.sentences import condition_words, folder_name, quoted_value, rule_name, sentence
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.mailbox import undo
from webmail.mime.headers import headers
from webmail.models import Task
from webmail.tasks import store
from webmail.web.current import current_account, current_user, overview, settings, task_credential
from webmail.web.formatting import number
from webmail.web.frame.quota_notice import room_link
from webmail.web.labels import mailbox_path
from webmail.web.notices import notify, withdraw_notices
from webmail.web.rendering import page
from webmail.web.texts.task_texts import OVER_QUOTA, TASK_TEXTS, Facts, TaskText, task_started

_SHOWN = 50  # rows
_OWN_FIELDS = ("csrf_token", "action", "adapt", "try-folder", "try-task")


@dataclass(frozen=True, slots=True)
class TriedRow:
    uid: int
    subject: str
    sender: str
    received: Any
    reasons: str


def rule_to_try(draft: RuleDraft) -> tuple[FilterRule, bool]:
    """The rule, and whether it can be saved: what it does may still be missing. Raises BadRuleError for its conditions and
    name."""
    try:
        return rule_draft.rule_of(draft), True
    except BadRuleError as error:
        if not error.what.startswith("actions"):
            raise
        return rule_draft.rule_of(replace(draft, actions=(), stop=True)), False


def show_tryout(rule: FilterRule, complete: bool, action: str) -> Response:
    """2 to 4 round trips, and 1 more for each 4 MB of texts. `action`: the address of the form."""
    mailbox = request.form.get("try-folder", "INBOX") or "INBOX"
    found, trouble, status, validity = Tried((), 0), "", 200, 0
    try:
        if matching.can_tell(rule):
            with imap.connect(current_account(), mailbox) as connection:
                connection.select(mailbox)
                validity = connection.uidvalidity
                found = matching.try_newest(connection, rule, place_to_try(current_user(), settings()))
        else:
            trouble = _("The spam score is only known as a message arrives, so this filter can’t be tried out.")
    except MailError as error:
        status = 502 if error.status >= 500 else error.status
        trouble = _why_not(error)
    folders = overview()  # for the names of folders, in the sentence too
    rows = [_row(one) for one in found.touched[:_SHOWN]]
    return page(
        "filters/tryout.html", status, action=action, fields=_fields(), trouble=trouble, sentence=sentence(rule), mailbox=mailbox,
        folder=folder_name(mailbox), folders=_choices(folders, mailbox), touched=len(found.touched), rows=rows,
        words=_result_words(found, folder_name(mailbox)), unread=unread_words(found.unread) if found.unread else "",
        validity=validity, complete=complete, can_apply=complete and apply_task.can_apply(rule), task=store.new_id(),
        only_new=any(one.kind not in DOES and one.kind is not ActionKind.STOP for one in rule.actions),
    )  # fmt: skip


def _fields() -> list[tuple[str, str]]:
    """What was typed, to be carried along."""
    return [(name, value) for name, value in request.form.items(multi=True) if name not in _OWN_FIELDS]


def _choices(found: Overview | None, mailbox: str) -> list[tuple[str, str]]:
    listed = [(one.name, mailbox_path(one)) for one in found.targets("")] if found else []
    return listed if any(name == mailbox for name, _words in listed) else [(mailbox, folder_name(mailbox)), *listed]


def _row(message: TouchedMessage) -> TriedRow:
    about = headers.envelope(message.message.head)
    reasons = " · ".join(_capital(condition_words(condition)) for condition in message.reasons)
    sender = about.sender[0].label if about.sender else ""
    return TriedRow(
        message.message.uid, quoted_value(about.subject, 150), quoted_value(sender, 80), message.message.received, reasons
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _result_words(found: Tried, folder: str) -> str:
    if not found.looked:
        return _("There are no messages in “%(folder)s”.", folder=folder)
    looked = number(found.looked)
    if not found.touched:
        return _("It applies to none of the newest %(looked)s messages in “%(folder)s”.", looked=looked, folder=folder)
    return ngettext(
        "It applies to %(num)d of the newest %(looked)s messages in “%(folder)s”.",
        "It applies to %(num)d of the newest %(looked)s messages in “%(folder)s”.",
        len(found.touched), looked=looked, folder=folder,
    )  # fmt: skip


def _why_not(error: MailError) -> str:
    if isinstance(error, NoSuchMailboxError | UnsafeValueError):
        return _("This folder no longer exists. Choose another one.")
    return _("The mail server is not responding, so nothing could be tried. Please try again in a few minutes.")


# --- applied to mail already there -----------------------------------------------------------------------------------


def start_applying(rule: FilterRule) -> None:
    """Start to apply a rule, which was just saved, to the folder of the form. A form sent twice starts one task."""
    if not apply_task.can_apply(rule):
        return
    arguments = {"rule": to_json(rule), "mailbox": request.form.get("try-folder", "INBOX") or "INBOX"}
    task_id = store.id_of_form(current_user(), request.form.get("try-task", "")[:64])
    try:
        task_started(store.start(current_user(), apply_task.NAME, arguments, task_id=task_id, credential=task_credential()))
    except LimitReachedError:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")


@blueprint.post("/filters/applied/<task_id>/undo")
def undo_applied(task_id: str) -> Response:
    """Put every message back as it was, as far as it is still where the filter put it."""
    back = redirect(url_for("accounts.tasks"), 303)
    task = _ended(task_id)
    if task is None:
        notify(_("There was nothing to undo."), "caution")
        return back
    user, steps = current_user(), ApplyState.load(store.cursor_of(task)).steps
    name = undo_store.keep(user, json.dumps(steps, ensure_ascii=False))
    with user_lock(user.id), imap.connect(current_account()) as connection:
        done = undo.undo(connection, user, name)
    withdraw_notices()
    if done.failed:
        notify(_("Not everything could be undone. Please try again."), "caution", link=room_link())
        return back
    store.note_undone(user, task_id)
    words = ngettext("Undone for %(num)d message.", "Undone for %(num)d messages.", done.count)
    notify(words if done.count else _("There was nothing to undo."))
    return back


def _ended(task_id: str) -> Task | None:
    try:
        task = store.find(current_user(), task_id)
    except store.NoSuchTaskError:
        return None
    ours = task.kind == apply_task.NAME and task.state not in store.OPEN and not store.result_of(task).get(store.UNDONE)
    return task if ours and ApplyState.load(store.cursor_of(task)).steps else None


def _title(about: Facts) -> str:
    return _(
        "Applying the filter “%(name)s” to “%(folder)s”.",
        name=rule_name(from_json(about["rule"])),
        folder=folder_name(about["mailbox"]),
    )


def _done(result: Facts) -> str:
    told = [
        ngettext("It was applied to %(num)d message.", "It was applied to %(num)d messages.", result["count"])
        if result["count"]
        else _("It applied to none of the messages.")
    ]
    if result["unread"]:
        told.append(unread_words(result["unread"]))
    return " ".join(told)


def unread_words(count: int) -> str:
    return ngettext(
        "%(num)d message was left out: checking it would take too long.",
        "%(num)d messages were left out: checking them would take too long.",
        count,
    )


def _failed(reason: str) -> str:
    return {
        OVER_QUOTA: _("Your mailbox is full. What was done until then has been kept."),
        "sign-in": _("The mail server no longer accepts your sign-in. Sign in again, then start over."),
        "folder-gone": _("A folder no longer exists. What was done until then has been kept."),
        "not-allowed": _("You don’t have permission to change these messages."),
    }.get(reason, "")


def _undo(facts: Facts) -> tuple[str, dict[str, Any]] | None:
    there = bool((facts["cursor"] or {}).get("steps"))
    return (url_for("filters.undo_applied", task_id=facts["task"]), {}) if there else None


TASK_TEXTS[apply_task.NAME] = TaskText(title=_title, done=_done, failed=_failed, undo=_undo)
