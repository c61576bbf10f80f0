"""Events as one makes, looks at and changes them: forms, scopes of what recurs, conflicts, rights, undo."""

from __future__ import annotations

import pytest

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import calendar_of, put, share
from tests.support.calendar_texts import times
from tests.support.visits import Page, Visitor
from webmail import preferences as preferred
from webmail.calendar import form_store
from webmail.database.connection import db
from webmail.models import CalendarObject, Collection, CollectionShare, GoneItem, User

ZONE = ";TZID=Europe/Paris:"
FORM = "form[data-event-form]"
NOTHING = "Nothing has been saved yet"


def rows(calendar: Collection | None = None) -> list[CalendarObject]:
    found = CalendarObject.select().order_by(CalendarObject.id)
    return list(found.where(CalendarObject.collection == calendar) if calendar else found)


def only() -> CalendarObject:
    [row] = rows()
    return row


def only_of(row: CalendarObject) -> CalendarObject:
    [found] = rows(row.collection_id)
    return found


def url(row: CalendarObject, part: str = "", at: str = "") -> str:
    return f"/calendar/events/{row.collection_id}/{row.href}{part}" + (f"?at={at}" if at else "")


def new(alice: Visitor, **fields: object) -> Page:
    values = {"title": "Conseil", "start": "2026-12-08", "start_hour": "17:00", "end": "2026-12-08", "end_hour": "19:00"}
    return alice.submit(alice.get("/calendar/events/new"), FORM, **values | fields, action="save")


def edit(alice: Visitor, row: CalendarObject, at: str = "", **fields: object) -> Page:
    return alice.submit(alice.get(url(row, "/edit", at)), FORM, **fields, action="save")


def undo(alice: Visitor, page: Page) -> Page:
    return alice.submit(page, "#notices form", follow=True)


def weekly(*lines: str) -> CalendarObject:
    put(calendar_of(), "Cours", f"{ZONE}20261207T090000", f"{ZONE}20261207T100000", "RRULE:FREQ=WEEKLY;COUNT=4", *lines)
    return only()


def said(row: CalendarObject) -> list[str]:
    return times(CalendarObject.get_by_id(row.id).text)


# --- new -------------------------------------------------------------------------------------------------------------


def test_a_new_event_is_saved_and_shown(alice):
    page = new(alice, location="Salle 12", notes="Ordre du jour : https://lycee.example/x", categories="Classe, 3e B", free="1",
               reminder=["15", ""], video="https://visio.example/a", privacy="private", status="tentative")  # fmt: skip
    assert page.status == 200 and "Conseil" in page.notices
    for words in (
        "Tuesday 8 December 2026, 17:00–19:00",
        "Salle 12",
        "15 minutes before",
        "Classe, 3e B",
        "Private",
        "Tentative",
        "Free",
    ):
        assert words in page.text
    assert page.link("https://lycee.example/x") == "https://lycee.example/x"
    assert page.one(".way-back a")["href"] == "/calendar/day/2026-12-08"
    text = only().text
    assert times(text) == ["2026-12-08 17:00 Conseil"] and "BEGIN:VTIMEZONE" in text and only().href.endswith(".ics")


TYPED = [
    ({"start": "2026-12-08T17:00", "start_hour": "", "end": "2026-12-08T18:30", "end_hour": ""}, "2026-12-08 17:00"),
    ({"start": "2026-12-08T16:00:00Z", "start_hour": "", "end": "", "end_hour": ""}, "2026-12-08 17:00"),
    ({"start": "8/12/2026", "start_hour": "17h", "end": "", "end_hour": "18h30"}, "2026-12-08 17:00"),
    ({"start": "2026-12-08", "end": "2026-12-09", "all_day": "1"}, "2026-12-08"),
    ({"start": "2026-12-08", "start_hour": "", "end": "", "end_hour": "", "all_day": "1"}, "2026-12-08"),
    ({"zone": "America/New_York", "start_hour": "11:00", "end_hour": "12:00"}, "2026-12-08 17:00"),
]


def test_times_may_be_typed_in_several_ways(alice):
    for fields, expected in TYPED:
        assert new(alice, **fields).status == 200, fields
        assert times(rows()[-1].text) == [f"{expected} Conseil"], fields


WRONG = [
    ({"title": ""}, "Enter a title."),
    ({"title": "x" * 501}, "too long"),
    ({"start": ""}, "Enter a date"),
    ({"start": "2026-02-30"}, "Enter a date"),
    ({"start": "0001-01-01"}, "Enter a date"),
    ({"start_hour": "25:00"}, "Enter a time"),
    ({"start_hour": ""}, "tick “All day”"),
    ({"end_hour": "16:00"}, "ends before it begins"),
    ({"end": "2026-12-07", "all_day": "1"}, "ends before it begins"),
    ({"zone": "Nowhere/Land"}, "Choose a time zone"),
    ({"video": "javascript:alert(1)"}, "begins with https://"),
    ({"repeat": "daily", "every": "0"}, "Enter a number from 1"),
    ({"repeat": "daily", "times": "-3"}, "Enter a number from 1"),
    ({"repeat": "daily", "until": "2026-12-01"}, "before the event begins"),
    ({"repeat": "daily", "until": "2026-13-01"}, "Enter a date"),
    ({"repeat": "daily", "until": "2027-01-01", "times": "3"}, "not both"),
    ({"calendar": "999999"}, "Choose a calendar"),
    ({"categories": ", ".join(map(str, range(30)))}, "at most 20"),
]


def test_what_is_wrong_is_said_and_the_rest_stays(alice):
    for fields, words in WRONG:
        page = new(alice, **{"notes": "Mes notes", **fields})
        assert page.status == 422 and words in page.text and NOTHING in page.notices and not rows(), (fields, page.text)
        assert page.one("#event-notes").get_text().strip() == "Mes notes"
        assert page.all("[aria-invalid=true]"), fields


def test_a_form_that_is_sent_twice_makes_one_event(alice):
    page = alice.get("/calendar/events/new?start=2026-12-08T17:00")
    for _click in range(2):
        assert alice.submit(page, FORM, title="Conseil", action="save").status == 200
    assert len(rows()) == 1
    other = alice.submit(page, FORM, title="Autre", action="save")
    assert other.status == 409 and "already saved" in other.notices and len(rows()) == 1
    alice.submit(other, FORM, action="save")
    assert times(only().text) == ["2026-12-08 17:00 Autre"]


REPEATED = [
    ({"repeat": "daily", "every": "2", "times": "3"}, "FREQ=DAILY;INTERVAL=2;COUNT=3", "Every 2 days, 3 times"),
    ({"repeat": "weekdays"}, "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "Every weekday, Monday to Friday"),
    ({"repeat": "weekly"}, "FREQ=WEEKLY;BYDAY=TU", "Every week on Tuesday"),
    ({"repeat": "weekly", "days": ["1", "3"], "every": "2"}, "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH", "Every 2 weeks on Tuesday and Thursday"),
    ({"repeat": "monthly", "until": "2027-06-30"}, "FREQ=MONTHLY;UNTIL=20270630T215959Z", "Every month on day 8, until Wednesday 30 June 2027"),
    ({"repeat": "monthly-day"}, "FREQ=MONTHLY;BYDAY=2TU", "Every month on the second Tuesday"),
    ({"repeat": "monthly-last", "start": "2026-12-25", "end": "2026-12-25"}, "FREQ=MONTHLY;BYDAY=-1FR", "Every month on the last Friday"),
    ({"repeat": "monthly-days", "places": ["2", "4"]}, "FREQ=MONTHLY;BYDAY=2TU,4TU", "Every month on the second and fourth Tuesday"),
    ({"repeat": "monthly-days", "places": ["2", "-1"], "every": "2"}, "FREQ=MONTHLY;INTERVAL=2;BYDAY=2TU,-1TU",
     "Every 2 months on the second and last Tuesday"),
    ({"repeat": "yearly"}, "FREQ=YEARLY", "Every year"),
    ({"repeat": "yearly", "all_day": "1", "until": "2028-12-08"}, "FREQ=YEARLY;UNTIL=20281208", "Every year, until Friday 8 December 2028"),
]  # fmt: skip


def test_repetitions_are_written_and_told(alice):
    for fields, rule, words in REPEATED:
        page = new(alice, **fields)
        assert page.status == 200 and words in page.text, page.text
        assert f"RRULE:{rule}\r\n" in rows()[-1].text
        again = alice.get(url(rows()[-1], "/edit"))
        assert again.one(f"#event-repeat option[value={fields['repeat']}]").has_attr("selected")
        alice.submit(again, FORM, title="Autre", action="save")
        assert f"RRULE:{rule}\r\n" in rows()[-1].text and "SUMMARY:Autre" in rows()[-1].text  # as it was


def test_several_weekdays_of_a_month_begin_on_one_of_them_and_are_read_back(app, alice):
    page = new(alice, repeat="monthly-days", places=["1", "3"], times="3")
    assert times(only().text) == ["2026-12-15 17:00 Conseil", "2027-01-05 17:00 Conseil", "2027-01-19 17:00 Conseil"]
    assert "Every month on the first and third Tuesday, 3 times" in page.text
    form = alice.get(url(only(), "/edit"))
    assert [one["value"] for one in form.all("[name=places][checked]")] == ["1", "3"]
    alice.submit(form, FORM, start="2026-12-16", end="2026-12-16", scope="all", action="save")
    assert "BYDAY=1WE,3WE" in only().text
    put(calendar_of(), "Autre", f"{ZONE}20261207T170000", f"{ZONE}20261207T180000", "RRULE:FREQ=MONTHLY;BYDAY=+1MO,-1MO")
    assert "Every month on the first and last Monday" in alice.get(url(rows()[-1])).text
    anne = ground.person(app, "anne", "fr")
    french = new(anne, repeat="monthly-days", places=["1", "3"])
    assert "Tous les mois, les premier et troisième mardis" in french.text, french.text


def days_of(row) -> list[str]:
    return [one[:10] for one in times(row.text)]


def test_a_series_in_term_leaves_out_the_holidays_and_is_read_back(alice):
    preferred.change(User.get(User.address == alice.address), school_zone="A")
    fields = {"repeat": "weekly", "every": "2", "until": "2027-03-09", "term": "1"}
    page = new(alice, **fields)
    assert "2 dates in the school holidays are left out (Tuesday 22 December 2026 to Tuesday 16 February 2027)." in page.notices
    assert days_of(only()) == ["2026-12-08", "2027-01-05", "2027-01-19", "2027-02-02", "2027-03-02"]
    assert "Every 2 weeks on Tuesday, until Tuesday 9 March 2027, not in the school holidays (Zone A)" in page.text
    text = only().text
    assert "EXDATE;TZID=Europe/Paris:20261222T170000,20270216T170000\r\n" in text and "RRULE:FREQ=WEEKLY;INTERVAL=2;" in text
    form = alice.get(url(only(), "/edit"))
    assert form.one("[name=term]").has_attr("checked") and "end on" in form.one("#term-hint").get_text()
    alice.submit(form, FORM, action="save")
    assert only().text == text  # as it was
    alice.submit(form, FORM, start_hour="16:00", end_hour="17:00", scope="all", action="save")
    assert days_of(only()) == ["2026-12-08", "2027-01-05", "2027-01-19", "2027-02-02", "2027-03-02"]
    alice.submit(alice.get(url(only(), "/edit")), FORM, every="1", until="2027-01-10", action="save")
    assert days_of(only()) == ["2026-12-08", "2026-12-15", "2027-01-05"]
    alice.submit(alice.get(url(only(), "/edit")), FORM, term=[], action="save")
    assert days_of(only()) == ["2026-12-08", "2026-12-15", "2026-12-22", "2026-12-29", "2027-01-05"]
    assert "X-TRABOULE-TERM" not in only().text and "EXDATE" not in only().text


def test_what_was_taken_out_by_hand_stays_out_and_what_was_moved_stays(alice):
    put(calendar_of(), "Cours", f"{ZONE}20261201T170000", f"{ZONE}20261201T180000", "RRULE:FREQ=WEEKLY;COUNT=6",
              f"EXDATE{ZONE}20261208T170000")  # fmt: skip
    alice.submit(alice.get(url(only(), "/edit")), FORM, term="1", action="save")
    assert days_of(only()) == ["2026-12-01", "2026-12-15", "2027-01-05"]
    form = alice.get(url(only(), "/edit") + "?at=20261215T160000Z")
    alice.submit(form, FORM, start="2026-12-23", end="2026-12-23", scope="one", action="save")
    alice.submit(alice.get(url(only(), "/edit")), FORM, title="Cours 2", action="save")
    assert days_of(only()) == ["2026-12-01", "2026-12-23", "2027-01-05"]
    alice.submit(alice.get(url(only(), "/edit")), FORM, term=[], action="save")
    assert days_of(only()) == ["2026-12-01", "2026-12-22", "2026-12-23", "2026-12-29", "2027-01-05"]


def test_a_series_of_holidays_alone_is_refused_in_words(alice):
    page = new(alice, start="2026-12-22", end="2026-12-22", repeat="daily", times="5", term="1")
    assert page.status == 422 and "All of these dates are in the school holidays." in page.text and not rows()
    assert page.one("[name=term]").has_attr("checked")


def test_a_weekly_event_begins_on_one_of_its_days(alice):
    new(alice, repeat="weekly", days=["4"], times="2")
    assert times(only().text) == ["2026-12-11 17:00 Conseil", "2026-12-18 17:00 Conseil"]


def test_words_fill_the_form_and_save_nothing(alice):
    page = alice.get("/calendar/events/new?words=staff meeting 8 December 2030 5-7pm room 12")
    assert "Understood: Sunday 8 December 2030, 17:00–19:00 · room 12" in page.notices and not rows()
    assert page.one("#event-title")["value"] == "staff meeting"
    alice.submit(page, FORM, action="save")
    assert times(only().text) == ["2030-12-08 17:00 staff meeting"]


def test_words_without_a_date_say_so(alice):
    assert "No date was found" in alice.get("/calendar/events/new?words=Read chapter 3").notices


def test_words_for_several_days_make_several_events(alice):
    page = alice.get("/calendar/events/new?words=careers fair 8, 10 and 15 December 2030 2-4pm")
    assert "8 December 2030, 14:00–16:00 · Tuesday 10 December 2030, 14:00–16:00 · Sunday 15" in page.notices
    assert [one["value"] for one in page.all("[name=also]")] == ["2030-12-10", "2030-12-15"]
    form = alice.submit(page, FORM, title="", action="save")
    assert form.status == 422 and len(form.all("[name=also]")) == 2
    page = alice.submit(form, FORM, title="Fair", start_hour="15:00", end_hour="16:00", also=["2030-12-15"], action="save")
    assert "“Fair” was added to your calendar as 2 events." in page.notices
    assert [times(row.text) for row in rows()] == [["2030-12-08 15:00 Fair"], ["2030-12-15 15:00 Fair"]]
    alice.submit(page, "#notices form:has([name=undo])")
    assert not rows()


def test_a_second_click_adds_several_once(alice):
    page = alice.get("/calendar/events/new?words=oraux lundi 2 décembre 2030 8h et mardi 3 décembre 2030 10h")
    assert page.one("[name=also]")["value"] == "2030-12-03T10:00/2030-12-03T11:00"
    alice.submit(page, FORM, action="save")
    alice.submit(page, FORM, action="save")
    assert [times(row.text) for row in rows()] == [["2030-12-02 08:00 oraux"], ["2030-12-03 10:00 oraux"]]


def test_what_others_the_form_names_that_are_none_are_left_out(alice):
    page = alice.get("/calendar/events/new?words=fair 8 December 2030 2-4pm")
    also = [
        "x",
        "2030-13-01",
        "9999-12-31",
        "2030-12-09T10:00/2030-12-08T10:00",
        "2030-12-08",
        "2030-12-09T99:00/²",
        "0001-01-01/9999-12-31",
    ]
    alice.submit(page, FORM, also=also, skip=["x", "2030-12-08"], action="save")
    assert [times(row.text) for row in rows()] == [["2030-12-08 14:00 fair"]]


def test_words_for_days_without(alice):
    page = alice.get(
        "/calendar/events/new?words=choir every Tuesday 6pm from 3 December 2030 until 24 December 2030 except 17 December 2030"
    )
    assert "not on Tuesday 17 December 2030" in page.notices and page.one("[name=skip]")["value"] == "2030-12-17"
    alice.submit(page, FORM, action="save")
    assert times(only().text) == ["2030-12-03 18:00 choir", "2030-12-10 18:00 choir", "2030-12-24 18:00 choir"]


def test_words_from_monday_to_friday_are_five_events(alice):
    page = alice.get("/calendar/events/new?words=accueil du lundi 2 au vendredi 6 décembre 2030 8h-9h")
    alice.submit(page, FORM, action="save")
    assert times(only().text) == [f"2030-12-0{day} 08:00 accueil" for day in range(2, 7)]


def test_words_that_are_not_understood_are_marked(alice):
    page = alice.get("/calendar/events/new?words=ball on 30 February 8pm")
    assert "on 30 February" in page.one("[data-unclear] mark").get_text() and page.one("#event-title")["value"].startswith("ball")
    assert not alice.get("/calendar/events/new?words=ball tomorrow 8pm").all("[data-unclear]")


def test_words_in_french(app):
    anne = ground.person(app, "anne", "fr")
    page = anne.get("/calendar/events/new?words=conseil de classe 8/12/2030 17h-19h salle 12")
    assert page.one("#event-title")["value"] == "conseil de classe" and page.one("#event-location")["value"] == "salle 12"


def test_a_reminder_more(alice):
    page = alice.get("/calendar/events/new")
    more = alice.submit(page, FORM, title="x", reminder=["15"], action="more")
    assert len(more.all("[name=reminder]")) == 3 and more.one("#event-title")["value"] == "x" and not rows()


# --- one event -------------------------------------------------------------------------------------------------------


def test_an_event_is_edited_and_the_change_undone(alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000", "X-KEPT:yes",
        "ATTENDEE;PARTSTAT=ACCEPTED;CN=Bob:mailto:bob@lycee.example", "ORGANIZER:mailto:alice@lycee.example")  # fmt: skip
    before = only()
    page = edit(alice, before, title="Conseil 3e B", start_hour="16:00")
    assert "Event saved." in page.notices and said(before) == ["2026-12-08 16:00 Conseil 3e B"]
    assert "X-KEPT:yes" in only().text and "PARTSTAT=NEEDS-ACTION" in only().text
    assert only().seq > before.seq and only().href == before.href
    undo(alice, page)
    assert only().text == before.text and only().seq > before.seq + 1


def test_nothing_is_written_where_nothing_was_changed(alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000", "DESCRIPTION: deux  espaces ",
        "CATEGORIES:a\\, b,c", "BEGIN:VALARM", "TRIGGER:-PT7M", "ACTION:DISPLAY", "END:VALARM")  # fmt: skip
    before = only()
    edit(alice, before)
    assert (only().text, only().seq) == (before.text, before.seq)


def test_a_change_that_is_sent_twice_is_saved_once(alice):
    row = weekly()
    for at in ("", "20261214T090000"):
        page = alice.get(url(row, "/edit", at))
        first = alice.submit(page, FORM, title=f"Neuf {at}", scope="one", action="save")
        etag = CalendarObject.get_by_id(row.id).etag
        again = alice.submit(page, FORM, title=f"Neuf {at}", scope="one", action="save")
        assert again.address == first.address and "elsewhere" not in again.text
        assert CalendarObject.get_by_id(row.id).etag == etag


def test_two_at_once_are_both_shown_and_nothing_is_lost(alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000")
    row = only()
    form = alice.get(url(row, "/edit"))
    edit(alice, row, title="Du téléphone", location="Salle 1")
    page = alice.submit(form, FORM, title="De la page", action="save")
    assert page.status == 409 and "changed elsewhere" in page.notices
    table = page.one(".versions").get_text(" ", strip=True)
    assert "Du téléphone" in table and "De la page" in table and "Salle 1" in table
    assert page.one("#event-title")["value"] == "De la page" and said(row) == ["2026-12-08 17:00 Du téléphone"]
    alice.submit(page, FORM, action="save")
    assert said(row) == ["2026-12-08 17:00 De la page"]


def test_an_event_is_deleted_and_comes_back_under_its_name(alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000")
    row = only()
    page = alice.submit(alice.get(url(row)), "form[action$='/delete']")
    assert "was deleted" in page.notices and not rows() and GoneItem.select().where(GoneItem.href == row.href).count() == 1
    assert page.address == "/calendar/day/2026-12-08"
    assert alice.post(url(row, "/delete")).status in (200, 400)  # a second click
    assert "Conseil" in alice.get("/collections/trash").text
    undo(alice, page)
    assert (only().href, only().text) == (row.href, row.text) and not GoneItem.select().count()
    assert "Conseil" not in alice.get("/collections/trash").text


def test_undo_does_not_take_back_what_came_after(alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000")
    page = edit(alice, only(), title="Un")
    edit(alice, only(), title="Deux")
    assert "stays as it is" in undo(alice, page).notices
    assert said(only()) == ["2026-12-08 17:00 Deux"]


def test_a_duplicate_is_a_new_event(alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000", "LOCATION:Salle 12")
    page = alice.get(alice.get(url(only())).link("Duplicate"))
    alice.submit(page, FORM, start="2026-12-09", end="2026-12-09", action="save")
    assert [times(row.text)[0] for row in rows()] == ["2026-12-08 17:00 Conseil", "2026-12-09 17:00 Conseil"]
    assert len({row.uid for row in rows()}) == 2


def test_it_moves_and_is_copied_to_another_calendar(alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000", "X-KEPT:yes")
    row, other = only(), calendar_of(name="work", title="Travail")
    page = alice.submit(alice.get(url(row, "/move")), "form[action$='/move']", to=str(other.id), action="copy")
    assert "Copied to “Travail”" in page.notices and len(rows()) == 2 and "X-KEPT:yes" in rows(other)[0].text
    undo(alice, page)
    assert len(rows()) == 1
    page = alice.submit(alice.get(url(row, "/move")), "form[action$='/move']", to=str(other.id), action="move")
    assert "Moved to “Travail”" in page.notices and rows(other)[0].text == row.text and len(rows()) == 1
    undo(alice, page)
    assert only().collection_id == row.collection_id and only().text == row.text
    assert Collection.get_by_id(other.id).count == 0 and Collection.get_by_id(row.collection_id).count == 1


def test_a_copy_is_made_once_by_two_clicks(alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000")
    other, third = calendar_of(name="work", title="Travail"), calendar_of(name="home", title="Maison")
    page = alice.get(url(only(), "/move"))
    first, again, elsewhere = (
        alice.submit(page, "form[action$='/move']", to=str(to.id), action="copy") for to in (other, other, third)
    )
    assert again.status == 200 and again.address == first.address != elsewhere.address
    assert len(rows(other)) == len(rows(third)) == 1 and len({one.uid for one in rows()}) == 3


def test_a_move_to_where_it_is_already_is_refused(alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000")
    other = calendar_of(name="work", title="Travail")
    put(other, "Conseil", f"{ZONE}20261208T170000")
    row = rows()[0]
    page = alice.submit(alice.get(url(row, "/move")), "form[action$='/move']", to=str(other.id), action="move")
    assert len(rows()) == 2 and "already in that calendar" in page.notices


def test_it_moves_to_where_something_else_has_its_name(alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000")
    other = calendar_of(name="work", title="Travail")
    put(other, "Réunion", f"{ZONE}20261208T170000")
    row, taken = rows()
    CalendarObject.update(href=row.href).where(CalendarObject.id == taken.id).execute()
    page = alice.submit(alice.get(url(row, "/move")), "form[action$='/move']", to=str(other.id), action="move")
    assert "Moved to “Travail”" in page.notices and len(rows(other)) == 2
    undo(alice, page)
    assert url(only_of(row)) == url(row) and len(rows(other)) == 1


def test_the_form_asks_no_more_where_there_are_more_calendars(alice, monkeypatch):
    asked = []
    real = db.obj.execute_sql
    monkeypatch.setattr(db.obj, "execute_sql", lambda sql, *more, **named: asked.append(sql) or real(sql, *more, **named))

    def count() -> int:
        asked.clear()
        alice.get("/calendar/events/new")
        return len(asked)

    count()
    few = count()
    for number in range(5):
        calendar_of(name=f"more-{number}")
    assert count() <= few


# --- what recurs -----------------------------------------------------------------------------------------------------


def test_one_of_a_series(alice):
    row = weekly()
    page = edit(alice, row, "20261214T090000", title="Sortie", scope="one")
    assert said(row)[1] == "2026-12-14 09:00 Sortie" and len(said(row)) == 4
    assert "Every week on Monday, 4 times" in page.text
    series = alice.get(page.link("All events of this series"))
    assert "Exceptions" in series.text and "Sortie" in series.text
    undo(alice, page)
    assert {one[17:] for one in said(row)} == {"Cours"}


def test_this_and_the_following(alice):
    row = weekly()
    page = edit(
        alice,
        row,
        "20261221T090000",
        start="2026-12-22",
        start_hour="10:00",
        end="2026-12-22",
        end_hour="11:00",
        scope="following",
    )
    assert [times(one.text) for one in rows()] == [["2026-12-07 09:00 Cours", "2026-12-14 09:00 Cours"],
                                                   ["2026-12-22 10:00 Cours", "2026-12-29 10:00 Cours"]]  # fmt: skip
    undo(alice, page)
    assert only().text == row.text


def test_the_french_words_speak_of_an_event(app):
    visitor = ground.person(app, "chloe", "fr")
    put(calendar_of("chloe"), "Conseil", f"{ZONE}20261208T170000", "", "ORGANIZER;CN=Zoé:mailto:zoe@lycee.example")
    assert "Organisateur" in visitor.get(url(only())).text
    page = visitor.get("/calendar/events/new?start=2026-12-08")
    visitor.submit(page, FORM, title="Un", action="save")
    assert "Cet événement a déjà été enregistré" in visitor.submit(page, FORM, title="Deux", action="save").notices


def test_this_and_the_following_are_parted_once_by_two_clicks(alice):
    row = weekly()
    page = alice.get(url(row, "/edit", "20261221T090000"))
    first = alice.submit(page, FORM, title="Neuf", scope="following", action="save")
    again = alice.submit(page, FORM, title="Neuf", scope="following", action="save")
    assert again.status == 200 and again.address == first.address and len(rows()) == 2
    other = alice.submit(page, FORM, title="Autre", scope="following", action="save")
    assert other.status == 409 and "already saved with different details" in other.notices
    alice.submit(other, FORM, action="save")
    assert len(rows()) == 2 and {one[17:] for one in said(row)} == {"Cours"}
    assert [one[17:] for other in rows() if other.id != row.id for one in times(other.text)] == ["Autre", "Autre"]


def test_this_and_the_following_of_the_first_are_all(alice):
    row = weekly()
    edit(alice, row, "20261207T090000", title="Tous", scope="following")
    assert {one[17:] for one in said(row)} == {"Tous"} and len(rows()) == 1


def test_all_of_a_series(alice):
    row = weekly()
    edit(alice, row, "20261221T090000", start_hour="08:00", end_hour="09:00", scope="all")
    assert [one[11:16] for one in said(row)] == ["08:00"] * 4


def test_a_number_of_times_is_that_of_the_whole_series(alice):
    row = weekly()
    edit(alice, row, "20261221T090000", times="6", scope="following")
    assert [len(times(one.text)) for one in rows()] == [2, 4]


def test_a_rule_for_one_alone_is_refused(alice):
    page = edit(alice, weekly(), "20261221T090000", repeat="daily", scope="one")
    assert page.status == 422 and "can’t repeat differently" in page.text


def test_another_rule_is_kept_and_told(alice):
    put(calendar_of(), "Paie", f"{ZONE}20261130T090000", f"{ZONE}20261130T100000",
        "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3")  # fmt: skip
    row = only()
    page = alice.get(url(row, "/edit"))
    assert "The rule is kept" in page.text and page.one("#event-repeat option[value=kept]").has_attr("selected")
    alice.submit(page, FORM, title="Salaires", action="save")
    assert "BYSETPOS=-1" in only().text and len(said(row)) == 3
    moved = edit(alice, row, "20261231T090000", start="2026-12-30", end="2026-12-30", scope="all")
    assert moved.status == 422 and "can’t be moved to another day" in moved.text


@pytest.mark.parametrize(("scope", "left"), [("one", 3), ("following", 2), ("all", 0)])
def test_what_is_to_be_deleted_is_asked(alice, scope, left):
    row = weekly()
    page = alice.get(alice.get(url(row, at="20261221T090000")).link("Delete"))
    refused = alice.submit(page, "form[action$='/delete']")
    assert refused.status == 422 and "Choose what to delete" in refused.notices
    done = alice.submit(page, "form[action$='/delete']", scope=scope)
    assert "was deleted" in done.notices and sum(len(times(one.text)) for one in rows()) == left
    undo(alice, done)
    assert only().text == row.text


def test_the_last_one_of_a_series_takes_it_along(alice):
    put(calendar_of(), "Cours", f"{ZONE}20261207T090000", f"{ZONE}20261207T100000", "RRULE:FREQ=WEEKLY;COUNT=1")
    alice.post(url(only(), "/delete"), {"at": "20261207T090000", "scope": "one", "csrf_token": token(alice)})
    assert not rows()


def token(alice: Visitor) -> str:
    return str(alice.get("/calendar/events/new").all("[name=csrf_token]")[0]["value"])


@pytest.mark.parametrize("at", ["20261208T090000", "nonsense", "20261207", "99999999T999999", "x" * 300])
def test_what_is_none_of_a_series_is_not_found(alice, at):
    assert alice.get(url(weekly(), at=at)).status == (200 if at == "20261207" else 404)


def test_the_next_ones_are_listed(alice):
    put(calendar_of(), "Cours", f"{ZONE}20300107T090000", f"{ZONE}20300107T100000", "RRULE:FREQ=WEEKLY;COUNT=9")
    page = alice.get(url(only()))
    assert "Every week on Monday, 9 times" in page.text


# --- whose it is -----------------------------------------------------------------------------------------------------


PATHS = ("", "/edit", "/delete", "/move")


@pytest.mark.parametrize("path", PATHS)
def test_somebody_elses_is_not_there(alice, bob, path):
    row = weekly()
    assert bob.get(url(row, path)).status == 404
    if path:
        answer = bob.post(url(row, path), {"csrf_token": token(bob), "title": "x", "to": "1", "scope": "all"}, follow=False)
        assert answer.status in (303, 404) and only().text == row.text


@pytest.mark.parametrize("path", PATHS)
def test_without_signing_in_one_is_led_to_the_door(app, alice, path):
    row = weekly()
    assert Visitor(app).get(url(row, path), follow=False).location.startswith("/login")


def test_what_is_shared_for_reading_is_read(alice, bob):
    row = weekly()
    share(calendar_of(), "bob", "read")
    page = bob.get(url(row, at="20261214T090000"))
    assert "Cours" in page.text and "read only" in page.text and not page.all("a[href*='/edit'], form[action$='/delete']")
    assert bob.get(url(row, "/edit")).status == 403
    for path in ("/edit", "/delete"):
        assert bob.post(url(row, path), {"csrf_token": token(bob), "title": "x"}).status == 403
    copied = bob.submit(bob.get(url(row, "/move")), "form[action$='/move']", to=str(calendar_of("bob").id), action="copy")
    assert "Copied" in copied.notices
    moved = bob.post(url(row, "/move"), {"csrf_token": token(bob), "to": str(calendar_of("bob").id), "action": "move"})
    assert moved.status == 403


def test_what_is_shared_for_writing_is_changed(alice, bob):
    row = weekly()
    share(calendar_of(), "bob", "write")
    edit(bob, row, title="De Bob")
    assert {one[17:] for one in said(row)} == {"De Bob"}
    page = bob.get("/calendar/events/new")
    assert any("(" in option.get_text() for option in page.all("#event-calendar option"))


def test_who_may_know_only_the_time_sees_no_more(alice, bob):
    lines = (
        "UID:x",
        "DTSTAMP:20260101T000000Z",
        "DTSTART:20261208T160000Z",
        "DTEND:20261208T180000Z",
        "SUMMARY:Secret",
        "LOCATION:Cachette",
    )
    ground.put_text(calendar_of(), "x", "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT"]))
    share(calendar_of(), "bob", "busy")
    page = bob.get(url(only()))
    assert page.status == 200 and "Busy" in page.text and "17:00–19:00" in page.text
    assert "Secret" not in page.html and "Cachette" not in page.html
    assert all(bob.get(url(only(), path)).status == 404 for path in PATHS[1:])


def reshare(rights: str) -> None:
    """Change the only share, or end it."""
    with db.atomic():
        CollectionShare.update(rights=rights).execute()


def test_rights_that_end_meanwhile_end_what_was_begun(alice, bob):
    row = weekly()
    share(calendar_of(), "bob", "write")
    form = bob.get(url(row, "/edit"))
    with db.atomic():
        CollectionShare.delete().execute()
    page = bob.submit(form, FORM, title="De Bob", action="save")
    assert page.status == 404 and only().text == row.text
    assert "no longer shared with you" in page.notices and "changes are not saved" in page.notices


LOST = {"title": "De Bob", "notes": "Ordre du jour", "reminder": "30", "action": "save"}


@pytest.mark.parametrize(
    ("rights", "status", "why"),
    [
        ("", 404, "no longer shared with you"),
        ("read", 403, "no longer change events in “Agenda (alice@lycee.example)”"),
        ("busy", 404, "no longer change events in “Agenda (alice@lycee.example)”"),
    ],
)
def test_what_was_typed_is_kept_when_the_share_ends_or_is_lowered(alice, bob, rights, status, why):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000")
    row = only()
    share(calendar_of(), "bob", "write")
    form = bob.get(url(row, "/edit"))
    reshare(rights)
    page = bob.submit(form, FORM, **LOST)
    assert page.status == status and why in page.notices and only().text == row.text
    assert page.one("#event-notes").get_text(strip=True) == "Ordre du jour" and page.one("#event-title")["value"] == "De Bob"
    assert page.one("#event-calendar option[selected]")["value"] == str(calendar_of("bob").id)
    saved = bob.submit(page, FORM, action="save")
    assert "added to your calendar" in saved.notices and only_of(row).text == row.text
    [mine] = rows(calendar_of("bob"))
    assert said(mine) == ["2026-12-08 17:00 De Bob"] and "Ordre du jour" in mine.text and "-PT30M" in mine.text


def test_what_was_typed_is_kept_when_the_event_was_deleted(alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000")
    row = only()
    form = alice.get(url(row, "/edit"))
    alice.submit(alice.get(url(row)), "form[action$='/delete']")
    page = alice.submit(form, FORM, title="Le même", action="more")
    assert page.status == 404 and "deleted or moved in the meantime" in page.notices and len(page.all("[name=reminder]")) == 2
    for _click in range(2):
        assert "added to your calendar" in alice.submit(page, FORM, action="save").notices
        assert said(only()) == ["2026-12-08 17:00 Le même"]
    assert alice.get(url(row, "/edit")).status == 404


def test_one_of_a_series_that_was_deleted_meanwhile_is_kept_as_one(alice):
    row = weekly()
    form = alice.get(url(row, "/edit", at="20261214T090000"))
    alice.post(url(row, "/delete"), {"at": "20261214T090000", "scope": "one", "csrf_token": token(alice)})
    page = alice.submit(form, FORM, title="Sortie", action="save")
    assert page.status == 404 and "deleted or moved" in page.notices
    alice.submit(page, FORM, action="save")
    assert [said(one) for one in rows()] == [said(row), ["2026-12-14 09:00 Sortie"]]


def test_a_rule_that_can_t_be_kept_is_said(alice):
    rule = "RRULE:FREQ=YEARLY;BYDAY=MO;BYWEEKNO=50;COUNT=3"
    put(calendar_of(), "Cours", f"{ZONE}20261207T090000", f"{ZONE}20261207T100000", rule)
    row = only()
    form = alice.get(url(row, "/edit"))
    alice.submit(alice.get(url(row)), "form[action$='/delete']")
    page = alice.submit(form, FORM, title="Cours 2", action="save")
    assert page.status == 404 and "can’t be kept" in page.one("#repeat-error").get_text()
    alice.submit(page, FORM, repeat="weekly", times="2", action="save")
    assert said(only()) == ["2026-12-07 09:00 Cours 2", "2026-12-14 09:00 Cours 2"]


def test_a_form_that_waited_for_a_link_is_kept_when_the_event_was_deleted(alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000")
    row = only()
    name = form_store.keep(User.get(), url(row, "/edit"), [("title", "Avec lien"), ("start", "2026-12-08T17:00")])
    alice.submit(alice.get(url(row)), "form[action$='/delete']")
    page = alice.get(f"/calendar/forms/{name}")
    assert page.status == 404 and "deleted or moved" in page.notices and page.one("#event-title")["value"] == "Avec lien"


def test_a_new_event_for_a_calendar_that_is_no_longer_shared_keeps_its_text(alice, bob):
    share(calendar_of(), "bob", "write")
    form = bob.get(f"/calendar/events/new?calendar={calendar_of().id}")
    reshare("read")
    page = bob.submit(form, FORM, title="De Bob", start="2026-12-08", start_hour="17:00", end="", end_hour="", action="save")
    assert page.status == 422 and "can no longer add events" in page.one("#calendar-error").get_text() and not rows()
    assert page.one("#event-title")["value"] == "De Bob"
    bob.submit(page, FORM, calendar=str(calendar_of("bob").id), action="save")
    assert only().collection_id == calendar_of("bob").id


def test_a_fragment_is_the_page_without_its_frame(alice):
    row = weekly()
    page = alice.get(url(row), htmx="main")
    assert page.html.startswith("<title>Cours") and "<html" not in page.html


def test_a_full_calendar_says_so_and_keeps_what_was_typed(tmp_path):
    with ground.application(tmp_path / "small", collection_items=1) as app:
        alice = ground.person(app)
        new(alice)
        page = new(alice, title="Deux")
        assert page.status == 422 and "no room left" in page.notices and page.one("#event-title")["value"] == "Deux"


def test_what_is_shown_once_can_be_looked_at_and_deleted(alice):
    from webmail.calendar import objects

    text = ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x\r\nBEGIN:VEVENT\r\nUID:bomb\r\nDTSTAMP:20260101T000000Z\r\n"
            "DTSTART:20261208T170000Z\r\nRRULE:FREQ=SECONDLY\r\nSUMMARY:Bombe\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")  # fmt: skip
    with db.atomic():
        objects.write(calendar_of().id, "bomb.ics", text, objects.prepared(text, ground.PARIS, once=True), None)
    page = alice.get(url(only()))
    assert "Bombe" in page.text and "shown only once" in page.text and not page.all("a[href*='/edit']")
    assert alice.get(url(only(), "/edit")).status == 403
    done = alice.submit(page, "form[action$='/delete']")
    assert not rows()
    undo(alice, done)
    assert only().text == text


def drag(alice: Visitor, row: CalendarObject, **fields: str) -> Page:
    return alice.post(url(row, "/times"), {"csrf_token": token(alice), "back": "/calendar/week/2026-12-07", **fields})


def test_an_event_is_dragged_to_another_time_and_back(alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000")
    row = only()
    page = drag(alice, row, start="2026-12-09T16:00")
    assert "was moved" in page.notices and page.address == "/calendar/week/2026-12-07"
    assert said(row) == ["2026-12-09 16:00 Conseil"] and only().text.count("180000") == 1
    assert undo(alice, page).address == "/calendar/week/2026-12-07" and only().text == row.text
    drag(alice, row, start="2026-12-08T17:00", end="2026-12-08T17:30")
    assert "20261208T173000" in only().text
    drag(alice, row, start="2026-12-10")  # a day alone, as from a month: the hour stays
    assert said(row) == ["2026-12-10 17:00 Conseil"] and "20261210T173000" in only().text
    for wrong in ({"start": "x"}, {"start": "2026-12-08T17:00", "end": "2026-12-08T16:00"}, {}):
        before = only().text
        assert "can’t be at this time" in drag(alice, row, **wrong).notices and only().text == before


def test_one_of_a_series_is_dragged_alone_or_all(alice):
    row = weekly()
    drag(alice, row, at="20261214T090000", start="2026-12-15T09:00")
    assert [one[:10] for one in said(row)] == ["2026-12-07", "2026-12-15", "2026-12-21", "2026-12-28"]
    drag(alice, row, at="20261221T090000", start="2026-12-21T10:00", scope="all")
    assert [one[:16] for one in said(row)] == ["2026-12-07 10:00", "2026-12-15 09:00", "2026-12-21 10:00", "2026-12-28 10:00"]


def seen(visitor: Visitor, view: str = "week") -> dict[str, str]:
    """What dragging the only event of a page sends of it."""
    page = visitor.get(f"/calendar/{view}/2026-12-07")
    return {"revision": str(page.one("[data-rev]")["data-rev"])}


@pytest.mark.parametrize("view", ["month", "week", "day"])
def test_dragging_overwrites_nothing_that_was_changed_meanwhile(alice, view):
    put(calendar_of(), "Conseil", f"{ZONE}20261207T170000", f"{ZONE}20261207T190000")
    row, shown = only(), seen(alice, view)
    edit(alice, row, title="Du téléphone", start_hour="15:00", end_hour="16:00")
    before = only().text
    page = drag(alice, row, **shown, start="2026-12-09T17:00")
    assert "“Du téléphone” was changed elsewhere" in page.notices and "was not moved" in page.notices
    assert "Monday 7 December 2026, 15:00–16:00" in page.notices and page.link("Show event") == url(row)
    assert only().text == before and "15:00" in page.one("[data-event]").get_text()
    page = drag(alice, row, **seen(alice, view), start="2026-12-09T17:00")
    assert "was moved" in page.notices and said(row) == ["2026-12-09 17:00 Du téléphone"]


def test_dragging_says_that_the_event_was_deleted_meanwhile(alice):
    row = weekly()
    alice.post(url(row, "/delete"), {"at": "20261214T090000", "scope": "one", "csrf_token": token(alice)})
    before = only().text
    page = drag(alice, row, at="20261214T090000", start="2026-12-15T09:00")
    assert page.status == 200 and "deleted or moved in the meantime. Nothing was moved." in page.notices and only().text == before
    alice.post(url(row, "/delete"), {"scope": "all", "csrf_token": token(alice)})
    page = drag(alice, row, start="2026-12-15T09:00")
    assert page.address == "/calendar/week/2026-12-07" and "deleted or moved in the meantime" in page.notices and not rows()


def test_dragging_says_that_the_share_was_ended_or_lowered(alice, bob):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000")
    row = only()
    share(calendar_of(), "bob", "write")
    shown = seen(bob)
    for rights, why in (
        ("read", "no longer change events"),
        ("busy", "no longer change events"),
        ("", "no longer shared with you"),
    ):
        reshare(rights)
        assert why in drag(bob, row, **shown, start="2026-12-09T17:00").notices and only().text == row.text
    assert not bob.get("/calendar/week/2026-12-07").all("[data-rev]")


def test_dragging_twice_by_one_hand_moves_once(alice):
    put(calendar_of(), "Conseil", f"{ZONE}20261208T170000", f"{ZONE}20261208T190000")
    row, shown = only(), seen(alice)
    for _time in range(2):
        assert "elsewhere" not in drag(alice, row, **shown, start="2026-12-09T17:00").notices
    assert said(row) == ["2026-12-09 17:00 Conseil"]


# --- hostile ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "like=²/x", "start=9999-12-31", "start=9999-12-31T23:59", "start=0001-01-01", "words=31/12/9999", "words=1/1/0001",
        "start=0001-01-01T00:00:00%2B14:00", "start=9999-12-31T23:59:59-14:00",
    ],
)  # fmt: skip
def test_odd_addresses_of_the_form_of_a_new_event_are_answered(alice, query):
    assert alice.get(f"/calendar/events/new?{query}").status in (200, 404)


def test_an_event_at_the_end_of_time_has_pages(alice):
    put(calendar_of(), "Fin", ";VALUE=DATE:99991231")
    for part in ("", "/edit", "/move", "/delete"):
        assert alice.get(url(only(), part)).status < 500


@pytest.mark.parametrize(
    ("start", "end", "typed"),
    [
        (";VALUE=DATE:19000101", ";VALUE=DATE:99991231", "2200-12-31"), (":19000101T000000Z", ":99991231T000000Z", "2200-12-31T10:00"),
    ],
)  # fmt: skip
def test_an_event_of_all_times_is_moved_and_edited(alice, start, end, typed):
    put(calendar_of(), "Toujours", start, end)
    token = str(alice.get("/calendar/events/new").one(f"{FORM} [name=csrf_token]")["value"])
    assert alice.post(url(only(), "/times"), {"start": typed, "csrf_token": token}, follow=False).status == 303
    assert edit(alice, only(), start=typed[:10], end="", end_hour="").status < 500


def test_undo_of_one_that_was_deleted_leads_back_to_its_day(alice):
    new(alice, start="2027-03-09", end="2027-03-09")
    row = only()
    page = alice.submit(alice.get(url(row, "/delete")), f"form[action='{url(row, '/delete')}']")
    page = undo(alice, page)
    assert page.response.request.path == "/calendar/day/2027/3/9" or "2027-03-09" in page.address, page.address
    assert only().text == row.text
