"""The fields of an event's form that say who is invited, what of them is written, and what the guests answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.accounts import permitted
from webmail.accounts.permitted_texts import refusal_words
from webmail.calendar import editing
from webmail.calendar.display.event_facts import EventFacts
from webmail.calendar.display.event_texts import when_words
from webmail.calendar.editing import Write
from webmail.calendar.forms import EventForm
from webmail.calendar.guests import answers, decisions, guest_lines, guest_list, guest_reminders, organising
from webmail.calendar.guests.answers import AnswerCounts
from webmail.calendar.guests.decisions import ProposedTime
from webmail.calendar.guests.guest_lines import GuestChange
from webmail.calendar.guests.guest_list import TypedGuest
from webmail.calendar.guests.guest_replies import ReplyKind
from webmail.calendar.guests.organising import Organiser, Posted, Posting
from webmail.calendar.views.undo import hidden_words, posting, undo_of
from webmail.database.connection import db
from webmail.errors import BadAddressError
from webmail.itip.people import Invitee
from webmail.mime.formats.recurrence import series
from webmail.mime.headers.address_input import address_key
from webmail.web.current import current_user, settings, time_zone, wake
from webmail.web.notices import notify


def read_guests(form: EventForm) -> list[TypedGuest] | None:
    """Whom the form invites; its groups and names become addresses. None with `errors` where it isn't clear."""
    lists = guest_list.completed(current_user(), {name: getattr(form, name) for name in guest_list.FIELDS}, settings())
    form.invite, form.optional = lists["invite"], lists["optional"]
    own = {address_key(current_user().address)}
    try:
        guests = guest_list.guests_in(form.invite, form.optional, besides=own)
        if refused := permitted.refused(current_user(), (one.person.email for one in guests), settings()):
            optional = {one.key for one in guests if one.optional}
            for one in refused:
                field = "optional" if address_key(one.address) in optional else "invite"
                form.errors[field] = " ".join(filter(None, [form.errors.get(field), refusal_words(one)]))
        return None if refused else guests
    except BadAddressError as error:
        bad = "invite" if str(error) in form.invite else "optional"
        form.errors[bad] = _("“%(value)s” is not an email address.", value=error.value[:80])
    except guest_list.TooManyGuestsError:
        form.errors["invite"] = _("Invite at most %(count)d people.", count=guest_list.MOST_GUESTS)
    return None


def organiser_here(calendar: int) -> Organiser | None:
    """Who organises what the person writes into a calendar (by `id`); None where they may not."""
    access = next((one for one in editing.calendars(current_user()) if one.collection.id == calendar and one.writes), None)
    return organising.organiser_of(current_user(), access, settings()) if access else None


def organises(facts: EventFacts) -> Organiser | None:
    """Who organises an event, if the person may invite to it: its calendar's owner; None for what others organise."""
    if not facts.access.writes:
        return None
    found = organising.organiser_of(current_user(), facts.access, settings())
    return found if facts.organizer is None or address_key(facts.organizer.email) in found.me else None


def invited_to(facts: EventFacts, organiser: Organiser) -> list[Invitee]:
    """The guests of an event, or of the one of a series that is shown."""
    return guest_lines.guests_of(series.component_at(series.series_of(facts.row.text), facts.at), organiser.me)


def show_guests(form: EventForm, facts: EventFacts) -> None:
    """Put the guests of an event into its form."""
    if organiser := organises(facts):
        form.invite, form.optional = guest_list.fields_of(guest_lines.typed_guests(invited_to(facts, organiser)))
        form.hidden = guest_lines.is_hidden(facts.row.text)
        form.remind_guests = bool(settings().token_key_file) and guest_reminders.is_chosen(facts.row)


def posting_of(form: EventForm) -> Posting:
    """How guests are told of what the form says."""
    return posting(form.note, silent=form.quiet, remind=form.remind_guests)


def choose_reminder(form: EventForm, facts: EventFacts) -> None:
    """Whether the guests of an event are reminded, where the form changes nothing else."""
    if settings().token_key_file and organises(facts):
        with db.atomic():
            guest_reminders.choose(current_user(), facts.row.collection_id, facts.row.href, wanted=form.remind_guests)


def guest_change(form: EventForm, facts: EventFacts) -> tuple[Organiser, GuestChange] | None:
    """What the form changes of the guests; None for what others organise, and with `errors` where it isn't clear."""
    organiser = organises(facts)
    if organiser is None or (guests := read_guests(form)) is None:
        return None
    return organiser, guest_lines.change_between(invited_to(facts, organiser), guests, hidden=form.hidden)


def with_new_guests(form: EventForm, writes: Sequence[Write], guests: Sequence[TypedGuest]) -> list[Write]:
    """New events with their guests."""
    organiser = organiser_here(writes[0].calendar) if guests else None
    if organiser is None:
        return list(writes)
    change = guest_lines.change_between([], guests, hidden=form.hidden)
    return [replace(one, text=guest_lines.changed(one.text, change, organiser.address)) for one in writes]


def is_same_list(inviting: tuple[Organiser, GuestChange] | None) -> bool:
    return inviting is None or inviting[1].is_empty


def told_words(posted: Posted) -> str:
    """That guests are told, in a sentence; "" where nobody is."""
    count = posted.people
    return ngettext("%(num)d guest is told by email.", "%(num)d guests are told by email.", count) if count else ""


def tell(posted: Posted, said: str, back: str = "", link: dict[str, Any] | None = None) -> None:
    """Say what was done, with its undo; what guests are told leaves by itself."""
    for row in posted.rows:
        wake(row)
    notify(
        " ".join(filter(None, [said, told_words(posted)])) + hidden_words(posted.done), undo=undo_of(posted.done, back), link=link
    )


# --- answers -----------------------------------------------------------------------------------------------------------


def tracked_answers(facts: EventFacts) -> AnswerCounts | None:
    """How many guests answered what; None where nobody is invited, or somebody else organises."""
    organiser = organises(facts) if facts.people else None
    if organiser is None:
        return None
    guests = invited_to(facts, organiser)
    return answers.counted(guests, facts.row, organiser) if guests else None


def proposals_of(facts: EventFacts, tracked: AnswerCounts | None) -> list[tuple[ProposedTime, str]]:
    """The times that guests propose, with their words."""
    organiser = organises(facts) if tracked and any(one.kind == ReplyKind.PROPOSAL for one in tracked.replies) else None
    if tracked is None or organiser is None:
        return []
    found = decisions.proposed(facts.row, tracked.replies, organiser.me)
    return [(one, when_words(one.start, one.end, time_zone()) if one.start and one.end else "") for one in found]


def answers_words(counts: AnswerCounts) -> str:
    """The numbers, in words; those that are none are left out."""
    found = (
        (counts.accepted, ngettext("%(num)d accepted", "%(num)d accepted", counts.accepted)),
        (counts.tentative, ngettext("%(num)d may come", "%(num)d may come", counts.tentative)),
        (counts.declined, ngettext("%(num)d declined", "%(num)d declined", counts.declined)),
        (counts.silent, ngettext("%(num)d has not replied", "%(num)d have not replied", counts.silent)),
    )
    words = ", ".join(text for count, text in found if count)
    return _("%(answers)s. Guests don’t see each other.", answers=words) if counts.hidden else words
