"""Scripts: who may ask, what is refused before and after it is read, and that the description is what is answered."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support import calendar_ground as ground
from tests.support.auth_app import PASSWORD
from tests.support.scripts import ROOT, Script, problem
from webmail import preferences
from webmail.api import json_bodies, schemas
from webmail.api.problems import KINDS, ProblemError
from webmail.api.views import answering
from webmail.auth.devices import app_passwords
from webmail.models import AuditAct, AuditEntry, User
from webmail.people import policies
from webmail.people.policies import Policy


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with ground.application(tmp_path_factory.mktemp("api"), api="true", public_url="https://webmail.lycee.example") as made:
        yield made


@pytest.fixture
def alice(app) -> Script:
    return Script(app, "alice-script")


def described(app: Flask) -> dict[str, Any]:
    found = app.test_client().get("/api/openapi.json")
    assert found.status_code == 200
    return found.get_json()


# --- what is told of it ----------------------------------------------------------------------------------------------


def test_the_description_is_openapi_and_has_every_operation(app):
    told = described(app)
    assert not list(OpenAPIV31SpecValidator(told).iter_errors())
    names = {one["operationId"] for path in told["paths"].values() for one in path.values()}
    assert names == {one.name for one in answering.OPERATIONS.all} and len(names) == len(answering.OPERATIONS.all)
    assert told["servers"] == [{"url": "https://webmail.lycee.example/api/v1"}]


def test_every_address_that_is_described_is_answered(app, alice):
    """Each by its own operation: none is 404 for want of a route, and none without a sign-in but those that a link opens."""
    for path, methods in described(app)["paths"].items():
        filled = path.format(number=1, person=1, addition=1, upload="0" * 32, link="x", path="a.txt")
        for method, one in methods.items():
            found, _values = answering.OPERATIONS.find(method.upper(), filled)
            assert found.name == one["operationId"]
            answer = app.test_client().open(ROOT + filled, method=method.upper())
            assert (answer.status_code == 401) == (one.get("security") != []), (method, path, answer.status_code)
            if method != "head" and answer.status_code == 401:
                assert problem(answer) == "sign-in" and "Basic" in answer.headers["WWW-Authenticate"]


def test_whatever_is_asked_for_the_answer_is_one_for_programs(alice):
    """Numbers that are too large, line ends in an address, methods that nobody knows: never a page, never a fault of ours."""
    for method in ("GET", "HEAD", "PATCH", "DELETE", "OPTIONS"):
        for path in (
            "/transfers/9007199254740992",
            "/requests/99999999999999999999",
            "/transfers/1/uploads/a%0Ab",
            "/guests/%0A/transfer%0A",
            "/x%0A",
        ):
            answer = alice.ask(method, path)
            assert (answer.status_code, answer.content_type) == (404, "application/problem+json"), (method, path)
    refused = alice.ask("TRACE", "/me")
    assert problem(refused) == "wrong-method" and refused.headers["Allow"] == "GET, OPTIONS"
    assert problem(alice.post("/requests", {"title": "x"}, Idempotency_Key="")) == "invalid"


def test_the_description_says_what_is_required_and_which_characters_a_text_has(app):
    told = described(app)
    asked = {one["name"]: one["required"] for one in told["paths"]["/free-busy"]["get"]["parameters"]}
    assert asked == {"from": True, "to": True, "people": False}
    fields = told["paths"]["/messages"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
    for value in ("Ligne", "a\nb", "a\x7f", "a\u2028b", "a\tb"):
        for name, schema in (("subject", fields["subject"]), ("text", fields["text"])):
            fits = re.search(schema["pattern"], value) is not None
            assert fits == (not schemas.faults_of(value, message_fields()[name])), (name, value)


def message_fields() -> Any:
    return next(one for one in answering.OPERATIONS.all if one.name == "send_message").body["properties"]


def test_the_page_shows_all_in_both_languages(app):
    for language, words in (("en", "Create a transfer"), ("fr", "Créer un transfert")):
        visitor = ground.person(app, f"page-{language}", language)
        page = visitor.get("/api")
        assert page.status == 200 and words in page.text
        assert {one["data-operation"] for one in page.all("[data-operation]")} == {one.name for one in answering.OPERATIONS.all}
        assert all(page.one(f"#problem-{kind}") for kind in KINDS)
        assert "https://webmail.lycee.example/api/v1" in page.text


def test_it_is_off_unless_the_administrator_says_so(tmp_path):
    with ground.application(tmp_path / "instance") as off:
        script = Script(off)
        assert problem(script.get("/me")) == "not-found"
        visitor = ground.signed_in(off)
        assert visitor.get("/api").status == 404 and off.test_client().get("/api/openapi.json").status_code == 404
        assert "Scripts" not in visitor.get("/devices").text


# --- who asks --------------------------------------------------------------------------------------------------------


def test_an_app_password_for_scripts_opens_alone_or_with_the_address(alice):
    for given in (alice.sign_in, alice.basic(), alice.basic(alice.user.local), alice.basic(secret=alice.password.upper())):
        alice.sign_in = given
        assert alice.get("/me").get_json()["address"] == alice.user.address
    assert app_passwords.for_user(alice.user)[0].used_protocol == "api"


def test_nothing_else_opens(app, alice):
    mail, dav = Script(app, "alice-script", uses=("imap", "smtp")), Script(app, "alice-script", uses=("caldav", "carddav"))
    bob = Script(app, "bob-script")
    wrong = [
        {"Authorization": value}
        for value in ("", "Bearer", "Bearer ", "Basic !", "Basic YQ==", "Digest x", "Bearer " + "a" * 5000, "Bearer \x00")
    ]
    wrong += [mail.sign_in, dav.sign_in, mail.basic(), alice.basic(secret=PASSWORD), bob.basic(alice.user.address)]
    for given in wrong:
        alice.sign_in = given
        answer = alice.get("/me")
        assert problem(answer) == "sign-in" and answer.headers["Connection"] == "close", given
    cookies = ground.signed_in(app, "alice-script")
    assert cookies.get("/settings").status == 200
    assert cookies.client.get(f"{ROOT}/me").status_code == 401


def test_an_app_password_for_scripts_opens_no_calendar_nor_mail(app, alice):
    answer = app.test_client().open("/dav/", method="PROPFIND", headers={**alice.basic(), "Depth": "0"})
    assert answer.status_code == 401
    assert not (alice.row.imap or alice.row.smtp or alice.row.caldav or alice.row.carddav)


def test_who_is_disabled_or_whose_password_ended_is_refused(app):
    for change in ("disabled", "expired", "revoked"):
        script = Script(app, f"gone-{change}")
        assert script.get("/me").status_code == 200
        if change == "disabled":
            User.update(active=0).where(User.id == script.user.id).execute()
        elif change == "expired":
            type(script.row).update(expires=1).where(type(script.row).id == script.row.id).execute()
        else:
            app_passwords.revoke(script.user, script.row.id)
        assert problem(script.get("/me")) == "sign-in"


def test_refusals_are_in_the_audit_log_and_a_flood_writes_little(app, alice):
    alice.sign_in = alice.basic(secret="nonsense")
    alice.client.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    AuditEntry.delete().where(AuditEntry.act == AuditAct.SIGN_IN_REFUSED).execute()
    assert {alice.get("/me").status_code for _ in range(40)} == {401}
    [entry] = AuditEntry.select().where(AuditEntry.act == AuditAct.SIGN_IN_REFUSED, AuditEntry.target == alice.user.address)
    assert entry.times == 20
    alice.sign_in = {"Authorization": f"Bearer {alice.password}"}
    assert alice.get("/me").status_code == 200  # nobody is locked out by it


def test_groups_may_be_kept_from_scripts_and_from_areas(app):
    pupil, teacher = Script(app, "pupil-script"), Script(app, "teacher-script")
    policies.set_own(pupil.user, Policy(hidden=("api",)))
    policies.set_own(teacher.user, Policy(hidden=("transfers",)))
    assert problem(pupil.get("/me")) == "not-allowed"
    assert teacher.get("/me").status_code == 200
    assert problem(teacher.get("/transfers")) == problem(teacher.post("/requests", {"title": "a"})) == "not-allowed"
    visitor = ground.signed_in(app, "pupil-script")
    assert visitor.get("/api").status == 403
    assert not visitor.get("/devices").all("input[name=use][value=api]")


def test_it_is_chosen_on_the_page_of_devices(app):
    visitor = ground.person(app, "chooser")
    visitor.password = PASSWORD
    visitor.confirm()
    page = visitor.submit(visitor.get("/devices"), "#new-app-password", name="Backup", use=["api"])
    made = str(page.one("[data-device-password]")["data-device-password"])
    assert "Scripts" in page.text and page.link("How scripts use it") == "/api"
    answer = app.test_client().get(f"{ROOT}/me", headers={"Authorization": f"Bearer {made}"})
    assert answer.get_json()["address"] == "chooser@lycee.example"


def test_no_cookie_is_set_and_no_other_site_reads_an_answer(app, alice):
    answer = alice.get("/me", Origin="https://evil.example")
    preflight = app.test_client().open(
        f"{ROOT}/messages", method="OPTIONS",
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
    )  # fmt: skip
    assert preflight.status_code == 204 and preflight.headers["Allow"] == "POST, OPTIONS"
    for one in (answer, preflight):
        assert not [name for name, _value in one.headers if name.lower().startswith("access-control")]
        assert "Set-Cookie" not in one.headers
    assert answer.headers["Cache-Control"].startswith("no-store")
    assert alice.post("/transfers", Origin="https://evil.example").status_code == 403


# --- what is sent ----------------------------------------------------------------------------------------------------


class _Unread:
    """A body that must not be read."""

    def read(self, *_size: int) -> bytes:
        raise AssertionError("it was read")


def _unread(length: int) -> dict[str, object]:
    return {"wsgi.input": _Unread(), "CONTENT_LENGTH": str(length)}


def test_who_has_no_account_is_refused_before_anything_is_read(app):
    for path in ("/messages", "/transfers"):
        answer = app.test_client().open(
            ROOT + path, method="POST", content_type="application/json", environ_overrides=_unread(10**9)
        )
        assert problem(answer) == "sign-in"
    answer = app.test_client().open(f"{ROOT}/transfers/1/files/a", method="PUT", environ_overrides=_unread(10**12))
    assert problem(answer) == "sign-in"


@pytest.mark.parametrize(
    "text",
    [
        b"{", b"[1]", b'"a"', b"nul", b"\xff\xfe", b'{"subject": NaN}', b'{"subject": 1e999}', b'{"days": 1.5}', b'{"days": -Infinity}',
        b'{"subject": "a", "subject": "b"}', b'{"days": ' + b"9" * 5000 + b"}", b"[" * 100_000 + b"]" * 100_000,
        b'{"options":' * 20_000 + b"1" + b"}" * 20_000,
    ],
)  # fmt: skip
def test_odd_json_is_refused(alice, text):
    answer = alice.ask("POST", "/transfers", data=text, Content_Type="application/json")
    assert problem(answer) in ("not-understood", "invalid") and answer.status_code in (400, 422)


def test_too_much_is_refused_before_it_is_read(app, alice):
    answer = app.test_client().open(
        f"{ROOT}/transfers", method="POST", headers={**alice.sign_in, "Content-Type": "application/json"},
        environ_overrides=_unread(json_bodies.SMALL + 1),
    )  # fmt: skip
    assert problem(answer) == "too-large" and answer.get_json()["limit"] == json_bodies.SMALL


def test_a_body_of_another_kind_is_refused(alice):
    assert problem(alice.ask("POST", "/transfers", data=b"a=b", Content_Type="application/x-www-form-urlencoded")) == "not-json"


def test_values_are_checked_as_they_are_described(alice):
    answer = alice.post(
        "/transfers", {"to": "a@b.example", "days": 0, "subject": "a\r\nBcc: x@evil.example", "more": 1, "options": {"x": True}}
    )
    assert problem(answer) == "invalid"
    assert {one["at"] for one in answer.get_json()["errors"]} == {"/to", "/days", "/subject", "/more", "/options/x"}
    assert problem(alice.get("/transfers?page=0")) == problem(alice.get("/transfers?pages=1")) == "invalid"


def test_what_is_not_there_says_so(alice):
    assert problem(alice.get("/nothing")) == problem(alice.get("/transfers/999999")) == "not-found"
    assert problem(alice.get("/transfers/99999999999999999999999")) == "not-found"
    answer = alice.ask("DELETE", "/me")
    assert problem(answer) == "wrong-method" and answer.headers["Allow"] == "GET, OPTIONS"


def test_problems_speak_the_language_of_who_asks(app):
    script = Script(app, "french-script", language="fr")
    assert script.get("/nothing").get_json()["title"] == "Il n’y a rien à cette adresse"


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\x00b", "a\u2028b", "a\x85b", "\ud800", "a\x7fb"])
def test_a_line_has_no_character_that_ends_it(text):
    assert schemas.faults_of(text, schemas.text(10))


def test_lines_may_have_ends_and_letters_of_all_languages():
    assert not schemas.faults_of("Élève\n\tмир 🎉", schemas.text(100, lines=True))
    assert schemas.faults_of(True, schemas.number(5)) and schemas.faults_of(6, schemas.number(5))
    assert not schemas.faults_of(None, schemas.or_null(schemas.text(3)))


def test_only_an_object_with_names_once_is_taken():
    assert json_bodies.parsed(b'{"a": [1, "b", true, null]}') == {"a": [1, "b", True, None]}
    with pytest.raises(ProblemError):
        json_bodies.parsed(b'{"a": {"b": 1, "b": 2}}')


# --- how much --------------------------------------------------------------------------------------------------------


def test_a_script_that_asks_too_often_waits_and_others_go_on(app, alice, monkeypatch):
    monkeypatch.setattr(answering, "REQUESTS", replace(answering.REQUESTS, most=3, name="few"))
    assert [alice.get("/me").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    answer = alice.get("/me")
    assert problem(answer) == "too-many" and int(answer.headers["Retry-After"]) > 0
    assert Script(app, "other-script").get("/me").status_code == 200


def test_a_script_holds_two_places_and_others_have_theirs(app, alice, monkeypatch):
    """Whatever it does meanwhile, such as sending a body that never ends."""
    monkeypatch.setattr(answering.SCRIPTS, "patience", 0.0)
    with answering.SCRIPTS.admit(alice.user.id), answering.SCRIPTS.admit(alice.user.id):
        answer = alice.get("/me")
        assert problem(answer) == "busy" and answer.headers["Retry-After"]
        assert Script(app, "other-script").get("/me").status_code == 200
        assert app.test_client().get("/login").status_code == 200
    assert alice.get("/me").status_code == 200


# --- busy times ------------------------------------------------------------------------------------------------------


def _week() -> tuple[datetime, str]:
    monday = datetime(2027, 1, 11, tzinfo=UTC)
    return monday, f"from={monday:%Y-%m-%dT%H:%M:%SZ}&to={monday + timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}"


def test_busy_times_are_told_without_titles_and_as_the_pages_do(app, alice):
    colleague, hidden = Script(app, "colleague-script"), Script(app, "hidden-script")
    for one in ("alice-script", "colleague-script", "hidden-script"):
        ground.put(ground.calendar_of(one), f"Conseil {one}", ":20270112T090000Z", ":20270112T100000Z")
    preferences.change(hidden.user, busy_shown=False)
    _monday, span = _week()
    own = alice.get(f"/free-busy?{span}")
    assert own.get_json()["people"][0]["busy"] == [
        {"from": "2027-01-12T09:00:00Z", "to": "2027-01-12T10:00:00Z", "level": "busy"}
    ]
    people = f"{colleague.user.address},{hidden.user.address},zoe@parents.example"
    told = alice.get(f"/free-busy?{span}&people={people}")
    assert [(one["known"], len(one["busy"])) for one in told.get_json()["people"]] == [(True, 1), (False, 0), (False, 0)]
    assert "Conseil" not in told.text
    jsonschema.validate(told.get_json(), described(app)["components"]["schemas"]["FreeBusy"])


def test_busy_times_need_a_span_that_is_one(alice):
    monday, span = _week()
    for asked in ("", "from=a&to=b", "from=2027-01-11T00:00:00Z", f"{span}&people=nobody here", "to=2027-01-11T00:00:00Z&" + span.split("&")[0],
                  f"from={monday:%Y-%m-%dT00:00:00Z}&to=2028-01-01T00:00:00Z", "from=0001-01-01T00:00:00Z&to=0001-01-02T00:00:00Z"):  # fmt: skip
        assert problem(alice.get(f"/free-busy?{asked}")) == "invalid", asked


def test_two_threads_ask_at_once(app, alice):
    """Each in a context of its own: nobody is taken for somebody else."""
    bob, found = Script(app, "bob-script"), []

    def ask(script: Script) -> None:
        found.extend((script.user.address, script.get("/me").get_json()["address"]) for _ in range(3))

    threads = [threading.Thread(target=ask, args=(one,)) for one in (alice, bob)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 6 and all(mine == told for mine, told in found)
