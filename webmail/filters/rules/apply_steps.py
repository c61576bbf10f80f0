"""Apply steps: what applying a rule to mail already there does to some messages, so that a kill in between does no harm.

What is about to be done is noted first: which messages (by size and Message-ID), which of them lack a flag, and the UIDs that
copies can't be below. Whoever comes after a kill finds by that what was copied or moved already, and neither does it twice nor
forgets it for undo.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from webmail import imap
from webmail.filters.rules.rules import ActionKind, FilterRule
from webmail.imap.bulk import bulk_fetch
from webmail.imap.connections.connection import Connection
from webmail.mailbox.undo import UndoSteps

_FLAGS = {ActionKind.FLAG: "\\Flagged", ActionKind.READ: "\\Seen"}
DOES = frozenset(
    (*_FLAGS, ActionKind.TAG, ActionKind.COPY, ActionKind.MOVE, ActionKind.DELETE)
)  # and nothing that writes to others
_SYSTEM = {"\\Flagged": b"UNFLAGGED", "\\Seen": b"UNSEEN"}


@dataclass(frozen=True, slots=True)
class ApplyPlan:
    """The rule's actions in one mailbox: `to` is where messages go, "" if they stay."""

    flags: tuple[str, ...]
    copies: tuple[str, ...]
    to: str

    @classmethod
    def for_rule(cls, rule: FilterRule, mailbox: str, trash: str) -> ApplyPlan:
        """As Sieve has it: a message that is moved to several folders is in each, and stays where one of them is its own."""
        flags = [_FLAGS.get(one.kind, one.value) for one in rule.actions if one.kind in _FLAGS or one.kind is ActionKind.TAG]
        copies = [one.value for one in rule.actions if one.kind is ActionKind.COPY]
        kinds = {ActionKind.MOVE: None, ActionKind.DELETE: trash}
        moves = list(dict.fromkeys(kinds[one.kind] or one.value for one in rule.actions if one.kind in kinds))
        to = moves.pop() if moves and mailbox not in moves else ""
        others = dict.fromkeys(name for name in (*copies, *moves) if name not in (mailbox, to))
        return cls(tuple(dict.fromkeys(flags)), tuple(others), to)


@dataclass(slots=True)
class Intent:
    """What was about to be done to some messages: (UID, size, Message-ID) of each; by flag, who lacked it; by folder, UIDNEXT."""

    messages: list[list[Any]]
    lacking: dict[str, list[int]] = field(default_factory=dict)
    floors: dict[str, int] = field(default_factory=dict)


def intended(connection: Connection, mailbox: str, uidvalidity: int, uids: Sequence[int], plan: ApplyPlan) -> Intent:
    """1 round trip for who they are, 1 for each flag and each folder."""
    prints = bulk_fetch.identities(connection, mailbox, uids, uidvalidity)
    intent = Intent([[one.uid, one.size, one.message_id] for one in prints.values()])
    there = list(prints)
    for flag in plan.flags if there else ():
        key = _SYSTEM.get(flag) or b"UNKEYWORD " + imap.actions.keyword(flag)
        intent.lacking[flag] = imap.actions.with_flag(connection, mailbox, there, key, uidvalidity)
    for name in (*plan.copies, *([plan.to] if plan.to else [])):
        intent.floors[name] = bulk_fetch.next_uid(connection, name)[1]
    return intent


def carry_out(
    connection: Connection, mailbox: str, uidvalidity: int, intent: Intent, plan: ApplyPlan, steps: UndoSteps, *,
    junk: str, again: bool,
) -> int:  # fmt: skip
    """Do it; returns to how many messages. What undoes it is added to `steps`. `again`: an earlier turn may have done some of it.

    Raises what `imap.actions` raises.
    """
    wanted = [int(one[0]) for one in intent.messages]
    here = imap.actions.with_flag(connection, mailbox, wanted, b"ALL", uidvalidity) if wanted else []
    present = set(here)
    gone = [one for one in intent.messages if one[0] not in present]
    lacking = {flag: set(uids) for flag, uids in intent.lacking.items()}
    for flag, uids in lacking.items():
        if left := uids.intersection(here):
            imap.actions.set_flags(connection, mailbox, left, [flag], True, uidvalidity)
    for name in plan.copies:
        _copy(connection, mailbox, uidvalidity, intent, name, here, steps, again=again)
    places: dict[tuple[str, int], dict[int, int]] = {(mailbox, uidvalidity): {uid: uid for uid in here}}
    if plan.to:
        places = {}
        if again and gone:
            validity, found = _found(connection, plan.to, intent.floors[plan.to], gone)
            places[plan.to, validity] = found
        if here:
            moved = imap.actions.move(connection, mailbox, here, plan.to, uidvalidity)
            places.setdefault((plan.to, moved.uidvalidity), {}).update(zip(moved.sources, moved.uids, strict=False))
        back = steps.move_unjunked if plan.to == junk else steps.move
        for (name, validity), moves in places.items():
            back(name, validity, moves.values(), mailbox)
    for (name, validity), moves in places.items():  # a flag is taken away before the message goes back under another UID
        for flag, those in lacking.items():
            steps.flag(name, validity, [now for before, now in moves.items() if before in those], flag, False)
    return max(len(here), sum(map(len, places.values())))


def _copy(
    connection: Connection, mailbox: str, uidvalidity: int, intent: Intent, name: str, here: Iterable[int], steps: UndoSteps,
    *, again: bool,
) -> None:  # fmt: skip
    done: dict[int, int] = {}
    if again:
        validity, done = _found(connection, name, intent.floors[name], intent.messages)
        steps.delete(name, validity, done.values())
    if left := [uid for uid in here if uid not in done]:
        copied = imap.actions.copy(connection, mailbox, left, name, uidvalidity)
        steps.delete(copied.mailbox, copied.uidvalidity, copied.uids)


def _found(connection: Connection, mailbox: str, floor: int, messages: Sequence[Sequence[Any]]) -> tuple[int, dict[int, int]]:
    """UIDVALIDITY, and for the UIDs of these messages the UIDs that they have in another mailbox, from `floor` on."""
    connection.select(mailbox)
    validity = connection.uidvalidity
    uids = bulk_fetch.uids_from(connection, floor)
    free: dict[tuple[int, str], list[int]] = {}
    for one in bulk_fetch.identities(connection, mailbox, uids, validity).values():
        free.setdefault((one.size, one.message_id), []).append(one.uid)
    found = {}
    for uid, size, message_id in messages:
        if same := free.get((size, message_id)):
            found[uid] = same.pop(0)
    return validity, found


def merged(stored: list[list[Any]], steps: UndoSteps) -> list[list[Any]]:
    """The steps of all batches so far: [what, mailbox, UIDVALIDITY, argument, UIDs], as `mailbox.undo` reads them."""
    known = {tuple(one[:4]): one for one in stored}
    for *key, uids in json.loads(steps.dumps()):
        before = known.get(tuple(key))
        if before is None:
            known[tuple(key)] = [*key, uids]
        else:
            before[4] = _joined(before[4], uids)
    return list(known.values())


def _joined(before: str, after: str) -> str:
    """ "1:3" and "4:6,9" are "1:6,9"."""
    earlier, _comma, last = before.rpartition(",")
    first, comma, later = after.partition(",")
    low, _colon, high = last.partition(":")
    start, _colon, end = first.partition(":")
    if int(start) != int(high or low) + 1:
        return f"{before},{after}"
    return f"{earlier}{',' if earlier else ''}{low}:{end or start}{comma}{later}"
