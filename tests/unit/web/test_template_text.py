"""`_` in templates: the language of the visit, values escaped; and what the environment of templates does in Jinja's place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, render_template_string, request
from flask_babel import Babel
from jinja2 import DictLoader, pass_context

from webmail.config.settings import Settings
from webmail.web import formatting
from webmail.web.templates.template_environment import TemplateEnvironment

TRANSLATIONS = Path(__file__).resolve().parents[3] / "webmail" / "translations"
PIECES = {
    "outer.html": "<{% block title %}outer{% endblock %}|{% block body %}{% endblock %}>",
    "middle.html": "{% extends 'outer.html' %}{% block title %}middle, {{ super() }}{% endblock %}",
    "own.html": "{% for one in rows %}{{ named(one) }}{% endfor %}",
}


@pytest.fixture
def page() -> Callable[..., str]:
    """`page(template, language, value=...)`: what it renders to."""
    app = Flask(__name__)
    app.jinja_environment = TemplateEnvironment
    app.extensions["settings"] = Settings()
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    app.jinja_loader = DictLoader(PIECES)
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


def test_a_block_can_hold_what_the_templates_below_have_in_it(page) -> None:
    inner = "{% extends 'middle.html' %}{% block title %}{{ name }}: {{ super() }}{% endblock %}{% block body %}{{ self.title() }}{% endblock %}"
    assert page(inner, name="<") == "<&lt;: middle, outer|&lt;: middle, outer>"


def test_functions_get_what_they_are_called_with_and_the_context_where_they_want_it(page) -> None:
    @pass_context
    def looks(context, word: str) -> str:
        return f"{word} {context['name']}"

    def plain(word: str, *, end: str = ".") -> str:
        return word + end

    template = "{% for one in rows %}{% set name = one %}{{ looks('row') }} {{ plain(one, end='!') }} {% endfor %}"
    assert page(template, rows=["a", "b"], name="c", looks=looks, plain=plain) == "row a a! row b b! "
    assert page("{% include 'own.html' %}", rows=["a", "b"], named=plain) == "a.b."
