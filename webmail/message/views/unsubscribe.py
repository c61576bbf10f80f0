"""Unsubscribe pages: confirming and leaving a mailing list; links to its web pages."""

from __future__ import annotations

from flask import redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.errors import NoSuchMessageError
from webmail.mail import Message
from webmail.message import unsubscribe
from webmail.message.blueprint import blueprint
from webmail.message.unsubscribe import UnsubscribeOutcome
from webmail.message.views.link_warning import leave_address
from webmail.mime.html import link_claims
from webmail.mime.threats import lookalike
from webmail.web.current import current_account, settings
from webmail.web.forms.request_values import local_path, uidvalidity
from webmail.web.message_links import message_url
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.app_template_global()
def outside_link(url: str, back: str) -> tuple[str, str]:
    """(URL, host in Punycode) for a link to the web; the URL is that of our warning page if the host is a homograph."""
    host = link_claims.host_of(url)
    return (leave_address(url, "", back) if lookalike.deceives(host) else url), host


@blueprint.get("/unsubscribe/<int:uid>/<path:mailbox>")
def ask_to_leave(uid: int, mailbox: str) -> Response:
    """Ask for confirmation, saying what will be done."""
    message = _message(uid, mailbox)
    ways = unsubscribe.ways(message, settings())
    return page("message/leave_list.html", message=message, mailbox=mailbox, ways=ways, back=_back(message))


@blueprint.post("/unsubscribe/<int:uid>/<path:mailbox>")
def leave_list(uid: int, mailbox: str) -> Response:
    """One-click unsubscribe (RFC 8058) from our server: the list learns the server's address and the time, but not the user's."""
    message = _message(uid, mailbox)
    ways = unsubscribe.ways(message, settings())
    if not ways.one_click:
        return redirect(message_url("message.ask_to_leave", message), 303)
    outcome = unsubscribe.leave(ways.one_click)
    notify(_told(outcome, ways.host), "done" if outcome is UnsubscribeOutcome.ACCEPTED else "caution")
    if outcome is UnsubscribeOutcome.ACCEPTED:
        return redirect(_back(message), 303)
    return redirect(message_url("message.ask_to_leave", message, back=_back(message)), 303)


def _message(uid: int, mailbox: str) -> Message:
    """The message. Raises NoSuchMessageError if it offers no way to unsubscribe."""
    with imap.connect(current_account(), mailbox) as connection:
        message = imap.messages.fetch(connection, mailbox, uid, uidvalidity())
    if not message.list.can_be_left:
        raise NoSuchMessageError(f"{mailbox}: message {uid} names no way to leave a list")
    return message


def _back(message: Message) -> str:
    return local_path(request.values.get("back", "")) or message_url("message.show", message)


def _told(outcome: UnsubscribeOutcome, host: str) -> str:
    match outcome:
        case UnsubscribeOutcome.ACCEPTED:
            return _("%(host)s accepted your request. Messages may keep coming for a few days.", host=host)
        case UnsubscribeOutcome.ELSEWHERE:
            return _("%(host)s asks you to finish on its website. You may still be on the list: open its page.", host=host)
        case UnsubscribeOutcome.REFUSED:
            return _("%(host)s refused your request. You are still on the list.", host=host)
        case UnsubscribeOutcome.AWAY:
            return _("%(host)s did not respond. You are probably still on the list. Try again later.", host=host)
        case UnsubscribeOutcome.FORBIDDEN:
            return _("This server is not allowed to contact %(host)s. Nothing was sent.", host=host)
