"""The card of an invitation: what it says of the person's calendar, what it changes there, why, and what they can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.calendar import answering, conflicts
from webmail.calendar.answering import Invitation
from webmail.calendar.conflicts import Conflict
from webmail.calendar.display import happenings
from webmail.calendar.display.event_texts import repeat_words, status_words, when_words
from webmail.calendar.display.happenings import Happening
from webmail.calendar.guests.automatic_rows import AnswerKind, KnownAs
from webmail.calendar.invitations import IncomingEvent, IncomingEvents
from webmail.calendar.repeat import repeat_of
from webmail.itip import answers, people
from webmail.itip.differences import EventDifference, EventTime, differences
from webmail.itip.outcome import Effect
from webmail.itip.permission import MailSender, Permission
from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import BrokenTextError
from webmail.mime.formats.recurrence.series import CannotChangeError, series_of
from webmail.models import AutomaticAnswer

_MOST_AROUND = 6  # events of the day
_LONGEST = 300  # characters of a text that is told old and new
_OF_ORGANISER = ("", "publish", "request", "add", "cancel", "declinecounter")


@dataclass(frozen=True, slots=True)
class ToldChange:
    """Something that a message changes: what, and its old and new words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """The fields of another time, by the person's clock; `start_hour` "" of whole days."""

    start: str
    start_hour: str
    end: str
    end_hour: str


@dataclass(slots=True)
class InvitationCard:
    """`notes`: sentences, the ones with True are warnings; `add`: the words of the button that takes it in, "" for none;
    `can_force`: whether the person may want it although nothing proves its sender."""

    found: IncomingEvents
    notes: list[tuple[str, bool]] = field(default_factory=list)
    changes: list[ToldChange] = field(default_factory=list)
    heading: str = ""
    add: str = ""
    can_force: bool = False
    state: str = ""
    invitation: Invitation | None = None
    conflicts: list[tuple[Conflict, str]] = field(default_factory=list)
    clashes: str = ""  # on how many dates of a series there is one
    day: str = ""
    around: list[Happening] = field(default_factory=list)  # what else is on that day
    proposal: Proposal | None = None
    decisions: list[tuple[str, str]] = field(default_factory=list)  # of the organiser: action and words of the button
    typed: dict[str, str] = field(default_factory=dict)  # what was typed, by the field's name, with a reply that was refused


def card(
    found: IncomingEvents, sender: MailSender, calendars: Sequence[int], zone: tzinfo, by_itself: AutomaticAnswer | None = None
) -> InvitationCard:
    """What the card of a calendar part says. `by_itself`: what was done before anybody looked. 2 queries, for conflicts and the
    day of an invitation."""
    made = InvitationCard(found)
    for event in found.events:
        made.notes += [note for note in _notes(event, sender, found.me) if note not in made.notes]
    changed = [one for one in found.events if one.row is not None and one.outcome.text and found.method != "reply"]
    for event in changed[:3]:
        made.changes += _changes(event, zone)
    if changed and made.changes:
        made.heading = _heading(changed[0], zone)
    if (asked := answering.decides(found)) is not None:
        _add_decisions(made, asked, zone)
    made.can_force = bool(found.unproven)
    made.invitation = answering.invitation(found)
    new = any(one.outcome.effect is Effect.NEW for one in found.events)  # whoever has no calendar yet gets one
    made.add = _add_words(found) if found.writes or new else ""
    made.state = _state(found)
    if made.invitation is not None:
        made.state = _answer_state(made.invitation.answer) or made.state
        if by_itself is not None:
            _add_automatic(made, by_itself, sender)
        _add_day(made, made.invitation, calendars, zone)
        made.proposal = _proposal(made.invitation, zone) if made.invitation.may_propose else None
    return made


def _add_automatic(made: InvitationCard, row: AutomaticAnswer, sender: MailSender) -> None:
    """Why an invitation stands in the calendar, or is declined, though nobody did that; that one is gone which was declined."""
    answer = made.invitation.answer if made.invitation is not None else ""
    there = made.found.first is not None
    if row.kind == AnswerKind.PENCILLED and there and answer == people.NEEDS_ACTION:
        made.state = _("Pencilled in")
        words = (
            _("Pencilled in because %(who)s is a colleague. Nothing was answered.", who=sender.address)
            if row.reason == KnownAs.COLLEAGUE
            else _("Pencilled in because you have %(who)s in your contacts. Nothing was answered.", who=sender.address)
        )
        made.notes.append((words, False))
    elif row.kind == AnswerKind.DECLINED and answer == people.DECLINED:
        made.notes.append((_("Declined automatically, because you are out of office then."), False))
    elif row.kind == AnswerKind.REFUSED and not there:
        made.state = _("You declined")


def _add_day(made: InvitationCard, invitation: Invitation, calendars: Sequence[int], zone: tzinfo) -> None:
    """What else the person has then, and on that day."""
    others = conflicts.conflicts(calendars, invitation.text, zone, invitation.at)
    made.conflicts = [(one, when_words(one.begins, one.ends, zone)) for one in others.found]
    if others.dates > 1 and others.clashing:
        made.clashes = _(
            "You have something else on %(num)d of the next %(count)d dates.", num=others.clashing, count=others.dates
        )
    made.day = _day(invitation, zone)
    if made.day and calendars:
        day, uid = date.fromisoformat(made.day), made.found.events[0].incoming.uid
        rows = happenings.between(dict.fromkeys(calendars, "own"), day, day, zone, zone, _MOST_AROUND + 1).rows
        made.around = [one for one in rows if one.uid != uid and not one.cancelled][:_MOST_AROUND]


def _add_decisions(made: InvitationCard, event: IncomingEvent, zone: tzinfo) -> None:
    """What the organiser can say to a guest who proposes another time, or asks for the latest version."""
    if event.outcome.effect is Effect.WANTED:
        made.decisions = [("accept", _("Send the invitation again"))]
        return
    text = answering.proposed_text(event)
    made.changes = _told_changes(event.there, text, zone)
    made.decisions = [*([("accept", _("Take this time"))] if text else []), ("decline", _("Keep the present time"))]


# --- sentences -------------------------------------------------------------------------------------------------------


def _notes(event: IncomingEvent, sender: MailSender, me: people.Addresses) -> list[tuple[str, bool]]:
    """Why it was taken, or is not: who really wrote, what is there."""
    effect, guest = event.outcome.effect, event.outcome.guest
    who = (guest.name or guest.address) if guest is not None else ""
    found: list[tuple[str, bool]] = []
    if event.incoming.method in _OF_ORGANISER:
        found += _about_organiser(event, sender)
    elif effect is Effect.UNINVITED:
        found.append((_("%(who)s was not invited. Nothing changes in your event.", who=who), True))
        if event.is_granted and event.incoming.method == "reply":
            found.append((_("The page of the event asks whether you want to invite them."), False))
    elif event.permission is Permission.UNPROVEN and effect is Effect.ANSWERED:
        words = _("Nothing proves that %(who)s sent this reply; it was sent by %(sender)s.", who=who, sender=sender.address)
        found.append((words, True))
    elif effect is Effect.UNKNOWN:
        found.append((_("This event is not in your calendar."), False))
    elif event.permission is Permission.UNPROVEN and effect in (Effect.PROPOSED, Effect.WANTED):
        words = _("Nothing proves that %(who)s sent this message; it was sent by %(sender)s.", who=who, sender=sender.address)
        found.append((words, True))
    elif effect is Effect.PROPOSED:
        found.append((_("%(who)s proposes another time. Your event stays as it is.", who=who), False))
    elif effect is Effect.WANTED:
        found.append((_("%(who)s asks for the latest version of your invitation.", who=who), False))
    if effect in (Effect.NEW, Effect.CHANGED, Effect.SAME) and (sender_of_me := answers.sent_by(event.incoming.text, me)):
        found.append((_("%(who)s sends you in their place.", who=sender_of_me), False))
    if effect is Effect.OLD:
        found.append((_("A newer version is in your calendar."), False))
    if event.outcome.comment:
        found.append((_("Note: %(text)s", text=event.outcome.comment), False))
    return found


def _about_organiser(event: IncomingEvent, sender: MailSender) -> list[tuple[str, bool]]:
    organiser = _organiser(event)
    if event.permission is Permission.OWN and event.outcome.text:
        return [(_("This is an event of your own: a message can’t change it."), True)]
    if event.permission is Permission.ORGANISER:
        words = _("The event in your calendar has another organiser: this message can’t change it. It was sent by %(sender)s.",
                  sender=sender.address)  # fmt: skip
        return [(words, True)]
    if event.permission is Permission.UNPROVEN and event.outcome.text:
        return [(_sender_words(sender, organiser), True), (_("Nothing was changed in your calendar."), False)]
    if event.outcome.effect is Effect.NEW and organiser and not _is_theirs(event, sender):
        return [
            (_("Sent by %(sender)s; organiser: %(organiser)s, not proven.", sender=sender.address, organiser=organiser), False)
        ]
    if event.outcome.effect is Effect.REFUSED:
        return [(_("The organiser keeps the time of the invitation."), False)]
    if event.outcome.effect is Effect.UNKNOWN and event.incoming.method != "cancel":
        return [(_("This event is not in your calendar."), False)]
    if event.outcome.effect is Effect.INCOMPLETE:
        return [(_("An earlier message about this event is missing. Ask the organiser for the invitation."), False)]
    return []


def _sender_words(sender: MailSender, organiser: str) -> str:
    if sender.proven or not organiser:
        return _(
            "This message was sent by %(sender)s, not by the organiser, %(organiser)s.",
            sender=sender.address,
            organiser=organiser,
        )
    if people.keys([sender.address]) == people.keys([organiser]):
        return _("Nothing proves that the organiser, %(organiser)s, sent this message.", organiser=organiser)
    return _("This message was sent by %(sender)s, which is not proven; the organiser is %(organiser)s.", sender=sender.address,
             organiser=organiser)  # fmt: skip


def _is_theirs(event: IncomingEvent, sender: MailSender) -> bool:
    return sender.proven and event.incoming.organizer in people.keys([sender.address])


def _organiser(event: IncomingEvent) -> str:
    """The organiser's address, as the calendar has it, else as the message says."""
    for text in (event.there, event.incoming.text):
        try:
            found = [people.address_of(one.first("ORGANIZER")) for one in series_of(text).root.parts("VEVENT")] if text else []
        except (CannotChangeError, BrokenTextError, ValueError):
            found = []
        if address := next(filter(None, found), ""):
            return address
    return ""


def _state(found: IncomingEvents) -> str:
    there = len(found.existing)
    if not there:
        return ""
    if there < len(found.events):
        return _("%(num)d of %(count)d events are in your calendar", num=there, count=len(found.events))
    if found.method == "cancel" and all(one.outcome.effect is Effect.SAME for one in found.events):
        return _("Marked as cancelled in your calendar")
    if found.method == "reply" and found.single is not None and found.single.outcome.effect is Effect.SAME:
        return _("This reply is in your event")
    return _("In your calendar")


def _answer_state(answer: str) -> str:
    return {
        people.ACCEPTED: _("You accepted"),
        people.TENTATIVE: _("You replied “Maybe”"),
        people.DECLINED: _("You declined"),
        people.DELEGATED: _("You are sending someone else"),
    }.get(answer, "")


def _add_words(found: IncomingEvents) -> str:
    if found.method == "cancel":
        return _("Mark as cancelled in my calendar")
    if found.method == "reply":
        return _("Note this reply")
    return _("Update in my calendar") if found.existing and len(found.existing) == len(found.events) else _("Add to my calendar")


# --- old and new -----------------------------------------------------------------------------------------------------


def _heading(event: IncomingEvent, zone: tzinfo) -> str:
    at = event.outcome.at
    begins = _moment_of(event.there, at[0] if len(at) == 1 else "")
    words = when_words(begins, begins, zone) if begins is not None else ""
    if event.outcome.effect is Effect.CANCELLED:
        return _("Cancels your event of %(when)s", when=words) if words else _("Cancels your event")
    return _("Changes your event of %(when)s", when=words) if words else _("Changes your event")


def _moment_of(text: str, at: str) -> date | datetime | None:
    try:
        series = series_of(text)
        start = series.stamp(series.named(at)) if at else event_edit.stamp_of(
            (series.master or series.overrides[0]).first("DTSTART"), series.root)  # fmt: skip
        moment = start.instant() if start else None
        return moment.replace(tzinfo=None) if start and start.tz is None and isinstance(moment, datetime) else moment
    except (CannotChangeError, BrokenTextError, ValueError):
        return None


def _changes(event: IncomingEvent, zone: tzinfo) -> list[ToldChange]:
    return _told_changes(event.there, event.outcome.text, zone)


def _told_changes(there: str, text: str, zone: tzinfo) -> list[ToldChange]:
    made = []
    for one in differences(there, text):
        before, after = (_value(one, value, text, zone) for value in (one.before, one.after))
        if before != after:
            made.append(ToldChange(_label(one, zone), before, after))
    return made


def _label(difference: EventDifference, zone: tzinfo) -> str:
    label = {
        "time": _("When"), "title": _("Title"), "place": _("Location"), "video": _("Video link"), "notes": _("Notes"),
        "rule": _("Repeats"), "status": _("Status"), "left-out": _("Dates left out"), "guests": _("Invited"),
    }[difference.name]  # fmt: skip
    if difference.begins is None:
        return label
    return _("%(what)s (%(when)s)", what=label, when=when_words(difference.begins, difference.begins, zone))


def _value(difference: EventDifference, value: str | EventTime, text: str, zone: tzinfo) -> str:
    if isinstance(value, EventTime):
        start, end = value.start, value.end
        if value.floating and isinstance(start, datetime) and isinstance(end, datetime):
            start, end = start.replace(tzinfo=None), end.replace(tzinfo=None)
        return when_words(start, end, zone)
    if difference.name == "status":
        return status_words(value) or _("takes place")
    if difference.name == "rule":
        begins = _moment_of(text, "")
        return repeat_words(repeat_of(value, begins, None), begins) if value and begins is not None else _("once")
    if difference.name == "left-out":
        days = [one for one in (_moment_of(text, at.strip()) for at in value.split(",") if at.strip()) if one is not None]
        return ", ".join(when_words(one, one, zone) for one in days)
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"


# --- another time ----------------------------------------------------------------------------------------------------


def _proposal(invitation: Invitation, zone: tzinfo) -> Proposal | None:
    found = answering.fields_of(invitation.text, invitation.at[0] if invitation.at else "")
    if found is None:
        return None
    fields, stamp = found
    start, end = fields.start, fields.end
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return Proposal(start.isoformat(), "", end.isoformat(), "")
    if stamp.tz is not None:
        start, end = (one.replace(tzinfo=stamp.tz).astimezone(zone) for one in (start, end))
    return Proposal(f"{start:%Y-%m-%d}", f"{start:%H:%M}", f"{end:%Y-%m-%d}", f"{end:%H:%M}")


def _day(invitation: Invitation, zone: tzinfo) -> str:
    """The day on which it begins, as ISO writes it; "" where that is not known."""
    begins = _moment_of(invitation.text, "")
    if begins is None:
        return ""
    if isinstance(begins, datetime):
        return (begins.astimezone(zone) if begins.tzinfo else begins).date().isoformat()
    return begins.isoformat()


def cancelled_words(count: int) -> str:
    return ngettext("%(num)d event is marked as cancelled.", "%(num)d events are marked as cancelled.", count)


def updated_words(count: int) -> str:
    return ngettext("%(num)d event in your calendar was updated.", "%(num)d events in your calendar were updated.", count)


def added_words(count: int) -> str:
    return ngettext("%(num)d event was added to your calendar.", "%(num)d events were added to your calendar.", count)
