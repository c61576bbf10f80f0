"""Outbox page: waiting, failed, uncertain and recently sent messages, and the actions of their buttons."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from flask import redirect, request, session, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.compose.blueprint import blueprint
from webmail.compose.large_files.large_files import FileState
from webmail.compose.outbox import filing, queue, recipient_limits, send_errors, send_later, status
from webmail.compose.outbox.send_errors import SendErrorKind
from webmail.compose.views.attachments.large_files import coming_words, stopped_words
from webmail.compose.views.drafts_folder import put_into_drafts
from webmail.compose.views.editor import say_left_out
from webmail.compose.views.outbox.send_later import NotDoneError, cancel, change_time, send_now, too_many_words
from webmail.errors import ServerAwayError
from webmail.models import DraftRow, Outbox, OutboxState, now
from webmail.rate_limits import TooManyRequestsError
from webmail.web.current import current_account, current_user, sealed_credential, settings, wake
from webmail.web.formatting import lazy_text as _l
from webmail.web.notices import notify, withdraw_notices
from webmail.web.rendering import fragment, page
from webmail.web.responses.errors import mail_error

_GOING = (OutboxState.WAITING, OutboxState.SENDING)
_PATIENCE = timedelta(minutes=2)  # how long after its due time scripts ask for the message's state


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A row as displayed. `reason` and each of `refused` end with the server's reply, "" if there was none."""

    row: Outbox
    recipients: list[str]
    reason: tuple[str, str]
    refused: list[tuple[str, str, str]]  # address, sentence, server's reply
    coming: str = ""  # words about a large file that it waits for

    @property
    def lacks_room(self) -> bool:
        """Whether the person's own mailbox is too full for it."""
        return send_errors.read(self.row.error)[0] is SendErrorKind.NO_ROOM

    @property
    def later(self) -> bool:
        return send_later.waits(self.row)

    @property
    def waits_again(self) -> bool:
        """Whether it waits for another try, its first or that of its copy in Sent."""
        if self.row.state == OutboxState.SENT:
            return bool(self.row.error)
        return self.row.state == OutboxState.WAITING and bool(self.row.error or self.row.sent_at) and not self.coming

    @property
    def is_tried(self) -> bool:
        """Whether a worker has it, or takes it at once, so that an earlier reason says nothing any more."""
        if self.row.state == OutboxState.WAITING or (self.row.state == OutboxState.SENT and self.row.error):
            return self.overdue
        return self.row.state == OutboxState.SENDING

    @property
    def is_followed(self) -> bool:
        return self.is_tried and now() < self.row.due + _PATIENCE

    @property
    def overdue(self) -> bool:
        return self.row.due < now()

    @property
    def reached(self) -> int:
        """How many recipients were accepted, as far as known: those of earlier attempts are not counted."""
        return len(set(self.recipients) - {address for address, *_words in self.refused})


@blueprint.get("/outbox")
def outbox() -> Response:
    rows = [_outbox_row(row) for row in queue.listing(current_user())]
    stopped = any(shown.row.state in _GOING for shown in rows) and status.is_stopped()
    here = [shown for shown in rows if not shown.later]
    return page("compose/outbox.html", rows=here, waiting=_by_time(rows), stopped=stopped)


@blueprint.get("/outbox/<int:outbox_id>/row")
def outbox_row(outbox_id: int) -> Response:
    """The row of a message that is being tried, once that is over (204 until then); scripts ask every 2 seconds."""
    shown = _outbox_row(queue.find(current_user(), outbox_id))
    stopped = shown.row.state in _GOING and status.is_stopped()
    if shown.is_followed and not stopped:
        return Response(status=204)
    return fragment("compose/_outbox_row.html", shown=shown, stopped=stopped)


@blueprint.get("/outbox/<int:outbox_id>/state")
def state(outbox_id: int) -> Response:
    """The update of the notice "The message leaves in 5 seconds"; it polls while the outcome is open.

    Problems are shown only in the alert that every page has from then on, except on the outbox page.
    """
    row = queue.find(current_user(), outbox_id)
    refused = json.loads(row.refused)
    alarming = row.state in (OutboxState.FAILED, OutboxState.UNCERTAIN) or (row.state == OutboxState.SENT and refused)
    if alarming and urlsplit(request.headers.get("HX-Current-URL", "")).path != url_for("compose.outbox"):
        return fragment("compose/_alert.html", oob=True)
    if send_later.waits(row):
        return fragment("compose/_state.html", row=row, again=False, refused=refused, later=True)
    if coming := coming_words(row):
        return fragment("compose/_state.html", row=row, again=False, refused=refused, coming=coming)
    going = row.state == OutboxState.SENDING or (row.state == OutboxState.WAITING and not row.error)
    stopped = row.state == OutboxState.WAITING and row.due <= now() and status.is_stopped()
    again = going and now() < row.due + _PATIENCE
    return fragment("compose/_state.html", row=row, again=again, refused=refused, stopped=stopped)


@blueprint.app_errorhandler(ServerAwayError)
def away_after_send(error: ServerAwayError) -> Response:
    """If the page after "Send" needs an unreachable mail server, redirect to the outbox, which needs none."""
    htmx = request.htmx  # type: ignore[attr-defined]
    waiting = [notice for notice in session.get("notices", []) if notice.get("poll")]
    if not waiting or request.method != "GET" or (htmx and htmx.target != "main"):
        return mail_error(error)
    words = _("The mail server is not responding. Your message is saved here and will be sent automatically.")
    session["notices"] = [{**waiting[-1], "text": words, "kind": "caution"}]
    return redirect(url_for("compose.outbox"), 303)


def _by_time(rows: list[OutboxRow]) -> list[OutboxRow]:
    return sorted((shown for shown in rows if shown.later), key=lambda shown: shown.row.due)


def _outbox_row(row: Outbox) -> OutboxRow:
    refused = [(address, *_explained(words)) for address, words in json.loads(row.refused).items()]
    coming = "" if send_later.waits(row) else coming_words(row)
    return OutboxRow(row, json.loads(row.recipients), _explained(row.error) if row.error else ("", ""), refused, coming)


def _explained(noted: str) -> tuple[str, str]:
    kind, words = send_errors.read(noted)
    if kind in _LINKS:
        return stopped_words(_LINKS[kind], words), ""
    return _sentence(kind), words


_LINKS = {
    SendErrorKind.LINKS_CLOSED: FileState.CLOSED,
    SendErrorKind.LINKS_REFUSED: FileState.REFUSED,
    SendErrorKind.LINKS_ABANDONED: FileState.ABANDONED,
    SendErrorKind.LINKS_NOT_TAKEN: FileState.NOT_TAKEN,
    SendErrorKind.LINKS_NOT_SAVED: FileState.NOT_SAVED,
}


def _sentence(kind: SendErrorKind) -> str:
    sentences = {
        SendErrorKind.NOT_REACHED: _("The mail server could not be reached."),
        SendErrorKind.NO_ANSWER: _("The mail server did not respond in time."),
        SendErrorKind.BROKE_OFF: _("The connection to the mail server was lost."),
        SendErrorKind.SIGN_IN: _("The mail server refused your sign-in. Sign out, sign back in and try again."),
        SendErrorKind.TOKEN_REFUSED: _(
            "The mail server is refusing access to this service. The problem is with the servers, not your password."
        ),
        SendErrorKind.NO_ROOM: _("Your mailbox is full."),
        SendErrorKind.FILES_AWAY: _("The server can’t reach the files of this message at the moment."),
        SendErrorKind.LINKS_COMING: _("Its large files are still being uploaded."),
        SendErrorKind.STOPPED: _("Sending was interrupted because the service stopped."),
        SendErrorKind.OTHER: _("Something went wrong on our side."),
        SendErrorKind.NO_SUCH_ADDRESS: _("This address does not exist."),
        SendErrorKind.NO_SUCH_DOMAIN: _("No mail server was found for this address."),
        SendErrorKind.MAILBOX_CLOSED: _("That mailbox does not accept mail."),
        SendErrorKind.MAILBOX_FULL: _("That mailbox is full."),
        SendErrorKind.TOO_LARGE: _("The message is too large for the server."),
        SendErrorKind.NOT_ASCII: _("The mail server does not support accents or special characters before the @."),
        SendErrorKind.NOT_NOW: _("The server is not accepting this message at the moment."),
        SendErrorKind.REFUSED: _("The server refused this message."),
    }
    return sentences.get(kind, "")


# --- the buttons of a row --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutboxAction:
    """A button of a row: `run` returns the URL to go to next ("" for the outbox), or None if it is too late.

    `says` and `too_late` are the notices for the two; `withdraws`: removes the notice that offers undo on other pages.
    """

    name: str
    run: Callable[[int], str | None]
    says: str | LazyString = ""
    too_late: str | LazyString = ""
    withdraws: bool = False


@blueprint.post("/outbox/<int:outbox_id>")
def change(outbox_id: int) -> Response:
    """Run a button's action and notify; changes nothing if it is too late."""
    queue.find(current_user(), outbox_id)
    action = OUTBOX_ACTIONS.get(request.form.get("action", ""))
    address: str | None = ""
    if action:
        try:
            address = action.run(outbox_id)
        except NotDoneError as error:
            notify(error.words, error.kind)
        else:
            if action.withdraws:
                withdraw_notices()
            if words := action.too_late if address is None else action.says:
                notify(str(words), "caution" if address is None else "done")
    return redirect(address or url_for("compose.outbox"), 303)


def _undo(outbox_id: int) -> str | None:
    draft_id = queue.undo(current_user(), outbox_id)
    if draft_id is None:
        return None
    return _to_draft(draft_id)


def _to_draft(draft_id: str) -> str:
    """The address of a draft that is being edited again, once it is in Drafts; "" if there is none (of a redirected message)."""
    draft = DraftRow.get_or_none(DraftRow.id == draft_id)
    if draft is None:
        return ""
    put_into_drafts(draft)
    return url_for("compose.show", draft_id=draft_id)


def _retry(outbox_id: int) -> str | None:
    row = queue.find(current_user(), outbox_id)
    try:
        recipient_limits.check(current_user(), row.people or 0, now(), settings(), besides=row.draft)
    except TooManyRequestsError as error:
        raise NotDoneError(too_many_words(error)) from error
    if not queue.retry(current_user(), outbox_id, sealed_credential()):
        return None
    wake(queue.find(current_user(), outbox_id))
    return ""


def _try_now(outbox_id: int) -> str | None:
    if not queue.try_now(current_user(), outbox_id):
        return None
    wake(queue.find(current_user(), outbox_id))
    return ""


def _edit(outbox_id: int) -> str | None:
    row = queue.find(current_user(), outbox_id)
    if row.state == OutboxState.SENT:
        again = filing.draft_for_refused(row, current_user(), current_account(), settings())
        draft_id = again[0].id if again else None
        if again and again[1]:
            say_left_out(again[1])
    else:
        draft_id = queue.edit(current_user(), outbox_id, settings())
    return _to_draft(draft_id) if draft_id else None


def _dismiss(outbox_id: int) -> str:
    queue.dismiss(current_user(), outbox_id, sealed_credential())
    row = queue.find(current_user(), outbox_id)
    wake(row)
    if row.state == OutboxState.CANCELLED and (address := _to_draft(row.draft)):
        words = _("“%(subject)s” is back in your drafts.", subject=row.subject or _("(no subject)"))
        notify(words, link={"url": address, "text": _("Open the draft"), "here": True})
    return ""


_HAS_LEFT = _l("Too late: the message has already been sent.")
OUTBOX_ACTIONS = {
    action.name: action
    for action in (
        OutboxAction("undo", _undo, _l("Sending cancelled. Nothing was sent."), _HAS_LEFT, withdraws=True),
        OutboxAction("retry", _retry, _l("The message is on its way.")),
        OutboxAction("try", _try_now, _l("Trying again now.")),
        OutboxAction("edit", _edit, too_late=_l("The text of this message is no longer here. Look in Drafts and Sent.")),
        OutboxAction("dismiss", _dismiss),
        OutboxAction("now", send_now, _l("The message is on its way."), _HAS_LEFT, withdraws=True),
        OutboxAction("time", change_time, too_late=_HAS_LEFT, withdraws=True),
        OutboxAction("cancel", cancel, too_late=_HAS_LEFT, withdraws=True),
    )
}
