"""People of a message: its sender and all recipients, to be added as contacts, with what the sender's signature tells."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from webmail import imap
from webmail.contacts import store
from webmail.contacts.blueprint import blueprint
from webmail.contacts.undo import CardVersion
from webmail.contacts.views.shared import say_refused, undo_of
from webmail.database.user_lock import user_lock
from webmail.errors import LimitReachedError
from webmail.mail import Address, Message
from webmail.mime.formats.cards import vcard_edit
from webmail.mime.formats.cards.vcard_edit import ContactDetails, ContactPoint
from webmail.mime.headers.address_input import address_key
from webmail.mime.text.signature_facts import SignatureFacts, facts
from webmail.web.current import current_account, current_user
from webmail.web.forms.request_values import uidvalidity
from webmail.web.message_links import back_to_message, requested_message_url
from webmail.web.notices import notify
from webmail.web.rendering import page

_MOST = 200  # people of one message


@blueprint.get("/contacts/of/<int:uid>/<path:mailbox>")
def show_people_of(uid: int, mailbox: str) -> Response:
    """Who stands in a message: those who are contacts, and those who may be added. 2 round trips."""
    message = _message(uid, mailbox)
    people = _people(message)
    known = store.by_address(current_user(), [address_key(one.email) for one in people])
    sender = next(iter(message.envelope.sender), None)
    found = (
        facts(next(iter(message.bodies.values()), "")) if sender and address_key(sender.email) not in known else SignatureFacts()
    )
    return page(
        "contacts/from_people.html", people=[(one, address_key(one.email) in known) for one in people], found=found,
        sender=sender, back=back_to_message(uid, mailbox),
        address=requested_message_url("contacts.add_people_of", uid, mailbox),
    )  # fmt: skip


def _message(uid: int, mailbox: str) -> Message:
    with imap.connect(current_account(), mailbox) as connection:
        return imap.messages.fetch(connection, mailbox, uid, uidvalidity())


def _people(message: Message) -> Sequence[Address]:
    """Sender and recipients with an address, each once, without oneself."""
    envelope = message.envelope
    every = (*envelope.sender, *envelope.reply_to, *envelope.to, *envelope.cc)
    found = {key: one for one in reversed(every) if "@" in (key := address_key(one.email)) and len(key) <= 254}
    found.pop(address_key(current_user().address), None)
    order = dict.fromkeys(address_key(one.email) for one in every)
    return [found[key] for key in order if key in found][:_MOST]


@blueprint.post("/contacts/of/<int:uid>/<path:mailbox>")
def add_people_of(uid: int, mailbox: str) -> Answer:
    """Add the ticked ones (`email`) who stand in the message and are no contacts yet."""
    user, back = current_user(), back_to_message(uid, mailbox)
    ticked = {address_key(email) for email in request.form.getlist("email")[:_MOST]}
    people = [one for one in _people(_message(uid, mailbox)) if address_key(one.email) in ticked]
    try:
        with user_lock(user.id):
            known = store.by_address(user, [address_key(one.email) for one in people])
            fresh = [one for one in people if address_key(one.email) not in known]
            cards = [vcard_edit.made(_details(one)) for one in fresh]
            uids = store.put_all(user, cards)
    except LimitReachedError as error:
        say_refused(error)
        return redirect(back, 303)
    if not uids:
        notify(_("Nobody was added: they are already in your contacts, or nobody was ticked."), "caution")
        return redirect(back, 303)
    offered = undo_of([CardVersion(new, "", store.revision(card)) for new, card in zip(uids, cards, strict=True)], back)
    notify(ngettext("%(num)d contact added.", "%(num)d contacts added.", len(uids)), undo=offered)
    return redirect(back, 303)


def _details(person: Address) -> ContactDetails:
    return ContactDetails(name=(person.name or person.email)[:190], emails=(ContactPoint(person.email),), uid=store.new_uid())


@blueprint.app_template_global()
def new_contact_url(person: Address, found: SignatureFacts) -> str:
    """The form of a new contact with what a signature tells filled in, to be checked first."""
    return url_for("contacts.new", name=person.name or None, email=person.email, phone=list(found.phones), site=list(found.sites))
