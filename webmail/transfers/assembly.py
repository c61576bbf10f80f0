"""Assembly of transfers that are being put together: nobody else sees them, and their owner may go on with them another day.

What was typed so far is kept beside the options, until the transfer is published: recipients have no rows before.
"""

from __future__ import annotations

import json
import logging

from webmail.config.settings import Settings
from webmail.models import ContentState, Transfer, TransferFile, TransferState, User
from webmail.storage import StorageAwayError
from webmail.transfers import store
from webmail.transfers.content import ContentDamagedError, WrongKeyError
from webmail.transfers.uploads import checking

log = logging.getLogger(__name__)

_TYPED = "typed"
_LONGEST = 100_000  # characters of all that is kept


def of_owner(number: int, owner: User) -> Transfer | None:
    """Their transfer of this number, open or sent already; None for what others sent them."""
    mine = (Transfer.id == number) & (Transfer.owner == owner) & Transfer.request.is_null()
    found: Transfer | None = Transfer.get_or_none(mine)
    return found


def is_open(transfer: Transfer) -> bool:
    """Whether it still is, whatever the row said when it was read. One SELECT."""
    still = (Transfer.id == transfer.id) & (Transfer.state == TransferState.OPEN)
    return Transfer.select(Transfer.id).where(still).exists()


def is_sent(transfer: Transfer) -> bool:
    """Whether it was, whatever the row said when it was read. One SELECT."""
    sent = (Transfer.id == transfer.id) & Transfer.state.in_((TransferState.READY, TransferState.HANDED))
    return Transfer.select(Transfer.id).where(sent).exists()


def keep_typed(transfer: Transfer, typed: dict[str, str | list[str]], *, subject: str, message: str) -> None:
    """Keep what was typed for another visit, and the password's hash; what is too long is left out.

    Nothing is kept where it was closed or sent while a form of hours came in, and nothing else of the row is written.
    """
    known = json.loads(transfer.options or "{}")
    known[_TYPED] = typed if len(json.dumps(typed)) <= _LONGEST else {}
    transfer.options, transfer.subject, transfer.message = json.dumps(known), subject, message
    values = {"options": transfer.options, "subject": subject, "message": message, "password": transfer.password}
    values["language"] = transfer.language
    Transfer.update(values).where((Transfer.id == transfer.id) & (Transfer.state == TransferState.OPEN)).execute()


def typed(transfer: Transfer) -> dict[str, str | list[str]]:
    found = json.loads(transfer.options or "{}").get(_TYPED)
    return found if isinstance(found, dict) else {}


def is_whole(file: TransferFile) -> bool:
    return file.content is not None and file.content.state in (ContentState.CHECKING, ContentState.READY)


def settle(file: TransferFile, settings: Settings, link_key: bytes | None = None) -> None:
    """Take in a file that has all its bytes. What stops that is tried again by the worker, or where somebody brings the key."""
    if file.content is None or file.content.state != ContentState.CHECKING:
        return
    try:
        checking.finish(file, settings, link_key=link_key)
    except (ContentDamagedError, StorageAwayError, WrongKeyError) as error:
        log.warning("%s is still to be checked: %s", file.upload, error)


def drop(transfer: Transfer, settings: Settings) -> None:
    """Forget a transfer that was never given to anybody, with its files."""
    for file in store.files(transfer):
        store.remove_file(file, settings)
    transfer.delete_instance()
