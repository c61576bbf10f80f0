"""Subscribed calendars: fetched from a server that behaves, and from ones that don't; what is written, and what pages say."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.taken_turns import all_taken
from tests.support.visits import Visitor
from tests.support.web_server import ok, web
from webmail.calendar import objects
from webmail.calendar.files.importing import FEW_RULES
from webmail.calendar.subscriptions import fetch as subscribed_fetch
from webmail.calendar.subscriptions import rounds, subscriptions
from webmail.calendar.subscriptions.fetch import FetchedCalendar, fetch, typed
from webmail.collections import leaving, store
from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.database.connection import db
from webmail.http_fetch import AddressForbiddenError
from webmail.mime.formats.calendars import calendar_files
from webmail.models import CalendarObject, CalendarSubscription, Collection, Occurrence, User, now

FORM = "#subscribe"
KIND = "text/calendar; charset=utf-8"


def event(uid: str, title: str = "Cours", *more: str, stamp: str = "20260101T000000Z") -> str:
    lines = [
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{stamp}",
        "DTSTART:20261201T080000Z",
        "DTEND:20261201T090000Z",
        f"SUMMARY:{title}",
    ]
    return "".join(f"{line}\r\n" for line in [*lines, *more, "END:VEVENT"])


def calendar(*events: str, name: str = "Emploi du temps") -> bytes:
    head = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nX-WR-CALNAME:{name}\r\n"
    return (head + "".join(events) + "END:VCALENDAR\r\n").encode()


class Server:
    """What it answers next: bytes of a calendar, or a whole answer."""

    def __init__(self) -> None:
        self.says: Callable[[bytes], Any] = lambda _request: ok(calendar(event("a"), event("b")), kind=KIND)
        self.port, self.asked = 0, []

    def send(self, content: bytes, *headers: str) -> None:
        self.says = lambda _request: ok(content, *headers, kind=KIND)

    def answer(self, raw: bytes) -> None:
        self.says = lambda _request: raw

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/secret-42/edt.ics"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    with web(lambda request: made.says(request)) as (made.port, made.asked):
        yield made


@pytest.fixture
def app(tmp_path, server: Server) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", dav_servers=f"127.0.0.1:{server.port}") as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)


def settings(app: Flask) -> Any:
    return app.extensions["settings"]


def subscribed(app: Flask, url: str, name: str = "Edt") -> CalendarSubscription:
    user = User.get(User.address == "alice@lycee.example")
    return subscriptions.subscribe(user, url, name, "", settings(app), form=f"subscribed-{store.new_name()}")


def round_of(app: Flask, one: CalendarSubscription) -> CalendarSubscription:
    """Fetch it as a worker would now."""
    CalendarSubscription.update(due=now() - timedelta(seconds=1)).where(CalendarSubscription.id == one.id).execute()
    one = again(one)
    ask = subscribed_fetch.asking(settings(app))
    assert rounds.follow(one, settings(app), lambda: rounds.fetch_if_changed(one, settings(app), ask))
    return again(one)


def again(one: CalendarSubscription) -> CalendarSubscription:
    return CalendarSubscription.get_by_id(one.id)


def titles(one: CalendarSubscription) -> list[str]:
    rows = Occurrence.select(Occurrence.summary).where(Occurrence.collection == one.collection_id).tuples()
    return sorted(title for (title,) in rows)


def seq(one: CalendarSubscription) -> int:
    return Collection.get_by_id(one.collection_id).seq


# --- what is written -------------------------------------------------------------------------------------------------


def test_a_calendar_is_there_at_once_and_says_its_name(app: Flask, server: Server, alice: Visitor) -> None:
    shown = alice.submit(alice.get("/calendar/subscriptions/new"), FORM, address=server.url)
    assert "“Emploi du temps” is in your calendar." in shown.text
    [one] = CalendarSubscription.select()
    assert titles(one) == ["Cours", "Cours"]
    row = Collection.get_by_id(one.collection_id)
    assert (row.derived, one.error, one.working) == ("subscription", "", 0)
    assert b"secret-42" not in bytes(one.secret)
    page = alice.get(f"/calendar/subscriptions/{row.id}")
    assert "127.0.0.1" in page.text
    assert "secret-42" not in page.text
    assert "Other calendars" in alice.get("/calendar").text


def test_one_of_many_rules_is_left_to_a_worker(app: Flask, server: Server, alice: Visitor) -> None:
    server.send(calendar(*(event(f"e{number}", "Cours", "RRULE:FREQ=DAILY;COUNT=2") for number in range(FEW_RULES + 1))))
    shown = alice.submit(alice.get("/calendar/subscriptions/new"), FORM, address=server.url)
    [one] = CalendarSubscription.select()
    assert shown.address == f"/calendar/subscriptions/{one.collection_id}"
    assert not titles(one)
    assert len(titles(round_of(app, one))) == 2 * (FEW_RULES + 1)


def test_only_what_changed_is_written_anew(app: Flask, server: Server, alice: Visitor) -> None:
    one = subscribed(app, server.url)
    one = round_of(app, one)
    before = seq(one)
    server.send(calendar(event("a", stamp="20270101T000000Z"), event("b", stamp="20270101T000000Z")))
    one = round_of(app, one)
    assert seq(one) == before  # another DTSTAMP is no change
    server.send(calendar(event("a"), event("b", "Piscine"), event("c", "Sortie")))
    one = round_of(app, one)
    assert (titles(one), seq(one)) == (["Cours", "Piscine", "Sortie"], before + 2)
    server.send(calendar(event("c", "Sortie")))
    one = round_of(app, one)
    assert (titles(one), seq(one)) == (["Sortie"], before + 3)


def lesson(uid: str, number: int, title: str = "Cours", *more: str) -> str:
    """One of many: several begin at the same time with the same title, as in the timetable of a school."""
    begins = f"DTSTART:202612{1 + number % 28:02}T{8 + number % 9:02}0000Z"
    return event(uid, title, *more).replace("DTSTART:20261201T080000Z", begins)


def items(one: CalendarSubscription) -> list[tuple[str, str, str, int]]:
    fields = (CalendarObject.uid, CalendarObject.href, CalendarObject.etag, CalendarObject.seq)
    rows = CalendarObject.select(*fields).where(CalendarObject.collection == one.collection_id)
    return list(rows.order_by(CalendarObject.id).tuples())


def test_a_feed_that_renews_every_uid_changes_nothing(app: Flask, server: Server, alice: Visitor) -> None:
    feed = lambda turn, *more: calendar(*(lesson(f"{turn}-{number}", number % 3) for number in range(12)), *more)  # noqa: E731
    server.send(feed(1))
    one = round_of(app, subscribed(app, server.url))
    before, token = items(one), seq(one)
    for turn in (2, 3):
        server.send(feed(turn).replace(b"DTSTAMP:2026", b"CREATED:20261201T000000Z\r\nDTSTAMP:2027"))
        one = round_of(app, one)
        assert (items(one), seq(one), len(titles(one))) == (before, token, 12)
    server.send(feed(4, lesson("4-x", 1)))  # one more of those that are alike
    one = round_of(app, one)
    assert (items(one)[:12], len(items(one)), seq(one)) == (before, 13, token + 1)
    server.send(calendar(*(lesson(f"5-{number}", number % 3) for number in range(11))))
    one = round_of(app, one)
    assert (len(items(one)), seq(one)) == (11, token + 2)


def test_what_changed_in_a_feed_that_renews_every_uid_keeps_its_item(app: Flask, server: Server, alice: Visitor) -> None:
    weekly = ("RRULE:FREQ=WEEKLY;COUNT=3", "BEGIN:VALARM", "UID:alarm", "ACTION:DISPLAY", "SUMMARY:x", "END:VALARM")
    server.send(calendar(lesson("1-a", 1), lesson("1-b", 1, "Cours", *weekly), lesson("1-c", 2, "Piscine")))
    one = round_of(app, subscribed(app, server.url))
    before = items(one)
    server.send(calendar(lesson("2-b", 1, "Cours", *weekly, "LOCATION:B12"), lesson("2-c", 2, "Piscine"), lesson("2-a", 1)))
    one = round_of(app, one)
    after = items(one)
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1][:2] == before[1][:2] and after[1][3] == before[0][3] + 3  # the same UID and name, with new words
    text = CalendarObject.get(CalendarObject.href == before[1][1]).text
    assert "LOCATION:B12" in text and "UID:1-b\r\n" in text and "UID:alarm\r\n" in text and "2-b" not in text


def test_a_calendar_of_thousands_never_looks_empty_meanwhile(
    app: Flask, server: Server, alice: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = round_of(app, subscribed(app, server.url))
    known = calendar_files.read(calendar(*(lesson(f"1-{number}", number) for number in range(5_000))))
    fill(one, known.objects)
    fewest = [left(one)]
    for name in ("write", "take_out"):
        real = getattr(objects, name)
        monkeypatch.setattr(objects, name, lambda *args, real=real: (real(*args), fewest.append(left(one)))[0])
    token = seq(one)
    changed = (lesson(f"2-{number}", number, "Sortie") for number in range(3))
    server.send(calendar(*changed, *(lesson(f"2-{number}", number) for number in range(3, 5_000))))
    asked, real_sql = [], type(db.obj).execute_sql
    monkeypatch.setattr(type(db.obj), "execute_sql", lambda *args, **more: (asked.append(args[1]), real_sql(*args, **more))[1])
    one = round_of(app, one)
    assert (left(one), min(fewest), max(fewest)) == (5_000, 5_000, 5_003 + 2)
    assert seq(one) == token + 3 + 1  # three are written, and what is gone goes at once
    assert len(asked) < 200


def fill(one: CalendarSubscription, objects_of_file: list[calendar_files.FileObject]) -> None:
    """Put objects there as a round does, but at once."""
    for at in range(0, len(objects_of_file), 200):
        CalendarObject.insert_many(
            {
                "collection": one.collection_id, "href": f"{item.uid}.ics", "uid": item.uid, "component": "VEVENT", "first": 0,
                "etag": f"{at}", "size": len(item.text), "last": 0, "busy": 1, "recurring": 0, "indexed_from": 0,
                "indexed_until": 0, "seq": 1, "text": item.text, "words": "",
            }
            for item in objects_of_file[at : at + 200]
        ).execute()  # fmt: skip
    room = {"count": Collection.count + len(objects_of_file), "size": sum(len(item.text) for item in objects_of_file)}
    Collection.update(**room).where(Collection.id == one.collection_id).execute()


def test_a_full_calendar_is_replaced_whole(app: Flask, server: Server, alice: Visitor) -> None:
    app.extensions["settings"] = dataclasses.replace(settings(app), collection_items=4)
    server.send(calendar(*(event(f"1-{number}", f"Cours {number}") for number in range(4))))
    one = round_of(app, subscribed(app, server.url))
    server.send(calendar(*(event(f"2-{number}", f"Sortie {number}") for number in range(4))))
    one = round_of(app, one)
    assert (one.error, titles(one)) == ("", [f"Sortie {number}" for number in range(4)])
    server.send(calendar(*(event(f"3-{number}", f"Piscine {number}") for number in range(5))))
    one = round_of(app, one)
    assert (one.error, titles(one)) == (FollowFault.FULL, [f"Piscine {number}" for number in range(4)])


def test_a_round_killed_among_renewed_uids_leaves_the_calendar_whole(
    app: Flask, server: Server, alice: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.send(calendar(*(lesson(f"1-{number}", number) for number in range(20))))
    one = round_of(app, subscribed(app, server.url))
    real, calls = rounds._put, []

    def dies(*arguments: Any) -> None:
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        real(*arguments)

    half = (lesson(f"2-{number}", number, "Sortie" if number % 2 else "Cours") for number in range(20))
    server.send(calendar(*half))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(rounds, "_put", dies)
        patch.setattr(rounds, "_FIRST_PIECE", 5)
        round_of(app, one)
    assert left(one) == 25
    server.send(calendar(*(lesson(f"3-{number}", number, "Sortie" if number % 2 else "Cours") for number in range(20))))
    one = round_of(app, one)
    assert titles(one) == ["Cours"] * 10 + ["Sortie"] * 10


def test_what_was_not_read_is_not_deleted(app: Flask, server: Server, alice: Visitor, monkeypatch) -> None:
    one = round_of(app, subscribed(app, server.url))
    monkeypatch.setattr(calendar_files, "MOST_OBJECTS", 1)
    monkeypatch.setattr(calendar_files, "MOST_REMARKS", 1)
    server.send(calendar(event("a", "Cours", "a line", "another"), event("b")))
    one = round_of(app, one)
    assert titles(one) == ["Cours", "Cours"]
    assert one.error == FollowFault.TOO_MANY


def test_what_has_not_changed_is_not_sent_again(app: Flask, server: Server, alice: Visitor) -> None:
    server.send(calendar(event("a")), 'ETag: "v1"', "Last-Modified: Tue, 01 Dec 2026 08:00:00 GMT")
    one = round_of(app, subscribed(app, server.url))
    server.answer(b"HTTP/1.1 304 Not Modified\r\n\r\n")
    one = round_of(app, one)
    assert b'If-None-Match: "v1"' in server.asked[-1]
    assert (one.error, titles(one)) == ("", ["Cours"])
    assert one.due > now() + timedelta(minutes=50)


def test_devices_and_forms_do_not_change_it(app: Flask, server: Server, alice: Visitor) -> None:
    one = round_of(app, subscribed(app, server.url))
    row = CalendarObject.get(CalendarObject.collection == one.collection_id)
    user = User.get(User.address == alice.address)
    assert store.get(user, one.collection_id).rights == "read"  # type: ignore[union-attr]
    shown = alice.get(f"/calendar/events/{one.collection_id}/{row.href}")
    assert "Cours" in shown.text
    assert not shown.all("a[href$='/edit']")


def test_it_takes_none_of_their_time_unless_they_say_so(app: Flask, server: Server, alice: Visitor) -> None:
    one = round_of(app, subscribed(app, server.url))
    times = lambda: objects.busy_times(one.collection_id, 1796083200, 1796169600 + 864000, ground.PARIS)  # noqa: E731
    assert times() == []
    page = alice.get(f"/calendar/subscriptions/{one.collection_id}")
    alice.submit(page, "#subscription", busy="1", action="save")
    assert times()


def test_a_rule_that_never_ends_is_kept_and_shown_once(app: Flask, server: Server, alice: Visitor) -> None:
    bomb = event("bomb", "Bombe", "RRULE:FREQ=SECONDLY")
    server.send(calendar(event("a"), bomb, event("bad", "Sans date").replace("DTSTART:20261201T080000Z\r\n", "")))
    one = round_of(app, subscribed(app, server.url))
    assert titles(one) == ["Bombe", "Cours"]
    assert "RRULE:FREQ=SECONDLY" in CalendarObject.get(CalendarObject.uid == "bomb").text
    page = alice.get(f"/calendar/subscriptions/{one.collection_id}")
    assert "2 events are not shown as intended" in page.text
    assert "so it is shown once" in page.text
    assert "Sans date" in page.text


# --- servers that misbehave ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", "gone"),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "refused"),
        (b"HTTP/1.1 503 Busy\r\nRetry-After: 7200\r\nContent-Length: 0\r\n\r\n", "busy"),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", "broken"),
        (ok(b"<!doctype html><title>Sign in</title>", kind="text/html"), "not-calendar"),
        (ok(calendar(event("a")).replace(b"VERSION:2.0", b"VERSION:2.0\r\nMETHOD:CANCEL"), kind=KIND), "not-calendar"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nx", "too-large"),
        (ok(calendar(event("a"))[:-30], kind=KIND), "cut"),
        (b"garbage\r\n\r\n", "away"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2/inside\r\nContent-Length: 0\r\n\r\n", "forbidden-place"),
        (b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n", "forbidden-place"),
        (b"HTTP/1.1 302 Found\r\nLocation: /secret-42/edt.ics\r\nContent-Length: 0\r\n\r\n", "broken"),
    ],
)  # fmt: skip
def test_what_was_there_stays_whatever_the_server_says(
    app: Flask, server: Server, alice: Visitor, answer: bytes, fault: str
) -> None:
    one = round_of(app, subscribed(app, server.url))
    server.answer(answer)
    one = round_of(app, one)
    assert (one.error, one.failures, titles(one)) == (fault, 1, ["Cours", "Cours"])
    assert one.due > now() + timedelta(minutes=50)
    if fault == "busy":
        assert one.due > now() + timedelta(minutes=105)
    page = alice.get(f"/calendar/subscriptions/{one.collection_id}")
    assert page.notices
    server.send(calendar(event("a", "Retour")))
    one = round_of(app, one)
    assert (one.error, one.failures, titles(one)) == ("", 0, ["Retour"])


def test_a_place_that_may_not_be_asked_is_named(app: Flask, server: Server, alice: Visitor) -> None:
    one = round_of(app, subscribed(app, server.url))
    server.answer(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2/inside\r\nContent-Length: 0\r\n\r\n")
    words = "127.0.0.1 redirects to 127.0.0.2, which is not on the internet."
    shown = alice.submit(alice.get("/calendar/subscriptions/new"), FORM, address=f"{server.url}?other")
    assert words in shown.text
    one = round_of(app, one)
    assert words in alice.get(f"/calendar/subscriptions/{one.collection_id}").text
    server.send(calendar(event("a")))
    assert round_of(app, one).error_host == ""


def test_a_slow_server_is_given_up(server: Server) -> None:
    waiting = threading.Event()

    def slowly(_request: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n"
        waiting.wait(5)
        yield b"Content-Length: 0\r\n\r\n"

    server.says = slowly
    ask = subscribed_fetch.asking(type("Settings", (), {"dav_servers": f"127.0.0.1:{server.port}"})())
    with pytest.raises(FollowTroubleError) as raised:
        fetch(server.url, ask, seconds=0.3)
    waiting.set()
    assert raised.value.kind is FollowFault.AWAY


def test_nobody_outside_sends_us_to_a_server_inside() -> None:
    calls: list[tuple[str, str]] = []

    def answer(url: str, _headers: dict[str, str], *, seconds: float, from_host: str) -> Any:
        calls.append((url, from_host))
        return subscribed_fetch.FetchedResponse(url, 302, "", b"", {"location": "http://inside.example:8443/x"})

    with pytest.raises(FollowTroubleError):
        fetch("https://outside.example/", answer)
    assert {who for _url, who in calls[1:]} == {"outside.example"}
    ask = subscribed_fetch.asking(type("Settings", (), {"dav_servers": "inside.example:8443"})())
    with pytest.raises(AddressForbiddenError):  # not by the way for named servers
        ask("http://inside.example:8443/x", {}, seconds=1.0, from_host="outside.example")


def test_a_wrong_charset_is_no_harm(app: Flask, server: Server, alice: Visitor) -> None:
    content = calendar(event("a", "Réunion d’été"))
    server.says = lambda _request: ok(content, kind="text/calendar; charset=iso-8859-1")
    one = round_of(app, subscribed(app, server.url))
    assert titles(one) == ["Réunion d’été"]
    server.says = lambda _request: ok(calendar(event("a", "Été")).decode().encode("latin-1"), kind="text/calendar; charset=utf-8")
    assert titles(round_of(app, one)) == ["Été"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "There is nothing at this address."),
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", "without signing in"),
        (ok(b"<html>", kind="text/html"), "There is no calendar at this address."),
    ],
)
def test_the_page_says_why_and_keeps_what_was_typed(
    app: Flask, server: Server, alice: Visitor, answer: bytes, words: str
) -> None:
    server.answer(answer)
    shown = alice.submit(alice.get("/calendar/subscriptions/new"), FORM, address=server.url, name="Mon agenda")
    assert shown.status == 422
    assert words in shown.text
    assert shown.one("#name")["value"] == "Mon agenda"
    assert not CalendarSubscription.select().exists()


def test_few_pages_wait_for_other_servers_at_once(app: Flask, server: Server, alice: Visitor, monkeypatch) -> None:
    with all_taken(monkeypatch):
        shown = alice.submit(alice.get("/calendar/subscriptions/new"), FORM, address=server.url, name="Mon agenda")
        assert shown.status == 422 and "Try again later" in shown.text and not server.asked
    assert shown.one("#name")["value"] == "Mon agenda"
    alice.submit(shown, FORM)
    assert server.asked


def test_addresses_inside_are_not_asked(app: Flask, server: Server, alice: Visitor) -> None:
    for address in ("http://127.0.0.1/x.ics", "http://localhost/x", "http://169.254.169.254/latest", "webcal://10.0.0.1/a"):
        shown = alice.submit(alice.get("/calendar/subscriptions/new"), FORM, address=address)
        assert "is not on the internet" in shown.text, address
    assert not server.asked


@pytest.mark.parametrize(
    ("text", "means"),
    [
        (" webcal://cal.example.org/a.ics#x ", "https://cal.example.org/a.ics"),
        ("webcals:cal.example.org/a", "https://cal.example.org/a"), ("cal.example.org/a.ics", "https://cal.example.org/a.ics"),
        ("http://cal.example.org/?a=1", "http://cal.example.org/?a=1"), ("https://a:b@cal.example.org/", ""),
        ("file:///etc/passwd", ""), ("javascript:alert(1)", ""), ("", ""), ("https://[", ""), ("https://a b/", ""),
    ],
)  # fmt: skip
def test_what_is_typed_is_an_address_or_nothing(text: str, means: str) -> None:
    assert typed(text) == means


# --- two at once, killed, undone -------------------------------------------------------------------------------------


def test_two_workers_fetch_it_once(app: Flask, server: Server, alice: Visitor) -> None:
    one = subscribed(app, server.url)
    began, go = threading.Event(), threading.Event()

    def slowly() -> FetchedCalendar:
        began.set()
        go.wait(5)
        return FetchedCalendar(calendar(event("a")))

    def work() -> None:
        with contextlib.suppress(Exception), db.connection_context():
            rounds.follow(one, settings(app), slowly)

    first = threading.Thread(target=work)
    first.start()
    assert began.wait(5)
    assert not rounds.follow(again(one), settings(app), lambda: pytest.fail("fetched twice"))
    go.set()
    first.join()
    assert titles(one) == ["Cours"]


def test_a_round_that_was_killed_is_done_again_and_nothing_twice(app: Flask, server: Server, alice: Visitor, monkeypatch) -> None:
    server.send(calendar(*(event(f"e{number}") for number in range(30))))
    one = subscribed(app, server.url)
    real, calls = rounds._put, []

    def dies(*arguments: Any) -> None:
        calls.append(1)
        if len(calls) == 16:
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(rounds, "_put", dies)
    with pytest.raises(KeyboardInterrupt):
        round_of(app, one)
    there = len(titles(one))
    assert 0 < there < 30
    assert again(one).working == 1
    monkeypatch.setattr(rounds, "_put", real)
    before = seq(one)
    one = round_of(app, one)
    assert (len(titles(one)), one.working, seq(one)) == (30, 0, before + 30 - there)


def test_unsubscribing_in_the_middle_ends_the_round(app: Flask, server: Server, alice: Visitor) -> None:
    one = subscribed(app, server.url)

    def meanwhile() -> FetchedCalendar:
        subscriptions.unsubscribe(subscriptions.find(one.user, one.collection_id), one.user)  # type: ignore[arg-type]
        return FetchedCalendar(calendar(event("a")))

    assert rounds.follow(one, settings(app), meanwhile)
    assert not CalendarObject.select().where(CalendarObject.collection == one.collection_id).exists()


def test_unsubscribing_can_be_undone(app: Flask, server: Server, alice: Visitor) -> None:
    one = round_of(app, subscribed(app, server.url, "Mon emploi du temps"))
    page = alice.get(f"/calendar/subscriptions/{one.collection_id}")
    shown = alice.submit(page, "form:has(button[value=remove])", action="remove")
    assert "You no longer subscribe to “Mon emploi du temps”." in shown.text
    assert not Collection.select().where(Collection.derived == "subscription").exists()
    undone = alice.submit(shown, "form[action='/calendar/subscriptions/undo']")
    assert "Undone." in undone.text and "You no longer subscribe" not in undone.text
    [back] = CalendarSubscription.select()
    assert titles(round_of(app, back)) == ["Cours", "Cours"]
    assert store.NAME in Collection.get_by_id(back.collection_id).props


def test_the_same_address_twice_is_one_calendar(app: Flask, server: Server, alice: Visitor) -> None:
    for _time in range(2):
        alice.submit(alice.get("/calendar/subscriptions/new"), FORM, address=server.url)
    assert CalendarSubscription.select().count() == 1


def test_there_is_a_limit(app: Flask, server: Server, alice: Visitor, monkeypatch) -> None:
    monkeypatch.setattr(subscriptions, "MOST", 1)
    alice.submit(alice.get("/calendar/subscriptions/new"), FORM, address=server.url)
    shown = alice.submit(alice.get("/calendar/subscriptions/new"), FORM, address=f"{server.url}?other")
    assert "the maximum number of calendars" in shown.text


def test_somebody_elses_is_not_there(app: Flask, server: Server, alice: Visitor) -> None:
    one = subscribed(app, server.url)
    bob = ground.person(app, "bob")
    assert bob.get(f"/calendar/subscriptions/{one.collection_id}").status == 404
    page = bob.get("/calendar/subscriptions/new")
    token = page.one("#subscribe input[name=csrf_token]")["value"]
    assert bob.post(f"/calendar/subscriptions/{one.collection_id}", {"action": "remove", "csrf_token": token}).status == 404
    assert again(one)


def test_fetch_now_is_the_next_thing_a_worker_does(app: Flask, server: Server, alice: Visitor) -> None:
    one = round_of(app, subscribed(app, server.url))
    page = alice.get(f"/calendar/subscriptions/{one.collection_id}")
    alice.submit(page, "#subscription", action="fetch")
    server.send(calendar(event("a", "Neuf")))
    assert rounds.sweep(settings(app)) == 1
    assert titles(one) == ["Neuf"]


def test_the_administrator_can_have_none_of_it(app: Flask, alice: Visitor) -> None:
    app.extensions["settings"] = dataclasses.replace(settings(app), calendar_subscriptions=False)
    assert alice.get("/calendar/subscriptions/new").status == 404
    assert "/calendar/subscriptions" not in alice.get("/calendar").html


# --- a large calendar goes ------------------------------------------------------------------------------------------


def left(one: CalendarSubscription) -> int:
    return CalendarObject.select().where(CalendarObject.collection == one.collection_id).count()


def test_a_large_calendar_is_gone_from_view_at_once_and_from_the_tables_piece_by_piece(
    app: Flask, server: Server, alice: Visitor, monkeypatch
) -> None:
    monkeypatch.setattr(rounds, "SMALL", 10)
    one = subscribed(app, server.url, "Emploi du temps")
    server.send(calendar(*(event(str(number)) for number in range(45))))
    one = round_of(app, one)
    size, name = one.collection.size, one.collection.name
    monkeypatch.setattr(leaving, "in_pieces", lambda rows, most: [rows[at : at + most] for at in range(0, len(rows), most)])
    page = alice.get(f"/calendar/subscriptions/{one.collection_id}")
    shown = alice.submit(page, "form:has(button[value=remove])", action="remove")
    assert left(one) == 45 and size > 0
    assert "Emploi du temps" not in alice.get("/calendar/calendars").text
    assert alice.get(f"/calendar/subscriptions/{one.collection_id}").status == 404
    assert store.size_of(one.user) == (0, 0) and store.get(one.user, one.collection_id) is None
    real, sizes = leaving._delete, []

    def killed(table, number: int, rows) -> None:
        if len(sizes) == 2:
            raise KeyboardInterrupt
        sizes.append(len(rows))
        real(table, number, rows)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(leaving, "_delete", killed)
        leaving.sweep()
    assert sizes == [10, 10] and left(one) == 25
    alice.submit(shown, "form[action='/calendar/subscriptions/undo']")  # a new one, filled anew
    assert leaving.sweep() == 1 and leaving.sweep() == 0
    assert left(one) == 0 and Collection.get_or_none(Collection.id == one.collection_id) is None
    assert CalendarSubscription.get().collection.name == name
