"""Calendars and contacts of connected services, as a person without scripts connects and disconnects them: Google and Microsoft 365."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.fakes.google_collections import FakeGoogleCollections
from tests.support.fakes.office import FakeOffice
from tests.support.other_dav import card, event
from tests.support.visits import Page, Visitor
from webmail.calendar.free_busy import busy_people, host_events
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.dav import item_writes
from webmail.dav.remote import accounts, rounds
from webmail.mail import Address
from webmail.models import (
    CalendarObject,
    Collection,
    ConnectedService,
    Contact,
    RemoteAccount,
    RemoteItem,
    RemoteLink,
    Session,
    User,
    now,
)

DAY = date.today() + timedelta(days=30)
WHEN = (f"{DAY}T09:00:00", f"{DAY}T10:00:00")


@pytest.fixture
def google(tmp_path: Path) -> Iterator[FakeGoogleCollections]:
    with FakeGoogleCollections(tmp_path).serving() as fake:
        yield fake


@pytest.fixture
def office() -> Iterator[FakeOffice]:
    with FakeOffice().serving() as fake:
        yield fake


@pytest.fixture
def app(tmp_path: Path, google: FakeGoogleCollections, office: FakeOffice) -> Iterator[Flask]:
    values: dict[str, Any] = {
        "services": "google, microsoft", "public_url": "https://mail.lycee.example", "system_address": "noreply@lycee.example",
        "smtp_security": "none", "service_networks": "127.0.0.0/8", **google.settings(), **office.settings(),
    }  # fmt: skip
    with ground.application(tmp_path / "instance", **values) as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    visitor = ground.person(app, "alice")
    Session.update(confirmed=now()).execute()
    return visitor


def connect(visitor: Visitor, fake: FakeOffice | FakeGoogleCollections, *purposes: str) -> ConnectedService:
    """With consent for these."""
    provider = "microsoft" if isinstance(fake, FakeOffice) else "google"
    form = visitor.get(f"/services/{provider}/connect")
    sent = visitor.submit(form, f"form[action='/services/{provider}/connect']", purpose=list(purposes))
    visitor.get(fake.agree(str(sent.one("main a.btn-primary")["href"])))
    return ConnectedService.get(ConnectedService.provider == provider)


def choose(visitor: Visitor, service: ConnectedService, *titles: str) -> Page:
    """Tick these on the page of the service, which its own page leads to."""
    form = visitor.get(visitor.get(f"/services/{service.id}").link("Synchronise calendars and contacts"))
    boxes = {label.get_text().strip(): str(label.input["value"]) for label in form.all(".server-choice label") if label.input}
    assert set(titles) <= set(boxes), boxes
    return visitor.submit(form, f"form[action='/services/{service.id}/calendars']", url=[boxes[title] for title in titles])


def settings_of(app: Flask) -> Settings:
    found: Settings = app.extensions["settings"]
    return found


def sync(app: Flask) -> None:
    """All that is due, now."""
    RemoteAccount.update(due=now()).execute()
    assert rounds.sweep(settings_of(app)) > 0


def write_here(app: Flask, link: RemoteLink, href: str, text: str) -> None:
    from webmail.dav.remote import local
    from webmail.dav.remote.side import Side

    side = Side(link, link.account.user, settings_of(app), "")
    checked = local._arrived(side, text).checked
    assert checked is not None
    with db.atomic():
        item_writes.write(link.collection, href, checked, item_writes.row_at(link.collection, href), settings_of(app))


def titles() -> list[str]:
    texts = [one.text for one in CalendarObject.select()] + [one.vcard for one in Contact.select()]
    return sorted(line.partition(":")[2] for text in texts for line in text.split("\r\n") if line.startswith(("SUMMARY:", "FN:")))


# --- Microsoft 365 -----------------------------------------------------------------------------------------------------


def test_calendars_and_contacts_of_microsoft_are_chosen_and_kept_in_step(app: Flask, alice: Visitor, office: FakeOffice) -> None:
    office.mailbox.make("Conseil", *WHEN)
    office.mailbox.answer("POST", "/me/contacts", b'{"displayName": "Zo\\u00e9"}', {})
    service = connect(alice, office, "calendar", "contacts")
    page = choose(alice, service, "Calendar", "Contacts")
    assert "2 are now synchronised." in page.notices
    sync(app)
    assert titles() == ["Conseil", "Zoé"]
    link = RemoteLink.get(RemoteLink.url.contains("calendars"))
    write_here(app, link, "a.ics", event("a", "From here"))
    sync(app)
    assert sorted(one.own["subject"] for one in office.mailbox.alive().values()) == ["Conseil", "From here"]
    page = alice.get("/collections/servers")
    assert page.one("[data-server=Microsoft]") and "marie.dupont@example.org" in page.text
    assert "Everything found on Microsoft is already" in alice.get(f"/services/{service.id}/calendars").text


def test_secret_addresses_are_offered_first(alice: Visitor, office: FakeOffice) -> None:
    service = connect(alice, office, "calendar")
    main = alice.get(f"/services/{service.id}/calendars").one("main").get_text()
    assert 0 < main.index("secret address") < main.index("Synchronise")


def test_what_consent_was_not_given_for_is_asked_for_there(alice: Visitor, office: FakeOffice) -> None:
    service = connect(alice, office, "calendar")
    page = alice.get(f"/services/{service.id}/calendars")
    assert [label.get_text().strip() for label in page.all(".server-choice label")] == ["Calendar"]
    form = alice.get(page.link("Allow access to contacts"))
    sent = alice.submit(form, "form[action='/services/microsoft/connect']")
    back = alice.get(office.agree(str(sent.one("main a.btn-primary")["href"])))
    assert [label.get_text().strip() for label in back.all(".server-choice label")] == ["Calendar", "Contacts"]
    assert "Allow access" not in back.text


def test_a_consent_that_was_taken_back_is_told_and_works_again_once_given_anew(
    app: Flask, alice: Visitor, office: FakeOffice
) -> None:
    service = connect(alice, office, "calendar")
    choose(alice, service, "Calendar")
    sync(app)
    office.revoke_all()
    office.expire()
    sync(app)
    assert RemoteAccount.get().error == "password"
    page = alice.get("/collections/servers")
    assert "Microsoft no longer gives access" in page.text and page.link("Connect it again") == f"/services/{service.id}"
    RemoteAccount.update(due=now()).execute()
    assert rounds.sweep(settings_of(app)) == 0  # nobody asks in vain
    office.mailbox.make("Meanwhile", *WHEN)
    connect(alice, office, "calendar")
    sync(app)
    assert titles() == ["Meanwhile"] and RemoteAccount.get().error == ""


def test_a_token_that_is_refused_in_the_middle_is_renewed_once(app: Flask, alice: Visitor, office: FakeOffice) -> None:
    service = connect(alice, office, "calendar")
    choose(alice, service, "Calendar")
    for number in range(3):
        office.mailbox.make(f"Event {number}", *WHEN)

    def end(_method: str, path: str) -> None:
        if path == "/$batch":
            office.mailbox.before = lambda _method, _path: None
            office.expire()

    office.mailbox.before = end
    before = len(office.forms)
    sync(app)
    sync(app)
    assert titles() == ["Event 0", "Event 1", "Event 2"] and len(office.forms) == before + 1


def test_their_times_are_busy_in_the_grid_of_meetings(app: Flask, alice: Visitor, office: FakeOffice) -> None:
    service = connect(alice, office, "calendar")
    choose(alice, service, "Calendar")
    office.mailbox.make("Chez le médecin", *WHEN)
    office.mailbox.make("Libre", f"{DAY}T14:00:00", f"{DAY}T15:00:00", showAs="free")
    sync(app)
    user, zone = User.get(User.local == "alice"), ZoneInfo("Europe/Paris")
    begin = int(datetime(DAY.year, DAY.month, DAY.day, tzinfo=zone).timestamp())
    [found] = busy_people.times_of(user, [Address("", user.address)], begin, begin + 86_400, zone, settings_of(app))
    assert [datetime.fromtimestamp(span.start, zone).hour for span in found.spans] == [9]


@pytest.mark.parametrize(("action", "left"), [("keep", ["Conseil"]), ("remove", [])])
def test_after_disconnection_what_was_taken_over_stays_or_goes(
    app: Flask, alice: Visitor, office: FakeOffice, action: str, left: list[str]
) -> None:
    office.mailbox.make("Conseil", *WHEN)
    service = connect(alice, office, "calendar")
    choose(alice, service, "Calendar")
    sync(app)
    form = alice.get(f"/services/{service.id}/disconnect")
    alice.submit(form, f"form[action='/services/{service.id}/disconnect']", action=action)
    assert titles() == left
    assert not RemoteAccount.select().exists() and not RemoteLink.select().exists() and not RemoteItem.select().exists()
    assert len(office.mailbox.alive()) == 1  # nothing was deleted there


def test_what_others_count_on_stays_after_disconnection(
    app: Flask, alice: Visitor, office: FakeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.mailbox.make("Rendez-vous", *WHEN)
    service = connect(alice, office, "calendar")
    office.mailbox.calendars["AAMkLycee="] = {"name": "Lycée", "hexColor": "#00ff00", "canEdit": True}
    office.mailbox.make("Conseil", *WHEN, calendar="AAMkLycee=")
    choose(alice, service, "Calendar", "Lycée")
    sync(app)
    monkeypatch.setattr(host_events, "_KEEPERS", [lambda _uid, _account: 1])
    CalendarObject.update(uid=f"{host_events.UID}1-2").where(CalendarObject.text.contains("SUMMARY:Rendez-vous")).execute()
    form = alice.get(f"/services/{service.id}/disconnect")
    assert "“Calendar” stays here in any case" in form.text and "“Lycée” stays" not in form.text
    page = alice.submit(form, f"form[action='/services/{service.id}/disconnect']", action="remove")
    assert "disconnected" in page.notices and titles() == ["Rendez-vous"] and not RemoteAccount.select().exists()


def test_a_service_that_is_no_longer_offered_is_not_asked(
    app: Flask, alice: Visitor, office: FakeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = connect(alice, office, "calendar")
    choose(alice, service, "Calendar")
    office.mailbox.asked.clear()
    monkeypatch.setattr("webmail.services.policy.is_offered", lambda *_any: False)
    sync(app)
    assert office.mailbox.asked == [] and RemoteLink.get().error == "refused"
    assert alice.get(f"/services/{service.id}/calendars").status == 404


# --- Google ------------------------------------------------------------------------------------------------------------


def test_calendars_and_contacts_of_google_are_kept_in_step_by_its_rules(
    app: Flask, alice: Visitor, google: FakeGoogleCollections
) -> None:
    calendar, book = google.server.make("agenda", "calendar"), google.server.make("friends", "contacts")
    google.server.put(calendar, "t", event("t", "From there"))
    google.server.put(book, "c", card("c", "Zoé"))
    service = connect(alice, google, "calendar", "contacts")
    choose(alice, service, "Agenda", "Friends")
    sync(app)
    assert titles() == ["From there", "Zoé"]
    events, contacts = RemoteLink.get(RemoteLink.url.contains("caldav")), RemoteLink.get(RemoteLink.url.contains("carddav"))
    write_here(app, events, "a.ics", event("a", "From here"))
    write_here(app, contacts, "b.vcf", card("b", "Paul"))
    sync(app)
    write_here(app, events, "a.ics", event("a", "Changed here"))
    write_here(app, contacts, "b.vcf", card("b", "Paul Petit"))
    google.server.put(calendar, "t", event("t", "Changed there"))
    sync(app)
    sync(app)
    assert titles() == ["Changed here", "Changed there", "Paul Petit", "Zoé"]
    assert sorted(google.server.texts(calendar)) == ["a.ics", "t"] and len(google.server.texts(book)) == 2
    assert any("Paul Petit" in text for text in google.server.texts(book).values())
    row = item_writes.row_at(events.collection, "a.ics")
    assert row is not None
    with db.atomic():
        item_writes.trash(events.collection, [row], "alice")
    sync(app)
    assert list(google.server.texts(calendar)) == ["t"]
    assert google.broken == [] and not RemoteItem.select().where(RemoteItem.note != "").exists()


def test_what_google_refuses_for_their_number_is_tried_later(app: Flask, alice: Visitor, google: FakeGoogleCollections) -> None:
    google.server.make("agenda", "calendar")
    service = connect(alice, google, "calendar")
    choose(alice, service, "Agenda")
    google.quota = 0
    sync(app)
    assert RemoteAccount.get().error == "busy"
    google.quota = 100
    sync(app)
    assert RemoteAccount.get().error == ""


def test_somebody_else_sees_nothing_of_it(app: Flask, alice: Visitor, office: FakeOffice) -> None:
    service = connect(alice, office, "calendar")
    bob = ground.person(app, "bob")
    assert bob.get(f"/services/{service.id}/calendars").status == 404
    assert accounts.for_user(User.get(User.local == "bob")) == []
    assert Collection.select().where(Collection.user == User.get(User.local == "bob")).count() < 3


def test_an_event_on_which_graph_breaks_is_told_and_holds_up_nothing(app: Flask, alice: Visitor, office: FakeOffice) -> None:
    service = connect(alice, office, "calendar")
    choose(alice, service, "Calendar")
    sync(app)
    for uid in ("a", "b"):
        write_here(app, RemoteLink.get(), f"{uid}.ics", event(uid, f"Event {uid}"))
    office.mailbox.faults.append(("POST /me/calendars", 500, "InternalServerError", {}))
    sync(app)
    assert len(office.mailbox.alive()) == 1 and RemoteLink.get().error == "" and RemoteAccount.get().error == ""
    assert ConnectedService.get().state == "works"
    page = alice.get("/collections/servers")
    assert "“Event a”: Microsoft reports a fault of its own. It is tried again every hour." in page.text
