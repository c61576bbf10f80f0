"""A real CAS server, real mail servers: signing in, the mailbox of the account that is made, confirming, and the server's sign-out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from bs4 import BeautifulSoup
from werkzeug.serving import make_server

from deploy.demo.accounts import DOMAIN
from deploy.demo.child import HOST, free_ports
from deploy.demo.services import Services
from tests.support.real_cas import NAME, PASSWORD, real_cas
from tests.support.waiting import eventually
from webmail import create_app
from webmail.config.providers import Cas
from webmail.database.connection import db
from webmail.models import GroupMember, LinkedAccount, User


@dataclass
class Place:
    """The webmail, and the CAS server that its people sign in by."""

    base: str
    cas: Cas


@pytest.fixture(scope="module")
def place(services: Services) -> Iterator[Place]:
    [port] = free_ports(1)
    base = f"http://{HOST}:{port}"
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    with real_cas(base, match_address=True) as cas:
        app = create_app(values.pop("instance"), **{**values, "public_url": base, "cas": cas, "recovery_address": "off"})
        server = make_server(HOST, port, app, threaded=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield Place(base, cas)
        server.shutdown()


def _client() -> httpx.Client:
    return httpx.Client(follow_redirects=True, timeout=20)


@dataclass
class Person:
    """Alice's browser, which goes to the webmail and to the CAS server. Both are on one host: cookies know no port."""

    place: Place
    browser: httpx.Client = field(default_factory=_client)

    def __post_init__(self) -> None:
        self.browser.headers["Accept-Language"] = "en"

    def get(self, path: str) -> httpx.Response:
        return self.browser.get(path if path.startswith("http") else f"{self.place.base}{path}")

    def send(self, page: httpx.Response, form: str, **fields: str) -> httpx.Response:
        [tag, *_others] = BeautifulSoup(page.text, "html.parser").select(form)
        data = {str(one["name"]): str(one.get("value", "")) for one in tag.select("input[name]") if one.get("type") != "checkbox"}
        where = urljoin(str(page.url), str(tag.get("action", str(page.url))))
        return self.browser.post(where, data={**data, **fields})

    def sign_in(self, start: str = "/login/cas?next=/mailbox/INBOX", password: str = PASSWORD) -> httpx.Response:
        """Through the server's own page."""
        page = self.get(start)
        assert str(page.url).startswith(f"{self.place.cas.url}/login"), page.text
        return self.send(page, "#login_form", username=NAME, password=password)

    @property
    def is_signed_in(self) -> bool:
        return self.browser.get(f"{self.place.base}/mailbox/INBOX", follow_redirects=False).status_code == 200


@pytest.fixture
def alice(place: Place) -> Person:
    with db.connection_context():
        LinkedAccount.delete().execute()
    return Person(place)


def test_the_mailbox_opens_and_groups_come_along(alice: Person) -> None:
    page = alice.sign_in()
    assert (page.status_code, str(page.url)) == (200, f"{alice.place.base}/mailbox/INBOX"), page.text[:500]
    with db.connection_context():
        user = User.get(User.address == f"alice@{DOMAIN}")
        mine = GroupMember.select().where(GroupMember.user == user, GroupMember.provider == "cas")
        assert {one.group.name for one in mine} <= {"4e B", "Maths"}
        assert LinkedAccount.get(LinkedAccount.user == user).shown == NAME


def test_a_wrong_password_there_leads_nowhere(alice: Person) -> None:
    page = alice.sign_in(password="not this one")
    assert str(page.url).startswith(alice.place.cas.url)
    assert not alice.is_signed_in


def test_who_is_signed_in_there_need_not_type_anything(alice: Person) -> None:
    alice.sign_in()
    alice.send(alice.get("/devices"), "form[action='/logout']")
    assert not alice.is_signed_in
    assert str(alice.get("/login/cas?next=/mailbox/INBOX").url) == f"{alice.place.base}/mailbox/INBOX"


def test_the_way_back_is_good_in_no_other_browser(alice: Person) -> None:
    page = alice.sign_in()
    back = next(one.headers["Location"] for one in page.history if "ticket=" in one.headers.get("Location", ""))
    again = Person(alice.place)
    assert again.get(back).status_code == 400
    assert not again.is_signed_in


def test_confirming_asks_for_the_password_there_though_one_is_signed_in(alice: Person) -> None:
    alice.sign_in()
    with db.connection_context():
        before = User.get(User.address == f"alice@{DOMAIN}").password
        User.update(password="").where(User.address == f"alice@{DOMAIN}").execute()
    try:
        page = alice.get("/account/totp")
        assert urlsplit(str(page.url)).path == "/account/confirm"
        [way] = BeautifulSoup(page.text, "html.parser").select("a[href^='/account/confirm/cas']")
        page = alice.sign_in(str(way["href"]))
        assert urlsplit(str(page.url)).path == "/account/totp", page.text[:500]
        assert "data-totp-key" in page.text
    finally:
        with db.connection_context():
            User.update(password=before).where(User.address == f"alice@{DOMAIN}").execute()


def test_signing_out_there_ends_the_session_here(alice: Person) -> None:
    """The server tells it behind the browser's back."""
    alice.sign_in()
    assert alice.is_signed_in
    alice.get(f"{alice.place.cas.url}/logout")
    assert eventually(lambda: not alice.is_signed_in, 10)
