"""Connecting a phone or program: what it is given, what is shown for how long, and whether it has signed in."""

from __future__ import annotations

import json
import plistlib
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from tests.support.auth_app import Browser, build
from tests.support.qr_reader import read_qr
from webmail.auth.devices import app_passwords, device_links, failures, handover
from webmail.auth.devices.kinds import DeviceKind
from webmail.models import AppPassword, AuditEntry, Session, SignInFailure, User, now

FORM = "/devices/connect/iphone"
PHONE = {"name": "My iPhone", "use": ["mail"]}


@pytest.fixture
def settings(settings):
    return replace(
        settings,
        name="Lycée",
        mail_server="mail.lycee.example",
        doveadm_key="key",
        public_url="https://webmail.lycee.example",
    )


@pytest.fixture
def dav(app, monkeypatch):
    monkeypatch.setitem(app.extensions, "dav", True)


def confirmed(app) -> Browser:
    """Somebody who has given a factor a moment ago."""
    visitor = Browser(app)
    visitor.sign_in()
    Session.update(confirmed=now()).execute()
    return visitor


@pytest.fixture
def alice_here(app):
    return confirmed(app)


def seen(answer) -> BeautifulSoup:
    return BeautifulSoup(answer.text, "html.parser")


def words(tag) -> str:
    return " ".join(tag.get_text(" ").split())


def connect(visitor, kind: str = "iphone", **fields) -> str:
    """The address of the page that follows."""
    form = f"/devices/connect/{kind}"
    answer = visitor.post(form, {**PHONE, **fields}, form_at=form)
    assert (answer.status_code, answer.location) == (303, f"/devices/connected/{AppPassword.select().count()}"), answer.text
    return answer.location


def letters_on(visitor, place: str) -> str:
    found = seen(visitor.get(place)).select_one("[data-device-password]")
    return found.get_text().replace(" ", "") if found else ""


def key_on(visitor, place: str) -> str:
    return seen(visitor.get(place)).select_one("form[action^='/devices/profile/']")["action"].rpartition("/")[2]


def fetch(visitor, key: str):
    return visitor.post(f"/devices/profile/{key}", form_at=f"/devices/profile/{key}")


# --- what somebody has -----------------------------------------------------------------------------------------------


def test_each_kind_is_offered_and_leads_to_its_form(alice_here):
    links = [link["href"] for link in seen(alice_here.get("/devices/connect")).select(".device-kinds a")]
    assert sorted(links) == sorted(f"/devices/connect/{kind.value}" for kind in DeviceKind)
    for link in links:
        assert seen(alice_here.get(link)).select_one("[name=name]")["value"]
    assert alice_here.get("/devices/connect/toaster").status_code == 404


def test_its_boxes_are_apart_in_a_text_browser(alice_here, dav):
    for place in ("/devices", "/devices/connect/kde"):
        labels = seen(alice_here.get(place)).select_one(".choices").find_all("label")
        assert all(one.next_sibling.startswith(" ") for one in labels)


def test_an_app_password_for_mail_is_made_told_and_shown_with_the_real_names(alice_here):
    place = connect(alice_here, "other", name="Toaster")
    row = AppPassword.get()
    assert (row.name, row.kind, app_passwords.uses_of(row)) == ("Toaster", "other", ["imap", "smtp"])
    assert [entry.target for entry in AuditEntry.select() if entry.act == "app-password-added"] == ["Toaster"]
    assert row.sha == app_passwords.hash_of(letters_on(alice_here, place))
    told = words(seen(alice_here.get(place)).select_one(".made"))
    for one in ("alice@lycee.example", "mail.lycee.example", "Port 993", "Port 465", "SSL/TLS"):
        assert one in told
    assert "/dav/" not in told


def test_calendars_and_contacts_only_where_there_are_some_and_the_program_can(app, alice_here, dav):
    place = connect(alice_here, "kde", use=["mail", "dav"])
    assert app_passwords.uses_of(AppPassword.get()) == ["imap", "smtp", "caldav", "carddav"]
    assert "https://webmail.lycee.example/dav/" in alice_here.get(place).text
    assert seen(alice_here.get("/devices/connect/outlook")).select("[name=use]") == []
    place = connect(alice_here, "outlook", use=["mail", "dav"])
    assert app_passwords.uses_of(AppPassword.get_by_id(2)) == ["imap", "smtp"]
    page = alice_here.get(place).text
    assert "neither CalDAV nor CardDAV" in page
    assert "/dav/" not in page


@pytest.mark.parametrize(
    ("fields", "problem"), [({"name": " "}, "Fill in"), ({"use": []}, "Choose at least one"), ({"use": ["x"]}, "Choose")]
)
def test_what_can_not_be_is_said(alice_here, dav, fields, problem):
    answer = alice_here.post(FORM, {**PHONE, **fields}, form_at=FORM)
    assert answer.status_code == 422
    assert problem in words(seen(answer).select_one(".field-error"))
    assert AppPassword.select().count() == 0


def test_nobody_makes_one_without_a_factor_given_a_moment_ago(visitor):
    visitor.sign_in()
    assert visitor.post(FORM, PHONE, form_at=FORM).location.startswith("/account/confirm")
    assert AppPassword.select().count() == 0


# --- the password is shown for a while, to who made it ---------------------------------------------------------------


def test_it_is_there_when_the_page_is_loaded_again_and_nowhere_in_clear(alice_here):
    place = connect(alice_here)
    letters = letters_on(alice_here, place)
    assert re.fullmatch("[a-z]{24}", letters)
    assert letters_on(alice_here, place) == letters
    stored = [row.__data__ for table in (Session, AppPassword, AuditEntry) for row in table.select()]
    assert letters not in str(stored)


def test_it_is_hidden_when_it_is_done_and_its_address_is_gone(alice_here):
    place = connect(alice_here)
    key = key_on(alice_here, place)
    assert alice_here.post(place, {"action": "done"}, form_at=place).location == "/devices#app-passwords"
    assert letters_on(alice_here, place) == ""
    assert "you no longer have it" in words(seen(alice_here.get(place)).select_one(".made"))
    assert Browser(alice_here.app).get(f"/devices/profile/{key}").status_code == 410


def test_done_with_one_device_leaves_the_password_of_another(alice_here):
    first, second = connect(alice_here, "other"), connect(alice_here, "kde")
    alice_here.post(first, {"action": "done"}, form_at=second)
    assert letters_on(alice_here, second)


def test_until_when_it_is_shown_is_a_time_on_the_next_day_too(alice_here, monkeypatch):
    monkeypatch.setattr(handover, "VALID", timedelta(days=1))
    assert re.search(r"shown here until \d\d:\d\d\.", alice_here.get(connect(alice_here)).text)


def test_after_a_quarter_of_an_hour_it_is_shown_no_more(alice_here, monkeypatch):
    monkeypatch.setattr(handover, "VALID", timedelta(seconds=-1))
    assert letters_on(alice_here, connect(alice_here)) == ""


def test_another_browser_of_the_same_person_does_not_show_it(app, alice_here):
    place = connect(alice_here)
    other = confirmed(app)
    page = other.get(place)
    assert page.status_code == 200
    assert letters_on(other, place) == ""
    other.post(place, {"action": "again"}, form_at="/devices")  # and makes no new address for what it does not know
    assert "/devices/profile/" not in other.get(place).text


def test_a_stolen_cookie_shows_it_to_nobody_on_another_network(alice_here):
    place = connect(alice_here)
    there = {"environ_overrides": {"REMOTE_ADDR": "198.51.100.7"}}
    page = alice_here.get(place, **there)
    assert page.status_code == 200
    assert seen(page).select("[data-device-password], .qr") == []
    assert "/devices/profile/" not in page.text
    alice_here.post(place, {"action": "again"}, form_at=place, **there)
    assert seen(alice_here.get(place, **there)).select("[data-device-password], .qr") == []
    assert letters_on(alice_here, place)


def test_somebody_else_finds_nothing(app, bob, alice_here):
    place = connect(alice_here)
    other = Browser(app)
    other.sign_in("bob")
    assert other.get(place).status_code == 404
    assert other.post(place, {"action": "done"}, form_at="/devices/connect/other").status_code == 404
    assert letters_on(alice_here, place)


# --- Apple's profile -------------------------------------------------------------------------------------------------


def test_a_telephone_fetches_its_profile_once_without_signing_in(app, alice_here):
    place = connect(alice_here)
    letters, key = letters_on(alice_here, place), key_on(alice_here, place)
    phone = Browser(app)
    for _ in range(2):  # looking changes nothing
        page = phone.get(f"/devices/profile/{key}")
        assert page.status_code == 200
        assert "alice@lycee.example" in page.text
        assert letters not in page.text
    answer = fetch(phone, key)
    assert (answer.status_code, answer.content_type) == (200, "application/x-apple-aspen-config")
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Disposition"].startswith("attachment")
    mail, *others = plistlib.loads(answer.data)["PayloadContent"]
    assert (mail["IncomingPassword"], mail["EmailAddress"], others) == (letters, "alice@lycee.example", [])
    row = AppPassword.get()
    assert (row.profile_hash, row.profile_sealed) == (None, None)
    told = AuditEntry.select().order_by(AuditEntry.id.desc()).get()
    assert (told.act, told.actor_id, told.target, letters in told.details) == (
        "app-password-fetched",
        row.user_id,
        "My iPhone",
        False,
    )
    second = phone.client.post(f"/devices/profile/{key}", data={"csrf_token": _token(phone)}, base_url=phone.base)
    assert second.status_code == 410
    assert letters not in second.text
    assert phone.get(f"/devices/profile/{key}").status_code == 410


def _token(visitor) -> str:
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', visitor.get("/login").text)[1]


def test_neither_the_password_nor_the_address_is_logged(app, alice_here, caplog):
    caplog.set_level("DEBUG")
    place = connect(alice_here)
    letters, key = letters_on(alice_here, place), key_on(alice_here, place)
    fetch(Browser(app), key)
    told = [record.getMessage() for record in caplog.records if record.name != "peewee"]  # SQL is logged in tests alone
    assert not any(letters in line or key in line for line in told)


def test_calendars_and_contacts_are_in_it(app, alice_here, dav):
    place = connect(alice_here, "mac", use=["mail", "dav"])
    answer = fetch(Browser(app), key_on(alice_here, place))
    kinds = [part["PayloadType"] for part in plistlib.loads(answer.data)["PayloadContent"]]
    assert kinds == ["com.apple.mail.managed", "com.apple.caldav.account", "com.apple.carddav.account"]


def test_a_new_address_ends_the_one_before(app, alice_here):
    place = connect(alice_here)
    first = key_on(alice_here, place)
    alice_here.post(place, {"action": "again"}, form_at=place)
    second = key_on(alice_here, place)
    assert first != second
    assert fetch(Browser(app), second).status_code == 200
    assert Browser(app).get(f"/devices/profile/{first}").status_code == 410
    alice_here.post(place, {"action": "again"}, form_at=place)  # the first try on the telephone went wrong
    assert fetch(Browser(app), key_on(alice_here, place)).status_code == 200


@pytest.mark.parametrize("end", ["time", "revoked", "disabled", "expired", "secret"])
def test_what_is_over_is_not_given_out(app, alice_here, end):
    key = key_on(alice_here, connect(alice_here))
    match end:
        case "time":
            AppPassword.update(profile_until=now() - timedelta(seconds=1)).execute()
        case "revoked":
            AppPassword.delete().execute()
        case "disabled":
            User.update(active=0).execute()
        case "expired":
            AppPassword.update(expires=1).execute()
        case "secret":
            object.__setattr__(app.extensions["settings"], "secret_key", "another")
    phone = Browser(app)
    answer = phone.client.post(f"/devices/profile/{key}", data={"csrf_token": _token(phone)}, base_url=phone.base)
    assert answer.status_code == 410


@pytest.mark.parametrize("key", ["x", "x" * 64, "x" * 5000, "..", "%00", "é", "' OR 1=1 --"])
def test_a_guess_finds_nothing(visitor, alice, key):
    app_passwords.add(alice, "Phone", ["imap"])
    assert visitor.get(f"/devices/profile/{key}").status_code in (404, 410)


def test_a_copy_of_the_database_opens_nothing(alice, settings):
    """Neither by what stands in it alone, nor with the address but without the installation's secret."""
    letters, row = app_passwords.add(alice, "Phone", ["imap"], kind="iphone")
    key = handover.offer(row, letters, settings)
    stored = AppPassword.get().__data__
    assert key not in str(stored) and letters not in str(stored)
    with pytest.raises(handover.HandoverOverError):
        handover.take(stored["profile_hash"], "", settings)


def test_what_nobody_fetched_is_forgotten(alice, settings):
    for name in ("Phone", "Tablet"):
        letters, row = app_passwords.add(alice, name, ["imap"], kind="iphone")
        handover.offer(row, letters, settings)
    AppPassword.update(profile_until=now() - timedelta(minutes=1)).execute()
    handover.offer(row, letters, settings)
    assert handover.expire() == 1
    assert [one.profile_sealed is None for one in AppPassword.select().order_by(AppPassword.id)] == [True, False]


def test_no_name_comes_from_the_request(app):
    visitor = Browser(app, "https://evil.example")
    visitor.sign_in()
    Session.update(confirmed=now()).execute()
    place = connect(visitor)
    answer = fetch(visitor, key_on(visitor, place))
    assert b"evil" not in answer.data


def test_without_servers_known_by_a_name_there_is_no_profile(settings, alice):
    visitor = confirmed(build(replace(settings, mail_server="")))
    page = visitor.get(connect(visitor)).text
    assert "/devices/profile/" not in page
    assert "Your administrator knows its name." in page
    assert "Mail Accounts" in page


def test_its_last_step_opens_mail_only_where_there_is_some(alice_here, dav):
    for uses, there in ((["dav"], False), (["mail", "dav"], True)):
        assert ("Open Mail" in alice_here.get(connect(alice_here, use=uses)).text) is there


# --- pictures and links ----------------------------------------------------------------------------------------------


def test_thunderbird_for_android_reads_all_from_a_picture(settings):
    text = device_links.thunderbird_code("alice@lycee.example", "", "abc", settings)
    incoming = [0, "mail.lycee.example", 993, 3, 1, "alice@lycee.example", None, "abc"]
    outgoing = [0, "mail.lycee.example", 465, 3, 1, "alice@lycee.example", "abc"]
    assert json.loads(text) == [1, [1, 1], incoming, [[outgoing, ["alice@lycee.example", "alice@lycee.example"]]]]


def test_davx5_opens_with_all_but_the_password(alice_here, dav):
    place = connect(alice_here, "android", use=["mail", "dav"])
    page = seen(alice_here.get(place))
    assert page.select_one("a[href^=davx5]")["href"] == "davx5://alice%40lycee.example@webmail.lycee.example/dav/"
    account, davx5 = (read_qr(str(picture)) for picture in page.select(".qr svg"))
    assert davx5 == page.select_one("a[href^=davx5]")["href"]
    assert json.loads(account)[2][7] == letters_on(alice_here, place)


def test_where_there_is_no_picture_none_is_to_be_scanned(alice_here):
    place = connect(alice_here, "android")
    assert "Scan QR code" in alice_here.get(place).text
    alice_here.post(place, {"action": "done"}, form_at=place)
    page = alice_here.get(place).text
    assert "Scan QR code" not in page
    assert "Add an account of the kind IMAP" in page


def test_a_picture_of_the_address_for_iphones_alone(alice_here):
    place = connect(alice_here)
    (picture,) = seen(alice_here.get(place)).select(".qr svg")
    assert read_qr(str(picture)) == f"https://webmail.lycee.example/devices/profile/{key_on(alice_here, place)}"
    page = seen(alice_here.get(connect(alice_here, "mac")))
    assert page.select(".qr svg") == []
    assert page.select_one("form[action^='/devices/profile/']")


# --- watching --------------------------------------------------------------------------------------------------------


def watch(visitor, place: str, **headers) -> BeautifulSoup:
    return seen(visitor.get(place, headers=headers)).select_one("#watch")


def test_it_waits_and_then_tells_who_signed_in(alice_here):
    place = connect(alice_here)
    assert "Waiting for the device to sign in" in words(watch(alice_here, place))
    app_passwords.used(AppPassword.get().id, "imap", "192.0.2.1")
    AppPassword.update(used=now() - timedelta(seconds=20)).execute()
    told = watch(alice_here, place)
    assert "“My iPhone” is connected" in words(told)
    assert re.search(r"It signed in 2\d seconds ago · reading mail · from 192\.0\.2\.1", words(told))
    assert told.select_one("#look").get("hx-get") is None


def test_it_tells_of_a_wrong_password_each_time(alice_here):
    place = connect(alice_here)
    failures.note("alice@lycee.example", failures.DAV, "192.0.2.1")
    SignInFailure.update(at=now() - timedelta(seconds=20)).execute()
    AppPassword.update(created=now() - timedelta(seconds=60)).execute()
    told = watch(alice_here, place)
    assert re.search(r"A device tried a wrong password 2\d seconds ago.*calendars and contacts · from 192\.0\.2\.1", words(told))
    assert told.select_one("details").has_attr("open")
    look = told.select_one("#look")["hx-get"]
    asked = {"HX-Request": "true", "HX-Target": "watch"}
    assert alice_here.get(look, headers=asked).headers.get("HX-Retarget")  # the same attempt: nothing is read out again
    failures.note("alice@lycee.example", "imap", "192.0.2.1")
    assert "reading mail" in alice_here.get(look, headers=asked).text
    app_passwords.used(AppPassword.get().id, "imap", "192.0.2.1")
    assert "is connected" in words(watch(alice_here, place))


def test_a_wrong_password_of_before_is_not_told(alice_here):
    failures.note("alice@lycee.example", "imap", "192.0.2.1")
    SignInFailure.update(at=now() - timedelta(seconds=20)).execute()
    assert "Waiting for the device" in words(watch(alice_here, connect(alice_here)))


def test_it_tells_that_the_profile_was_downloaded(app, alice_here):
    place = connect(alice_here)
    fetch(Browser(app), key_on(alice_here, place))
    told = watch(alice_here, place)
    assert re.search(r"The profile was downloaded \d seconds? ago · from", words(told))
    assert told.select_one("button[value=again]")
    assert "/devices/profile/" not in alice_here.get(place).text  # what is over is not offered
    alice_here.post(place, {"action": "again"}, form_at=place)
    assert key_on(alice_here, place)


def test_it_looks_ever_more_rarely_and_stops(alice_here):
    place, waits = connect(alice_here), []
    look = watch(alice_here, place).select_one("#look")
    while address := look.get("hx-get"):
        waits.append(int(re.search(r"delay:(\d+)s", look["hx-trigger"])[1]))
        assert "auto=1" in address
        answer = alice_here.get(address, headers={"HX-Request": "true", "HX-Target": "watch"})
        look = seen(answer).select_one("#look")
        if answer.headers.get("HX-Retarget"):  # nothing new: nothing is read out
            assert seen(answer).select_one("#watch") is None
    assert waits == sorted(waits)
    assert (waits[0], 500 < sum(waits) < 700, len(waits) < 50) == (3, True, True)
    assert "has not signed in yet" in answer.text
    assert "Look again" in answer.text


@pytest.mark.parametrize("tries", ["-1", "9999999999999999999999", "x", ""])
def test_an_odd_number_of_tries_does_no_harm(alice_here, tries):
    assert alice_here.get(f"{connect(alice_here)}?tries={tries}").status_code == 200


def test_looking_does_not_keep_somebody_signed_in(alice_here):
    place = connect(alice_here)
    Session.update(seen=now() - timedelta(hours=1)).execute()
    before = Session.get().seen
    alice_here.get(f"{place}?auto=1&tries=1", headers={"HX-Request": "true", "HX-Target": "watch"})
    assert Session.get().seen == before


def test_one_that_was_revoked_meanwhile_is_said_to_be(alice_here):
    place = connect(alice_here)
    AppPassword.delete().execute()
    answer = alice_here.get(place, headers={"HX-Request": "true", "HX-Target": "watch"})
    assert (answer.status_code, "has been revoked" in answer.text) == (404, True)
    assert alice_here.get(place).status_code == 404


def test_where_nobody_tells_of_sign_ins_the_page_says_so(settings, alice):
    visitor = confirmed(build(replace(settings, doveadm_key="")))
    told = watch(visitor, connect(visitor))
    assert "Send yourself a message" in words(told)
    assert told.select_one("#look").get("hx-get") is None


# --- where the mail server keeps the passwords -----------------------------------------------------------------------


def test_where_the_mail_server_keeps_the_passwords_there_are_steps_without_one(settings, alice):
    visitor = confirmed(build(settings))
    object.__setattr__(visitor.app.extensions["settings"], "sign_in", "imap")
    for kind in DeviceKind:
        page = visitor.get(f"/devices/connect/{kind.value}").text
        assert "Your usual password" in page
        assert "mail.lycee.example" in page
    assert visitor.post(FORM, PHONE, form_at="/devices").status_code == 403
    assert AppPassword.select().count() == 0


def test_there_the_profile_comes_without_one(app, settings, alice):
    visitor = confirmed(build(settings))
    assert visitor.post("/devices/connect/iphone/profile", form_at="/devices").status_code == 404  # app passwords are offered
    object.__setattr__(visitor.app.extensions["settings"], "sign_in", "imap")
    page = seen(visitor.get("/devices/connect/iphone"))
    assert read_qr(str(page.select_one(".qr svg"))) == "https://webmail.lycee.example/devices/connect/iphone"
    answer = visitor.post("/devices/connect/iphone/profile", form_at="/devices/connect/iphone")
    (mail,) = plistlib.loads(answer.data)["PayloadContent"]
    assert mail["IncomingMailServerUsername"] == "alice@lycee.example"
    assert "IncomingPassword" not in mail
    assert "no-store" in answer.headers["Cache-Control"]
    visitor.app.extensions["dav"] = True
    for rule, there in (("without-second-step", True), ("never", False)):  # calendars by the usual password
        object.__setattr__(visitor.app.extensions["settings"], "own_password_on_devices", rule)
        assert ("/dav/" in visitor.get("/devices/connect/kde").text) is there
        content = visitor.post("/devices/connect/iphone/profile", form_at="/devices/connect/iphone").data
        assert (b"com.apple.caldav.account" in content) is there
    assert visitor.post("/devices/connect/kde/profile", form_at="/devices/connect/iphone").status_code == 404


def test_calendars_by_the_usual_password_are_not_promised_to_who_has_a_second_step(settings, alice):
    visitor = confirmed(build(settings))
    here = visitor.app.extensions["settings"]
    object.__setattr__(here, "sign_in", "imap")
    visitor.app.extensions["dav"] = True
    User.update(second_step=1).execute()
    for rule, there in (("without-second-step", False), ("always", True)):
        object.__setattr__(here, "own_password_on_devices", rule)
        assert ("/dav/" in visitor.get("/devices/connect/kde").text) is there
