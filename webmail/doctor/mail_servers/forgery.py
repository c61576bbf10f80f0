"""Doctor, forged sender: sends a message to port 25 under a name of ours, as a stranger would, and says what became of it."""

from __future__ import annotations

import contextlib
import imaplib
import smtplib
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from flask_babel import force_locale
from flask_babel import gettext as _
from imapclient import IMAPClient

from webmail.config.settings import Settings
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, plain
from webmail.errors import MailError
from webmail.imap.connections.connection import authenticate
from webmail.mime.headers import authentication
from webmail.mime.headers.authentication import Verdict

PATIENCE = 30.0  # seconds
PORT = 25
_NAME = "Forged sender"
_MAILBOXES = ("INBOX", "Junk")


def examine(recipient: str, settings: Settings, port: int = PORT, source: str = "") -> Iterator[CheckResult]:
    """Try it for a recipient of our domains, if there is one. `source` is the address of this machine to come from."""
    domain = recipient.rpartition("@")[2]
    if not recipient:
        return
    if domain not in {settings.domain, *(one.name for one in settings.domains)}:
        yield CheckResult(_NAME, WARNING, f"was not tested: {recipient} is not in any of your domains (domain, domains).")
        return
    message = _message(recipient, domain, settings)
    if trouble := _handed_in(message, settings, port, source):
        yield trouble
    elif not settings.token_key_file:
        yield CheckResult(
            _NAME, WARNING, f"was accepted. Check whether it arrives at {recipient}, and whether its page says “verified”."
        )
    else:
        yield _arrived(message, settings)


def _message(recipient: str, domain: str, settings: Settings) -> EmailMessage:
    message = EmailMessage()
    with force_locale(settings.language):
        message["Subject"] = _("Test message with a forged sender")
        text = _("The sender of this message is forged, to test what the mail server does with such messages. You can delete it.")
    message["Authentication-Results"] = f"{settings.authserv_id or domain}; dmarc=pass header.from={domain}"
    message["From"] = f"postmaster@{domain}"
    message["To"] = recipient
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain="forged.invalid")
    message.set_content(text)
    return message


def _handed_in(message: EmailMessage, settings: Settings, port: int, source: str) -> CheckResult | None:
    """What there is to tell if the server did not take it. The sender of the envelope is empty, so that nothing bounces."""
    where = f"port {port} of {settings.smtp_host}"
    try:
        timeout, address = settings.server_timeout, (source, 0) if source else None
        client = smtplib.SMTP(settings.smtp_host, port, "forged.invalid", timeout, address)
        with contextlib.closing(client):  # no QUIT, whose answer would hide the one that counts
            client.sendmail("", [message["To"]], bytes(message))
    except smtplib.SMTPDataError as error:
        if error.smtp_code >= 500:
            return CheckResult(_NAME, OK, f"was rejected ({plain(error).rstrip('.')}).")
        return CheckResult(_NAME, WARNING, f"was deferred ({plain(error).rstrip('.')}). Is the service traboule-milter running?")
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        refusal = plain(smtplib.SMTPResponseException(code, words)).rstrip(".")
        return CheckResult(
            _NAME, WARNING, f"was not tested: {where} does not accept mail for {message['To']} from here ({refusal})."
        )
    except (OSError, smtplib.SMTPException) as error:
        why = plain(error).rstrip(".")
        return CheckResult(
            _NAME, WARNING, f"was not tested: {where} can't be used from here ({why}). Run this on another machine."
        )
    return None


def _arrived(message: EmailMessage, settings: Settings) -> CheckResult:
    """Look for it in the recipient's mailbox, for PATIENCE."""
    try:
        header = _header(message, settings)
    except (MailError, OSError, imaplib.IMAP4.error, ValueError) as error:
        return CheckResult(_NAME, WARNING, f"was accepted, but the mailbox can't be checked ({plain(error).rstrip('.')}).")
    if header is None:
        return CheckResult(_NAME, WARNING, f"was accepted, but did not arrive within {PATIENCE:.0f} s. Look for it later.")
    results = authentication.results_in(header)
    found = authentication.judge(results, settings.authserv_id, message["From"], hops=settings.authserv_hops, personal=True)
    if found.verdict is Verdict.GENUINE:
        words = (
            "arrived, and looks genuine: anyone can send mail in your name. Leave authserv_id empty until the server is fixed."
        )
        return CheckResult(_NAME, PROBLEM, words)
    words = "arrived, without proof. If the server trusts this machine (mynetworks), run this on another one."
    return CheckResult(_NAME, WARNING, f'{words} Otherwise see "Forged senders" in docs/administrator/senders.md.')


def _header(message: EmailMessage, settings: Settings) -> bytes | None:
    """The header of the message in the mailbox, None if it does not arrive in time. Raises MailError and imaplib's errors."""
    account, server = settings.account(message["To"]), settings.imap
    context = ssl.create_default_context(cafile=server.ca_file or None) if server.security != "none" else None
    client = IMAPClient(server.host, server.port, ssl=server.security == "tls", ssl_context=context, timeout=server.timeout)
    try:
        if server.security == "starttls":
            client.starttls(context)
        authenticate(client, account)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for mailbox in _MAILBOXES:
                if header := _found(client, mailbox, message["Message-ID"]):
                    return header
            time.sleep(0.2)
        return None
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):  # closed already if TLS failed: keep that error
            client.shutdown()


def _found(client: IMAPClient, mailbox: str, message_id: str) -> bytes:
    """The header of the message, b"" if it is not there."""
    if not client.folder_exists(mailbox):
        return b""
    client.select_folder(mailbox, readonly=True)
    uids = client.search(["HEADER", "Message-ID", message_id])
    if not uids:
        return b""
    data = client.fetch(uids[:1], ["BODY.PEEK[HEADER]"])[uids[0]]
    return bytes(data[b"BODY[HEADER]"])
