"""The form of an event: a new one, and changes of one that is there."""

from __future__ import annotations

from dataclasses import fields as fields_of
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from babel.dates import get_day_names
from flask import Response, abort, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as Answer

from webmail.auth.guard import keeps_text
from webmail.calendar import editing, event_changes, video_links
from webmail.calendar.blueprint import blueprint
from webmail.calendar.display.event_facts import EventFacts, NotEditableError
from webmail.calendar.display.event_texts import (
    is_last_of_month,
    one_place_words,
    place_words,
    remark_words,
    repeat_words,
    status_words,
    when_words,
)
from webmail.calendar.forms import (
    EMPTY_LINKS,
    EMPTY_REMINDERS,
    LONGEST_NOTES,
    MOST_ROOMS,
    REMINDERS,
    SCOPES,
    EventForm,
    typed_day,
)
from webmail.calendar.free_busy import host_events
from webmail.calendar.guests import guest_lines, organising
from webmail.calendar.guests.sent_invitations import TextTooLongError
from webmail.calendar.objects import UidTakenError
from webmail.calendar.quick_entry import quick_entry, several, several_texts
from webmail.calendar.reminders import usual_reminders
from webmail.calendar.repeat import PLACES, Repeat, rule_of
from webmail.calendar.rooms.bookings import RoomRefusedError
from webmail.calendar.rooms.room_texts import refused_words
from webmail.calendar.views import term
from webmail.calendar.views.event import calendar_words, event_url, facts_here, mine
from webmail.calendar.views.guests.find_time import send_to_times
from webmail.calendar.views.guests.guest_fields import (
    choose_reminder,
    guest_change,
    is_same_list,
    organises,
    posting_of,
    read_guests,
    show_guests,
    tell,
    with_new_guests,
)
from webmail.calendar.views.kept_forms import kept_fields, saved, send_file
from webmail.calendar.views.refusals import editable_here, say_kept, status_of, why_not, why_words
from webmail.calendar.views.rooms import event_rooms
from webmail.collections.store import Access
from webmail.errors import LimitReachedError
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.calendars.event_edit import MOST_REMINDERS, EventFields
from webmail.mime.formats.calendars.event_links import MOST_LINKS
from webmail.mime.formats.recurrence.series import CannotChangeError
from webmail.rate_limits import TooManyRequestsError
from webmail.web.current import current_user, preferences, settings, time_zone
from webmail.web.formatting import here
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.too_many import with_again

_REFUSALS = (UnusableCalendarError, LimitReachedError, UidTakenError, RoomRefusedError, TooManyRequestsError)


@blueprint.get("/calendar/events/new")
def new_event() -> Response:
    """An empty form; in the query `words` ("lunch tomorrow 12:30"), or fields of the form (`start`, `title`, `calendar` ...), or
    `like` and `at`: as an event that is there ("12/name.ics")."""
    if kept := kept_fields(request.args.get("form", "")) or _kept_fields():
        return form_page(EventForm.sent(kept))
    if words := request.args.get("words", "").strip():
        return _from_words(words)
    if like := request.args.get("like", ""):
        return form_page(_like(like))
    form = EventForm.sent(request.args)
    begin(form)
    form.uid = event_changes.new_uid()
    return form_page(form)


def _from_words(text: str) -> Response:
    now = datetime.now(time_zone()).replace(tzinfo=None)
    found = quick_entry.read(text, now, here().locale)
    return form_page(form_of_words(found), text=text[: quick_entry.LONGEST], found=found)


def form_of_words(found: quick_entry.Understood) -> EventForm:
    """A new event with what was understood."""
    repeat, zone = found.repeat, time_zone()
    rule = rule_of(repeat, found.start, zone if not found.all_day else None)
    known = EventFields(title=found.title, start=found.start, end=found.end, place=found.place, rule=rule, zone=str(zone))
    form = EventForm.showing(known, zone)
    form.uid, form.calendar = event_changes.new_uid(), request.args.get("calendar", "")
    form.also = [several.value_of(one, (found.start, found.end)) for one in found.more]
    form.skip, form.term = [day.isoformat() for day in found.skipped], found.in_term
    remind_as_chosen(form)
    return form


def remind_as_chosen(form: EventForm) -> None:
    """Give a new event the reminder that the person's events in its calendar begin with."""
    minutes = usual_reminders.minutes(preferences(), _calendar_of(form), all_day=form.all_day)
    if minutes >= 0 and not form.reminders:
        form.reminders = [str(minutes)]


def _calendar_of(form: EventForm) -> int:
    """The calendar (by `id`) that the form is about to have chosen; 0 where all are alike."""
    if form.calendar.isdecimal() and len(form.calendar) < 19:
        return int(form.calendar)
    return editing.writable(current_user())[0].collection.id if preferences().calendar_reminders else 0


def _like(text: str) -> EventForm:
    number, _slash, href = text.partition("/")
    access, row = mine(int(number) if number.isascii() and number.isdigit() and len(number) < 16 else 0, href)
    facts = facts_here(access, row) if access.reads else None
    if facts is None:
        return EventForm(uid=event_changes.new_uid())
    form = _form_showing(facts)
    form.uid, form.calendar, form.revision, form.at = event_changes.new_uid(), str(access.collection.id), "", ""
    if facts.at:
        form.repeat = ""
    return form


def begin(form: EventForm) -> None:
    """When a new event begins, if the address says no hour: the next full one today, nine o'clock on another day.

    A date and an hour that came in one field stand in two; an end that is missing is an hour later.
    """
    now = datetime.now(time_zone()).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    soon = now + timedelta(hours=1)
    day = typed_day(form.start) if form.start else soon.date()
    if day is not None and len(form.start) <= 10 and not form.start_hour and not form.all_day:
        form.start = (soon if day == now.date() or not form.start else datetime.combine(day, time(9))).isoformat()
    known = replace(form)
    known.title = known.title or "-"
    remind_as_chosen(form)
    found = known.fields(time_zone())
    if found is None:
        return
    spread = EventForm.showing(found, time_zone())
    form.start, form.start_hour, form.end, form.end_hour = spread.start, spread.start_hour, spread.end, spread.end_hour


@blueprint.post("/calendar/events/new")
@keeps_text
def add_event() -> Answer:
    form = EventForm.sent(request.form)
    if request.form.get("action") == "file":
        return send_file(url_for("calendar.new_event"))
    if request.form.get("action") == "find":
        return look_for_time(form, url_for("calendar.new_event"))
    if is_more():
        return form_page(form)
    fields = form.fields(time_zone())
    calendar, guests = _chosen(form), read_guests(form)
    if fields is None or guests is None or form.errors:
        return form_page(form, status=422)
    form.uid = form.uid or event_changes.new_uid()
    try:
        new = several.writes(calendar, form.uid, fields, form.also, form.skip, term.wanted(form))
        new = with_new_guests(form, new, guests)
        posted = organising.write(current_user(), new, posting_of(form))
    except editing.EventChangedElsewhereError:
        return _there_already(form, fields, calendar, new[0].href)
    except editing.NotWritableError:
        _chosen(form)  # no longer among those that it can be
        return form_page(form, status=422)
    except CannotChangeError as error:
        form.errors["term"] = why_not(error.reason)
        return form_page(form, status=422)
    except _REFUSALS as error:
        _say_refused(form, error)
        return form_page(form, status=422)
    saved()
    words = ngettext(
        "“%(title)s” was added to your calendar.", "“%(title)s” was added to your calendar as %(num)d events.", len(new),
        title=fields.title,
    )  # fmt: skip
    tell(posted, " ".join(filter(None, [words, term.left_out_words(new[0].text)])))
    return redirect(event_url(calendar, new[0].href), 303)


def _chosen(form: EventForm) -> int:
    """The calendar for a new event, by its `id`; noted as an error if it can't be."""
    may = [one.collection.id for one in editing.writable(current_user())]
    if form.calendar and form.calendar not in map(str, may):
        form.errors["calendar"] = _("Choose a calendar: you can no longer add events to the one you chose before.")
    return int(form.calendar) if form.calendar in map(str, may) else may[0]


def _there_already(form: EventForm, fields: EventFields | None, calendar: int, href: str) -> Answer:
    """The form was sent before: a second click leads to what it made; with other words in it, it now changes that."""
    access, row = mine(calendar, href)
    facts = facts_here(access, row, "")
    if facts is None or (fields in (None, facts.fields) and is_same_list(guest_change(form, facts))):
        return redirect(event_url(calendar, href), 303)
    words = _("This event was already saved with different details. Your changes are not saved yet: check them, then save again.")
    notify(words, "caution")
    form.revision, form.at, form.scope = row.etag, "", "all"
    return form_page(form, facts, 409)


# --- changes ---------------------------------------------------------------------------------------------------------


@blueprint.get("/calendar/events/<int:calendar>/<href>/edit")
def edit_event(calendar: int, href: str) -> Response:
    kept = kept_fields(request.args.get("form", "")) or _kept_fields()
    try:
        facts = editable_here(calendar, href)
    except NotEditableError as lost:
        return _lost(EventForm.sent(kept), lost) if kept else abort(status_of(lost))
    form = EventForm.sent(kept) if kept else _form_showing(facts)
    if instead := request.args.getlist("room"):
        form.rooms = instead[:MOST_ROOMS]
    return form_page(form, facts)


@blueprint.post("/calendar/events/<int:calendar>/<href>/edit")
@keeps_text
def change_event(calendar: int, href: str) -> Answer:
    form = EventForm.sent(request.form)
    try:
        return _parted_before(calendar, form) or _submit_edit(calendar, href, form)
    except NotEditableError as lost:
        return _lost(form, lost)


def _submit_edit(calendar: int, href: str, form: EventForm) -> Answer:
    """The answer to a form that changes an event. Raises NotEditableError."""
    facts = editable_here(calendar, href, form.at)
    if request.form.get("action") == "file":
        return send_file(event_url(calendar, href, form.at, "calendar.edit_event"))
    if request.form.get("action") == "find":
        return look_for_time(form, event_url(calendar, href, form.at, "calendar.edit_event"), facts)
    if is_more():
        return form_page(form, facts)
    before = facts.fields
    after, inviting = form.fields(time_zone(), before, facts.tz), guest_change(form, facts)
    after = None if form.errors else after
    if form.revision != facts.row.etag:
        if after == before and is_same_list(inviting) and form.term == (facts.term is not None):  # a second click
            return redirect(event_url(calendar, href, facts.at), 303)
        return _conflict(form, facts, after)
    if (
        after is not None
        and (after.start, after.end) != (before.start, before.end)
        and (number := host_events.keeper_of(facts.row))
    ):
        say_kept(number)
        after = None
    if after is None:
        return form_page(form, facts, 422)
    scope = form.scope if facts.parted and form.scope in SCOPES else "one" if facts.at or not facts.recurs else "all"
    try:
        writes, lost = event_changes.change(facts.row, facts.at, scope, before, after, form.uid, term.wanted(form, facts))
        if inviting:
            text = guest_lines.changed(writes[-1].text, inviting[1], inviting[0].address, facts.at if scope == "one" else "")
            writes[-1] = replace(writes[-1], text=text)
        if writes[-1].text == facts.row.text:
            choose_reminder(form, facts)
            return redirect(event_url(calendar, href, facts.at), 303)
        posted = organising.write(current_user(), writes, posting_of(form))
    except (editing.EventChangedElsewhereError, editing.NotWritableError):
        return _parted_before(calendar, form) or _conflict(form, editable_here(calendar, href, form.at), after)
    except CannotChangeError as error:
        form.errors["term" if error.reason == "term" else "scope"] = why_not(error.reason)
        return form_page(form, facts, 422)
    except _REFUSALS as error:
        _say_refused(form, error)
        return form_page(form, facts, 422)
    said = " ".join(filter(None, [_("Event saved."), term.left_out_words(writes[-1].text) if scope != "one" else ""]))
    if lost:
        said += " " + ngettext(
            "%(num)d changed event that no longer fits was removed.",
            "%(num)d changed events that no longer fit were removed.",
            lost,
        )
    saved()
    tell(posted, said)
    return redirect(event_url(calendar, writes[-1].href, facts.at if scope == "one" else ""), 303)


def look_for_time(form: EventForm, path: str, facts: EventFacts | None = None) -> Answer:
    """To the times of the guests; the form again where it can't be told who they are."""
    read_guests(form)
    return form_page(form, facts, 422) if form.errors else send_to_times(path, facts.row.uid if facts else "")


def _parted_before(calendar: int, form: EventForm) -> Answer | None:
    """The answer to a form that has made a series of this one and the following before; None if it hasn't."""
    if form.scope != "following" or not form.uid:
        return None
    href = event_changes.href_of(form.uid)
    try:
        access, row = editing.load(current_user(), calendar, href)
    except editing.NoSuchEventError:
        return None
    facts = facts_here(access, row, "") if access.reads else None
    if facts is None:
        return redirect(event_url(calendar, href), 303)
    form.times = form.times and EventForm.showing(facts.fields, facts.tz).times  # of the whole series, of which fewer are left
    typed = form.fields(time_zone(), facts.fields, facts.tz)
    return _there_already(form, typed, calendar, href)


def _form_showing(facts: EventFacts) -> EventForm:
    form = EventForm.showing(facts.fields, facts.tz)
    form.revision, form.at, form.uid = facts.row.etag, facts.at, event_changes.new_uid()
    form.scope, form.term = "one" if facts.at else "all", facts.term is not None
    show_guests(form, facts)
    return form


def _conflict(form: EventForm, facts: EventFacts, after: EventFields | None) -> Answer:
    """Another page or device was quicker: both versions are shown, what was typed stays in the form."""
    notify(_("This event was changed elsewhere. Your changes are not saved yet: check them, then save again."), "caution")
    form.revision = facts.row.etag
    return form_page(form, facts, 409, theirs=_versions(facts, after))


def _lost(form: EventForm, lost: NotEditableError) -> Response:
    """The event can't be changed any more: what was typed is the form of a new one, in a calendar of the person's own."""
    words = _("Your changes are not saved: check them, then save them as a new event.")
    notify(f"{why_words(lost)} {words}", "caution")
    if form.at and form.scope == "one":
        form.repeat = ""
    elif form.repeat == "kept":  # a rule that the form does not know
        form.repeat = ""
        form.errors["repeat"] = _("The rule of the earlier event can’t be kept. Choose how often this one repeats.")
    form.uid, form.revision, form.at = event_changes.new_uid(), "", ""
    form.calendar = str(editing.writable(current_user())[0].collection.id)
    return form_page(form, status=status_of(lost))


def _versions(facts: EventFacts, typed: EventFields | None) -> list[tuple[str, str, str]]:
    """What differs between the calendar's version and what was typed: (label, theirs, typed)."""
    if typed is None:
        return []
    now = facts.fields
    labels = {
        "title": _("Title"), "place": _("Location"), "notes": _("Notes"), "video": _("Video link"), "status": _("Status"),
        "categories": _("Categories"), "links": _("Links"),
    }  # fmt: skip
    found = []
    zone = time_zone()
    theirs, ours = (when_words(one.start, one.end, zone) for one in (now, typed))
    if theirs != ours:
        found.append((_("When"), theirs, ours))
    for one in fields_of(EventFields):
        mine_, other = getattr(typed, one.name), getattr(now, one.name)
        if one.name in labels and mine_ != other:
            found.append((labels[one.name], _said(one.name, other), _said(one.name, mine_)))
    return found


def _said(name: str, value: object) -> str:
    if name == "status":
        return status_words(str(value))
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _say_refused(form: EventForm, error: Exception) -> None:
    if isinstance(error, UnusableCalendarError):
        form.errors["repeat"] = _("An event can’t repeat that often, or for that long.")
    elif isinstance(error, TooManyRequestsError):
        form.errors["invite"] = with_again(_("These are more people than you may write to at the moment."), error)
    elif isinstance(error, TextTooLongError):
        form.errors["notes"] = _("This is too long. Use at most %(count)d characters.", count=LONGEST_NOTES)
    elif isinstance(error, LimitReachedError):
        notify(_("There is no room left in this calendar. Delete some events first."), "danger")
    elif isinstance(error, RoomRefusedError):
        form.errors["room"] = refused_words(error.refusals, time_zone())
    else:
        notify(_("This event is already in that calendar."), "caution")


def _kept_fields() -> MultiDict[str, str] | None:
    """The form that was sent here after the session had ended, carried along by the sign-in page; else None."""
    if session.get("kept", {}).get("path") != request.path:
        return None
    notify(_("Here is what you typed. It is not saved yet."), "caution")
    return MultiDict((name, value) for name, value in session.pop("kept")["fields"])


# --- the page --------------------------------------------------------------------------------------------------------


def form_page(
    form: EventForm,
    facts: EventFacts | None = None,
    status: int = 200,
    *,
    text: str = "",
    found: quick_entry.Understood | None = None,
    theirs: list[tuple[str, str, str]] | None = None,
    others: list[tuple[str, str]] | None = None,
    back: str = "",
    conversation: tuple[str, int, int] = ("", 0, 0),
) -> Response:
    """The form's page. `found`: what was understood of words; `others`: other days that a message names; `back`: that message;
    `conversation`: where the form has links to the others of its conversation, how many there are, and to how many of them.
    """
    if is_more("video") and settings().video_link and not form.video:
        form.video = video_links.new(settings().video_link)
    day = _day_of(form)
    calendars = [] if facts else [_calendar_choice(one) for one in editing.writable(current_user())]
    reminders = [*form.reminders, *[""] * (EMPTY_REMINDERS + is_more("more"))][:MOST_REMINDERS]
    links = [*form.links, *[""] * (EMPTY_LINKS + is_more("more-links"))][: max(MOST_LINKS, len(form.links))]
    typed, school = form.typed_repeat(), term.choice_words(facts)
    remarks = [*found.remarks, *(["no-term"] if found.in_term and not school[0] else [])] if found else []
    return page(
        "calendar/event_form.html", status, form=form, facts=facts, calendars=calendars, reminders=reminders, links=links,
        offered=REMINDERS, own_zone=str(time_zone()), words=text, understood=several_texts.understood(found),
        remarks=remark_words(remarks), unclear=found.unclear if found else (),
        also=[] if facts else several_texts.others(form), skip=[] if facts else several_texts.skipped(form),
        theirs=theirs or [], others=others or [], back=back, conversation=conversation,
        place=place_words(day), last=place_words(day, last=True) if is_last_of_month(day) else "",
        kept=repeat_words(Repeat("kept"), day) if typed.kind == "kept" else "", day=day,
        inviting=facts is None or organises(facts) is not None, term=school,
        places=[(str(one), one_place_words(one)) for one in PLACES],
        names=get_day_names("wide", locale=here().locale), rooms=event_rooms.offer(form, facts),
        focus="video" if is_more("video") else "",
    )  # fmt: skip


def _calendar_choice(access: Access) -> tuple[str, str, str]:
    """A calendar for a new event: its `id`, its name, and the reminders that new events there begin with."""
    number, known = access.collection.id, preferences()
    usual = (usual_reminders.minutes(known, number, all_day=all_day) for all_day in (False, True))
    return str(number), calendar_words(access), "/".join("" if minutes < 0 else str(minutes) for minutes in usual)


def is_more(*wanted: str) -> bool:
    """Whether the form was sent for one more field alone."""
    return request.method == "POST" and request.form.get("action") in (wanted or ("more", "more-links", "rooms", "video"))


def _day_of(form: EventForm) -> date:
    return typed_day(form.start.strip()[:10]) or datetime.now(time_zone()).date()
