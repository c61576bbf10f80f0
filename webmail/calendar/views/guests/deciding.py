"""What the organiser decides about people who answer without being invited, and about other times that guests propose."""

from __future__ import annotations

from flask import abort, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.calendar import editing
from webmail.calendar.blueprint import blueprint
from webmail.calendar.guests import decisions, guest_list, guest_replies
from webmail.calendar.guests.guest_replies import ReplyKind
from webmail.calendar.guests.organising import Organiser
from webmail.calendar.objects import UidTakenError
from webmail.calendar.rooms.bookings import RoomRefusedError
from webmail.calendar.views.event import event_url, facts_here, mine
from webmail.calendar.views.guests.guest_fields import organises, tell
from webmail.calendar.views.undo import posting
from webmail.errors import LimitReachedError
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.recurrence.series import CannotChangeError
from webmail.models import CalendarObject, GuestReply
from webmail.rate_limits import TooManyRequestsError
from webmail.web.current import current_user
from webmail.web.notices import notify
from webmail.web.responses.too_many import with_again

_CHANGED = (editing.EventChangedElsewhereError, editing.NotWritableError, UidTakenError, UnusableCalendarError, LimitReachedError)


@blueprint.post("/calendar/events/<int:calendar>/<href>/replies")
def decide_reply(calendar: int, href: str) -> Answer:
    """`reply`: which one; `action`: add or leave who was not invited, take or keep the time of a proposal."""
    access, row = mine(calendar, href)
    facts = facts_here(access, row, "") if access.writes else None
    organiser = organises(facts) if facts else None
    if facts is None or organiser is None:
        abort(403 if access.reads else 404)
    back = redirect(event_url(calendar, href), 303)
    text = request.form.get("reply", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    reply = guest_replies.undecided(organiser.user.id, row.uid, number)
    if reply is None or (reply.kind == ReplyKind.UNINVITED and reply.sender in {one.key for one in facts.people}):
        notify(_("You have decided about this already."))
        return back
    try:
        _decide(row, organiser, reply)
    except TooManyRequestsError as error:
        notify(with_again(_("These are more people than you may write to at the moment."), error), "danger")
    except RoomRefusedError:
        notify(_("A room of this event is not free at that time. Nothing was changed."), "caution")
    except guest_list.TooManyGuestsError:
        notify(_("Invite at most %(count)d people.", count=guest_list.MOST_GUESTS), "caution")
    except CannotChangeError:
        notify(_("The event can’t take place at that time. Nothing was changed."), "caution")
    except _CHANGED:
        notify(_("This event was changed elsewhere at the same moment. Try again."), "caution")
    return back


def _decide(row: CalendarObject, organiser: Organiser, reply: GuestReply) -> None:
    user, action, who = current_user(), request.form.get("action", ""), reply.sender
    match reply.kind, action:
        case ReplyKind.UNINVITED, "add":
            tell(decisions.add(user, row, organiser, reply, posting()), _("%(who)s is now a guest.", who=who))
        case ReplyKind.UNINVITED, "leave":
            decisions.leave_out(reply)
            notify(_("%(who)s is not a guest, and is not told.", who=who))
        case ReplyKind.PROPOSAL, "take":
            tell(decisions.take(user, row, reply, posting()), _("Your event has the new time."))
        case ReplyKind.PROPOSAL, "keep":
            tell(decisions.keep(user, row, organiser, reply, posting()), _("The time stays."))
        case _:
            notify(_("Nothing was changed."), "caution")
