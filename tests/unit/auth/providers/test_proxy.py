"""What a trusted proxy's header says, and what is not believed."""

from __future__ import annotations

from typing import Any

import pytest

from webmail.auth.providers import proxy
from webmail.auth.providers.proxy import HeaderNotBelievedError
from webmail.config import settings as config
from webmail.config.providers import ProxySignIn

RULES = ProxySignIn(header="X-Remote-User", addresses="127.0.0.1, 10.0.0.0/8, ::1", title="Rectorat")


@pytest.fixture
def settings(tmp_path):
    return config.load(tmp_path, domain="lycee.example")


def environ(value: str | None = "alice@lycee.example", peer: str = "127.0.0.1", **more: Any) -> dict[str, Any]:
    given = {} if value is None else {"HTTP_X_REMOTE_USER": value}
    return {"REMOTE_ADDR": peer, **given, **more}


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.1.2.3", "::1", "::ffff:10.1.2.3"])
def test_it_is_believed_from_the_addresses_that_are_set(settings, peer):
    assert proxy.named(environ(peer=peer), RULES, settings) == "alice@lycee.example"


@pytest.mark.parametrize("peer", ["127.0.0.2", "192.0.2.1", "11.0.0.1", "::2", "", "unix:/run/x", "127.0.0.1, 192.0.2.1"])
def test_and_from_nowhere_else(settings, peer):
    assert proxy.named(environ(peer=peer), RULES, settings) == ""


def test_what_a_header_says_of_the_address_does_not_count(settings):
    forged = environ(peer="127.0.0.1", **{"werkzeug.proxy_fix.orig": {"REMOTE_ADDR": "192.0.2.1"}})
    assert proxy.named(forged, RULES, settings) == ""
    behind = environ(peer="192.0.2.1", **{"werkzeug.proxy_fix.orig": {"REMOTE_ADDR": "127.0.0.1"}})
    assert proxy.named(behind, RULES, settings) == "alice@lycee.example"


@pytest.mark.parametrize(
    ("value", "address"), [("Alice", "alice@lycee.example"), (" alice@lycee.example ", "alice@lycee.example")]
)
def test_a_user_name_gets_the_domain(settings, value, address):
    assert proxy.named(environ(value), RULES, settings) == address


@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_empty_header_names_nobody(settings, value):
    assert proxy.named(environ(value), RULES, settings) == ""


@pytest.mark.parametrize(
    "value",
    [
        "alice@lycee.example,admin@lycee.example", "alice@lycee.example, alice@lycee.example", "alice,admin", "alice;admin", "alice admin",
        "alice\tadmin", "a@b@c", "@", "a" * 255, "alice\x00", "alice\u202e", "zo\u20ac",
    ],
)  # fmt: skip
def test_one_that_names_several_or_nobody_is_not_believed(settings, value):
    with pytest.raises(HeaderNotBelievedError):
        proxy.named(environ(value), RULES, settings)


@pytest.mark.parametrize("sent", ["Zoé".encode(), "Zoé".encode("latin-1")])
def test_names_come_as_utf_8_or_latin_1(settings, sent):
    rules = ProxySignIn(header="X-Remote-User", addresses="127.0.0.1", title="R", name_header="X-Name", groups_header="X-Groups")
    here = environ(HTTP_X_NAME=sent.decode("latin-1"), HTTP_X_GROUPS="4e B; Maths,,Physique ")
    found = proxy.claims(here, rules, settings)
    assert (found.name, found.groups, found.proven) == ("Zoé", ["4e B", "Maths", "Physique"], True)


def test_headers_are_bounded(settings):
    rules = ProxySignIn(header="X-Remote-User", addresses="127.0.0.1", title="R", groups_header="X-Groups")
    assert len(proxy.claims(environ(HTTP_X_GROUPS="a;" * 5000), rules, settings).groups or ()) == 500
    with pytest.raises(HeaderNotBelievedError):
        proxy.claims(environ(HTTP_X_GROUPS="a;" * 10_000), rules, settings)


def test_who_is_named_later_ends_the_session_of_somebody_else(tmp_path):
    rules = {"header": "X-Remote-User", "addresses": "127.0.0.1", "title": "R"}
    (tmp_path / "key").write_text("")
    here = config.load(tmp_path, domain="lycee.example", sign_in="accounts", token_key_file="key", proxy_sign_in=rules)
    key = proxy.key_of("alice@lycee.example")
    assert not proxy.names_somebody_else(environ("ALICE"), key, here)
    assert not proxy.names_somebody_else(environ(None), key, here)
    assert not proxy.names_somebody_else(environ("bob", peer="192.0.2.1"), key, here)
    assert proxy.names_somebody_else(environ("bob"), key, here)
    assert proxy.names_somebody_else(environ("alice,bob"), key, here)
