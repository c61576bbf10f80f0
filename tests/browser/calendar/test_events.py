"""Events in Chromium, with scripts and without: made of a few words, changed, one of a series, deleted and brought back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.browsing import overflow
from tests.support.calendar_ground import put
from tests.support.messages import message
from webmail import preferences
from webmail.collections import store as collections
from webmail.models import Collection, Occurrence, ShownReminder, User

OpenBrowser = Callable[..., Page]
only_with_scripts = pytest.mark.parametrize("scripts", [True])
ZONE = ";TZID=Europe/Paris:"


@pytest.fixture
def teacher(demo: Services, newcomer: Callable[..., str]) -> str:
    """The address of somebody new, with a course that repeats."""
    address = newcomer("events", message("Bonjour"))
    with accounts.tables(demo.database):
        calendar = collections.default_collection(User.get(User.address == address), collections.CALENDAR)
        put(calendar, "Cours", f"{ZONE}20281204T090000", f"{ZONE}20281204T100000", "RRULE:FREQ=WEEKLY;COUNT=4")
    return address


def test_a_few_words_become_an_event_which_is_deleted_and_comes_back(open_browser: OpenBrowser, teacher: str) -> None:
    page = open_browser(teacher, at="/calendar/day/2028-12-03")
    page.click("text=Nouvel événement")
    page.fill(".quick [name=words]", "conseil de classe 3 décembre 2028 17h-19h salle 12")
    page.press(".quick [name=words]", "Enter")
    expect(page.locator("main .notice[role=status]")).to_contain_text("Compris : dimanche 3 décembre 2028, 17 h–19 h · salle 12")
    expect(page.locator("[name=title]")).to_have_value("conseil de classe")
    page.click("form[data-event-form] .btn-primary[value=save]")
    expect(page.locator("h1")).to_have_text("conseil de classe")
    expect(page.locator("#notices")).to_contain_text("dans votre agenda")
    page.click(".way-back a")
    event = page.locator("main [data-event]", has_text="conseil de classe").first
    expect(event).to_be_visible()
    event.click()
    page.click("form[action$='/delete'] button")
    deleted = page.locator("#notices .notice", has_text="« conseil de classe » a été supprimé")
    deleted.locator("form button").click()
    expect(page.locator("#notices")).to_contain_text("Annulé")
    page.goto("/calendar/day/2028-12-03")
    expect(page.locator("main [data-event]", has_text="conseil de classe").first).to_be_visible()


def test_one_of_a_series_is_changed_alone(open_browser: OpenBrowser, teacher: str) -> None:
    page = open_browser(teacher, at="/calendar/day/2028-12-11")
    page.locator("main [data-event]", has_text="Cours").first.click()
    page.click("text=Modifier")
    page.fill("[name=title]", "Sortie")
    page.check("[name=scope][value=one]")
    page.click("form[data-event-form] .btn-primary[value=save]")
    expect(page.locator("h1")).to_have_text("Sortie")
    expect(page.locator("main")).to_contain_text("Toutes les semaines, le lundi, 4 fois")
    page.goto("/calendar/search?words=cours")
    expect(page.locator(".found-events [data-event]")).to_have_count(4)  # by the words of the whole series
    expect(page.locator(".found-events [data-event]", has_text="Sortie")).to_have_count(1)


@only_with_scripts
def test_the_end_follows_the_beginning_and_needless_fields_step_aside(open_browser: OpenBrowser, teacher: str) -> None:
    page = open_browser(teacher, width=360, at="/calendar/events/new?start=2028-12-03T17:00")
    expect(page.locator("[name=every]")).to_be_hidden()
    page.select_option("[name=repeat]", "weekly")
    expect(page.locator("[name=every]")).to_be_visible()
    page.fill("[name=start]", "2028-12-05")
    page.dispatch_event("[name=start]", "change")
    expect(page.locator("[name=end]")).to_have_value("2028-12-05")
    page.fill("[name=start_hour]", "23:30")
    page.dispatch_event("[name=start_hour]", "change")
    expect(page.locator("[name=end]")).to_have_value("2028-12-06")
    expect(page.locator("[name=end_hour]")).to_have_value("00:30")
    page.check("[name=all_day]")
    expect(page.locator("[name=start_hour]")).to_be_hidden()


@only_with_scripts
def test_by_keyboard_alone(open_browser: OpenBrowser, teacher: str) -> None:
    page = open_browser(teacher, at="/calendar/events/new?start=2028-12-03T17:00")
    page.focus("[name=title]")
    page.keyboard.type("Au clavier")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Au clavier")


@only_with_scripts
def test_a_reminder_reaches_a_page_that_is_open(open_browser: OpenBrowser, demo: Services, teacher: str) -> None:
    """As the stream tells of it (what it tells: tests/unit/calendar/test_reminder_push.py), beside what is being typed."""
    page = open_browser(teacher)
    page.route(
        "**/push", lambda route: route.fulfill(
            content_type="text/event-stream", body="retry: 600000\n\nevent: reminders\ndata: /calendar/reminders/due\n\n"
        )
    )  # fmt: skip
    page.goto("/calendar/events/new")
    page.fill("[name=title]", "Réunion")
    with accounts.tables(demo.database):
        row = Occurrence.select().join(Collection).where(Collection.user == User.get(User.address == teacher)).get()
        ShownReminder.create(user=row.collection.user, object=row.object_id, recurrence_id=row.recurrence_id, due=row.start)
    page.evaluate("document.getElementById('due-reminders').dataset.push = '/push'")
    page.add_script_tag(url=str(page.get_attribute("body", "data-news")))
    reminder = page.locator("#due-reminders .notice", has_text="Cours")
    expect(reminder).to_be_visible()
    expect(page.locator("[name=title]")).to_have_value("Réunion")
    assert page.locator("#due-reminders").get_attribute("aria-live") == "polite"
    reminder.locator("button[value=done]").click()
    expect(reminder).to_have_count(0)
    expect(page).to_have_url(re.compile("/calendar/events/new$"))


@only_with_scripts
def test_a_reminder_leaves_a_telephone_to_the_page(open_browser: OpenBrowser, demo: Services, teacher: str) -> None:
    with accounts.tables(demo.database):
        row = Occurrence.select().join(Collection).where(Collection.user == User.get(User.address == teacher)).get()
        ShownReminder.create(user=row.collection.user, object=row.object_id, recurrence_id=row.recurrence_id, due=row.start)
    page = open_browser(teacher, width=360)
    reminder = page.locator("#due-reminders .notice")
    expect(reminder).to_be_visible()
    assert overflow(page) == 0
    page.evaluate("document.querySelector('#due-reminders a').textContent = 'Conseil de classe '.repeat(20)")
    assert reminder.evaluate("at => at.getBoundingClientRect().height") < 90  # a line of words, one of buttons
    assert overflow(page) == 0


@only_with_scripts
def test_the_reminder_follows_the_calendar_until_another_one_is_chosen(
    open_browser: OpenBrowser, demo: Services, teacher: str
) -> None:
    with accounts.tables(demo.database):
        user = User.get(User.address == teacher)
        first = collections.default_collection(user, collections.CALENDAR)
        other = Collection.create(
            user=user, name="other", kind="calendar", components="VEVENT", props='{"D:displayname": "Cours"}'
        )
        preferences.change(user, remind_before=10, remind_days=1440, calendar_reminders=[f"{other.id}/60/-1"])
    page = open_browser(teacher, at="/calendar/events/new")
    calendar, reminder, all_day = (page.locator(f"[name={name}]").first for name in ("calendar", "reminder", "all_day"))
    expect(page.locator(".scripted")).to_have_count(1)
    expect(reminder).to_have_value("10")
    calendar.select_option(str(other.id))
    expect(reminder).to_have_value("60")
    all_day.check()
    expect(reminder).to_have_value("")
    calendar.select_option(str(first.id))
    expect(reminder).to_have_value("1440")
    reminder.select_option("2880")
    calendar.select_option(str(other.id))
    expect(reminder).to_have_value("2880")
