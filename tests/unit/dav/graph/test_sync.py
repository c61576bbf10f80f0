"""Calendars and contacts of Microsoft 365 kept in step with those here: both ways, through faults, kills and chance."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from flask import Flask

from tests.support import office_year
from tests.support.fakes.graph_mailbox import GraphMailbox
from tests.support.graph_pair import GraphPair, title_of
from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.collections.store import BOOK, CALENDAR
from webmail.models import User

Make = Callable[..., GraphPair]
WEEKLY = {"type": "weekly", "daysOfWeek": ["tuesday"], "firstDayOfWeek": "monday", "interval": 1}
YEAR = {"type": "endDate", "startDate": "2026-12-01", "endDate": "2027-06-29"}


def _series(mailbox: GraphMailbox, title: str = "Conseil") -> str:
    return mailbox.make(
        title,
        "2026-12-01T09:00:00",
        "2026-12-01T10:00:00",
        recurrence={"pattern": WEEKLY, "range": {**YEAR, "recurrenceTimeZone": "Romance Standard Time"}},
    )


SERIES = (
    "DTSTART;TZID=Europe/Paris:20261203T090000", "DTEND;TZID=Europe/Paris:20261203T100000", "RRULE:FREQ=WEEKLY;UNTIL=20270701T080000Z",
)  # fmt: skip


def _text(uid: str, *lines: str, changed: tuple[str, ...] = ()) -> str:
    more = [part for one in changed for part in ("BEGIN:VEVENT", f"UID:{uid}", *one.split("|"), "END:VEVENT")]
    head = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20261101T080000Z")
    return "\r\n".join([*head, *lines, "END:VEVENT", *more, "END:VCALENDAR", ""])


_MOVED = "RECURRENCE-ID;TZID=Europe/Paris:20261210T090000|DTSTART;TZID=Europe/Paris:20261210T140000|DTEND;TZID=Europe/Paris:20261210T150000|SUMMARY:Moved"


# --- both ways -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [CALENDAR, BOOK])
def test_changes_of_both_sides_reach_the_other(pair: Make, mailbox: GraphMailbox, kind: str) -> None:
    one = pair(kind)
    one.write_here("a.ics", one.text("a", "From here"))
    one.write_here("b.ics", one.text("b", "Second"))
    one.sync()
    assert one.equal() == Counter(["From here", "Second"])
    one.write_here("a.ics", one.text("a", "Changed here"))
    one.delete_here("b.ics")
    one.sync()
    assert one.equal() == Counter(["Changed here"])
    [name] = [
        key
        for key in (mailbox.alive() if kind == CALENDAR else mailbox.contacts)
        if kind == CALENDAR or not mailbox.contacts[key]["_removed"]
    ]
    if kind == CALENDAR:
        mailbox.change(name, subject="Changed there")
        mailbox.make("From there", "2026-12-24T20:00:00", "2026-12-24T23:00:00")
    else:
        mailbox.answer("PATCH", f"/me/contacts/{name}", b'{"displayName": "Changed there"}', {})
        mailbox.answer("POST", "/me/contacts", b'{"displayName": "From there"}', {})
    link = one.sync()
    assert one.equal() == Counter(["Changed there", "From there"])
    assert link.succeeded is not None and one.notes() == []
    mailbox.answer("DELETE", f"/me/{'events' if kind == CALENDAR else 'contacts'}/{name}", b"", {})
    one.sync()
    assert one.equal() == Counter(["From there"])


def test_a_round_without_changes_is_one_request(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    one.write_here("a.ics", one.text("a", "Class"))
    one.sync()
    one.sync()  # tells of what was sent
    mailbox.asked.clear()
    one.sync()
    assert [path for _method, path in mailbox.asked] == ["/me/calendars/AAMkCal=/calendarView/delta"]


def test_a_series_comes_with_what_was_changed_in_it(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    name = _series(mailbox)
    mailbox.change(
        name,
        "2026-12-08",
        subject="Salle B",
        start={"dateTime": "2026-12-08T14:00:00", "timeZone": "Romance Standard Time"},
        end={"dateTime": "2026-12-08T15:00:00", "timeZone": "Romance Standard Time"},
    )
    one.sync()
    assert one.equal() == Counter(["Conseil"])
    mailbox.cancel(name, "2026-12-22")  # of which delta tells only that something nobody knows is gone
    one.sync()
    [text] = one.here().values()
    assert "EXDATE;TZID=Europe/Paris:20261222T090000" in text and "SUMMARY:Salle B" in text
    assert one.equal() == Counter(["Conseil"])


def test_a_series_goes_there_with_what_was_changed_in_it(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    one.write_here("a.ics", _text("a", "SUMMARY:Cours", *SERIES, "EXDATE;TZID=Europe/Paris:20261224T090000", changed=(_MOVED,)))
    one.sync()
    assert one.equal() == Counter(["Cours"])
    [event] = mailbox.alive().values()
    assert [str(day) for day in event.cancelled] == ["2026-12-24"] and [str(day) for day in event.changed] == ["2026-12-10"]
    assert event.changed[next(iter(event.changed))]["subject"] == "Moved"
    one.write_here(
        "a.ics",
        _text("a", "SUMMARY:Cours 2", *SERIES, "EXDATE;TZID=Europe/Paris:20261224T090000,20261231T090000", changed=(_MOVED,)),
    )
    one.sync()
    assert one.equal() == Counter(["Cours 2"])
    one.write_here("a.ics", _text("a", "SUMMARY:Cours 2", *SERIES))  # as if nothing had been changed in it
    one.sync()
    assert one.equal() == Counter(["Cours 2"])
    [event] = mailbox.alive().values()
    assert not event.cancelled and not event.changed and one.notes() == []


@pytest.mark.parametrize(
    ("lines", "shape"),
    [
        (("DTSTART;VALUE=DATE:20261203", "DTEND;VALUE=DATE:20261204", "SUMMARY:Cours"), (True, False)),
        (("DTSTART;TZID=Europe/Paris:20261203T110000", "DTEND;TZID=Europe/Paris:20261203T120000", "SUMMARY:Cours"), (False, False)),
        (("DTSTART;VALUE=DATE:20261203", "SUMMARY:Cours", "RRULE:FREQ=DAILY;COUNT=3"), (True, True)),
    ],
)  # fmt: skip
def test_a_series_becomes_something_else(
    pair: Make, mailbox: GraphMailbox, lines: tuple[str, ...], shape: tuple[bool, bool]
) -> None:
    one = pair()
    one.write_here("a.ics", _text("a", "SUMMARY:Cours", *SERIES, changed=(_MOVED,)))
    one.sync()
    one.write_here("a.ics", _text("a", *lines))
    one.sync()
    assert one.equal() == Counter(["Cours"])
    [event] = mailbox.alive().values()
    assert (event.own["isAllDay"], bool(event.own.get("recurrence"))) == shape


def test_both_versions_of_what_was_changed_on_both_sides_are_kept(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    name = mailbox.make("Réunion", "2026-12-01T09:00:00", "2026-12-01T10:00:00")
    one.sync()
    [(href, text)] = one.here().items()
    mailbox.change(name, subject="Réunion en salle 1")
    one.write_here(href, text.replace("SUMMARY:Réunion", "SUMMARY:Réunion en salle 2"))
    one.sync()
    assert one.equal() == Counter(["Réunion en salle 1", "Réunion en salle 2 (your version)"])
    assert one.notes() == [("conflict", "Réunion en salle 2 (your version)")]


def test_a_change_is_worth_more_than_a_deletion(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    names = [mailbox.make(title, "2026-12-01T09:00:00", "2026-12-01T10:00:00") for title in ("A", "B")]
    one.sync()
    hrefs = {title_of(text): (href, text) for href, text in one.here().items()}
    mailbox.remove(names[0])
    one.write_here(hrefs["A"][0], hrefs["A"][1].replace("SUMMARY:A", "SUMMARY:New A"))
    one.delete_here(hrefs["B"][0])
    mailbox.change(names[1], subject="New B")
    one.sync()
    assert one.equal() == Counter(["New A", "New B"])


# --- what Graph does ---------------------------------------------------------------------------------------------------


def test_a_forgotten_token_means_that_everything_is_compared(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    mailbox.make("A", "2026-12-01T09:00:00", "2026-12-01T10:00:00")
    one.sync()
    mailbox.forget()
    mailbox.make("B", "2026-12-01T09:00:00", "2026-12-01T10:00:00")
    assert one.sync().syncs == 1
    assert one.equal() == Counter(["A", "B"])


def test_what_delta_misses_is_found_by_the_weekly_pass(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    names = [
        mailbox.make("A", "2026-12-01T09:00:00", "2026-12-01T10:00:00"),
        _series(mailbox),
        mailbox.make("C", "2026-12-01T09:00:00", "2026-12-01T10:00:00"),
    ]
    one.sync()
    mailbox.missed = set(names)
    mailbox.change(names[0], subject="A2")
    mailbox.change(names[1], "2026-12-08", subject="Salle B")
    mailbox.remove(names[2])
    one.sync()
    assert Counter(map(title_of, one.here().values())) == Counter(["A", "Conseil", "C"])
    one.sync(whole=True)
    assert one.equal() == Counter(["A2", "Conseil"]) and any("Salle B" in text for text in one.here().values())


def test_what_is_outside_the_window_stays_and_is_kept_in_step_weekly(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    old = mailbox.make("Ancien", "2012-12-01T09:00:00", "2012-12-01T10:00:00")
    moved = mailbox.make("Bientôt", "2026-12-01T09:00:00", "2026-12-01T10:00:00")
    one.sync()
    mailbox.change(old, subject="Ancien 2")
    later = {"timeZone": "Romance Standard Time"}
    mailbox.change(moved, start={"dateTime": "2012-05-01T09:00:00", **later}, end={"dateTime": "2012-05-01T10:00:00", **later})
    one.sync()
    assert Counter(map(title_of, one.here().values())) == Counter(["Ancien", "Bientôt"])  # it left the window, it is not gone
    one.sync(whole=True)
    assert one.equal() == Counter(["Ancien 2", "Bientôt"])


@pytest.mark.parametrize(
    ("fault", "kind", "after"),
    [
        (("GET /me/calendars", 429, "TooManyRequests", {"Retry_After": "37"}), FollowFault.BUSY, 37),
        (("GET /me/calendars", 403, "ApplicationThrottled", {}), FollowFault.BUSY, 0),
        (("GET /me/calendars", 503, "ServiceUnavailable", {"Retry_After": "5"}), FollowFault.BUSY, 5),
        (("GET /me/events", 429, "TooManyRequests", {"Retry_After": "9"}), FollowFault.BUSY, 9),  # inside a batch
        (("GET /me/calendars", 401, "InvalidAuthenticationToken", {}), FollowFault.PASSWORD, 0),
        (("GET /me/calendars", 403, "ErrorAccessDenied", {}), FollowFault.REFUSED, 0),
        (("GET /me/calendars", 404, "ErrorItemNotFound", {}), FollowFault.GONE, 0),
        (("GET /me/calendars", 500, "InternalServerError", {}), FollowFault.BROKEN, 0),
        (("GET /me/calendars", 502, "BadGateway", {}), FollowFault.AWAY, 0),
        (("GET /me/events", 0, "", {}), FollowFault.AWAY, 0),
    ],
)  # fmt: skip
def test_trouble_has_a_kind_and_the_next_round_goes_on(
    pair: Make, mailbox: GraphMailbox, fault: tuple[str, int, str, dict[str, str]], kind: FollowFault, after: int
) -> None:
    one = pair()
    mailbox.make("A", "2026-12-01T09:00:00", "2026-12-01T10:00:00")
    mailbox.faults.append(fault)
    with pytest.raises(FollowTroubleError) as raised:
        one.sync()
    assert (raised.value.kind, raised.value.after) == (kind, after)
    one.sync()
    assert one.equal() == Counter(["A"])


@pytest.mark.parametrize("kind", [CALENDAR, BOOK])
def test_one_item_on_which_graph_breaks_does_not_hold_up_the_others(pair: Make, mailbox: GraphMailbox, kind: str) -> None:
    one = pair(kind)
    what = "events" if kind == CALENDAR else "contacts"
    for letter in "abc":
        one.write_here(f"{letter}.ics", one.text(letter, letter.upper()))
    one.sync()
    names = sorted(one.there())
    broken = names[1]

    def change(name: str, title: str) -> None:
        key = "subject" if kind == CALENDAR else "displayName"
        mailbox.answer("PATCH", f"/me/{what}/{name}", f'{{"{key}": "{title}"}}'.encode(), {})

    for name in names:
        change(name, f"Changed {name[-2:]}")
    mailbox.broken = {unquote(broken)}
    assert one.sync().error == ""
    assert sum(title_of(text).startswith("Changed") for text in one.here().values()) == 2
    assert [note for note, _title in one.notes()] == ["broken"]
    mailbox.asked.clear()
    change(names[0], "Again")
    assert one.sync().token  # the others go on, by the token, without asking for the broken one
    assert "Again" in map(title_of, one.here().values())
    assert ("GET", f"/me/{what}/{broken}") not in mailbox.asked
    one.make_older()
    one.sync()
    assert ("GET", f"/me/{what}/{broken}") in mailbox.asked and len(one.notes()) == 1
    mailbox.broken = set()
    one.make_older()
    one.sync()
    assert one.notes() == [] and sum(one.equal().values()) == 3


def test_a_new_item_that_was_never_read_is_forgotten_once_it_is_gone(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    name = mailbox.make("A", "2026-12-01T09:00:00", "2026-12-01T10:00:00")
    mailbox.make("B", "2026-12-02T09:00:00", "2026-12-02T10:00:00")
    mailbox.broken = {name}
    one.sync()
    assert Counter(map(title_of, one.here().values())) == Counter(["B"]) and [note for note, _title in one.notes()] == ["broken"]
    mailbox.remove(name)
    mailbox.broken = set()
    one.sync()
    one.make_older()
    one.sync()
    assert one.notes() == [] and one.equal() == Counter(["B"])


def test_what_is_sent_and_breaks_there_is_sent_later_and_once(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    one.write_here("a.ics", one.text("a", "A"))
    one.write_here("b.ics", one.text("b", "B"))
    mailbox.faults.append(("POST /me/calendars", 500, "InternalServerError", {}))
    assert one.sync().error == ""
    assert len(mailbox.alive()) == 1 and one.notes() == [("broken", "A")]
    one.make_older()
    one.sync()
    assert one.equal() == Counter(["A", "B"]) and one.notes() == []
    [href] = [href for href, text in one.here().items() if title_of(text) == "A"]
    one.write_here(href, one.text("a", "A2"))
    mailbox.faults.append(("PATCH /me/events", 500, "InternalServerError", {}))
    one.sync()
    one.make_older()
    one.sync()
    assert one.equal() == Counter(["A2", "B"]) and one.notes() == []


def test_a_link_to_another_server_gets_no_token(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    one.sync()
    one.link.update(token="https://evil.example/delta").execute()
    with pytest.raises(FollowTroubleError) as raised:
        one.sync()
    assert raised.value.kind is FollowFault.ELSEWHERE


def test_what_is_changed_there_while_it_is_sent_is_kept_too(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    name = mailbox.make("A", "2026-12-01T09:00:00", "2026-12-01T10:00:00")
    one.sync()
    [(href, text)] = one.here().items()
    one.write_here(href, text.replace("SUMMARY:A", "SUMMARY:Mine"))

    def meanwhile(method: str, _path: str) -> None:
        if method == "PATCH":
            mailbox.before = lambda _method, _path: None
            mailbox.change(name, subject="Theirs")

    mailbox.before = meanwhile
    one.sync()
    one.sync()
    assert one.equal() == Counter(["Theirs", "Mine (your version)"])


# --- what is not Traboule's to change ----------------------------------------------------------------------------------


def test_an_online_meeting_stays_one(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    blob = "________________________________________________________________________________"
    html = f'<html><body><div>Ordre du jour</div><div class="me-email-text">{blob}</div><div>Join: <a href="https://teams.microsoft.com/x">here</a></div></body></html>'
    name = mailbox.make(
        "Conseil", "2026-12-01T09:00:00", "2026-12-01T10:00:00", body={"contentType": "html", "content": html}, isOnlineMeeting=True,
        onlineMeeting={"joinUrl": "https://teams.microsoft.com/x"},
    )  # fmt: skip
    one.sync()
    [(href, text)] = one.here().items()
    assert "CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://teams.microsoft.com/x" in text and "DESCRIPTION:Ordre du jour" in text
    one.write_here(href, text.replace("SUMMARY:Conseil", "SUMMARY:Conseil 2"))
    one.sync()
    assert mailbox.events[name].own["body"]["content"] == html  # nobody touched it
    [(href, text)] = one.here().items()
    one.write_here(href, text.replace("DESCRIPTION:Ordre du jour", "DESCRIPTION:Autre <ordre>"))
    one.sync()
    after = mailbox.events[name].own["body"]
    assert "Autre &lt;ordre&gt;" in after["content"] and f'<div class="me-email-text">{blob}' in after["content"]
    assert after["contentType"] == "html" and 'href="https://teams.microsoft.com/x"' in after["content"]


def test_guests_are_neither_invited_nor_lost(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    guests = [
        {"type": "required", "status": {"response": "accepted"}, "emailAddress": {"name": "Léa", "address": "lea@x.example"}}
    ]
    name = mailbox.make(
        "Theirs",
        "2026-12-01T09:00:00",
        "2026-12-01T10:00:00",
        attendees=guests,
        organizer={"emailAddress": {"address": "marie@x.example"}},
    )
    one.write_here("a.ics", one.text("a", "Ours", "ORGANIZER:mailto:alice@school.example", "ATTENDEE:mailto:paul@x.example"))
    one.sync()
    [ours] = [event for key, event in mailbox.alive().items() if key != name]
    assert "attendees" not in ours.own
    assert one.equal() == Counter(["Theirs", "Ours"])
    [(href, text)] = [(href, text) for href, text in one.here().items() if "Theirs" in text]
    one.write_here(href, text.replace("SUMMARY:Theirs", "SUMMARY:Changed"))
    one.sync()
    assert mailbox.events[name].own["attendees"] == guests and mailbox.events[name].own["subject"] == "Changed"


def test_what_only_its_organiser_may_change_stays_there(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    name = mailbox.make("Invited", "2026-12-01T09:00:00", "2026-12-01T10:00:00", isOrganizer=False)
    one.sync()
    [(href, text)] = one.here().items()
    one.write_here(href, text.replace("SUMMARY:Invited", "SUMMARY:Changed"))
    one.sync()
    assert one.notes() == [("refused", "Changed")] and mailbox.events[name].own["subject"] == "Invited"
    one.write_here(href, text.replace("TRANSP:OPAQUE", "TRANSP:TRANSPARENT"))
    one.sync()
    assert mailbox.events[name].own["showAs"] == "free" and one.notes() == []


def test_what_graph_can_not_have_stays_here_and_says_so(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    one.write_here("a.ics", _text("a", "SUMMARY:Paye", "DTSTART:20261201T090000Z", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15"))
    one.sync()
    assert one.notes() == [("refused", "Paye")] and not mailbox.alive()
    one.sync()
    assert [method for method, _path in mailbox.asked if method == "POST" and _path != "/$batch"] == []


def test_categories_have_their_colours_and_sensitivity_stays(pair: Make, mailbox: GraphMailbox) -> None:
    one = pair()
    name = mailbox.make(
        "A", "2026-12-01T09:00:00", "2026-12-01T10:00:00", categories=["Cours"], sensitivity="personal", showAs="oof"
    )
    one.sync()
    [(href, text)] = one.here().items()
    assert "CATEGORIES:Cours" in text and "COLOR:royalblue" in text and "CLASS:PRIVATE" in text
    one.write_here(href, text.replace("SUMMARY:A", "SUMMARY:B"))
    one.sync()
    own = mailbox.events[name].own
    assert (own["subject"], own["sensitivity"], own["showAs"], own["categories"]) == ("B", "personal", "oof", ["Cours"])
    one.reads_settings = False  # no consent for them: then only those of Outlook itself are known
    mailbox.change(name, subject="C", categories=["Cours", "Catégorie verte"])
    one.sync()
    [text] = one.here().values()
    assert "SUMMARY:C" in text and "COLOR:green" in text


# --- killed ------------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The worker."""


def _prepare(one: GraphPair, mailbox: GraphMailbox) -> None:
    """One thing of each kind that a round does."""
    one.write_here("s.ics", _text("s", "SUMMARY:Old series", *SERIES, changed=(_MOVED,)))
    one.write_here("d.ics", one.text("d", "Deleted here"))
    one.write_here("e.ics", one.text("e", "Edited here"))
    names = [mailbox.make(title, "2026-12-01T09:00:00", "2026-12-01T10:00:00") for title in ("Deleted there", "Edited there")]
    one.sync()
    one.write_here(
        "s.ics",
        _text(
            "s",
            "SUMMARY:Series",
            *SERIES,
            "EXDATE;TZID=Europe/Paris:20261217T090000,20261224T090000",
            changed=(_MOVED.replace("Moved", "Again"),),
        ),
    )
    one.write_here("n.ics", one.text("n", "New here"))
    one.write_here(
        "t.ics", _text("t", "SUMMARY:New series", *SERIES, "EXDATE;TZID=Europe/Paris:20261224T090000", changed=(_MOVED,))
    )
    one.write_here("e.ics", one.text("e", "Edited here 2"))
    one.delete_here("d.ics")
    mailbox.remove(names[0])
    mailbox.change(names[1], subject="Edited there 2")
    mailbox.make("New there", "2026-12-01T09:00:00", "2026-12-01T10:00:00")


@pytest.mark.parametrize("lost", [False, True], ids=["before it", "its answer"])
def test_a_round_killed_at_any_change_loses_nothing_and_doubles_nothing(
    app: Flask, person: Callable[..., User], lost: bool
) -> None:
    number, killed = 0, True
    while killed:
        mailbox = GraphMailbox()
        one = GraphPair(mailbox, app.extensions["settings"], person(f"killed{number}"))
        _prepare(one, mailbox)
        mailbox.asked.clear()

        def kill(_method: str, _path: str, at: int = number, mailbox: GraphMailbox = mailbox) -> None:
            asked = [path for method, path in mailbox.asked if method != "GET" and path != "/$batch"]
            if len(asked) > at:
                mailbox.before = mailbox.after = lambda _method, _path: None
                raise Killed

        mailbox.before, mailbox.after = (mailbox.before, kill) if lost else (kill, mailbox.after)
        killed = True
        with contextlib.suppress(Killed):
            one.sync()
            killed = False
        mailbox.before = mailbox.after = lambda _method, _path: None
        for _again in range(3):
            one.sync()
        expected = Counter(["Series", "New here", "New series", "Edited here 2", "Edited there 2", "New there"])
        assert (one.equal(), one.notes()) == (expected, []), number
        number += 1
    assert number > 8


# --- by chance ---------------------------------------------------------------------------------------------------------


def test_a_year_with_random_edits_on_both_sides_ends_equal_or_with_both_versions(pair: Make, mailbox: GraphMailbox) -> None:
    """A tenth of what `python -m tests.bench.office_year` does."""
    found = office_year.run(pair(), mailbox, random.Random(35), scale=10)
    assert found.events > 290 and found.changed_times > 15 and found.edits == 20 and found.conflicts > 2
