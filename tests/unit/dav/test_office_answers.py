"""Invitations at Microsoft 365, answered there on the page of the event: the organiser hears of it once, from there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.fakes.office import FakeOffice
from tests.support.visits import Page, Visitor
from tests.unit.dav.test_service_collections import WHEN, choose, connect, sync, titles
from webmail.models import CalendarObject, RemoteAccount, Session, now


@pytest.fixture
def office() -> Iterator[FakeOffice]:
    with FakeOffice().serving() as fake:
        yield fake


@pytest.fixture
def app(tmp_path: Path, office: FakeOffice) -> Iterator[Flask]:
    values: dict[str, Any] = {
        "services": "microsoft", "public_url": "https://mail.lycee.example", "system_address": "noreply@lycee.example",
        "smtp_security": "none", "service_networks": "127.0.0.0/8", **office.settings(),
    }  # fmt: skip
    with ground.application(tmp_path / "instance", **values) as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    visitor = ground.person(app, "alice")
    Session.update(confirmed=now()).execute()
    return visitor


def person(address: str) -> dict[str, Any]:
    return {"emailAddress": {"address": address, "name": address.partition("@")[0]}}


def invited(app: Flask, alice: Visitor, office: FakeOffice, **values: Any) -> str:
    """An event by somebody else to which the account there is invited, taken over here; its name there."""
    name = office.mailbox.make(
        "Conseil", *WHEN, attendees=[{**person(office.login), "type": "required", "status": {"response": "none"}}],
        **{"organizer": person("boss@example.org"), "isOrganizer": False, "responseStatus": {"response": "notResponded"}} | values,
    )  # fmt: skip
    choose(alice, connect(alice, office, "calendar"), "Calendar")
    sync(app)
    return name


def event_page(alice: Visitor) -> Page:
    row = CalendarObject.get()
    return alice.get(f"/calendar/events/{row.collection_id}/{row.href}")


def answer(alice: Visitor, action: str, comment: str = "") -> Page:
    return alice.submit(event_page(alice), "[data-office-answer] form", action=action, comment=comment)


def sent_mail(office: FakeOffice) -> list[tuple[str, str]]:
    return office.mailbox.answers


@pytest.mark.parametrize(
    ("action", "word", "told"), [("accept", "accept", "ACCEPTED"), ("maybe", "tentativelyAccept", "TENTATIVE")]
)
def test_an_invitation_is_answered_there(
    app: Flask, alice: Visitor, office: FakeOffice, action: str, word: str, told: str
) -> None:
    invited(app, alice, office)
    assert event_page(alice).one("[data-office-answer]")["data-office-answer"] == ""
    page = answer(alice, action, "Un peu en retard")
    assert "Microsoft has told the organiser." in page.notices and sent_mail(office) == [(word, "Un peu en retard")]
    assert event_page(alice).one("[data-office-answer]")["data-office-answer"] == told  # at once
    sync(app)
    assert event_page(alice).one("[data-office-answer]")["data-office-answer"] == told and len(sent_mail(office)) == 1


def test_what_is_declined_leaves_the_calendar_as_it_does_there(app: Flask, alice: Visitor, office: FakeOffice) -> None:
    invited(app, alice, office)
    assert "has told the organiser" in answer(alice, "decline").notices
    sync(app)
    assert titles() == [] and sent_mail(office) == [("decline", "")]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (("/accept", 400, "ErrorInvalidRequest", {}), "takes no answer to this event"),
        (("/accept", 404, "ErrorItemNotFound", {}), "no longer at Microsoft"),
        (("/accept", 429, "TooManyRequests", {"Retry_After": "9"}), "Microsoft"),
        (("/accept", 503, "ServiceUnavailable", {}), "Microsoft"),
    ],
)
def test_a_refusal_is_said_and_nothing_is_noted(app: Flask, alice: Visitor, office: FakeOffice, fault: Any, words: str) -> None:
    invited(app, alice, office)
    office.mailbox.faults.append(fault)
    page = answer(alice, "accept")
    assert words in page.notices and sent_mail(office) == [] and page.one("[data-office-answer]")["data-office-answer"] == ""


def test_ones_own_events_and_those_of_others_have_no_such_buttons(app: Flask, alice: Visitor, office: FakeOffice) -> None:
    invited(app, alice, office, organizer=person(office.login), isOrganizer=True)
    assert event_page(alice).soup.select_one("[data-office-answer]") is None
    row = CalendarObject.get()
    where = f"/calendar/events/{row.collection_id}/{row.href}"
    page = alice.get(where)
    page.one("form[action$='/delete']")["action"] = f"{where}/office-answer"
    assert alice.submit(page, "form[action$='/office-answer']", action="accept").status == 404
    assert sent_mail(office) == []


def test_a_calendar_that_is_no_longer_followed_is_not_answered(app: Flask, alice: Visitor, office: FakeOffice) -> None:
    invited(app, alice, office)
    page = event_page(alice)
    RemoteAccount.delete().execute()
    assert alice.submit(page, "[data-office-answer] form", action="accept").status == 404 and sent_mail(office) == []
