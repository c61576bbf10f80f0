"""A real provider of OpenID Connect, real mail servers: signing in, the mailbox of an account that it makes, and its sign-out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

import httpx
import pytest
from bs4 import BeautifulSoup
from werkzeug.serving import make_server

from deploy.demo.accounts import DOMAIN
from deploy.demo.child import HOST, free_ports
from deploy.demo.services import Services
from tests.support.real_provider import real_provider
from tests.support.waiting import eventually
from webmail import create_app
from webmail.database.connection import db
from webmail.models import GroupMember, LinkedAccount, Session, User

PEOPLE = {
    "nina": {"email": f"Nina.Roy@{DOMAIN}", "email_verified": True, "name": "Nina Roy", "groups": ["/Pupils of 4B"]},
    "paul": {"email": f"paul.unproven@{DOMAIN}", "email_verified": False, "name": "Paul"},
    "zoe": {"email": "zoe@elsewhere.example", "email_verified": True, "name": "Zoé"},
}


@pytest.fixture(scope="module")
def address(services: Services) -> Iterator[str]:
    """Where the webmail is whose people sign in by the provider."""
    [port] = free_ports(1)
    base = f"http://{HOST}:{port}"
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    with real_provider(base, PEOPLE, create=True, match_address=True, make_groups=True) as provider:
        app = create_app(values.pop("instance"), **{**values, "public_url": base, "oidc": (provider,), "recovery_address": "off"})
        server = make_server(HOST, port, app, threaded=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield base
        server.shutdown()


def _client() -> httpx.Client:
    return httpx.Client(follow_redirects=True, timeout=20)


@dataclass
class Person:
    """Somebody's browser, which goes to the webmail and to the provider."""

    base: str
    browser: httpx.Client = field(default_factory=_client)

    def __post_init__(self) -> None:
        self.browser.headers["Accept-Language"] = "en"

    def get(self, path: str) -> httpx.Response:
        return self.browser.get(path if path.startswith("http") else f"{self.base}{path}")

    def send(self, page: httpx.Response, form: str = "form", **fields: str) -> httpx.Response:
        """Send a form of a page, as it stands but for `fields`."""
        [tag, *_others] = BeautifulSoup(page.text, "html.parser").select(form)
        data = {str(one["name"]): str(one.get("value", "")) for one in tag.select("input[name]")}
        where = urljoin(str(page.url), str(tag["action"]))
        return self.browser.post(where, data={**data, **fields})

    def sign_in(self, name: str, start: str = "/login/oidc/real?next=/mailbox/INBOX") -> httpx.Response:
        """Through the provider's own page."""
        page = self.get(start)
        assert "/interaction/" in str(page.url), page.text
        return self.send(page, login=name, password="any")

    @property
    def is_signed_in(self) -> bool:
        return self.browser.get(f"{self.base}/mailbox/INBOX", follow_redirects=False).status_code == 200


@pytest.fixture
def person(address: str) -> Callable[[], Person]:
    with db.connection_context():
        LinkedAccount.delete().execute()
    return lambda: Person(address)


def test_a_new_account_has_its_name_its_groups_and_a_mailbox_that_opens(person: Callable[[], Person]) -> None:
    nina = person()
    page = nina.sign_in("nina")
    assert page.status_code == 200 and str(page.url) == f"{nina.base}/mailbox/INBOX", page.text[:500]
    assert "Nina Roy" in page.text
    with db.connection_context():
        user = User.get(User.address == f"nina.roy@{DOMAIN}")
        assert (user.name, user.password, user.provider) == ("Nina Roy", "", "oidc:real")
        assert [one.group.name for one in GroupMember.select().where(GroupMember.user == user)] == ["Pupils of 4B"]


def test_who_is_signed_in_there_need_not_type_anything(person: Callable[[], Person]) -> None:
    nina = person()
    nina.sign_in("nina")
    nina.send(nina.get("/account/password"), "form[action='/logout']")
    assert not nina.is_signed_in
    assert str(nina.get("/login/oidc/real?next=/mailbox/INBOX").url) == f"{nina.base}/mailbox/INBOX"


@pytest.mark.parametrize("name, words", [("paul", "has not checked"), ("zoe", "no email address that can be used here")])
def test_who_may_not_come_in_is_told_why(person: Callable[[], Person], name: str, words: str) -> None:
    one = person()
    page = one.sign_in(name)
    assert page.status_code == 403 and words in page.text
    assert not one.is_signed_in


def test_signing_out_there_ends_the_session_here(person: Callable[[], Person]) -> None:
    """The provider tells it behind the browser's back."""
    nina, elsewhere = person(), person()
    nina.sign_in("nina")
    elsewhere.sign_in("nina")
    with db.connection_context():
        assert all(row.provider_session for row in Session.select().where(Session.provider == "oidc:real"))
    nina.send(nina.get("/login/oidc/real/leave"), logout="yes")
    eventually(lambda: not nina.is_signed_in, what="the session that the provider ended")
    assert elsewhere.is_signed_in  # another session there


def test_who_has_no_password_confirms_there_by_signing_in_again(person: Callable[[], Person]) -> None:
    nina = person()
    nina.sign_in("nina")
    page = nina.sign_in("nina", "/account/confirm/oidc/real?next=/account/providers")  # asked, though signed in there
    assert str(page.url) == f"{nina.base}/account/providers", page.text[:500]
    with db.connection_context():
        assert Session.select().where(Session.confirmed.is_null(False), Session.provider == "oidc:real").count()


def test_somebody_else_who_signs_in_there_confirms_nothing(person: Callable[[], Person]) -> None:
    nina = person()
    nina.sign_in("nina")
    with db.connection_context():
        Session.update(confirmed=None).execute()
    page = nina.sign_in("zoe", "/account/confirm/oidc/real?next=/account/providers")
    assert not str(page.url).endswith("/account/providers")  # this provider also ends Nina's session, as another takes its place
    with db.connection_context():
        assert not Session.select().where(Session.confirmed.is_null(False)).count()


def test_an_account_with_a_password_is_connected_and_disconnected(
    person: Callable[[], Person], make_account: Callable[..., str], services: Services
) -> None:
    bob, address = person(), make_account("bob")
    page = bob.send(bob.get("/login"), "form[action='/login']", username=address, password=services.password)
    page = bob.get("/account/providers/real/connect")
    page = bob.send(page, "form[action='/account/confirm']", password=services.password)
    page = bob.get(str(BeautifulSoup(page.text, "html.parser").select("main a")[0]["href"]))  # a page that leads on by itself
    page = bob.send(page, login="zoe", password="any")
    assert str(page.url) == f"{bob.base}/account/providers" and "zoe@elsewhere.example" in page.text
    assert "You can now sign in with ENT Lyon" in bob.send(page, "form[action='/account/providers/connect']").text
    again = person()
    again.base = bob.base
    with db.connection_context():
        user = User.get(User.address == address)
        LinkedAccount.insert(user=user, provider="oidc:real", subject="zoe").on_conflict_ignore().execute()
    assert again.sign_in("zoe").status_code == 200 and again.is_signed_in
    page = bob.send(bob.get("/account/providers"), "form[action='/account/providers/disconnect']", provider="oidc:real")
    assert "is disconnected" in page.text and not again.is_signed_in
