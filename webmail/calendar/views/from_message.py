"""Events from messages: a new one from what is written. Those of a calendar file or an invitation are on the message's page."""

from __future__ import annotations

from functools import partial

from flask import Response, request
from flask_babel import gettext as _

from webmail import imap
from webmail.calendar import event_changes
from webmail.calendar.blueprint import blueprint
from webmail.calendar.display.event_texts import when_words
from webmail.calendar.forms import EventForm
from webmail.calendar.quick_entry import date_chips, dates_in_text
from webmail.calendar.views.event_form import begin, form_of_words, form_page
from webmail.compose.replies import reply
from webmail.mail import Message, Summary
from webmail.mime.headers.subjects import bare_subject
from webmail.web.current import current_account, settings, time_zone
from webmail.web.formatting import day_in_full, here, local
from webmail.web.forms.request_values import uidvalidity
from webmail.web.message_links import back_to_message, message_url, requested_message_url

_FORM = "calendar.event_of_message"
MOST_LINKED = 20  # other messages of a conversation


@blueprint.get("/calendar/of/<int:uid>/<path:mailbox>")
def event_of_message(uid: int, mailbox: str) -> Response:
    """The form of an event with what a message says: its subject, the first day it names, a link to it. 2 round trips; those of
    `others_of` besides, to offer the conversation.

    `date`: which of the times that it names, or `at`: which by when it begins, as chips name it. `thread`: with links to the
    other messages of its conversation.
    """
    with imap.connect(current_account(), mailbox) as connection:
        message = imap.messages.fetch(connection, mailbox, uid, uidvalidity())
        text = reply.text_of(connection, message, signed=False)
    sent = local(message.envelope.sent or message.received).replace(tzinfo=None)
    subject = bare_subject(message.envelope.subject)
    dates = dates_in_text.dates_in(f"{subject}\n{text}", sent, here().locale)
    named = [date_chips.name_of(one) for one in dates]
    at = request.args.get("at", "")
    chosen = named.index(at) if at in named else min(max(request.args.get("date", 0, int), 0), max(len(dates) - 1, 0))
    form = form_of_words(dates[chosen]) if dates else EventForm(uid=event_changes.new_uid())
    if not dates:
        begin(form)
    rest, count = _conversation(message)
    thread = "1" if request.args.get("thread") and rest else None
    notes = [_notes(message), *(_link_line(message, row) for row in reversed(rest))] if thread else [_notes(message)]
    form.title, form.notes = " ".join(subject.split())[:500], "\n".join(notes)
    others = [
        (when_words(one.start, one.end, time_zone()), requested_message_url(_FORM, uid, mailbox, date=number, thread=thread))
        for number, one in enumerate(dates)
        if number != chosen
    ]
    more = requested_message_url(_FORM, uid, mailbox, date=chosen or None, thread=1) if rest and not thread else ""
    return form_page(
        form, found=dates[chosen] if dates else None, others=others, back=back_to_message(uid, mailbox),
        conversation=(more, count, len(rest)),
    )  # fmt: skip


def _conversation(message: Message) -> tuple[list[Summary], int]:
    """The latest other messages of its conversation, newest first, and how many there are."""
    ask = partial(imap.listing.others_of, mailbox=message.mailbox, uid=message.uid, most=MOST_LINKED)
    none: tuple[list[Summary], int] = ([], 0)
    return imap.optional(current_account(), message.mailbox, ask, none)


def _link_line(message: Message, row: Summary) -> str:
    """Who wrote another message of the conversation, when, and the way to it."""
    sender = next(iter(row.sender), None)
    day = day_in_full(local(row.sent or row.received).date())
    link = _absolute(message_url("message.show", message, uid=row.uid))
    if sender is None:
        return _("Message of %(day)s: %(link)s", day=day, link=link)
    return _("Message from %(sender)s, %(day)s: %(link)s", sender=sender, day=day, link=link)


def _notes(message: Message) -> str:
    """Who wrote it, and the way back to it."""
    sender = next(iter(message.envelope.sender), None)
    link = _absolute(message_url("message.show", message))
    return _("Message from %(sender)s: %(link)s", sender=sender, link=link) if sender else link


def _absolute(path: str) -> str:
    return (settings().public_url.rstrip("/") or request.url_root.rstrip("/")) + path
