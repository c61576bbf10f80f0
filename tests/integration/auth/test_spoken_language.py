"""The language of mail to people who chose none: that of their browser when they last signed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from tests.support.visits import Visitor
from webmail import system_mail
from webmail.database.connection import db
from webmail.models import SystemMessage, User
from webmail.web.current import settings as current_settings


@pytest.fixture
def address(make_account: Callable[..., str]) -> str:
    return make_account("speaker")


def written_to(app: Flask, address: str) -> str:
    """In which language they are written to."""
    with app.app_context(), db.connection_context():
        return system_mail.in_language_of(User.get(User.address == address), current_settings())


def test_it_is_that_of_the_last_sign_in(app: Flask, address: str) -> None:
    assert written_to(app, address) == "fr", "the installation's, before anything is known"
    Visitor(app, address, language="en").sign_in()
    assert written_to(app, address) == "en"
    Visitor(app, address, language="fr").sign_in()
    assert written_to(app, address) == "fr"
    Visitor(app, address, language="de, en;q=0.8").sign_in()
    assert written_to(app, address) == "en", "what the pages were in"


def test_what_they_chose_counts_first(app: Flask, address: str) -> None:
    with db.connection_context():
        User.update(language="fr").where(User.address == address).execute()
    Visitor(app, address, language="en").sign_in()
    assert written_to(app, address) == "fr"


def test_a_computer_that_others_use_says_nothing_of_it(app: Flask, address: str) -> None:
    Visitor(app, address, language="en").sign_in()
    shared = Visitor(app, address, language="fr")
    page = shared.submit(shared.get("/login"), "form[action='/login']", username=address, password="demo", shared="y")
    assert page.status == 200 and page.address.startswith("/mailbox")
    assert written_to(app, address) == "en"


def test_a_strangers_browser_is_told_of_in_ones_own(app: Flask, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], new_browser_mail=True))
    Visitor(app, address, language="en").sign_in()
    stranger = Visitor(app, address, language="fr")
    stranger.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36"
    stranger.sign_in()
    with db.connection_context():
        told = SystemMessage.get(SystemMessage.recipient == address, SystemMessage.kind == "security")
    assert (told.subject, told.language) == ("Sign-in from a new browser", "en")
