"""Protection of a transfer: who holds the keys of its files. What is stored is encrypted in any case."""

from __future__ import annotations

import json
import re
import secrets
from enum import StrEnum

from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.models import Transfer, User
from webmail.transfers import links, store
from webmail.transfers.limits import MB

_NAMES = re.compile(r"[\w-]+\.[\w-]+", re.A)
SEALED_NAMES = MB // 2  # characters: of some thousands of files


class Protection(StrEnum):
    """The more, the later it stands."""

    SERVER = "server"  # sealed with the instance's secret: links can be shown and mailed again
    LINK = "link"  # only the link: who has all of the instance, but no link, opens nothing
    BROWSER = "browser"  # only the link, and it never comes here: browsers encrypt and decrypt


class NotProtectedError(MailError):
    """The protection that was asked for is less than the settings ask for, or not to be had with them."""

    status = 422


def choices(settings: Settings) -> list[Protection]:
    """What people can choose; the first is what they get without choosing."""
    given, every = settings.transfers, list(Protection)
    found = every[every.index(Protection(given.key)) :]
    if given.clamd and given.unscanned == "refuse":
        found.remove(Protection.BROWSER)  # nothing of it could be scanned
    return found


def chosen(text: str, settings: Settings) -> Protection:
    """What was asked for; "" for what the settings give. Raises NotProtectedError."""
    known = choices(settings)
    if not text:
        return known[0]
    if text not in known:
        raise NotProtectedError(f"{text!r} is not offered")
    return Protection(text)


def protection_of(transfer: Transfer) -> Protection:
    if transfer.end_to_end:
        return Protection.BROWSER
    return Protection.LINK if transfer.key_check else Protection.SERVER


def begin(owner: User, protection: Protection, settings: Settings, *, draft_id: str = "") -> tuple[Transfer, bytes | None]:
    """An open transfer so protected, and the key that only its link will hold, where there is one. Raises OverLimitError."""
    key = secrets.token_bytes(links.KEY_BYTES) if protection is Protection.LINK else None
    transfer = store.create(owner, settings, link_key=key, draft_id=draft_id)
    if protection is Protection.BROWSER:
        transfer.end_to_end = json.dumps({"form": 1})
        transfer.save()
    return transfer, key


def is_key_of(transfer: Transfer, key: bytes) -> bool:
    return bool(transfer.key_check) and links.link_hash(key.hex()) == transfer.key_check


def set_sealed_names(transfer: Transfer, text: str) -> None:
    """Names of files as the browser sealed them, for the pages of who has the link. What is too long is left out."""
    known: dict[str, object] = {"form": 1}
    if text and len(text) <= SEALED_NAMES:
        known |= {"names": text}
    transfer.end_to_end = json.dumps(known)
    Transfer.update(end_to_end=transfer.end_to_end).where(Transfer.id == transfer.id).execute()


def add_sealed_names(transfer: Transfer, text: str) -> None:
    """The names of files that were added, sealed by themselves: what two windows add at once needs no common list."""
    known = f"{sealed_names(transfer)} {text}".strip()
    if _NAMES.fullmatch(text) and len(known) <= SEALED_NAMES:
        set_sealed_names(transfer, known)


def sealed_names(transfer: Transfer) -> str:
    """As the browser sealed them; with a space between the lists where files were added."""
    return str(json.loads(transfer.end_to_end or "{}").get("names", ""))
