"""For the tests of filters: mail that arrives as from outside, by LMTP."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

import pytest

from deploy.demo.services import Services
from tests.support import delivery


@pytest.fixture
def deliver(services: Services) -> Callable[..., None]:
    """`deliver(address, message)`: Dovecot takes it as from the mail server, so that Sieve sees it."""

    def send(address: str, one: EmailMessage, envelope: str = "sender@outside.example") -> None:
        delivery.deliver(services.ports.lmtp, address, one, envelope)

    return send
