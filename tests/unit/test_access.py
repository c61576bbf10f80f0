"""Every answer carries its guards. Who may open which address: tests/unit/auth/test_route_table.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from tests.support.visits import Visitor
from webmail import create_app


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return create_app(tmp_path, secure_cookies="false", imap_security="none")


def test_every_page_carries_its_guards(app: Flask) -> None:
    for url in ("/login", "/nope", "/static/css/base.css", "/static/css/nope.css?v=1", "/healthz"):
        headers = Visitor(app).get(url).headers
        policy = headers.get("Content-Security-Policy", "")
        assert ("default-src 'none'" in policy and "unsafe" not in policy) or url.endswith("base.css"), url  # a part of pages
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == ("public, max-age=31536000, immutable" if "base.css" in url else "no-store, no-cache")


def test_no_template_has_inline_styles_or_scripts_or_unescaped_values() -> None:
    for file in (Path(__file__).resolve().parents[2] / "templates").rglob("*.html"):
        text = file.read_text()
        assert not re.search(r"\sstyle=|\son\w+=|<script>|javascript:|\|\s*safe", text), file


def test_healthz_says_whether_the_database_works(app: Flask) -> None:
    assert Visitor(app).get("/healthz").status == 200


def test_the_sign_in_page_speaks_the_visitors_language(app: Flask) -> None:
    french, english = Visitor(app, language="fr-FR,fr;q=0.9"), Visitor(app, language="en-GB")
    assert "Se connecter" in french.get("/login").text
    assert "Sign in" in english.get("/login").text
    assert "Se connecter" in Visitor(app, language="de").get("/login").text
    page = english.submit(english.get("/login"), "form.language", language="fr")
    assert "Se connecter" in page.text


def test_a_cookie_and_a_form_of_another_visitor_are_refused(app: Flask) -> None:
    one, other = Visitor(app), Visitor(app)
    token = one.get("/login").one("form[action='/login'] [name=csrf_token]")["value"]
    other.get("/login")
    assert other.post("/login", {"csrf_token": token, "username": "a", "password": "b"}).status == 400
