"""School data: the address books and calendars of the demo's people, written to Traboule's tables on the first run.

All is invented, and in French, as the letters are. Events stand around the day of the first run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from deploy.demo import accounts
from deploy.demo.letters.people import COLLEAGUES, PARENT_LIST, ROLES, Contact
from deploy.demo.services import Services
from webmail.calendar import objects
from webmail.collections import look, store
from webmail.contacts import store as contacts
from webmail.database.connection import db
from webmail.mime.formats.cards import vcard_edit
from webmail.mime.formats.cards.vcard_edit import ContactDetails, ContactPoint
from webmail.models import Collection, CollectionShare, User

_ZONE = ZoneInfo("Europe/Paris")
_STANDARD, _SUMMER = "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100", "TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200"
_TIME_ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Europe/Paris\r\n"
    f"BEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n{_STANDARD}\r\nEND:STANDARD\r\n"
    f"BEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n{_SUMMER}\r\nEND:DAYLIGHT\r\n"
    "END:VTIMEZONE\r\n"
)
_LESSONS_BEFORE, _LESSONS = 4, 30  # weeks before the first run, and lessons from there on


@dataclass(frozen=True, slots=True)
class SchoolEvent:
    """`day`: days from the Monday of the week of the first run. Without `start` it is all day, for `days` days."""

    summary: str
    day: int
    start: str = ""
    end: str = ""
    place: str = ""
    days: int = 1
    rule: str = ""


def _lesson(summary: str, day: int, start: str, end: str, place: str) -> SchoolEvent:
    return SchoolEvent(summary, day - 7 * _LESSONS_BEFORE, start, end, place, rule=f"FREQ=WEEKLY;COUNT={_LESSONS}")


_EVERY_YEAR = "FREQ=YEARLY"
SCHOOL = (
    SchoolEvent("Conseil de classe 2de 4", 8, "1700", "1830", "Salle 12"),
    SchoolEvent("Conseil pédagogique", 3, "1600", "1730", "Salle des actes"),
    SchoolEvent("Rencontre parents-professeurs", 10, "1730", "2030", "Hall et salles du premier"),
    SchoolEvent("Sortie aux Archives du Rhône", 9, place="Lyon"),
)
OWN = {
    accounts.ALICE.address: (
        _lesson("Maths 2de 4", 0, "0800", "1000", "Salle 204"),
        _lesson("Maths 1re G2", 1, "1000", "1200", "Salle 204"),
        _lesson("Maths Tle G1", 3, "1400", "1600", "Salle 207"),
        _lesson("AP 2de 4", 4, "0900", "1000", "Salle 204"),
        SchoolEvent("Déjeuner avec Sophie", 2, "1230", "1330"),
        SchoolEvent("Réunion Erasmus", 4, "1300", "1400", "CDI"),
        SchoolEvent("Anniversaire de Camille", 5, rule=_EVERY_YEAR),
        SchoolEvent("Répétition de la chorale", 2, "1900", "2100", "Maison des Pentes"),
    ),
    accounts.BOB.address: (
        _lesson("Histoire 1re G5", 0, "1000", "1200", "Salle 110"),
        _lesson("Géographie 2de 7", 1, "0800", "1000", "Salle 110"),
        _lesson("HGGSP Tle G3", 3, "1000", "1200", "Salle 112"),
        _lesson("Histoire 2de 7", 4, "1400", "1500", "Salle 110"),
        SchoolEvent("Rendez-vous aux Archives", 2, "1400", "1530", "Lyon"),
        SchoolEvent("Coordination de l'équipe", 4, "1200", "1300", "Salle des professeurs"),
        SchoolEvent("Anniversaire de Maman", 6, rule=_EVERY_YEAR),
        SchoolEvent("Sortie à vélo", 12, "0900", "1200"),
    ),
}
BOOK = (*COLLEAGUES[1:5], *ROLES["cpe"], *ROLES["cdi"], *PARENT_LIST[:2])
TEAM = "Équipe de 2de 4"


def fill(services: Services) -> None:
    """Give the people of the demo their contacts and events, unless done already: what they delete stays deleted."""
    note = services.base / "filled-school"
    if note.exists():
        return
    with accounts.tables(services.database):
        write(date.today())
    if isinstance(services.database, Path):
        # as accounts.prepare: what SQLite made just now. Their group stays Postfix's, or it can read no account and sends nothing
        services.owner.own(*services.database.parent.iterdir(), group=False)
    note.touch()


def write(today: date) -> None:
    """Write all of it, or, if anything fails, nothing. 1 transaction."""
    monday = today - timedelta(days=today.weekday())
    with db.atomic():
        people = {address: User.get(User.address == address) for address in (*OWN, accounts.ADMIN.address)}
        props = {look.NAME: "Lycée Ampère", look.COLOUR[store.CALENDAR]: look.PALETTE["green"]}
        told = json.dumps(props, ensure_ascii=False)
        school = store.create(people[accounts.ADMIN.address], "lycee-ampere", store.CALENDAR, "VEVENT", told)
        _write_events(school, SCHOOL, monday)
        for address, events in OWN.items():
            named = json.dumps({look.NAME: "Agenda"})
            own = store.create(people[address], store.FIRST[store.CALENDAR], store.CALENDAR, "VEVENT,VTODO", named)
            _write_events(own, events, monday)
            contacts.put_all(people[address], _cards())
            CollectionShare.create(collection=school, user=people[address], rights="read")


def _cards() -> list[str]:
    people = [_details(one) for one in BOOK]
    group = ContactDetails(name=TEAM, group=True, members=tuple(one.uid for one in people[:4]), uid=contacts.new_uid())
    return [vcard_edit.made(one) for one in (*people, group)]


def _details(one: Contact) -> ContactDetails:
    first, _space, last = one.name.partition(" ")
    role = one.signature.split("\n")[0] or f"Parent de {one.child} ({one.classe})"
    emails = (ContactPoint(one.email, "work" if one.signature else "home"),)
    return ContactDetails(name=one.name, given=first, family=last, emails=emails, role=role, uid=contacts.new_uid())


def _write_events(calendar: Collection, events: tuple[SchoolEvent, ...], monday: date) -> None:
    for number, one in enumerate(events):
        uid = f"{calendar.id}-{number}-{store.new_name()}"
        text = _text(one, uid, monday)
        objects.write(calendar.id, f"{uid}.ics", text, objects.prepared(text, _ZONE), None)


def _text(one: SchoolEvent, uid: str, monday: date) -> str:
    day = monday + timedelta(days=one.day)
    if one.start:
        times = [f"DTSTART;TZID=Europe/Paris:{_at(day, one.start)}", f"DTEND;TZID=Europe/Paris:{_at(day, one.end)}"]
    else:
        times = [
            f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{day + timedelta(days=one.days):%Y%m%d}",
            "TRANSP:TRANSPARENT",
        ]
    lines = [f"UID:{uid}", "DTSTAMP:20260101T000000Z", *times, f"SUMMARY:{one.summary}"]
    lines += [f"LOCATION:{one.place}"] if one.place else []
    lines += [f"RRULE:{one.rule}"] if one.rule else []
    inside = "\r\n".join(lines)
    zone = _TIME_ZONE if one.start else ""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Traboule//Demo//FR\r\n"
        f"{zone}BEGIN:VEVENT\r\n{inside}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def _at(day: date, hour: str) -> str:
    return f"{datetime.combine(day, time(int(hour[:2]), int(hour[2:]))):%Y%m%dT%H%M%S}"
