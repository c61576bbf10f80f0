"""Drafts folder: puts a draft's text into the Drafts folder within seconds, and says truthfully where it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import redirect, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.compose.blueprint import blueprint
from webmail.compose.drafts import drafts, unsynced_drafts
from webmail.compose.drafts.drafts import CopyTrouble
from webmail.compose.outbox import status
from webmail.models import DraftRow, now
from webmail.web.current import current_account, current_user, remember_overview, sealed_credential, settings
from webmail.web.formatting import clock_time, local, short_date
from webmail.web.forms.request_values import local_path
from webmail.web.frame.list_buttons import LIST_BUTTONS
from webmail.web.frame.quota_notice import room_link
from webmail.web.notices import notify


@dataclass(frozen=True, slots=True)
class DraftState:
    """Where the text is, in words; `trouble` is why it is not in Drafts, None if it is or will be by itself."""

    words: str
    trouble: CopyTrouble | None = None


def put_into_drafts(row: DraftRow, *, insist: bool = False) -> bool:
    """Put the latest text into the Drafts folder; whether it is there. Never raises a MailError.

    Waits some seconds at most. While the server is known to be away only `insist` tries again: the worker does so anyway.
    """
    if drafts.is_empty(row) and not row.saved_mailbox and not insist:
        return False
    known_away = row.copy_error == CopyTrouble.AWAY and row.copy_due is not None and row.copy_due > now()
    done = (insist or not known_away) and unsynced_drafts.put(row, current_account(), settings(), sealed_credential())
    if not done and row.copy_error == CopyTrouble.AWAY:
        remember_overview(None)  # the side bar would wait for the same server again
    return done


def put_if_small(row: DraftRow) -> None:
    """The same after files were added or removed: with large ones the worker does it, once nothing changes any more."""
    if drafts.copy_is_due(row, leaving=True):
        put_into_drafts(row)


@blueprint.app_template_global()
def draft_state(row: DraftRow) -> DraftState:
    """What the form says beside its buttons."""
    if row.saved_at and not drafts.unsaved(row):
        return DraftState(_("Saved in Drafts at %(time)s", time=day_and_clock(row.saved_at)))
    if row.copy_error:
        trouble = CopyTrouble(row.copy_error)
        return DraftState(_kept_words(trouble), trouble)
    return DraftState(_("Saved at %(time)s", time=day_and_clock(row.updated)))


@blueprint.app_template_filter()
def day_and_clock(moment: datetime) -> str:
    """The time as "14:02", preceded by the date unless it is today."""
    time = clock_time(local(moment))
    return time if local(moment).date() == local(datetime.now(UTC)).date() else f"{short_date(moment)}, {time}"


def _kept_words(trouble: CopyTrouble) -> str:
    sentences = {
        CopyTrouble.AWAY: _("Saved here but not yet in Drafts: the mail server is not responding."),
        CopyTrouble.FULL: _("Your mailbox is full: this draft is saved here, not in Drafts."),
        CopyTrouble.FILES: _("Saved here but not yet in Drafts: its attachments are unavailable at the moment."),
        CopyTrouble.REFUSED: _("Saved here but not yet in Drafts: the mail server refused it."),
    }
    return sentences[trouble]


def _reason(trouble: CopyTrouble | None, *, alone: bool) -> str:
    """The reason, where it is said already that the drafts are kept here. `alone`: no worker will put them there."""
    if alone and trouble in (None, CopyTrouble.AWAY):
        return _("The mail server did not respond.") if trouble else ""
    sentences = {
        None: _("They will be moved there within a minute or two."),
        CopyTrouble.AWAY: _("The mail server did not respond. They will be moved there as soon as it does."),
        CopyTrouble.FULL: _("Your mailbox is full. Free up space and they will be moved there."),
        CopyTrouble.FILES: _("The attachments of this draft are unavailable at the moment."),
        CopyTrouble.REFUSED: _("The mail server refused it."),
    }
    return sentences[trouble]


# --- on the page of the Drafts folder --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeptDrafts:
    """Drafts that are kept here for one reason."""

    reason: str
    rows: list[DraftRow]


@blueprint.app_template_global()
def kept_here() -> list[KeptDrafts]:
    """The drafts that are kept here only, by reason, for the page of the Drafts folder."""
    user = getattr(session, "user", None)  # an error page has none where nobody is signed in
    rows = unsynced_drafts.of_user(user) if user else []
    stopped = bool(rows) and status.is_stopped()
    groups: dict[str, list[DraftRow]] = {}
    for trouble in (*CopyTrouble, None):
        for row in rows:
            if (row.copy_error or None) == trouble:
                # not due: the worker has no password for it
                groups.setdefault(_reason(trouble, alone=stopped or row.copy_due is None), []).append(row)
    return [KeptDrafts(reason, those) for reason, those in groups.items()]


@blueprint.post("/drafts/kept")
def put_kept() -> Response:
    """Put all drafts that are kept here into the Drafts folder."""
    back = local_path(request.form.get("back", "")) or url_for("mailbox.show", mailbox="INBOX")
    rows, done = unsynced_drafts.of_user(current_user()), 0
    for row in rows:
        done += put_into_drafts(row, insist=True)
        if row.copy_error == CopyTrouble.AWAY:
            break
    if done:
        notify(ngettext("%(num)d draft moved to Drafts.", "%(num)d drafts moved to Drafts.", done))
    if troubles := [CopyTrouble(row.copy_error) for row in rows if row.copy_error]:
        notify(_kept_words(troubles[0]), "caution", link=room_link() if troubles[0] is CopyTrouble.FULL else None)
    return redirect(back, 303)


LIST_BUTTONS["kept"] = lambda _mailbox, _argument: put_kept()
