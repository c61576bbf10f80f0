"""What signing in and out leaves in the audit log, and what it must not."""

from __future__ import annotations

import pytest

from tests.support.auth_app import PASSWORD, Browser
from webmail import audit
from webmail.auth.views import sign_in as views
from webmail.database.connection import db
from webmail.errors import ServerAwayError
from webmail.models import AuditEntry, Session

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HERE = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture
def visitor(app):
    browser = Browser(app)
    browser.client.environ_base |= {"HTTP_USER_AGENT": FIREFOX, **HERE}
    return browser


def entries() -> list[tuple[str, str, str, str, dict]]:
    """(act, actor, target, network, details), oldest first."""
    found = audit.search()[0][::-1]
    return [(e.act, e.actor_address, e.target, e.network, audit.details_of(e)) for e in found]


def test_signing_in_and_out(visitor, alice):
    visitor.sign_in()
    visitor.post("/logout", form_at="/devices")
    assert entries() == [
        ("sign-in", alice.address, "Firefox, Linux", "192.0.2.7", {}),
        ("sign-out", alice.address, "Firefox, Linux", "192.0.2.7", {}),
    ]
    assert {entry.actor_id for entry in AuditEntry.select()} == {alice.id}


def test_a_shared_computer_is_told(visitor):
    visitor.sign_in(shared="y")
    assert entries()[0][4] == {"shared": True}


def test_signing_out_twice_is_written_once(visitor):
    visitor.sign_in()
    for _ in range(2):
        visitor.post("/logout", form_at="/login" if not visitor.cookie() else "/devices")
    assert [entry[0] for entry in entries()] == ["sign-in", "sign-out"]


def test_a_wrong_password_is_counted_under_the_account_and_not_kept(visitor, alice):
    for word in ("hunter2", "hunter3", "hunter2"):
        assert visitor.sign_in("Alice", word).status_code == 401
    [(act, actor, target, network, details)] = entries()
    assert (act, actor, target, network) == ("sign-in-refused", "", alice.address, "192.0.2.7")
    assert details == {"times": 3}
    assert "hunter" not in everything_stored()


@pytest.mark.parametrize(
    "name", [PASSWORD, "hunter2", "p@ssw0rd", "mallory@lycee.example", "", "x" * 5000, "a\r\nb\x00", PASSWORD + "\n"]
)
def test_a_name_that_is_no_account_is_not_kept_for_it_may_be_a_password(visitor, name):
    visitor.sign_in(name, "anything")
    assert [entry[:3] for entry in entries()] == [("sign-in-refused", "", "unknown")]
    if name:
        assert name.strip() not in everything_stored()


def test_too_many_attempts_are_an_act_of_their_own(visitor, alice, settings):
    for _ in range(settings.sign_in_attempts + 3):
        visitor.sign_in(password="wrong")
    times = {act: details.get("times", 1) for act, _actor, _target, _network, details in entries()}
    assert times == {"sign-in-refused": settings.sign_in_attempts, "sign-in-blocked": 3}
    assert {entry[2] for entry in entries()} == {alice.address}


def test_a_mail_server_that_is_away_refused_nobody(visitor, monkeypatch):
    def away(*_args, **_options):
        raise ServerAwayError("not there")

    monkeypatch.setattr(views, "sign_in", away)
    assert visitor.sign_in().status_code == ServerAwayError.status
    assert entries() == []


def test_ending_one_session_and_all_others(app, visitor, alice):
    phone = Browser(app)
    phone.client.environ_base["HTTP_USER_AGENT"] = "Lynx/2.9"
    for browser in (visitor, phone, Browser(app), Browser(app)):
        browser.sign_in()
    of_phone = Session.get(Session.user_agent == "Lynx/2.9").id_hash
    AuditEntry.delete().execute()
    for _ in range(2):
        visitor.post("/sessions", {"session": of_phone}, form_at="/devices")
        visitor.post("/sessions", form_at="/devices")
    assert entries() == [
        ("session-ended", alice.address, "Lynx", "192.0.2.7", {}),
        ("sessions-ended", alice.address, "", "192.0.2.7", {"sessions": 2}),
    ]
    assert of_phone not in everything_stored()


def test_ending_ones_own_session_is_signing_out(visitor):
    visitor.sign_in()
    visitor.post("/sessions", {"session": Session.get().id_hash}, form_at="/devices")
    assert [entry[0] for entry in entries()] == ["sign-in", "sign-out"]


def test_nobody_ends_or_learns_of_somebody_elses_session(app, visitor, bob):
    other = Browser(app)
    other.sign_in("bob")
    visitor.sign_in()
    AuditEntry.delete().execute()
    visitor.post("/sessions", {"session": Session.get(Session.user == bob).id_hash}, form_at="/devices")
    assert entries() == []


def test_a_forged_browser_name_stays_one_short_line(app, alice):
    visitor = Browser(app)
    visitor.client.environ_base["HTTP_USER_AGENT"] = "x\x1b[2J\t" + "y" * 9000
    visitor.sign_in()
    [(_act, _actor, target, _network, _details)] = entries()
    assert target.isprintable() and len(target) <= 254


def test_without_the_table_people_sign_in_and_out_all_the_same(visitor):
    db.drop_tables([AuditEntry])
    assert visitor.sign_in(password="wrong").status_code == 401
    assert visitor.sign_in().status_code == 303
    assert visitor.post("/logout", form_at="/devices").status_code == 303


def everything_stored() -> str:
    return str(list(AuditEntry.select().dicts()))
