"""Busy times of guests that Google and Microsoft 365 tell: with the person's word, by the worker, of their own organisation alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.fakes.google_collections import FakeGoogleCollections
from tests.support.fakes.office import FakeOffice
from tests.support.visits import Page, Visitor
from tests.unit.dav.test_service_collections import connect, settings_of
from webmail import preferences
from webmail.calendar.free_busy import outside_times, service_times
from webmail.models import ConnectedService, PublishedTimes, Session, User, now

EVE, ADAM, FAR = "eve@example.org", "adam@example.org", "zoe@elsewhere.example"
Fake = FakeOffice | FakeGoogleCollections


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


def agree(alice: Visitor) -> None:
    """In the settings of the calendar."""
    page = alice.get("/settings/calendar")
    alice.submit(page, "#settings-form", ask_services="y", follow=True)


def look(alice: Visitor, *guests: str, day: str = "2027-12-07") -> Page:
    values = {"title": "x", "start": day, "start_hour": "09:00", "end": day, "end_hour": "10:00", "invite": ", ".join(guests)}
    return alice.submit(alice.get("/calendar/events/new"), "form[data-event-form]", **values, action="find")


def row(page: Page, who: str) -> str:
    return next(one.get_text(" ", strip=True) for one in page.soup.select("main tbody tr") if who in one.get_text())


def questions(fake: Fake) -> list[str]:
    asked = fake.mailbox.asked if isinstance(fake, FakeOffice) else fake.asked
    return [path for method, path in asked if method == "POST" and path.endswith(("getSchedule", "freeBusy"))]


def test_microsoft_tells_after_the_page_and_only_of_ones_organisation(app: Flask, alice: Visitor, office: FakeOffice) -> None:
    office.mailbox.schedules[EVE] = [
        ("Busy", "2027-12-07T08:00:00", "2027-12-07T09:00:00"), ("tentative", "2027-12-07T11:00:00", "2027-12-07T12:00:00"),
        ("oof", "2027-12-07T14:00:00", "2027-12-07T15:00:00"), ("free", "2027-12-07T16:00:00", "2027-12-07T17:00:00"),
    ]  # fmt: skip
    connect(alice, office, "calendar")
    agree(alice)
    page = look(alice, EVE, ADAM, FAR)
    assert "Microsoft is being asked" in row(page, EVE) and "Times not known" in row(page, EVE)
    assert questions(office) == [] and "Microsoft" not in row(page, FAR)  # the page waits for nobody
    assert outside_times.sweep() == 0 and service_times.sweep(settings_of(app)) == 1
    assert questions(office) == ["/me/calendar/getSchedule"]  # both at once
    page = look(alice, EVE, ADAM, FAR)
    found = row(page, EVE)
    assert "as Microsoft told" in found and "Busy, 09:00–10:00" in found and "Perhaps busy, 12:00–13:00" in found
    assert "Out of office, 15:00–16:00" in found and "17:00–18:00" not in found
    assert "Microsoft does not tell" in row(page, ADAM) and "Times not known" in row(page, ADAM)
    assert page.soup.select("button[name=start]")[0].text == "Tuesday 7 December 2027, 08:00–09:00"
    assert service_times.sweep(settings_of(app)) == 0 and len(questions(office)) == 1


def test_google_tells_too_and_another_month_is_another_question(
    app: Flask, alice: Visitor, google: FakeGoogleCollections
) -> None:
    google.busy[EVE] = [
        ("2027-12-07T09:00:00+01:00", "2027-12-07T10:00:00+01:00"),
        ("2028-03-01T13:00:00Z", "2028-03-01T14:00:00Z"),
    ]
    connect(alice, google, "calendar")
    agree(alice)
    look(alice, EVE)
    service_times.sweep(settings_of(app))
    assert "Busy, 09:00–10:00" in row(look(alice, EVE), EVE)
    assert "is being asked" in row(look(alice, EVE, day="2028-03-01"), EVE)
    service_times.sweep(settings_of(app))
    assert "Busy, 14:00–15:00" in row(look(alice, EVE, day="2028-03-01"), EVE)
    for one in PublishedTimes.select():
        assert all(one.first <= start < end <= one.last for start, end, _level in json.loads(one.spans))


def test_nobody_is_asked_without_the_persons_word(app: Flask, alice: Visitor, office: FakeOffice) -> None:
    connect(alice, office, "calendar")
    assert "Microsoft" not in row(look(alice, EVE), EVE) and not PublishedTimes.select().exists()
    agree(alice)
    look(alice, EVE)
    preferences.change(User.get(User.local == "alice"), ask_services=False)  # between the page and the worker
    service_times.sweep(settings_of(app))
    assert questions(office) == [] and PublishedTimes.get().error == "refused"


def test_addresses_of_anybody_and_consent_for_files_alone_are_no_organisation(
    app: Flask, alice: Visitor, google: FakeGoogleCollections, office: FakeOffice
) -> None:
    google.login = "alice@gmail.com"
    connect(alice, google, "calendar")
    connect(alice, office, "drive")
    agree(alice)
    assert "Google" not in row(look(alice, "bob@gmail.com"), "bob@gmail.com") and not PublishedTimes.select().exists()
    assert "Microsoft" not in row(look(alice, EVE), EVE) and not PublishedTimes.select().exists()


def test_a_service_that_wants_us_to_wait_is_not_asked_before(app: Flask, alice: Visitor, office: FakeOffice) -> None:
    office.mailbox.schedules[EVE] = []
    office.mailbox.faults.append(("getSchedule", 429, "TooManyRequests", {"Retry_After": "7200"}))
    connect(alice, office, "calendar")
    agree(alice)
    look(alice, EVE)
    assert service_times.sweep(settings_of(app)) == 0 and len(questions(office)) == 1
    assert "Microsoft does not tell" in row(look(alice, EVE), EVE)
    PublishedTimes.update(tried=PublishedTimes.tried - outside_times.FRESH - 10).execute()  # a quarter of an hour later
    look(alice, EVE)
    assert service_times.sweep(settings_of(app)) == 0 and len(questions(office)) == 1
    PublishedTimes.update(tried=PublishedTimes.tried - 7200).execute()
    look(alice, EVE)
    assert service_times.sweep(settings_of(app)) == 1
    assert "as Microsoft told" in row(look(alice, EVE), EVE)


def test_a_hostile_answer_is_no_harm(app: Flask, alice: Visitor, google: FakeGoogleCollections) -> None:
    connect(alice, google, "calendar")
    agree(alice)
    for body in (
        [],
        {"calendars": []},
        {"calendars": {EVE: {"busy": [{"start": "x", "end": "y"}]}}},
        {"value": 3},
        {"calendars": {EVE: 3}},
    ):
        PublishedTimes.delete().execute()
        look(alice, EVE)
        google.fault("/calendar/v3/freeBusy", 200, body)
        assert service_times.sweep(settings_of(app)) == 0 and PublishedTimes.get().error == "away"
        assert "Google does not tell" in row(look(alice, EVE), EVE)
    PublishedTimes.delete().execute()
    many = [("2027-12-07T09:00:00Z", "2027-12-07T10:00:00Z")] * 5_000
    google.busy[EVE] = many
    look(alice, EVE)
    service_times.sweep(settings_of(app))
    assert len(json.loads(PublishedTimes.get().spans)) == 2_000


def test_what_a_service_told_goes_with_it(app: Flask, alice: Visitor, office: FakeOffice) -> None:
    office.mailbox.schedules[EVE] = []
    service = connect(alice, office, "calendar")
    agree(alice)
    look(alice, EVE)
    service_times.sweep(settings_of(app))
    form = alice.get(f"/services/{service.id}/disconnect")
    alice.submit(form, f"form[action='/services/{service.id}/disconnect']", action="keep")
    assert not PublishedTimes.select().exists() and not ConnectedService.select().exists()
