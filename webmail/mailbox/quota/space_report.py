"""Space report: who sent how much, and which newsletters are old; counted message by message in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.imap.mailbox_list.space_usage import CountedMessage, key_of
from webmail.mail import Mailbox, Role

OLD_DAYS = 183  # a newsletter of half a year ago
MOST_SENDERS, MOST_NEWSLETTERS = 20, 50  # told
_MOST_KEPT = 2000  # while counting; beyond twice as many the smallest are dropped
_APART = (Role.TRASH, Role.JUNK, Role.DRAFTS, Role.SNOOZED)
_LONGEST_NAME = 100


@dataclass(slots=True)
class SenderTotal:
    """How many messages somebody sent, their bytes, and the newest that says how to leave their list (`uid`: 0 if none does)."""

    address: str
    name: str = ""
    count: int = 0
    size: int = 0
    mailbox: str = ""
    uidvalidity: int = 0
    uid: int = 0

    def add(self, message: CountedMessage, mailbox: str, uidvalidity: int) -> None:
        self.count += 1
        self.size += message.size
        self.name = (message.sender.name or self.name)[:_LONGEST_NAME]
        self.note_place(message, mailbox, uidvalidity)

    def note_place(self, message: CountedMessage, mailbox: str, uidvalidity: int) -> None:
        if message.can_be_left:
            self.mailbox, self.uidvalidity, self.uid = mailbox, uidvalidity, message.uid


@dataclass(slots=True)
class RoomReport:
    """What was counted so far. `senders` are of all messages, `newsletters` of those from lists before `before` (ISO)."""

    before: str
    messages: int = 0
    senders: dict[str, SenderTotal] = field(default_factory=dict)
    newsletters: dict[str, SenderTotal] = field(default_factory=dict)

    @classmethod
    def load(cls, told: dict[str, Any]) -> RoomReport:
        """The inverse of `dumped`."""
        totals = {kind: {row["address"]: SenderTotal(**row) for row in told[kind]} for kind in ("senders", "newsletters")}
        return cls(told["before"], told["messages"], **totals)

    def add(self, messages: Iterable[CountedMessage], mailbox: str, uidvalidity: int) -> None:
        before = date.fromisoformat(self.before)
        for one in messages:
            self.messages += 1
            if not (key := key_of(one.sender)):
                continue
            self.senders.setdefault(key, SenderTotal(key)).add(one, mailbox, uidvalidity)
            if one.is_list and one.received.date() < before:
                self.newsletters.setdefault(key, SenderTotal(key)).add(one, mailbox, uidvalidity)
            elif key in self.newsletters:
                self.newsletters[key].note_place(one, mailbox, uidvalidity)  # still there once the old ones are deleted
        self.senders, self.newsletters = _bounded(self.senders), _bounded(self.newsletters)

    def dumped(self, senders: int = _MOST_KEPT, newsletters: int = _MOST_KEPT) -> dict[str, Any]:
        """As JSON, with at most so many of each, the largest first."""
        return {
            "before": self.before,
            "messages": self.messages,
            "senders": [asdict(one) for one in _largest(self.senders, senders)],
            "newsletters": [asdict(one) for one in _largest(self.newsletters, newsletters)],
        }


def counted_mailboxes(found: Overview, *, sent: bool = False) -> list[str]:
    """One's own mailboxes whose senders are counted: not those that are emptied anyway, nor what one wrote (unless `sent`)."""
    apart = [m for m in found.mailboxes if m.role in (_APART if sent else (*_APART, Role.SENT))]
    return [m.name for m in found.mailboxes if _is_counted(m, apart)]


def _is_counted(mailbox: Mailbox, apart: list[Mailbox]) -> bool:
    inside = any(mailbox.name == other.name or other.holds(mailbox.name) for other in apart)
    return mailbox.selectable and not mailbox.owner and not inside


def _largest(totals: dict[str, SenderTotal], most: int) -> list[SenderTotal]:
    return sorted(totals.values(), key=lambda one: (-one.size, one.address))[:most]


def _bounded(totals: dict[str, SenderTotal]) -> dict[str, SenderTotal]:
    """Whoever fills a mailbox is among the largest soon; the many small ones of a huge mailbox are forgotten."""
    if len(totals) <= 2 * _MOST_KEPT:
        return totals
    return {one.address: one for one in _largest(totals, _MOST_KEPT)}
