"""Overviews: the mailboxes of an account with their counts and its quota, and what is kept of them in memory between pages."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from webmail.account import Account
from webmail.imap.mailbox_list import tag_counts
from webmail.imap.mailbox_list.namespaces import Namespaces
from webmail.mail import Mailbox, Quota, Role

FRESH_SECONDS = 15  # after which all is counted again, after the answer to a page
QUOTA_SECONDS = 300  # after which the quota is read again, where nothing changed that one did oneself
_LISTED_SECONDS = 60  # after which a page does not rely on what is known
_KEEP_SECONDS = 900
LARGE = 5_000  # messages of a mailbox that no page waits for
MOST_COUNTED = 100  # mailboxes that a page counts after a change


@dataclass(frozen=True, slots=True)
class Overview:
    """All mailboxes of an account with their counts, special ones first, and its quota if the server has one."""

    mailboxes: tuple[Mailbox, ...]
    quota: Quota | None = None
    namespaces: Namespaces = Namespaces()

    def __hash__(self) -> int:  # the side bar of each page is looked up by it: not every field of every mailbox
        return hash((self.quota, *((m.name, m.messages, m.unseen) for m in self.mailboxes)))

    def get(self, name: str) -> Mailbox | None:
        return next((m for m in self.mailboxes if m.name == name), None)

    def below(self, parent: Mailbox) -> list[Mailbox]:
        """The mailboxes inside a special one; none for INBOX, since on some servers it contains everything."""
        if parent.role is Role.INBOX or not parent.delimiter:
            return []
        return [m for m in self.mailboxes if m.role is None and parent.holds(m.name)]

    @property
    def own(self) -> list[Mailbox]:
        """The user's ordinary mailboxes, outside the special ones."""
        special = {m.name for parent in self.mailboxes if parent.role for m in self.below(parent)}
        return [m for m in self.mailboxes if m.role is None and not m.owner and m.name not in special]

    @property
    def shared(self) -> list[Mailbox]:
        """Mailboxes of other people and of public namespaces."""
        return [m for m in self.mailboxes if m.owner]

    def with_role(self, role: Role) -> Mailbox | None:
        return next((m for m in self.mailboxes if m.role is role), None)

    def targets(self, source: str) -> list[Mailbox]:
        """Where messages of `source` may be moved: one's own mailboxes first, never Drafts or Snoozed."""
        trash = self.with_role(Role.TRASH)
        fit = [m for m in self.mailboxes if m.takes_messages]
        others = [m for m in fit if m.name != source and not (trash and trash.holds(m.name))]
        return sorted(others, key=lambda m: (bool(m.owner), m.role is not None))

    def side_bar(self, favourites: Iterable[str] = ()) -> SideBar:
        """The mailboxes of the side bar: one's own special and subscribed ones (all, if none is subscribed) with their
        ancestors, and those shared by others."""
        trash = self.with_role(Role.TRASH)
        by_name = {m.name: m for m in self.mailboxes if m.selectable and not (trash and trash.holds(m.name))}
        mine = [m for m in self.mailboxes if not m.owner]
        chosen = [m for m in mine if m.subscribed or m.role] if any(m.subscribed for m in mine) else mine
        names = {name for m in chosen if m.selectable for name in (m.name, *m.ancestors)}
        special = [m for parent in mine if parent.role for m in (parent, *self.below(parent)) if m.role or m.name in names]
        return SideBar(
            tuple(by_name[name] for name in favourites if name in by_name),
            tuple(special),
            tuple(m for m in self.own if m.name in names),
            tuple(m for m in self.shared if m.selectable),
        )

    def counted(self, counts: dict[str, tuple[int, int]]) -> Overview:
        """A copy with updated counts (messages, unseen) of some mailboxes."""
        boxes = (
            replace(m, messages=counts[m.name][0], unseen=counts[m.name][1]) if m.name in counts else m for m in self.mailboxes
        )
        return replace(self, mailboxes=tuple(boxes))

    def with_one_seen(self, name: str) -> Overview:
        """A copy with one unread message less in this mailbox."""
        return self.counted({m.name: (m.messages, max(m.unseen - 1, 0)) for m in self.mailboxes if m.name == name})


@dataclass(frozen=True, slots=True)
class SideBar:
    """The mailboxes beside every page, in display order."""

    favourites: tuple[Mailbox, ...]
    special: tuple[Mailbox, ...]  # each followed by those inside it
    own: tuple[Mailbox, ...]
    shared: tuple[Mailbox, ...]


# --- kept between pages -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class KeptOverview:
    """What is known of an account: `listed`: when the list was last read, `counted`: all counts, `changed`: when a change was
    made through Traboule; `quota_read`, `sizes_changed`: the same for the quota. `owed`: large mailboxes were left out since."""

    found: Overview
    listed: float
    counted: float
    changed: float = -_KEEP_SECONDS
    owed: bool = False
    quota_read: float = -_KEEP_SECONDS
    sizes_changed: float = -_KEEP_SECONDS

    @property
    def is_quota_due(self) -> bool:
        return self.sizes_changed >= self.quota_read or self.quota_read < time.monotonic() - QUOTA_SECONDS

    def holds(self, mailbox: str) -> bool:
        """Whether a page may rely on it, and needs no more than the count of this mailbox."""
        known = not mailbox or self.found.get(mailbox) is not None
        return known and self.changed < self.listed and self.listed > time.monotonic() - _LISTED_SECONDS


_overviews: dict[Account, KeptOverview] = {}
_lock = threading.Lock()


def forget(account: Account, sizes: bool = True) -> None:
    """Note a change to mailboxes or messages: the next page lists the mailboxes and counts all but the large ones. `sizes`: the
    quota may be another then."""
    with _lock:
        if kept := _overviews.get(account):
            kept.changed = time.monotonic()
            if sizes:
                kept.sizes_changed = kept.changed
    tag_counts.changed(account)


def forget_all(account: Account) -> None:
    """Forget the overview: the next page waits for all counts and the quota. For pages that are about these numbers."""
    with _lock:
        _overviews.pop(account, None)
    tag_counts.changed(account)


def note_seen(account: Account, mailbox: str, count: int = 1) -> None:
    """Note that so many messages of a mailbox were marked as read, and nothing else: nothing has to be counted for that."""
    with _lock:
        if kept := _overviews.get(account):
            for _ in range(count):
                kept.found = kept.found.with_one_seen(mailbox)
    tag_counts.changed(account)


def is_count_due(account: Account) -> bool:
    """Whether everything should be counted again: 15 s after the last time, and after a change made here."""
    kept = cached(account)
    return kept is not None and (kept.counted < time.monotonic() - FRESH_SECONDS or kept.owed or kept.changed > kept.listed)


def cached(account: Account) -> KeptOverview | None:
    with _lock:
        kept = _overviews.get(account)
        return kept if kept and kept.listed > time.monotonic() - _KEEP_SECONDS else None


def listed(account: Account) -> int:
    """When the mailboxes that are known of an account were listed, in milliseconds that all processes of a machine count alike; 0
    if none are."""
    kept = cached(account)
    return int(kept.listed * 1000) if kept else 0


def keep(account: Account, found: Overview, at: float, everything: bool, with_quota: bool = False) -> None:
    """Keep what was asked for at `at`: with all counts (`everything`), and with the quota as it was then."""
    with _lock:
        before = _overviews.get(account)
        if before and before.listed > at:
            return  # what was read since may know a mailbox that this does not
        changed = before.changed if before else -_KEEP_SECONDS
        counted = at if everything or before is None else before.counted
        sizes = before.sizes_changed if before else -_KEEP_SECONDS
        read = at if with_quota or before is None else before.quota_read
        _overviews[account] = KeptOverview(found, at, counted, changed, not everything, read, sizes)
        for old in [a for a, kept in _overviews.items() if kept.listed < at - _KEEP_SECONDS]:
            del _overviews[old]
