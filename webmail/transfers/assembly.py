"""Transfers that are being put together: nobody else sees them, and their owner may go on with them another day."""

from __future__ import annotations

from webmail.config import Settings
from webmail.models import Transfer
from webmail.transfers import store


def drop(transfer: Transfer, settings: Settings) -> None:
    """Forget a transfer that was never given to anybody, with its files."""
    for file in store.files(transfer):
        store.remove_file(file, settings)
    transfer.delete_instance()
