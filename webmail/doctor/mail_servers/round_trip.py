"""Doctor, round trip: a message on each way that mail takes, looked for in the mailbox and taken away again.

Handed in as people do it (submission), and as other servers do (port 25); both are then delivered as all mail is (LMTP, filters).
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
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, plain
from webmail.errors import MailError

PORT = 25
_NAME = "Round trip"
_OUTSIDE = "outside.invalid"  # a domain that nobody has (RFC 6761 section 6.4)


def examine(recipient: str, settings: Settings, port: int = PORT, source: str = "") -> Iterator[CheckResult]:
    """Both ways to a recipient of our domains, if there is one and the webmail signs in for people (`token_key_file`).

    `source` is the address of this machine to come from.
    """
    domain = recipient.rpartition("@")[2]
    if not settings.token_key_file or domain not in {settings.domain, *(one.name for one in settings.domains)}:
        return
    yield _tried("by submission", recipient, settings, lambda: _submitted(recipient, settings))
    yield _tried(f"by port {port}", recipient, settings, lambda: _handed_in(recipient, settings, port, source))


def _tried(way: str, recipient: str, settings: Settings, hand_in: Callable[[], str]) -> CheckResult:
    """`hand_in` returns the Message-ID of what it sent."""
    began = time.monotonic()
    try:
        message_id = hand_in()
    except (MailError, ConfigError, OSError, smtplib.SMTPException) as error:
        state = PROBLEM if way == "by submission" else WARNING
        return CheckResult(_NAME, state, f"{way}: the mail server did not take the message ({plain(error).rstrip('.')}).")
    try:
        found = arrived.wait_for(message_id, recipient, settings, remove=True)
    except (MailError, OSError, imaplib.IMAP4.error, ValueError) as error:
        return CheckResult(_NAME, WARNING, f"{way}: accepted, but the mailbox can't be checked ({plain(error).rstrip('.')}).")
    if found is None:
        words = f"accepted, but not in the mailbox within {arrived.PATIENCE:.0f} s."
        return CheckResult(_NAME, PROBLEM, f"{way}: {words} Look at the queue (postqueue -p) and at Dovecot's log.")
    return CheckResult(_NAME, OK, f"{way}: was in {found[0]} after {time.monotonic() - began:.1f} s.")


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
