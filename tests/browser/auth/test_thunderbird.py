"""A real Thunderbird, where it is installed, keeps contacts in step with the pages, and finds the calendar."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support import servers, thunderbird
from tests.support.contact_pages import add
from tests.support.http_visits import HttpVisitor
from tests.support.waiting import eventually
from webmail.auth import app_passwords
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
    with thunderbird.running(tmp_path, servers.closed_port(), {}) as program:
        book = program.run(_BOOK, *where)
        eventually(lambda: program.run(_CARDS, book) == ["Alain Martin"], what="the card of the page in Thunderbird")
        program.run(_ADD_CARD, book)
        eventually(lambda: "Zoé Petit" in person.get("/contacts").text, what="the card of Thunderbird on the page")
        calendars = program.run(_CALENDARS, *where)
    assert [kind for kind, where in calendars if where.startswith(f"{demo.address}/dav/thunderbird%40lycee.example/")] == [
        "caldav"
    ]
    assert "« Thunderbird » est connecté" in " ".join(person.get(f"/devices/connected/{row.id}").text.split())
