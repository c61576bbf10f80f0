"""Events found by words and dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import calendar_of, put, share
from tests.support.visits import Page, Visitor
from webmail.calendar import search as searching
from webmail.calendar.search_words import words_of
from webmail.models import CalendarObject

ZONE = ";TZID=Europe/Paris:"


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance") as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)


def found(page: Page) -> list[str]:
    return [one.get_text(strip=True) for one in page.all(".found-events [data-event]")]


def search(alice: Visitor, words: str = "", first: str = "", last: str = "") -> Page:
    return alice.get(f"/calendar/search?words={words}&from={first}&to={last}")


def test_words_are_found_wherever_they_stand_and_however_they_are_written(alice):
    put(calendar_of(), "Réunion", f"{ZONE}20300108T090000", f"{ZONE}20300108T100000", "LOCATION:Salle Molière",
        "DESCRIPTION:Ordre du jour\\nBudget", "CATEGORIES:Équipe", "ATTENDEE;CN=Zoé:mailto:zoe@lycee.example")  # fmt: skip
    for words in ("reunion", "RÉUN", "moliere", "budget ordre", "equipe", "zoe", "lycee", "Réunion salle"):
        assert found(search(alice, words)) == ["Réunion"], words
    for words in ("union", "réunion absent", "%", "_"):
        assert not found(search(alice, words)), words


def test_days_bound_what_is_found(alice):
    for day in ("20300107", "20300108", "20300109"):
        put(calendar_of(), f"x{day}", f"{ZONE}{day}T233000", f"{ZONE}{day}T235900")
    assert found(search(alice, "", "2030-01-08", "2030-01-08")) == ["x20300108"]
    assert found(search(alice, "x20300109", "8/1/2030")) == ["x20300109"]
    assert search(alice, "x", "nonsense").status == 422


def test_those_to_come_stand_before_those_that_are_over(alice):
    for year in (2020, 2030):
        put(calendar_of(), f"Bal {year}", f";VALUE=DATE:{year}0714")
    page = search(alice, "bal")
    assert found(page) == ["Bal 2030", "Bal 2020"] and "Earlier" in page.text
    assert found(search(alice, "bal", "", "2021-01-01")) == ["Bal 2020"]


def test_each_time_of_what_recurs_leads_to_it(alice):
    put(calendar_of(), "Cours", f"{ZONE}20280107T090000", f"{ZONE}20280107T100000", "RRULE:FREQ=WEEKLY;COUNT=3")
    page = search(alice, "cours", "2028-01-10")
    assert len(found(page)) == 2
    assert alice.get(str(page.all("[data-event]")[0]["href"])).status == 200


def test_there_is_an_end_to_it(alice):
    put(calendar_of(), "Cours", f"{ZONE}20280107T090000", f"{ZONE}20280107T100000", "RRULE:FREQ=DAILY;COUNT=300")
    page = search(alice, "cours", "2028-01-01")
    assert len(found(page)) == 200 and "Only the first 200" in page.text


@pytest.mark.parametrize("words", ["bal", "bal 2030", ""])
def test_of_many_events_the_same_are_found_as_of_few(alice, monkeypatch, words):
    today = date.today()
    for number in range(30):
        day = today + timedelta(days=(number - 15) * 40)
        put(calendar_of(name=f"c{number}"), f"Bal {2015 + number}", f";VALUE=DATE:{day:%Y%m%d}")
    put(calendar_of(), "Bal without end", f";VALUE=DATE:{today - timedelta(days=900):%Y%m%d}", ";VALUE=DATE:20991231")
    days = [
        ("", ""),
        (f"{today + timedelta(days=100)}", ""),
        ("", f"{today - timedelta(days=100)}"),
        ("2030-01-01", "2030-12-31"),
    ]
    spans = searching._SPANS
    for most, earlier in ((200, 50), (2, 2)):
        monkeypatch.setattr(searching, "MOST", most)
        monkeypatch.setattr(searching, "MOST_EARLIER", earlier)
        monkeypatch.setattr(searching, "_MANY", 1_000)
        monkeypatch.setattr(searching, "_SPANS", spans[-1:])
        few = [found(search(alice, words, *between)) for between in days]
        monkeypatch.setattr(searching, "_MANY", 0)
        monkeypatch.setattr(searching, "_SPANS", spans)
        assert [found(search(alice, words, *between)) for between in days] == few and any(few)


def test_words_are_looked_for_in_an_index_alone(alice):
    plans = ground.plans_of(searching.sought, {calendar_of().id: "own"}, "bal masqué")
    assert plans == ["SEARCH t1 USING COVERING INDEX calendar_objects_words (collection_id=?)"]


def test_only_what_one_may_read_is_found(app, alice):
    bob = ground.person(app, "bob")
    put(calendar_of(), "Secret", f"{ZONE}20300108T090000")
    assert not found(search(bob, "secret"))
    share(calendar_of(), "bob", "busy")
    assert not found(search(bob, "secret")) and not found(search(bob, "", "2030-01-08", "2030-01-08"))
    assert "No event was found" in search(bob, "secret").text


def test_what_is_edited_is_found_by_its_new_words(alice):
    put(calendar_of(), "Avant", f"{ZONE}20300108T090000", f"{ZONE}20300108T100000")
    row = CalendarObject.get()
    page = alice.get(f"/calendar/events/{row.collection_id}/{row.href}/edit")
    alice.submit(page, "form[data-event-form]", title="Après", action="save")
    assert found(search(alice, "apres")) == ["Après"] and not found(search(alice, "avant"))


def test_without_anything_to_look_for_there_is_the_form_alone(alice):
    page = search(alice)
    assert page.status == 200 and not found(page) and "No event" not in page.text


def test_words_of_large_objects_are_bounded():
    assert len(words_of("DESCRIPTION:" + " ".join(f"mot{n}" for n in range(9000)))) <= 2000
    assert words_of('SUMMARY;ALTREP="x:y":Conseil\\, classe\\nici\r\n') == " conseil classe ici"


def test_the_box_of_the_bar_searches_events_on_pages_of_the_calendar(alice):
    for path in ("/calendar", "/calendar/search?words=bal", "/calendar/events/new?words=tomorrow"):
        box = alice.get(path).one("#search")
        typed = "bal" if "search" in path else ""
        assert (box["action"], box.input["name"], box.input["value"]) == ("/calendar/search", "words", typed), path
