"""The telephone number: given, confirmed by a code, changed only by who proves it is them, and told to the old one."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.support.auth_app import PASSWORD, Browser, add, build
from webmail import audit
from webmail.auth.recovery import password_reset, text_messages
from webmail.auth.recovery.password_reset import Channel
from webmail.config.providers import Sms
from webmail.models import Session, SystemMessage, User, now
from webmail.system_mail import sms

PAGE, NUMBER, OTHER = "/account/phone", "+33612345678", "+33712345678"


@pytest.fixture
def settings(settings):
    return replace(settings, system_address="Lycée <a@lycee.example>", recovery_address="off", sms=Sms("console"))


@pytest.fixture
def texted(monkeypatch):
    found: list[tuple[str, str]] = []
    monkeypatch.setattr(sms, "send", lambda _gateway, number, text, _folder: found.append((number, text)))
    monkeypatch.setattr(text_messages, "send_soon", text_messages.send)
    return found


@pytest.fixture
def signed_in(visitor):
    """And has typed the password once more."""
    visitor.sign_in()
    Session.update(confirmed=now()).execute()
    return visitor


def give(browser, number="06 12 34 56 78"):
    return browser.post(PAGE, {"number": number}, form_at=f"{PAGE}?change=1")


def confirm(browser, texted, code=""):
    answer = browser.post(f"{PAGE}/code", {"code": code or re.search(r"\d{6}", texted[-1][1])[0]}, form_at=PAGE)
    answer.close()
    return answer


def phone_of(alice) -> str:
    return User.get_by_id(alice.id).phone


def test_a_code_confirms_it(signed_in, alice, texted):
    assert give(signed_in).location == PAGE
    assert phone_of(alice) == "" and texted[0][0] == NUMBER
    assert "+33 6 12 34 56 78".replace(" ", "\u00a0") in signed_in.get(PAGE).text
    assert confirm(signed_in, texted).location == PAGE
    assert phone_of(alice) == NUMBER
    assert SystemMessage.get(kind="security").recipient == alice.address
    entry = audit.search(act="phone-set")[0][0]
    assert entry.target == "+33…78"
    assert NUMBER not in str([vars(one) for one in audit.search()[0]])


def test_a_first_number_takes_the_password_and_leads_to_a_new_one_after_a_day(visitor, alice, settings, texted):
    visitor.sign_in()
    assert give(visitor).location.startswith("/account/confirm") and not texted
    visitor.post("/account/confirm", {"password": PASSWORD}, form_at="/account/confirm")
    give(visitor)
    confirm(visitor, texted)
    assert "you can use it from" in visitor.get(PAGE).text
    asked = password_reset.ask("alice", Channel.SMS, "", settings)
    assert password_reset.take_sending(asked, settings) is None
    User.update(phone_from=now()).execute()
    assert password_reset.take_sending(password_reset.ask("alice", Channel.SMS, "", settings), settings).to == NUMBER


def test_a_wrong_code_changes_nothing(signed_in, alice, texted):
    give(signed_in)
    answer = confirm(signed_in, texted, "abcdef")
    assert answer.status_code == 422 and phone_of(alice) == ""


@pytest.mark.parametrize(
    ("typed", "words"), [("", "This number is not complete"), ("0899 12 34 56", "mobile phone"), ("<b>", "complete")]
)
def test_what_can_not_be_one_says_why(signed_in, texted, typed, words):
    answer = give(signed_in, typed)
    assert answer.status_code == 422 and words in answer.text.replace("&#39;", "'") and texted == []


def test_a_gateway_that_is_away_is_told(signed_in, alice, monkeypatch):
    def away(*_arguments):
        raise sms.NotTextedError("away")

    monkeypatch.setattr(sms, "send", away)
    answer = give(signed_in)
    assert answer.status_code == 502 and "could not be sent" in answer.text
    assert 'name="code"' not in signed_in.get(PAGE).text


def test_three_codes_an_hour(signed_in, texted):
    for _ in range(3):
        assert give(signed_in).status_code == 303
    answer = give(signed_in)
    assert answer.status_code == 429 and len(texted) == 3 and int(answer.headers["Retry-After"]) <= 3600


def test_a_change_asks_again_and_the_old_one_is_told(signed_in, alice, texted):
    User.update(phone=NUMBER).execute()
    Session.update(confirmed=None).execute()
    assert give(signed_in, OTHER).location == "/account/confirm"
    Session.update(confirmed=now()).execute()
    give(signed_in, OTHER)
    confirm(signed_in, texted)
    assert phone_of(alice) == OTHER
    assert texted[-1][0] == NUMBER and "no longer belongs" in texted[-1][1]


def test_a_removal_asks_again_is_told_and_ends_codes_on_their_way(signed_in, alice, settings, texted):
    User.update(phone=NUMBER).execute()
    one = password_reset.ask("alice", Channel.SMS, "", settings)
    password_reset.take_sending(one, settings)
    proved = password_reset.check_code([one.token], one.code, settings)
    Session.update(confirmed=None).execute()
    assert signed_in.post(f"{PAGE}/remove", form_at=PAGE).location == "/account/confirm"
    Session.update(confirmed=now()).execute()
    signed_in.post(f"{PAGE}/remove", form_at=PAGE).close()
    assert phone_of(alice) == "" and texted[-1][0] == NUMBER
    assert password_reset.holder(proved) is None


@pytest.mark.parametrize("changed", [{"sms": None}, {"sign_in": "imap"}])
def test_without_a_gateway_nothing_of_it_is_there(settings, alice, changed):
    browser = Browser(build(settings))
    browser.sign_in(password=PASSWORD)
    other = Browser(build(replace(settings, **changed)))
    other.client = other.app.test_client()
    other.client.set_cookie("__Host-traboule", browser.cookie().value, domain="mail.lycee.example", secure=True)
    assert other.get(PAGE).status_code == 404


def test_many_people_together_do_not_plague_one_number(app, texted):
    answers = []
    for number in range(5):
        add(f"pupil{number}@lycee.example")
        pupil = Browser(app)
        pupil.sign_in(f"pupil{number}")
        Session.update(confirmed=now()).execute()
        answers.append(give(pupil).status_code)
    assert answers == [303] * 3 + [429] * 2 and len(texted) == 3
