"""The deputy's pages: who is let in, the sheet that is shown once, what the colleague is told, and what is refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.auth_app import PASSWORD, Browser, add, build
from tests.support.limits import lower
from webmail.auth.recovery import deputies
from webmail.models import (
    AuditAct,
    AuditEntry,
    Authenticator,
    GroupMember,
    PeopleGroup,
    Session,
    SystemMessage,
    TrustedDevice,
    User,
    now,
)

NEW = "un tournesol sur 12 bateaux"


@pytest.fixture
def settings(settings):
    return replace(
        settings,
        name="Lycée",
        system_address="Lycée <info@lycee.example>",
        public_url="https://mail.lycee.example",
        language="en",
    )


@pytest.fixture
def app(settings, alice, bob):
    """Bob is the deputy of 4e B, where Alice is; Zoé is in no group."""
    add("zoe@lycee.example")
    group = PeopleGroup.create(identifier="b@lycee.example", name="4e B", sort="4e b", domain="lycee.example")
    GroupMember.create(group=group, user=alice)
    deputies.add(bob, group)
    User.update(name="Alice <b>Leroy</b>", recovery_address="alice@home.example", language="fr").where(
        User.id == alice.id
    ).execute()
    return build(settings)


@pytest.fixture
def deputy(app):
    return signed_in(app, "bob")


def signed_in(app, name, confirmed=True):
    """Somebody who has taken their second step, and given a factor again."""
    browser = Browser(app)
    browser.sign_in(name)
    user = User.get(User.local == name)
    User.update(second_step=1).where(User.id == user.id).execute()
    Session.update(confirmed=now() if confirmed else None).where(Session.user == user).execute()
    return browser


def url(name="alice", what=""):
    return f"/deputy/{User.get(User.local == name).id}{what}"


def make(browser, name="alice"):
    page = browser.get(url(name, "/password"))
    seen = re.search(r'name="seen" value="(\w+)"', page.text)[1]
    return browser.post(url(name, "/password"), {"seen": seen}, form_at=url(name, "/password"))


def letters_of(page):
    return re.search(r"data-temporary-password[^>]*>([^<]+)<", page.text)[1]


def mails():
    return {(row.recipient, row.subject): row.body for row in SystemMessage.select()}


# --- who -------------------------------------------------------------------------------------------------------------


def test_there_is_no_such_page_for_others(app):
    zoe = signed_in(app, "zoe")
    for what in ("", "/password", "/factors", "/sheet"):
        assert zoe.get(url("alice", what)).status_code == 404
    assert zoe.get("/deputy").status_code == 404


def test_people_outside_the_groups_are_as_nobody(app, deputy):
    nobody = deputy.get("/deputy/9999999")
    for what in ("", "/password", "/factors", "/sheet"):
        assert deputy.get(url("zoe", what)).status_code == nobody.status_code == 404
    assert deputy.get(url("zoe")).text == nobody.text.replace("/deputy/9999999", url("zoe"))  # its link to help names the page
    for what in ("/password", "/factors"):
        answer = deputy.post(url("zoe", what), {"reason": "lost", "seen": "x"}, form_at=url("alice", "/password"))
        assert answer.status_code == 404
    assert not SystemMessage.select().exists()


def test_the_list_is_searched(deputy):
    assert "alice@lycee.example" in deputy.get("/deputy?query=leroy").text
    assert "alice@lycee.example" not in deputy.get("/deputy?query=zzz").text
    assert deputy.get("/deputy?query=%25").text.count("data-person") == 0  # a character like others
    assert deputy.get("/deputy?page=99").status_code == 303
    assert deputy.get("/deputy?page=-1").status_code == 200


def test_names_are_text(deputy):
    for what in ("", "/password"):
        assert "<b>Leroy" not in deputy.get(url("alice", what)).text
    assert "<b>Leroy" not in deputy.get("/deputy").text


def test_a_factor_is_asked_for_first(app):
    bob = signed_in(app, "bob", confirmed=False)
    assert "/account/confirm" in bob.get(url("alice", "/password")).location
    assert "/account/confirm" in bob.get(url("alice", "/factors")).location
    answer = bob.post(url("alice", "/password"), {"seen": "x"}, form_at="/account/confirm")
    assert "/account/confirm" in answer.location
    assert User.get(User.local == "alice").must_change == 0


def test_a_deputy_without_a_second_factor_is_told_to_get_one(app, deputy):
    User.update(second_step=0).where(User.local == "bob").execute()
    page = deputy.get(url())
    assert "Set up two-step verification yourself first" in page.text
    assert "New temporary password" not in page.text
    assert deputy.get(url("alice", "/password")).status_code == 403


# --- the password ----------------------------------------------------------------------------------------------------


def test_the_sheet_is_shown_once(deputy):
    made = make(deputy)
    assert made.status_code == 303
    sheet = deputy.get(made.location)
    assert sheet.status_code == 200
    assert "no-store" in sheet.headers["Cache-Control"]
    letters = letters_of(sheet)
    assert re.fullmatch(r"[a-z]{4}( [a-z]{4}){3}", letters)
    again = deputy.get(made.location)
    assert again.status_code == 410
    assert letters not in again.text
    assert not any(letters.replace(" ", "") in row.data for row in Session.select())


def test_it_waits_sealed(deputy):
    make(deputy)
    rows = " ".join(row.data for row in Session.select())
    sheet = letters_of(deputy.get(url("alice", "/sheet")))
    assert sheet not in rows
    assert sheet.replace(" ", "") not in rows


def test_it_speaks_the_language_of_who_gets_it(deputy):
    sheet = deputy.get(make(deputy).location).text
    assert '<article class="leaf" lang="fr">' in sheet
    assert "https://mail.lycee.example" in sheet
    assert "Lycée" in sheet
    assert "alice@lycee.example" in sheet


def test_the_colleague_signs_in_with_it_and_chooses_their_own(app, deputy):
    letters = letters_of(deputy.get(make(deputy).location))
    alice = Browser(app)
    assert alice.sign_in("alice").status_code == 401  # the old one
    assert alice.sign_in("alice", letters.upper()).status_code == 303
    assert alice.get("/mailbox/INBOX").location.startswith("/account/password")
    fields = {"password": letters, "new_password": NEW, "new_password_again": NEW}
    assert alice.post("/account/password", fields, form_at="/account/password").status_code == 303
    assert alice.get("/mailbox/INBOX").status_code == 200


def test_everything_that_was_open_ends(app, deputy, alice):
    TrustedDevice.create(token_hash="0" * 64, user=alice, expires=now() + timedelta(days=1))
    browser = Browser(app)
    browser.sign_in("alice")
    make(deputy)
    assert browser.get("/mailbox/INBOX").status_code == 302
    assert not TrustedDevice.select().where(TrustedDevice.user == alice).exists()


def test_they_are_told_at_every_address(deputy, alice):
    make(deputy)
    told = {recipient for recipient, _subject in mails()}
    assert told == {"alice@lycee.example", "alice@home.example"}
    letters = letters_of(deputy.get(url("alice", "/sheet")))
    for body in mails().values():
        assert "bob@lycee.example" in body
        assert letters.split()[0] not in body.split()
        assert "tell your administrator immediately" in body and "If this was you" not in body  # it was somebody else
    entry = AuditEntry.get(AuditEntry.act == AuditAct.DEPUTY_PASSWORD_SET)
    assert (entry.actor_address, entry.target) == ("bob@lycee.example", "alice@lycee.example")


def test_pressed_twice_it_is_made_once(deputy):
    page = deputy.get(url("alice", "/password"))
    seen = re.search(r'name="seen" value="(\w+)"', page.text)[1]
    fields = {"seen": seen}
    first = deputy.post(url("alice", "/password"), fields, form_at=url("alice", "/password"))
    second = deputy.post(url("alice", "/password"), fields, form_at=url("alice", "/password"))
    assert (first.status_code, second.status_code) == (303, 409)
    assert url("alice", "/sheet") in second.text
    assert deputy.get(url("alice", "/sheet")).status_code == 200
    assert len(mails()) == 2


def test_a_sheet_that_is_good_no_more_is_not_shown(app, deputy):
    make(deputy)
    User.update(role="admin").where(User.local == "zoe").execute()
    make(signed_in(app, "zoe"))
    assert deputy.get(url("alice", "/sheet")).status_code == 410


def test_a_temporary_password_that_is_too_old_says_so(app, deputy):
    letters = letters_of(deputy.get(make(deputy).location))
    User.update(temporary_until=now() - timedelta(seconds=1)).where(User.local == "alice").execute()
    answer = Browser(app).sign_in("alice", letters)
    assert answer.status_code == 401
    assert "no longer valid" in answer.text
    assert "no longer valid" in deputy.get(url()).text


def test_too_many_within_an_hour(deputy, monkeypatch):
    lower(monkeypatch, deputies, "HELPED", most=0)
    answer = make(deputy)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_an_account_of_a_provider_says_who_keeps_its_password(deputy):
    User.update(password="", provider="ldap", second_step=1).where(User.local == "alice").execute()
    page = deputy.get(url())
    assert "is managed by" in page.text
    assert url("alice", "/factors") in page.text


# --- factors ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def locked_out(alice):
    Authenticator.create(user=alice, name="App", secret=b"x", confirmed=True)
    User.update(second_step=1).where(User.id == alice.id).execute()


def test_removing_factors_takes_a_reason_and_is_told(app, deputy, locked_out):
    at = url("alice", "/factors")
    without = deputy.post(at, {"reason": " "}, form_at=at)
    assert without.status_code == 422
    assert User.get(User.local == "alice").second_step == 1
    assert deputy.post(at, {"reason": "Phone stolen, <i>card</i> seen"}, form_at=at).location == url()
    assert User.get(User.local == "alice").second_step == 0
    entry = AuditEntry.get(AuditEntry.act == AuditAct.DEPUTY_FACTORS_REMOVED)
    assert json.loads(entry.details)["reason"] == "Phone stolen, <i>card</i> seen"
    assert {recipient for recipient, _subject in mails()} == {"alice@lycee.example", "alice@home.example"}
    alice = Browser(app)
    assert alice.sign_in("alice", PASSWORD).location.startswith(("/mailbox", "/account/recovery"))


def test_both_lost_is_no_dead_end(app, deputy, locked_out):
    at = url("alice", "/factors")
    assert deputy.post(at, {"reason": "bag stolen"}, form_at=at).status_code == 303
    letters = letters_of(deputy.get(make(deputy).location))
    assert Browser(app).sign_in("alice", letters).status_code == 303


def test_a_long_reason_is_cut_and_a_form_of_another_site_is_refused(deputy, locked_out):
    at = url("alice", "/factors")
    foreign = deputy.post(at, {"reason": "lost"}, form_at=at, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert deputy.client.post(at, data={"reason": "lost"}, base_url=deputy.base).status_code == 400
    assert User.get(User.local == "alice").second_step == 1
    assert deputy.post(at, {"reason": "x" * 5000}, form_at=at).status_code == 303
    entry = AuditEntry.get(AuditEntry.act == AuditAct.DEPUTY_FACTORS_REMOVED)
    assert json.loads(entry.details)["reason"] == "x" * deputies.LONGEST_REASON
