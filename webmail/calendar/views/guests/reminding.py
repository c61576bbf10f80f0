"""A reminder to the guests who did not answer."""

from __future__ import annotations

from flask import abort, redirect, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from webmail.calendar.blueprint import blueprint
from webmail.calendar.guests import answers
from webmail.calendar.views.event import event_url, facts_here, mine
from webmail.calendar.views.guests.guest_fields import organises
from webmail.calendar.views.undo import posting
from webmail.rate_limits import TooManyRequestsError
from webmail.web.current import current_user, wake
from webmail.web.notices import notify
from webmail.web.responses.too_many import with_again


@blueprint.post("/calendar/events/<int:calendar>/<href>/remind")
def remind_guests(calendar: int, href: str) -> Answer:
    """The invitation once more, to those who gave no answer; `number`: which reminder, so that a second click sends nothing."""
    access, row = mine(calendar, href)
    facts = facts_here(access, row, "") if access.writes else None
    organiser = organises(facts) if facts else None
    if facts is None or organiser is None:
        abort(403 if access.reads else 404)
    number = request.form.get("number", "")
    number = number if number.isascii() and number.isdigit() and len(number) < 5 else "1"
    try:
        rows = answers.remind(current_user(), row, organiser, int(number), posting())
    except TooManyRequestsError as error:
        notify(with_again(_("These are more people than you may write to at the moment."), error), "danger")
        return redirect(event_url(calendar, href), 303)
    for sent in rows:
        wake(sent)
    count = sum(sent.people or 0 for sent in rows)
    if count:
        notify(ngettext("Reminder sent to %(num)d guest.", "Reminder sent to %(num)d guests.", count))
    else:
        notify(_("Nobody was reminded: all have answered, or it is over."), "caution")
    return redirect(event_url(calendar, href), 303)
