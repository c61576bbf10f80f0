"""What the doctor says of a CAS server and of a trusted proxy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.cas_server import FakeCas, cas_server, failure, success, xml
from tests.support.oidc_provider import CLIENT, SECRET, fake_provider
from webmail.auth.providers import oidc_server
from webmail.config import settings
from webmail.doctor import providers
from webmail.doctor.result import OK, PROBLEM, WARNING


@pytest.fixture
def server():
    with cas_server() as here:
        yield here


def found(tmp_path, **tables: Any) -> list[tuple[str, str]]:
    (tmp_path / "key").write_text("")
    given = {
        "sign_in": "accounts",
        "domain": "lycee.example",
        "public_url": "https://mail.lycee.example",
        "token_key_file": "key",
    }
    return [(one.state, one.words) for one in providers.examine(settings.load(tmp_path, **{**given, **tables}))]


def cas(tmp_path, server: FakeCas) -> tuple[str, str]:
    [one] = found(tmp_path, cas={"url": server.url, "title": "ENT"})
    return one


def test_a_server_that_answers(tmp_path, server):
    state, words = cas(tmp_path, server)
    assert state == OK and "answers" in words


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (xml(failure("UNAUTHORIZED_SERVICE")), "register https://mail.lycee.example/login/cas/callback there"),
        (xml("<html/>"), "no answer of CAS 3"),
        (b"", "can’t be reached"),
        (xml(success("doctor")), "accepts a ticket that nobody has"),
    ],
)
def test_one_that_does_not(tmp_path, server, answer, said):
    server.answer = answer
    state, words = cas(tmp_path, server)
    assert state == PROBLEM and said in words


def proxy(tmp_path, proxies: int = 1, **rules: Any) -> list[tuple[str, str]]:
    return found(
        tmp_path, proxies=proxies, proxy_sign_in={"header": "RemoteUser", "addresses": "127.0.0.1", "title": "R", **rules}
    )


def test_a_proxy_that_is_fine(tmp_path):
    [(state, _words)] = proxy(tmp_path)
    assert state == OK


@pytest.mark.parametrize(
    ("values", "state", "said"),
    [
        ({"addresses": "0.0.0.0/0"}, PROBLEM, "anyone there can pass for anybody"),
        ({"addresses": "127.0.0.1, ::/0"}, PROBLEM, "anyone there can pass for anybody"),
        ({"header": "X-Remote-User"}, WARNING, "without hyphens"),
        ({"proxies": 0}, WARNING, "proxies is 0"),
    ],
)
def test_one_that_is_not(tmp_path, values, state, said):
    [(told, words)] = proxy(tmp_path, **values)
    assert told == state and said in words


def oidc(tmp_path, **over: Any) -> tuple[str, str]:
    oidc_server.forget_all()
    with fake_provider() as provider:
        provider.told, provider.answer = over.get("told", {}), over.get("answer", {})
        rules = {"name": "ent", "title": "ENT", "issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET}
        [one] = found(tmp_path, oidc=[rules])
        return one


def test_a_provider_of_openid_connect_that_knows_us(tmp_path):
    state, words = oidc(tmp_path)
    assert state == OK and "knows this webmail" in words


@pytest.mark.parametrize(
    ("over", "word"),
    [
        ({"told": {"issuer": "https://other.example"}}, "calls itself"),
        ({"told": {"id_token_signing_alg_values_supported": ["HS256"]}}, "no key"),
        ({"answer": {"/token": (401, b'{"error": "invalid_client"}')}}, "client_secret"),
        ({"answer": {"/token": (200, b"{}")}}, "nobody has"),
        ({"answer": {"/.well-known/openid-configuration": (404, b"")}}, "can’t be asked"),
    ],
)
def test_a_provider_of_openid_connect_that_nobody_can_sign_in_by(tmp_path, over, word):
    state, words = oidc(tmp_path, **over)
    assert state == PROBLEM and word in words
