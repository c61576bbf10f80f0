"""Busy times that people outside publish: an address in a contact, fetched by the worker, shown with its age or its fault."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from tests.support.visits import Page, Visitor
from webmail.calendar.free_busy import outside_times
from webmail.http_fetch import AddressForbiddenError, FetchedResponse
from webmail.mime.formats.calendars import published_times
from webmail.mime.formats.calendars.published_times import NoTimesError
from webmail.models import Contact, PublishedTimes, User

URL = "https://cal.elsewhere.example/eve.ifb"
EVE = "eve@elsewhere.example"
FILE = """BEGIN:VCALENDAR
VERSION:2.0
METHOD:PUBLISH
BEGIN:VFREEBUSY
DTSTAMP:20261201T080000Z
DTSTART:20200101T000000Z
DTEND:20271220T000000Z
FREEBUSY;FBTYPE=BUSY:20271207T080000Z/20271207T090000Z,20271207T110000Z/PT1H30M
FREEBUSY;FBTYPE=BUSY-TENTATIVE:20271207T140000Z/20271207T150000Z
FREEBUSY;FBTYPE=FREE:20271207T160000Z/20271207T170000Z
END:VFREEBUSY
END:VCALENDAR
"""


def at(hour: int, minute: int = 0) -> int:
    return int(datetime(2027, 12, 7, hour, minute, tzinfo=ZoneInfo("UTC")).timestamp())


def test_a_file_says_when_somebody_is_busy():
    found = published_times.read(FILE.encode())
    assert found.spans == ((at(8), at(9), 2), (at(11), at(12, 30), 2), (at(14), at(15), 1))
    assert found.first and found.last == int(datetime(2027, 12, 20, tzinfo=ZoneInfo("UTC")).timestamp())


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"x" * 1_000_001, FILE.replace("VFREEBUSY", "VEVENT").encode(), FILE.replace("PT1H30M", "P").encode(),
     FILE.replace("PT1H30M", "soon").encode(), FILE.replace("20271207T080000Z/", "").encode(),
     FILE.replace("FREEBUSY;FBTYPE=FREE:", "FREEBUSY:" + ",".join(["20271207T080000Z/PT1H"] * 5_001)).encode()],
)  # fmt: skip
def test_what_is_none_is_refused(content):
    with pytest.raises(NoTimesError):
        published_times.read(content)


def with_address(alice: Visitor, url: str = URL) -> None:
    alice.submit(alice.get("/contacts/new"), "form.writing", given="Eve", email=EVE, busy_url=url, follow=True)


def look(alice: Visitor) -> Page:
    values = {"title": "x", "start": "2027-12-07", "start_hour": "09:00", "end": "2027-12-07", "end_hour": "10:00", "invite": EVE}
    return alice.submit(alice.get("/calendar/events/new"), "form[data-event-form]", **values, action="find")


def row(page: Page) -> str:
    return next(one.get_text(" ", strip=True) for one in page.soup.select("main tbody tr") if EVE in one.get_text())


def answers(content: bytes = FILE.encode(), status: int = 200):
    asked = []

    def ask(url: str, _headers: dict[str, str], *, seconds: float, from_host: str) -> FetchedResponse:
        assert seconds <= 8
        asked.append(url)
        return FetchedResponse(url, status, "text/calendar", content)

    ask.asked = asked
    return ask


def again() -> None:
    """Fresh no longer."""
    PublishedTimes.update(tried=1).execute()


def test_the_address_is_in_the_card_and_can_be_changed(alice):
    with_address(alice)
    card = Contact.get()
    assert f"FBURL:{URL}" in card.vcard
    page = alice.get(f"/contacts/{card.uid}/edit")
    assert page.one("[name=busy_url]")["value"] == URL
    alice.submit(page, "form.writing", busy_url="", follow=True)
    assert "FBURL" not in Contact.get().vcard


def test_times_come_with_the_next_look_and_the_page_waits_for_nobody(alice):
    with_address(alice)
    page = look(alice)
    assert "published times not known yet" in row(page) and "Times not known" in row(page)
    ask = answers()
    assert outside_times.sweep(ask) == 1 and ask.asked == [URL] and outside_times.sweep(ask) == 0
    page = look(alice)
    assert (
        "published times, fetched" in row(page) and "Busy, 09:00–10:00" in row(page) and "Perhaps busy, 15:00–16:00" in row(page)
    )
    assert page.soup.select("button[name=start]")[0].text == "Tuesday 7 December 2027, 08:00–09:00"
    assert outside_times.sweep(ask) == 0


def test_a_fault_is_said_and_what_was_known_stays(alice):
    with_address(alice)
    look(alice)
    outside_times.sweep(answers(status=404))
    assert "could not be fetched" in row(look(alice)) and "Times not known" in row(look(alice))
    again()
    look(alice)
    outside_times.sweep(answers())
    again()
    look(alice)
    outside_times.sweep(answers(b"<html>"))
    assert "could not be fetched; these are of" in row(look(alice)) and "Busy, 09:00" in row(look(alice))


def test_a_day_of_which_nothing_is_said_is_not_called_free(alice):
    with_address(alice)
    look(alice)
    outside_times.sweep(answers(FILE.replace("DTEND:20271220", "DTEND:20271201").encode()))
    assert "no times published for this day" in row(look(alice)) and "Times not known" in row(look(alice))


def test_no_address_leads_inside(alice):
    with_address(alice, "http://127.0.0.1/eve.ifb")
    look(alice)
    with pytest.raises(AddressForbiddenError):
        outside_times.ask_outside("http://127.0.0.1/eve.ifb", {}, seconds=1, from_host="")
    assert outside_times.sweep() == 0 and PublishedTimes.get().error
    assert "could not be fetched" in row(look(alice))


def test_whose_contact_it_is_not_sees_nothing(alice, bob):
    with_address(alice)
    look(alice)
    outside_times.sweep(answers())
    assert "published" not in row(look(bob))


def wanted(user: User, *urls: str) -> None:
    for url in urls:
        PublishedTimes.create(user=user, digest=url[:64], url=url, wanted=1)


def test_an_address_that_is_none_holds_up_no_other(alice):
    user = User.get(User.local == "alice")
    wanted(user, "http://[", "https://a@[::1", URL)
    with pytest.raises(ValueError, match="IPv6"):
        urlsplit("http://[")
    asked = []

    def ask(url: str, headers: dict[str, str], **more: object) -> FetchedResponse:
        asked.append(url)
        return answers()(url, headers, **more) if url == URL else outside_times.ask_outside(url, headers, **more)

    assert outside_times.sweep(ask) == 1 and len(asked) == 3
    assert not outside_times.waiting().exists()


def test_who_wants_many_delays_nobody_else(alice, bob):
    one, other = (User.get(User.local == name) for name in ("alice", "bob"))
    wanted(one, *(f"https://slow.example/{number}" for number in range(outside_times.MOST_WANTED)))
    wanted(other, URL)
    ask = answers()
    outside_times.sweep(ask)
    assert URL in ask.asked[:2]


def test_so_many_of_one_person_wait(alice, monkeypatch):
    monkeypatch.setattr(outside_times, "MOST_WANTED", 3)
    user = User.get(User.local == "alice")
    wanted(user, *(f"https://slow.example/{number}" for number in range(3)))
    with_address(alice)
    look(alice)
    assert outside_times.waiting().count() == 3
    outside_times.sweep(answers())
    look(alice)
    assert [one.url for one in outside_times.waiting()] == [URL]
