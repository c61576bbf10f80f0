"""Collections kept in step with another server (Radicale, with files of its own): both ways, killed anywhere, at random."""

from __future__ import annotations

import contextlib
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.support.other_dav import LOGIN, PASSWORD, OtherServer, Pair
from tests.support.worker import jobs_of
from tests.unit.dav.conftest import Phone
from webmail.calendar.free_busy import host_events
from webmail.collections import store, trash
from webmail.contacts import device_cards
from webmail.database.connection import db
from webmail.dav import item_writes
from webmail.dav.remote import accounts, local, rounds
from webmail.dav.remote.client import RemoteServer
from webmail.dav.remote.discovery import discover, typed
from webmail.dav.remote.side import Side
from webmail.http_fetch import FetchedResponse, NotFetchedError
from webmail.models import CalendarObject, RemoteAccount, RemoteItem, RemoteLink, TrashedItem, User, now

BOOK, CALENDAR = store.BOOK, store.CALENDAR


# --- finding it ------------------------------------------------------------------------------------------------------


def test_collections_are_found_from_the_name_of_the_server(app: Flask, server: OtherServer) -> None:
    url = server.make("found-by-name", BOOK)
    found = discover(RemoteServer(typed("cloud.example.org"), LOGIN, PASSWORD, server.ask))
    [one] = [one for one in found if one.url == url]
    assert (one.kind, one.name, one.writable, one.syncs) == (BOOK, "Found-By-Name", True, True)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("cloud.example.org", "https://cloud.example.org/"),
        ("marie@cloud.example.org", "https://cloud.example.org/"),
        (" https://cloud.example.org/dav/é/ ", "https://cloud.example.org/dav/%C3%A9/"),
        ("cloud.example.org/dav/?x=1#y", "https://cloud.example.org/dav/"),
        ("https://marie:secret@cloud.example.org/", ""), ("ftp://cloud.example.org/", ""), ("https://[", ""), ("", ""),
    ],
)  # fmt: skip
def test_what_is_typed_is_an_address_or_nothing(text: str, means: str) -> None:
    assert typed(text) == means


# --- both ways -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [CALENDAR, BOOK])
def test_changes_of_both_sides_reach_the_other(pair: Callable[..., Pair], kind: str) -> None:
    one = pair(kind)
    one.write_there("a.ics", one.text("a", "From there"))
    one.sync()
    one.write_here("b.ics", one.text("b", "From here"))
    one.sync()
    assert one.equal() == Counter(["From there", "From here"])
    one.write_there("a.ics", one.text("a", "Changed there"))
    one.write_here("b.ics", one.text("b", "Changed here"))
    one.sync()
    assert one.equal() == Counter(["Changed there", "Changed here"])
    one.delete_there("a.ics")
    one.delete_here("b.ics")
    link = one.sync()
    assert one.equal() == Counter()
    assert link.succeeded is not None and not link.error
    trashed = [row.title for row in TrashedItem.select().where(TrashedItem.user == one.user, TrashedItem.device != "")]
    assert trashed == ["Changed there"]


def test_a_round_without_changes_is_one_request(pair: Callable[..., Pair], server: OtherServer) -> None:
    one = pair()
    one.write_there("a.ics", one.text("a", "Class"))
    one.sync()
    one.sync()
    server.asked.clear()
    one.sync()
    assert [method for method, _path in server.asked] == ["REPORT"]


def test_what_somebody_has_booked_goes_back_to_a_server_that_moved_or_lost_it(
    pair: Callable[..., Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_events, "_KEEPERS", [lambda _uid, _account: 1])
    one = pair()
    uid = f"{host_events.UID}1-2"
    text = one.text(uid, "Rencontre")
    one.write_here("a.ics", text)
    one.sync()
    [name] = one.there()
    day = re.search(r"DTSTART[^:]*:(\d{8})", text)
    assert day is not None
    one.write_there(name, text.replace(day[1], "20990101"))
    one.sync()
    one.sync()
    assert one.equal() == Counter(["Rencontre"]) and day[1] in one.there()[name] and "20990101" not in one.there()[name]
    one.delete_there(name)
    one.sync()
    one.sync()
    assert one.equal() == Counter(["Rencontre"])


def test_both_versions_of_what_was_changed_on_both_sides_are_kept(pair: Callable[..., Pair]) -> None:
    one = pair()
    one.write_there("a.ics", one.text("a", "Meeting", "ATTENDEE:mailto:paul@example.org"))
    one.sync()
    one.write_there("a.ics", one.text("a", "Meeting in room 1"))
    one.write_here("a.ics", one.text("a", "Meeting in room 2", "ATTENDEE:mailto:paul@example.org"))
    one.sync()
    assert one.equal() == Counter(["Meeting in room 1", "Meeting in room 2 (your version)"])
    [copy] = [text for text in one.there().values() if "room 2" in text]
    assert "X-TRABOULE-ATTENDEE:mailto:paul" in copy  # nobody is invited by a copy
    [note] = RemoteItem.select().where(RemoteItem.link == one.link, RemoteItem.note != "")
    assert (note.note, note.title) == ("conflict", "Meeting in room 2 (your version)")


def test_a_change_is_worth_more_than_a_deletion(pair: Callable[..., Pair]) -> None:
    one = pair()
    for uid in ("a", "b"):
        one.write_there(f"{uid}.ics", one.text(uid, f"Old {uid}"))
    one.sync()
    one.delete_there("a.ics")
    one.write_here("a.ics", one.text("a", "New a"))
    one.delete_here("b.ics")
    one.write_there("b.ics", one.text("b", "New b"))
    one.sync()
    assert one.equal() == Counter(["New a", "New b"])


def test_the_same_item_on_both_sides_is_one(pair: Callable[..., Pair]) -> None:
    one = pair()
    one.write_there("there.ics", one.text("a", "Same"))
    one.write_here("here.ics", one.text("a", "Same"))
    one.write_there("other.ics", one.text("b", "Made there"))
    one.write_here("mine.ics", one.text("b", "Made here"))
    one.sync()
    one.sync()
    assert one.equal() == Counter(["Same", "Made there", "Made here (your version)"])


def test_what_has_another_address_there_is_not_made_anew(pair: Callable[..., Pair], server: OtherServer) -> None:
    one = pair()
    one.write_there("old.ics", one.text("a", "Moved"))
    one.sync()
    [row] = CalendarObject.select().where(CalendarObject.collection == one.collection)
    one.delete_there("old.ics")
    one.write_there("new.ics", one.text("a", "Moved"))
    one.sync()
    assert one.equal() == Counter(["Moved"])
    assert CalendarObject.select().where(CalendarObject.id == row.id).exists()


def test_a_rule_that_we_refuse_from_telephones_is_kept_and_shown_once(pair: Callable[..., Pair]) -> None:
    one = pair()
    text = one.text("a", "Each second", "RRULE:FREQ=SECONDLY")
    one.write_there("a.ics", one.text("a", "Placeholder"))
    one.sync()
    side = Side(one.link, one.user, one.settings, "")
    local.take(side, "a.ics", '"2"', text)
    [row] = CalendarObject.select().where(CalendarObject.collection == one.collection)
    assert (row.text, row.recurring, len(list(row.occurrences))) == (text, 2, 1)


def test_what_can_not_be_kept_here_is_left_alone_there(pair: Callable[..., Pair]) -> None:
    one = pair(BOOK)
    one.write_there("a.vcf", one.text("a", "Small"))
    one.sync()
    one.write_there("a.vcf", one.text("a", "Large", "NOTE:" + "x" * 2_200_000))
    one.write_here("a.vcf", one.text("a", "Changed here"))
    one.sync()
    one.sync()
    assert "FN:Large" in one.there()["a.vcf"] and "Changed here" in one.here()["a.vcf"]
    [note] = RemoteItem.select().where(RemoteItem.link == one.link, RemoteItem.note != "")
    assert (note.note, note.title) == ("large", "Large")


def test_contacts_that_changed_are_told_of(pair: Callable[..., Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[User] = []
    monkeypatch.setattr(device_cards, "tell", told.append)
    one = pair(BOOK)
    one.write_there("a.vcf", one.text("a", "Somebody"))
    one.sync()
    assert told == [one.user]
    one.sync()
    assert told == [one.user]


# --- much deleted at once --------------------------------------------------------------------------------------------


@pytest.fixture
def large(pair: Callable[..., Pair]) -> Pair:
    one = pair()
    for number in range(30):
        one.write_here(f"{number}.ics", one.text(f"u{number}", f"Event {number}"))
    one.sync()
    assert len(one.equal()) == 30
    return one


def test_a_server_that_lost_much_empties_nothing_here(large: Pair) -> None:
    for name in list(large.there())[:25]:
        large.delete_there(name)
    link = large.sync()
    assert (link.missing, link.missing_count, len(large.here())) == ("there", 25, 30)
    link = large.sync()  # nothing is done until the person has answered
    assert (link.missing, len(large.here()), len(large.there())) == ("there", 30, 5)
    accounts.answer(link, "restore")
    link = large.sync()
    assert (link.missing, len(large.equal())) == ("", 30)


def test_what_was_lost_there_is_deleted_here_if_the_person_says_so(large: Pair) -> None:
    for name in list(large.there())[:25]:
        large.delete_there(name)
    accounts.answer(large.sync(), "delete")
    link = large.sync()
    assert (link.missing, link.answer, len(large.equal())) == ("", "", 5)
    assert TrashedItem.select().where(TrashedItem.user == large.user).count() == 25


@pytest.mark.parametrize(("word", "left"), [("restore", 30), ("delete", 4)])
def test_much_deleted_here_is_asked_about_too(large: Pair, word: str, left: int) -> None:
    for href in list(large.here())[:26]:
        large.delete_here(href)
    link = large.sync()
    assert (link.missing, link.missing_count, len(large.there())) == ("here", 26, 30)
    accounts.answer(link, word)
    large.sync()
    assert len(large.equal()) == left


# --- answers that never came -----------------------------------------------------------------------------------------


def _lost(one: Pair, server: OtherServer) -> None:
    """A round whose PUT is stored there, and whose answer breaks off."""

    def breaks(method: str, _path: str, answer: FetchedResponse) -> FetchedResponse:
        if method == "PUT":
            raise NotFetchedError("reset")
        return answer

    server.after = breaks
    assert one.sync().error == "away"
    server.after = lambda _method, _path, answer: answer


def _notes(one: Pair) -> list[str]:
    return [item.note for item in RemoteItem.select().where(RemoteItem.link == one.link, RemoteItem.note != "")]


@pytest.mark.parametrize("kind", [CALENDAR, BOOK])
@pytest.mark.parametrize("new", [True, False])
def test_what_is_changed_after_a_lost_answer_is_no_conflict(
    pair: Callable[..., Pair], server: OtherServer, kind: str, new: bool
) -> None:
    one = pair(kind)
    if not new:
        one.write_there("a.ics", one.text("a", "First"))
        one.sync()
    one.write_here("a.ics", one.text("a", "Sent"))
    _lost(one, server)
    assert one.mark(one.there()["a.ics" if kind == CALENDAR or not new else "a.vcf"]) == "Sent [a]"
    one.write_here("a.ics", one.text("a", "Changed since"))
    assert not one.sync().error
    assert one.equal() == Counter(["Changed since"]) and not _notes(one)
    assert (
        not RemoteItem.select().where(RemoteItem.link == one.link, (RemoteItem.sending != "") | (RemoteItem.sent != "")).exists()
    )


def test_what_a_server_makes_of_what_was_sent_is_known_again_after_a_lost_answer(
    pair: Callable[..., Pair], server: OtherServer
) -> None:
    one = pair()
    one.write_here("a.ics", one.text("a", "Meeting", r"LOCATION:Room 1\, left", "RRULE:FREQ=DAILY;COUNT=3"))
    _lost(one, server)
    told = one.text("a", "Meeting", "RRULE:COUNT=3;FREQ=DAILY", "X-SERVER:1", r"LOCATION:Room 1\, left", "SEQUENCE:0")
    one.write_there("a.ics", told.replace("20261101T08", "20261102T09"))
    one.sync()
    assert one.equal() == Counter(["Meeting"]) and not _notes(one)
    assert "X-SERVER" in one.here()["a.ics"]  # it is as it is there
    one.write_here("a.ics", one.text("a", "Second"))
    _lost(one, server)
    one.write_here("a.ics", one.text("a", "Third"))
    one.write_there("a.ics", one.text("a", "Second", "X-SERVER:2"))
    one.sync()
    assert one.equal() == Counter(["Third"]) and not _notes(one)


def test_what_is_deleted_after_a_lost_answer_does_not_come_back(pair: Callable[..., Pair], server: OtherServer) -> None:
    one = pair()
    one.write_there("a.ics", one.text("a", "First"))
    one.sync()
    one.write_here("a.ics", one.text("a", "Sent"))
    _lost(one, server)
    one.delete_here("a.ics")
    one.sync()
    assert one.equal() == Counter() and not _notes(one)


def test_what_somebody_else_changed_after_a_lost_answer_is_a_conflict(pair: Callable[..., Pair], server: OtherServer) -> None:
    one = pair()
    one.write_there("a.ics", one.text("a", "First"))
    one.sync()
    one.write_here("a.ics", one.text("a", "Sent"))
    _lost(one, server)
    one.write_there("a.ics", one.text("a", "By somebody else"))
    one.write_here("a.ics", one.text("a", "Changed since"))
    one.sync()
    assert one.equal() == Counter(["By somebody else", "Changed since (your version)"])


def test_what_arrives_there_after_it_was_looked_for_is_no_conflict(pair: Callable[..., Pair], server: OtherServer) -> None:
    """A server that is slow stores what it was sent after we have given it up."""
    one = pair()
    one.write_there("a.ics", one.text("a", "First"))
    one.sync()
    one.write_here("a.ics", one.text("a", "Sent"))

    def slow(method: str, _path: str) -> None:
        if method == "PUT":
            raise NotFetchedError("too slow")

    server.before = slow
    assert one.sync().error == "away"
    one.write_here("a.ics", one.text("a", "Changed since"))
    server.before = lambda method, _path: one.write_there("a.ics", one.text("a", "Sent")) if method == "PUT" else None
    one.sync()
    server.before = lambda _method, _path: None
    one.sync()
    assert one.equal() == Counter(["Changed since"]) and not _notes(one)


def test_a_kept_version_is_named_in_the_language_of_its_person(pair: Callable[..., Pair]) -> None:
    one = pair()
    User.update(language="", spoken="fr").where(User.id == one.user.id).execute()
    one.write_there("a.ics", one.text("a", "There"))
    one.write_here("a.ics", one.text("a", "Here"))
    one.sync()
    assert one.equal() == Counter(["There", "Here (votre version)"])


# --- killed anywhere -------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """As if the process had been killed: nobody handles it."""


class Killer:
    """Counts the moments at which a round can be killed, and does so at one of them: before and after each request, and
    after each transaction."""

    def __init__(self, server: OtherServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moments, self.at = 0, -1
        server.before, server.after = self._before, self._after
        writing = Side.writing

        def counted(side: Side) -> Any:
            @contextlib.contextmanager
            def inner() -> Any:
                with writing(side):
                    yield
                self.moment()

            return inner()

        monkeypatch.setattr(Side, "writing", counted)

    def moment(self) -> None:
        self.moments += 1
        if self.moments == self.at:
            raise Killed

    def _before(self, _method: str, _path: str) -> None:
        self.moment()

    def _after(self, _method: str, _path: str, answer: FetchedResponse) -> FetchedResponse:
        self.moment()
        return answer


def _prepared(one: Pair) -> None:
    """One of everything that can happen between two rounds."""
    for uid in "abcdefgh":
        one.write_there(f"{uid}.ics", one.text(uid, f"Old {uid}"))
    one.sync()
    one.write_there("a.ics", one.text("a", "There a"))
    one.write_here("b.ics", one.text("b", "Here b"))
    one.write_there("c.ics", one.text("c", "There c"))
    one.write_here("c.ics", one.text("c", "Here c"))
    one.delete_there("d.ics")
    one.delete_here("e.ics")
    one.delete_there("f.ics")
    one.write_here("f.ics", one.text("f", "Here f"))
    one.write_there("g.ics", one.text("g", "There g"))
    one.delete_here("g.ics")
    one.write_there("i.ics", one.text("i", "There i"))
    one.write_here("j.ics", one.text("j", "Here j"))


EXPECTED = Counter(["There a", "Here b", "There c", "Here c (your version)", "Here f", "There g", "Old h", "There i", "Here j"])


def test_a_round_killed_at_any_moment_loses_nothing_and_doubles_nothing(
    pair: Callable[..., Pair], server: OtherServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    killer = Killer(server, monkeypatch)
    whole = pair()
    _prepared(whole)
    killer.moments = 0
    whole.sync()
    moments = killer.moments
    assert whole.equal() == EXPECTED and moments > 20
    for at in range(1 + moments % 5, moments + 1, 7):  # the random ones below are killed elsewhere
        one = pair()
        _prepared(one)
        killer.moments, killer.at = 0, at
        with pytest.raises(Killed):
            one.sync()
        killer.at = -1
        one.sync()
        one.sync()
        assert one.equal() == EXPECTED, f"killed at moment {at} of {moments}"
        accounts.unlink(one.link, keep=False)


@pytest.mark.parametrize(("seed", "kind"), [(18, CALENDAR), (19, BOOK)])
def test_rounds_killed_at_random_between_random_changes_end_equal(
    pair: Callable[..., Pair], server: OtherServer, monkeypatch: pytest.MonkeyPatch, seed: int, kind: str
) -> None:
    """The model: what was written last on a side and not changed on that side since is somewhere, unless it was deleted."""
    chance = random.Random(seed)
    killer = Killer(server, monkeypatch)
    one = pair(kind)
    alive: set[str] = set()  # versions that nobody has replaced or deleted knowingly
    for turn in range(15):
        for _change in range(chance.randrange(1, 6)):
            _change_something(one, chance, alive, f"{turn}-{_change}")
        killer.moments, killer.at = 0, chance.randrange(1, 40)
        with contextlib.suppress(Killed):
            one.sync()
        killer.at = -1
    one.sync()
    one.sync()
    marks = " ".join(one.equal())
    assert not {version for version in alive if f"<{version}>" not in marks}
    assert not [mark for mark, count in one.equal().items() if count > 1]


def _change_something(one: Pair, chance: random.Random, alive: set[str], version: str) -> None:
    here_or_there = chance.choice(("here", "there"))
    texts = one.here() if here_or_there == "here" else one.there()
    name = chance.choice([*texts, f"n{version}.ics"]) if texts else f"n{version}.ics"
    before = texts.get(name, "")
    if found := re.search(r"<([\d-]+)>", before):
        alive.discard(found[1])
    if before and chance.random() < 0.25:
        (one.delete_here if here_or_there == "here" else one.delete_there)(name)
        return
    uid = re.search(r"^UID:(.*?)\r?$", before, re.MULTILINE)
    text = one.text(uid[1] if uid else f"u{version}", f"<{version}>")
    (one.write_here if here_or_there == "here" else one.write_there)(name, text)
    alive.add(version)


# --- whose turn it is ------------------------------------------------------------------------------------------------


def test_an_account_is_synchronised_by_one_worker_at_a_time(pair: Callable[..., Pair], server: OtherServer) -> None:
    one = pair()
    one.write_there("a.ics", one.text("a", "Class"))
    others: list[bool] = []

    def another(_method: str, _path: str) -> None:
        if not others:
            others.append(True)
            worker = threading.Thread(target=lambda: others.append(bool(rounds.sweep(one.settings))))
            worker.start()
            worker.join()

    server.before = another
    one.sync()
    assert others == [True, False] and len(one.equal()) == 1


def test_the_worker_synchronises_what_is_due(
    app: Flask, pair: Callable[..., Pair], server: OtherServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "asking", lambda _settings: server.ask)
    one = pair()
    one.write_there("a.ics", one.text("a", "Class"))
    RemoteAccount.update(due=now()).execute()
    for _time in range(2):
        jobs_of(app).do("other servers")
    account = RemoteAccount.get()
    assert one.equal() == Counter(["Class"]) and timedelta(minutes=12) < account.due - now() < timedelta(minutes=20)
    assert [method for method, _path in server.asked].count("REPORT") == 2  # one round: its changes, and the item


def test_what_is_written_here_meanwhile_is_neither_lost_nor_doubled(pair: Callable[..., Pair], server: OtherServer) -> None:
    one = pair()
    for number in range(3):
        one.write_here(f"{number}.ics", one.text(f"u{number}", f"First {number}"))
    numbers = iter(range(3))

    def meanwhile(method: str, _path: str, answer: FetchedResponse) -> FetchedResponse:
        if method == "PUT" and (number := next(numbers, None)) is not None:
            one.write_here(f"{number}.ics", one.text(f"u{number}", f"Second {number}"))
        return answer

    server.after = meanwhile
    one.sync()
    one.sync()
    assert one.equal() == Counter(["Second 0", "Second 1", "Second 2"])


def test_a_collection_that_is_being_deleted_here_deletes_nothing_there(pair: Callable[..., Pair]) -> None:
    one = pair()
    for uid in "abc":
        one.write_there(f"{uid}.ics", one.text(uid, uid))
    one.sync()
    with db.atomic():
        trash.put_whole(one.collection, one.user.address)
    one.delete_here("a.ics")  # a part of it
    one.sync()
    assert len(one.there()) == 3
    with db.atomic():
        item_writes.trash_all(one.collection, one.user.address)
    assert not RemoteLink.select().exists() and len(one.there()) == 3


def test_a_fault_of_ours_is_told_and_tried_again_later(pair: Callable[..., Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    one = pair()
    monkeypatch.setattr(rounds, "synchronise", lambda *_arguments: 1 / 0)
    RemoteAccount.update(due=now()).execute()
    assert rounds.sweep(one.settings) == 0
    account = RemoteAccount.get()
    assert account.error == "ours" and account.due > now() + timedelta(minutes=10) and not account.working


def test_a_rule_that_never_ends_keeps_no_telephone_waiting(pair: Callable[..., Pair], phone_of: Callable[..., Phone]) -> None:
    one = pair()
    side = Side(one.link, one.user, one.settings, "")
    text = one.text("a", "Each second", "RRULE:FREQ=SECONDLY", "LOCATION:Room 1")
    local.take(side, "a.ics", '"1"', text)
    query = (
        "<C:calendar-query xmlns:D='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'><D:prop><D:getetag/><C:calendar-data>{}"
        "</C:calendar-data></D:prop><C:filter><C:comp-filter name='VCALENDAR'><C:comp-filter name='VEVENT'>"
        "<C:time-range start='20261101T000000Z' end='20261201T000000Z'/>"
        "<C:prop-filter name='SUMMARY'><C:text-match>second</C:text-match></C:prop-filter>"
        "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    )
    phone, began = phone_of(one.user), time.process_time()
    for inside in ("", "<C:expand start='20261101T000000Z' end='20261201T000000Z'/>"):
        answer = phone.ask("REPORT", one.collection.name, query.format(inside), Depth="1")
        assert answer.status_code == 207 and answer.text.count("SUMMARY:Each second") == 1
    assert phone.ask("GET", f"{one.collection.name}/a.ics").text == text
    assert time.process_time() - began < 1


def test_what_changes_between_the_requests_of_a_round_is_in_the_model_too(pair: Callable[..., Pair], server: OtherServer) -> None:
    chance = random.Random(301)
    one, alive, now_and_then = pair(), set[str](), iter(range(1000))

    def meanwhile() -> None:
        if chance.random() < 0.2:
            before, server.before = server.before, lambda _method, _path: None
            _change_something(one, chance, alive, f"9{next(now_and_then)}")
            server.before = before

    server.before = lambda _method, _path: meanwhile()
    for _turn in range(6):
        for _change in range(3):
            _change_something(one, chance, alive, f"8{next(now_and_then)}")
        one.sync()
    server.before = lambda _method, _path: None
    one.sync()
    one.sync()
    marks = one.equal()
    assert not {version for version in alive if f"<{version}>" not in " ".join(marks)} and max(marks.values()) == 1
