"""Codes by mail before a download: six digits that show that somebody reads what arrives at a recipient's address.

One at a time for each recipient, good once and for a quarter of an hour, and for a few tries alone.
"""

from __future__ import annotations

import hmac
import secrets

from webmail import rate_limits
from webmail.auth.factors.mailed_codes import DIGITS, LIFE, TRIES, CodeFault, CodeRefusedError, digits
from webmail.config.settings import Settings
from webmail.mime.headers.address_input import address_key
from webmail.models import Transfer, TransferCode, TransferRecipient, now
from webmail.rate_limits import HOUR, RateLimit
from webmail.vault import keyed_hash

MAILED = RateLimit("download codes mailed", 5, HOUR)  # to one recipient of one transfer
ASKED = RateLimit("download codes asked for", 100, HOUR)  # from one network: a school behind one address may be sent files too
TYPED = RateLimit("download codes typed", 300, HOUR)  # from one network


def recipient_named(transfer: Transfer | int, typed: str) -> TransferRecipient | None:
    """Whom the transfer was sent to by this address. One SELECT."""
    theirs = (TransferRecipient.transfer == transfer) & TransferRecipient.removed.is_null()
    typed = typed.strip().lower()[:254]
    named = TransferRecipient.address << [typed, address_key(typed)]
    found: TransferRecipient | None = TransferRecipient.get_or_none(theirs & named)
    return found


def new_code(recipient: TransferRecipient, settings: Settings) -> str:
    """A new code in the place of the last. Raises TooManyRequestsError."""
    rate_limits.take(settings, MAILED.by(recipient.id))
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    values = {"code_hash": _hash(recipient, code, settings), "tries": 0, "created": now()}
    added = TransferCode.insert(recipient=recipient, **values)
    added.on_conflict(conflict_target=[TransferCode.recipient], update=values).execute()
    return code


def accept(recipient: TransferRecipient | None, typed: str, settings: Settings) -> None:
    """Use up the code. Raises CodeRefusedError: WRONG, or OVER where none can be typed any more, as for nobody's address.

    Each try is counted before it is compared, so that many at once are not more than one after the other.
    """
    row = TransferCode.get_or_none(TransferCode.recipient == recipient) if recipient is not None else None
    if row is None or recipient is None:
        raise CodeRefusedError(CodeFault.WRONG)
    this = (TransferCode.id == row.id) & (TransferCode.code_hash == row.code_hash)
    alive = (TransferCode.tries < TRIES) & (TransferCode.created > now() - LIFE)
    if not TransferCode.update(tries=TransferCode.tries + 1).where(this & alive).execute():
        raise CodeRefusedError(CodeFault.OVER)
    code = digits(typed)
    if not code or not hmac.compare_digest(_hash(recipient, code, settings), row.code_hash):
        raise CodeRefusedError(CodeFault.WRONG if row.tries + 1 < TRIES else CodeFault.OVER)
    if not TransferCode.delete().where(this).execute():  # somebody else was as right, and first
        raise CodeRefusedError(CodeFault.OVER)


def expire() -> int:
    """Forget codes that can't be typed any more. One DELETE."""
    return int(TransferCode.delete().where(TransferCode.created < now() - LIFE).execute())


def _hash(recipient: TransferRecipient, code: str, settings: Settings) -> str:
    return keyed_hash(f"{recipient.address}\n{code}", settings.secret_key, "download code", recipient.id)
