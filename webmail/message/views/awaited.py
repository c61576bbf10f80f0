"""Awaited replies that the person reads: noted at once, whether or not a worker has looked."""

from __future__ import annotations

from functools import partial

from flask import current_app, request

from webmail import imap
from webmail.compose.awaited import awaited_marks, awaited_replies, incoming_answers
from webmail.errors import MailError
from webmail.imap.bulk import bulk_fetch
from webmail.mail import Message
from webmail.web.current import current_account, current_user, settings
from webmail.web.forms.request_values import fetched_ahead
from webmail.web.frame.page_rows import forget_rows, page_rows


def note_answers(message: Message) -> None:
    """No query unless a reply is awaited and this one answers something; round trips only where it is that."""
    envelope = message.envelope
    ids = {*envelope.in_reply_to, *envelope.references}
    if not ids or request.method != "GET" or fetched_ahead() or not any(row.number for row in page_rows("awaited")):
        return
    user, account = current_user(), current_account()
    if not awaited_replies.among(user, ids):
        return
    try:
        with imap.connect(account, message.mailbox) as connection:
            fetch = partial(bulk_fetch.beginnings, connection, message.mailbox, uidvalidity=message.uidvalidity)
            heads = bulk_fetch.answer_headers(connection, message.mailbox, [message.uid], message.uidvalidity)
            answered = incoming_answers.take(user, heads, message.mailbox, message.uidvalidity, fetch, settings())
    except MailError as error:
        current_app.logger.warning("a reply that is read is not noted: %s", error)
        return
    if answered:
        awaited_marks.settle(user, account)
        forget_rows()
