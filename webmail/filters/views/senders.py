"""Senders page: who is blocked and who is safe; the buttons of a message that put its sender there, and their undo."""

from __future__ import annotations

import json
from collections.abc import Sequence

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.database import undo_store
from webmail.database.user_lock import user_lock
from webmail.errors import MailError, UnsafeValueError
from webmail.filters import junk_weeks
from webmail.filters.blueprint import blueprint
from webmail.filters.rules.rules import BadRuleError
from webmail.filters.senders import safe_copy, sender_change
from webmail.filters.senders.sender_change import OwnDomainError, SenderChange
from webmail.filters.senders.senders import BLOCKED, MOST_SENDERS, SAFE, entry_of
from webmail.filters.store import FiltersChangedError, FilterState
from webmail.filters.views.frame import loaded_state, trouble_words, when_loaded
from webmail.filters.views.sentences import quoted_value
from webmail.mail import Role
from webmail.mailbox import selection
from webmail.mailbox import undo as undoing
from webmail.mailbox.actions import ActionResult, apply_action
from webmail.mailbox.moves_by_hand import MovedByHand, tell
from webmail.people import blocked
from webmail.web.current import current_account, current_user, settings
from webmail.web.formatting import day_and_month
from webmail.web.forms.request_values import fetched_ahead, local_path
from webmail.web.frame.list_buttons import LIST_BUTTONS
from webmail.web.notices import notify, withdraw_notices
from webmail.web.rendering import page

_OPENING = '{"senders"'
_LISTS = {BLOCKED: "junk", SAFE: "notjunk"}  # what happens to the message that the sender is known from


# --- the page --------------------------------------------------------------------------------------------------------


@blueprint.get("/filters/senders")
def show_senders() -> Response:
    """3 ManageSieve round trips and 1 of IMAP, more where the copy of safe senders is old; `sender` fills in the field."""
    return _senders_page(request.args.get("sender", "")[:254])


@blueprint.post("/filters/senders")
def change_senders() -> Response:
    """`action`: "blocked" or "safe" with what was typed, or "remove" and an entry."""
    verb, _space, entry = request.form.get("action", "").partition(" ")
    typed = request.form.get("sender", "")[:300]
    if verb == "remove":
        try:
            _put_in_list(entry, "", _("“%(sender)s” is no longer on the list.", sender=quoted_value(entry)))
        except (MailError, BadRuleError) as error:
            notify(_why_not(error), "danger")
    elif verb in _LISTS:
        try:
            entry = entry_of(typed)
            _refuse_own(entry, verb)
            _put_in_list(entry, verb, _placed_words(entry, verb))
        except (OwnDomainError, MailError, BadRuleError) as error:
            return _senders_page(typed, _why_not(error), 502 if getattr(error, "status", 0) >= 500 else 422)
    return redirect(url_for("filters.show_senders"), 303)


def _senders_page(typed: str, wrong: str = "", status: int = 200) -> Response:
    try:
        state = loaded_state()
    except MailError as error:
        return page("filters/senders.html", 502, trouble=trouble_words(error), wrong="", typed=typed, state=None)
    senders = state.filters.senders
    spared: bool | None = True
    if state.is_ours:
        spared = safe_copy.is_fresh(current_account(), senders)
        if spared is False:
            spared = sender_change.renew_copy(current_user(), current_account())
    weeks = [(day_and_month(one.monday), one.junk, one.ham) for one in junk_weeks.latest(current_user())]
    return page(
        "filters/senders.html", status, trouble="", wrong=wrong, typed=typed, state=state, blocked=_in_order(senders.blocked),
        safe=_in_order(senders.safe), spared=spared or not senders.safe, weeks=weeks,
    )  # fmt: skip


def _in_order(entries: Sequence[str]) -> list[str]:
    return sorted(entries, key=lambda entry: entry.removeprefix("@"))


def _put_in_list(entry: str, where: str, text: str) -> None:
    _tell(sender_change.put_in_lists(current_user(), current_account(), settings(), [(entry, where)]), text)


def _tell(done: SenderChange, text: str, mail: str = "") -> None:
    """The notice, with Undo of the change, and of a move of mail (`mail`: its name in the undo store)."""
    undo = None
    if done.before or mail:
        steps = json.dumps({"senders": done.before, "mail": mail})
        back = local_path(request.form.get("back", "")) or url_for("filters.show_senders")
        undo = (url_for("filters.undo_senders"), {"undo": undo_store.keep(current_user(), steps), "back": back})
    notify(text, undo=undo)
    if not done.runs:
        notify(
            _("Your filters are not running at the moment: blocked senders are not moved to Junk."), "caution", link=_to_filters()
        )
    if not done.spared:
        notify(_("The mail server’s spam filter could not be told about your safe senders."), "caution")


def _to_filters() -> dict[str, object]:
    return {"url": url_for("filters.show_filters"), "text": _("Filters"), "here": True}


def _refuse_own(entry: str, where: str) -> None:
    if where == BLOCKED:
        sender_change.refuse_own(entry, current_user(), settings())


def _placed_words(entry: str, where: str, *, moved: bool = False) -> str:
    """`moved`: the message that the button was on has gone where it belongs."""
    sender = quoted_value(entry.removeprefix("@"))
    if where == BLOCKED and moved:
        return _("“%(sender)s” is blocked. This message is now in Junk, and new ones will go there too.", sender=sender)
    if where == BLOCKED:
        return _("“%(sender)s” is blocked. New messages go to Junk.", sender=sender)
    if moved:
        return _("“%(sender)s” is a safe sender. This message is back in the inbox.", sender=sender)
    return _("“%(sender)s” is a safe sender. The spam filter no longer moves their messages to Junk.", sender=sender)


def _why_not(error: Exception) -> str:
    if isinstance(error, OwnDomainError):
        return _("You can’t block yourself or your whole organisation.")
    if isinstance(error, BadRuleError) and error.why == "many":
        return _("Each list holds up to %(most)d senders. Remove some first.", most=MOST_SENDERS)
    if isinstance(error, BadRuleError):
        return _("Type an address such as ann@example.org, or a domain such as example.org.")
    if isinstance(error, FiltersChangedError):
        return _("Another program has changed your filters on the mail server. Check them first.")
    return trouble_words(error) if isinstance(error, MailError) else ""


# --- from a message --------------------------------------------------------------------------------------------------


def _from_message(mailbox: str, where: str, sender: str) -> Response:
    """Put the sender of the message in the form into a list, and the message where it belongs; back to where that says."""
    back = local_path(request.form.get("back", "")) or url_for("mailbox.show", mailbox=mailbox)
    if settings().sieve is None:
        raise UnsafeValueError("there are no filters here")
    try:
        entry = entry_of(sender)
        _refuse_own(entry, where)
        done = sender_change.put_in_lists(current_user(), current_account(), settings(), [(entry, where)])
    except (OwnDomainError, MailError, BadRuleError) as error:
        notify(_why_not(error), "danger", link=_to_filters() if isinstance(error, FiltersChangedError) else None)
        return redirect(back, 303)
    undo = _moved(mailbox, where)
    _tell(done, _placed_words(entry, where, moved=bool(undo)), undo)
    return redirect(back, 303)


def _moved(mailbox: str, where: str) -> str:
    """Move the message as the button "Junk" or "Not junk" does, which the server learns from; the name of its undo, "" for none.

    One that can't be moved stays, and a notice says so: the sender is in the list all the same.
    """
    chosen = selection.of_rows(mailbox, request.form.get("v", 0, int), request.form.getlist("uids")[:1])
    result = ActionResult("")
    try:
        with user_lock(current_user().id), imap.connect(current_account(), mailbox) as connection:
            current = imap.mailboxes.overview(connection).get(mailbox)
            is_junk = current is not None and current.role is Role.JUNK
            if chosen and is_junk == (where == SAFE):
                result = apply_action(connection, chosen, _LISTS[where])
    except MailError:
        notify(_("The message itself could not be moved."), "caution")
    if not result.undo:
        return ""
    tell(MovedByHand(result.action, frozenset((mailbox,)), result.to, result.count, result.undo.moved()))
    return undoing.offer(current_user(), result.undo)


@blueprint.post("/filters/senders/undo")
def undo_senders() -> Response:
    """Put the sender back into the list, or none, that it was in, unless that was changed since; and the message where it was."""
    user = current_user()
    back = redirect(local_path(request.form.get("back", "")) or url_for("filters.show_senders"), 303)
    kept = undo_store.load(user, request.form.get("undo", ""), _OPENING)
    withdraw_notices()
    if kept is None:
        notify(_("There was nothing to undo."))
        return back
    steps = json.loads(kept.steps)
    wanted = [(entry, was) for entry, was, _placed in steps["senders"]]
    still = {entry: placed for entry, _was, placed in steps["senders"]}
    try:
        sender_change.put_in_lists(user, current_account(), settings(), wanted, still)
        if steps["mail"]:
            with user_lock(user.id), imap.connect(current_account()) as connection:
                undoing.undo(connection, user, steps["mail"])
    except (MailError, BadRuleError) as error:
        notify(_why_not(error), "danger")
        return back
    undo_store.forget(kept)
    notify(_("Undone."))
    return back


def _keep_copy(state: FilterState) -> None:
    """For suggestions of recipients: another program may have changed the lists."""
    if not fetched_ahead():
        blocked.sync_copy(current_user(), state.filters.senders.blocked, state.filters.senders.safe)


when_loaded(_keep_copy)
LIST_BUTTONS["block"] = lambda mailbox, sender: _from_message(mailbox, BLOCKED, sender)
LIST_BUTTONS["safe"] = lambda mailbox, sender: _from_message(mailbox, SAFE, sender)
