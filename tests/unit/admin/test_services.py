"""Connected services for administrators: what is set up, whether it works, for whom; and their end with an account."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from time import time

import pytest
from flask import Flask, Response

from tests.support import calendar_ground as ground
from tests.support.auth_app import add
from tests.support.fakes.google import FakeGoogle
from tests.support.fakes.microsoft import FakeMicrosoft
from tests.support.fakes.service import BACK
from tests.support.visits import Visitor
from webmail.admin import account_deletion
from webmail.models import ConnectedService, PeopleGroup, Session, User, now
from webmail.people import policies
from webmail.services import connections, providers


@pytest.fixture
def google() -> Iterator[FakeGoogle]:
    with FakeGoogle().serving() as fake:
        yield fake


@pytest.fixture
def microsoft() -> Iterator[FakeMicrosoft]:
    with FakeMicrosoft().serving() as fake:
        yield fake


@pytest.fixture
def app(tmp_path: Path, google: FakeGoogle, microsoft: FakeMicrosoft) -> Iterator[Flask]:
    values = {"services": "google, microsoft", "public_url": BACK, **google.settings(), **microsoft.settings()}
    with ground.application(tmp_path / "instance", **values) as made:
        yield made


@pytest.fixture
def root(app: Flask) -> Visitor:
    add("root@lycee.example")
    User.update(role="admin").execute()
    visitor = ground.signed_in(app, "root")
    Session.update(confirmed=now()).execute()
    return visitor


def told(root: Visitor, provider: str = "google") -> str:
    page = root.get("/admin/services")
    return root.submit(page, f"form[action='/admin/services/{provider}']").notices


def test_what_to_register_is_shown_and_what_is_missing(root: Visitor) -> None:
    page = root.get("/admin/services")
    card = page.one("[data-service=google]").text
    assert f"{BACK}/services/google/back" in card and "drive.file" in card and "traboule-client" in card
    assert "services" in page.one("[data-service=nextcloud] li").text
    assert "not with the real ones" in page.one("main").text
    assert "a secret/with" not in page.text


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_a_good_registration(root: Visitor, provider: str) -> None:
    assert "the client ID and secret are right" in told(root, provider)


def test_a_wrong_secret(app: Flask, root: Visitor) -> None:
    app.extensions["settings"].put({"google_client_secret": "x", "microsoft_client_secret": "x"})
    assert "secret is wrong, or the secret has expired" in told(root)
    assert "secret is wrong, or the secret has expired" in told(root, "microsoft")


def test_a_wrong_client(app: Flask, root: Visitor) -> None:
    app.extensions["settings"].put({"google_client_id": "x"})
    said = told(root)
    assert "client ID or the client secret is wrong" in said


def test_a_way_back_that_is_not_registered(root: Visitor, google: FakeGoogle) -> None:
    google.back = {"https://other.example"}
    assert "not registered at Google as a redirect address" in told(root)


def test_a_way_back_that_google_refuses_in_the_address_it_sends_to(root: Visitor, google: FakeGoogle) -> None:
    packed = "ChVyZWRpcmVjdF91cmlfbWlzbWF0Y2gSsAE%3D"  # redirect_uri_mismatch, in Base64
    there = f"https://accounts.google.com/signin/oauth/error?authError={packed}&flowName=GeneralOAuthFlow"
    google.faults[google.authorize_path] = [Response("", 302, {"Location": there})]
    assert "not registered at Google as a redirect address" in told(root)


@pytest.mark.parametrize(
    ("number", "words"),
    [(700016, "does not know this client ID"), (50011, "not registered at Microsoft"), (90002, "does not know this tenant")],
)
def test_microsoft_s_numbers(root: Visitor, microsoft: FakeMicrosoft, number: int, words: str) -> None:
    microsoft.fault(microsoft.token_path, 400, {"error": "unauthorized_client", "error_description": f"AADSTS{number}: no."})
    assert words in told(root, "microsoft")


def test_clocks_that_differ(root: Visitor, google: FakeGoogle) -> None:
    google.fault("/token", 400, {"error": "invalid_grant"}, Date=formatdate(time() - 600, usegmt=True))
    assert "by 600 seconds" in told(root).replace("601", "600").replace("599", "600")


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [(503, {}, "answers 503"), (429, {}, "fewer requests"), (400, {"error": "a<b>"}, "refuses: a<b>"), (200, {}, "answers 200")],
)
def test_a_provider_that_is_away_or_says_something_else(
    root: Visitor, google: FakeGoogle, status: int, body: dict[str, str], words: str
) -> None:
    google.fault("/token", status, body)
    assert words in told(root)


def test_one_that_can_t_be_reached(app: Flask, root: Visitor) -> None:
    addresses = app.extensions["settings"].google_addresses
    there = type(addresses)(authorize=addresses.authorize, token="http://127.0.0.1:9/token")
    app.extensions["settings"].put({"google_addresses": there})
    assert "can’t be reached from this server" in told(root)


def test_a_group_says_what_its_people_may_connect(root: Visitor) -> None:
    group = PeopleGroup.create(identifier="pupils", name="Pupils", sort="pupils", domain="lycee.example")
    page = root.get(f"/admin/groups/{group.id}/policy")
    root.submit(page, "main form", own_services="1", services=[])
    assert policies.of_group(PeopleGroup.get_by_id(group.id)).services == ()
    page = root.get(f"/admin/groups/{group.id}/policy")
    root.submit(page, "main form", own_services="1", services=["nextcloud"])
    assert policies.of_group(PeopleGroup.get_by_id(group.id)).services == ("nextcloud",)
    page = root.get(f"/admin/groups/{group.id}/policy")
    assert [one["value"] for one in page.all("[name=services][checked]")] == ["nextcloud"]


def test_several_groups_give_what_any_gives_and_one_person_s_own_wins() -> None:
    none, some = policies.Policy(services=()), policies.Policy(services=("google",))
    assert policies.widest([none, some]).services == ("google",)
    assert policies.widest([none, policies.NOTHING]).services == ()
    assert policies.over(none, some).services == ()
    assert policies.loads(none.dumps()).services == ()


def test_with_an_account_its_consents_end_at_the_provider(app: Flask, google: FakeGoogle) -> None:
    settings, zoe = app.extensions["settings"], add("zoe@lycee.example")
    provider = providers.find("google", settings)
    assert provider is not None
    access, refresh = google.give("email")
    connections.make(zoe, provider, login="zoe", secret={"access": access, "refresh": refresh}, settings=settings)
    account_deletion.delete(zoe, settings)
    assert google.grants[0].ended and not ConnectedService.select().exists()
