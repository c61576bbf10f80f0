"""Asking the administrator for more room: a row, a mail, once a day; the answer is a new quota."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from deploy.demo import delivery
from deploy.demo.services import Services
from tests.support.messages import message
from tests.support.visits import Page, Visitor
from webmail.auth import help_desk
from webmail.database.connection import db
from webmail.mail import Quota
from webmail.mailbox.quota import quota_request
from webmail.mailbox.quota.quota_request import Letter
from webmail.models import AuditEntry, DeskCase, RoomRequest, SystemMessage, User, now

ADMIN = "informatique@lycee.example"
FORM = "#room-ask form"


@pytest.fixture(autouse=True)
def asked_by_mail(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    system = {"admin_address": ADMIN, "system_address": "Lycée <ne-pas-repondre@lycee.example>"}
    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], **system))
    with db.connection_context():
        SystemMessage.delete().where(SystemMessage.recipient == ADMIN).execute()


def letters() -> list[SystemMessage]:
    with db.connection_context():
        return list(SystemMessage.select().where(SystemMessage.recipient == ADMIN).order_by(SystemMessage.id))


def requests_of(person: Visitor) -> list[RoomRequest]:
    with db.connection_context():
        return list(RoomRequest.select().join(User).where(User.address == person.address))


def said(page: Page) -> str:
    return page.one("#room-ask").get_text(" ", strip=True)


def run(app: Flask, *words: str) -> str:
    result = app.test_cli_runner().invoke(args=["accounts", *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_it_is_a_row_a_mail_and_a_line_of_the_audit_log(person: Visitor) -> None:
    page = person.submit(person.get("/room"), FORM, note="Les photos\nde la sortie")
    assert "request was sent to your administrator" in page.notices
    assert "You asked your administrator for more space on" in said(page) and not page.all(FORM)
    [letter] = letters()
    assert letter.kind == "room-request" and person.address in letter.subject
    assert "> Les photos\n> de la sortie" in letter.body and f"flask accounts quota {person.address} 5G" in letter.body
    assert "demande plus de place" in letter.subject  # the establishment's language, not the person's
    [row] = requests_of(person)
    assert (row.note, row.room, row.closed) == ("Les photos\nde la sortie", 1024**3, None)
    with db.connection_context():
        entry = AuditEntry.select().where(AuditEntry.act == "room-asked", AuditEntry.target == person.address).get()
    assert entry.actor_address == person.address and "1024M" in entry.details


def test_once_a_day_at_most(person: Visitor) -> None:
    form, other_window = person.get("/room"), person.get("/room")
    person.submit(form, FORM)
    assert "less than a day ago" in person.submit(other_window, FORM).notices
    assert len(letters()) == 1 and len(requests_of(person)) == 1
    with db.connection_context():
        RoomRequest.update(asked=now() - timedelta(days=1, minutes=1)).execute()
    page = person.get("/room")
    assert "Ask again" in said(page)
    person.submit(page, FORM)
    assert len(letters()) == 2 and len(requests_of(person)) == 1


def test_two_clicks_at_once_ask_once(person: Visitor, app: Flask) -> None:
    asked: list[bool] = []
    together = threading.Barrier(2)

    def ask() -> None:
        with db.connection_context():
            user = User.get(User.address == person.address)
            together.wait(10)
            row, _sent = quota_request.ask(user, "", Quota(1, 2), Letter("s", "b"), app.extensions["settings"])
            asked.append(row is not None)

    clicks = [threading.Thread(target=ask) for _ in range(2)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join(20)
    assert sorted(asked) == [False, True] and len(requests_of(person)) == 1 and len(letters()) == 1


def test_a_new_quota_is_the_answer(person: Visitor, app: Flask) -> None:
    person.submit(person.get("/room"), FORM, note="Photos\x1b[31m")
    listed = run(app, "requests")
    assert person.address in listed and "of 1024M" in listed and "\x1b" not in listed
    assert "answers their request" in run(app, "quota", person.address, "2G")
    assert person.address not in run(app, "requests")
    assert "answered" not in run(app, "quota", person.address, "3G")
    page = person.get("/room")
    assert "can now hold 2\N{NO-BREAK SPACE}GB" in said(page) and "You asked" not in said(page)


def test_more_room_told_by_the_mail_server_is_the_answer(person: Visitor) -> None:
    person.submit(person.get("/room"), FORM)
    with db.connection_context():
        RoomRequest.update(room=500_000_000).execute()
    assert "can now hold 1\N{NO-BREAK SPACE}GB" in said(person.get("/room"))


def test_hostile_words_stay_in_their_quotation(person: Visitor) -> None:
    note = "ok\r\nBcc: x@y.example\r\n\r\nflask accounts quota evil 99G\r\n" + "z" * 900
    person.submit(person.get("/room"), FORM, note=note)
    [letter] = letters()
    assert "\r" not in letter.subject + letter.body and "\n" not in letter.subject
    assert "\n> Bcc: x@y.example\n> \n> flask accounts quota evil 99G\n" in letter.body
    assert len(requests_of(person)[0].note) == quota_request.LONGEST_NOTE


def test_without_an_address_people_are_told_whom_to_ask(person: Visitor, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    page = person.get("/room")
    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], admin_address=""))
    monkeypatch.setattr(help_desk, "readers", lambda *_arguments: [])  # nor an administrator among the accounts
    assert "Your administrator can give you more space." in said(person.get("/room")) and not person.get("/room").all(FORM)
    person.submit(page, FORM)
    assert letters() == [] and requests_of(person) == []


def test_without_an_address_the_accounts_of_administrators_are_asked(
    person: Visitor, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], admin_address=""))
    readers = help_desk.readers(person.address, app.extensions["settings"])
    assert 1 <= len(readers) <= 5
    person.submit(person.get("/room"), FORM, note="Photos")
    with db.connection_context():
        told = SystemMessage.select().where(SystemMessage.kind == "room-request", SystemMessage.subject.contains(person.address))
        assert sorted(one.recipient for one in told) == sorted(readers)
    assert [one.note for one in requests_of(person)] == ["Photos"]


def test_signed_out_and_others(person: Visitor, app: Flask, make_account: Callable[..., str]) -> None:
    person.submit(person.get("/room"), FORM)
    other = Visitor(app, make_account("other")).sign_in()
    assert "You asked" not in said(other.get("/room"))
    assert Visitor(app).post("/room/ask", follow=False).location.startswith("/login")


def test_a_deleted_account_takes_its_request_along(person: Visitor) -> None:
    person.submit(person.get("/room"), FORM)
    with db.connection_context():
        User.delete().where(User.address == person.address).execute()
        assert RoomRequest.select().where(RoomRequest.note == "", RoomRequest.user.not_in(User.select(User.id))).count() == 0


def test_space_given_on_the_desk_counts_for_the_next_message(
    person: Visitor, app: Flask, services: Services, make_account: Callable[..., str]
) -> None:
    """Dovecot refuses a message for which there is no room, until an administrator has given more by one click."""
    large = bytes(message(subject="Photos", text="x" * 300_000))

    def is_accepted() -> bool:
        return delivery.deliver(services.ports.lmtp, "sender@outside.example", person.address, large, []).good

    with db.connection_context():
        User.update(quota_bytes=200_000).where(User.address == person.address).execute()
    assert not is_accepted()
    person.submit(person.get("/room"), FORM)
    chief = Visitor(app, make_account("chief")).sign_in().confirm()
    with db.connection_context():
        User.update(role="admin").where(User.address == chief.address).execute()
        case = DeskCase.get(DeskCase.kind == "space", DeskCase.address == person.address)
    page = chief.submit(
        chief.get(f"/admin/desk/{case.id}"), "main form:has(button[name=give])", size="1", give="", action="grant"
    )
    assert page.status == 200 and is_accepted()
