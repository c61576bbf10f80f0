"""Choosing when a message leaves, and what the outbox offers until then: visits without scripts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.bench.fault_server import FaultServer
from tests.bench.faults import TOKENS
from tests.visits import Visitor
from tests.writing import FORM, text_of, value_of, write
from webmail import create_app
from webmail.compose import uploads
from webmail.compose.outbox import delivery, spool
from webmail.database.connection import db
from webmail.models import Outbox, OutboxState, User, now

NEXT = datetime.now(ZoneInfo("Europe/Paris")) + timedelta(days=9)
DAY = f"{NEXT:%Y-%m-%d}"


@pytest.fixture
def limited(app):
    def set_limits(**limits):
        app.extensions["settings"] = replace(app.extensions["settings"], **limits)

    return set_limits


def scheduled(alice, bob, **more):
    fields = {"to": bob.address, "subject": "Rentrée", "body": "b", "day": DAY, "hour": "08:15", "action": "later-at"}
    return write(alice, **fields | more)


def test_a_message_is_scheduled_told_so_and_sent_at_its_time(alice, bob, work, stored):
    page = scheduled(alice, bob)
    assert "leaves on" in page.notices
    assert "08:15" in page.notices
    assert page.all(".notice[hx-get]") == []
    work()
    assert stored(bob, "INBOX") == []
    card = alice.get("/outbox").one("#scheduled [data-state=scheduled]")
    assert "Rentrée" in card.get_text()
    assert "08:15" in card.get_text()
    row = Outbox.get()
    assert alice.get(f"/compose/{row.draft}").address == "/outbox"
    Outbox.update(scheduled=now() - timedelta(seconds=1), due=now() - timedelta(seconds=1)).execute()
    work()
    [got] = stored(bob, "INBOX")
    assert got["Date"].datetime.strftime("%Y-%m-%d") in (DAY, f"{NEXT - timedelta(days=1):%Y-%m-%d}")
    assert alice.get("/outbox").all("#scheduled") == []


@pytest.mark.parametrize("name", ["tomorrow", "monday"])
def test_a_time_is_one_click(alice, bob, name):
    if name == "monday" and datetime.now(ZoneInfo("Europe/Paris")).weekday() == 6:
        pytest.skip("on Sundays it is tomorrow")
    scheduled(alice, bob, action=f"later-{name}", day="", hour="")
    local = Outbox.get().scheduled.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo("Europe/Paris"))
    assert f"{local:%H:%M}" == "08:00"
    assert name == "tomorrow" or local.weekday() == 0


@pytest.mark.parametrize(("day", "hour"), [("2020-01-01", "08:00"), ("", ""), ("2090-01-01", "08:00"), ("morgen", "acht")])
def test_a_time_that_is_none_keeps_everything(alice, bob, day, hour):
    page = scheduled(alice, bob, day=day, hour=hour)
    assert page.status == 422
    assert "within a year" in page.one("#later-error").get_text()
    assert page.one("#later").has_attr("open")
    assert (value_of(page, "to"), value_of(page, "day"), value_of(page, "hour")) == (bob.address, day, hour)
    assert text_of(page) == "b"
    assert Outbox.select().count() == 0


def test_what_is_asked_before_sending_remembers_the_time(alice, bob):
    asked = scheduled(alice, bob, subject="")
    assert asked.status == 422
    assert DAY in asked.text
    alice.submit(asked, FORM, action="send-anyway")
    assert Outbox.get().scheduled is not None


def test_send_after_a_time_was_asked_for_means_now(alice, bob):
    asked = scheduled(alice, bob, subject="")
    alice.submit(asked, FORM, subject="s", action="send")
    assert Outbox.get().scheduled is None


def test_stop_and_edit(alice, bob, work, stored):
    scheduled(alice, bob)
    page = alice.submit(alice.get("/outbox"), "#scheduled form:not([data-time])", action="undo")
    assert text_of(page) == "b"
    assert Outbox.get().state == OutboxState.CANCELLED


def test_never_after_all_leaves_a_draft(alice, bob, work, stored):
    scheduled(alice, bob)
    page = alice.submit(alice.get("/outbox"), "#scheduled form:not([data-time])", action="cancel")
    assert "among your drafts" in page.notices
    assert [m["Subject"] for m in stored(alice, "Drafts")] == ["Rentrée"]
    work()
    assert stored(bob, "INBOX") == []


def test_send_now(alice, bob, work, stored):
    scheduled(alice, bob)
    alice.submit(alice.get("/outbox"), "#scheduled form:not([data-time])", action="now")
    work()
    [got] = stored(bob, "INBOX")
    assert abs(got["Date"].datetime.timestamp() - datetime.now().timestamp()) < 300
    assert Outbox.get().scheduled is None


def test_another_time(alice, bob):
    scheduled(alice, bob)
    page = alice.submit(
        alice.get("/outbox"), "form[data-time]", day=f"{NEXT + timedelta(days=1):%Y-%m-%d}", hour="21:00", later="at"
    )
    assert "21:00" in page.one("#scheduled").get_text()
    page = alice.submit(page, "form[data-time]", day="2020-01-01", later="at")
    assert "within a year" in page.notices
    assert "21:00" in page.one("#scheduled").get_text()


@pytest.mark.parametrize("error", [uploads.NoRoom("full"), spool.ContentGone("gone")])
def test_what_can_not_be_written_anew_says_so_and_stays(alice, bob, monkeypatch, error):
    scheduled(alice, bob)
    before = Outbox.get().due

    def fails(*_args):
        raise error

    monkeypatch.setattr(spool, "with_header", fails)
    page = alice.get("/outbox")
    token = page.all("[name=csrf_token]")[0]["value"]
    for fields in ({"action": "now"}, {"action": "time", "later": "tomorrow"}):
        told = alice.post(f"/outbox/{Outbox.get().id}", {"csrf_token": token, **fields})
        assert told.address == "/outbox" and ("no room for files" in told.notices or "can't be read" in told.notices)
    assert (Outbox.get().state, Outbox.get().due) == (OutboxState.WAITING, before)


def test_a_second_click_schedules_one_message(alice, bob):
    form = alice.get("/compose")
    for _ in range(2):
        alice.submit(form, FORM, to=bob.address, subject="s", body="b", action="later-tomorrow")
    assert Outbox.select().count() == 1


def test_nobody_else_s(alice, bob):
    scheduled(alice, bob)
    for action in ("now", "time", "cancel"):
        assert bob.post(f"/outbox/{Outbox.get().id}", {"action": action, "later": "tomorrow"}).status in (400, 404)
    assert Outbox.get().scheduled is not None


def test_with_htmx_the_list_is_the_same(alice, bob):
    scheduled(alice, bob)
    assert alice.get("/outbox", htmx="main").one("#scheduled")


# --- how many people -------------------------------------------------------------------------------------------------


def test_the_limit_is_told_before_and_refuses_with_a_way_out(alice, bob, limited):
    limited(recipients_per_hour=4)
    assert alice.get("/compose").all("#room") == []
    write(alice, to=f"{bob.address}, a@x.example, b@x.example, c@x.example", subject="s", body="b", action="send-anyway")
    assert "0 more people this hour" in alice.get("/compose").one("#room").get_text()
    page = write(alice, to=bob.address, subject="t", body="kept", action="send")
    assert page.status == 422
    assert "can leave on" in page.one("#to-error").get_text()
    assert text_of(page) == "kept"
    assert page.one("#later").has_attr("open")
    alice.submit(page, FORM, action="later-at")
    assert Outbox.get(Outbox.subject == "t").scheduled > now() + timedelta(minutes=50)


# --- by other ways ---------------------------------------------------------------------------------------------------


@pytest.fixture
def faulty(services, tmp_path, make_account, monkeypatch):
    """Alice, with a submission server that does as told and the real Dovecot."""
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    del values["instance"], values["jobs_file"], values["uploads_folder"]
    with FaultServer(extensions=TOKENS) as server:
        values |= {"undo_seconds": 0, "secure_cookies": False, "smtp_port": server.port, "smtp_security": "none"}
        app = create_app(tmp_path / "faulty", **values)
        alice = Visitor(app, make_account("alice")).sign_in()
        alice.server, alice.app = server, app
        yield alice
        with db.connection_context():
            Outbox.delete().execute()


def turn(alice):
    jobs = alice.app.extensions["jobs"]
    with db.connection_context():
        for row in delivery.sweep(jobs.settings):
            delivery.deliver(row, jobs.settings, jobs.account_for)


def test_after_a_day_of_refusals_it_is_among_the_drafts_with_the_reason(faulty, stored):
    faulty.server.faults = ["451@rcpt"]
    write(faulty, to="bob@x.example", subject="Patience", body="b", action="send")
    for hours in (0, 12, 23):
        Outbox.update(created=now() - timedelta(hours=hours), due=now()).execute()
        turn(faulty)
        assert Outbox.get().state == OutboxState.WAITING
        assert "tried again at" in faulty.get("/outbox").text
    assert Outbox.get().due > now() + timedelta(minutes=1)
    Outbox.update(created=now() - timedelta(hours=24), due=now()).execute()
    turn(faulty)
    assert [m["Subject"] for m in stored(faulty, "Drafts")] == ["Patience"]
    assert "was not sent" in faulty.get("/mailbox/INBOX").notices
    page = faulty.get("/outbox")
    assert "does not take this message at the moment" in page.text
    assert "451" in page.text
    assert faulty.server.messages == []


def test_some_refused_are_named_and_only_they_get_it_again(faulty, stored):
    faulty.server.faults = ["mix@rcpt", "ok"]
    write(faulty, to="a@x.example, b@x.example, c@x.example", subject="s", body="b", action="send-anyway")
    turn(faulty)
    page = faulty.get("/outbox")
    assert "refused for 1" in page.text
    form = faulty.submit(page, ".outbox-row form", action="edit")
    assert value_of(form, "to") == "b@x.example"
    faulty.submit(form, FORM, to="bb@x.example", action="send")
    turn(faulty)
    assert [m.recipients for m in faulty.server.messages] == [["a@x.example", "c@x.example"], ["bb@x.example"]]


def test_an_address_that_the_server_can_not_take_is_named(faulty):
    page = write(faulty, to="élise@x.example, b@x.example", subject="s", body="b", action="send-anyway")
    assert page.status == 200
    faulty.server.extensions = ("AUTH OAUTHBEARER", "8BITMIME")  # it was another one that said it could
    turn(faulty)
    page = faulty.get("/outbox")
    assert "Not sent." in page.text
    assert "before the @" in page.text
    assert json.loads(Outbox.get().refused).keys() == {"élise@x.example"}


def test_the_time_for_undoing_is_a_preference(alice, bob):
    page = alice.submit(alice.get("/settings"), "form[action='/settings']", undo_seconds="30")
    assert page.one("select[name=undo_seconds] option[selected]")["value"] == "30"
    page = write(alice, to=bob.address, subject="s", body="b", action="send")
    assert "in 30 seconds" in page.notices
    assert "in 30 seconds" in alice.get("/mailbox/INBOX").notices  # it stays for as long
    page = alice.submit(alice.get("/mailbox/INBOX"), ".notice form")
    assert "in 30 seconds" not in page.notices
    assert User.get(User.address == alice.address).preferences


def test_another_text_after_the_first_has_left_is_never_swallowed(alice, bob, work, stored):
    form = alice.get("/compose")
    alice.submit(form, FORM, to=bob.address, subject="s", body="first", action="send")
    work()
    again = alice.submit(form, FORM, to=bob.address, subject="s", body="first", action="send")
    assert "not sent a second time" in again.notices
    page = alice.submit(form, FORM, to=bob.address, subject="s", body="second", action="send")
    assert text_of(page) == "second"
    alice.submit(page, FORM, action="send")
    work()
    assert [m.get_body().get_content().strip() for m in stored(bob, "INBOX")] == ["first", "second"]
