"""What a person prefers: plain values with defaults, kept as JSON in the account's row. One place for all areas."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from webmail.account import Account
from webmail.models import User

CHOICES: dict[str, tuple[str | int, ...]] = {
    "page_size": (25, 50, 100),
    "density": ("cosy", "compact"),
    "layout": ("list", "below", "right"),
    "archive_by": ("", "year", "month"),
    "refresh_minutes": (0, 1, 5, 15),
    "receipts": ("ask", "inside", "never"),
    "undo_seconds": (-1, 0, 5, 10, 30),
    "images": ("", "ask", "contacts", "known", "always"),
    "write_format": ("", "markdown"),
    "quote": ("below", "above", "none"),
}
ROLES = ("sent", "drafts", "trash", "archive", "junk")
_LONGEST_LIST = 200


@dataclass(frozen=True, slots=True)
class Preferences:
    """All of them. `conversation_folders` are those where conversations are on (or off, when they are on everywhere)."""

    page_size: int = 0  # rows of a list; 0: as the instance has it
    density: str = "cosy"
    layout: str = "list"  # where a message opens: a page of its own, below the list, at its right
    prefer_text: bool = False  # plain text first, and no pictures by themselves: for slow lines
    snippets: bool = True  # the first words of each message in the list
    conversations: bool = False
    conversation_folders: tuple[str, ...] = ()
    shortcuts: bool = True  # single-key commands
    notifications: bool = False  # of new mail, by the desktop
    refresh_minutes: int = 0  # a list without scripts loads itself anew; 0: never
    images: str = ""  # when remote images load, see Settings.remote_images; "": as the instance has it
    receipts: str = "ask"  # to be asked for confirmations of reading: always, for one's own establishment only, never
    undo_seconds: int = -1  # how long a message waits before it leaves; -1: as the instance has it
    write_format: str = ""  # of a new message: plain text, or formatted (compose/message_options.py)
    quote: str = "below"  # where an answer has the quoted text: below or above what one writes, or not at all
    archive_by: str = ""  # Archive itself, or Archive/2026, or Archive/2026/11
    favourites: tuple[str, ...] = ()  # mailboxes shown first
    roles: dict[str, str] = field(default_factory=dict)  # which mailbox serves as "sent", ... where it isn't the server's choice

    def in_conversations(self, mailbox: str) -> bool:
        """Whether a mailbox is listed by conversation."""
        return self.conversations != (mailbox in self.conversation_folders)


def for_user(user: User) -> Preferences:
    """A person's preferences; what is not understood (an older or newer version wrote it) is as if never chosen."""
    try:
        stored = json.loads(user.preferences or "{}")
    except ValueError:
        stored = {}
    known = {f.name for f in fields(Preferences)}
    return checked(Preferences(), stored if isinstance(stored, dict) else {}, known)


def checked(before: Preferences, values: dict[str, Any], names: set[str]) -> Preferences:
    """`before` with those of `values` that are in `names` and make sense."""
    good = {name: clean for name, value in values.items() if name in names and (clean := _clean(name, value)) is not None}
    return replace(before, **good)


def with_roles(account: Account, user: User) -> Account:
    """The account, knowing which mailboxes this person chose to serve as Sent, Trash and so on."""
    return replace(account, roles=tuple(sorted(for_user(user).roles.items())))


def change(user: User, **values: Any) -> Preferences:
    """Store some of them; a value that makes no sense is passed over. One UPDATE."""
    found = checked(for_user(user), values, set(values))
    user.preferences = json.dumps({n: v for n, v in asdict(found).items() if v != getattr(Preferences(), n)}, ensure_ascii=False)
    User.update(preferences=user.preferences).where(User.id == user.id).execute()
    return found


def _clean(name: str, value: Any) -> Any:
    """The value in its right type, or None."""
    default = getattr(Preferences(), name)
    if name in CHOICES:
        return value if value in CHOICES[name] and isinstance(value, type(default)) else None
    if isinstance(default, bool):
        return value if isinstance(value, bool) else None
    if isinstance(default, tuple):
        names = [one for one in value if isinstance(one, str)] if isinstance(value, list | tuple) else None
        return None if names is None else tuple(dict.fromkeys(names))[:_LONGEST_LIST]
    if isinstance(default, dict):
        return {k: v for k, v in value.items() if k in ROLES and isinstance(v, str) and v} if isinstance(value, dict) else None
    return None
