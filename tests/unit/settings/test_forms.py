"""The form of settings: all that a preference may be is offered."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import Babel

from webmail.preferences import CHOICES
from webmail.settings.forms import PreferencesForm


@pytest.mark.parametrize("name", [name for name in CHOICES if hasattr(PreferencesForm, name)])
def test_every_choice_can_be_made(name: str) -> None:
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "a secret"
    Babel(app)
    with app.test_request_context("/"):
        offered = {value for value, *_words in PreferencesForm()[name].iter_choices()}
    missing = set(CHOICES[name]) - offered
    assert missing in (set(), {""}, {0})  # these may stand for what the administrator decides
    assert name != "write_format" or not missing


def test_french_choices_of_school_holidays_fit_their_list() -> None:
    """300 pixels wide beside the words, where some 30 letters have room before the arrow."""
    app = Flask("webmail")
    app.config["SECRET_KEY"] = "a secret"
    Babel(app, locale_selector=lambda: "fr")
    with app.test_request_context("/"):
        labels = [
            str(label) for _value, label, *_more in PreferencesForm().offer_zones(["A", "B", "C"]).school_zone.iter_choices()
        ]
    assert labels[0].startswith("Communes") and max(map(len, labels)) <= 30
