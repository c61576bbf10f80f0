"""Message links: URLs that identify a message by its mailbox, UIDVALIDITY and UID."""

from __future__ import annotations

from typing import Any

from flask import request

from webmail.mail import Message, Summary
from webmail.web.forms.request_values import local_path, uidvalidity
from webmail.web.templates.addresses import url_for


def message_url(endpoint: str, message: Message | Summary, **more: Any) -> str:
    """The URL of a page about `message`, or of a part of it. `more` may replace its `uid` by that of a neighbour."""
    named: dict[str, Any] = {"uid": message.uid, "mailbox": message.mailbox, "v": message.uidvalidity}
    return url_for(endpoint, **named | more)


def requested_message_url(endpoint: str, uid: int, mailbox: str, **more: Any) -> str:
    """The same for the message of the current request, with the UIDVALIDITY that was given."""
    return url_for(endpoint, uid=uid, mailbox=mailbox, v=uidvalidity(), **more)


def back_to_message(uid: int, mailbox: str) -> str:
    """Where to return to: the `back` of the request, or the message's own page."""
    return local_path(request.values.get("back", "")) or requested_message_url("message.show", uid, mailbox)
