"""Other servers that misbehave, or are ours; and how they are asked."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from flask import Flask

from tests.support.other_dav import LOGIN, PASSWORD, URL, OtherServer, Pair, card, event
from tests.unit.dav.conftest import Phone
from webmail import http_fetch
from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.config.settings import Settings
from webmail.dav.remote import accounts, item_comparison, rounds
from webmail.dav.remote.answers import FoundCollection, NotMultistatusError, item_name, read
from webmail.dav.remote.client import RemoteServer, RoundOverError, SyncTokenRefusedError, asking
from webmail.dav.remote.discovery import discover
from webmail.http_fetch import AddressForbiddenError, AnswerTooLargeError, FetchedResponse, NotFetchedError
from webmail.models import RemoteAccount, RemoteItem, RemoteLink, User, now

Make = Callable[..., Pair]


def _answer(status: int, content: bytes = b"", **headers: str) -> FetchedResponse:
    return FetchedResponse(URL, status, "", content, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
def one(pair: Make) -> Pair:
    """A calendar with two events on both sides."""
    made = pair()
    for uid in ("a", "b"):
        made.write_there(f"{uid}.ics", made.text(uid, f"Event {uid}"))
    made.sync()
    return made


BOTH = Counter(["Event a", "Event b"])


# --- tokens and pages ------------------------------------------------------------------------------------------------


def test_a_forgotten_token_means_that_everything_is_compared(one: Pair) -> None:
    RemoteLink.update(token="http://radicale.org/ns/sync/gone").execute()
    one.delete_there("a.ics")
    one.write_there("c.ics", one.text("c", "Event c"))
    assert not one.sync().error
    assert one.equal() == Counter(["Event b", "Event c"])


def test_a_server_without_sync_collection_is_asked_for_entity_tags(one: Pair, server: OtherServer) -> None:
    def old(method: str, _path: str) -> FetchedResponse | None:
        return _answer(501) if method == "REPORT" and b"sync-collection" in server.body else None

    server.before = old
    one.write_there("a.ics", one.text("a", "Changed there"))
    one.delete_there("b.ics")
    one.write_here("c.ics", one.text("c", "Made here"))
    assert one.sync().syncs == 0
    assert one.equal() == Counter(["Changed there", "Made here"])
    one.sync()
    server.asked.clear()
    one.sync()
    assert [method for method, _path in server.asked] == ["PROPFIND"]  # its ctag says that nothing has changed


def test_without_multiget_items_are_fetched_one_by_one(one: Pair, server: OtherServer) -> None:
    server.before = lambda _method, _path: _answer(501) if b"multiget" in server.body else None
    one.write_there("a.ics", one.text("a", "Changed there"))
    one.sync()
    assert one.equal() == Counter(["Changed there", "Event b"])


def _page(token: str, *items: str, truncated: bool = False, gone: tuple[str, ...] = ()) -> FetchedResponse:
    there = "".join(
        f"<D:response><D:href>/c/{name}</D:href><D:propstat><D:prop><D:getetag>\"1\"</D:getetag></D:prop>"
        "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
        for name in items
    )  # fmt: skip
    no = "".join(f"<D:response><D:href>/c/{n}</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>" for n in gone)
    more = "<D:response><D:href>/c/</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status></D:response>"
    body = f"<D:multistatus xmlns:D='DAV:'>{there}{no}{more if truncated else ''}<D:sync-token>{token}</D:sync-token></D:multistatus>"
    return _answer(207, body.encode())


def _asked(*answers: FetchedResponse) -> RemoteServer:
    waiting = iter(answers)
    return RemoteServer(URL, LOGIN, PASSWORD, lambda *_request, **_limits: next(waiting))


def test_changes_come_in_pages() -> None:
    found = _asked(_page("1", "a", "b", truncated=True), _page("2", "c", gone=("a",))).changes(f"{URL}c/", "")
    assert (found.token, sorted(found.there), found.gone, found.whole) == ("2", ["b", "c"], {"a"}, True)


def test_pages_without_an_end_are_given_up() -> None:
    with pytest.raises(FollowTroubleError) as raised:
        _asked(_page("1", "a", truncated=True), _page("1", "b", truncated=True)).changes(f"{URL}c/", "")
    assert raised.value.kind is FollowFault.NOT_DAV


def test_a_refused_token_is_not_trouble() -> None:
    for status in (400, 403, 409, 412):
        with pytest.raises(SyncTokenRefusedError):
            _asked(_answer(status)).changes(f"{URL}c/", "1")


# --- trouble ---------------------------------------------------------------------------------------------------------


def test_a_server_that_asks_to_wait_is_left_alone_for_so_long(one: Pair, server: OtherServer) -> None:
    server.before = lambda _method, _path: _answer(429, retry_after="7200")
    assert one.sync().error == "busy"
    account = RemoteAccount.get_by_id(one.account.id)
    assert account.error == "busy" and timedelta(hours=1.7) < account.due - now() < timedelta(hours=2.5)
    server.before = lambda _method, _path: None
    assert one.sync().error == "" and RemoteAccount.get_by_id(one.account.id).failures == 0


def test_it_waits_longer_each_time_a_server_is_away(one: Pair, server: OtherServer) -> None:
    server.before = lambda _method, _path: _answer(502)
    waits = []
    for _time in range(9):
        one.sync()
        waits.append((RemoteAccount.get_by_id(one.account.id).due - now()).total_seconds() / 60)
    assert 13 < waits[0] < 19 and 26 < waits[1] < 37 and 400 < waits[-1] < 600
    assert one.equal() == BOTH


def test_one_item_on_which_the_server_breaks_does_not_hold_up_the_others(one: Pair, server: OtherServer) -> None:
    for uid in ("c", "d", "e"):
        one.write_here(f"{uid}.ics", one.text(uid, f"Event {uid}"))
    server.before = lambda method, path: _answer(500) if method == "PUT" and path.endswith("d.ics") else None
    assert one.sync().error == ""
    assert {name[0] for name in one.there()} == {"a", "b", "c", "e"}
    [note] = RemoteItem.select().where(RemoteItem.note != "")
    assert (note.note, note.title) == ("broken", "Event d")
    server.before = lambda _method, _path: None
    server.asked.clear()
    one.sync()
    assert "PUT" not in [method for method, _path in server.asked]  # not again and again
    RemoteItem.update(at=now() - timedelta(hours=2)).where(RemoteItem.note == "broken").execute()
    assert one.sync().error == ""
    assert one.equal() == BOTH + Counter(["Event c", "Event d", "Event e"])
    assert not RemoteItem.select().where(RemoteItem.note != "").exists()


def test_an_item_that_cannot_be_deleted_there_for_a_fault_is_tried_again(one: Pair, server: OtherServer) -> None:
    one.sync()
    one.delete_here("a.ics")
    one.write_here("c.ics", one.text("c", "Event c"))
    server.before = lambda method, _path: _answer(500) if method == "DELETE" else None
    assert one.sync().error == "" and {name[0] for name in one.there()} == {"a", "b", "c"}
    server.before = lambda _method, _path: None
    RemoteItem.update(at=now() - timedelta(hours=2)).where(RemoteItem.note == "broken").execute()
    one.sync()
    assert {name[0] for name in one.there()} == {"b", "c"} and len(one.here()) == 2


def test_a_server_on_which_everything_breaks_is_one_trouble(one: Pair, server: OtherServer) -> None:
    for number in range(6):
        one.write_here(f"x{number}.ics", one.text(f"x{number}", f"Event {number}"))
    server.before = lambda method, _path: _answer(500) if method == "PUT" else None
    assert one.sync().error == "broken"


def test_what_the_server_refuses_stays_here_and_is_not_sent_again_and_again(one: Pair, server: OtherServer) -> None:
    server.before = lambda method, _path: _answer(403) if method == "PUT" else None
    one.write_here("c.ics", one.text("c", "Refused"))
    one.sync()
    one.sync()
    assert [method for method, _path in server.asked].count("PUT") == 1
    [note] = RemoteItem.select().where(RemoteItem.note != "")
    assert (note.note, note.title) == ("refused", "Refused") and len(one.here()) == 3
    server.before = lambda _method, _path: None
    one.write_here("c.ics", one.text("c", "Better"))
    one.sync()
    assert one.equal() == BOTH + Counter(["Better"])
    assert not RemoteItem.select().where(RemoteItem.note != "").exists()


def test_what_may_not_be_deleted_there_comes_back(one: Pair, server: OtherServer) -> None:
    server.before = lambda method, _path: _answer(403) if method == "DELETE" else None
    one.delete_here("a.ics")
    one.sync()
    assert one.equal() == BOTH


def test_a_read_only_collection_gets_nothing_and_loses_nothing(one: Pair, server: OtherServer) -> None:
    RemoteLink.update(writable=0).execute()
    one.write_here("a.ics", one.text("a", "Changed here"))
    one.write_here("c.ics", one.text("c", "Made here"))
    one.delete_here("b.ics")
    one.sync()
    assert not {"PUT", "DELETE"} & {method for method, _path in server.asked[-5:]}
    assert len(one.there()) == 2 and set(one.here()) == {"a.ics", "c.ics"}


def test_a_collection_that_is_gone_there_stays_here(one: Pair, server: OtherServer) -> None:
    server.before = lambda _method, _path: _answer(404)
    assert one.sync().error == "gone"
    assert len(one.here()) == 2


def test_a_full_server_is_told_of(one: Pair, server: OtherServer) -> None:
    one.write_here("c.ics", one.text("c", "Event c"))
    server.before = lambda method, _path: _answer(507) if method == "PUT" else None
    assert one.sync().error == "full"
    server.before = lambda _method, _path: None
    one.sync()
    assert one.equal() == BOTH + Counter(["Event c"])


def test_an_answer_that_is_too_large_is_asked_for_in_halves(one: Pair, server: OtherServer) -> None:
    for number in range(8):
        one.write_there(f"x{number}.ics", one.text(f"x{number}", f"Event {number}"))

    def bounded(_method: str, _path: str) -> FetchedResponse | None:
        if b"multiget" in server.body and server.body.count(b"<D:href>") > 2:
            raise AnswerTooLargeError("the answer is too large")
        return None

    server.before = bounded
    one.sync()
    assert len(one.equal()) == 10


# --- entity tags -----------------------------------------------------------------------------------------------------


def test_a_server_that_gives_no_entity_tag_for_what_it_got_is_asked(one: Pair, server: OtherServer) -> None:
    server.after = lambda method, _path, answer: (
        FetchedResponse(answer.url, answer.status, "", answer.content, {}) if method == "PUT" else answer
    )
    one.write_here("a.ics", one.text("a", "Changed here"))
    one.sync()
    one.write_here("a.ics", one.text("a", "Changed again"))
    one.sync()
    assert one.equal() == Counter(["Changed again", "Event b"])


def test_a_server_that_does_not_know_its_own_entity_tags_makes_no_copies(one: Pair, server: OtherServer) -> None:
    server.before = lambda method, _path: _answer(412) if method in ("PUT", "DELETE") and "If-Match" in server.headers else None
    one.write_here("a.ics", one.text("a", "Changed here"))
    one.delete_here("b.ics")
    one.sync()
    assert one.equal() == Counter(["Changed here"])


def test_what_was_changed_there_while_it_is_sent_is_kept_too(one: Pair, server: OtherServer) -> None:
    one.write_here("a.ics", one.text("a", "From here"))

    def meanwhile(method: str, _path: str) -> None:
        if method == "PUT":
            server.before = lambda _method, _path: None
            one.write_there("a.ics", one.text("a", "From there"))

    server.before = meanwhile
    one.sync()
    one.sync()
    assert one.equal() == Counter(["From there", "From here (your version)", "Event b"])


def test_what_was_changed_there_while_it_is_deleted_stays(one: Pair, server: OtherServer) -> None:
    one.delete_here("a.ics")

    def meanwhile(method: str, _path: str) -> None:
        if method == "DELETE":
            server.before = lambda _method, _path: None
            one.write_there("a.ics", one.text("a", "From there"))

    server.before = meanwhile
    one.sync()
    assert one.equal() == Counter(["From there", "Event b"])


def test_what_the_server_makes_of_an_item_is_taken_over(one: Pair, server: OtherServer) -> None:
    def rewritten(method: str, path: str, answer: FetchedResponse) -> FetchedResponse:
        if method != "PUT":
            return answer
        server.put(one.url, path.rsplit("/", 1)[-1], one.text("a", "As the server has it"))
        return FetchedResponse(answer.url, answer.status, "", b"", {})

    server.after = rewritten
    one.write_here("a.ics", one.text("a", "As it was sent"))
    one.sync()
    assert one.equal() == Counter(["As the server has it", "Event b"])


# --- ours, as the other one ------------------------------------------------------------------------------------------


def test_our_own_server_is_another_one(app: Flask, alice: User, phone_of: Callable[..., Phone], bob: User) -> None:
    """Bob's calendar is kept in step with Alice's, over what her telephone uses."""
    phone, settings = phone_of(alice), app.extensions["settings"]
    phone.put("calendar/a.ics", event("a", "Alice's"))

    def ask(method: str, url: str, body: bytes, headers: dict[str, str], *, limit: int, seconds: float) -> FetchedResponse:
        found: list[FetchedResponse] = []

        def visit() -> None:
            path = url.partition("cloud.example.org")[2]
            answer = app.test_client().open(path, method=method, data=body, headers=headers)
            told = {name.lower(): value for name, value in answer.headers.items()}
            found.append(FetchedResponse(url, answer.status_code, "", answer.data, told))

        thread = threading.Thread(target=visit)
        thread.start()
        thread.join()
        return found[0]

    secret = phone.secret
    there = discover(RemoteServer(URL, alice.address, secret, ask))
    assert {one.kind for one in there} == {"calendar", "addressbook"}
    account = accounts.connect(bob, URL, alice.address, secret, settings)
    accounts.link(account, there, settings)
    assert rounds.synchronise(account, settings, ask)
    [link] = RemoteLink.select().where(RemoteLink.url.contains("/calendar"))
    bobs = phone_of(bob)
    name = f"{link.collection.name}/b.ics"
    assert bobs.put(name, event("b", "Bob's")).status_code == 201
    RemoteAccount.update(due=now()).execute()
    assert rounds.synchronise(RemoteAccount.get(), settings, ask)
    assert phone.ask("GET", "calendar/b.ics").text == event("b", "Bob's")
    assert bobs.ask("GET", f"{link.collection.name}/a.ics").text == event("a", "Alice's")


# --- how they are asked ----------------------------------------------------------------------------------------------


@pytest.fixture
def address(radicale: OtherServer) -> Iterator[str]:
    """Radicale behind a real socket, without TLS, on this machine."""

    class Silent(WSGIRequestHandler):
        def log_message(self, *_words: object) -> None: ...

    with make_server("127.0.0.1", 0, radicale.application, handler_class=Silent) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.server_port}"
        listening.shutdown()


def test_a_server_inside_is_asked_where_the_administrator_names_it(address: str, server: OtherServer) -> None:
    path = server.make("inside", "addressbook").removeprefix(URL)
    named = RemoteServer(f"http://{address}/", LOGIN, PASSWORD, asking(Settings(dav_servers=f"a.example, {address}")))
    assert f"http://{address}/{path}" in [one.url for one in discover(named)]
    done = named.put(f"http://{address}/{path}", "addressbook", "a.vcf", card("a", "Inside"), "")
    assert done.status == 201 and done.headers["etag"]
    [found] = named.items(f"http://{address}/{path}", "addressbook", ["a.vcf"]).values()
    assert found is not None and "FN:Inside" in found[1] and found[0] == done.headers["etag"]


def test_all_others_are_asked_on_the_internet_with_tls_alone(address: str) -> None:
    ask = asking(Settings())
    for url, kind in ((f"http://{address}/", FollowFault.INSECURE), (f"https://{address}/", FollowFault.FORBIDDEN_PLACE)):
        with pytest.raises(FollowTroubleError) as raised:
            RemoteServer(url, LOGIN, PASSWORD, ask).request("PROPFIND", url)
        assert raised.value.kind is kind
    with pytest.raises(AddressForbiddenError):
        ask("GET", "https://cloud.example.org:8443/", b"", {}, limit=10, seconds=1)


def test_a_password_stays_with_its_host() -> None:
    for location in ("https://evil.example/", "http://cloud.example.org/", "https://cloud.example.org:444/", "//evil.example/"):
        server = _asked(_answer(302, location=location))
        with pytest.raises(FollowTroubleError) as raised:
            server.request("PROPFIND", URL)
        assert raised.value.kind is FollowFault.ELSEWHERE


def test_where_a_server_sends_us_on_to_is_named(one: Pair, server: OtherServer) -> None:
    server.before = lambda _method, _path: _answer(302, location="https://evil.example/x")
    assert one.sync().error == "elsewhere"
    assert RemoteAccount.get_by_id(one.account.id).error_host == "evil.example"
    server.before = lambda _method, _path: None
    one.sync()
    assert RemoteAccount.get_by_id(one.account.id).error_host == ""


def test_trouble_has_a_kind_for_each_way_to_fail() -> None:
    def failing(error: Exception) -> RemoteServer:
        def ask(*_request: object, **_limits: object) -> FetchedResponse:
            raise error

        return RemoteServer(URL, LOGIN, PASSWORD, ask)

    for error, kind in (
        (NotFetchedError("x"), FollowFault.AWAY),
        (AnswerTooLargeError("x"), FollowFault.TOO_LARGE),
        (ValueError("header"), FollowFault.NOT_DAV),
    ):
        with pytest.raises(FollowTroubleError) as raised:
            failing(error).request("GET", URL)
        assert raised.value.kind is kind
    late = _asked(_answer(207))
    late.end = time.monotonic() - 1
    with pytest.raises(RoundOverError):
        late.request("GET", URL)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"<html/>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><D:multistatus xmlns:D='DAV:'>&a;</D:multistatus>", b"<D:multistatus>",
        b"<D:multistatus xmlns:D='DAV:'>" + b"<a/>" * 600_001 + b"</D:multistatus>", b"\xff\xfe<\x00",
    ],
)  # fmt: skip
def test_what_is_no_multistatus_is_refused(content: bytes) -> None:
    with pytest.raises(NotMultistatusError):
        read(content)


@pytest.mark.parametrize(
    ("href", "name"),
    [
        ("/c/a@b.ics", "a%40b.ics"), ("/c/a%40b.ics", "a%40b.ics"), (f"{URL}c/x.ics", "x.ics"), ("x.ics", "x.ics"), ("/c/", ""),
        ("/c/a/b.ics", ""), ("/d/a.ics", ""), ("https://evil.example/c/a.ics", ""), ("/c/../d/a.ics", ""), ("/c/a%2Fb", "a%2Fb"),
        ("http://[", ""),
    ],
)  # fmt: skip
def test_items_have_one_name_however_they_are_written(href: str, name: str) -> None:
    assert item_name(f"{URL}c/", href) == name


def test_versions_are_the_same_whatever_the_order_folding_and_stamps() -> None:
    one = event("a", "A title that is so long that the line is folded somewhere by the one and not by the other", "DTSTAMP:1")
    other = re.sub("so long", "so\r\n  long", one.replace("PRODID:-//test//EN", "PRODID:other").replace("DTSTAMP:1", "DTSTAMP:2"))
    assert other != one and item_comparison.same(one, other) and not item_comparison.same(one, one.replace("title", "name"))


def test_a_copy_has_all_but_its_identifier_and_those_invited() -> None:
    text = event("a", "Title", "ATTENDEE;CN=Paul:mailto:p@example.org", "DESCRIPTION:" + "é" * 80, "UID-X:a")
    copy = item_comparison.copy_of(text, "new", "(your version)")
    assert "UID:new\r\n" in copy and "SUMMARY:Title (your version)\r\n" in copy
    assert "X-TRABOULE-ATTENDEE;CN=Paul:mailto" in copy.replace("\r\n ", "") and "é" * 80 in copy.replace("\r\n ", "")
    assert max(len(line.encode()) for line in copy.split("\r\n")) <= 75


def test_requests_carry_what_they_should(address: str) -> None:
    answer = http_fetch.ask_named("PROPFIND", f"http://{address}/", b"<x/>", {"Depth": "0"}, limit=10_000, seconds=5)
    assert answer.status == 401 and "basic" in answer.headers["www-authenticate"].lower()


def test_a_collection_offered_twice_is_linked_once(pair: Make) -> None:
    one = pair()
    again = FoundCollection(one.url, "calendar", "Again")
    assert accounts.link(one.account, [again], one.settings) == 0


# --- hostile ---------------------------------------------------------------------------------------------------------


def _multistatus(*responses: str) -> bytes:
    names = "xmlns='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'"
    return f"<multistatus {names}>{''.join(responses)}</multistatus>".encode()


def _saying(content: bytes, status: int = 207, **headers: str) -> RemoteServer:
    def ask(_method: str, url: str, _body: bytes, _headers: dict[str, str], *, limit: int, seconds: float) -> FetchedResponse:
        if len(content) > limit:
            raise AnswerTooLargeError("too large")
        return FetchedResponse(url, status, "", content, headers)

    return RemoteServer(URL, LOGIN, PASSWORD, ask)


@pytest.mark.parametrize(
    "href", ["http://[", "https://cloud.example.org:99999/x", "https://[::1/x", "javascript:x", "//evil.example/"]
)
def test_addresses_that_are_none_are_passed_over(href: str) -> None:
    kind = "<resourcetype><collection/><C:calendar/></resourcetype>"
    one = "<response><href>{}</href><propstat><prop>{}</prop><status>HTTP/1.1 200 OK</status></propstat></response>"
    found = discover(_saying(_multistatus(one.format(href, kind), one.format("/good/", kind))))
    assert [each.url for each in found] == [f"{URL}good/"]
    led = f"<current-user-principal><href>{href}</href></current-user-principal><C:calendar-home-set><href>{href}</href></C:calendar-home-set>"
    for server in (_saying(_multistatus(one.format("/", led))), _saying(b"", 302, location=href)):
        try:
            assert discover(server) == []
        except FollowTroubleError as trouble:
            assert trouble.kind in (FollowFault.NOT_DAV, FollowFault.ELSEWHERE)


def test_a_token_that_never_ends_is_not_kept() -> None:
    with pytest.raises(SyncTokenRefusedError):
        _saying(_multistatus(f"<sync-token>{5_000_000 * 't'}</sync-token>")).changes(f"{URL}c/", "")
