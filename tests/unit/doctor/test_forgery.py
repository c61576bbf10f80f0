"""Doctor, forged sender: what the server answers is told as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask_babel import Babel

from tests.support.servers import closed_port, serving
from webmail.config.settings import Settings
from webmail.doctor.mail_servers import forgery
from webmail.doctor.result import OK, WARNING, CheckResult

SOPHIE = "sophie@lycee.example"
Told = Callable[..., CheckResult]


@pytest.fixture
def told(here) -> Told:
    app = Flask("doctor-tests")
    Babel(app)

    def examine(port: int, recipient: str = SOPHIE, **changed: object) -> CheckResult:
        values = {"domain": "lycee.example", "smtp_host": "127.0.0.1", "server_timeout": 5.0, **changed}
        settings: Settings = replace(here.settings, **values)
        with app.app_context():
            [check] = forgery.examine(recipient, settings, port)
        return check

    return examine


def server(**replies: bytes) -> Callable[[bytes], bytes | None]:
    """An SMTP server that says `replies` by the first letters of a line ("dot" for the end of the content), else 250."""
    said: list[bytes] = []

    def answer(line: bytes) -> bytes | None:
        inside, dot = said[-1:] == [b"data"], line == b"."
        if inside and not dot:
            return b""
        word = b"dot" if inside else line[:4].lower()
        said.append(word if word != b"data" or "data" not in replies else b"")
        return replies.get(word.decode(), b"354 go" if word == b"data" else b"250 ok") + b"\r\n"

    return answer


def test_nothing_is_forged_where_nobody_asked(here) -> None:
    assert list(forgery.examine("", here.settings)) == []


def test_a_refusal_is_well(told: Told) -> None:
    with serving(b"220 x\r\n", server(dot=b"550 5.7.1 Nothing proves it.")) as port:
        assert told(port) == CheckResult("Forged sender", OK, "was rejected (550 5.7.1 Nothing proves it).")


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        ({"dot": b"451 4.7.1 later"}, "was deferred (451 4.7.1 later). Is the service traboule-milter running?"),
        ({"mail": b"451 4.7.1 later"}, "was deferred (451 4.7.1 later). Is the service traboule-milter running?"),
        ({"rcpt": b"550 5.1.1 unknown"}, "does not accept messages for sophie@lycee.example from here (550 5.1.1 unknown)."),
        ({"mail": b"554 5.7.1 go away"}, "can’t be used from here (554 5.7.1 go away). Run this on another machine."),
        ({}, "was accepted. Check whether it arrives at sophie@lycee.example"),
    ],
)
def test_what_tells_nothing_certain_is_a_warning(told: Told, replies: dict[str, bytes], words: str) -> None:
    with serving(b"220 x\r\n", server(**replies)) as port:
        check = told(port)
    assert (check.state, words in check.words) == (WARNING, True), check.words


def test_a_port_where_nobody_listens_is_told(told: Told) -> None:
    check = told(port := closed_port())
    assert (check.state, f"port {port} of 127.0.0.1 can’t be used from here (connection refused)" in check.words) == (
        WARNING,
        True,
    )


def test_nobody_elsewhere_gets_a_forgery(told: Told) -> None:
    assert "is not in any of your domains" in told(closed_port(), "ann@far.example").words
