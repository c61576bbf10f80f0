"""Pieces of pages: rendered again when what they show has changed, and never kept without bounds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, render_template_string, request
from flask_babel import Babel
from markupsafe import escape

from webmail.config.settings import Settings
from webmail.web.templates import fragment_cache
from webmail.web.templates.fragment_cache import gap, remembered

PAGE = """{% call remembered('a', *values) %}{{ seen(values[0]) }}<b>{{ values[0] }}</b>{% endcall %}"""
WITH_GAP = """{% call remembered('b', value, gaps={'token': token, 'back': back}) %}{{ seen(value) }}{{ value }}: {{ gap('token') }}, \
<a href="{{ gap('back') }}">{% endcall %}"""


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, int]]:
    """`page(value, ...)`: the piece, and how many times one has been rendered."""
    monkeypatch.setattr(fragment_cache, "_fragments", fragment_cache._Fragments(20_000))
    app, rendered = Flask(__name__), list[object]()
    app.extensions["settings"] = Settings()
    Babel(app, locale_selector=lambda: request.args.get("language", "en"))
    app.jinja_env.globals.update(remembered=remembered, gap=gap, seen=lambda value: rendered.append(value) or "")

    def ask(
        *values: object, url: str = "/", root: str = "", debug: bool = False, page: str = PAGE, **more: object
    ) -> tuple[str, int]:
        app.debug = debug
        with app.test_request_context(url, environ_overrides={"SCRIPT_NAME": root}):
            return render_template_string(page, values=values, **more), len(rendered)

    return ask


def test_equal_values_are_rendered_once(page) -> None:
    assert page("x", (1, 2)) == ("<b>x</b>", 1)
    assert page("x", (1, 2)) == ("<b>x</b>", 1)


def test_what_changed_is_rendered_again(page) -> None:
    page("x", (1, 2))
    assert page("x", (1, 3))[1] == 2
    assert page("y", (1, 2)) == ("<b>y</b>", 3)


def test_each_language_and_each_address_of_the_application_has_its_own(page) -> None:
    page("x")
    assert page("x", url="/?language=fr")[1] == 2
    assert page("x", root="/mail")[1] == 3
    assert page("x")[1] == 3


def test_what_is_shown_stays_escaped(page) -> None:
    for _twice in range(2):
        assert page("<script>")[0] == "<b>&lt;script&gt;</b>"


def test_while_one_works_on_templates_nothing_is_kept(page) -> None:
    page("x", debug=True)
    assert page("x", debug=True)[1] == 2


def test_the_oldest_give_way(page) -> None:
    for number in range(20):
        page(f"{number}")
    assert page("19")[1] == 20
    assert page("0")[1] == 21
    assert fragment_cache._fragments._bytes <= 20_000


@pytest.mark.parametrize("debug", [False, True])
def test_what_is_another_on_each_page_fills_the_gaps(page, debug: bool) -> None:
    for number, token in enumerate(("<t1>", "t2"), 1):
        shown, rendered = page(page=WITH_GAP, value="x", token=token, back='/"', debug=debug)
        assert shown == f'x: {escape(token)}, <a href="/&#34;">'
        assert rendered == (number if debug else 1)


def test_nobody_can_write_a_gap(page) -> None:
    for value in ("token", "token;", "{{ gap('token') }}"):
        assert page(page=WITH_GAP, value=value, token="secret", back="")[0].startswith(f"{escape(value)}: secret")
