"""Doctor, forwarding: whether anything but the pages holds where mail may be forwarded."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.servers import closed_port, serving
from webmail.config.settings import Settings
from webmail.doctor.mail_servers import forwarding
from webmail.doctor.result import OK, WARNING, CheckResult


@pytest.fixture
def told(here) -> Callable[..., list[CheckResult]]:
    def examine(port: int, **changed: object) -> list[CheckResult]:
        values = {
            "forwarding": "inside", "authserv_id": "mx.lycee.example", "smtp_host": "127.0.0.1", "sieve_host": "127.0.0.1",
            "server_timeout": 2.0, **changed,
        }  # fmt: skip
        settings: Settings = replace(here.settings, **values)
        return list(forwarding.examine(settings, ("127.0.0.1", port)))

    return examine


@pytest.mark.parametrize("mode", ["inside", "domains"])
def test_no_milter(told, mode):
    [check] = told(closed_port(), forwarding=mode)
    assert check.state == WARNING and str(check.words).startswith("no milter answers at 127.0.0.1")
    assert f'forwarding = "{mode}"' in check.words


def test_without_a_name_of_the_server_there_can_be_none(told):
    [check] = told(closed_port(), authserv_id="")
    assert check.state == WARNING and "needs authserv_id" in check.words


def test_where_nothing_is_to_be_held_or_seen_it_says_nothing(told):
    port = closed_port()
    assert not told(port, forwarding="anywhere") and not told(port, forwarding="off") and not told(port, sieve_host="")
    assert not told(port, smtp_host="smtp.lycee.example")


def test_another_server_there_is_no_milter(told):
    with serving(b"220 smtp.lycee.example\r\n", lambda _line: b"500 What?\r\n") as port:
        [check] = told(port)
    assert check.state == WARNING and "no milter answers" in check.words


def test_a_milter_answers(told):
    answer = struct.pack("!LcLLL", 13, b"O", 6, 0, 0)
    with serving(answer, lambda _line: None) as port:
        [check] = told(port)
    assert (check.state, "at delivery answers" in check.words) == (OK, True)


@pytest.fixture
def answers(here, tmp_path) -> Callable[..., list[CheckResult]]:
    def examine(port: int, dovecot: str = "", **changed: object) -> list[CheckResult]:
        file = tmp_path / "dovecot.conf"
        file.write_text(dovecot)
        values = {
            "authserv_id": "mx.lycee.example", "smtp_host": "127.0.0.1", "sieve_host": "127.0.0.1", "server_timeout": 2.0, **changed,
        }  # fmt: skip
        settings: Settings = replace(here.settings, **values)
        return list(forwarding.answers(settings, ("127.0.0.1", port), file))

    return examine


def test_automatic_replies_need_a_milter_that_is_told_whose_they_are(answers):
    hello = struct.pack("!LcLLL", 13, b"O", 6, 0, 0)
    with serving(hello, lambda _line: None) as port:
        [old] = answers(port, "sieve_extensions {\n}\n")
        [new] = answers(port, "x = y\nsieve_vacation_send_from_recipient = yes\n")
    assert (old.state, new.state) == (WARNING, OK) and "earlier version" in old.words
    [away], [unnamed] = answers(closed_port()), answers(closed_port(), authserv_id="")
    assert away.state == unnamed.state == WARNING and "anybody’s name" in away.words
    assert not answers(closed_port(), sieve_host="") and not answers(closed_port(), smtp_host="smtp.lycee.example")
