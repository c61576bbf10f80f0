"""Passkeys on a real Dovecot and database: mail is open without a password, and one answer signs in once, however often it comes."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from tests.support.messages import message
from tests.support.visits import Page, Visitor
from tests.support.webauthn_key import WebauthnKey
from webmail.auth.factors import security_keys
from webmail.auth.factors.challenges import ChallengeSubject, Purpose
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import SecurityKey, User

AT_ONCE = 6


@pytest.fixture
def settings(app: Flask) -> Settings:
    found: Settings = app.extensions["settings"]
    return found


@pytest.fixture
def says(settings: Settings) -> dict[str, str]:
    """What a browser at the address of these pages reports."""
    here = security_keys.site(settings)
    assert here
    return {"origin": here.origin, "rp_id": here.rp_id}


@pytest.fixture
def passkey(person: Visitor, says: dict[str, str]) -> WebauthnKey:
    """A passkey that this person has added."""
    key = WebauthnKey(step=0, passkey=True)
    confirm = person.get("/account/keys")
    page = person.submit(confirm, "form[action='/account/confirm']", password=person.password)
    person.submit(page, "form[action='/account/keys']", key=key.create(_asked_on(page), **says), name="Phone")
    assert SecurityKey.select().join(User).where(User.address == person.address).get().passkey
    return key


def _asked_on(page: Page) -> dict[str, Any]:
    asked: dict[str, Any] = json.loads(str(page.one("[data-options]")["data-options"]))
    return asked


@pytest.fixture
def letter(person: Visitor, fill: Callable[..., list[int]]) -> None:
    """In the inbox, before a second factor closes IMAP to the password."""
    fill(person, message("Bonjour"))


def test_mail_is_open_without_a_password(
    app: Flask, person: Visitor, letter: None, passkey: WebauthnKey, says: dict[str, str]
) -> None:
    visitor = Visitor(app, person.address)
    page = visitor.get("/login")
    asked = json.loads(visitor.client.get("/login/passkey/options").get_data(as_text=True))
    token = str(page.one("form[action='/login'] [name=csrf_token]")["value"])
    inbox = visitor.post("/login/passkey", {"csrf_token": token, "key": passkey.get(asked, **says)})
    assert inbox.rows == ["Bonjour"]
    assert "Bonjour" in visitor.get("/message/1/INBOX").text


def test_of_many_equal_answers_at_once_one_is_taken(
    person: Visitor, passkey: WebauthnKey, says: dict[str, str], settings: Settings
) -> None:
    here, asked = security_keys.site(settings), ChallengeSubject(Purpose.SIGN_IN, "a visitor's session")
    assert here
    answer = passkey.get(security_keys.assertion_options(None, here, asked, settings), **says)
    assert sorted(_tried(AT_ONCE * [answer], here, asked, settings)) == ["expired"] * (AT_ONCE - 1) + ["taken"]


def test_of_many_copies_of_a_key_at_once_one_is_taken(
    person: Visitor, passkey: WebauthnKey, says: dict[str, str], settings: Settings
) -> None:
    """They count on from the same number, each answering a question of its own."""
    here, asked = security_keys.site(settings), ChallengeSubject(Purpose.SIGN_IN, "a visitor's session")
    assert here
    answers = [passkey.get(security_keys.assertion_options(None, here, asked, settings), count=1, **says) for _ in range(AT_ONCE)]
    assert sorted(_tried(answers, here, asked, settings)) == ["counter"] * (AT_ONCE - 1) + ["taken"]


def _tried(answers: list[str], here: security_keys.Site, asked: ChallengeSubject, settings: Settings) -> list[str]:
    """What became of each answer, all at the same time."""

    def one(answer: str) -> str:
        with db.connection_context():
            try:
                security_keys.verify(answer, None, here, asked, settings)
            except security_keys.KeyRefusedError as refused:
                return str(refused.fault)
        return "taken"

    with ThreadPoolExecutor(len(answers)) as pool:
        return list(pool.map(one, answers))
