"""Text messages: what a gateway, a real HTTP server here, is asked, and what becomes of its answers."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from tests.support.servers import certificate, closed_port, silent
from tests.support.sms_gateway import SmsGateway, sms_gateway
from webmail.config.providers import Sms
from webmail.system_mail import sms

NUMBER = "+33612345678"
HARD = 'L\'été "à" 5 < 6 & 7 > {number} \\ 100 %'  # for every way of escaping
FORM = "Content-Type: application/x-www-form-urlencoded"


@pytest.fixture
def gateway() -> Iterator[SmsGateway]:
    with sms_gateway() as found:
        yield found


def test_json_is_what_it_asks_for_unless_told_otherwise(gateway):
    sms.send(gateway.sms, NUMBER, HARD)
    [(method, path, headers, body)] = gateway.asked
    assert (method, path, headers["Content-Type"]) == ("POST", "/send", "application/json")
    assert json.loads(body) == {"to": NUMBER, "message": HARD}


def test_a_form(gateway):
    sms.send(replace(gateway.sms, headers=FORM, body="to={number}&text={text}&from=Ecole"), NUMBER, HARD)
    assert parse_qs(gateway.asked[0][3]) == {"to": [NUMBER], "text": [HARD], "from": ["Ecole"]}


def test_the_address_alone(gateway):
    sms.send(replace(gateway.sms, url=f"{gateway.sms.url}?n={{number}}&t={{text}}", method="GET", headers=""), NUMBER, HARD)
    method, path, _headers, body = gateway.asked[0]
    assert (method, body) == ("GET", "")
    assert parse_qs(urlsplit(path).query) == {"n": [NUMBER], "t": [HARD]}


def test_xml(gateway):
    sms.send(replace(gateway.sms, headers="Content-Type: text/xml", body="<sms to='{number}'>{text}</sms>"), NUMBER, HARD)
    assert ElementTree.fromstring(gateway.asked[0][3]).text == HARD


def test_headers_are_the_administrators(gateway):
    sms.send(replace(gateway.sms, headers="Authorization: Bearer a:b\n\nContent-Type: application/json\n"), NUMBER, "Hello")
    assert gateway.asked[0][2]["Authorization"] == "Bearer a:b"


def test_a_text_can_add_no_header(gateway):
    evil = replace(gateway.sms, url=f"{gateway.sms.url}?t={{text}}", method="GET")
    sms.send(evil, NUMBER, "x HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET /other")
    assert len(gateway.asked) == 1 and "X-Evil" not in gateway.asked[0][2]


def test_quotes_and_spaces_are_those_of_old_telephones():
    assert sms.plain("L’été, «\u00a0oui\u00a0»\u202f: “a”…\0") == 'L\'été, " oui " : "a"...'


@pytest.mark.parametrize("number", ["", "0612345678", "+33 6", "+33612345678\n", "+33612345678,+336", "+" + "1" * 20, "alice"])
def test_what_is_no_number_is_not_asked(gateway, number):
    with pytest.raises(sms.NotTextedError):
        sms.send(gateway.sms, number, "Hello")
    assert gateway.asked == []


def test_a_long_text_is_not_sent(gateway):
    with pytest.raises(sms.NotTextedError):
        sms.send(gateway.sms, NUMBER, "x" * 481)


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503])
def test_a_refusal_is_told(gateway, status):
    gateway.status, gateway.answer = status, b"no credit"
    with pytest.raises(sms.NotTextedError, match=f"{status}.*no credit"):
        sms.send(gateway.sms, NUMBER, "Hello")


def test_what_a_gateway_repeats_stands_in_no_log(gateway):
    gateway.status, gateway.answer = 422, b'{"error": 40012, "to": "+33612345678", "text": "123456 is your code"}'
    with pytest.raises(sms.NotTextedError) as caught:
        sms.send(gateway.sms, NUMBER, "123456 is your code")
    assert "40012" in str(caught.value) and "123456" not in str(caught.value) and "612345678" not in str(caught.value)


def test_it_follows_nowhere(gateway):
    gateway.status, gateway.headers = 302, {"Location": f"http://127.0.0.1:{gateway.port}/elsewhere"}
    with pytest.raises(sms.NotTextedError, match="302"):
        sms.send(gateway.sms, NUMBER, "Hello")
    assert len(gateway.asked) == 1


def test_words_that_must_be_in_the_answer(gateway):
    sms.send(replace(gateway.sms, answer="queued"), NUMBER, "Hello")
    gateway.answer = b'{"status": "error"}'
    with pytest.raises(sms.NotTextedError, match="queued"):
        sms.send(replace(gateway.sms, answer="queued"), NUMBER, "Hello")


def test_an_endless_answer_is_not_read(gateway):
    gateway.answer = b"x" * 5_000_000
    with pytest.raises(sms.NotTextedError):
        sms.send(gateway.sms, NUMBER, "Hello")


def test_a_gateway_that_is_away_or_says_nothing(monkeypatch):
    with pytest.raises(sms.NotTextedError):
        sms.send(Sms(f"http://127.0.0.1:{closed_port()}/"), NUMBER, "Hello")
    monkeypatch.setattr(sms, "SECONDS", 0.5)
    began = time.monotonic()
    with silent() as port, pytest.raises(sms.NotTextedError):
        sms.send(Sms(f"http://127.0.0.1:{port}/"), NUMBER, "Hello")
    assert time.monotonic() - began < 5


def test_its_certificate_is_checked(tmp_path: Path):
    context, file = certificate(tmp_path)
    with sms_gateway(context) as gateway:
        https = Sms(f"https://127.0.0.1:{gateway.port}/")
        with pytest.raises(sms.NotTextedError):
            sms.send(https, NUMBER, "Hello")
        with pytest.raises(sms.NotTextedError):
            sms.send(replace(https, ca_file="missing.pem"), NUMBER, "Hello", str(tmp_path))
        sms.send(replace(https, ca_file=Path(file).name), NUMBER, "Hello", str(tmp_path))
        assert len(gateway.asked) == 1


def test_the_console_is_the_log(caplog):
    with caplog.at_level(logging.WARNING):
        sms.send(Sms("console"), NUMBER, "Your code: 123456")
    assert f"Text message to {NUMBER}: Your code: 123456" in caplog.text
