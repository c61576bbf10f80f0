"""What is said to whoever did something too often: one sentence in words people use, and 429 with Retry-After."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from webmail import create_app
from webmail.rate_limits import TooManyRequestsError
from webmail.web.responses.errors import mail_error
from webmail.web.responses.too_many import again_words


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return create_app(tmp_path / "instance", domain="lycee.example", language="en", secure_cookies="false")


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=5), "in 5 seconds."),
        (timedelta(seconds=61), "in 2 minutes."),
        (timedelta(minutes=119), "in 119 minutes."),
        (timedelta(hours=23, minutes=1), "in 24 hours."),
        (timedelta(), ""),
    ],
)
def test_when_to_try_again_is_told_in_seconds_minutes_or_hours(app, span, words):
    with app.test_request_context():
        assert again_words(TooManyRequestsError(span)).removeprefix("Please try again ") == words
        with force_locale("fr"):
            assert again_words(TooManyRequestsError(timedelta(minutes=4))) == "Réessayez dans 4 minutes."


def test_whatever_page_meets_a_limit_answers_429_and_when(app):
    with app.test_request_context():
        answer = mail_error(TooManyRequestsError(timedelta(minutes=4)))
    assert answer.status_code == 429 and answer.headers["Retry-After"] == "240"
    assert "Please try again in 4 minutes." in answer.get_data(as_text=True)
