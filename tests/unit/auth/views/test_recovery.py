"""The recovery address: asked for after signing in, confirmed by a code, changed only by who proves it is them."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.auth_app import PASSWORD, Browser, add, build, csrf
from webmail import audit, system_mail
from webmail.auth.factors import authenticator, recovery_codes, second_step, trusted_devices
from webmail.auth.recovery import password_reset
from webmail.auth.views import first_walk
from webmail.models import MailedCode, Session, SystemMessage, User, Voucher, now

PAGE, OUTSIDE = "/account/recovery", "marie@ailleurs.example"
FIRST = f"{PAGE}?first=1&next=/mailbox/INBOX"


@pytest.fixture
def settings(settings):
    return replace(settings, system_address="Lycée <pages@lycee.example>", system_password="x")


@pytest.fixture
def signed_in(visitor):
    """And has typed the password once more."""
    visitor.sign_in()
    Session.update(confirmed=now()).execute()
    return visitor


def walk(browser, page, path=PAGE, **fields):
    """Send the form of a page that was shown on the way in, as it stands there."""
    found = re.search(r'name="walk" value="([^"]+)"', page.text)
    fields = {"csrf_token": csrf(page), **({"walk": found[1]} if found else {}), **fields}
    return browser.client.post(path, data=fields, base_url=browser.base)


def give(browser, address=OUTSIDE, **more):
    return browser.post(PAGE, {"address": address, **more}, form_at=f"{PAGE}?change=1")


_here: dict[str, str] = {}


@pytest.fixture(autouse=True)
def _know_the_secret(settings):
    """Of this test's installation: texts with codes are sealed with it."""
    _here["secret"] = settings.secret_key


def mailed() -> str:
    """The code in the mail that was queued last."""
    row = SystemMessage.select().where(SystemMessage.kind == "code").order_by(SystemMessage.id.desc()).get()
    return re.search(r"^ +(\d{6})$", system_mail.text_of(row, _here["secret"]), re.M)[1]


def confirm(browser, code="", **more):
    return browser.post(f"{PAGE}/code", {"code": code or mailed(), **more}, form_at=PAGE)


def recovery_of(alice) -> str:
    return User.get_by_id(alice.id).recovery_address


def told() -> set[str]:
    return {row.recipient for row in SystemMessage.select().where(SystemMessage.kind == "security")}


def test_who_has_none_is_asked_after_signing_in_and_may_leave_it(visitor, alice):
    response = visitor.sign_in(next="/mailbox/Sent")
    assert response.location == f"{PAGE}?first=1&next=/mailbox/Sent"
    assert User.get_by_id(alice.id).recovery_asked is None
    shown = visitor.get(response.location).text
    assert 'href="/mailbox/Sent">Not now' in shown and 'name="address"' in shown
    assert User.get_by_id(alice.id).recovery_asked is not None


def test_it_is_asked_once_in_thirty_days(app, visitor, alice):
    visitor.get(visitor.sign_in().location)
    assert Browser(app).sign_in().location == "/mailbox/INBOX"
    User.update(recovery_asked=now() - timedelta(days=29, hours=23)).execute()
    assert Browser(app).sign_in().location == "/mailbox/INBOX"
    User.update(recovery_asked=now() - timedelta(days=30, minutes=1)).execute()
    assert Browser(app).sign_in().location.startswith(PAGE)


def test_a_text_that_was_being_written_comes_first(visitor):
    assert visitor.sign_in(next="/mailbox/INBOX", **{"kept-body": "Dear all"}).location == "/mailbox/INBOX"


@pytest.mark.parametrize("changed", [{"recovery_address": "off"}, {"system_address": ""}])
def test_where_it_is_off_nothing_of_it_is_shown(settings, alice, changed):
    browser = Browser(build(replace(settings, **changed)))
    assert browser.sign_in().location == "/mailbox/INBOX"
    assert browser.get(PAGE).status_code == 404


def test_a_code_confirms_it(signed_in, alice):
    assert give(signed_in).location == PAGE
    assert (recovery_of(alice), SystemMessage.get(kind="code").recipient) == ("", OUTSIDE)
    assert OUTSIDE in signed_in.get(PAGE).text and 'name="code"' in signed_in.get(PAGE).text
    assert confirm(signed_in).location == PAGE
    assert recovery_of(alice) == OUTSIDE
    assert told() == {alice.address, OUTSIDE}
    assert audit.search()[0][0].act == "recovery-address-set"
    assert MailedCode.select().count() == 0


def test_on_the_way_to_a_page_it_leads_there(signed_in, alice):
    fields = {"first": "1", "next": "/mailbox/Sent"}
    waiting = signed_in.post(PAGE, {"address": OUTSIDE, **fields}, form_at=FIRST).location
    assert waiting == f"{PAGE}?first=1&next=/mailbox/Sent"
    assert signed_in.post(f"{PAGE}/code", {"code": mailed(), **fields}, form_at=waiting).location == "/mailbox/Sent"
    assert recovery_of(alice) == OUTSIDE


def test_the_language_of_the_mail_is_the_persons(signed_in, alice):
    User.update(language="fr").execute()
    give(signed_in)
    assert SystemMessage.get(kind="code").language == "fr"


def test_who_chose_no_language_reads_the_one_of_the_page(signed_in, settings):
    give(signed_in)
    row = SystemMessage.get(kind="code")
    assert (
        settings.language == "fr"
        and row.language == "en"
        and "It is valid for 15 minutes." in system_mail.text_of(row, _here["secret"])
    )


def test_a_wrong_code_says_so_and_changes_nothing(signed_in, alice):
    give(signed_in)
    response = confirm(signed_in, f"{(int(mailed()) + 1) % 1_000_000:06}")
    assert response.status_code == 422 and "This is not the code we sent" in response.text
    assert recovery_of(alice) == ""


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "not a complete address"),
        ("marie", "not a complete address"),
        ("marie@localhost", "not a complete address"),
        ("marie@[192.0.2.1]", "not a complete address"),
        ("a@b.example, c@d.example", "not a complete address"),
        ("Marie <marie@ailleurs.example>", "not a complete address"),
        ("marie@ailleurs.example\r\nBcc: x@y.example", "not a complete address"),
        ("marie@aille\0urs.example", "not a complete address"),
        ("<script>alert(1)</script>@x.example", "not a complete address"),
        ("x" * 65 + "@ailleurs.example", "not a complete address"),
        ("x" * 5000 + "@ailleurs.example", "too long"),
        ("alice@lycee.example", "outside Traboule"),
        ("other@LYCEE.example", "outside Traboule"),
    ],
)
def test_what_can_not_be_one_is_kept_in_the_field(signed_in, typed, words):
    response = give(signed_in, typed)
    assert response.status_code == 422 and words in response.text
    assert "<script>" not in response.text
    assert SystemMessage.select().where(SystemMessage.kind == "code").count() == 0


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (" Marie@Ailleurs.Example ", "marie@ailleurs.example"),
        ("élodie@ailleurs.example", "élodie@ailleurs.example"),
        ("marie@straße.example", "marie@xn--strae-oqa.example"),
        ("o'neil+x@ailleurs.example", "o'neil+x@ailleurs.example"),
    ],
)
def test_unusual_addresses(signed_in, alice, typed, address):
    assert give(signed_in, typed).status_code == 303
    confirm(signed_in)
    assert recovery_of(alice) == address


def test_domains_of_the_establishment_are_inside(settings, alice):
    from webmail.config.tables import Domain

    browser = Browser(build(replace(settings, domains=(Domain("eleves.example"),))))
    browser.sign_in()
    Session.update(confirmed=now()).execute()
    assert "outside Traboule" in give(browser, "paul@eleves.example").text


def test_the_same_one_is_there_already(signed_in, alice):
    User.update(recovery_address=OUTSIDE).execute()
    Session.update(confirmed=now()).execute()
    assert "already" in give(signed_in).text


def test_a_change_asks_for_a_factor_again(signed_in, alice):
    User.update(recovery_address=OUTSIDE).execute()
    Session.update(confirmed=None).execute()
    assert give(signed_in, "new@ailleurs.example").location.startswith("/account/confirm")
    assert signed_in.post(f"{PAGE}/remove", form_at=f"{PAGE}?change=1").location.startswith("/account/confirm")
    assert (recovery_of(alice), SystemMessage.select().where(SystemMessage.kind == "code").count()) == (OUTSIDE, 0)


# --- a first one ------------------------------------------------------------------------------------------------------


def test_on_the_way_in_it_is_given_without_the_password_once_more_and_counts_at_once(visitor, alice):
    page = visitor.get(visitor.sign_in(next="/mailbox/Sent").location)
    assert walk(visitor, page, address="marie").status_code == 422
    page = walk(visitor, page, address="marie")  # a mistake does not end the walk
    assert walk(visitor, page, address=OUTSIDE, first="1").location.startswith(PAGE)
    confirm(visitor)
    assert (recovery_of(alice), User.get().recovery_from) == (OUTSIDE, None)


def test_a_cookie_that_is_copied_then_gives_none(app, visitor, alice):
    """Neither in another network nor in the same: the page that was shown has what the cookie has not."""
    page = visitor.get(visitor.sign_in().location)
    thief = Browser(app)
    thief.client.set_cookie("__Host-traboule", visitor.cookie().value, domain="mail.lycee.example", secure=True)
    for where in (FIRST, PAGE, f"{PAGE}?change=1&first=1"):
        assert walk(thief, thief.get(where), address="thief@evil.example", first="1").location.startswith("/account/confirm")
    assert not MailedCode.select().exists()
    assert walk(visitor, page, address=OUTSIDE).location == PAGE


def test_the_walk_is_walked_once(visitor, alice):
    page = visitor.get(visitor.sign_in().location)
    walk(visitor, page, address=OUTSIDE)
    assert walk(visitor, page, address="other@ailleurs.example").location.startswith("/account/confirm")
    assert walk(visitor, page, address=OUTSIDE).location == PAGE  # the same code once more
    assert {row.address for row in MailedCode.select()} == {OUTSIDE}


def test_it_takes_ten_minutes_at_most(visitor, monkeypatch):
    page = visitor.get(visitor.sign_in().location)
    later = time.time() + 601
    monkeypatch.setattr(first_walk.time, "time", lambda: later)
    assert walk(visitor, page, address=OUTSIDE).location.startswith("/account/confirm")


def test_later_the_password_is_asked_for_and_the_address_resets_nothing_for_a_day(visitor, alice, settings):
    visitor.get(visitor.sign_in().location)
    assert give(visitor).location.startswith("/account/confirm")
    visitor.post("/account/confirm", {"password": PASSWORD}, form_at="/account/confirm")
    give(visitor)
    confirm(visitor)
    since = User.get_by_id(alice.id).recovery_from
    assert timedelta(hours=23) < since - now() <= timedelta(days=1)
    assert "you can use it from" in visitor.get(PAGE).text
    assert asked_for_a_new_password(settings) is None
    User.update(recovery_from=now()).execute()
    assert asked_for_a_new_password(settings).to == OUTSIDE
    assert "you can use it from" not in visitor.get(PAGE).text


def asked_for_a_new_password(settings):
    here = replace(settings, public_url="https://mail.lycee.example")
    return password_reset.take_sending(password_reset.ask("alice", password_reset.Channel.MAIL, "", here), here)


def test_a_newcomer_who_opens_another_address_meanwhile_is_asked_too(settings, alice):
    """And walks on: they have just typed their password."""
    User.update(must_change=1).execute()
    browser = Browser(build(settings))
    browser.sign_in()
    led = browser.get("/mailbox/Sent").location
    assert led == "/account/password?next=/mailbox/Sent"
    new = "quatre mots sans rapport"
    fields = {"password": PASSWORD, "new_password": new, "new_password_again": new, "next": "/mailbox/Sent"}
    led = browser.post("/account/password", fields, form_at=led).location
    assert led == f"{PAGE}?first=1&next=/mailbox/Sent"
    assert walk(browser, browser.get(led), address=OUTSIDE).location == PAGE
    confirm(browser)
    assert User.get_by_id(alice.id).recovery_from is None


def test_a_cookie_that_is_copied_after_a_new_password_gives_none(settings, alice):
    """The password was typed to be changed, and not for an address or a factor."""
    User.update(must_change=1).execute()
    browser = Browser(build(settings))
    browser.sign_in()
    new = "quatre mots sans rapport"
    fields = {"password": PASSWORD, "new_password": new, "new_password_again": new}
    browser.get(browser.post("/account/password", fields, form_at="/account/password").location)
    thief = Browser(browser.app)
    thief.client.set_cookie("__Host-traboule", browser.cookie().value, domain="mail.lycee.example", secure=True)
    assert give(thief, "thief@evil.example").location.startswith("/account/confirm")
    assert thief.get("/account/totp").location.startswith("/account/confirm")


def test_who_accepts_the_terms_on_the_way_walks_on(settings, alice, tmp_path):
    (tmp_path / "terms.txt").write_text("Be kind.")
    browser = Browser(build(replace(settings, terms_file=str(tmp_path / "terms.txt"), terms_version="1")))
    browser.sign_in()
    page = browser.get(browser.get("/mailbox/Sent").location)
    thief = Browser(browser.app)
    thief.client.set_cookie("__Host-traboule", browser.cookie().value, domain="mail.lycee.example", secure=True)
    assert 'name="walk"' not in thief.get("/account/terms").text
    led = walk(browser, page, "/account/terms", version="1", next="/mailbox/Sent").location
    assert led == f"{PAGE}?first=1&next=/mailbox/Sent"
    assert walk(browser, browser.get(led), address=OUTSIDE).location == PAGE


def test_who_has_no_password_to_type_is_shown_where_to_get_help(visitor, alice):
    visitor.sign_in()
    User.update(password="").execute()
    assert 'href="/support"' in visitor.get("/account/confirm").text


def test_a_change_is_told_at_the_old_address_too(signed_in, alice):
    User.update(recovery_address=OUTSIDE).execute()
    Session.update(confirmed=now()).execute()
    give(signed_in, "new@ailleurs.example")
    confirm(signed_in)
    assert told() == {alice.address, OUTSIDE, "new@ailleurs.example"}


def test_removal(signed_in, alice):
    User.update(recovery_address=OUTSIDE).execute()
    Session.update(confirmed=now()).execute()
    assert signed_in.post(f"{PAGE}/remove", form_at=PAGE).location == PAGE
    assert (recovery_of(alice), told()) == ("", {alice.address, OUTSIDE})
    assert audit.search()[0][0].act == "recovery-address-removed"


def test_five_codes_an_hour(signed_in):
    for _ in range(5):
        assert give(signed_in).status_code == 303
    response = give(signed_in)
    assert response.status_code == 429 and "already sent several codes" in response.text
    assert int(response.headers["Retry-After"]) <= 3600


def test_required_it_comes_before_everything_else(settings, alice):
    browser = Browser(build(replace(settings, recovery_address="required")))
    browser.sign_in()
    led = browser.get("/mailbox/Sent").location
    assert led == f"{PAGE}?next=/mailbox/Sent"
    page = browser.get(led)
    assert "Not now" not in page.text
    walk(browser, page, address=OUTSIDE, next="/mailbox/Sent")
    waiting = browser.get(led).text
    assert OUTSIDE in waiting
    assert browser.post(f"{PAGE}/code", {"code": mailed(), "next": "/mailbox/Sent"}, form_at=led).location == "/mailbox/Sent"
    assert browser.get("/mailbox/Sent").status_code == 200


@pytest.mark.parametrize("way", ["trusted", "voucher"])
def test_a_sign_in_without_a_factor_is_not_enough_to_give_one(app, settings, alice, way):
    """Codes go to the address: whoever could give theirs would have a factor for ever."""
    browser = without_factor(app, settings, alice, way)
    assert give(browser).location.startswith("/account/confirm")
    assert MailedCode.select().count() == 0


def test_who_came_in_by_a_voucher_is_not_held_up_by_a_required_address(settings, alice):
    settings = replace(settings, recovery_address="required")
    browser = without_factor(build(settings), settings, alice, "voucher")
    assert browser.get("/mailbox/Sent").status_code == 200
    fields = {"password": PASSWORD, "new_password": "quatre mots sans rapport", "new_password_again": "quatre mots sans rapport"}
    assert browser.post("/account/password", fields, form_at="/account/password").status_code == 303
    assert browser.get("/mailbox/Sent").status_code == 200


def test_who_came_in_by_a_factor_gives_one_at_once(app, settings, alice):
    browser, codes = Browser(app), with_codes(alice, settings)
    browser.sign_in()
    page = browser.get(browser.post("/login/code", {"code": codes[0]}, form_at="/login/code").location)
    assert walk(browser, page, address=OUTSIDE).location == PAGE
    confirm(browser)
    assert User.get_by_id(alice.id).recovery_from is None


def with_codes(user, settings) -> list[str]:
    """Give somebody an authenticator app; returns their recovery codes."""
    with second_step.changing(user):
        authenticator.add(user, "Phone", authenticator.new_secret(), 0, settings)
        return recovery_codes.make(user, settings)


def without_factor(app, settings, user, way) -> Browser:
    """Signed in on a browser that is trusted, or with a colleague's help."""
    with_codes(user, settings)
    browser = Browser(app)
    if way == "trusted":
        cookie = trusted_devices.trust("", user, settings)
        browser.client.set_cookie("__Host-traboule-trusted", cookie, domain="mail.lycee.example", secure=True)
        browser.sign_in()
        return browser
    giver = add("bob@lycee.example")
    User.update(second_step=1).where(User.id == giver.id).execute()
    browser.sign_in()
    browser.post("/login/code/voucher", {"colleague": "bob"}, form_at="/login/code/voucher")
    Voucher.update(given=now()).execute()
    browser.post("/login/code/voucher/use", form_at="/login/code/voucher")
    return browser


def test_somebody_elses_code_is_worth_nothing(app, signed_in, alice, bob):
    other = Browser(app)
    other.sign_in("bob")
    Session.update(confirmed=now()).execute()
    give(other, "bob@ailleurs.example")
    code = mailed()
    give(signed_in)
    if mailed() != code:
        assert confirm(signed_in, code).status_code == 422
    assert recovery_of(alice) == ""
