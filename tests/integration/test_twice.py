"""Forms that need mail servers, clicked several times at once: one is carried out, and all are told the same."""

from __future__ import annotations

import threading
from typing import Any

from flask import Flask

from tests.support.visits import Visitor, fields_of
from webmail.database.connection import db
from webmail.models import ForwardTarget, MailedCode, SavedSearch, SystemMessage, User

CLICKS = 4


def clicked(app: Flask, person: Visitor, where: str, selector: str, **typed: str) -> list[Any]:
    form = person.get(where).one(selector)
    data = {**fields_of(form), **typed}
    start, answers = threading.Barrier(CLICKS), []

    def click() -> None:
        hand = app.test_client()
        hand._cookies = person.client._cookies
        start.wait()
        answers.append(hand.post(str(form["action"]), data=data))

    hands = [threading.Thread(target=click) for _ in range(CLICKS)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert len({(answer.status_code, answer.location) for answer in answers}) == 1, [answer.text for answer in answers]
    assert answers[0].status_code == 303, answers[0].text
    return answers


def test_a_folder(app: Flask, person: Visitor) -> None:
    clicked(app, person, "/folders", "#new-folder", name="Sorties")
    page = person.get("/folders")
    assert "Dossier Sorties créé." in page.notices
    assert len([one for one in page.all("#folders a") if one.get_text(strip=True) == "Sorties"]) == 1


def test_a_saved_search(app: Flask, person: Visitor) -> None:
    clicked(app, person, "/mailbox/INBOX?query=bac", "#save-search", name="Le bac")
    with db.connection_context():
        mine = SavedSearch.select().join(User).where(User.address == person.address)
        assert [row.name for row in mine] == ["Le bac"]


def test_a_rule(app: Flask, person: Visitor) -> None:
    clicked(app, person, "/filters/new?field=subject&match=contains&value=bac&action=flag", "form.rule-form", action="save")
    assert len(person.get("/filters").all("[data-rule]")) == 1


def test_a_code_for_forwarding(app: Flask, person: Visitor) -> None:
    with db.connection_context():
        before = [table.select().count() for table in (SystemMessage, MailedCode, ForwardTarget)]
    person.confirm()
    clicked(app, person, "/forwarding", ".new-target form[action='/forwarding/address']:last-of-type", address="me@world.test")
    with db.connection_context():
        after = [table.select().count() for table in (SystemMessage, MailedCode, ForwardTarget)]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 0]
