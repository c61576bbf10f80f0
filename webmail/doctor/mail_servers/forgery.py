"""Doctor, forged sender: sends a message to port 25 under a name of ours, as a stranger would, and says what became of it."""

from __future__ import annotations

import contextlib
import imaplib
import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from flask_babel import force_locale
from flask_babel import gettext as _

from webmail.config.settings import Settings
from webmail.doctor.mail_servers import arrived
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, plain, why
from webmail.doctor.result import lazy_gettext as _l
from webmail.errors import MailError
from webmail.mime.headers import authentication
from webmail.mime.headers.authentication import Verdict

PORT = 25
_NAME = "Forged sender"


def examine(recipient: str, settings: Settings, port: int = PORT, source: str = "") -> Iterator[CheckResult]:
    """Try it for a recipient of our domains, if there is one. `source` is the address of this machine to come from."""
    domain = recipient.rpartition("@")[2]
    if not recipient:
        return
    if domain not in {settings.domain, *(one.name for one in settings.domains)}:
        words = _l("was not tested: %(address)s is not in any of your domains (domain, domains).", address=recipient)
        yield CheckResult(_NAME, WARNING, words)
        return
    message = _message(recipient, domain, settings)
    if trouble := _handed_in(message, settings, port, source):
        yield trouble
    elif not settings.token_key_file:
        words = _l(
            "was accepted. Check whether it arrives at %(address)s, and whether its page says “verified”.", address=recipient
        )
        yield CheckResult(_NAME, WARNING, words)
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
    about = {"host": settings.smtp_host, "port": port}
    try:
        timeout, address = settings.server_timeout, (source, 0) if source else None
        client = smtplib.SMTP(settings.smtp_host, port, "forged.invalid", timeout, address)
        with contextlib.closing(client):  # no QUIT, whose answer would hide the one that counts
            client.sendmail("", [message["To"]], bytes(message))
    except smtplib.SMTPDataError as error:
        if error.smtp_code >= 500:
            return CheckResult(_NAME, OK, _l("was rejected (%(why)s).", why=why(error)))
        return _deferred(error)
    except (smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPSenderRefused) as error:
        if 400 <= error.smtp_code < 500:
            return _deferred(error)
        return _unusable(error, settings, port)
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        refusal = plain(smtplib.SMTPResponseException(code, answer)).rstrip(".")
        words = _l(
            "was not tested: port %(port)s of %(host)s does not accept messages for %(address)s from here (%(why)s).",
            **about, address=message["To"], why=refusal,
        )  # fmt: skip
        return CheckResult(_NAME, WARNING, words)
    except (OSError, smtplib.SMTPException) as error:
        return _unusable(error, settings, port)
    return None


def _deferred(error: BaseException) -> CheckResult:
    return CheckResult(_NAME, WARNING, _l("was deferred (%(why)s). Is the service traboule-milter running?", why=why(error)))


def _unusable(error: BaseException, settings: Settings, port: int) -> CheckResult:
    words = _l(
        "was not tested: port %(port)s of %(host)s can’t be used from here (%(why)s). Run this on another machine.",
        host=settings.smtp_host, port=port, why=why(error),
    )  # fmt: skip
    return CheckResult(_NAME, WARNING, words)


def _arrived(message: EmailMessage, settings: Settings) -> CheckResult:
    """Look for it in the recipient's mailbox."""
    try:
        found = arrived.wait_for(message["Message-ID"], message["To"], settings)
    except (MailError, OSError, imaplib.IMAP4.error, ValueError) as error:
        return CheckResult(_NAME, WARNING, _l("was accepted, but the mailbox can’t be checked (%(why)s).", why=why(error)))
    if found is None:
        words = _l("was accepted, but did not arrive within %(seconds)s s. Look for it later.", seconds=f"{arrived.PATIENCE:.0f}")
        return CheckResult(_NAME, WARNING, words)
    results = authentication.results_in(found[1])
    proof = authentication.judge(results, settings.authserv_id, message["From"], hops=settings.authserv_hops, personal=True)
    if proof.verdict is Verdict.GENUINE:
        words = _l(
            "arrived, and looks genuine: anyone can send messages in your name. Leave authserv_id empty until the server is "
            "fixed."
        )
        return CheckResult(_NAME, PROBLEM, words)
    words = _l(
        "arrived, without proof. If the server trusts this machine (mynetworks), run this on another one. Otherwise see “Forged "
        "senders” in docs/administrator/senders.md."
    )
    return CheckResult(_NAME, WARNING, words)
