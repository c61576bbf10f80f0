"""Forms of other sites' pages are refused by where they come from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from flask_babel import Babel
from jinja2 import DictLoader

from webmail.config import settings
from webmail.web.forms.origin import refuse_foreign_forms

HERE = "https://mail.lycee.example"


@pytest.fixture
def app(tmp_path):
    app = Flask(__name__)
    app.jinja_loader = DictLoader({"error.html": "{{ title }}"})
    app.extensions["settings"] = settings.load(tmp_path, domain="lycee.example")
    Babel(app)
    app.before_request(refuse_foreign_forms)
    app.add_url_rule("/", "do", lambda: "done", methods=["GET", "POST"])
    return app


def status(app: Flask, origin: str | None, base: str = HERE, **headers: str) -> int:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if origin is not None:
        sent["Origin"] = origin
    with app.test_request_context("/", method=headers.pop("method", "POST"), base_url=base, headers=sent) as context:
        context.request.htmx = None
        answer = app.preprocess_request()
        return 200 if answer is None else answer.status_code


@pytest.mark.parametrize("origin", [None, HERE, "https://MAIL.lycee.example", "https://mail.lycee.example:443"])
def test_ours_are_taken(app, origin):
    assert status(app, origin) == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://lycee.example",
        "https://mail.lycee.example.evil.example",
        "https://evil.example/mail.lycee.example",
        "https://evil.example@mail.lycee.example.evil.example",
        "http://mail.lycee.example",
        "file://mail.lycee.example",
        "null",
        "",
        "mail.lycee.example",
        "https://mail.lycee.example:port",
        "https://[mail",
        "https://",
        "x" * 5000,
    ],
)
def test_others_are_refused(app, origin):
    assert status(app, origin) == 403


def test_the_port_counts_where_it_is_known(app):
    assert status(app, "http://127.0.0.1:8000", "http://127.0.0.1:8000") == 200
    assert status(app, "http://127.0.0.1:8001", "http://127.0.0.1:8000") == 403
    assert status(app, "http://127.0.0.1", "http://127.0.0.1:8000") == 403


def test_a_proxy_may_pass_on_the_name_alone_and_take_the_tls_off(app):
    assert status(app, "https://mail.lycee.example:8443", "http://mail.lycee.example") == 200


def test_the_public_address_is_ours_whatever_the_proxy_passes_on(app):
    assert status(app, HERE, "http://127.0.0.1:8000") == 403
    app.extensions["settings"] = replace(app.extensions["settings"], public_url=f"{HERE}/webmail")
    assert status(app, HERE, "http://127.0.0.1:8000") == 200
    assert status(app, "https://evil.example", "http://127.0.0.1:8000") == 403


def test_a_browser_that_withholds_its_origin_may_say_that_it_is_this_site(app):
    assert status(app, "null", Sec_Fetch_Site="same-origin") == 200
    assert status(app, "null", Sec_Fetch_Site="cross-site") == 403
    assert status(app, "https://evil.example", Sec_Fetch_Site="same-origin") == 403


def test_what_only_reads_is_not_asked(app):
    assert status(app, "https://evil.example", method="GET") == 200
