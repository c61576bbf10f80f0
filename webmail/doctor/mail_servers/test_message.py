"""Doctor, test message: sends one through the queue of system mail, and says what became of it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import peewee as pw
from flask_babel import force_locale
from flask_babel import gettext as _

from webmail import system_mail
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, plain
from webmail.errors import MailError
from webmail.models import OutboxState, SystemMessage, User
from webmail.web.current import wake_system_mail
from webmail.web.public_links import public_link

PATIENCE = 30.0  # seconds
_NAME = "Test message"
_ADVICE = "Check system_address, the account of that address and its password (system_password)."


def examine(recipient: str, settings: Settings) -> Iterator[CheckResult]:
    """Send a test message to this address, if there is one. Needs an application context."""
    if recipient:
        yield _sent(recipient, settings)


def _sent(recipient: str, settings: Settings) -> CheckResult:
    """Queue the message, and wait until the worker sent it, or for PATIENCE."""
    if not settings.system_address:
        return CheckResult(_NAME, PROBLEM, "was not sent: no sender is set (system_address).")
    try:
        with db.connection_context():
            row = _queued(recipient, settings)
            return _outcome(row, recipient) if row else CheckResult(_NAME, PROBLEM, _too_many(recipient))
    except MailError as error:
        return CheckResult(_NAME, PROBLEM, f"can't be written: {error}.")
    except pw.DatabaseError as error:
        return CheckResult(_NAME, PROBLEM, f"waits for a database that can be used ({plain(error)}).")


def _too_many(recipient: str) -> str:
    return f"was not sent: {recipient} had {system_mail.PER_DAY} messages in the last 24 hours. Try another address."


def _queued(recipient: str, settings: Settings) -> SystemMessage | None:
    user = User.get_or_none(User.address == recipient)
    language = system_mail.in_language_of(user, settings) if user else settings.language
    with force_locale(language):
        subject = _("Test message from %(name)s", name=settings.name)
        body = _("This message checks that mail from %(name)s arrives. You don’t need to do anything.", name=settings.name)
    if address := public_link("home"):
        body += f"\n\n{address}"
    row = system_mail.send(recipient, "test", subject, body, language)
    if row:
        wake_system_mail(row)
    return row


def _outcome(row: SystemMessage, recipient: str) -> CheckResult:
    end = time.monotonic() + PATIENCE
    while row.state in (OutboxState.WAITING, OutboxState.SENDING) and not row.error and time.monotonic() < end:
        time.sleep(0.1)
        row = SystemMessage.get_by_id(row.id)
    why = row.error.rstrip(".")
    match row.state:
        case OutboxState.SENT:
            return CheckResult(_NAME, OK, f"the mail server took it for {recipient}. See whether it arrives, and not as junk.")
        case OutboxState.UNCERTAIN:
            return CheckResult(_NAME, PROBLEM, f"may have been sent ({why}); it is not sent again. See whether it arrives.")
        case OutboxState.FAILED:
            return CheckResult(_NAME, PROBLEM, f"was refused ({why}). {_ADVICE}")
        case OutboxState.WAITING if row.error:
            return CheckResult(_NAME, PROBLEM, f"was not sent ({why}); the next try is at {row.due:%H:%M} UTC. {_ADVICE}")
        case OutboxState.WAITING:
            words = f"no worker took it within {PATIENCE:.0f} s. It will be sent once `flask --app wsgi jobs` runs."
            return CheckResult(_NAME, PROBLEM, words)
    return CheckResult(_NAME, WARNING, f"the mail server has not answered within {PATIENCE:.0f} s; it is still being sent.")
