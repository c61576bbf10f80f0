"""Choosing when a message leaves, and what the outbox offers until then: visits without scripts."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.compose_form import FORM, text_of, value_of, write
from webmail.compose.outbox import spool
from webmail.models import Outbox, OutboxState, now
from webmail.storage import StorageAwayError, StorageFullError

NEXT = datetime.now(ZoneInfo("Europe/Paris")) + timedelta(days=9)
DAY = f"{NEXT:%Y-%m-%d}"


def scheduled(alice, bob, **more):
    fields = {"to": bob.address, "subject": "Rentrée", "body": "b", "day": DAY, "hour": "08:15", "action": "later:at"}
    return write(alice, **fields | more)


def test_a_message_is_scheduled_told_so_and_sent_at_its_time(alice, bob, work, stored):
    page = scheduled(alice, bob)
    assert "will be sent on" in page.notices
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
    scheduled(alice, bob, action=f"later:{name}", day="", hour="")
    local = Outbox.get().scheduled.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo("Europe/Paris"))
    assert f"{local:%H:%M}" == "08:00"
    assert name == "tomorrow" or local.weekday() == 0


@pytest.mark.parametrize(("day", "hour"), [("2020-01-01", "08:00"), ("", ""), ("2090-01-01", "08:00"), ("morgen", "acht")])
def test_a_time_that_is_none_keeps_everything(alice, bob, day, hour):
    page = scheduled(alice, bob, day=day, hour=hour)
    assert page.status == 422
    assert "within the next year" in page.one("#later-error").get_text()
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
    assert "find it in Drafts" in page.notices
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
    assert "within the next year" in page.notices
    assert "21:00" in page.one("#scheduled").get_text()


@pytest.mark.parametrize("error", [StorageFullError("full"), StorageAwayError("away"), spool.ContentGoneError("gone")])
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
        assert told.address == "/outbox"
        assert any(words in told.notices for words in ("out of space for files", "no longer available", "can’t reach its files"))
    assert (Outbox.get().state, Outbox.get().due) == (OutboxState.WAITING, before)


def test_a_second_click_schedules_one_message(alice, bob):
    form = alice.get("/compose")
    for _ in range(2):
        alice.submit(form, FORM, to=bob.address, subject="s", body="b", action="later:tomorrow")
    assert Outbox.select().count() == 1


def test_nobody_else_s(alice, bob):
    scheduled(alice, bob)
    for action in ("now", "time", "cancel"):
        assert bob.post(f"/outbox/{Outbox.get().id}", {"action": action, "later": "tomorrow"}).status in (400, 404)
    assert Outbox.get().scheduled is not None


def test_with_htmx_the_list_is_the_same(alice, bob):
    scheduled(alice, bob)
    assert alice.get("/outbox", htmx="main").one("#scheduled")
