"""Every address needs a sign-in, but those of this list; and every answer carries its guards."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from tests.support.visits import Visitor
from webmail import create_app
from webmail.auth import passwords
from webmail.database.connection import db
from webmail.models import User

PUBLIC = {"static", "healthz", "too_large", "auth.login", "auth.log_in", "auth.logout", "settings.set_language"}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return create_app(tmp_path, secure_cookies="false", imap_security="none")


def test_all_but_the_listed_addresses_need_a_sign_in(app: Flask) -> None:
    visitor = Visitor(app)
    for rule in app.url_map.iter_rules():
        url = re.sub(r"<int:\w+>", "1", rule.rule)
        url = re.sub(r"<[^>]*>", "x", url)
        for method in (rule.methods or set()) & {"GET", "POST"}:
            page = visitor.get(url, follow=False) if method == "GET" else visitor.post(url, follow=False)
            led_away = page.status in (302, 303) and page.location.startswith("/login")
            led_away = led_away or (page.status == 401 and bool(page.all("form[action='/login']")))
            if rule.endpoint in PUBLIC:
                assert method == "POST" or not led_away, url
            else:
                assert led_away, f"{method} {url} answers {page.status} to anybody"


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


def test_nothing_is_done_for_somebody_signed_in_without_the_token_of_a_form(tmp_path: Path) -> None:
    app = create_app(tmp_path, secure_cookies="false", imap_security="none", imap_port=1, sign_in="accounts")
    with db.connection_context():
        User.create(address="a@x.example", local="a", domain="x.example", password=passwords.hash_password("demo"))
    visitor = Visitor(app)
    form = "form[action='/login']"
    assert visitor.submit(visitor.get("/login"), form, username="a@x.example", password="demo", follow=False).status == 303
    asked = 0
    for rule in app.url_map.iter_rules():
        if "POST" not in (rule.methods or set()):
            continue
        url = re.sub(r"<int:\w+>", "1", rule.rule)
        url = re.sub(r"<[^>]*>", "0" * 32, url)
        for token in ("", "old"):
            page = visitor.post(url, {"csrf_token": token, "action": "save", "name": "x"}, follow=False)
            assert page.status == 400, f"POST {url} answers {page.status} to a form of somebody else"
            asked += 1
    assert asked > 80
