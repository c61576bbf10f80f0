"""Addresses in templates: those of Flask, remembered for where the application is mounted."""

from __future__ import annotations

from typing import Any

import flask
import pytest
from flask import Flask

from webmail.web.templates.addresses import url_for


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    app.add_url_rule("/m/<path:mailbox>", "show", lambda mailbox: "")
    return app


@pytest.mark.parametrize(
    "values",
    [
        {}, {"page": 2}, {"page": None}, {"page": "2", "sort": "from & to"}, {"_anchor": "day"}, {"_external": True},
        {"tags": ["a", "b"]}, {"page": True}, {"page": 1}, {"page": 1.0},
    ],
)  # fmt: skip
def test_it_is_the_address_of_flask(app: Flask, values: dict[str, Any]) -> None:
    with app.test_request_context("/"):
        for _again in range(2):
            assert url_for("show", mailbox="Été/1", **values) == flask.url_for("show", mailbox="Été/1", **values)


def test_it_is_another_where_the_application_is_mounted_elsewhere(app: Flask) -> None:
    for root in ("", "/mail", ""):
        with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": root}):
            assert url_for("show", mailbox="INBOX") == f"{root}/m/INBOX"


def test_two_applications_have_their_own(app: Flask) -> None:
    other = Flask("other")
    other.add_url_rule("/elsewhere/<path:mailbox>", "show", lambda mailbox: "")
    for one, begin in ((app, "/m/"), (other, "/elsewhere/")):
        with one.test_request_context("/"):
            assert url_for("show", mailbox="INBOX") == f"{begin}INBOX"
