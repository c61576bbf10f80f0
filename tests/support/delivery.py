"""Mail that comes from outside: Dovecot takes it by LMTP as from the mail server, so that Sieve sees it."""

from __future__ import annotations

from email.message import EmailMessage

from deploy.demo import delivery
from tests.support.waiting import eventually


def deliver(lmtp_port: int, recipient: str, one: EmailMessage | bytes, envelope: str = "sender@outside.example") -> None:
    """Comes back once the message is in the mailbox. On a busy machine Dovecot may answer "not now" (4xx), to which a mail
    server tries again; anything else that is no success is an AssertionError.
    """

    def asked() -> delivery.Answer | None:
        answer = delivery.deliver(lmtp_port, envelope, recipient, bytes(one), [])
        return None if 400 <= answer.code < 500 else answer

    answer = eventually(asked, what=f"delivery to {recipient}")
    assert answer.good, answer.line
