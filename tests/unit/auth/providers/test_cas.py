"""What a CAS server tells, and what is made of it: the published protocol, its errors, and answers that are none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.cas_server import HOSTILE, FakeCas, cas_server, dripping, failure, ok, sign_out, success, xml
from webmail.auth.providers import cas
from webmail.auth.providers.accounts import Claims
from webmail.auth.providers.cas import CasFault, CasRefusedError
from webmail.config import settings as config
from webmail.config.settings import Settings

SERVICE = "https://mail.lycee.example/login/cas/callback?state=abc"
ALICE = {"mail": ["alice@lycee.example"], "displayName": ["Alice Martin"], "groups": ["4e B", "Maths"]}


@pytest.fixture
def server() -> Iterator[FakeCas]:
    with cas_server(alice=ALICE) as here:
        yield here


def settings(tmp_path: Any, server: FakeCas, **values: Any) -> Settings:
    entry = {"url": server.url, "title": "ENT", **values}
    given = {
        "sign_in": "accounts",
        "domain": "lycee.example",
        "public_url": "https://mail.lycee.example",
        "token_key_file": "key",
    }
    (tmp_path / "key").write_text("")
    return config.load(tmp_path, cas=entry, **given)


def told(
    tmp_path: Any, server: FakeCas, ticket: str = "", *, service: str = SERVICE, renew: bool = False, **values: Any
) -> Claims:
    here = settings(tmp_path, server, **values)
    assert here.cas is not None
    return cas.validate(here.cas, service, ticket or server.ticket(SERVICE, "alice"), here, renew=renew)


def fault(*arguments: Any, **named: Any) -> CasFault:
    with pytest.raises(CasRefusedError) as refused:
        told(*arguments, **named)
    return refused.value.fault


def test_the_browser_is_sent_there_with_the_address_to_come_back_to(tmp_path, server):
    rules = settings(tmp_path, server, url="https://cas.lycee.example/cas/").cas
    parts = urlsplit(cas.login_address(rules, SERVICE, renew=True))
    assert (parts.netloc, parts.path) == ("cas.lycee.example", "/cas/login")
    assert parse_qs(parts.query) == {"service": [SERVICE], "renew": ["true"]}


def test_a_ticket_tells_who_it_is(tmp_path, server):
    found = told(tmp_path, server, groups_attribute="groups")
    assert (found.subject, found.address, found.name, found.proven) == ("alice", "alice@lycee.example", "Alice Martin", True)
    assert found.groups == ["4e B", "Maths"]


def test_groups_are_left_alone_where_none_are_asked_for(tmp_path, server):
    assert told(tmp_path, server).groups is None
    server.people["alice"] = {}
    assert told(tmp_path, server, groups_attribute="groups").groups == []


def test_a_user_name_is_the_same_in_either_case(tmp_path, server):
    found = told(tmp_path, server, server.ticket(SERVICE, "ALICE"))
    assert (found.subject, found.shown, found.address, found.proven) == ("alice", "ALICE", "", False)


def test_without_an_attribute_the_user_name_is_the_address(tmp_path, server):
    assert told(tmp_path, server, address_attribute="").address == "alice"


def test_of_several_addresses_ours_is_taken(tmp_path, server):
    server.people["alice"] = {"mail": ["alice@private.example", "Alice@Lycee.example"]}
    assert told(tmp_path, server).address == "Alice@Lycee.example"


def test_a_ticket_is_good_once_and_for_its_address_alone(tmp_path, server):
    ticket = server.ticket(SERVICE, "alice")
    assert told(tmp_path, server, ticket).subject == "alice"
    assert fault(tmp_path, server, ticket) is CasFault.TICKET
    assert fault(tmp_path, server, service=SERVICE + "d") is CasFault.SERVICE


def test_who_confirms_has_typed_the_password_for_it(tmp_path, server):
    ticket = server.ticket(SERVICE, "alice", typed=False)
    assert fault(tmp_path, server, ticket, renew=True) is CasFault.TICKET
    server.people["alice"] = {"isFromNewLogin": ["false"]}  # a server that overlooks what it was asked
    assert fault(tmp_path, server, renew=True) is CasFault.TICKET
    assert told(tmp_path, server).subject == "alice"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("INVALID_TICKET", CasFault.TICKET), ("INVALID_SERVICE", CasFault.SERVICE), ("INVALID_REQUEST", CasFault.SERVICE),
        ("UNAUTHORIZED_SERVICE", CasFault.SERVICE), ("INTERNAL_ERROR", CasFault.AWAY), ("", CasFault.SERVICE),
    ],
)  # fmt: skip
def test_what_the_server_says_is_wrong(tmp_path, server, code, expected):
    server.answer = xml(failure(code))
    assert fault(tmp_path, server) is expected


@pytest.mark.parametrize("name", HOSTILE)
def test_an_answer_that_is_none_signs_nobody_in(tmp_path, server, name):
    server.answer = xml(HOSTILE[name])
    begun = time.monotonic()
    assert fault(tmp_path, server) in (CasFault.ODD, CasFault.TICKET)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", CasFault.ODD),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", CasFault.ODD),
        (b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n", CasFault.AWAY),
        (b"nonsense\r\n\r\n", CasFault.AWAY),
        (b"", CasFault.AWAY),
        (ok(b" " * (cas.LARGEST + 1)), CasFault.AWAY),
    ],
)
def test_answers_that_are_no_success(tmp_path, server, answer, expected):
    server.answer = answer
    assert fault(tmp_path, server) is expected


def test_a_slow_server_is_not_waited_for(tmp_path, server, monkeypatch):
    monkeypatch.setattr(cas, "SECONDS", 0.5)
    server.answer = dripping
    begun = time.monotonic()
    assert fault(tmp_path, server) is CasFault.AWAY
    assert time.monotonic() - begun < 20  # it would answer for sixty


def test_nor_by_more_than_a_few_at_once(tmp_path, server):
    for _ in range(6):
        cas._AT_ONCE.acquire()
    try:
        assert fault(tmp_path, server) is CasFault.AWAY
    finally:
        for _ in range(6):
            cas._AT_ONCE.release()
    assert server.asked == []


@pytest.mark.parametrize("ticket", ["", "PT-1", "TGT-1", "ST-", "ST-a b", "ST-a\n", "ST-é", "ST-" + "a" * 600])
def test_what_is_no_ticket_is_not_asked_about(tmp_path, server, ticket):
    with pytest.raises(CasRefusedError):
        here = settings(tmp_path, server)
        cas.validate(here.cas, SERVICE, ticket, here)
    assert server.asked == []


def test_a_certificate_that_cannot_be_read_is_said(tmp_path, server):
    assert fault(tmp_path, server, ca_file="none.pem") is CasFault.AWAY


# --- sign-out --------------------------------------------------------------------------------------------------------


def test_a_sign_out_names_the_ticket():
    assert cas.ended_ticket(sign_out("ST-1-abc").encode()) == "ST-1-abc"


@pytest.mark.parametrize(
    "text",
    [
        "", "x", success("alice"), sign_out(""), sign_out("TGT-1"), sign_out("ST-1</samlp:SessionIndex><samlp:SessionIndex>ST-2"),
        sign_out("&x;", '<!DOCTYPE r [<!ENTITY x "ST-1">]>'), sign_out("ST-1").replace("2.0:protocol", "1.0"), sign_out("ST-" + "a" * 20_000),
    ],
)  # fmt: skip
def test_what_is_no_sign_out(text):
    with pytest.raises(CasRefusedError):
        cas.ended_ticket(text.encode())
