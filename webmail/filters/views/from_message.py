"""Filter from a message or a search: which of its features a new filter shall ask for, then the form, filled in (`rules.py`)."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.errors import NoSuchMessageError
from webmail.filters import move_habits
from webmail.filters.blueprint import blueprint
from webmail.filters.rules import from_search
from webmail.filters.rules.rules import ActionKind, BadRuleError, ConditionField, MatchKind
from webmail.filters.senders.senders import entry_of
from webmail.filters.views.sentences import quoted_value
from webmail.imap.bulk import origin_headers
from webmail.mail import Envelope, Mailbox, Role
from webmail.mailbox import selection
from webmail.mailbox.list_request import LONGEST_QUERY
from webmail.mailbox.search import search_query
from webmail.message import sender_verdict
from webmail.mime.headers.subjects import bare_subject
from webmail.web.current import current_account, current_user, overview, settings
from webmail.web.formatting import today
from webmail.web.forms.request_values import local_path, uidvalidity
from webmail.web.frame.list_buttons import LIST_BUTTONS
from webmail.web.notices import notify
from webmail.web.rendering import page

_LONGEST = 200  # characters of a subject in the form


class FilterIdea(NamedTuple):
    """A feature of the message, in words, and the address of the form that asks for it."""

    words: str
    url: str


@blueprint.get("/filters/from/<int:uid>/<path:mailbox>")
def from_message(uid: int, mailbox: str) -> Response:
    """What a filter can go by, and the buttons for the sender: 1 round trip after the SELECT, and those of the message's page."""
    with imap.connect(current_account(), mailbox) as connection:
        found = origin_headers.read(connection, mailbox, [uid], uidvalidity()) if 0 < uid < 2**32 else []
        validity = connection.uidvalidity
    if not found:
        raise NoSuchMessageError(f"{mailbox}: no message has the UID {uid}")
    current = _mailbox(mailbox)
    its_page = url_for("message.show", uid=uid, mailbox=mailbox)
    back = local_path(request.args.get("back", "")) or its_page
    after = url_for("mailbox.show", mailbox=mailbox) if back.partition("?")[0] == its_page else back  # it may be moved then
    sender, role = _sender(found[0]), current.role if current else None
    here = (mailbox, uid, validity)
    doubted = bool(sender) and sender_verdict.trust_in(current_user(), current_account(), settings(), here, role).is_dangerous
    return page(
        "filters/from_message.html", ideas=_ideas(found[0], sender, _folder(mailbox)), uid=uid, mailbox=mailbox,
        validity=validity, sender=sender, subject=found[0].subject, back=back, after=after,
        is_junk=role is Role.JUNK, doubted=doubted, is_own=sender == current_user().address.lower(),
    )  # fmt: skip


def _sender(envelope: Envelope) -> str:
    """The first address in From, as filters compare it; "" for none that could be one."""
    try:
        return entry_of(envelope.sender[0].email) if envelope.sender else ""
    except BadRuleError:
        return ""


def _mailbox(name: str) -> Mailbox | None:
    found = overview()
    return found.get(name) if found else None


def _folder(mailbox: str) -> str:
    """Where the filter shall move such messages: to where this one is, if somebody put it there."""
    current = _mailbox(mailbox)
    return mailbox if current is not None and current.role is None and not current.owner else ""


def _ideas(envelope: Envelope, sender: str, folder: str) -> list[FilterIdea]:
    subject = bare_subject(envelope.subject)[:_LONGEST].strip()
    found = []
    if move_habits.names_list(envelope.list_id):
        words = _("From the mailing list “%(name)s”", name=quoted_value(envelope.list_id))
        found.append(FilterIdea(words, _form_url(ConditionField.LIST, MatchKind.CONTAINS, envelope.list_id, folder)))
    if sender:
        found.append(
            FilterIdea(
                _("From %(address)s", address=quoted_value(sender)), _form_url(ConditionField.FROM, MatchKind.IS, sender, folder)
            )
        )
        domain = sender[sender.rindex("@") :]
        words = _("From anyone at %(domain)s", domain=quoted_value(domain[1:]))
        found.append(FilterIdea(words, _form_url(ConditionField.FROM, MatchKind.ENDS, domain, folder)))
    if subject:
        words = _("With a subject that contains “%(words)s”", words=quoted_value(subject))
        found.append(FilterIdea(words, _form_url(ConditionField.SUBJECT, MatchKind.CONTAINS, subject, folder)))
    return found


def _form_url(field: ConditionField, match: MatchKind, value: str, folder: str) -> str:
    line = " ".join(value.split())
    return url_for("filters.new_rule", field=field, match=match, value=line, action=ActionKind.MOVE, to=folder or None)


def _from_list(mailbox: str, _argument: str) -> Response:
    """The first message that is ticked."""
    back = local_path(request.form.get("back", "")) or url_for("mailbox.show", mailbox=mailbox)
    chosen = selection.of_rows(mailbox, request.form.get("v", 0, int), request.form.getlist("uids")[:1])
    if not chosen:
        notify(_("Select a message first: the filter will apply to others like it."), "caution")
        return redirect(back, 303)
    one = chosen[0]
    return redirect(url_for("filters.from_message", uid=one.uids[0], mailbox=one.mailbox, v=one.uidvalidity, back=back), 303)


LIST_BUTTONS["filter"] = _from_list


@blueprint.get("/filters/from-search")
def from_words() -> Response:
    """The form for what a search (`query`) looks for; what no filter can ask for is named."""
    query = request.args.get("query", "")[:LONGEST_QUERY]
    idea = from_search.conditions_of(search_query.understood(query, current_user(), today()), query)
    if idea.left:
        words = _("A filter can’t check this, so it was left out: %(words)s", words=quoted_value(" ".join(idea.left), 200))
        notify(words, "caution")
    arguments: dict[str, Any] = {"action": ActionKind.MOVE, **idea.arguments}
    return redirect(url_for("filters.new_rule", **arguments), 303)
