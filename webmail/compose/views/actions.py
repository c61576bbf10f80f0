"""Compose actions: what each button of the form does. Every action first stores the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flask import redirect, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.guard import keeps_text
from webmail.compose import identities, templates
from webmail.compose.attachments import attachments, drive_files
from webmail.compose.blueprint import blueprint
from webmail.compose.drafts import sealed_drafts
from webmail.compose.drafts.drafts import AlreadyLeftError, DraftChangedElsewhereError
from webmail.compose.drafts.fields import normalised
from webmail.compose.encryption.protection import MessageProtection
from webmail.compose.forms import ComposeForm
from webmail.compose.recipients import address_book, bare_names, recipients
from webmail.compose.views.archive_original import archives_answered
from webmail.compose.views.attachments.attach_contacts import choosing_contacts
from webmail.compose.views.attachments.attach_drive import choosing_drive
from webmail.compose.views.attachments.attach_files import attach_alone, attach_files
from webmail.compose.views.attachments.attach_mail import choosing_mail
from webmail.compose.views.attachments.inline_images import put_in
from webmail.compose.views.attachments.large_files import (
    attach_as_file,
    attach_as_link,
    changed,
    drop_link,
    keep_link,
    prepare_links,
    to_drive_page,
    to_large_page,
)
from webmail.compose.views.conflicts import changed_elsewhere, has_left, is_unchanged
from webmail.compose.views.drafts_folder import put_if_small, put_into_drafts
from webmail.compose.views.editor import address_of, back_of, my_identities, show_form, store
from webmail.compose.views.encryption import keyring_access, near_keys
from webmail.compose.views.original import edit_as_text, leave_out
from webmail.compose.views.recipients import ask_again, choosing, correct, replace_name
from webmail.compose.views.saving import autosave, discard, save
from webmail.compose.views.sending import send
from webmail.compose.views.signatures import sign
from webmail.errors import NoSuchMessageError
from webmail.late_calls import late_call
from webmail.models import DraftRow
from webmail.people.visibility import sight_of
from webmail.web.current import current_user, settings
from webmail.web.formatting import lazy_text as _l
from webmail.web.notices import notify

_find_keys = late_call("webmail.compose.views.encryption.key_search:find_keys")
_never_encrypt = late_call("webmail.compose.views.encryption.never_encrypting:never_encrypt")
_encrypt_again = late_call("webmail.compose.views.encryption.never_encrypting:encrypt_again")
_OLD_SPELLING = re.compile(r"(later|picture|remove)-(.+)")  # "remove-3", from pages opened before an update; drop next release


@dataclass(slots=True)
class Press:
    """A button press: the submitted form, the draft's id, and the button's argument (after the colon, as in "remove:3")."""

    form: ComposeForm
    draft_id: str
    argument: str = ""

    @property
    def number(self) -> int:
        """The argument as a row id; 0, which no row has, if it is not a number."""
        digits = self.argument
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else 0


Edit = Callable[[Press], None]
Finish = Callable[[Press, DraftRow], Response]


def _back_to_form(press: Press, row: DraftRow) -> Response:
    return redirect(address_of(row, press.form), 303)


@dataclass(frozen=True, slots=True)
class ComposeAction:
    """What a button of the form does: `edit` changes the form's fields, they are stored, then `finish` returns the response.

    `says`: a notice about the change. Only sending has an undo (in the outbox); anything else can be reverted in the form.
    """

    name: str
    edit: Edit | None = None
    finish: Finish = _back_to_form
    says: str | LazyString = ""
    keeps_time: bool = False  # keep the chosen sending time in the form
    takes_files: bool = True  # attach uploaded files first
    only_files: bool = False  # only affects attachments, so it works even if the text was changed in another window
    alone: Callable[[str, ComposeForm], Response] | None = None  # handles uploads without the text
    even_if_refused: bool = False  # continue even if a file could not be attached
    asks_keys: bool = False  # ask near by for the keys of recipients first, if it is to be encrypted
    copies: bool = True  # put the text into Drafts at once; False: `finish` does what is right


@blueprint.post("/compose/<draft_id>")
@keeps_text
def act(draft_id: str) -> Response:
    """Run the action of the button; the text is stored first in any case."""
    word = _OLD_SPELLING.sub(r"\1:\2", request.form.get("action", "save"))
    name, _colon, argument = word.partition(":")
    action, press = ACTIONS.get(name, _SAVE), Press(ComposeForm(), draft_id, argument)
    if not action.keeps_time:
        press.form.later.data = ""
    if passphrase := press.form.passphrase.data:
        press.form.passphrase.data = ""
        if refused := keyring_access.unlock(passphrase):
            press.form.mark("passphrase", refused)
    if action.edit:
        action.edit(press)
    if action.asks_keys and not (action.name == "protection" and request.headers.get("HX-Request")):
        near_keys.ask(press.form)  # a script asks once it has shown the row, which need not wait
    if action.alone and "body" not in request.form:
        return action.alone(draft_id, press.form)
    return _store_and_finish(action, press)


def _store_and_finish(action: ComposeAction, press: Press) -> Response:
    form = press.form
    try:
        row = store(press.draft_id, form)
    except AlreadyLeftError:
        return has_left(press.draft_id, form, action.name)
    except DraftChangedElsewhereError as error:
        row = error.row
        if not (action.only_files and is_unchanged(form)):
            return changed_elsewhere(row, form, action.name)
    if action.takes_files:
        try:
            refused = attach_files(form, row)
        except AlreadyLeftError:
            return has_left(press.draft_id, form, action.name)
        if refused and not action.even_if_refused:
            put_into_drafts(row)
            return show_form(form, row.id, row, status=refused)
    if action.copies and not action.only_files:
        put_into_drafts(row)
    response = action.finish(press, row)
    if action.says:
        notify(str(action.says))
    if sealed_drafts.is_sealed(row) and response.location == address_of(row, form) and keyring_access.opened() is None:
        return show_form(form, row.id, row)  # its address would ask for the passphrase at each step
    return response


# --- edits: before the text is stored --------------------------------------------------------------------------------


def _expand_groups(press: Press) -> None:
    press.form.fill_in(address_book.with_groups(current_user(), press.form.lists(), sight_of(current_user(), settings())))


def _complete_recipients(press: Press) -> None:
    """Expand groups, complete the names of accounts, and deduplicate recipients."""
    _expand_groups(press)
    press.form.fill_in(bare_names.completed(current_user(), press.form.lists(), settings()))
    press.form.deduplicate()


def _send_at(press: Press) -> None:
    press.form.later.data = press.argument
    _complete_recipients(press)


def _apply_identity(press: Press) -> None:
    """Update the signature, Cc and Bcc if the identity was changed."""
    form = press.form
    before, now = (identities.chosen(my_identities(), field.data) for field in (form.applied, form.identity))
    if before.id != now.id:
        form.take(identities.changed(normalised(form.fields()), before, now))
        form.applied.data = now.id


def _insert_template(press: Press) -> None:
    _apply_identity(press)
    chosen = Press(press.form, press.draft_id, request.form.get("template", "")).number
    if not chosen:
        return
    try:
        text = templates.load(current_user(), chosen)
    except NoSuchMessageError:
        notify(_("This template no longer exists."), "caution")
    else:
        press.form.take(templates.inserted(normalised(press.form.fields()), text))


def _sign(press: Press) -> None:
    _apply_identity(press)
    sign(press.form)


def _choose_people(press: Press) -> None:
    _expand_groups(press)
    _apply_identity(press)


def _choose_for_name(press: Press) -> None:
    replace_name(press.form, press.argument)


def _send_plain(press: Press) -> None:
    """Without encryption; signed if it would have been."""
    signed = press.form.protection.data in (MessageProtection.BOTH, MessageProtection.SIGNED)
    press.form.protection.data = MessageProtection.SIGNED if signed else MessageProtection.NOTHING
    press.form.encrypt_asked.data = "1"
    _complete_recipients(press)


def _send_encrypted(press: Press) -> None:
    press.form.protection.data = MessageProtection.BOTH
    _complete_recipients(press)


def _uncover(press: Press) -> None:
    """Without a recipient for whom the message can't be encrypted."""
    press.form.fill_in(recipients.without(press.form.lists(), press.argument))


def _clear_cc(press: Press) -> None:
    press.form.cc.data = ""


# --- finishes: the response, once the text is stored -----------------------------------------------------------------


def _send(press: Press, row: DraftRow, *, sure: bool = False, archive: bool = False) -> Response:
    return send(press.form, row, sure=sure, archiving=archives_answered(press.form, is_requested=archive, sure=sure))


def _send_without(press: Press, row: DraftRow) -> Response:
    """Without the files that a task is still bringing from a drive."""
    drive_files.stop(row)
    return _send(press, row, archive=bool(press.form.archive.data))


def _preview(press: Press, row: DraftRow) -> Response:
    address = url_for("compose.show", draft_id=row.id, back=back_of(press.form), preview=1, _anchor="rendered")
    return redirect(address, 303)


def _remove_file(press: Press, row: DraftRow) -> Response:
    attachments.remove(row, press.number, settings())
    put_if_small(row)
    return _back_to_form(press, row)


def _attached(press: Press, row: DraftRow) -> Response:
    put_if_small(row)
    return _back_to_form(press, row)


def _discard(press: Press, row: DraftRow, *, sure: bool = False) -> Response:
    return discard(press.form, row, sure=sure)


def _go(address: Callable[[DraftRow, ComposeForm], str]) -> Finish:
    return lambda press, row: redirect(address(row, press.form), 303)


def _of_file(change: Callable[[ComposeForm, DraftRow, int], Response]) -> Finish:
    return lambda press, row: change(press.form, row, press.number)


def _show_again(press: Press, row: DraftRow) -> Response:
    return show_form(press.form, row.id, row)


def _save(press: Press, row: DraftRow) -> Response:
    return save(press.form, row)


# --- the table -------------------------------------------------------------------------------------------------------

_SAVE = ComposeAction("save", _apply_identity, _save, asks_keys=True, copies=False)
ACTIONS = {
    action.name: action
    for action in (
        _SAVE,
        # Enter in a field activates the first button
        ComposeAction("enter", _apply_identity, _save, asks_keys=True, copies=False),
        ComposeAction("autosave", finish=lambda press, row: autosave(press.form, row), takes_files=False, copies=False),
        ComposeAction("send", _complete_recipients, _send, asks_keys=True, copies=False),
        ComposeAction(
            "send-anyway", _complete_recipients, partial(_send, sure=True), keeps_time=True, asks_keys=True, copies=False,
        ),
        ComposeAction("send-without", _complete_recipients, _send_without, keeps_time=True, asks_keys=True, copies=False),
        ComposeAction("archive", _complete_recipients, partial(_send, archive=True), asks_keys=True, copies=False),
        ComposeAction("later", _send_at, _send, keeps_time=True, asks_keys=True, copies=False),
        ComposeAction("send-plain", _send_plain, _send, keeps_time=True, copies=False),
        ComposeAction("send-encrypted", _send_encrypted, _send, keeps_time=True, asks_keys=True, copies=False),
        ComposeAction(
            "protection", _complete_recipients, _show_again, takes_files=False, keeps_time=True, asks_keys=True, copies=False,
        ),
        ComposeAction("find-keys", lambda press: _find_keys(press.form), _show_again, keeps_time=True, copies=False),
        ComposeAction("uncover", _uncover, says=_l("Recipient removed. Nothing has been sent yet.")),
        ComposeAction("never", lambda press: _never_encrypt(press.form, press.argument), _show_again, keeps_time=True),
        ComposeAction("again", lambda press: _encrypt_again(press.argument), _show_again, keeps_time=True),
        ComposeAction("discard", finish=_discard, even_if_refused=True, copies=False),
        ComposeAction("discard-now", finish=partial(_discard, sure=True), even_if_refused=True, copies=False),
        ComposeAction("preview", finish=_preview),
        ComposeAction("use", _apply_identity),
        ComposeAction("sign", _sign),
        ComposeAction("insert", _insert_template),
        ComposeAction("attach", finish=_attached, only_files=True, alone=attach_alone),
        ComposeAction("remove", finish=_remove_file, only_files=True),
        ComposeAction("links", finish=lambda press, row: changed(press.form, row), only_files=True, alone=prepare_links),
        ComposeAction("as-link", finish=_of_file(attach_as_link), only_files=True),
        ComposeAction("as-file", finish=_of_file(attach_as_file), only_files=True),
        ComposeAction("keep-link", finish=_of_file(keep_link), only_files=True),
        ComposeAction("drop-link", finish=_of_file(drop_link), only_files=True),
        ComposeAction("large", _apply_identity, _go(to_large_page)),
        ComposeAction("link-drive", _apply_identity, _go(to_drive_page)),
        ComposeAction("leave-original", finish=lambda press, row: leave_out(press.form, row), only_files=True),
        ComposeAction("original-text", finish=lambda press, row: edit_as_text(press.form, row), copies=False),
        ComposeAction("picture", lambda press: put_in(press.form, press.draft_id, press.number)),
        ComposeAction("choose", _choose_people, _go(choosing)),
        ComposeAction("contacts", _apply_identity, _go(choosing_contacts)),
        ComposeAction("from-mail", _apply_identity, _go(choosing_mail)),
        ComposeAction("drive", _apply_identity, _go(choosing_drive)),
        ComposeAction(
            "to-bcc", lambda press: press.form.move_to_bcc(),
            says=_l("All addresses are now in Bcc. Nothing has been sent yet."),
        ),
        ComposeAction("mean", _choose_for_name, lambda press, row: ask_again(press.form, row), keeps_time=True),
        ComposeAction("without-cc", _clear_cc, says=_l("Cc is now empty. Nothing has been sent yet.")),
        ComposeAction(
            "correct", lambda press: correct(press.form), says=_l("Address corrected. Nothing has been sent yet.")
        ),
    )
}  # fmt: skip
