"""For the tests of filters: mail that arrives as from outside, by LMTP."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from deploy.demo.services import Services

HOST = "127.0.0.1"


@pytest.fixture
def deliver(services: Services) -> Callable[..., None]:
    """`deliver(address, message)`: Dovecot takes it as from the mail server, so that Sieve sees it."""

    def send(address: str, one: EmailMessage, envelope: str = "sender@outside.example") -> None:
        with smtplib.LMTP(HOST, services.ports.lmtp) as lmtp:
            lmtp.sendmail(envelope, [address], one.as_bytes())

    return send
