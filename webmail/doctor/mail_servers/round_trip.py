"""Doctor, round trip: a message on each way that mail takes, looked for in the mailbox and taken away again.

Handed in as people do it (submission), and as other servers do (port 25); both are then delivered as all mail is (LMTP, filters).
Where it is known where Dovecot takes messages, one goes there directly: if that one alone arrives, Postfix is at fault.
"""

from __future__ import annotations

import contextlib
import imaplib
import smtplib
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from flask_babel import force_locale
from flask_babel import gettext as _

from webmail import smtp
from webmail.config.settings import ConfigError, Settings
from webmail.doctor.mail_servers import arrived
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, plain, why
from webmail.doctor.result import lazy_gettext as _l
from webmail.errors import MailError

PORT = 25
_NAME = "Round trip"
_OUTSIDE = "outside.invalid"  # a domain that nobody has (RFC 6761 section 6.4)


def examine(recipient: str, settings: Settings, port: int = PORT, source: str = "") -> Iterator[CheckResult]:
    """All ways to a recipient of our domains, if there is one and the webmail signs in for people (`token_key_file`).

    `source` is the address of this machine to come from.
    """
    domain = recipient.rpartition("@")[2]
    if not settings.token_key_file or domain not in {settings.domain, *(one.name for one in settings.domains)}:
        return
    if settings.lmtp_address:
        yield _tried(_l("directly by LMTP"), PROBLEM, recipient, settings, lambda: _delivered(recipient, settings))
    yield _tried(_l("by submission"), PROBLEM, recipient, settings, lambda: _submitted(recipient, settings))
    by_port = _l("by port %(port)s", port=port)
    yield _tried(by_port, WARNING, recipient, settings, lambda: _handed_in(recipient, settings, port, source))


def _tried(way: str, grave: str, recipient: str, settings: Settings, hand_in: Callable[[], str]) -> CheckResult:
    """`hand_in` returns the Message-ID of what it sent; `grave` is what it means that it was refused."""
    began = time.monotonic()
    try:
        message_id = hand_in()
    except _NoLmtpError as error:
        words = _l(
            "%(way)s: nothing takes messages at %(place)s (%(why)s). Is Dovecot running, with its service lmtp? Compare "
            "lmtp_address with its configuration, and that with Postfix’s virtual_transport.",
            way=way, place=settings.lmtp_address, why=why(error),
        )  # fmt: skip
        return CheckResult(_NAME, grave, words)
    except (MailError, ConfigError, OSError, smtplib.SMTPException) as error:
        words = _l(
            "%(way)s: the mail server refused the message (%(why)s). Look at its log, and whether what it asks is running.",
            way=way, why=why(error),
        )  # fmt: skip
        return CheckResult(_NAME, grave, words)
    try:
        found = arrived.wait_for(message_id, recipient, settings, remove=True)
    except (MailError, OSError, imaplib.IMAP4.error, ValueError) as error:
        words = _l("%(way)s: accepted, but the mailbox can’t be checked (%(why)s).", way=way, why=why(error))
        return CheckResult(_NAME, WARNING, words)
    if found is None:
        words = _l(
            "%(way)s: accepted, but not in the mailbox within %(seconds)s s. Look at the queue (postqueue -p) and at "
            "Dovecot’s log.",
            way=way, seconds=f"{arrived.PATIENCE:.0f}",
        )  # fmt: skip
        return CheckResult(_NAME, PROBLEM, words)
    about = {"folder": found[0], "seconds": f"{time.monotonic() - began:.1f}"}
    return CheckResult(_NAME, OK, _l("%(way)s: was in %(folder)s after %(seconds)s s.", way=way, **about))


class _NoLmtpError(OSError):
    """Nobody answers where Dovecot should take messages."""


def _message(sender: str, recipient: str, settings: Settings) -> EmailMessage:
    message = EmailMessage()
    with force_locale(settings.language):
        message["Subject"] = _("Test message")
        text = _("This message tests the way that mail takes. You can delete it.")
    message["From"], message["To"] = sender, recipient
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message.set_content(text)
    return message


def _submitted(recipient: str, settings: Settings) -> str:
    """To oneself, signed in."""
    message = _message(recipient, recipient, settings)
    refused = smtp.send(settings.account(recipient), recipient, [recipient], bytes(message), before_final_dot=lambda: None)
    if refused:
        raise smtplib.SMTPException(refused[recipient])
    return str(message["Message-ID"])


def _handed_in(recipient: str, settings: Settings, port: int, source: str) -> str:
    """From outside. The sender of the envelope is empty, so that nothing bounces."""
    message = _message(f"doctor@{_OUTSIDE}", recipient, settings)
    address = (source, 0) if source else None
    client = smtplib.SMTP(settings.smtp_host, port, _OUTSIDE, settings.server_timeout, address)
    with contextlib.closing(client):
        client.sendmail("", [recipient], bytes(message))
    return str(message["Message-ID"])


def _delivered(recipient: str, settings: Settings) -> str:
    """Into the mailbox, as Postfix does it once it has accepted a message."""
    message = _message(f"doctor@{_OUTSIDE}", recipient, settings)
    is_socket = settings.lmtp_address.startswith("/")
    host, _colon, port = (settings.lmtp_address, "", "0") if is_socket else settings.lmtp_address.rpartition(":")
    try:
        client = smtplib.LMTP(host, int(port), _OUTSIDE, timeout=settings.server_timeout)
    except (OSError, smtplib.SMTPException) as error:
        raise _NoLmtpError(plain(error).rstrip(".")) from error
    with contextlib.closing(client):
        client.sendmail("", [recipient], bytes(message))
    return str(message["Message-ID"])
