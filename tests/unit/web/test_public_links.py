"""Absolute addresses of pages: from the setting, whatever a request says of our name."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from webmail.config.settings import Settings, load
from webmail.web.public_links import public_link


@pytest.fixture
def app() -> Flask:
    made = Flask("public-links")
    made.add_url_rule("/", "home", lambda: "")
    made.add_url_rule("/reset/<word>", "reset", lambda word: word)
    made.add_url_rule("/here", "here", lambda: public_link("reset", word="a"))
    return made


def give(app: Flask, public_url: str) -> None:
    app.extensions["settings"] = Settings(public_url=public_url)


@pytest.mark.parametrize(
    ("public_url", "address"),
    [
        ("https://webmail.lycee.example", "https://webmail.lycee.example/reset/a%20b?x=1%262"),
        ("https://webmail.lycee.example/", "https://webmail.lycee.example/reset/a%20b?x=1%262"),
        ("https://lycee.example:8443/mail", "https://lycee.example:8443/mail/reset/a%20b?x=1%262"),
        ("https://lycee.example/mail/", "https://lycee.example/mail/reset/a%20b?x=1%262"),
        ("http://localhost:5001", "http://localhost:5001/reset/a%20b?x=1%262"),
        ("", ""),
    ],
)
def test_a_page_has_one_address_without_any_request(app: Flask, public_url: str, address: str) -> None:
    give(app, public_url)
    with app.app_context():
        assert public_link("reset", word="a b", x="1&2") == address


@pytest.mark.parametrize("public_url", ["https://webmail.lycee.example/mail", ""])
def test_what_a_request_says_of_our_name_is_not_believed(app: Flask, public_url: str) -> None:
    give(app, public_url)
    told = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"}
    answer = app.test_client().get("/here", headers=told, environ_overrides={"SCRIPT_NAME": "/evil"})
    assert answer.text == (f"{public_url}/reset/a" if public_url else "")


@pytest.mark.parametrize("public_url", ["https://lycee.example/mail", "http://127.0.0.1:5001", "http://[::1]:5001/"])
def test_a_prefix_and_this_machine_are_settings_that_hold(tmp_path: Path, public_url: str) -> None:
    assert load(tmp_path, public_url=public_url).public_url == public_url
