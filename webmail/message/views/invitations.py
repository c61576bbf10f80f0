"""Invitations on the page of a message: their card, and what its buttons do: take in, change anyway, answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial

from flask import Response, abort, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from webmail import imap
from webmail.calendar import answering, editing, invitations, meeting_mail
from webmail.calendar.answering import Answering, Invitation
from webmail.calendar.editing import Done, Write
from webmail.calendar.guests import automatic_rows
from webmail.calendar.invitations import IncomingEvents
from webmail.calendar.objects import UidTakenError
from webmail.calendar.rooms.bookings import RoomRefusedError
from webmail.compose.identities import NotYoursError
from webmail.compose.outbox import queue
from webmail.errors import BadAddressError, LimitReachedError, NoSuchMessageError, UnsafeValueError
from webmail.itip.answers import AlreadyInvitedError, NotInvitedError
from webmail.mail import Message, Part
from webmail.message import invitation_card
from webmail.message.arrivals import meeting_replies
from webmail.message.arrivals.meeting_replies import sender_of
from webmail.message.blueprint import blueprint
from webmail.message.invitation_card import InvitationCard
from webmail.message.trust import Trust
from webmail.message.views import reading
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.recurrence.series import CannotChangeError
from webmail.mime.headers.address_input import parse_addresses
from webmail.mime.part_kinds import PartKind, kind_of_part
from webmail.rate_limits import TooManyRequestsError
from webmail.schedule import time_of_day
from webmail.storage import StorageAwayError, StorageFullError
from webmail.web.current import current_account, current_user, sealed_credential, settings, time_zone, wake
from webmail.web.forms.request_values import fetched_ahead, uidvalidity
from webmail.web.frame.areas import check_shown
from webmail.web.message_links import back_to_message
from webmail.web.notices import notify

_LONGEST_COMMENT = 2_000
_TYPED = "typed_reply"  # in the session: what was typed with a reply that was refused, for the card that comes next
_TIMES = ("start", "start_hour", "end", "end_hour")
_LONGEST_TYPED = {"action": 20, "comment": _LONGEST_COMMENT, "delegate": 254} | dict.fromkeys(_TIMES, 40)
_CHANGED = (editing.EventChangedElsewhereError, editing.NotWritableError, UidTakenError)
_NOT_SENT = (NotYoursError, BadAddressError, UnsafeValueError, StorageFullError, StorageAwayError)


class NoTimeError(ValueError):
    """What was typed is no time."""


class NoDelegateError(ValueError):
    """What was typed is not the address of one person."""


@blueprint.app_template_global()
def invitation_of(part: Part, message: Message, trust: Trust | None = None) -> InvitationCard:
    """The card of a calendar part. 8 queries."""
    calendars = editing.calendars(current_user())
    found = invitations.read(message.bodies[part.section], calendars, _me(), sender_of(message, trust), part.method)
    own = [one.collection.id for one in calendars if one.rights == "own"]
    single = found.single
    by_itself = automatic_rows.load(current_user(), single.incoming.uid) if single is not None else None
    made = invitation_card.card(found, sender_of(message, trust), own, time_zone(), by_itself)
    made.typed = _typed_before([message.uid, part.section, message.mailbox])
    return made


def _typed_before(position: list[object]) -> dict[str, str]:
    """What was typed on this card with a reply that was refused; once."""
    kept = session.get(_TYPED)
    if not kept or kept["message"] != position or fetched_ahead():
        return {}
    del session[_TYPED]
    return {name: text for name, text in kept.items() if name != "message"}


def _keep_typed(position: list[object]) -> None:
    fields = {name: request.form.get(name, "")[:longest] for name, longest in _LONGEST_TYPED.items()}
    session[_TYPED] = {"message": position, **fields}


def _me() -> frozenset[str]:
    return meeting_mail.addresses_of(current_user(), settings())


def note_replies(message: Message, trust: Trust) -> None:
    """Note the replies of guests, proven to be theirs, in the events that the person organises, when they open the message."""
    if request.method != "GET":
        return
    replies = meeting_replies.replies_in(message, trust, current_user(), settings())
    if replies and fetched_ahead():  # nobody has seen the page yet: it is to be asked for again then
        abort(Response(status=204))
    meeting_replies.note(replies, current_user(), settings())


@blueprint.post("/calendar/from/<int:uid>/<section>/<path:mailbox>")
def take_events(uid: int, section: str, mailbox: str) -> Answer:
    """Take the events of a calendar part into one's calendar, or answer an invitation (`action`). The round trips of the
    message's page, and 2."""
    check_shown("calendar")
    found = _found(uid, section, mailbox)
    act = _ACTIONS.get(request.form.get("action", ""), _take)
    _keep_typed([uid, section, mailbox])
    try:
        act(found, back_to_message(uid, mailbox))
        del session[_TYPED]
    except UnusableCalendarError:
        notify(_("No events could be read from this file."), "caution")
    except LimitReachedError:
        notify(_("There is no room left in this calendar. Delete some events first."), "danger")
    except _CHANGED:
        notify(_("This event was changed elsewhere at the same moment. Try again."), "caution")
    except RoomRefusedError:
        notify(_("A room of this event is not free at that time. Nothing was changed."), "caution")
    except NoTimeError:
        notify(_("Enter a date and an hour that exist, the end after the beginning. Nothing was sent."), "caution")
    except NoDelegateError:
        notify(_("Enter the email address of one person. Nothing was sent."), "caution")
    except AlreadyInvitedError as error:
        notify(_("%(address)s is invited already. Nothing was sent.", address=str(error)), "caution")
    except (NotInvitedError, CannotChangeError):
        notify(_("You can’t reply to this invitation. Nothing was sent."), "caution")
    except TooManyRequestsError:
        notify(_("You have written to too many people for now. Nothing was sent: try again later."), "caution")
    except _NOT_SENT:
        notify(_("The reply can’t be sent from the address that was invited. Nothing was sent."), "caution")
    return redirect(back_to_message(uid, mailbox), 303)


def _found(uid: int, section: str, mailbox: str) -> IncomingEvents:
    """What the part comes to beside the person's calendars."""
    with imap.connect(current_account(), mailbox) as connection:
        part, _shape = imap.messages.find_part(connection, mailbox, uid, section, uidvalidity())
        if kind_of_part(part) is not PartKind.CALENDAR:
            raise NoSuchMessageError(f"{mailbox}: part {section} of {uid} is no calendar")
        text, cut = imap.attached_messages.beginning(connection, mailbox, uid, part, uidvalidity())
    opened = reading.read(uid, mailbox, mark=False)
    calendars = editing.writable(current_user())
    return invitations.read("" if cut else text, calendars, _me(), sender_of(opened.message, opened.trust), part.method)


def _take(found: IncomingEvents, back: str) -> None:
    """Put new events into the first calendar, and renew those that are there, where their organiser sent it."""
    first = found.first
    if not found.is_usable or found.method in ("counter", "refresh", "declinecounter"):
        notify(_("No events could be read from this file."), "caution")
    elif first is None and found.method in ("cancel", "reply"):
        notify(_("This event is not in your calendar."))
    elif not found.writes and found.unproven:
        notify(_("Nothing was changed: nothing proves that the organiser sent this message."), "caution")
    elif not found.writes and first is not None:
        count = len(found.events)
        notify(ngettext("This event is already in your calendar.", "These events are already in your calendar.", count))
    elif found.writes:
        _write(found, found.writes, back)


def _force(found: IncomingEvents, back: str) -> None:
    """What the person wants although nothing proves its sender: never for another organiser, nor for an event of their own."""
    if writes := found.all_writes:
        _write(found, writes, back)
    else:
        notify(_("Nothing was changed."), "caution")


def _write(found: IncomingEvents, writes: Sequence[Write], back: str) -> None:
    done = editing.write(current_user(), writes, settings(), as_kept=True, rooms_optional=True)
    if found.method == "cancel":
        words = invitation_card.cancelled_words(len(writes))
    elif all(one.etag for one in writes):
        words = invitation_card.updated_words(len(writes))
    else:
        words = invitation_card.added_words(len(writes))
    if found.method == "request":
        words += " " + _("The organiser is not told.")
    notify(words, undo=_undo_of(done, back), link=_link(writes[0]))


def _link(write: Write | Done) -> dict[str, object]:
    return {"url": url_for("calendar.event", calendar=write.calendar, href=write.href), "text": _("Show event"), "here": True}


def _undo_of(done: Sequence[Done], back: str, sent: str = "") -> tuple[str, dict[str, object]] | None:
    name = "" if any(one.hidden for one in done) else editing.offer_undo(current_user(), done)
    return (url_for("calendar.undo_last"), {"undo": name, "back": back, "sent": sent}) if name else None


# --- answers ---------------------------------------------------------------------------------------------------------


def _invitation(found: IncomingEvents) -> Invitation:
    invited = answering.invitation(found)
    if invited is None:
        raise NotInvitedError("nothing that can be answered")
    return invited


def _comment() -> str:
    return request.form.get("comment", "").replace("\0", "").strip()[:_LONGEST_COMMENT]


def _answer(action: str, found: IncomingEvents, back: str) -> None:
    if answering.decides(found) is not None:
        _decide(action == "accept", found, back)
        return
    invited, given = _invitation(found), answering.ACTIONS[action]
    if invited.answer == given and not _comment() and found.first is not None:
        notify(_("You have already replied so. Nothing was sent."))
        return
    result = answering.answer(
        current_user(), found, invited, given, _comment(), settings(), sealed_credential(), time_zone()
    )  # fmt: skip
    words = {"accept": _("You accepted."), "maybe": _("You replied “Maybe”."), "decline": _("You declined.")}[action]
    _say(result, words, back)


def _decide(agrees: bool, found: IncomingEvents, back: str) -> None:
    """What the organiser says to a guest who proposes another time."""
    result = answering.decide(
        current_user(), found, agrees, _comment(), settings(), sealed_credential(), time_zone()
    )  # fmt: skip
    _say(result, _("Your event has the new time.") if result.done else "", back)


def _propose(found: IncomingEvents, back: str) -> None:
    invited = _invitation(found)
    event = answering.fields_of(invited.text, invited.at[0] if invited.at else "")
    if event is None or not invited.may_propose:
        raise NotInvitedError("no other time is taken")
    start, end = _typed_times(event[0].length)
    times: tuple[date | datetime, date | datetime] = (start.date(), end.date())
    if not event[0].all_day:
        times = answering.own_time(event, start, end)
    if times == (event[0].start, event[0].end):
        raise NoTimeError("the time that it is at")
    result = answering.propose(
        current_user(), found, invited, times, _comment(), settings(), sealed_credential(), time_zone()
    )  # fmt: skip
    _say(result, _("You proposed another time."), back)


def _delegate(found: IncomingEvents, back: str) -> None:
    invited = _invitation(found)
    try:
        [address] = parse_addresses(request.form.get("delegate", "")[:254])
    except (BadAddressError, ValueError) as error:
        raise NoDelegateError("delegate") from error
    result = answering.delegate(
        current_user(), found, invited, address.email, _comment(), settings(), sealed_credential(), time_zone()
    )  # fmt: skip
    _say(result, _("You are sending %(who)s.", who=address.email), back)


def _typed_times(length: timedelta) -> tuple[datetime, datetime]:
    """The moments that were typed, by the person's clock; without an end it is as long as before. Raises NoTimeError."""
    start = _typed("start")
    if start is None:
        raise NoTimeError("no beginning")
    end = _typed("end", start.date())
    end = start + length if end is None else end
    if end < start:
        raise NoTimeError("it ends before it begins")
    return start, end


def _typed(name: str, day: date | None = None) -> datetime | None:
    text, hour = request.form.get(name, "").strip()[:40], request.form.get(f"{name}_hour", "").strip()[:10]
    if not text and (not hour or day is None):
        return None
    try:
        moment = datetime.fromisoformat(text) if text else datetime(day.year, day.month, day.day) if day else datetime.min
        if hour:
            moment = datetime.combine(moment.date(), time_of_day(hour))
        zone = time_zone()
        return moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
    except (ValueError, OverflowError) as error:
        raise NoTimeError(name) from error


def _say(result: Answering, text: str, back: str) -> None:
    """What was done, with Undo while the message waits."""
    for one in result.sent:
        wake(one)
    seconds = queue.undo_seconds(current_user(), settings())
    link = _link(result.done[0]) if result.done else None
    if not result.sent:
        alone = _("Nobody is told.")
        notify(f"{text} {alone}".strip(), undo=_undo_of(result.done, back), link=link)
        return
    undo = _undo_of(result.done, back, ",".join(str(one.id) for one in result.sent)) if seconds else None
    leaves = _("The message leaves in %(seconds)d s.", seconds=seconds) if undo else _("The message is on its way.")
    poll = (url_for("compose.state", outbox_id=result.sent[0].id), seconds + 2)
    notify(f"{text} {leaves}".strip(), undo=undo, keep=seconds if undo else None, link=link, poll=poll)


_ACTIONS: dict[str, Callable[[IncomingEvents, str], None]] = {
    "change": _force,
    "propose": _propose,
    "delegate": _delegate,
    **{name: partial(_answer, name) for name in answering.ACTIONS},
}
