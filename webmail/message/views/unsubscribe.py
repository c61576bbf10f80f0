"""What a mailing list offers, on a line of the message; leaving it after a question."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.errors import NoSuchMessage
from webmail.mail import Message
from webmail.message import unsubscribe
from webmail.message.blueprint import blueprint
from webmail.message.unsubscribe import UnsubscribeOutcome
from webmail.message.views.link_warning import leave_address
from webmail.mime.html import link_claims
from webmail.mime.threats import lookalike
from webmail.web.current import current_account, settings
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.request_values import local_path, uidvalidity


@blueprint.app_template_global()
def outside_link(url: str, back: str) -> tuple[str, str]:
    """Where a link to the web goes, and its host as DNS has it: by way of our page where the host's letters deceive."""
    host = link_claims.host_of(url)
    return (leave_address(url, "", back) if lookalike.deceives(host) else url), host


@blueprint.get("/unsubscribe/<int:uid>/<path:mailbox>")
def ask_to_leave(uid: int, mailbox: str) -> Response:
    """Says what will be done, and asks."""
    message = _message(uid, mailbox)
    ways = unsubscribe.ways(message, settings())
    return page("message/leave_list.html", message=message, mailbox=mailbox, ways=ways, back=_back(message))


@blueprint.post("/unsubscribe/<int:uid>/<path:mailbox>")
def leave_list(uid: int, mailbox: str) -> Response:
    """One click (RFC 8058), from our server: the list learns an address of this server and the time, nothing of the person."""
    message = _message(uid, mailbox)
    ways = unsubscribe.ways(message, settings())
    if not ways.one_click:
        return redirect(url_for("message.ask_to_leave", uid=uid, mailbox=mailbox, v=message.uidvalidity), 303)
    outcome = unsubscribe.leave(ways.one_click)
    notify(_told(outcome, ways.host), "done" if outcome is UnsubscribeOutcome.ACCEPTED else "caution")
    if outcome is UnsubscribeOutcome.ACCEPTED:
        return redirect(_back(message), 303)
    return redirect(url_for("message.ask_to_leave", uid=uid, mailbox=mailbox, v=message.uidvalidity, back=_back(message)), 303)


def _message(uid: int, mailbox: str) -> Message:
    """The message, which must offer to leave its list."""
    with imap.connect(current_account(), mailbox) as connection:
        message = imap.messages.fetch(connection, mailbox, uid, uidvalidity())
    if not message.list.can_be_left:
        raise NoSuchMessage(f"{mailbox}: message {uid} names no way to leave a list")
    return message


def _back(message: Message) -> str:
    given = local_path(request.values.get("back", ""))
    return given or url_for("message.show", uid=message.uid, mailbox=message.mailbox, v=message.uidvalidity)


def _told(outcome: UnsubscribeOutcome, host: str) -> str:
    match outcome:
        case UnsubscribeOutcome.ACCEPTED:
            return _("%(host)s accepted the request. It may take some days until no more messages come.", host=host)
        case UnsubscribeOutcome.ELSEWHERE:
            return _("%(host)s wants you to go on by yourself. Nothing is certain: open its page.", host=host)
        case UnsubscribeOutcome.REFUSED:
            return _("%(host)s refused the request. You are still on the list.", host=host)
        case UnsubscribeOutcome.AWAY:
            return _("%(host)s did not answer. You are probably still on the list: try again later.", host=host)
        case UnsubscribeOutcome.FORBIDDEN:
            return _("%(host)s is no address that this server may ask. Nothing was sent.", host=host)
