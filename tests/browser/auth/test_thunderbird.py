"""A real Thunderbird, where it is installed, keeps contacts in step with the pages, and a calendar with other devices."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.demo import accounts
from deploy.demo.child import free_ports
from deploy.demo.services import Services
from tests.support import thunderbird
from tests.support.contact_pages import add
from tests.support.dav_client import DavClient
from tests.support.http_visits import HttpVisitor
from tests.support.waiting import eventually
from webmail.auth.devices import app_passwords
from webmail.models import User

pytestmark = pytest.mark.skipif(not thunderbird.PROGRAM, reason="there is no Thunderbird here")

_BOOK = """(async (user, password, where) => {
  const { CardDAVUtils } = ChromeUtils.importESModule("resource:///modules/CardDAVUtils.sys.mjs");
  const [found] = await CardDAVUtils.detectAddressBooks(user, password, where, false, true);
  return found.create().dirName;
})(...arguments)"""
_FIND_BOOK = """const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  const book = MailServices.ab.directories.find(one => one.dirName == arguments[0]);"""
_CARDS = f"""(function () {{
  {_FIND_BOOK}
  return book.childCards.map(card => card.displayName);
}})(...arguments)"""
_ADD_CARD = f"""(function () {{
  {_FIND_BOOK}
  const card = Cc["@mozilla.org/addressbook/cardproperty;1"].createInstance(Ci.nsIAbCard);
  [card.displayName, card.primaryEmail] = ["Zoé Petit", "zoe@lycee.example"];
  book.addCard(card);
}})(...arguments)"""
_CALENDARS = """(async (user, password, where) => {
  const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
  const found = await cal.provider.detection.detect(user, password, where, true, [], {});
  return [...found].flatMap(([provider, calendars]) => calendars.map(one => [provider.type, one.uri.spec]));
})(...arguments)"""


def test_it_keeps_contacts_in_step_and_finds_the_calendar(demo: Services, tmp_path: Path) -> None:
    address = "thunderbird@lycee.example"
    demo.add_account(address, "Théo")
    person = HttpVisitor(demo.address, "", address, demo.password, "fr").sign_in()
    add(person, "Alain Martin", "alain@lycee.example")
    with accounts.tables(demo.database):
        user = User.get(User.address == address)
        letters, row = app_passwords.add(user, "Thunderbird", app_passwords.USES, kind="thunderbird")
    where = (address, letters, f"{demo.address}/dav/")
    with thunderbird.running(tmp_path, free_ports(1)[0], {}) as program:
        book = program.run(_BOOK, *where)
        eventually(lambda: program.run(_CARDS, book) == ["Alain Martin"], what="the card of the page in Thunderbird")
        program.run(_ADD_CARD, book)
        eventually(lambda: "Zoé Petit" in person.get("/contacts").text, what="the card of Thunderbird on the page")
        calendars = program.run(_CALENDARS, *where)
    assert [kind for kind, where in calendars if where.startswith(f"{demo.address}/dav/thunderbird%40lycee.example/")] == [
        "caldav"
    ]
    assert "« Thunderbird » est connecté" in " ".join(person.get(f"/devices/connected/{row.id}").text.split())


_REGISTER = """(async (user, password, where) => {
  const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
  const { MsgAuthPrompt } = ChromeUtils.importESModule("resource:///modules/MsgAsyncPrompter.sys.mjs");
  cal.asked = [];
  MsgAuthPrompt.prototype.promptAuth = channel => (cal.asked.push(channel.URI.filePath), false);
  const found = await cal.provider.detection.detect(user, password, where, true, [], {});
  const [calendar] = [...found.values()].flat();
  cal.manager.registerCalendar(calendar);
  return calendar.id;
})(...arguments)"""
_FIND_CALENDAR = """const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
  const calendar = cal.manager.getCalendarById(arguments[0]);"""
_EVENTS = f"""(async function () {{
  {_FIND_CALENDAR}
  const found = await calendar.getItemsAsArray(Ci.calICalendar.ITEM_FILTER_ALL_ITEMS, 0, null, null);
  return found.map(one => one.title);
}})(...arguments)"""
_ADD_EVENT = f"""(async function () {{
  {_FIND_CALENDAR}
  const {{ CalEvent }} = ChromeUtils.importESModule("resource:///modules/CalEvent.sys.mjs");
  await calendar.addItem(new CalEvent(arguments[1]));
}})(...arguments)"""
_RENAME_EVENT = f"""(async function () {{
  {_FIND_CALENDAR}
  const [old] = (await calendar.getItemsAsArray(Ci.calICalendar.ITEM_FILTER_ALL_ITEMS, 0, null, null)).filter(one => one.title == arguments[1]);
  const changed = old.clone();
  changed.title = arguments[2];
  await calendar.modifyItem(changed, old);
}})(...arguments)"""
_REFRESH = f"""(function () {{ {_FIND_CALENDAR} calendar.refresh(); }})(...arguments)"""
_ASKED = """(() => {
  const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
  return cal.asked;
})()"""


def _event(uid: str, title: str) -> str:
    inside = f"UID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20261203T100000Z\r\nDTEND:20261203T110000Z\r\nSUMMARY:{title}\r\n"
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\n{inside}END:VEVENT\r\nEND:VCALENDAR\r\n"


def test_it_keeps_events_in_step_and_never_asks_for_the_password(demo: Services, tmp_path: Path) -> None:
    address = "thunderbird2@lycee.example"
    demo.add_account(address, "Tina")
    with accounts.tables(demo.database):
        letters, _row = app_passwords.add(User.get(User.address == address), "Thunderbird", app_passwords.USES)
    phone = DavClient(demo.address, address, letters)
    with thunderbird.running(tmp_path, free_ports(1)[0], {}) as program:
        calendar = program.run(_REGISTER, address, letters, f"{demo.address}/dav/")
        program.run(_ADD_EVENT, calendar, _event("ours", "Réunion"))
        eventually(lambda: len(phone.sync("calendar/")[1]) == 1, what="the event of Thunderbird on the server")
        program.run(_RENAME_EVENT, calendar, "Réunion", "Conseil")
        [name] = phone.sync("calendar/")[1]
        eventually(lambda: b"Conseil" in phone.get(f"calendar/{name}")[1], what="its change on the server")
        assert phone.put("calendar/theirs.ics", _event("theirs", "Lunch").encode())[0] == 201

        def seen() -> bool:
            program.run(_REFRESH, calendar)
            return sorted(program.run(_EVENTS, calendar)) == ["Conseil", "Lunch"]

        eventually(seen, what="the event of the server in Thunderbird")
        assert program.run(_ASKED) == []
