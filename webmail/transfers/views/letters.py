"""Letters about large files: what is queued when, from the rows that say what was told already."""

from __future__ import annotations

from webmail.config import Settings
from webmail.models import FileRequestInvite, SystemMessage, Transfer, TransferRecipient


def settle(transfer: Transfer, settings: Settings, link_key: bytes | None = None) -> list[SystemMessage]:
    """Queue every letter that is due about a transfer now, each once, whoever asks at the same time; never raises.

    Call it after anything that changes a transfer (published, a file ready, downloaded, arrived, closed): the rows say what is
    to be told. The worker calls it too, so that nothing is lost; only links that hold the key of their files are mailed in the
    request alone, which has it (`link_key`). Does nothing while a file is not ready, or where nobody writes (`system_address`).
    """
    return []


def send_links(transfer: Transfer, settings: Settings, link_key: bytes | None = None) -> list[SystemMessage]:
    """Mail their links to the recipients who have none yet. A part of `settle`."""
    return []


def send_again(recipient: TransferRecipient, settings: Settings) -> SystemMessage | None:
    """Mail somebody's link again; None if that was done within ten minutes, or can't be done."""
    return None


def remind(transfer: Transfer, settings: Settings) -> list[SystemMessage]:
    """Remind those who have not downloaded anything, each once a day at most."""
    return []


def invite(asked: FileRequestInvite, settings: Settings, *, again: bool = False) -> SystemMessage | None:
    """Mail somebody the link by which they send files; `again`: as a reminder, once a day at most."""
    return None


def guest_link(transfer: Transfer, address: str, settings: Settings) -> SystemMessage | None:
    """Mail a guest the address of their receipt, after what they sent has arrived. A part of `settle`."""
    return None
