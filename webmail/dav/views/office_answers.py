"""Answering an invitation at Microsoft 365, on the page of its event."""

from __future__ import annotations

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.admission import AdmissionRefusedError
from webmail.calendar import editing
from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.dav.blueprint import blueprint
from webmail.dav.remote import office_invitations
from webmail.dav.remote.client import RoundOverError
from webmail.dav.remote.graph.event_answers import ACTIONS, LONGEST_COMMENT
from webmail.dav.remote.office_invitations import OfficeInvitation
from webmail.dav.remote.server_texts import service_trouble_words
from webmail.models import CalendarObject
from webmail.web.current import current_user, settings
from webmail.web.frame.areas import check_shown
from webmail.web.notices import notify
from webmail.web.responses.outside import ASKING_OUTSIDE

_SECONDS = 20.0  # that a page waits for the service


@blueprint.app_template_global()
def office_invitation(row: CalendarObject) -> OfficeInvitation | None:
    """What can be answered there of an event. 1 query, and 1 where its calendar is at Microsoft 365."""
    return office_invitations.find(current_user(), row, settings())


@blueprint.post("/calendar/events/<int:calendar>/<href>/office-answer")
def answer_at_office(calendar: int, href: str) -> Answer:
    """`action`: accept, maybe, decline; `comment`: for the organiser."""
    check_shown("calendar")
    try:
        _access, row = editing.load(current_user(), calendar, href)
    except editing.NoSuchEventError:
        abort(404)
    found, action = office_invitations.find(current_user(), row, settings()), request.form.get("action", "")
    if found is None or action not in ACTIONS:
        abort(404)
    comment = request.form.get("comment", "").replace("\0", "")[:LONGEST_COMMENT].strip()
    try:
        with ASKING_OUTSIDE.admit():
            office_invitations.send(found, current_user(), action, comment, settings(), _SECONDS)
    except FollowTroubleError as trouble:
        notify(_refused_words(trouble, found.service.title), "caution")
    except (AdmissionRefusedError, RoundOverError):
        notify(service_trouble_words(FollowFault.AWAY, found.service.title), "caution")
    else:
        notify(_("%(title)s has told the organiser.", title=found.service.title), "done")
    try:
        editing.load(current_user(), calendar, href)
    except editing.NoSuchEventError:  # declined, it may be gone from there, and so from here
        return redirect(url_for("calendar.show"), 303)
    return redirect(url_for("calendar.event", calendar=calendar, href=href), 303)


def _refused_words(trouble: FollowTroubleError, title: str) -> str:
    match trouble.kind:
        case FollowFault.GONE:
            return _("The event is no longer at %(title)s. Nothing was sent.", title=title)
        case FollowFault.REFUSED:
            return _("%(title)s takes no answer to this event: its organiser asks for none. Nothing was sent.", title=title)
    return service_trouble_words(trouble.kind, title)
