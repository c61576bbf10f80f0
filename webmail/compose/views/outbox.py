"""The page of what is on its way: waiting, failed, uncertain, just sent; and the buttons of its rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from flask import redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.compose.blueprint import blueprint
from webmail.compose.outbox import filing, rate_limits, send_errors, send_later
from webmail.compose.outbox import queue as logic
from webmail.compose.outbox.send_errors import SendErrorKind
from webmail.compose.views.editor import say_left_out
from webmail.compose.views.send_later import cancel, change_time, send_now, too_many_words
from webmail.errors import ServerAway
from webmail.models import DraftRow, Outbox, OutboxState, now
from webmail.web.current import current_account, current_user, sealed_credential, settings, wake
from webmail.web.errors import mail_error
from webmail.web.notices import notify, withdraw_notices
from webmail.web.rendering import fragment, page

_PATIENCE = timedelta(minutes=2)  # how long after its time a notice asks whether a message has left


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A row as the page tells it. `reason` and each of `refused` end in the server's own words, empty where it said nothing."""

    row: Outbox
    recipients: list[str]
    reason: tuple[str, str]
    refused: list[tuple[str, str, str]]  # address, sentence, words

    @property
    def later(self) -> bool:
        return send_later.waits(self.row)

    @property
    def reached(self) -> int:
        """How many were sent to, as far as is known: those of an earlier turn are not counted."""
        return len(set(self.recipients) - {address for address, *_words in self.refused})


@blueprint.get("/outbox")
def outbox() -> Response:
    rows = [_shown(row) for row in logic.listing(current_user())]
    return page("compose/outbox.html", rows=[shown for shown in rows if not shown.later], waiting=_by_time(rows))


@blueprint.get("/outbox/<int:outbox_id>/state")
def state(outbox_id: int) -> Response:
    """What the notice "The message leaves in 5 seconds" becomes; it asks again while nobody knows.

    What needs the person is said by the alert that every page has from then on but the outbox, and by nothing else beside it.
    """
    row = logic.find(current_user(), outbox_id)
    refused = json.loads(row.refused)
    alarming = row.state in (OutboxState.FAILED, OutboxState.UNCERTAIN) or (row.state == OutboxState.SENT and refused)
    if alarming and urlsplit(request.headers.get("HX-Current-URL", "")).path != url_for("compose.outbox"):
        return fragment("compose/_alert.html", oob=True)
    if send_later.waits(row):
        return fragment("compose/_state.html", row=row, again=False, refused=refused, later=True)
    going = row.state == OutboxState.SENDING or (row.state == OutboxState.WAITING and not row.error)
    return fragment("compose/_state.html", row=row, again=going and now() < row.due + _PATIENCE, refused=refused)


@blueprint.app_errorhandler(ServerAway)
def away_after_send(error: ServerAway) -> Response:
    """The page to go back to after "Send" may need a mail server that is away. The outbox needs none, and says what holds."""
    htmx = request.htmx  # type: ignore[attr-defined]
    waiting = [notice for notice in session.get("notices", []) if notice.get("poll")]
    if not waiting or request.method != "GET" or (htmx and htmx.target != "main"):
        return mail_error(error)
    words = _("The mail server does not answer at the moment. Your message is kept here and leaves by itself.")
    session["notices"] = [{**waiting[-1], "text": words, "kind": "caution"}]
    return redirect(url_for("compose.outbox"), 303)


def _by_time(rows: list[OutboxRow]) -> list[OutboxRow]:
    return sorted((shown for shown in rows if shown.later), key=lambda shown: shown.row.due)


def _shown(row: Outbox) -> OutboxRow:
    refused = [(address, *_explained(words)) for address, words in json.loads(row.refused).items()]
    return OutboxRow(row, json.loads(row.recipients), _explained(row.error) if row.error else ("", ""), refused)


def _explained(noted: str) -> tuple[str, str]:
    kind, words = send_errors.read(noted)
    return _sentence(kind), words


def _sentence(kind: SendErrorKind) -> str:
    sentences = {
        SendErrorKind.NOT_REACHED: _("The mail server could not be reached."),
        SendErrorKind.NO_ANSWER: _("The mail server did not answer in time."),
        SendErrorKind.BROKE_OFF: _("The connection to the mail server broke off."),
        SendErrorKind.SIGN_IN: _("The mail server did not accept your sign-in. Sign out, sign in again, then try again."),
        SendErrorKind.NO_ROOM: _("There is no room left in your mailbox."),
        SendErrorKind.STOPPED: _("The program that was sending it was stopped."),
        SendErrorKind.OTHER: _("Something went wrong here."),
        SendErrorKind.NO_SUCH_ADDRESS: _("This address does not exist."),
        SendErrorKind.NO_SUCH_DOMAIN: _("No mail server was found for this address."),
        SendErrorKind.MAILBOX_CLOSED: _("That mailbox takes no mail."),
        SendErrorKind.MAILBOX_FULL: _("That mailbox is full."),
        SendErrorKind.TOO_LARGE: _("The message is too large for the server."),
        SendErrorKind.NOT_ASCII: _("The mail server takes no addresses with accents or other special letters before the @."),
        SendErrorKind.NOT_NOW: _("The server does not take this message at the moment."),
        SendErrorKind.REFUSED: _("The server does not accept this message."),
    }
    return sentences[kind]


@blueprint.post("/outbox/<int:outbox_id>")
def change(outbox_id: int) -> Response:
    """What comes too late says so and changes nothing."""
    logic.find(current_user(), outbox_id)
    actions = {
        "undo": _undo, "retry": _retry, "edit": _edit, "dismiss": _dismiss,
        "now": send_now, "time": change_time, "cancel": cancel,
    }  # fmt: skip
    do = actions.get(request.form.get("action", ""))
    return do(outbox_id) if do else redirect(url_for("compose.outbox"), 303)


def _undo(outbox_id: int) -> Response:
    draft_id = logic.undo(current_user(), outbox_id)
    withdraw_notices()
    if draft_id is None:
        notify(_("Too late: the message has left."), "caution")
        return redirect(url_for("compose.outbox"), 303)
    notify(_("The message was stopped. Nothing was sent."))
    if not DraftRow.select().where(DraftRow.id == draft_id).exists():  # a message sent on has no text of one's own
        return redirect(url_for("compose.outbox"), 303)
    return redirect(url_for("compose.show", draft_id=draft_id), 303)


def _retry(outbox_id: int) -> Response:
    row = logic.find(current_user(), outbox_id)
    try:
        rate_limits.check(current_user(), row.people or 0, now(), settings(), besides=row.draft)
    except rate_limits.RecipientLimitReached as error:
        notify(too_many_words(error), "caution")
        return redirect(url_for("compose.outbox"), 303)
    if logic.retry(current_user(), outbox_id, sealed_credential()):
        wake(logic.find(current_user(), outbox_id))
        notify(_("The message is on its way."))
    return redirect(url_for("compose.outbox"), 303)


def _edit(outbox_id: int) -> Response:
    row = logic.find(current_user(), outbox_id)
    if row.state == OutboxState.SENT:
        again = filing.draft_for_refused(row, current_user(), current_account(), settings())
        draft_id = again[0].id if again else None
        if again and again[1]:
            say_left_out(again[1])
    else:
        draft_id = logic.edit(current_user(), outbox_id, settings())
    if draft_id is None:
        notify(_("The text of this message is no longer here: look in Drafts and Sent."), "caution")
        return redirect(url_for("compose.outbox"), 303)
    return redirect(url_for("compose.show", draft_id=draft_id), 303)


def _dismiss(outbox_id: int) -> Response:
    logic.dismiss(current_user(), outbox_id, sealed_credential())
    wake(logic.find(current_user(), outbox_id))
    return redirect(url_for("compose.outbox"), 303)
