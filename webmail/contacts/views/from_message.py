"""Contacts from messages: imports vCards attached to a message into the user's contacts."""

from __future__ import annotations

from flask import Response, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail import imap
from webmail.contacts import store
from webmail.contacts.blueprint import blueprint
from webmail.contacts.imports import merge
from webmail.contacts.views.import_texts import say_taken
from webmail.contacts.views.shared import say_refused
from webmail.database.user_lock import user_lock
from webmail.errors import LimitReachedError, NoSuchMessageError
from webmail.mime.part_kinds import PartKind, kind_of_part
from webmail.web.current import current_account, current_user
from webmail.web.forms.request_values import uidvalidity
from webmail.web.message_links import back_to_message, requested_message_url
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.post("/contacts/from/<int:uid>/<section>/<path:mailbox>")
def take_from_message(uid: int, section: str, mailbox: str) -> Answer:
    """Import a vCard part. New contacts are added at once; changes to existing ones are reviewed first, unless `action` is
    "update".
    """
    back = back_to_message(uid, mailbox)
    text = _cards(uid, section, mailbox)
    update = request.form.get("action") == "update"
    taken = merge.ImportResult()
    try:
        with user_lock(current_user().id):
            planned = merge.plan(current_user(), text)
            if update or not planned.updates:
                taken = merge.apply(current_user(), planned)
    except (LimitReachedError, store.CardTooLargeError) as error:
        say_refused(error)
        return redirect(back, 303)
    except store.ContactChangedElsewhereError:
        notify(_("Your contacts have changed in the meantime. Try again: nothing will be done twice."), "caution")
        return redirect(back, 303)
    if not planned.any_cards:
        notify(_("No contacts could be read from this file."), "caution")
        return redirect(back, 303)
    if planned.updates and not update:
        review = requested_message_url("contacts.review", uid, mailbox, section=section, back=back)
        return redirect(review, 303)
    if not taken.before:
        notify(_("%(name)s is already in your contacts.", name=", ".join(row.name for row in planned.present[:5])))
        return redirect(back, 303)
    say_taken(planned, taken, back)
    return redirect(back, 303)


@blueprint.get("/contacts/from/<int:uid>/<section>/<path:mailbox>")
def review(uid: int, section: str, mailbox: str) -> Response:
    """Show what the cards of a message would add to existing contacts."""
    back = back_to_message(uid, mailbox)
    planned = merge.plan(current_user(), _cards(uid, section, mailbox))
    updates = [(row, merge.additions(row, card)) for row, card in planned.updates]
    return page(
        "contacts/review.html", planned=planned, updates=updates, back=back,
        address=requested_message_url("contacts.take_from_message", uid, mailbox, section=section),
    )  # fmt: skip


def _cards(uid: int, section: str, mailbox: str) -> str:
    """The text of a vCard part. 2 round trips. Raises NoSuchMessageError if the part is not a card."""
    with imap.connect(current_account(), mailbox) as connection:
        part, _shape = imap.messages.find_part(connection, mailbox, uid, section, uidvalidity())
        if kind_of_part(part) is not PartKind.CARD:
            raise NoSuchMessageError(f"{mailbox}: part {section} of {uid} is no card")
        text, _cut = imap.attached_messages.beginning(connection, mailbox, uid, part, uidvalidity())
    return text
