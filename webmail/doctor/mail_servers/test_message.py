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
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, why
from webmail.doctor.result import lazy_gettext as _l
from webmail.errors import MailError
from webmail.models import OutboxState, SystemMessage, User
from webmail.web.current import wake_system_mail
from webmail.web.public_links import public_link

PATIENCE = 30.0  # seconds
_NAME = "Test message"
_ADVICE = _l("Check system_address, the account of that address and its password (system_password).")


def examine(recipient: str, settings: Settings) -> Iterator[CheckResult]:
    """Send a test message to this address, if there is one. Needs an application context."""
    if recipient:
        yield _sent(recipient, settings)


def _sent(recipient: str, settings: Settings) -> CheckResult:
    """Queue the message, and wait until the worker sent it, or for PATIENCE."""
    if not settings.system_address:
        return CheckResult(_NAME, PROBLEM, _l("was not sent: no sender is set (system_address)."))
    try:
        with db.connection_context():
            row = _queued(recipient, settings)
            return _outcome(row, recipient) if row else CheckResult(_NAME, PROBLEM, _too_many(recipient))
    except MailError as error:
        return CheckResult(_NAME, PROBLEM, _l("can’t be written: %(why)s.", why=why(error)))
    except pw.DatabaseError as error:
        return CheckResult(_NAME, PROBLEM, _l("waits for a database that can be used (%(why)s).", why=why(error)))


def _too_many(recipient: str) -> str:
    return _l(
        "was not sent: %(address)s had %(count)s messages in the last 24 hours. Try another address.",
        address=recipient, count=system_mail.PER_DAY,
    )  # fmt: skip


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
    about = {"why": row.error.rstrip("."), "step": _ADVICE, "address": recipient, "seconds": f"{PATIENCE:.0f}"}
    match row.state:
        case OutboxState.SENT:
            return CheckResult(
                _NAME, OK, _l("the mail server took it for %(address)s. See whether it arrives, and not as junk.", **about)
            )
        case OutboxState.UNCERTAIN:
            words = _l("may have been sent (%(why)s); it is not sent again. See whether it arrives.", **about)
            return CheckResult(_NAME, PROBLEM, words)
        case OutboxState.FAILED:
            return CheckResult(_NAME, PROBLEM, _l("was refused (%(why)s). %(step)s", **about))
        case OutboxState.WAITING if row.error:
            words = _l("was not sent (%(why)s); the next try is at %(time)s UTC. %(step)s", **about, time=f"{row.due:%H:%M}")
            return CheckResult(_NAME, PROBLEM, words)
        case OutboxState.WAITING:
            words = _l("no worker took it within %(seconds)s s. It will be sent once `flask --app wsgi jobs` runs.", **about)
            return CheckResult(_NAME, PROBLEM, words)
    words = _l("the mail server has not answered within %(seconds)s s; it is still being sent.", **about)
    return CheckResult(_NAME, WARNING, words)
