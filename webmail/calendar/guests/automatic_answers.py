"""Automatic answers: what is done with an invitation before anybody opens it, as the person who is invited chose.

One that falls wholly into an absence is declined, others are pencilled in: of proven senders alone whom the person knows, each
once. Colleagues' new invitations at once, in the transaction that invites; what comes by mail when it arrives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from webmail import preferences, rate_limits, system_mail
from webmail.auth import address_owners
from webmail.calendar import answering, editing, invitations, meeting_mail, objects
from webmail.calendar.answering import Invitation
from webmail.calendar.display import happenings
from webmail.calendar.editing import Write
from webmail.calendar.free_busy import absence_times
from webmail.calendar.guests import automatic_rows
from webmail.calendar.guests.automatic_rows import AnswerKind, KnownAs
from webmail.calendar.invitations import IncomingEvents
from webmail.calendar.objects import UidTakenError
from webmail.collections import store as collections
from webmail.config.settings import Settings
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.itip import answers, distribution, people
from webmail.itip.messages import ItipMessage
from webmail.itip.outcome import Effect
from webmail.itip.permission import MailSender
from webmail.mail import Address
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.calendars.component_tree import BrokenTextError, parsed
from webmail.mime.formats.recurrence.series import CannotChangeError
from webmail.models import AutomaticAnswer, CalendarObject, Collection, User
from webmail.people import known_senders
from webmail.rate_limits import DAY, RateLimit
from webmail.web.formatting import written_in

DECLINES = RateLimit("automatic declines", 50, DAY)  # of one person
PENCILS = RateLimit("pencilled invitations", 100, DAY)
REQUEST, CANCEL = "REQUEST", "CANCEL"
_DAY = 86_400
_CHUNK = 400
_CHOICES = ("pencil_in", "absence_declines")  # the preferences by which somebody wants anything
_UNREADABLE = (BrokenTextError, CannotChangeError, ValueError)
_REFUSED = (
    editing.EventChangedElsewhereError, editing.NotWritableError, UidTakenError, LimitReachedError, UnusableCalendarError,
    answers.NotInvitedError, rate_limits.TooManyRequestsError,
)  # fmt: skip


# --- what somebody chose ---------------------------------------------------------------------------------------------


def wanting() -> list[User]:
    """Those who chose that something is done. 1 query."""
    return [user for user in address_owners.accounts_with(_CHOICES) if is_wanting(user)]


def is_wanting(user: User) -> bool:
    chosen = preferences.for_user(user)
    return bool(chosen.pencil_in or (chosen.absence_declines and chosen.absence))


def choice(user: User, text: str, who: KnownAs | None, settings: Settings) -> AnswerKind | None:
    """What is to be done with an invitation from somebody; None for nothing. No query."""
    chosen = preferences.for_user(user)
    try:
        if who is None or distribution.is_over(text, datetime.now(UTC)):
            return None
        if chosen.absence_declines == "known" or (chosen.absence_declines and who is KnownAs.COLLEAGUE):
            zone = objects.zone_of(chosen.time_zone or settings.timezone)
            if _is_within(text, chosen.absence, zone, objects.zone_of(settings.timezone)):
                return AnswerKind.DECLINED
    except (*_UNREADABLE, UnusableCalendarError):
        return None
    return AnswerKind.PENCILLED if chosen.pencil_in else None


def _is_within(text: str, absence: str, zone: tzinfo, floating: tzinfo) -> bool:
    """Whether all of an event, or of a series, falls into an absence."""
    known = absence_times.parse(absence)
    bounds = known.bounds() if known else None
    if bounds is None:
        return False
    read, expansion, _start, until, _todo = objects.prepared(text, floating)
    if not expansion.takings or (read.recurring and expansion.last >= until):
        return False
    first, last = min(one.start for one in expansion.takings), max(one.end for one in expansion.takings)
    if any(one.whole_day for one in expansion.takings):
        first, last = (int(happenings.midnight(happenings.utc_day(at), zone)) for at in (first, last))
    return bounds[0] <= first and last <= bounds[1]


# --- what comes by mail ----------------------------------------------------------------------------------------------


def take(user: User, found: IncomingEvents, sender: MailSender, who: KnownAs | None, settings: Settings) -> AnswerKind | None:
    """A message of a meeting arrived from `sender`, `who` is None for a stranger; what was done. In the application's context. It
    bears being done twice. 1 query where nothing is done."""
    event = found.single
    if event is None or not event.is_granted or not sender.proven:
        return None
    if event.incoming.organizer not in people.keys([sender.address]):
        return None
    row = automatic_rows.load(user, event.incoming.uid)
    try:
        if found.method == "cancel":
            return _cancelled(user, found, row, settings)
        invited = answering.invitation(found) if found.method == "request" else None
        if invited is None:
            return None
        if row is None:
            return _first(user, found, invited, who, settings)
        if row.owed and event.row is not None:
            return _pay(user, found, invited, row, settings)
        if row.kind == AnswerKind.PENCILLED and event.outcome.effect is Effect.CHANGED and found.writes:
            editing.write(user, found.writes, settings, as_kept=True, rooms_optional=True)
            return AnswerKind.PENCILLED
    except _REFUSED:
        return None
    return None


@begun_again
def _first(user: User, found: IncomingEvents, invited: Invitation, who: KnownAs | None, settings: Settings) -> AnswerKind | None:
    if invited.answer != people.NEEDS_ACTION or invited.at:
        return None
    kind = choice(user, invited.text, who, settings)
    if kind is None or who is None or (kind is AnswerKind.PENCILLED and found.first is not None):
        return None
    rate_limits.take(settings, (DECLINES if kind is AnswerKind.DECLINED else PENCILS).by(user.id))
    if not found.target:
        found = replace(found, target=collections.default_collection(user, collections.CALENDAR).id)
    with db.atomic():
        if not automatic_rows.put(user, found.events[0].incoming.uid, kind, who):
            return None
        if kind is AnswerKind.DECLINED:
            _decline(user, found, invited, settings)
        else:
            editing.write(user, found.writes, settings, as_kept=True, rooms_optional=True)
    return kind


@begun_again
def _pay(user: User, found: IncomingEvents, invited: Invitation, row: AutomaticAnswer, settings: Settings) -> AnswerKind | None:
    """The organiser's event says since they invited that the person is away: now they are told in words."""
    with db.atomic():
        if not automatic_rows.paid(row):
            return None
        _decline(user, found, invited, settings)
    return AnswerKind.DECLINED


def _decline(user: User, found: IncomingEvents, invited: Invitation, settings: Settings) -> None:
    chosen = preferences.for_user(user)
    zone = objects.zone_of(chosen.time_zone or settings.timezone)
    with written_in(system_mail.in_language_of(user, settings)):
        answering.answer(
            user, found, invited, people.DECLINED, chosen.absence_decline_text, settings, None, zone, automatic=True
        )  # fmt: skip


def _cancelled(user: User, found: IncomingEvents, row: AutomaticAnswer | None, settings: Settings) -> AnswerKind | None:
    """What was pencilled in alone goes; of what the person answered, the message tells them."""
    event = found.events[0]
    if row is None or row.kind != AnswerKind.PENCILLED or event.outcome.effect is not Effect.CANCELLED or event.outcome.at:
        return None
    if event.row is not None and answers.own_answer(event.there, found.me) == people.NEEDS_ACTION:
        _remove(user, event.row, row, settings)
    return AnswerKind.PENCILLED


def _remove(user: User, there: CalendarObject, row: AutomaticAnswer, settings: Settings) -> None:
    with db.atomic():
        automatic_rows.forget(row)
        editing.write(user, [Write(there.collection_id, there.href, "", there.etag)], settings)


# --- colleagues of this server ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InvitedColleague:
    """Somebody of this server with whose invitation something is done at once."""

    user: User
    message: ItipMessage
    kind: AnswerKind
    reason: KnownAs


def colleagues(messages: Sequence[ItipMessage], organiser: User, settings: Settings) -> list[InvitedColleague]:
    """Those among who is invited newly. 1 query for 400 people; and 1 for each of another establishment who chose something,
    and for each who is away."""
    invited = {key: one for one in messages if one.method == REQUEST for key in people.keys(one.recipients)}
    found, keys = [], sorted(invited)
    for at in range(0, len(keys), _CHUNK):
        for user in address_owners.accounts_with(_CHOICES, keys[at : at + _CHUNK]):
            if user.id == organiser.id or not is_wanting(user):
                continue
            message, who = invited[user.address], known_as(user, organiser)
            if who is not None and (kind := choice(user, message.text, who, settings)):
                if kind is AnswerKind.DECLINED and rate_limits.is_full(settings, DECLINES.by(user.id)):
                    continue  # nobody says for them that they decline, though they are away
                found.append(InvitedColleague(user, message, kind, who))
    return found


def known_as(user: User, other: User) -> KnownAs | None:
    """Why `user` knows another person of this server. 1 query for one of another establishment."""
    if user.domain == other.domain:
        return KnownAs.COLLEAGUE
    known = known_senders.look_up(user, Address(other.name, other.address), outside=True)
    return KnownAs.CONTACT if known.contact else None


def as_answered(text: str, invited: Sequence[InvitedColleague]) -> str:
    """The organiser's event with the answers of those who are away."""
    away = frozenset(one.user.address for one in invited if one.kind is AnswerKind.DECLINED)
    if not away:
        return text
    root = parsed(text)
    for event in root.parts("VEVENT"):
        for line in [one for one in event.lines("ATTENDEE") if people.key_of(one) in away]:
            people.change(event, line, {"PARTSTAT": people.DECLINED.upper()})
    return str(root)


def calendars_of(invited: Sequence[InvitedColleague]) -> list[int]:
    """Those that `carry_out` writes, to be locked before; made where there are none. 1 query each, more the first time."""
    return [collections.default_collection(one.user, collections.CALENDAR).id for one in invited]


def carry_out(invited: Sequence[InvitedColleague], organiser: User, settings: Settings) -> None:
    """Write into their calendars. In the transaction that writes the organiser's event."""
    for one in invited:
        calendars, me = editing.calendars(one.user), meeting_mail.addresses_of(one.user, settings)
        found = invitations.read(one.message.text, calendars, me, MailSender(organiser.address, True))
        invitation = answering.invitation(found)
        if invitation is None or found.first is not None:
            continue
        text = invitation.text
        if one.kind is AnswerKind.DECLINED:
            text = answers.answered(text, "", me, people.DECLINED, datetime.now(UTC)).text
        write = found.write(found.events[0], text)
        try:
            with db.atomic():
                rate_limits.take(settings, (DECLINES if one.kind is AnswerKind.DECLINED else PENCILS).by(one.user.id))
                if write is not None and automatic_rows.put(
                    one.user, one.message.uid, one.kind, one.reason, owed=one.kind is AnswerKind.DECLINED
                ):
                    editing.write(one.user, [write], settings, as_kept=True, rooms_optional=True)
        except _REFUSED:
            continue


def withdraw(uid: str, keys: Sequence[str], me: people.Addresses, settings: Settings) -> None:
    """The organiser with these addresses took an invitation back, or cancels it: where nobody has answered by hand, it goes from
    the calendars of who was invited. In a transaction. 2 queries, and 5 for each of them."""
    for row in automatic_rows.waiting_at(uid, address_owners.accounts_of(keys)):
        theirs = (CalendarObject.uid == uid[:255]) & (Collection.user == row.user)
        there: CalendarObject | None = CalendarObject.select(CalendarObject).join(Collection).where(theirs).first()
        if there is not None and {people.organizer(one) for one in parsed(there.text).parts("VEVENT")} & me:
            _remove(row.user, there, row, settings)
