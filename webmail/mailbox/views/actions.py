"""List actions: what the buttons above a list or message do to the selection, with their labels and notices."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace

from flask import redirect, request, url_for
from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap, schedule
from webmail.database.user_lock import user_lock
from webmail.errors import OverQuotaError, UnsafeValueError
from webmail.imap.bulk.actions import KeepsNoTagsError
from webmail.imap.connections.connection import Connection
from webmail.mail import Role
from webmail.mailbox import move_targets, moves_by_hand, selection, tags
from webmail.mailbox import undo as undoing
from webmail.mailbox.actions import ACTIONS, ActionResult, apply_action
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.partial_texts import why_not_all
from webmail.mailbox.retag import retag
from webmail.mailbox.selection import Selection
from webmail.mailbox.snooze import snooze
from webmail.mailbox.views.action_form import (
    SELECT_FIRST,
    ListJob,
    ask_for_more,
    ask_to_destroy,
    back_address,
    chosen_messages,
    pressed,
    trash_name,
    unread_messages,
)
from webmail.mailbox.views.chooser import ask_folder, ask_tags, made_target, wanted_changes
from webmail.mailbox.views.quota.full_mailbox import no_room_for
from webmail.mailbox.views.tags import tag_name, told_wrong
from webmail.rights import Rights
from webmail.web.current import current_account, current_user, preferences, remember_overview, time_zone
from webmail.web.formatting import lazy_text as _l
from webmail.web.formatting import number
from webmail.web.frame.list_buttons import LIST_BUTTONS
from webmail.web.frame.quota_notice import room_link
from webmail.web.labels import mailbox_label
from webmail.web.notices import notify

Outcome = ActionResult | Response | None  # the result; or a page that asks for more; or None, with a notice saying why


@dataclass(frozen=True, slots=True)
class ListAction:
    """A button above a list or a message: its label, what it does, and the notice for a number of messages.

    Undo is that of the underlying `mailbox.actions.MessageAction`. `one_at_a_time`: holds the user lock, so that concurrent
    clicks don't run it twice. `asks`: it leads to the chooser, which scripts show over the list.
    """

    name: str
    run: Callable[[ListJob], Outcome]
    says: Callable[[int, ActionResult], str] = lambda _count, _result: ""
    label: str | LazyString = ""
    icon: str = ""
    one_at_a_time: bool = False
    asks: bool = False
    choose: Callable[[Connection, str, list[str]], list[Selection]] = chosen_messages
    nothing_chosen: str | LazyString = SELECT_FIRST


@blueprint.post("/act/<path:mailbox>")
def act_on(mailbox: str) -> Response:
    name, argument, values = pressed()
    if name in LIST_BUTTONS:
        return LIST_BUTTONS[name](mailbox, argument)
    if "date" in request.form and not request.form.keys() & {"action", "star"}:
        return _to_date(mailbox)
    action = LIST_ACTIONS.get(name, _UNKNOWN)
    turn = user_lock(current_user().id) if action.one_at_a_time else nullcontext()
    with turn, imap.connect(current_account(), mailbox) as connection:
        job = ListJob(connection, mailbox, action.choose(connection, mailbox, values), argument)
        if not job.chosen:
            notify(str(action.nothing_chosen), "caution")
            return redirect(back_address(mailbox), 303)
        everything = list(job.chosen)
        try:
            outcome = action.run(job)
        except OverQuotaError:
            outcome = no_room_for(name, replace(job, chosen=everything))
    if isinstance(outcome, Response):
        return outcome
    back = back_address(mailbox)
    if "star" in request.form and job.chosen[0].mailbox == mailbox:
        back += f"#u{job.chosen[0].uids[0]}"  # without scripts, scroll back to the row
    if outcome is not None:
        _tell(outcome, job.chosen, back)
    return redirect(back, 303)


def _to_date(mailbox: str) -> Response:
    """Where a browser without the `form` of a field sends the date to go to: with the list's own form."""
    if not (day := request.form["date"].strip()):
        return redirect(back_address(mailbox), 303)
    return redirect(url_for("mailbox.show", mailbox=mailbox, date=day, matching=request.form.get("matching") or None), 303)


# --- what each does --------------------------------------------------------------------------------------------------


def _do(name: str) -> Callable[[ListJob], Outcome]:
    """The `run` of a button that carries out a `MessageAction`."""

    def run(job: ListJob) -> Outcome:
        try:
            return apply_action(
                job.connection, job.chosen, name,
                to=request.form.get("to", ""), keyword=job.argument, archive_by=preferences().archive_by,
            )  # fmt: skip
        except KeepsNoTagsError:
            notify(_("This folder doesn’t support tags."), "caution")
            return None

    return run


def _do_with_folder(name: str) -> Callable[[ListJob], Outcome]:
    def run(job: ListJob) -> Outcome:
        to = job.argument or request.form.get("to", "")
        if not to:
            notify(_("Choose a folder first."), "caution")
            return redirect(back_address(job.mailbox), 303)
        return _put(job, name, to)

    return run


def _put(job: ListJob, name: str, to: str) -> ActionResult:
    """Move or copy to a folder, and offer it first the next time."""
    result = apply_action(job.connection, job.chosen, name, to=to)
    remember_overview(imap.mailboxes.overview(job.connection))  # for the name of the folder in the notice
    if result.count:
        move_targets.remember(current_user(), to)
    return result


def _make_and_put(job: ListJob) -> Outcome:
    """Make the folder that was typed, unless it is there (the second click of two finds it), and put the messages there."""
    name = "copy" if job.argument == "copy" else "move"
    made = made_target(job)
    return made if isinstance(made, Response) else _put(job, name, made)


def _delete(job: ListJob) -> Outcome:
    """Move to the trash. Messages already there are skipped, or if there are no others, permanent deletion is offered."""
    trash = trash_name(job.connection)
    outside = [each for each in job.chosen if each.mailbox != trash]
    if not outside:
        return ask_to_destroy(job)
    job.chosen = outside
    return _do("delete")(job)


def _destroy(job: ListJob) -> Outcome:
    """Delete permanently, but only exactly the messages that were confirmed (`sure`)."""
    if request.form.get("sure") != selection.fingerprint(job.chosen):
        return ask_to_destroy(job)
    return _do("destroy")(job)


def _snooze(job: ListJob) -> Outcome:
    form = request.form
    try:
        due = snooze.chosen_time(job.argument, form.get("day", ""), form.get("hour", ""), schedule.local_now(time_zone()))
        return snooze.snooze(job.connection, current_user(), job.chosen, due)
    except schedule.BadTimeError:
        return ask_for_more(job, "later", _("Choose a date and time in the future."))
    except snooze.TooManyToSnoozeError:
        notify(_("You can snooze at most %(num)s messages at a time.", num=number(snooze.MOST)), "caution")
        return None


def _retag(job: ListJob) -> Outcome:
    """Put tags on and take others off as they were ticked, with a new one if a name was typed."""
    add, remove = wanted_changes()
    name = request.form.get("name", "")
    try:
        if name.strip():
            add.append(tags.named(current_user(), name, request.form.get("colour", "")).keyword)
    except ValueError as error:
        return ask_tags(job, told_wrong(error))
    try:
        return retag(job.connection, job.chosen, add, remove)
    except KeepsNoTagsError:
        notify(_("This folder doesn’t support tags."), "caution")
        return None


def _unknown(_job: ListJob) -> Outcome:
    raise UnsafeValueError("not an action")


_UNKNOWN = ListAction("", _unknown)
_MARK = (
    ListAction(
        "read", _do("read"), label=_l("Mark as read"),
        says=lambda n, _result: ngettext("%(num)d message marked as read.", "%(num)d messages marked as read.", n),
    ),
    ListAction(
        "unread", _do("unread"), label=_l("Mark as unread"),
        says=lambda n, _result: ngettext("%(num)d message marked as unread.", "%(num)d messages marked as unread.", n),
    ),
)  # fmt: skip
_FLAG = (
    ListAction(
        "flag", _do("flag"), label=_l("Flag"),
        says=lambda n, _result: ngettext("%(num)d message flagged.", "%(num)d messages flagged.", n),
    ),
    ListAction(
        "unflag", _do("unflag"), label=_l("Remove flag"),
        says=lambda n, _result: ngettext("Flag removed from %(num)d message.", "Flag removed from %(num)d messages.", n),
    ),
)  # fmt: skip
_ARCHIVE = ListAction(
    "archive", _do("archive"), label=_l("Archive"), icon="archive", one_at_a_time=True,
    says=lambda n, _result: ngettext("%(num)d message archived.", "%(num)d messages archived.", n),
)  # fmt: skip
_DELETE = ListAction(
    "delete", _delete, label=_l("Delete"), icon="trash", one_at_a_time=True,
    says=lambda n, _result: ngettext("%(num)d message moved to the trash.", "%(num)d messages moved to the trash.", n),
)  # fmt: skip
_JUNK = ListAction(
    "junk", _do("junk"), label=_l("Junk"), icon="junk", one_at_a_time=True,
    says=lambda n, _result: ngettext("%(num)d message marked as junk.", "%(num)d messages marked as junk.", n),
)  # fmt: skip
_NOT_JUNK = ListAction(
    "notjunk", _do("notjunk"), label=_l("Not junk"), icon="inbox", one_at_a_time=True,
    says=lambda n, _result: ngettext("%(num)d message moved back to the inbox.", "%(num)d messages moved back to the inbox.", n),
)  # fmt: skip
_MOVE_TO = ListAction("moveto", lambda job: ask_folder(job, "move"), label=_l("Move…"), icon="folder", asks=True)
_COPY_TO = ListAction("copyto", lambda job: ask_folder(job, "copy"), label=_l("Copy…"), asks=True)
_TAGS = ListAction("tags", ask_tags, label=_l("Tags…"), asks=True)
_LATER = ListAction("later", lambda job: ask_for_more(job, "later"), label=_l("Snooze…"))
LIST_ACTIONS = {
    action.name: action
    for action in (
        *_MARK,
        *_FLAG,
        _ARCHIVE,
        _DELETE,
        _JUNK,
        _NOT_JUNK,
        ListAction(
            "readall", _do("read"), label=_l("Mark all as read"), choose=unread_messages,
            nothing_chosen=_l("Everything here is already read."),
        ),
        ListAction(
            "tag", _do("tag"),
            says=lambda n, result: ngettext(
                "%(num)d message tagged %(tag)s.", "%(num)d messages tagged %(tag)s.", n, tag=tag_name(result.keyword)
            ),
        ),
        ListAction(
            "retag", _retag, one_at_a_time=True,
            says=lambda n, _result: ngettext("Tags changed on %(num)d message.", "Tags changed on %(num)d messages.", n),
        ),
        ListAction(
            "untag", _do("untag"),
            says=lambda n, result: ngettext(
                "Tag %(tag)s removed from %(num)d message.", "Tag %(tag)s removed from %(num)d messages.", n,
                tag=tag_name(result.keyword),
            ),
        ),
        ListAction(
            "move", _do_with_folder("move"), label=_l("Move"), one_at_a_time=True,
            says=lambda n, result: ngettext(
                "%(num)d message moved to %(folder)s.", "%(num)d messages moved to %(folder)s.", n,
                folder=mailbox_label(result.to),
            ),
        ),
        ListAction(
            "copy", _do_with_folder("copy"), label=_l("Copy"),
            says=lambda n, result: ngettext(
                "%(num)d message copied to %(folder)s.", "%(num)d messages copied to %(folder)s.", n,
                folder=mailbox_label(result.to),
            ),
        ),
        ListAction(
            "destroy", _destroy,
            says=lambda n, _result: ngettext("%(num)d message deleted for good.", "%(num)d messages deleted for good.", n),
        ),
        ListAction(
            "snooze", _snooze, one_at_a_time=True,
            says=lambda n, _result: ngettext("%(num)d message snoozed.", "%(num)d messages snoozed.", n),
        ),
        ListAction("make", _make_and_put, one_at_a_time=True),
        _MOVE_TO,
        _COPY_TO,
        _TAGS,
        _LATER,
        ListAction("export", lambda job: ask_for_more(job, "export"), label=_l("Save as a file…")),
    )
}  # fmt: skip


@blueprint.app_template_global()
def filing_actions(role: Role | None, rights: Rights | None = None) -> list[ListAction]:
    """The buttons that move messages out of a mailbox of this role, as far as the user's rights allow."""
    if rights and not rights.may_delete:
        return []
    found = [] if role in (Role.ARCHIVE, Role.TRASH, Role.JUNK, Role.DRAFTS) else [_ARCHIVE]
    found.append(_MOVE_TO)
    found.append(replace(_DELETE, label=_l("Delete for good")) if role is Role.TRASH else _DELETE)
    if role is Role.JUNK:
        found.append(_NOT_JUNK)
    elif role not in (Role.SENT, Role.DRAFTS, Role.TRASH):
        found.append(_JUNK)
    return found


@blueprint.app_template_global()
def asking_actions(rights: Rights | None = None) -> list[ListAction]:
    """The buttons of the menu that ask for tags or a time, as far as the user's rights allow."""
    found = [_TAGS] if not rights or rights.may_flag else []
    return found if rights and not rights.may_delete else [*found, _LATER]


@blueprint.app_template_global()
def marking_actions(rights: Rights | None = None) -> list[ListAction]:
    """The buttons that change flags, as far as the user's rights allow."""
    return [*(_MARK if not rights or rights.may_see else ()), *(_FLAG if not rights or rights.may_flag else ())]


# --- the notice ------------------------------------------------------------------------------------------------------


def _tell(done: ActionResult, chosen: list[Selection], back: str) -> None:
    offer, link = None, None
    if done.undo:
        offer = (url_for("mailbox.undo_last"), {"undo": undoing.offer(current_user(), done.undo), "back": back})
    says = LIST_ACTIONS[done.action].says
    words, kind = says(done.count, done) if done.count else _("Nothing to change."), "done"
    if done.failed:
        kind = "caution"
        words = f"{words} {why_not_all(done.failed, selection.count(chosen))}"
    if done.count and done.action in ACTIONS and ACTIONS[done.action].undo == "move":
        sources = frozenset(one.mailbox for one in chosen)
        link = moves_by_hand.tell(moves_by_hand.MovedByHand(done.action, sources, done.to, done.count, done.undo.moved()))
    if isinstance(done.failed, OverQuotaError):
        link = room_link()
    notify(words, kind, offer, keep=0 if "star" in request.form else None, link=link)
