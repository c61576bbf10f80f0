"""Delivery of system mail: the worker's side, which sends what is due by SMTP and takes back the messages of dead workers."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from webmail import smtp, vault
from webmail.config.settings import ConfigError, Settings
from webmail.errors import BadAddressError, MailError, SendRefusedError, SendUncertainError, UnsafeValueError
from webmail.mail import Address, Draft, Identity
from webmail.mime import builder
from webmail.models import OutboxState, SystemMessage, now
from webmail.system_mail.queue import calendar_of, expire, html_of, is_too_many, most_of, text_of
from webmail.system_mail.send_attempts import GIVE_UP, LeaseLostError, SendQueue, next_try

log = logging.getLogger(__name__)

KEPT = timedelta(days=30)
_NEVER = (UnsafeValueError, BadAddressError, vault.CannotOpenError)  # another try would not help
_queue = SendQueue(SystemMessage, "system mail")


def deliver(message_id: int, settings: Settings) -> datetime | None:
    """Send a message that is due; returns when to call again, None if it is over.

    A message that another worker holds is skipped. What goes wrong is stored in the row, never raised.
    """
    if row := _queue.take(message_id):
        with _queue.lease_kept(row):
            _send(row, settings)
    left = SystemMessage.get_or_none(SystemMessage.id == message_id)
    return left.due if left is not None and left.state == OutboxState.WAITING else None


def sweep() -> list[int]:
    """Take back messages of dead workers, delete those older than KEPT; returns the ids of those due for `deliver`."""
    if count := _queue.recover(SystemMessage.created < now() - GIVE_UP, body="", html="", calendar=""):
        log.warning("%d system messages taken back from a worker that died", count)
    expire(KEPT)
    due = (SystemMessage.state == OutboxState.WAITING) & (SystemMessage.due <= now())
    return [row.id for row in SystemMessage.select(SystemMessage.id).where(due).order_by(SystemMessage.due)]


def content(row: SystemMessage, sender: Address, secret_key: str = "") -> bytes:
    """The message (RFC 5322): the same bytes at every attempt. Raises BadAddressError, UnsafeValueError,
    vault.CannotOpenError."""
    unique = hashlib.sha256(f"{row.id} {row.created.isoformat()} {row.dedup}".encode()).hexdigest()[:32]
    draft = Draft(
        Identity(sender.name, sender.email, reply_to=(Address("", row.reply_to),) if row.reply_to else ()),
        to=(Address("", row.recipient),),
        subject=row.subject,
        text=text_of(row, secret_key),
        html=html_of(row, secret_key),
        calendar=calendar_of(row, secret_key),
        message_id=f"<{unique}@{builder.ascii_domain(sender.email.rpartition('@')[2])}>",
        language=row.language,
        automatic=True,
    )
    return builder.build(draft, date=row.created.replace(tzinfo=UTC))


def _send(row: SystemMessage, settings: Settings) -> None:
    if is_too_many(row):
        _over(row, OutboxState.FAILED, f"{most_of(row.kind)} messages went to this address in a day")
        return
    try:
        _submit(row, settings)
    except SendUncertainError as error:
        log.warning("system mail %d (%s): uncertain: %s", row.id, row.kind, error)
        _over(row, OutboxState.UNCERTAIN, str(error))
    except LeaseLostError:
        log.warning("system mail %d: another worker took over before the final dot", row.id)
    except (MailError, ConfigError, OSError, ValueError, vault.CannotOpenError) as error:
        _not_sent(row, error)
    else:
        # UNCERTAIN: another worker considered this one dead, but the server's reply has arrived after all
        values: dict[str, Any] = {
            "state": OutboxState.SENT,
            "sent_at": now(),
            "error": "",
            "body": "",
            "html": "",
            "calendar": "",
            "lease": None,
        }
        _queue.change(row, [OutboxState.SENDING, OutboxState.UNCERTAIN], **values)


def _submit(row: SystemMessage, settings: Settings) -> None:
    """Raises what `smtp.send` does, and ConfigError, OSError or ValueError if there is no usable credential."""
    sender = settings.system_sender
    if sender is None:
        raise ConfigError("system_address is not set any more")
    account = settings.account(sender.email, password=settings.system_password)
    smtp.send(
        account,
        sender.email,
        [row.recipient],
        content(row, sender, settings.secret_key),
        sign_in=bool(settings.token_key_file or settings.system_password),
        before_final_dot=partial(_queue.hand_over, row),
    )


def _not_sent(row: SystemMessage, error: Exception) -> None:
    """Nothing was accepted. A refused sign-in is tried again too: the administrator corrects it, and nobody else would retry."""
    hopeless = error.permanent if isinstance(error, SendRefusedError) else isinstance(error, _NEVER)
    if hopeless or now() - row.created >= GIVE_UP:
        log.warning("system mail %d (%s): given up: %s", row.id, row.kind, error)
        _over(row, OutboxState.FAILED, str(error))
        return
    log.info("system mail %d (%s): not sent for now: %s", row.id, row.kind, error)
    waiting: dict[str, Any] = {"state": OutboxState.WAITING, "handed_over": False, "lease": None, "error": str(error)}
    _queue.change(row, [OutboxState.SENDING], due=next_try(row.attempts), **waiting)


def _over(row: SystemMessage, state: OutboxState, text: str) -> None:
    _queue.change(row, [OutboxState.SENDING], state=state, lease=None, error=text, body="", html="", calendar="")
