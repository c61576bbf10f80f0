"""Room letters: mail about bookings that need approval, to whoever has to agree and to who booked; written by the worker."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from flask import render_template
from flask_babel import gettext as _
from flask_babel import ngettext

from webmail import preferences, system_mail
from webmail.calendar.reminders import daily_agenda
from webmail.calendar.rooms import approval, room_notices
from webmail.calendar.rooms.room_notices import RoomTimes
from webmail.calendar.rooms.room_texts import span_words
from webmail.collections import look
from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import RoomNotice, SystemMessage, User
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link

log = logging.getLogger(__name__)

KIND = "room"


@dataclass(frozen=True, slots=True)
class RoomLetter:
    """What a letter says, in the language of who gets it. `note`: of who decided, under `note_of`; `url` is called `link`."""

    subject: str
    heading: str
    title: str
    note_of: str
    note: str
    link: str
    url: str
    end: str


def sweep(settings: Settings) -> list[int]:
    """Queue what is to be told, each once; returns the messages by `id`. 1 transaction each."""
    queued: list[int] = []
    for notice in room_notices.listed():
        try:
            with db.atomic():
                if room_notices.taken(notice):
                    queued += [one.id for one in _told(notice, settings) if one is not None]
        except DATABASE_AWAY:
            raise
        except Exception:  # whatever is wrong with one booking, others are told; this one is tried again
            log.exception("who is concerned by booking %d of a room was not told", notice.id)
    return queued


def _told(notice: RoomNotice, settings: Settings) -> list[SystemMessage | None]:
    times = room_notices.times_of(notice)
    booker: User | None = notice.use.user
    if not settings.system_address or not times.count:
        return []
    if notice.kind == room_notices.ASKED:
        return [_send(one, notice, times, settings) for one in room_notices.approvers(notice.use.resource) if one != booker]
    return [_send(booker, notice, times, settings)] if booker is not None and booker.active else []


def _send(user: User, notice: RoomNotice, times: RoomTimes, settings: Settings) -> SystemMessage | None:
    zone = daily_agenda.zone_of(preferences.for_user(user), settings)
    language = system_mail.in_language_of(user, settings)
    with written_in(language):
        letter = _letter(notice)
        when = [span_words(span, zone) for span in times.first]
        more = times.count - len(when)
        when += [ngettext("and %(num)d other", "and %(num)d others", more)] if more > 0 else []
        html = render_template("calendar/notifications/room.html", letter=letter, times=when, room=notice.use.resource)
        text = _text(letter, notice.use.resource.name, when)
    try:
        subject = letter.subject[: system_mail.LONGEST_SUBJECT]
        return system_mail.send(user.address, KIND, subject, text, language, html=html)
    except (BadAddressError, UnsafeValueError, ValueError) as error:
        log.warning("mail about a room for %s is not written: %s", user.address, error)
        return None


def _letter(notice: RoomNotice) -> RoomLetter:
    use = notice.use
    room, title = look.one_line(use.resource.name), approval.titles_of([use.object_id]).get(use.object_id, "")
    person = _name(use.user)
    if notice.kind == room_notices.ASKED:
        subject = _("%(person)s asks for %(room)s", person=person, room=room) if person else _("A booking of %(room)s", room=room)
        end = _("You received this because you approve bookings of %(room)s.", room=room)
        link, url = _("Approve or decline"), public_link("calendar.show_room_requests")
        return RoomLetter(subject, subject, title, "", "", link, url, end)
    by, note = _name(notice.by), notice.note.strip()
    note_of = (_("Note from %(person)s:", person=by) if by else _("Note:")) if note else ""
    if notice.kind == room_notices.APPROVED:
        subject = _("%(room)s: your booking is approved", room=room)
    else:
        subject = _("%(room)s: your booking was declined", room=room)
    event = use.object
    url = public_link("calendar.event", calendar=event.collection_id, href=event.href)
    end = _("You received this because you booked %(room)s.", room=room)
    return RoomLetter(subject, subject, title, note_of, note, _("Show event"), url, end)


def _name(user: User | None) -> str:
    return look.one_line(user.name or user.address)[:100] if user is not None else ""


def _text(letter: RoomLetter, name: str, when: list[str]) -> str:
    parts = [letter.heading, "\n".join(line for line in (name, letter.title, *when) if line)]
    parts += [f"{letter.note_of}\n{letter.note}"] if letter.note else []
    parts += [f"{letter.link}:\n{letter.url}", f"-- \n{letter.end}"]
    return "\n\n".join(parts) + "\n"
