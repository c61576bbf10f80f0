"""Evolution's library on a calendar and a book of ours, run by Debian's Python in a D-Bus session of its own: what somebody does in it.

`dbus-run-session -- python3 tests/support/evolution.py ADDRESS SECRET`, with sources "calendar", "tasks" and "contacts" in its configuration.
Reads words on its standard input, a line each, and answers each with a line of JSON.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

NEEDED = (("EDataServer", "1.2"), ("ECal", "2.0"), ("ICalGLib", "3.0"), ("EBook", "1.2"), ("EBookContacts", "1.2"))
SOURCE = """[Data Source]
DisplayName={name}
Enabled=true
Parent={backend}-stub

[{kind}]
BackendName={backend}

[Authentication]
Host={host}
Port={port}
User={user}
Method=plain/password
RememberPassword=false

[Security]
Method=none

[WebDAV Backend]
ResourcePath=/dav/{user}/{name}/
CalendarAutoSchedule=true

[Refresh]
Enabled=false
"""
SERIES = """BEGIN:VEVENT
UID:evolution-series
DTSTAMP:20261130T000000Z
DTSTART;TZID=Europe/Paris:20261201T100000
DTEND;TZID=Europe/Paris:20261201T110000
RRULE:FREQ=WEEKLY;COUNT=4
SUMMARY:Conseil
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT15M
DESCRIPTION:Conseil
END:VALARM
END:VEVENT
"""
MEETING = """BEGIN:VEVENT
UID:evolution-meeting
DTSTAMP:20261130T000000Z
DTSTART:20371201T090000Z
DTEND:20371201T100000Z
SUMMARY:Conseil
ORGANIZER:mailto:{organizer}
ATTENDEE;PARTSTAT=ACCEPTED:mailto:{organizer}
ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{guest}
END:VEVENT
"""
TASK = """BEGIN:VTODO
UID:evolution-task
DTSTAMP:20261130T000000Z
DUE;VALUE=DATE:20371211
PRIORITY:3
SUMMARY:Commander des manuels
END:VTODO
"""
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:evolution-card\r\nFN:Zoé Petit\r\nN:Petit;Zoé;;;\r\nEMAIL:zoe@lycee.example\r\nEND:VCARD\r\n"


class Session:
    """Both clients, once they are connected."""

    def __init__(self, address: str, secret: str) -> None:
        gi = importlib.import_module("gi")
        for name, version in NEEDED:
            gi.require_version(name, version)
        self.glib = importlib.import_module("gi.repository.GLib")
        self.data, self.cal, self.ical, self.book, self.cards = (
            importlib.import_module(f"gi.repository.{name}") for name, _version in NEEDED
        )
        self.address = address
        self.registry = self.data.SourceRegistry.new_sync(None)
        self.given = self.data.NamedParameters()
        self.given.set("username", address)
        self.given.set("password", secret)
        kind, self.nothing = self.cal.ClientSourceType.EVENTS, self.cal.OperationFlags.NONE
        self.calendar = self._connected("calendar", lambda source, *more: self.cal.Client.connect(source, kind, *more), self.cal)
        duties = self.cal.ClientSourceType.TASKS
        self.tasks = self._connected("tasks", lambda source, *more: self.cal.Client.connect(source, duties, *more), self.cal)
        self.contacts = self._connected("contacts", self.book.BookClient.connect, self.book)

    def _connected(self, name: str, connect: Any, library: Any) -> Any:
        source, loop, found = self.registry.ref_source(name), self.glib.MainLoop(), []
        source.connect("credentials-required", lambda asked, *_more: asked.invoke_authenticate_sync(self.given, None))

        def done(_source: Any, result: Any) -> None:
            found.append(result)
            loop.quit()

        connect(source, 20, None, done)
        self.glib.timeout_add_seconds(40, loop.quit)
        loop.run()
        client = library.BookClient if name == "contacts" else library.Client
        return client.connect_finish(found[0])

    # --- what somebody does ------------------------------------------------------------------------------------------

    def add_series(self) -> Any:
        return self.calendar.create_object_sync(self.ical.Component.new_from_string(SERIES), self.nothing, None)[1]

    def titles(self) -> list[str]:
        """Of all events, after a look at the server."""
        self.calendar.refresh_sync(None)
        return sorted(one.get_summary() for one in self.calendar.get_object_list_sync("#t", None)[1])

    def rename_all(self) -> bool:
        found = self.calendar.get_object_sync("evolution-series", None, None)[1]
        found.set_summary("Conseil de classe")
        return bool(self.calendar.modify_object_sync(found, self.cal.ObjModType.ALL, self.nothing, None))

    def remove_second(self) -> bool:
        mode = self.cal.ObjModType.THIS
        return bool(self.calendar.remove_object_sync("evolution-series", "20261208T100000", mode, self.nothing, None))

    def remove_all(self) -> bool:
        mode = self.cal.ObjModType.ALL
        return bool(self.calendar.remove_object_sync("evolution-series", None, mode, self.nothing, None))

    def leaves_sending_to_the_server(self) -> bool:
        return bool(self.calendar.check_save_schedules())

    def invite(self) -> Any:
        text = MEETING.format(organizer=self.address, guest="guest@elsewhere.example")
        return self.calendar.create_object_sync(self.ical.Component.new_from_string(text), self.nothing, None)[1]

    def move_meeting(self) -> bool:
        found = self.calendar.get_object_sync("evolution-meeting", None, None)[1]
        found.set_dtstart(self.ical.Time.new_from_string("20371201T140000Z"))
        found.set_dtend(self.ical.Time.new_from_string("20371201T150000Z"))
        return bool(self.calendar.modify_object_sync(found, self.cal.ObjModType.ALL, self.nothing, None))

    def cancel(self) -> bool:
        mode = self.cal.ObjModType.ALL
        return bool(self.calendar.remove_object_sync("evolution-meeting", None, mode, self.nothing, None))

    def accept(self) -> bool:
        """What somebody else invites to, with an answer."""
        self.calendar.refresh_sync(None)
        found = self.calendar.get_object_sync("invited-here", None, None)[1]
        line = found.get_first_property(self.ical.PropertyKind.ATTENDEE_PROPERTY)
        line.set_parameter(self.ical.Parameter.new_partstat(self.ical.ParameterPartstat.ACCEPTED))
        return bool(self.calendar.modify_object_sync(found, self.cal.ObjModType.ALL, self.nothing, None))

    def refuse(self) -> bool:
        mode = self.cal.ObjModType.ALL
        return bool(self.calendar.remove_object_sync("invited-here", None, mode, self.nothing, None))

    def free_busy(self) -> list[str]:
        """Of the person themselves, on 1 December 2037."""
        found = self.calendar.get_free_busy_sync(2143238400, 2143324800, [self.address, "guest@elsewhere.example"], None)
        return [one.get_as_string() for one in found[1]]

    def open_tasks(self) -> list[str]:
        """Those that are to be done, after a look at the server."""
        self.tasks.refresh_sync(None)
        found = self.tasks.get_object_list_sync("(not (is-completed?))", None)[1]
        return sorted(one.get_summary() for one in found)

    def finish_task(self) -> bool:
        """The first, as its window does: state, time and percent."""
        found = self.tasks.get_object_list_sync("#t", None)[1][0]
        found.set_status(self.ical.PropertyStatus.COMPLETED)
        for line in (
            self.ical.Property.new_completed(self.ical.Time.new_from_string("20261202T100000Z")),
            self.ical.Property.new_percentcomplete(100),
        ):
            found.add_property(line)
        return bool(self.tasks.modify_object_sync(found, self.cal.ObjModType.ALL, self.nothing, None))

    def add_task(self) -> Any:
        return self.tasks.create_object_sync(self.ical.Component.new_from_string(TASK), self.nothing, None)[1]

    def add_card(self) -> Any:
        return self.contacts.add_contact_sync(self.cards.Contact.new_from_vcard(CARD), self.cards.BookOperationFlags.NONE, None)[
            1
        ]

    def names(self) -> list[str]:
        self.contacts.refresh_sync(None)
        found = self.contacts.get_contacts_sync('(contains "x-evolution-any-field" "")', None)[1]
        return sorted(one.get_property("full-name") for one in found)

    def rename_card(self) -> bool:
        card = self.contacts.get_contacts_sync('(contains "x-evolution-any-field" "")', None)[1][0]
        card.set_property("nickname", "Zozo")
        return bool(self.contacts.modify_contact_sync(card, self.cards.BookOperationFlags.NONE, None))

    def remove_card(self) -> bool:
        card = self.contacts.get_contacts_sync('(contains "x-evolution-any-field" "")', None)[1][0]
        return bool(self.contacts.remove_contact_sync(card, self.cards.BookOperationFlags.NONE, None))


def main(address: str, secret: str) -> None:
    session = Session(address, secret)
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(getattr(session, line.strip())()), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
