"""One person never has all the threads: so many requests at once, and each gives its turn back whatever becomes of it."""

import gc
from contextlib import ExitStack
from threading import Event, Thread

import pytest
from flask import Response, abort

from tests.support.auth_app import Browser
from tests.support.waiting import eventually
from webmail.auth import guard
from webmail.auth.sessions.sessions import network_of
from webmail.errors import ServerAwayError

AHEAD = {"X-Traboule-Prefetch": "1"}


class Rooms:
    """Views that stay busy until they are let go."""

    def __init__(self, app) -> None:
        self.go_on, self.inside = Event(), []
        app.add_url_rule("/busy", "busy", guard.may_come_ahead(self._busy()))
        app.add_url_rule("/stream", "stream", lambda: Response(iter([b"a", b"b"])))
        app.add_url_rule("/<kind>/breaks", "breaks", self.breaks)

    def _busy(self):
        def busy() -> str:
            self.inside.append(1)
            assert self.go_on.wait(60)
            return "done"

        return busy

    def breaks(self, kind: str) -> str:
        raise (
            {"mail": ServerAwayError("no"), "bug": ZeroDivisionError(), "abort": LookupError()}[kind]
            if kind != "404"
            else abort(404)
        )


@pytest.fixture
def rooms(app):
    return Rooms(app)


@pytest.fixture
def keep_busy(app, visitor, rooms):
    """`keep_busy(3)` begins so many requests of alice, with these headers, which stay under way until the test is over."""
    threads: list[Thread] = []

    def begin(number: int, headers: dict[str, str] | None = None) -> Browser:
        if not visitor.cookie():
            visitor.sign_in()
        for _ in range(number):
            threads.append(Thread(target=_visit, args=(app, visitor.cookie().value, headers)))
            threads[-1].start()
        eventually(lambda: len(rooms.inside) == len(threads))
        return visitor

    yield begin
    rooms.go_on.set()
    for thread in threads:
        thread.join()


@pytest.fixture
def crowded(keep_busy):
    """Alice has as many requests under way as she may."""
    return keep_busy(guard.VISITS.of_one)


def _visit(app, cookie: str, headers: dict[str, str] | None) -> None:
    browser = Browser(app)
    browser.client.set_cookie("__Host-traboule", cookie, domain="mail.lycee.example", secure=True)
    browser.get("/busy", headers=headers)


def test_one_more_is_refused_at_once_and_others_are_not(app, crowded, bob):
    answer = crowded.get("/mailbox/INBOX")  # while all the others stay inside: it waited for none
    assert answer.status_code == 429
    assert "Too many requests" in answer.text
    other = Browser(app)
    other.sign_in("bob")
    assert other.get("/mailbox/INBOX").status_code == 200


def test_what_anybody_may_see_is_not_counted(crowded):
    for path in ("/static/css/base.css", "/healthz", "/login"):
        assert crowded.get(path).status_code in (200, 303)


def test_the_turns_come_back(alice, crowded, rooms):
    rooms.go_on.set()
    eventually(lambda: not guard.VISITS.held(alice.id))
    assert crowded.get("/mailbox/INBOX").status_code == 200
    assert guard.VISITS.held(alice.id) == 0


@pytest.mark.parametrize("path", ["/mail/breaks", "/bug/breaks", "/404/breaks", "/word", "/stream"])
def test_no_fault_keeps_a_turn(app, visitor, rooms, alice, path):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    visitor.sign_in()
    for _ in range(2 * guard.VISITS.of_one):
        answer = visitor.get(path)
        assert answer.status_code != 429
        answer.close()
    assert guard.VISITS.held(alice.id) == 0


def test_a_form_that_is_refused_gives_its_turn_back(visitor, alice):
    visitor.sign_in()
    assert visitor.client.post("/mailbox/INBOX", base_url=visitor.base).status_code == 400
    assert guard.VISITS.held(alice.id) == 0


def test_a_download_counts_until_it_is_closed(visitor, rooms, alice):
    visitor.sign_in()
    answer = visitor.get("/stream")
    assert guard.VISITS.held(alice.id) == 1
    answer.close()
    assert guard.VISITS.held(alice.id) == 0


def test_a_download_that_nobody_closes_counts_until_it_is_forgotten(visitor, rooms, alice):
    visitor.sign_in()
    answer = visitor.get("/stream")
    assert guard.VISITS.held(alice.id) == 1
    del answer
    gc.collect()
    assert guard.VISITS.held(alice.id) == 0


def test_an_error_in_the_place_of_a_download_keeps_nothing(app, visitor, rooms, alice, monkeypatch):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    visitor.sign_in()
    kept = []

    def fail(app, session, response) -> None:
        if response.is_streamed:
            kept.append(response)  # so that it is not merely forgotten
            raise ZeroDivisionError

    monkeypatch.setattr(app.session_interface, "save_session", fail)
    assert visitor.get("/stream").status_code == 500
    assert kept
    assert guard.VISITS.held(alice.id) == 0


# --- what scripts fetch ahead


def test_what_is_fetched_ahead_takes_no_place_of_a_visit(alice, keep_busy):
    visitor = keep_busy(guard.AHEAD.of_one, AHEAD)
    assert guard.VISITS.held(alice.id) == 0
    keep_busy(guard.VISITS.of_one - 1)
    assert visitor.get("/mailbox/INBOX").status_code == 200


def test_it_is_refused_in_silence_where_it_could_slow_down_visits(keep_busy):
    visitor = keep_busy(guard.VISITS.of_one // 2 - 1)
    assert visitor.get("/mailbox/INBOX", headers=AHEAD).status_code == 200
    keep_busy(1)
    answer = visitor.get("/mailbox/INBOX", headers=AHEAD)
    assert (answer.status_code, answer.data) == (204, b"")
    assert visitor.get("/mailbox/INBOX").status_code == 200


def test_no_more_than_two_are_fetched_ahead_at_once(alice, keep_busy, rooms):
    visitor = keep_busy(guard.AHEAD.of_one, AHEAD)
    assert visitor.get("/mailbox/INBOX", headers=AHEAD).status_code == 204
    rooms.go_on.set()
    eventually(lambda: not guard.AHEAD.held(alice.id))
    assert visitor.get("/mailbox/INBOX", headers=AHEAD).status_code == 200


def test_only_pages_made_for_it_are_given_ahead_and_none_on_a_shared_computer(app, visitor):
    visitor.sign_in()
    assert visitor.get("/remember/me", headers=AHEAD).status_code == 204
    assert visitor.get("/word").text == "nothing"
    shared = Browser(app)
    shared.sign_in(shared="y")
    assert shared.get("/mailbox/INBOX", headers=AHEAD).status_code == 204
    assert shared.get("/mailbox/INBOX").status_code == 200


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose", "X-Moz"])
def test_a_browser_that_guesses_by_itself_gets_nothing(visitor, header):
    visitor.sign_in()
    assert visitor.get("/mailbox/INBOX", headers={header: "prefetch;prerender"}).status_code == 503
    assert visitor.get("/login", headers={header: "prefetch"}).status_code in (200, 302, 303)


def test_a_form_is_done_whatever_its_headers_say(visitor):
    visitor.sign_in()
    answer = visitor.post("/mailbox/INBOX", form_at="/devices", headers=AHEAD)
    assert answer.status_code == 200 and "alice@lycee.example" in answer.text


# --- forms of strangers


def test_one_network_has_a_part_of_the_places_for_forms(app, monkeypatch):
    monkeypatch.setattr(guard.FORMS, "patience", 0.0)
    stranger, network = app.test_client(), network_of("127.0.0.1")
    with ExitStack() as held:
        for _ in range(guard.FORMS.of_one_network):
            held.enter_context(guard.FORMS.admit(network=network))
        assert stranger.post("/login", base_url="https://mail.lycee.example").status_code == 503
        with guard.FORMS.admit(network=network_of("192.0.2.1")):
            pass
    assert stranger.post("/login", base_url="https://mail.lycee.example").status_code != 503
    assert not guard.FORMS.held()
