"""Forgotten passwords: a link or a code leads to a new one, says nothing of who has an account, and skips no second step."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.support.auth_app import PASSWORD, Browser, add, build, csrf
from webmail import audit, system_mail
from webmail.auth.factors import mailed_codes, second_step, trusted_devices
from webmail.auth.factors.mailed_codes import CodePurpose
from webmail.auth.passwords import hashing
from webmail.auth.recovery import text_messages
from webmail.auth.sessions import mail_sessions
from webmail.config.providers import Oidc, Sms, Support
from webmail.models import PasswordReset, Session, SystemMessage, User
from webmail.system_mail import sms

OUTSIDE, NUMBER = "alice@ailleurs.example", "+33612345678"
NEW = "cheval pile agrafe nuage"
CHOSEN = {"new_password": NEW, "new_password_again": NEW}


@pytest.fixture
def settings(settings):
    return replace(
        settings, system_address="Lycée <a@lycee.example>", public_url="https://mail.lycee.example", sms=Sms("console"),
        recovery_address="ask", support=Support(telephone="01 23 45 67 89"),
    )  # fmt: skip


@pytest.fixture
def alice(alice):
    alice.recovery_address, alice.phone, alice.recovery_asked = OUTSIDE, NUMBER, alice.created
    alice.save()
    return alice


@pytest.fixture
def texted(monkeypatch):
    """The text messages that were sent."""
    found: list[tuple[str, str]] = []
    monkeypatch.setattr(sms, "send", lambda _gateway, number, text, _folder: found.append((number, text)))
    monkeypatch.setattr(text_messages, "send_soon", text_messages.send)
    return found


def ask(browser, name="alice", action="mail", **headers):
    answer = browser.post("/forgot", {"username": name, "action": action}, form_at="/forgot", headers=headers)
    answer.close()  # what comes after it
    return answer


def letters(settings) -> list[str]:
    rows = SystemMessage.select().where(SystemMessage.kind == "password").order_by(SystemMessage.id)
    return [system_mail.text_of(row, settings.secret_key) for row in rows]


def link(settings) -> str:
    """The path of the link that was mailed last."""
    return re.search(r"^https://mail\.lycee\.example(/forgot/\S+)$", letters(settings)[-1], re.M)[1]


def choose(browser, path, **more):
    fields = {**CHOSEN, "token": path.rpartition("/")[2], **more}
    answer = browser.post("/forgot/new", fields, form_at=path)
    answer.close()
    return answer


def code(texted) -> str:
    return re.search(r"\b\d{6}\b", texted[-1][1])[0]


def told() -> set[str]:
    rows = SystemMessage.select().where(SystemMessage.kind == "security", SystemMessage.subject == "You have a new password")
    return {row.recipient for row in rows}


# --- asking ----------------------------------------------------------------------------------------------------------


def test_by_a_link_to_a_new_password_and_in(visitor, alice, settings, monkeypatch):
    ended: list[bool] = []
    monkeypatch.setattr(mail_sessions, "end_soon", lambda _address, _settings, *, pages: ended.append(pages))
    answer = ask(visitor)
    assert answer.status_code == 303 and answer.location == "/forgot/sent"
    shown = visitor.get("/forgot/sent").text
    assert "If this account has a recovery address" in shown and 'href="/support"' in shown
    [row] = SystemMessage.select()
    assert row.recipient == OUTSIDE and "/forgot/" not in row.body  # sealed
    page = visitor.get(link(settings))
    assert page.status_code == 200 and "alice@lycee.example" in page.text
    answer = choose(visitor, link(settings))
    assert answer.location == "/mailbox/INBOX"
    assert "alice@lycee.example" in visitor.get("/mailbox/INBOX").text
    assert hashing.verify(User.get_by_id(alice.id).password, NEW)
    assert told() == {alice.address, OUTSIDE}
    assert ended == [False]  # mail programs; connections of pages would be those of the inbox by then


@pytest.mark.parametrize("action", ["mail", "sms"])
def test_the_answer_is_the_same_for_everybody(app, alice, settings, action, texted):
    add("plain@lycee.example")
    off = add("off@lycee.example")
    User.update(active=0, recovery_address="off@ailleurs.example", phone="+33612345679").where(User.id == off.id).execute()
    User.create(address="ent@lycee.example", local="ent", domain="lycee.example", provider="oidc:ent")
    seen = set()
    for name in ("alice", "plain", "off", "ent", "nobody", "not@@one", "ALICE@lycee.example"):
        browser = Browser(app)
        answer = ask(browser, name, action)
        page = browser.get(answer.location).text
        seen.add((answer.status_code, answer.location, re.sub(r'value="[^"]*"', "", page)))
    assert len(seen) == 1
    assert PasswordReset.select().count() == 7


def test_the_link_never_carries_the_host_of_the_request(app, alice, settings):
    browser = Browser(app, "https://evil.example")
    ask(browser, **{"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"})
    assert "evil" not in letters(settings)[-1] and link(settings)


def test_opening_the_link_changes_nothing_and_leaks_nothing(visitor, alice, settings):
    ask(visitor)
    path, before = link(settings), list(PasswordReset.select().dicts())
    for _ in range(3):
        for agent in (visitor.client.get, visitor.client.head):
            answer = agent(path, base_url=visitor.base)
            assert answer.status_code == 200
            assert answer.headers["Referrer-Policy"] == "origin" and "no-store" in answer.headers["Cache-Control"]
    assert list(PasswordReset.select().dicts()) == before
    assert set(re.findall(r'(?:src|href|action)="(https?:)?//', visitor.get(path).text)) == set()


@pytest.mark.parametrize(
    ("path", "what"), [("/forgot/new", "code"), ("/forgot/invented", "link"), ("/forgot/" + "x" * 3000, "link")]
)
def test_a_link_or_code_that_is_over_says_so_and_what_to_do(visitor, path, what):
    answer = visitor.get(path)
    assert answer.status_code == 410 and 'href="/forgot"' in answer.text and f"This {what} no longer works" in answer.text


def test_where_some_passwords_are_kept_elsewhere_the_page_leads_there_too(settings, alice):
    browser = Browser(build(replace(settings, support=Support(password_url="https://ent.example/reset"))))
    page = browser.get("/forgot").text
    assert "https://ent.example/reset" in page and 'name="username"' in page


def test_an_empty_name_is_asked_for(visitor):
    assert ask(visitor, "  ").status_code == 422
    assert PasswordReset.select().count() == 0


def test_too_many_from_one_network_are_told_plainly(visitor, alice, settings):
    for _ in range(30):
        ask(visitor, "nobody")
    answer = ask(visitor, "nobody")
    assert answer.status_code == 429 and "Too many attempts" in answer.text and int(answer.headers["Retry-After"]) > 3000


# --- choosing --------------------------------------------------------------------------------------------------------


def test_everything_that_was_open_ends(app, visitor, alice, settings):
    other = Browser(app)
    other.sign_in()
    cookie = trusted_devices.trust("", alice, settings, user_agent="x", network="")
    ask(visitor)
    choose(visitor, link(settings))
    assert other.get("/mailbox/INBOX").status_code == 302
    assert Session.select().count() == 1
    assert not trusted_devices.is_trusted(cookie, alice, settings)


def test_a_weak_password_says_why_and_the_link_stays_good(visitor, alice, settings):
    ask(visitor)
    answer = choose(visitor, link(settings), new_password="azerty", new_password_again="azerty")
    assert answer.status_code == 422 and "field-error" in answer.text and "<meter" in answer.text
    assert answer.text.count("Use at least") == 1
    assert choose(visitor, link(settings)).status_code == 303


def test_the_strength_is_shown_while_one_types(visitor, alice, settings):
    ask(visitor)
    path = link(settings)
    data = {"new_password": "alice lycee", "token": path.rpartition("/")[2]}
    assert "<meter" in visitor.post("/account/password/strength", data, form_at=path).text
    assert "<meter" not in visitor.post("/account/password/strength", {**data, "token": "invented"}, form_at=path).text


def test_the_second_step_is_not_skipped(visitor, alice, settings):
    User.update(second_step=1).execute()
    ask(visitor)
    assert choose(visitor, link(settings)).location == "/login/code"
    assert visitor.get("/mailbox/INBOX").status_code == 302


def test_after_a_link_a_code_to_the_same_address_is_no_second_step(app, visitor, alice, settings):
    """Now, and for whoever signs in with the new password later."""
    User.update(second_step=1).execute()
    assert mailed_codes.can_replace_factor(User.get_by_id(alice.id), settings)
    ask(visitor)
    choose(visitor, link(settings))
    later = Browser(app)
    later.sign_in(password=NEW)
    for browser in (visitor, later):
        assert "/login/code/mail" not in browser.get("/login/code").text
        assert browser.post("/login/code/mail", form_at="/login/code").status_code == 404


def test_once_another_factor_was_shown_codes_may_be_mailed_again(alice):
    User.update(reset_by_mail=1).execute()
    user = User.get_by_id(alice.id)
    second_step.note_other_factor(user)
    assert (user.reset_by_mail, User.get_by_id(alice.id).reset_by_mail) == (0, 0)


def test_who_has_nothing_but_codes_by_mail_is_still_sent_one(visitor, alice, settings):
    User.update(second_step=1, mailed_step=1).execute()
    ask(visitor)
    assert choose(visitor, link(settings)).location == "/login/code"
    assert mailed_codes.waiting_for(alice, CodePurpose.SECOND_STEP) == OUTSIDE


def test_a_temporary_password_need_not_be_changed_again(visitor, alice, settings):
    User.update(must_change=1).execute()
    ask(visitor)
    assert choose(visitor, link(settings)).location == "/mailbox/INBOX"
    assert visitor.get("/mailbox/INBOX").status_code == 200


def test_on_a_shared_computer(visitor, alice, settings):
    ask(visitor)
    choose(visitor, link(settings), shared="y")
    assert Session.get().shared and visitor.cookie("__Host-traboule-shared")


def test_while_signed_in_as_somebody_else_that_ends_and_the_page_says_whose_it_is(app, visitor, alice, bob, settings):
    ask(visitor)
    path = link(settings)
    browser = Browser(app)
    browser.sign_in("bob")
    assert "signed in here as bob@lycee.example" in browser.get(path).text
    choose(browser, path)
    assert "of alice@" in browser.get("/mailbox/INBOX").text
    assert hashing.verify(User.get_by_id(bob.id).password, PASSWORD)
    assert {row.user_id for row in Session.select()} == {alice.id}


def test_the_link_of_one_is_nothing_for_another(app, visitor, alice, bob, settings):
    ask(visitor)
    choose(visitor, link(settings), username="bob@lycee.example", user=str(bob.id))
    assert hashing.verify(User.get_by_id(bob.id).password, PASSWORD)


def test_it_is_in_the_log_without_secrets(visitor, alice, settings):
    ask(visitor)
    choose(visitor, link(settings))
    entries = {entry.act: entry for entry in audit.search()[0]}
    assert entries["password-reset-asked"].target == alice.address
    assert entries["password-reset"].actor_address == alice.address
    log = str([vars(entry) for entry in entries.values()])
    assert NEW not in log and link(settings).rpartition("/")[2] not in log


# --- by SMS ----------------------------------------------------------------------------------------------------------


def test_by_a_code_to_a_new_password(visitor, alice, settings, texted):
    assert ask(visitor, action="sms").location == "/forgot/code"
    [(number, text)] = texted
    assert number == NUMBER and "alice" not in text and text.isascii()
    assert visitor.post("/forgot/code", {"code": code(texted)}, form_at="/forgot/code").location == "/forgot/new"
    answer = choose(visitor, "/forgot/new", token="")
    assert answer.location == "/mailbox/INBOX"
    assert [to for to, _text in texted] == [NUMBER, NUMBER]
    assert "new password" in texted[-1][1] and told() == {alice.address, OUTSIDE}


def test_a_wrong_code_says_so_and_of_nobody_the_same(app, alice, settings, texted):
    seen = set()
    for name in ("alice", "nobody"):
        browser, pages = Browser(app), []
        ask(browser, name, "sms")
        for _ in range(6):
            answer = browser.post("/forgot/code", {"code": "abcdef"}, form_at="/forgot/code")
            pages.append((answer.status_code, re.sub(r'value="[^"]*"', "", answer.text)))
        seen.add(tuple(pages))
    assert len(seen) == 1


def test_a_planted_session_does_not_come_in_behind_its_victim(app, alice, settings, texted):
    attacker, victim = Browser(app), Browser(app)
    ask(attacker, action="sms")
    planted = attacker.cookie("__Host-traboule-visitor").value
    victim.client.set_cookie("__Host-traboule-visitor", planted, domain="mail.lycee.example", secure=True)
    victim.post("/forgot/code", {"code": code(texted)}, form_at="/forgot/code")
    over = attacker.get("/forgot/new")
    assert over.status_code == 410 and "This code no longer works" in over.text
    assert attacker.post("/forgot/code", {"code": code(texted)}, form_at="/forgot/code").status_code == 422
    assert victim.get("/forgot/new").status_code == 200


def test_without_having_asked_there_is_no_page_for_codes(visitor):
    assert visitor.get("/forgot/code").location == "/forgot"
    assert visitor.post("/forgot/code", {"code": "123456"}, form_at="/forgot").status_code == 422


def test_a_gateway_that_is_away_is_nothing_that_the_answer_tells(visitor, alice, settings, monkeypatch):
    def away(*_arguments):
        raise sms.NotTextedError("away")

    monkeypatch.setattr(sms, "send", away)
    assert ask(visitor, action="sms").location == "/forgot/code"


# --- what the letters say ---------------------------------------------------------------------------------------------


def test_a_disabled_account_is_told_so_and_whom_to_ask(visitor, alice, settings):
    User.update(active=0).execute()
    ask(visitor)
    [letter] = letters(settings)
    assert "disabled" in letter and "https://mail.lycee.example/support" in letter and "01 23 45 67 89" in letter
    assert "/forgot/" not in letter


def test_whose_password_is_kept_elsewhere_is_told_where(settings, alice):
    ent = Oidc("ent", "ENT", "https://ent.example", "x")
    settings = replace(settings, oidc=(ent,), support=Support(password_url="https://ent.example/reset"))
    User.update(password="", provider="oidc:ent").execute()
    ask(Browser(build(settings)))
    [letter] = letters(settings)
    assert "managed by ENT" in letter and "https://ent.example/reset" in letter and "/forgot/" not in letter


def test_the_language_is_the_persons(visitor, alice, settings):
    User.update(language="fr").execute()
    ask(visitor)
    assert SystemMessage.get().language == "fr"


# --- where it is not offered ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"sign_in": "imap"}, "managed by the mail server"),
        ({"forgotten_password": False}, "Support can help you"),
        ({"system_address": "", "sms": None}, "Support can help you"),
    ],
)
def test_the_page_says_so_plainly(settings, alice, changed, words):
    support = Support(password_url="https://ent.example/reset")
    browser = Browser(build(replace(settings, support=support, **changed)))
    page = browser.get("/forgot")
    assert page.status_code == 200 and words in page.text
    assert 'href="/support"' in page.text and "https://ent.example/reset" in page.text and "username" not in page.text
    token = csrf(browser.get("/login"))
    answer = browser.client.post("/forgot", data={"csrf_token": token, "username": "alice"}, base_url=browser.base)
    assert answer.status_code == 403 and PasswordReset.select().count() == 0
