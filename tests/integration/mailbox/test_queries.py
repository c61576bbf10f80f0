"""Queries of a page: few SELECTs, and what a person changed is on the next page, whichever process answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from deploy.demo.services import Services
from tests.support.messages import message
from tests.support.visits import Visitor
from webmail import create_app
from webmail.database.connection import db

Fill = Callable[..., list[int]]
Counted = Callable[[], list[str]]


@pytest.fixture
def selects(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Counted]:
    """`with selects() as found:` the SELECTs of what follows."""

    @contextmanager
    def counted() -> Iterator[list[str]]:
        found: list[str] = []
        execute = type(db.obj).execute_sql

        def noted(self: object, sql: str, *values: object, **more: object) -> object:
            if sql.lstrip("(").startswith("SELECT"):
                found.append(sql)
            return execute(self, sql, *values, **more)

        with monkeypatch.context() as patch:
            patch.setattr(type(db.obj), "execute_sql", noted)
            yield found

    return counted  # type: ignore[return-value]


def test_a_list_asks_for_its_session_and_what_is_around_it_at_once(person: Visitor, fill: Fill, selects: Callable) -> None:
    fill(person, message("Un"))
    person.get("/mailbox/INBOX")
    with selects() as found:
        assert person.get("/mailbox/INBOX").rows == ["Un"]
    assert len(found) == 1, found


def test_a_message_asks_little_more(person: Visitor, fill: Fill, selects: Callable) -> None:
    fill(person, message("Un"))
    person.get("/mailbox/INBOX")
    person.get("/message/1/INBOX")
    with selects() as found:
        assert "Un" in person.get("/message/1/INBOX").text
    assert len(found) <= 2, found


def test_what_one_changes_is_on_the_next_page_of_any_process(services: Services, app: Flask, person: Visitor) -> None:
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    other = Visitor(create_app(values.pop("instance"), **values), person.address)
    other.client._cookies = person.client._cookies  # the same browser, another process
    for visitor in (person, other):
        visitor.get("/mailbox/INBOX")
    person.submit(person.get("/tags"), "main form.card:has([value=add])", action="add", name="Urgent", colour="red")
    person.post("/search/saved", {"name": "Le bac", "query": "bac", "scope": "all", "csrf_token": token(person)})
    for visitor in (other, person):
        side = visitor.get("/mailbox/INBOX").one("#folders").get_text()
        assert "Urgent" in side and "Le bac" in side
    person.post("/tags", {"action": "forget", "keyword": "Urgent", "csrf_token": token(person)})
    for visitor in (other, person):
        assert "Urgent" not in visitor.get("/mailbox/INBOX").one("#folders").get_text()


def token(person: Visitor) -> str:
    return str(person.get("/tags").all("[name=csrf_token]")[0]["value"])
