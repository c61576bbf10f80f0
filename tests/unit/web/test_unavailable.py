"""Answers 503: each leaves a line in the log with its reason."""

from __future__ import annotations

import logging

import pytest
from flask import Flask

from webmail.web.responses import unavailable


@pytest.fixture
def client():
    app = Flask("unavailable")
    unavailable.install(app)

    @app.get("/busy")
    def busy():
        unavailable.because("no turn within 10 s")
        return "later", 503

    @app.get("/other")
    def other():
        return "later", 503

    @app.get("/fine")
    def fine():
        unavailable.because("nothing, in the end")
        return "ok"

    return app.test_client()


@pytest.mark.parametrize(
    ("path", "line"),
    [("/busy", "503 for GET busy: no turn within 10 s"), ("/other", "503 for GET other: no reason was noted"), ("/fine", None)],
)
def test_a_line_says_why(client, caplog, path, line):
    with caplog.at_level(logging.WARNING):
        client.get(path)
    assert [record.getMessage() for record in caplog.records] == ([line] if line else [])


def test_what_a_browser_guesses_leaves_none(client, caplog):
    client.get("/busy", headers={"Sec-Purpose": "prefetch"})
    assert not caplog.records
