"""The terms of use: accepted before anything else, asked again when they change, never a dead end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.auth_app import Browser, build
from webmail import audit
from webmail.models import Session, User

PAGE = "/account/terms"
TEXT = """# Rules of the school

Be kind.
Read https://lycee.example/rules first.

- no <b>spam</b>
- no secrets,
  nowhere

3. third
4. fourth

See javascript:alert(1) and www.lycee.example
"""


@pytest.fixture
def settings(settings):
    folder = Path(settings.instance)
    (folder / "terms.txt").write_text(TEXT)
    return replace(settings, terms_file="terms.txt", terms_version="2026-09")


@pytest.fixture
def signed_in(visitor):
    visitor.sign_in()
    return visitor


def accept(browser, version="2026-09", **more):
    return browser.post(PAGE, {"version": version, "action": "accept", **more}, form_at=PAGE)


def test_they_come_before_everything_else(signed_in):
    assert signed_in.get("/mailbox/Sent").location == f"{PAGE}?next=/mailbox/Sent"
    assert signed_in.post("/mailbox/INBOX", form_at=PAGE).location.startswith(PAGE)
    shown = signed_in.get(f"{PAGE}?next=/mailbox/Sent").text
    assert "I accept the terms" in shown and "Sign out" in shown
    assert 'name="next" value="/mailbox/Sent"' in shown


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_text_that_is_being_written_when_they_change_is_not_lost(app, signed_in, headers):
    app.view_functions["mailbox.show"].keeps_text = True
    there, fields = "/mailbox/letter", {"body": "Dear all", "to": "bob", "action": "send"}
    response = signed_in.post(there, fields, form_at=PAGE, headers=headers)
    assert f"{PAGE}?next={there}" in (response.location, response.headers.get("HX-Redirect"))
    assert "Dear all" not in Session.get().data and "bob" not in Session.get().data
    row, token = Session.get(), signed_in.client.get_cookie(app.session_interface.name, domain="mail.lycee.example").value
    with app.test_request_context():
        kept = app.session_interface.read(row.data, token, row.user_id)["kept"]
        assert "kept" not in app.session_interface.read(row.data, "another token", row.user_id)
    assert kept == {"path": there, "fields": [["body", "Dear all"], ["to", "bob"]]}


def test_text_of_a_foreign_form_is_not_kept(app, signed_in):
    app.view_functions["mailbox.show"].keeps_text = True
    signed_in.client.post("/mailbox/letter", data={"body": "planted", "csrf_token": "forged"}, base_url=signed_in.base)
    assert "planted" not in Session.get().data


def test_accepting_leads_to_what_was_asked_for(signed_in, alice):
    assert accept(signed_in, next="/mailbox/Sent").location == "/mailbox/Sent"
    kept = User.get_by_id(alice.id)
    assert kept.terms == "2026-09" and kept.terms_at is not None
    assert audit.search()[0][0].act == "terms-accepted"
    assert audit.details_of(audit.search()[0][0]) == {"version": "2026-09"}
    assert signed_in.get("/mailbox/Sent").status_code == 200


def test_signing_out_instead(signed_in):
    assert signed_in.post("/logout", form_at=PAGE).location == "/login"


def test_the_text_is_shown_safely(signed_in):
    shown = signed_in.get(PAGE).text
    assert "<h2>Rules of the school</h2>" in shown
    assert "Be kind.<br>" in shown
    assert 'href="https://lycee.example/rules"' in shown and "javascript:alert(1)</a>" not in shown
    assert "<li>no &lt;b&gt;spam&lt;/b&gt;</li><li>no secrets, nowhere</li>" in shown
    assert '<ol start="3"><li>third</li><li>fourth</li></ol>' in shown


def test_they_are_asked_again_when_they_change(settings, signed_in, alice):
    accept(signed_in)
    browser = Browser(build(replace(settings, terms_version="2027-09")))
    browser.sign_in()
    assert browser.get("/mailbox/INBOX").location.startswith(PAGE)
    assert accept(browser, "2026-09").location == PAGE, "a page that was open since before the change"
    assert User.get_by_id(alice.id).terms == "2026-09"
    assert "have changed" in browser.get(PAGE).text


def test_they_can_be_read_again(signed_in):
    accept(signed_in)
    shown = signed_in.get(PAGE).text
    assert "Be kind." in shown and "You accepted them on" in shown and "I accept" not in shown


def test_a_language_of_its_own(settings, signed_in):
    (Path(settings.instance) / "terms.en.txt").write_text("English words")
    assert "English words" in signed_in.get(PAGE).text


def test_a_broken_text_in_a_language_leaves_the_other(settings, signed_in):
    (Path(settings.instance) / "terms.en.txt").write_bytes(b"\xff\xfe")
    assert "Be kind." in signed_in.get(PAGE).text


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe\x00", b"x" * 200_001])
def test_a_text_that_can_not_be_shown_holds_nobody_up(settings, signed_in, content):
    file = Path(settings.instance) / "terms.txt"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert signed_in.get("/mailbox/INBOX").status_code == 200
    assert signed_in.get(PAGE).status_code == 404


def test_a_temporary_password_comes_first(visitor, alice):
    User.update(must_change=1).execute()
    visitor.sign_in()
    assert visitor.get(PAGE).location.startswith("/account/password")


def test_the_strength_of_a_password_leads_nowhere(signed_in):
    """Its answer may come when the password has changed already, and the page of the password must not be where one goes next."""
    answer = signed_in.post("/account/password/strength", {"new_password": "abc"}, form_at=PAGE)
    assert answer.status_code == 200 and "HX-Redirect" not in answer.headers
