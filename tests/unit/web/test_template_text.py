"""`_` in templates: the language of the visit, values escaped; and the names that templates share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, render_template_string, request
from flask_babel import Babel

from webmail.config.settings import Settings
from webmail.web import formatting
from webmail.web.templates.template_environment import TemplateEnvironment

TRANSLATIONS = Path(__file__).resolve().parents[3] / "webmail" / "translations"


@pytest.fixture
def page() -> Callable[..., str]:
    """`page(template, language, value=...)`: what it renders to."""
    app = Flask(__name__)
    app.jinja_environment = TemplateEnvironment
    app.extensions["settings"] = Settings()
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    Babel(app, locale_selector=lambda: request.args.get("language", "en"))
    app.jinja_env.globals["_"] = formatting.template_text

    def render(template: str, language: str = "en", **values: object) -> str:
        with app.test_request_context(f"/?language={language}"):
            return render_template_string(template, **values)

    return render


def test_each_visit_has_its_language(page) -> None:
    for language, word in (("en", "Undo"), ("fr", "Annuler"), ("en", "Undo")):
        assert page("{{ _('Undo') }}", language) == word


def test_values_are_escaped_and_the_text_is_not(page) -> None:
    assert page("{{ _('<b>%(who)s</b>', who=name) }}", name="<i>&") == "<b>&lt;i&gt;&amp;</b>"


def test_two_per_cent_signs_are_one(page) -> None:
    assert page("{{ _('80 %%') }}{{ _('%(part)s %%', part=95) }}") == "80 %95 %"


def test_what_a_template_is_given_stays_its_own(page) -> None:
    assert page("{% set seen = value %}{{ seen }}", value="a") == "a"
    assert page("{{ value is defined }}{{ seen is defined }}") == "FalseFalse"
