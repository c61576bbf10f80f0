"""A shared computer: remembered for this browser, and nothing stays of whoever used it."""

from __future__ import annotations

from datetime import timedelta

from tests.support.auth_app import Browser
from webmail.auth.sign_in.sources import source_of
from webmail.models import Session, now

COOKIE = "__Host-traboule-shared"


def ticked(browser) -> bool:
    shown = browser.get("/login").text
    box = shown[shown.index('id="shared"') - 80 : shown.index('id="shared"') + 120]
    return "checked" in box.split("<input")[-1].split(">")[0]


def test_the_choice_is_remembered_and_can_be_taken_back(app):
    browser = Browser(app)
    assert not ticked(browser)
    browser.sign_in(shared="y")
    browser.post("/logout", form_at="/devices")
    assert ticked(browser)
    kept = browser.cookie(COOKIE).value
    assert "alice" not in kept and source_of("127.0.0.1", kept, app.extensions["settings"]).key.startswith("computer ")
    browser.sign_in("bob", "not a password", shared="y")
    assert browser.cookie(COOKIE).value == kept
    browser.sign_in()
    assert browser.cookie(COOKIE) is None
    assert not Session.get().shared


def test_where_somebody_guesses_in_a_school_its_shared_computers_sign_in_at_once(app, bob):
    library, new = Browser(app), Browser(app)
    library.sign_in(shared="y")
    library.post("/logout", form_at="/devices")
    pupil = Browser(app)
    for number in range(50):
        assert pupil.sign_in(f"invented{number}", "wrong").status_code == 401
    assert new.sign_in("bob").status_code == 429
    assert library.sign_in("bob", shared="y").status_code == 303


def test_no_trace_of_the_person_and_no_lasting_session(visitor):
    visitor.sign_in(shared="y", lasting="y")
    row = Session.get()
    assert (row.shared, row.lasting) == (True, False)
    assert visitor.cookie().max_age is None and visitor.cookie().expires is None
    assert visitor.cookie("__Host-traboule-known") is None


def test_nothing_is_cached(visitor):
    visitor.sign_in(shared="y")
    assert visitor.get("/mailbox/INBOX").headers["Cache-Control"] == "no-store, no-cache"
    assert visitor.get("/devices").headers["Cache-Control"] == "no-store, no-cache"


def test_signing_out_clears_the_browser(visitor):
    visitor.sign_in(shared="y")
    assert visitor.post("/logout", form_at="/devices").headers["Clear-Site-Data"] == '"cache", "storage"'


def test_so_does_the_end_of_the_idle_time(visitor, settings):
    visitor.sign_in(shared="y")
    Session.update(seen=now() - timedelta(minutes=settings.shared_idle_minutes, seconds=1)).execute()
    response = visitor.get("/mailbox/INBOX")
    assert response.location.startswith("/login")
    assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert ticked(visitor)


def test_ones_own_browser_keeps_its_cache(visitor):
    visitor.sign_in()
    Session.delete().execute()
    assert "Clear-Site-Data" not in visitor.get("/mailbox/INBOX").headers


def test_a_stranger_is_not_asked_to_clear_anything(app):
    assert "Clear-Site-Data" not in Browser(app).get("/login").headers


def test_staying_signed_in(visitor, settings):
    visitor.sign_in(lasting="y")
    assert Session.get().lasting
    assert visitor.cookie().max_age == 30 * 86400
    Session.update(created=now() - timedelta(days=29), seen=now() - timedelta(days=20)).execute()
    assert visitor.get("/mailbox/INBOX").status_code == 200
